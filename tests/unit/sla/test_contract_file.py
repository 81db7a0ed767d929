"""What a contract file may say, and how it is told what is wrong with it."""

from __future__ import annotations

import json
import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError

import sla.contract
from sla.contract import parse_contract
from sla.published import SCHEMAS
from tests.agreements import NAMES, clause, contract

ROOM = Path(sla.contract.__file__).parent
EXAMPLE = ROOM / "example" / "contract.toml"


def example() -> dict[str, Any]:
    return tomllib.loads(EXAMPLE.read_text("utf-8"), parse_float=Decimal)


def test_the_example_contract_can_be_read_and_says_that_it_is_one():
    found = parse_contract(example())
    assert found.contract.startswith("VOORBEELD")
    assert len(found.journeys()) == 12


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: plain(v) for key, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return value.isoformat() if isinstance(value, date) else float(value) if isinstance(value, Decimal) else value


def test_the_example_contract_fits_the_published_schema():
    jsonschema.validate(plain(example()), json.loads((ROOM / "schemas" / "contract.schema.json").read_text("utf-8")))


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_published_schemas_are_current_and_valid(name: str):
    written = json.loads((ROOM / "schemas" / f"{name}.schema.json").read_text("utf-8"))
    assert written == SCHEMAS[name]()
    jsonschema.Draft202012Validator.check_schema(written)


def problem(*clauses: dict[str, Any], **version: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        contract(*clauses, **version)
    (error,) = caught.value.errors()
    return str(error["msg"])


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"target": "1.2"}, '99.3 % is written "0.993"'),
        ({"target": 0.99}, "is no ratio"),
        ({"window": "avond"}, 'clause B1 names the window "avond"; known: altijd, dienst, nacht, nooit'),
        ({"tgt": "0.9"}, "Extra inputs are not permitted"),
        ({"period": "week"}, 'write "month", "quarter", "year" or "rolling 30 days"'),
        ({"scope": ["indienen", "indienen"]}, "names a journey twice"),
        ({"combine": {"weighted": {"inzage": 1}}}, "weighs other journeys than its scope names"),
        ({"sanction": {"scale": "fixed", "amount": "veel"}}, 'write "1% of monthly-fee"'),
        ({"sanction": {"scale": "fixed", "amount": "1% of contract-value"}}, "needs contract_value"),
        ({"sanction": {"scale": "per-unit", "unit": "1h", "amount": "EUR 1"}}, "is about a ratio"),
        ({"sanction": {"scale": "bands", "bands": [{"above": "4h", "amount": "EUR 1"}]}}, "is about a ratio"),
        ({"sanction": {"scale": "per-parsec", "amount": "EUR 1"}}, "'per-unit', 'bands', 'fixed'"),
        ({"kind": "uptime"}, "'availability'"),
    ],
)
def test_a_wrong_clause_is_refused_with_a_way_to_mend_it(changed: dict[str, Any], words: str):
    assert words in problem(clause(**changed))


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ({"windows": {"dag": {"weekly": ["mon-fri 19:00-07:00"]}}}, "ends before it begins"),
        ({"windows": {"dag": {"weekly": ["ma-vr 07:00-19:00"]}}}, "is no weekly span"),
        ({"windows": {"dag": {"weekly": ["mon 07:00-24:30"]}}}, 'a day closes at "24:00"'),
        ({"windows": {"dag": {"outside": "nacht"}}}, "which is no weekly window"),
        ({"windows": {"dag": {}}}, "one of the two"),
        ({"maintenance": {"notice": "soon"}}, "5 working days"),
        ({"maintenance": {"budget": "8h"}}, "8h per month"),
        ({"maintenance": {"blackout": ["13-01"]}}, "is no blackout"),
        ({"valid_until": date(2019, 1, 1)}, "before it begins"),
        ({"holidays_file": "feestdagen.toml"}, "nobody reads files here"),
    ],
)
def test_a_wrong_version_is_refused_with_a_way_to_mend_it(version: dict[str, Any], words: str):
    assert words in problem(**version)


def test_every_problem_is_told_at_once_each_at_its_own_key():
    with pytest.raises(ValidationError) as caught:
        contract(clause(target="1.2", window="avond"), clause(id="B2", sanction={"scale": "fixed", "amount": "veel"}))
    assert [e["loc"] for e in caught.value.errors()] == [
        ("version", 0, "clause", 0, "target"),
        ("version", 0, "clause", 1, "sanction", "amount"),
        ("version", 0, "clause", 0, "window"),
    ]


def test_two_clauses_with_one_id_are_refused():
    assert 'two clauses with the id "B1"' in problem(clause(), clause())


def test_versions_that_leave_a_gap_are_refused():
    first = {"number": 1, "valid_from": date(2026, 1, 1), "valid_until": date(2026, 6, 30), "clause": [clause()]}
    later = {"number": 2, "valid_from": date(2026, 7, 2), "valid_until": date(2026, 12, 31), "clause": [clause()]}
    with pytest.raises(ValidationError, match="without gap or overlap"):
        parse_contract({**NAMES, "version": [first, later]})


def test_an_unknown_time_zone_is_refused():
    with pytest.raises(ValidationError, match="IANA name"):
        contract(timezone="Europe/Brussel")


def test_holidays_may_come_from_a_file_the_caller_reads():
    version = {"number": 1, "valid_from": date(2026, 1, 1), "valid_until": date(2026, 12, 31), "clause": [clause()]}
    data = {**NAMES, "version": [{**version, "holidays_file": "feestdagen.toml"}]}
    found = parse_contract(data, read_holidays=lambda name: [date(2026, 7, 11)] if name == "feestdagen.toml" else [])
    assert found.version[0].holidays == (date(2026, 7, 11),)


def test_days_of_the_week_may_wrap():
    found = contract(windows={"w": {"weekly": ["sun-mon 08:00-10:30"]}})
    assert found.version[0].windows["w"].weekly[0].days == (6, 0)  # type: ignore[index]
