"""Announced maintenance puts an escalation off; what outlasts it goes on to the next tier, and nobody loses his end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor import acknowledging
from monitor.store import ledger
from monitor.store.database import Database
from sla.ledger import Entry
from tests.heart import INDIENEN, MINUTE, OPS, Office, at

CHIEF = OPS.model_copy(update={"address": "chef@example.be", "after": 30 * MINUTE})
DIRECTOR = OPS.model_copy(update={"address": "directie@example.be", "after": 120 * MINUTE})


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    database = Database.open(f"sqlite:///{tmp_path / 'loketwacht.db'}", durable=False)
    yield Office(database=database, recipients=(OPS, CHIEF, DIRECTOR))
    database.close()


def announce(office: Office, start: str, end: str) -> int:
    entry = Entry(kind="maintenance", recorded_us=1, by="Jan", reason="Werken", from_us=at(start), until_us=at(end))
    with office.database.begin() as tx:
        return ledger.append(tx, entry).seq


def told(office: Office) -> list[tuple[str, str]]:
    """The first word of each mail, and the local part of whom it reached."""
    pairs = zip(office.words(), office.accepted, strict=True)
    return [(word, address.partition("@")[0]) for word, addresses in pairs for address in addresses]


def test_no_tier_is_told_while_maintenance_mutes_what_was_told_before_it(office: Office) -> None:
    """Opened at 10:01; the chief's half hour ends within the maintenance, the director's two hours too."""
    announce(office, "10:10", "13:00")
    office.live("x" * 180)
    assert office.now_us == at("13:00")
    assert told(office) == [("STORING", "ops")]


def test_what_outlasts_the_maintenance_goes_to_every_tier_that_is_due_as_soon_as_it_ends(office: Office) -> None:
    announce(office, "10:10", "11:00")
    office.live("x" * 61)
    assert told(office) == [("STORING", "ops"), ("ESCALATIE", "chef")]
    assert office.sent[1].date_us == at("11:00")
    office.live("x" * 61)
    assert [pair for pair in told(office) if pair[1] == "directie"] == [("ESCALATIE", "directie")]
    assert office.sent[-1].date_us == at("12:01")


def test_the_end_of_maintenance_is_not_waited_for_longer_than_until_somebody_looks(office: Office) -> None:
    """A check that runs seldom: what is due goes by the clock."""
    announce(office, "10:10", "11:00")
    office.live("xx")
    office.wait(70)
    assert ("ESCALATIE", "chef") in told(office)
    assert next(
        mail.date_us for mail, word in zip(office.sent, office.words(), strict=True) if word == "ESCALATIE"
    ) == (at("11:00"))


def test_what_broke_within_maintenance_is_told_when_it_ends_and_the_tiers_count_from_then(office: Office) -> None:
    announce(office, "09:00", "11:00")
    office.live("x" * 90)
    assert told(office) == [("STORING", "ops")]
    assert office.sent[0].date_us == at("11:00")
    office.live("x")
    assert told(office)[1:] == [("ESCALATIE", "chef")]
    assert office.sent[1].date_us == at("11:30")


def test_whom_it_was_escalated_to_before_hears_of_the_end_within_the_maintenance(office: Office) -> None:
    """Nobody who was told waits for an end that came; whoever was not told yet hears of neither."""
    announce(office, "10:40", "14:00")
    office.live("x" * 150 + "..")
    assert sorted(told(office)) == [
        ("ESCALATIE", "chef"),
        ("HERSTELD", "chef"),
        ("HERSTELD", "ops"),
        ("STORING", "ops"),
    ]


def test_an_outage_that_ended_within_the_maintenance_escalates_no_more_after_it(office: Office) -> None:
    announce(office, "10:10", "11:00")
    office.live("x" * 40 + "." * 60)
    office.wait(60)
    assert told(office) == [("STORING", "ops"), ("HERSTELD", "ops")]


def test_maintenance_that_is_cancelled_while_it_lasts_escalates_at_once(office: Office) -> None:
    seq = announce(office, "10:10", "14:00")
    office.live("x" * 50)
    assert told(office) == [("STORING", "ops")]
    cancelled = Entry(
        kind="maintenance-cancelled", recorded_us=office.now_us, by="Jan", reason="Uitgesteld", supersedes=seq
    )
    with office.database.begin() as tx:
        ledger.append(tx, cancelled)
    office.live("x")
    assert told(office)[1:] == [("ESCALATIE", "chef")]


def test_whoever_said_within_the_maintenance_to_be_on_it_stops_the_escalation_after_it(office: Office) -> None:
    announce(office, "10:10", "11:00")
    office.live("x" * 20)
    with office.database.begin() as tx:
        acknowledging.acknowledge(tx, office.open_incidents()[0], by="Ann", now_us=office.now_us)
    office.live("x" * 120)
    assert told(office) == [("STORING", "ops")]


def test_a_tier_whose_mail_waits_for_a_server_when_maintenance_begins_keeps_its_mail_and_its_end(
    office: Office,
) -> None:
    """What was queued before is not taken back; the end follows it."""
    announce(office, "10:32", "14:00")
    office.codes = {CHIEF.address: 0}
    office.live("x" * 35)
    assert told(office) == [("STORING", "ops")]
    office.codes = {}
    office.live("x" * 15 + "..")
    assert [word for word, who in told(office) if who == "chef"] == ["ESCALATIE", "HERSTELD"]


@pytest.mark.parametrize("around", [("09:00", "11:00"), ("10:10", "11:00")], ids=["broke within", "broke before"])
def test_a_restart_within_the_maintenance_changes_nothing_of_it(office: Office, around: tuple[str, str]) -> None:
    """Everything is decided from the store: another process tells the same at the same time."""
    announce(office, *around)
    office.live("x" * 30)
    again = Office(database=office.database, now_us=office.now_us, recipients=office.recipients)
    again.live("x" * 61, INDIENEN)
    escalated = [mail.date_us for mail, word in zip(again.sent, again.words(), strict=True) if word == "ESCALATIE"]
    assert escalated == [at("11:30") if around[0] == "09:00" else at("11:00")]
