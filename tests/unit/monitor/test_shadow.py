"""A check in shadow is measured, stored and shown; it alarms nobody, and never counts for a contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor import config
from monitor.assessing import assess_stored, intervals, note_intervals, stored_samples
from monitor.pages import Watched
from monitor.reporting import _gaps
from monitor.store import incidents, outbox, samples
from monitor.store.database import Database
from monitor.toml_file import ConfigError
from tests.agreements import at
from tests.heart import INDIENEN, Office
from tests.running_service import a_place
from tests.stored_month import AGREED, HOURLY, OCTOBER, fill, job

SHADOW = INDIENEN.model_copy(update={"shadow": True})


def test_failures_in_shadow_are_stored_and_tell_nobody(database: Database) -> None:
    office = Office(database)
    office.live("XXXX", SHADOW)
    with database.read() as tx:
        assert len(samples.latest(tx, "indienen", "lokaal", limit=9)) == 4
        assert (tuple(incidents.read(tx)), outbox.read(tx)) == ((), ())
    assert office.words() == []


def test_what_was_measured_in_shadow_never_counts_after_its_release(database: Database) -> None:
    """Down until the release on 10 October, up since: nothing is owed."""
    fill(database, marks={f"2026-10-05 {hour:02}:00": "X" for hour in range(24)})
    with database.begin() as tx:
        note_intervals(tx, (HOURLY.model_copy(update={"shadow": True}),), OCTOBER.start_us)
        note_intervals(tx, (HOURLY,), at("2026-10-10 00:00"))
    with database.read() as tx:
        for ready_made in (False, True):
            found = assess_stored(tx, AGREED, OCTOBER, ready_made=ready_made)
            assert (found.outages, found.clauses[0].totals and found.clauses[0].totals.down_us) == ((), 0)
        first = min(one.due_us for one in stored_samples(tx, AGREED, OCTOBER, ()))
        assert first == at("2026-10-10 00:00")


def test_the_report_says_from_when_a_check_counts(database: Database, tmp_path: Path) -> None:
    fill(database)
    with database.begin() as tx:
        note_intervals(tx, (HOURLY.model_copy(update={"shadow": True}),), at("2026-09-20 00:00"))
        note_intervals(tx, (HOURLY.model_copy(update={"shadow": True}),), at("2026-09-21 00:00"))
        note_intervals(tx, (HOURLY,), at("2026-10-10 00:00"))
    with database.read() as tx:
        gaps = [gap for gap in _gaps(tx, job(database, tmp_path), OCTOBER) if gap.cause == "shadow"]
        assert [(gap.start_us, gap.end_us, gap.journeys) for gap in gaps] == [
            (OCTOBER.start_us, at("2026-10-10 00:00"), ("indienen",))
        ]
        assert len(intervals(tx, OCTOBER.end_us).shadows["indienen"]) == 2


def test_the_pages_say_so() -> None:
    watched = Watched(portal="Loket", checks=(SHADOW,), location="lokaal", timezone="Europe/Brussels")
    assert watched.title("indienen", "nl") == "Aanvraag indienen (schaduw: telt nog niet mee)"
    assert watched.title("indienen", "en") == "Submit an application (shadow: does not count yet)"


def test_a_contract_may_not_rest_on_a_journey_in_shadow(tmp_path: Path) -> None:
    place = a_place(tmp_path)
    listed = tmp_path / "journeys.toml"
    text = listed.read_text(encoding="utf-8")
    listed.write_text(text.replace('\nid = "indienen"\n', '\nid = "indienen"\nshadow = true\n', 1), encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        config.load(place.config, environ={})
    assert {problem.what for problem in refused.value.problems} == {
        'journey "indienen" is in shadow, and what is measured in shadow counts for no contract'
    }
