"""The monitor's own trouble is brought up again, by the wall clock, until it is over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor import acknowledging
from monitor.incidents import IncidentRule
from monitor.recipients import Recipient
from monitor.store.database import Database
from tests.heart import MINUTE, OPS, Office

OTHERS = Recipient(address="storingen@example.be", receives=("incidents",))


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    database = Database.open(f"sqlite:///{tmp_path / 'store.db'}", durable=False)
    yield Office(database=database, recipients=(OPS, OTHERS), rule=IncidentRule(unknown_after=2))
    database.close()


def subjects(office: Office) -> list[str]:
    return [subject.partition(": ")[2].partition(" - ")[0] for subject in office.subjects]


def test_what_stands_still_is_brought_up_after_one_hour_and_four_and_then_daily(office: Office) -> None:
    office.live("??")
    office.wait(59)
    assert subjects(office) == ["kan niet meten"]
    office.wait(2)
    assert subjects(office)[1:] == ["kan nog altijd niet meten"]
    office.wait(180)
    assert len(office.sent) == 3
    office.wait(24 * 60 + 10, every=10)
    assert len(office.sent) == 4
    assert {reached for mail in office.accepted for reached in mail} == {"ops@example.be"}


def test_it_lies_in_the_thread_of_the_first_and_names_what_cannot_be_measured(office: Office) -> None:
    office.live("??")
    office.wait(62)
    first, reminder = office.sent
    assert reminder.in_reply_to == first.message_id
    assert "Niet te meten: Aanvraag indienen" in reminder.text
    assert "Herinnering: 1" in reminder.text


def test_when_it_is_over_that_is_told_and_nothing_more(office: Office) -> None:
    office.live("??")
    office.wait(62)
    office.live(".")
    office.wait(600, every=10)
    assert subjects(office) == ["kan niet meten", "kan nog altijd niet meten", "meet weer alles"]


def test_whoever_is_on_it_silences_the_reminders_and_hears_of_the_end(office: Office) -> None:
    office.live("??")
    with office.database.begin() as tx:
        acknowledging.acknowledge(tx, office.open_incidents()[0], by="Ann", now_us=office.now_us)
    office.wait(300, every=10)
    office.live(".")
    assert subjects(office) == ["kan niet meten", "meet weer alles"]


def test_while_the_first_has_reached_nobody_no_reminder_piles_up_behind_it(office: Office) -> None:
    office.down = True
    office.live("??")
    office.wait(300, every=10)
    assert len(office.queue()) == 1


def test_a_restart_repeats_none(office: Office) -> None:
    office.live("??")
    office.wait(62)
    office.database.close()
    office.database = Database.open(office.database.url, durable=False)
    office.now_us += MINUTE
    office.wait(30)
    assert len(office.sent) == 2
