"""The answers for programs keep the shapes that are published, in either language."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import jsonschema
import pytest

import sla.published_answers
from sla.assess import worked_out
from sla.budget import outlook_json, outlooks
from sla.explain import explain, explanation_json
from sla.what_if import AcceptedClaim, CorrectedOutage, Measured, comparison_json, what_if
from tests.report_story import TITLES, ledger, report, samples_of

FIRST = report()
CONTRACT = FIRST.assessment.contract
SAMPLES = tuple(sample for name in TITLES for sample in samples_of(name, FIRST.period))
Language = Literal["nl", "en"]
LANGUAGES: tuple[Language, ...] = ("nl", "en")


def fits(name: str, answer: object) -> None:
    path = Path(sla.published_answers.__file__).parent / "schemas" / f"{name}.schema.json"
    schema: dict[str, Any] = json.loads(path.read_text("utf-8"))
    jsonschema.validate(json.loads(json.dumps(answer)), schema)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("clause", [clause.id for clause in CONTRACT.version[0].clause])
def test_every_clause_explains_an_excluded_outage_in_the_published_shape(clause: str, language: Language) -> None:
    at_us = FIRST.assessment.windows[-1].granted[0].start_us + 1
    found = explain(CONTRACT, clause=clause, at_us=at_us, samples=SAMPLES, ledger=ledger(), period=FIRST.period)
    fits("explanation", explanation_json(found, language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_claim_would_change_keeps_the_published_shape(language: Language) -> None:
    found = what_if(
        CONTRACT,
        period=FIRST.period,
        claims=[AcceptedClaim(entry=3), CorrectedOutage(outage="indienen-20261012T0830Z")],
        read=lambda _contract, _ledger: Measured(samples=SAMPLES),
        ledger=ledger(),
    )
    fits("what-if", comparison_json(found, language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_left_keeps_the_published_shape(language: Language) -> None:
    worked = worked_out(CONTRACT, period=FIRST.period, samples=SAMPLES, ledger=ledger())
    found = [outlook_json(one, CONTRACT.timezone, language) for one in outlooks(worked, now_us=None)]
    assert found
    fits("budget", found)
