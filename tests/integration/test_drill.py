"""The daily drill goes the whole way of an alarm; what breaks on that way is found by it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.clock import LIVE
from monitor.config import load
from monitor.delivery import Bell
from monitor.drill import Drill, Held, is_due, last_passed_us
from monitor.incidents import DRILL, IncidentRule
from monitor.outward_settings import DrillSettings
from monitor.store import events, ledger
from monitor.store.database import directly
from monitor.toml_file import ConfigError
from probes.checks import Portal
from probes.setup import Setup
from sla.ledger import Entry
from tests.heart import DAY, HOUR, MINUTE, SECOND, Office, at, run
from tests.new_store import new_store
from tests.running_service import a_place, running, until

TABLE = '[drill]\naddress = "oefening@oefenloket.example"\nat = "00:00"'
SETTINGS = DrillSettings.model_validate({"address": "oefening@example.be", "within": "1s"})


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    database = new_store(tmp_path / "loketwacht.db")
    yield Office(database=database)
    database.close()


def hold(office: Office, rule: IncidentRule | None = None) -> Held:
    portal = Portal(name="Loket", base_url="https://loket.example", contact="https://bestuur.example")
    setup = Setup(portal=portal, now_us=LIVE.now_us, monotonic_us=LIVE.monotonic_us, new_id=LIVE.new_id)

    async def together() -> Held:
        bell = Bell()
        drill = Drill(database=office.database, in_store=directly, clock=LIVE, wake=bell.set)
        delivering = asyncio.create_task(replace(office.delivery, clock=LIVE).run(bell.event()))
        try:
            return await drill.hold(SETTINGS, setup=setup, rule=rule or IncidentRule(), location="lokaal")
        finally:
            delivering.cancel()

    return run(together())


def last_drill(office: Office) -> events.Event:
    with office.database.read() as tx:
        found = events.last(tx, "drill")
    assert found is not None
    return found


def test_the_service_holds_one_and_both_mails_come_in(tmp_path: Path) -> None:
    place = a_place(tmp_path, journeys=("startpagina",), more=TABLE)
    with running(place, "--practice") as service:
        until(lambda: service.series("monitor_drills_total")["passed"] == 1, seconds=120, what="the drill passes")
        mails = service.mails("", "Oefening van Loketwacht")
        assert ["STORING" in mail["subject"] for mail in mails] == [True, False]
        assert ["HERSTELD" in mail["subject"] for mail in mails] == [False, True]
        assert service.series("monitor_drill_last_success_timestamp_seconds")[""] > 0
        assert DRILL not in service.series("journey_incident_open")
        assert "Oefening van Loketwacht" not in service.page()


def test_a_drill_that_passed_says_how_long_it_took(office: Office) -> None:
    held = hold(office)
    assert held.problem == ""
    assert 0 < held.mailed_us < 60 * SECOND
    assert last_drill(office).data == {
        "problem": "",
        "mailed_us": held.mailed_us,
        "recovered_us": held.recovered_us,
    }
    assert office.words() == ["STORING", "HERSTELD"]
    assert office.open_incidents() == []


def test_maintenance_of_the_portal_does_not_mute_the_drill(office: Office) -> None:
    now_us = LIVE.now_us()
    works = Entry(
        kind="maintenance", recorded_us=now_us, by="a", reason="b", from_us=now_us - HOUR, until_us=now_us + HOUR
    )
    with office.database.begin() as tx:
        ledger.append(tx, works)
    assert hold(office).problem == ""


def test_a_mail_server_that_is_away_is_found_by_the_drill(office: Office) -> None:
    office.down = True
    assert hold(office).problem == "the mail about the fault was not taken within 1 s"
    with office.database.read() as tx:
        assert last_passed_us(tx) is None


def test_a_mailbox_that_is_gone_is_found_by_the_drill(office: Office) -> None:
    office.codes = {"oefening@example.be": 550}
    assert hold(office).problem == "the mail about the fault was refused"


def test_what_an_earlier_drill_left_open_is_closed_first(office: Office) -> None:
    office.down = True
    hold(office)
    assert len(office.open_incidents()) == 1
    office.down = False
    assert hold(office, IncidentRule(open_after=3, close_after=3)).problem == ""
    assert office.open_incidents() == []


@pytest.mark.parametrize(
    ("now", "last_us", "tried_us", "due"),
    [
        ("04:00", None, None, False),  # 05:00 in Brussels: not yet half past five
        ("04:30", None, None, True),
        ("04:30", at("04:30") - DAY, None, True),
        ("22:59", at("04:31"), None, False),
        ("06:00", at("04:31") - DAY, at("05:30"), False),
        ("06:30", at("04:31") - DAY, at("05:30"), True),
        ("06:00", None, at("06:00") + HOUR, True),  # the clock was set back
    ],
)
def test_one_a_day_and_after_a_failure_again_in_an_hour(
    now: str, last_us: int | None, tried_us: int | None, due: bool
) -> None:
    assert is_due(SETTINGS, "Europe/Brussels", now_us=at(now), last_us=last_us, tried_us=tried_us) is due


def test_only_what_passed_counts(office: Office) -> None:
    with office.database.begin() as tx:
        for held in (Held(at_us=at("10:00")), Held(at_us=at("10:00") + MINUTE, problem="no mail")):
            events.add(tx, held.event)
    with office.database.read() as tx:
        assert last_passed_us(tx) == at("10:00")


@pytest.mark.parametrize("keys", ['address = "geen adres"', 'address = "a@b.be"\nat = "25:00"'])
def test_nonsense_is_refused(keys: str, tmp_path: Path) -> None:
    place = a_place(tmp_path, journeys=("startpagina",), more=f"[drill]\n{keys}")
    with pytest.raises(ConfigError):
        load(place.config)
