"""`sla explain`, `sla what-if` and `sla budget`, from the store and from files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from monitor.cli import main
from monitor.store import ledger as store_ledger
from monitor.store.database import Database
from sla.ledger import Entry
from tests.agreements import at
from tests.new_store import new_store
from tests.running_service import a_place
from tests.stored_month import fill

CONTRACT = """
contract = "PROEF"
authority = "Voorbeeldbestuur"
supplier = "Voorbeeld NV"
timezone = "Europe/Brussels"

[[version]]
number = 1
valid_from = 2026-01-01
valid_until = 2026-12-31
monthly_fee = "100000.00"
[[version.clause]]
id = "B1"
kind = "availability"
article = "art. 4.2"
scope = ["indienen"]
target = "0.999"
boundary = "observed"
sanction = { scale = "per-unit", unit = "0.001", amount = "EUR 100", boundary = "observed" }
[[version.clause]]
id = "B2"
kind = "availability"
scope = ["indienen"]
period = "quarter"
target = "0.99"
[[version.clause]]
id = "B3"
kind = "availability"
scope = ["indienen"]
period = "rolling 7 days"
target = "0.5"
"""
DOWN = "2026-10-05T10:30:00+02:00"
OUTAGE = "indienen-20261005T0800Z"
WHEN = ("2026-10-05T10:00:00+02:00", "2026-10-05T12:00:00+02:00")
IN_FILES = ("--contract", "contract.toml", "--measurements", "metingen.jsonl")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """October in a store, hour by hour: down from ten to twelve on the fifth; and the same in a file of spans."""
    folder = tmp_path_factory.mktemp("reasons")
    place = a_place(folder)
    config = place.config.read_text(encoding="utf-8")
    place.config.write_text(re.sub(r"\nca_file = .*", "", config), encoding="utf-8")
    (folder / "contract.toml").write_text(CONTRACT, encoding="utf-8")
    database = new_store(place.database)
    fill(database, marks={"2026-10-05 10:00": "X", "2026-10-05 11:00": "X"})
    claim = Entry(
        kind="exclusion", recorded_us=at("2026-11-02 09:00"), by="An", reason="storm", scope=("indienen",),
        from_us=at("2026-10-05 10:00"), until_us=at("2026-10-05 12:00"),
        data={"ground": "force-majeure", "status": "claimed"},
    )  # fmt: skip
    with database.begin() as tx:
        store_ledger.append(tx, claim)
    database.close()
    edges = ["2026-10-01T00:00:00+02:00", *WHEN, "2026-11-01T00:00:00+01:00"]
    spans = zip(edges, edges[1:], ("up", "down", "up"), strict=False)
    lines = [json.dumps({"journey": "indienen", "from": a, "to": b, "state": state}) for a, b, state in spans]
    (folder / "metingen.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@dataclass
class Said:
    capsys: pytest.CaptureFixture[str]
    out: str = ""
    err: str = ""

    def __call__(self, *arguments: str) -> int:
        code = main(("sla", *arguments))
        self.out, self.err = self.capsys.readouterr()
        return code

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def said(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Said]:
    monkeypatch.chdir(folder)
    yield Said(capsys)


# -- explain -----------------------------------------------------------------------------------------------------------


def test_an_instant_is_explained_from_the_store_in_dutch(said: Said) -> None:
    assert said("explain", "--at", DOWN, "--clause", "B1") == 0
    assert said.out == ""
    first, *reasons = said.err.splitlines()
    assert first == "B1 · art. 4.2"
    assert (
        "- indienen (lokaal): de meting van 05-10-2026 10:00:00 CEST: onbeschikbaar (2 pogingen, http-status); ze "
        "spreekt tot 05-10-2026 11:00:00 CEST." in reasons
    )
    assert "- Uitsluiting nr. 1 (An: storm) sluit dit ogenblik niet uit." in reasons
    assert reasons[-1] == "- Besluit: 05-10-2026 10:30:00 CEST telt in bepaling B1 als onbeschikbaar."


def test_an_instant_is_explained_from_files_in_english(said: Said) -> None:
    assert said("explain", "--at", DOWN, "--clause", "B1", *IN_FILES, "--lang", "en") == 0
    assert said.err.splitlines()[-1] == "- Conclusion: 05-10-2026 10:30:00 CEST counts as down in clause B1."


@pytest.mark.parametrize("clause", ["B1", "B2", "B3"])
def test_store_and_files_explain_the_same_whatever_the_clauses_period(said: Said, clause: str) -> None:
    counted = []
    for source in ((), IN_FILES):
        assert said("explain", "--at", DOWN, "--clause", clause, *source, "--json") == 0
        counted.append(said.json["counted"])
    assert counted == ["down", "down"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--at", "gisteren", "--clause", "B1"), "--at:"),
        (("--at", DOWN, "--clause", "C9"), 'Version 1 has no clause "C9"; it has B1, B2, B3.'),
        (("--at", "2031-01-01T00:00:00Z", "--clause", "B1"), "No version of contract PROEF governs 2031-01-01"),
        (("--at", DOWN, "--clause", "B1", "--ledger", "x.jsonl"), "--ledger belongs to --measurements"),
        (("--at", DOWN, "--clause", "B1", "--measurements", "metingen.jsonl"), "--measurements needs the contract's"),
        (("--at", DOWN, "--clause", "B1", "--contract", "ANDER"), 'There is no contract "ANDER". Known: PROEF.'),
    ],
    ids=["no instant", "no clause", "no version", "ledger alone", "no contract file", "no such contract"],
)
def test_what_cannot_be_explained_is_wrong_usage(said: Said, arguments: tuple[str, ...], message: str) -> None:
    assert said("explain", *arguments) == 2
    assert message in said.err
    assert said.out == ""


def test_measurements_with_mistakes_are_refused_by_line(said: Said, tmp_path: Path) -> None:
    bad = tmp_path / "slecht.jsonl"
    bad.write_text('{"journey": "indienen", "from": "2026-10-05T10:00:00"}\n', encoding="utf-8")
    files = ("--contract", "contract.toml", "--measurements", str(bad))
    assert said("explain", "--at", DOWN, "--clause", "B1", *files) == 3
    assert f"{bad}:1:" in said.err


# -- what if -----------------------------------------------------------------------------------------------------------


def whole(said: Said, *claims: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """Verdict and amount of B1 before and after."""
    assert said("what-if", "--period", "2026-10", *claims, "--json") == 0
    [b1] = [c for c in said.json["clauses"] if c["id"] == "B1"]
    before, after = ((side["verdict"], side["amount_eur"]) for side in (b1["before"], b1["after"]))
    return before, after


@pytest.mark.parametrize(
    "claim",
    [
        ("--exclude", "/".join(WHEN), "--scope", "indienen", "--ground", "force-majeure"),
        ("--accept", "1"),
        ("--outage", f"{OUTAGE}=up"),
        ("--outage", f"{OUTAGE}=2026-10-05T10:00:00+02:00/2026-10-05T10:20:00+02:00"),
        ("--suppose", f"indienen=up@{'/'.join(WHEN)}"),
    ],
    ids=["exclusion", "pending claim accepted", "no outage", "shorter outage", "supposed up"],
)
def test_a_claim_shows_verdict_and_amount_before_and_after(said: Said, claim: tuple[str, ...]) -> None:
    # 2 of 745 hours: 99.73 %, two started tenths of a point below 99.9 %.
    assert whole(said, *claim) == (("missed", "200.00"), ("met", "0.00"))


def test_a_claim_without_effect_says_so(said: Said) -> None:
    assert said("what-if", "--period", "2026-10", "--exclude", "/".join(WHEN), "--ground", "third-party") == 0
    assert "de derde wordt niet zelf gemeten" in said.err
    assert "Er verandert niets." in said.err


def test_another_contract_judges_the_stored_month(said: Said, tmp_path: Path) -> None:
    other = tmp_path / "ander.toml"
    other.write_text(CONTRACT.replace('target = "0.999"', 'target = "0.99"'), encoding="utf-8")
    assert whole(said, "--other-contract", str(other))[1] == ("met", "0.00")


def test_the_table_shows_both_sides_and_nothing_is_stored(said: Said, folder: Path) -> None:
    assert said("what-if", "--period", "2026-10", "--accept", "1") == 0
    assert "- Uitsluiting nr. 1 aanvaard." in said.err
    [row] = [line for line in said.err.splitlines() if line.startswith("B1")]
    assert re.split(r"\s{2,}", row.strip()) == [
        "B1", "1", "99,73 %", "100,00 %", "niet gehaald", "gehaald", "EUR 200,00", "EUR 0,00",
    ]  # fmt: skip
    assert "EUR 200,00 vóór, EUR 0,00 na. Een berekend voorstel; niets is bewaard." in said.err
    database = Database.open(f"sqlite:///{folder / 'var' / 'loketwacht.db'}", durable=False)
    with database.read() as tx:
        assert len(list(store_ledger.read(tx))) == 1
    database.close()


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ((), "What if what?"),
        (("--scope", "indienen"), "tell of --exclude"),
        (("--exclude", "morgen"), "is no stretch of time"),
        (("--exclude", "/".join(reversed(WHEN))), "ends before it begins"),
        (("--outage", OUTAGE), "write ID=FROM/TO or ID=STATE"),
        (("--outage", f"{OUTAGE}=kapot"), '"kapot" is none of up, degraded, unmeasured'),
        (("--outage", "storing-9=up"), f'There is no outage "storing-9" in this period; outages: {OUTAGE}.'),
        (("--suppose", "indienen=up"), "write JOURNEY=STATE@FROM/TO"),
        (("--accept", "7"), "Entry 7 is no exclusion in force; exclusions in the ledger: 1."),
    ],
    ids=[
        "no claim", "scope alone", "no span", "backwards", "outage alone", "no state", "no outage", "no span supposed",
        "no entry",
    ],
)  # fmt: skip
def test_a_claim_that_cannot_be_weighed_is_wrong_usage(said: Said, claims: tuple[str, ...], message: str) -> None:
    assert said("what-if", "--period", "2026-10", *claims) == 2
    assert message in said.err
    assert said.out == ""


def test_a_period_outside_every_version_is_refused(said: Said) -> None:
    assert said("what-if", "--period", "2031-10", "--accept", "1") == 3
    assert "No version of contract PROEF governs this period" in said.err


# -- budget ------------------------------------------------------------------------------------------------------------


def test_each_clause_shows_the_budget_of_its_own_running_period(said: Said) -> None:
    assert said("budget", "--as-of", "2026-10-16T00:00:00+02:00", "--json") == 1
    month, quarter, rolling = said.json
    # A thousandth of 745 hours; a hundredth of the quarter's 2 209; half of the seven days that end on the sixteenth.
    assert [month["allowed_minutes"], month["spent_minutes"], month["left_minutes"]] == ["44.70", "120.00", "-75.30"]
    assert quarter["allowed_minutes"] == "1325.40"
    assert rolling["allowed_minutes"] == "5040.00"
    assert month["next_step"]["amount_eur"] == "300.00"
    assert month["gone"] == "2026-10-05T10:44:42+02:00"


def test_a_budget_from_files_needs_no_store(said: Said) -> None:
    assert said("budget", "--period", "2026-10", *IN_FILES) == 1
    assert said.err.startswith("- B1: 44 min 42 s uitval toegelaten, 2 u gebruikt, 1 u 15 min 18 s te veel.")


def test_files_have_no_today(said: Said) -> None:
    assert said("budget", *IN_FILES) == 2
    assert "say which --period" in said.err


def test_a_day_that_no_version_governs_has_no_budget(said: Said) -> None:
    assert said("budget", "--as-of", "2031-10-16T00:00:00Z") == 3
    assert "No version of contract PROEF governs 2031-10-16." in said.err


def test_a_budget_that_is_not_overspent_is_fine(said: Said, tmp_path: Path) -> None:
    loose = tmp_path / "ruim.toml"
    loose.write_text(CONTRACT.replace('target = "0.999"', 'target = "0.9"'), encoding="utf-8")
    files = ("--contract", str(loose), "--measurements", "metingen.jsonl")
    assert said("budget", "--period", "2026-10", *files, "--lang", "en") == 0
    assert "B1: 74 h 30 min of downtime allowed, 2 h spent, 72 h 30 min left." in said.err
