"""The reckoning of `make faults` finds what it is there to find, or its zeros would say nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from monitor.assessing import note_intervals
from monitor.recipients import Recipient
from monitor.schedule import grid, next_slot
from monitor.store import events
from monitor.store.events import Event
from tests.faults.reckoning import Evidence, reckon
from tests.faults.scene import READERS, Life, contract_text
from tests.faults.world import Arrived, Served
from tests.heart import INDIENEN, MINUTE, Office, at
from tests.new_store import new_store

SLOTS = 6


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """Six slots, of which one was told as missed and two failed; every reader has heard of both ends of it."""
    (tmp_path / "contract.toml").write_text(contract_text(["indienen"]), encoding="utf-8")
    database = new_store(tmp_path / "store.db")
    office = Office(database=database, recipients=tuple(Recipient(address=reader) for reader in READERS))
    office.now_us = start_us = next_slot(grid("indienen", MINUTE), at("10:00"))
    with database.begin() as tx:
        note_intervals(tx, [INDIENEN], start_us)
        data = {"from_us": start_us + MINUTE, "until_us": start_us + 2 * MINUTE, "count": 1, "cause": "busy"}
        events.add(tx, Event(at_us=start_us, kind="missed-slots", check_id="indienen", data=data))
    office.live(". XX..")
    return office


def seen(office: Office) -> Evidence:
    """What an honest witness beside that office saw."""
    start_us = next_slot(grid("indienen", MINUTE), at("10:00"))
    slots = [start_us + number * MINUTE for number in range(SLOTS) if number != 1]
    return Evidence(
        location="lokaal",
        seen={("indienen", slot): f"run-{slot}" for slot in slots},
        served=[Served(f"run-{slot}", "indienen", slot, well=True) for slot in slots],
        arrived=[
            Arrived(f"<{mail.message_id}>", reader, mail.subject, 0)
            for mail, readers in zip(office.sent, office.accepted, strict=True)
            for reader in readers
        ],
        outages={"indienen"},
        lives=[Life(start_us, start_us + 10 * MINUTE, start_us + 10 * MINUTE, killed=False)],
    )


def reckoned(office: Office, tmp_path: Path, evidence: Evidence) -> dict[str, int]:
    found = reckon(tmp_path / "store.db", tmp_path / "contract.toml", evidence)
    parts = {
        "lost": found.lost,
        "mails lost": found.mails_lost,
        "doubled": found.mails_doubled,
        "slots": found.slots,
        "others": found.others,
    }
    return {name: len(wrong) for name, wrong in parts.items() if wrong}


def test_where_all_is_well_nothing_is_found(office: Office, tmp_path: Path) -> None:
    assert reckoned(office, tmp_path, seen(office)) == {}


def test_a_sample_that_was_there_and_is_not_is_found(office: Office, tmp_path: Path) -> None:
    honest = seen(office)
    more = {**honest.seen, ("indienen", at("12:00")): "run-gone"}
    assert reckoned(office, tmp_path, replace(honest, seen=more)) == {"lost": 1}


def test_a_sample_that_became_another_is_found(office: Office, tmp_path: Path) -> None:
    honest = seen(office)
    assert reckoned(office, tmp_path, replace(honest, seen=dict.fromkeys(honest.seen, "run-other"))) == {"lost": 5}


def test_a_visit_that_left_no_sample_is_found_but_for_what_the_end_cut_off(office: Office, tmp_path: Path) -> None:
    honest = seen(office)
    [life] = honest.lives
    early = Served("run-x", "indienen", life.asked_us - 10_000_000, well=True)
    late = Served("run-y", "indienen", life.asked_us - 1_000_000, well=True)
    assert reckoned(office, tmp_path, replace(honest, served=[*honest.served, early])) == {"lost": 1}
    assert reckoned(office, tmp_path, replace(honest, served=[*honest.served, late])) == {}


def test_a_slot_that_nobody_accounts_for_is_found_and_one_that_two_do(office: Office, tmp_path: Path) -> None:
    start_us = next_slot(grid("indienen", MINUTE), at("10:00"))
    data = {"from_us": start_us, "until_us": start_us + 2 * MINUTE, "count": 2, "cause": "late"}
    with office.database.begin() as tx:
        events.add(tx, Event(at_us=start_us, kind="missed-slots", check_id="indienen", data=data))
    assert reckoned(office, tmp_path, seen(office)) == {"slots": 2}  # measured and told; told twice
    office.live(" .")
    assert reckoned(office, tmp_path, seen(office)) == {"slots": 3}  # and one with nothing at all


def test_a_mail_that_never_came_is_found_and_one_that_came_twice(office: Office, tmp_path: Path) -> None:
    honest = seen(office)
    assert len(honest.arrived) == 6
    assert reckoned(office, tmp_path, replace(honest, arrived=honest.arrived[1:])) == {"mails lost": 1}
    assert reckoned(office, tmp_path, replace(honest, arrived=[*honest.arrived, honest.arrived[0]])) == {"doubled": 1}


def test_an_outage_without_incident_is_found_and_an_incident_without_outage(office: Office, tmp_path: Path) -> None:
    honest = seen(office)
    assert reckoned(office, tmp_path, replace(honest, outages={"indienen", "inzage"})) == {"mails lost": 1}
    assert reckoned(office, tmp_path, replace(honest, outages=set())) == {"others": 1}


def test_a_mail_the_server_refused_for_good_is_lost_where_nothing_on_record_says_so(
    office: Office, tmp_path: Path
) -> None:
    honest = seen(office)
    refused, *others = honest.arrived
    evidence = replace(honest, arrived=others, refuses=True)
    assert reckoned(office, tmp_path, evidence) == {"mails lost": 1}
    data = {"mail": refused.message_id.strip("<>").partition("@")[0], "to": refused.recipient, "answer": "554 no"}
    with office.database.begin() as tx:
        events.add(tx, Event(at_us=at("10:05"), kind="mail-refused", data=data))
    assert reckoned(office, tmp_path, evidence) == {}
    assert reckoned(office, tmp_path, replace(evidence, refuses=False)) == {"mails lost": 1}


def test_visits_after_the_disk_failed_need_no_sample_where_they_are_told_as_missed(
    office: Office, tmp_path: Path
) -> None:
    honest = seen(office)
    [life] = honest.lives
    visit = Served("run-x", "indienen", life.asked_us - 10_000_000, well=True)
    failed = replace(life, kept_until_us=visit.at_us - 1)
    assert reckoned(office, tmp_path, replace(honest, served=[*honest.served, visit])) == {"lost": 1}
    assert reckoned(office, tmp_path, replace(honest, served=[*honest.served, visit], lives=[failed])) == {}


def test_around_the_turn_of_a_month_the_identity_holds_over_both(office: Office, tmp_path: Path) -> None:
    """The clause is assessed for each month by itself, and each speaks only of its own part."""
    office.now_us += 7 * 24 * 60 * MINUTE  # to the last of November
    with office.database.begin() as tx:
        data = {"from_us": next_slot(grid("indienen", MINUTE), at("10:06")), "until_us": office.now_us, "cause": "off"}
        events.add(tx, Event(at_us=office.now_us, kind="missed-slots", check_id="indienen", data=data))
    office.live(".")
    assert reckoned(office, tmp_path, seen(office)) == {}


def test_a_visit_that_failed_has_a_sample_or_its_rerun_has_one(office: Office, tmp_path: Path) -> None:
    honest = seen(office)
    slot_us = max(slot for _, slot in honest.seen)
    kept = f"run-{slot_us}"
    first = Served("run-first", "indienen", slot_us - 1, well=False)  # its re-run is the sample of that slot
    assert reckoned(office, tmp_path, replace(honest, served=[*honest.served, first])) == {}
    gone = [Served(name, "indienen", slot_us + 1 + at, well=False) for at, name in enumerate(("run-x", "run-y"))]
    assert kept in {visit.run_id for visit in honest.served}
    assert reckoned(office, tmp_path, replace(honest, served=[*honest.served, *gone])) == {"lost": 2}


def test_what_is_well_and_was_missed_or_began_late_is_found_where_all_is_to_be_on_time(
    office: Office, tmp_path: Path
) -> None:
    honest = replace(seen(office), outages=set())
    # One slot in six was told as missed; samples began a millisecond after they were due.
    assert reckoned(office, tmp_path, replace(honest, late_us=1_000)) == {"others": 1}
    assert reckoned(office, tmp_path, replace(honest, late_us=999)) == {"others": 2}
    start_us = next_slot(grid("indienen", MINUTE), at("10:00"))
    data = {"from_us": start_us - MINUTE, "until_us": start_us, "count": 1, "cause": "busy"}
    with office.database.begin() as tx:
        events.add(tx, Event(at_us=start_us, kind="missed-slots", check_id="indienen", data=data))
    assert reckoned(office, tmp_path, replace(honest, late_us=1_000)) == {"others": 2}
    # A journey that was broken is not asked to be on time.
    assert reckoned(office, tmp_path, replace(seen(office), late_us=999)) == {}
