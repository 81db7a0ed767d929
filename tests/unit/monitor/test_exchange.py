"""Ledger entries and samples taken in from files, whole or not at all, and given out the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from monitor.assessing import intervals
from monitor.exchange import ExchangeRefusedError, import_ledger, ledger_lines, samples_lines
from monitor.store import ledger, samples
from monitor.store.database import Database
from sla.assessment import Span
from sla.interchange import read_ledger
from sla.ledger import first_broken
from tests.agreements import HOUR, MINUTE, at
from tests.imported import JOURNEYS, SAMPLE, lines, take_samples
from tests.new_store import new_store
from tests.stored_month import IN_NOVEMBER, OCTOBER, fill

RELEASE = {"kind": "release", "recorded_at": "2026-10-01T08:00:00Z", "by": "An", "reason": "nieuw", "version": "2"}
CLAIM = {
    "kind": "exclusion-claimed",
    "recorded_at": "2026-10-06T08:00:00Z",
    "by": "Voorbeeld NV",
    "reason": "storm",
    "from": "2026-10-05T08:00:00Z",
    "to": "2026-10-05T09:00:00Z",
    "ground": "force-majeure",
    "scope": ["indienen"],
}
ACCEPTED = CLAIM | {"kind": "exclusion-accepted", "by": "An", "supersedes": 2}


def take_ledger(database: Database, *records: dict[str, Any]) -> list[int]:
    with database.begin() as tx:
        read = read_ledger(lines(*records), "f.jsonl")
        taken = import_ledger(tx, read, "f.jsonl", now_us=IN_NOVEMBER, journeys=JOURNEYS)
    return [sealed.seq for sealed in taken]


def refused(take: Callable[..., object], database: Database, *records: dict[str, Any]) -> list[str]:
    with pytest.raises(ExchangeRefusedError) as caught:
        take(database, *records)
    return [str(problem) for problem in caught.value.problems]


def test_an_imported_entry_is_known_from_now_and_keeps_what_the_file_claims(database: Database) -> None:
    assert take_ledger(database, RELEASE | {"from": "2026-10-02T08:00:00Z"}) == [1]
    with database.read() as tx:
        [sealed] = ledger.read(tx)
    assert sealed.entry.recorded_us == IN_NOVEMBER
    assert sealed.entry.data["claimed_recorded_at"] == "2026-10-01T08:00:00Z"
    assert sealed.entry.data["imported_from"] == "f.jsonl:1"


def test_numbers_count_in_the_file_and_follow_into_the_ledger(database: Database) -> None:
    release = RELEASE | {"from": "2026-10-02T08:00:00Z"}
    take_ledger(database, release)
    assert take_ledger(database, release, CLAIM, ACCEPTED) == [2, 3, 4]
    with database.read() as tx:
        whole = tuple(ledger.read(tx))
    assert whole[3].entry.supersedes == 3
    assert first_broken(whole) is None


def test_a_file_can_answer_an_entry_that_is_in_the_ledger_already(database: Database) -> None:
    take_ledger(database, CLAIM)
    answer = {key: value for key, value in ACCEPTED.items() if key != "supersedes"} | {"supersedes_recorded": 1}
    assert take_ledger(database, answer) == [2]
    assert "corrected already" in refused(take_ledger, database, answer)[0]


def test_one_bad_entry_keeps_the_whole_file_out_and_every_problem_is_named_with_its_line(database: Database) -> None:
    found = refused(
        take_ledger, database, RELEASE | {"from": "2026-10-02T08:00:00Z"}, RELEASE, CLAIM | {"scope": ["nergens"]}
    )
    assert found[0] == "f.jsonl:2: release needs its start (from)"
    assert found[1].startswith('f.jsonl:3: there is no check "nergens"')
    with database.read() as tx:
        assert ledger.head(tx) is None


def test_the_whole_ledger_goes_out_and_is_read_back_with_its_chain(database: Database) -> None:
    take_ledger(database, RELEASE | {"from": "2026-10-02T08:00:00Z"}, CLAIM, ACCEPTED)
    with database.read() as tx:
        whole = tuple(ledger.read(tx))
        read = read_ledger(lines(*ledger_lines(whole)), "out.jsonl")
    assert read.problems == ()
    assert read.entries == whole


def test_an_excerpt_is_numbered_from_one_and_can_be_imported(database: Database, tmp_path: Path) -> None:
    take_ledger(database, RELEASE | {"from": "2026-08-02T08:00:00Z"}, CLAIM, ACCEPTED)
    with database.read() as tx:
        found = list(ledger_lines(ledger.read(tx), OCTOBER))
    assert [(one["seq"], one.get("supersedes")) for one in found] == [(2, None), (3, 1)]
    fresh = new_store(tmp_path / "other.db")
    assert take_ledger(fresh, *found) == [1, 2]
    fresh.close()


def test_samples_go_out_and_come_in_the_same(database: Database, tmp_path: Path) -> None:
    fill(database, marks={"2026-10-05 10:00": "X", "2026-10-06 10:00": "?", "2026-10-07 10:00": "~"})
    with database.read() as tx:
        out = list(samples_lines(tx, ["indienen"], (), OCTOBER))
    fresh = new_store(tmp_path / "other.db")
    assert take_samples(fresh, *out) == (745, 0)
    assert take_samples(fresh, *out) == (0, 745)
    with fresh.read() as tx:
        assert list(samples_lines(tx, ["indienen"], (), OCTOBER)) == out
    fresh.close()


def test_steps_come_in_too(database: Database) -> None:
    take_samples(database, SAMPLE | {"steps_ms": {"verzenden": 400}})
    with database.read() as tx:
        [out] = samples_lines(tx, ["indienen"], {("indienen", "verzenden")}, Span(start_us=0, end_us=IN_NOVEMBER))
    assert out["steps_ms"] == {"verzenden": 400}


def test_another_pace_in_the_past_holds_for_its_own_time_only(database: Database) -> None:
    fill(database, without=[("2026-10-05 10:00", "2026-10-05 11:00")])
    take_samples(database, SAMPLE | {"due": "2026-10-05T08:00:00Z"}, SAMPLE | {"due": "2026-10-05T08:01:00Z"})
    with database.read() as tx:
        known = intervals(tx, IN_NOVEMBER)
    assert known.at("indienen", at("2026-10-05 09:00")) == HOUR
    assert known.at("indienen", at("2026-10-05 10:01")) == MINUTE
    assert known.at("indienen", at("2026-10-05 11:00")) == HOUR


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"due": "2026-10-05T08:00:00Z"}, "has another sample already"),
        ({"journey": "nergens"}, 'there is no check "nergens"'),
        ({"due": "2027-01-01T00:00:00Z"}, "still to come"),
        ({"outcome": "down", "failure": "gremlins"}, '"failure" is "gremlins"'),
        ({"outcome": "down"}, 'of a sample that is down write one of'),
        ({"failure": "dns"}, "but the outcome is up"),
        ({"duration_ms": None}, 'needs "duration_ms"'),
    ],
)  # fmt: skip
def test_a_sample_that_cannot_be_stored_keeps_the_whole_file_out(
    database: Database, change: dict[str, Any], said: str
) -> None:
    fill(database)
    [found] = refused(take_samples, database, SAMPLE, SAMPLE | {"due": "2026-11-01T00:01:00Z"} | change)
    assert found.startswith("f.jsonl:")
    assert said in found
    with database.read() as tx:
        assert samples.number_between(tx, "indienen", "lokaal", OCTOBER.end_us, IN_NOVEMBER) == 0
