"""Who follows only a journey hears of the outage that takes it along: nothing is told of the journey itself meanwhile.

The login, a file behind it, and a payment behind that, as in `test_dependencies`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor import acknowledging
from monitor.attached import dependants
from monitor.hours import HoursSettings, named_hours
from monitor.incidents import IncidentRule
from monitor.recipients import Recipient
from monitor.severity import Severity
from monitor.store import ledger
from probes.checks import Check, Title
from probes.sample import Failure, FailureKind
from sla.ledger import Entry
from tests.heart import INDIENEN, INZAGE, MINUTE, OPS, Office, at, runs
from tests.new_store import new_store

LOGIN = INDIENEN.model_copy(update={"id": "aanmelden", "title": Title(nl="Aanmelden", en="Log in")})
FILE = INZAGE.model_copy(update={"depends_on": ("aanmelden",)})
PAY = INDIENEN.model_copy(update={"depends_on": ("inzage",)})
ALL = (LOGIN, FILE, PAY)

FILES = Recipient(address="dossiers@example.be", checks=("inzage",))
PAYMENTS = Recipient(address="betalen@example.be", checks=("indienen",))
HOURS = named_hours(
    {
        "kantoor": HoursSettings.model_validate({"weekly": ["mon-fri 08:00-18:00"]}),
        "wacht": HoursSettings(outside="kantoor"),
    },
    "Europe/Brussels",
)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    database = new_store(tmp_path / "store.db")
    yield Office(database=database, checks=ALL, recipients=(OPS, FILES, PAYMENTS), hours=HOURS)
    database.close()


def looks(office: Office, clock_time: str) -> None:
    """What is due by the clock is told and delivered."""
    office.now_us = at(clock_time)
    office.wait(1, *ALL)


def told(office: Office, who: Recipient) -> list[str]:
    """First word and title of each mail that reached somebody."""
    return [
        f"{word} {mail.subject.partition(': ')[2].partition(' - ')[0]}"
        for word, mail, reached in zip(office.words(), office.sent, office.accepted, strict=True)
        if who.address in reached
    ]


def test_who_follows_a_journey_alone_hears_of_the_outage_that_takes_it_along_and_of_its_end(office: Office) -> None:
    runs(office, FILE, "x", "10:00")
    runs(office, LOGIN, "X", "10:00:30")
    for clock_time in ("10:01:30", "10:02:30"):
        runs(office, LOGIN, ".", clock_time)
    assert told(office, FILES) == ["STORING Aanmelden", "HERSTELD Aanmelden"]
    assert "Daardoor ook: Dossier inzien" in office.sent[0].text
    assert office.accepted[0] == ("dossiers@example.be", "ops@example.be")  # one mail, as always
    assert told(office, PAYMENTS) == []


def test_what_fails_later_brings_its_readers_into_the_thread_and_names_their_journey(office: Office) -> None:
    runs(office, LOGIN, "X", "10:00")
    assert told(office, FILES) == []
    runs(office, FILE, "X", "10:00:30")
    looks(office, "10:00:40")
    assert told(office, FILES) == ["STORING Aanmelden"]
    opening, later = office.sent
    assert "Daardoor werkt ook niet wat u volgt: Dossier inzien." in later.text
    assert later.in_reply_to == opening.message_id
    for clock_time in ("10:01", "10:02"):
        runs(office, LOGIN, ".", clock_time)
    assert told(office, FILES) == ["STORING Aanmelden", "HERSTELD Aanmelden"]
    assert told(office, OPS) == ["STORING Aanmelden", "HERSTELD Aanmelden"]


def test_each_reader_reads_of_what_they_follow_themselves(office: Office) -> None:
    both = FILES.model_copy(update={"address": "beide@example.be", "checks": ("indienen", "inzage")})
    office.recipients = (OPS, FILES, PAYMENTS, both)
    runs(office, LOGIN, "X", "10:00")
    runs(office, FILE, "X", "10:00:20")
    runs(office, PAY, "X", "10:00:30")
    looks(office, "10:00:40")
    texts = {reached: mail.text for reached, mail in zip(office.accepted[1:], office.sent[1:], strict=True)}
    assert "wat u volgt: Dossier inzien." in texts["dossiers@example.be",]
    assert "wat u volgt: Aanvraag indienen." in texts["betalen@example.be",]
    assert "wat u volgt: Dossier inzien, Aanvraag indienen." in texts["beide@example.be",]
    looks(office, "10:00:50")
    assert len(office.sent) == 4


def test_where_nobody_follows_the_cause_itself_those_behind_it_hear_of_it(office: Office) -> None:
    office.recipients = (FILES,)
    runs(office, LOGIN, "X", "10:00")
    assert office.sent == []
    runs(office, FILE, "X", "10:00:30")
    looks(office, "10:00:40")
    for clock_time in ("10:01", "10:02"):
        runs(office, LOGIN, ".", clock_time)
    assert told(office, FILES) == ["STORING Aanmelden", "HERSTELD Aanmelden"]


def test_who_follows_both_hears_of_it_once(office: Office) -> None:
    both = FILES.model_copy(update={"checks": ("inzage", "aanmelden")})
    office.recipients = (both, both.model_copy(update={"checks": ("inzage",)}))
    runs(office, LOGIN, "X", "10:00")
    runs(office, FILE, "X", "10:00:30")
    looks(office, "10:00:40")
    assert told(office, both) == ["STORING Aanmelden"]


def test_reminders_and_that_it_got_worse_reach_them_also_when_their_journey_works_again(office: Office) -> None:
    office.rule = IncidentRule(open_after=2, close_after=2, severities={"*/timeout": Severity.MINOR})
    slow = Failure(kind=FailureKind.TIMEOUT, step="verzenden", subject="total", expected="20 s", found="none")
    runs(office, LOGIN, "X", "10:00", failure=slow)
    runs(office, FILE, "X", "10:00:30")
    looks(office, "10:00:40")
    for clock_time in ("10:01", "10:02"):
        runs(office, FILE, ".", clock_time)
    runs(office, LOGIN, "x", "10:03")
    assert told(office, FILES) == ["STORING Aanmelden", "ERNSTIGER Aanmelden"]
    looks(office, "11:01")
    assert told(office, FILES)[2:] == ["HERINNERING Aanmelden"]


def test_it_is_escalated_to_their_tier_unless_somebody_is_on_it(office: Office) -> None:
    chief = FILES.model_copy(update={"address": "chef@example.be", "after": 30 * MINUTE})
    office.recipients = (OPS, chief)
    runs(office, LOGIN, "X", "10:00")
    runs(office, FILE, "X", "10:00:30")
    looks(office, "10:29")
    assert told(office, chief) == []
    looks(office, "10:31")
    assert told(office, chief) == ["ESCALATIE Aanmelden"]


def test_whoever_is_on_it_spares_their_tier(office: Office) -> None:
    chief = FILES.model_copy(update={"address": "chef@example.be", "after": 30 * MINUTE})
    office.recipients = (OPS, chief)
    runs(office, LOGIN, "X", "10:00")
    runs(office, FILE, "X", "10:00:30")
    with office.database.begin() as tx:
        acknowledging.acknowledge(tx, "aanmelden-20261123T100000Z", by="Ann", now_us=office.now_us)
    looks(office, "10:31")
    assert told(office, chief) == []


def test_off_duty_they_hear_of_it_when_duty_begins(office: Office) -> None:
    """Duty begins at 18:00 in Brussels."""
    night = FILES.model_copy(update={"duty": "wacht"})
    office.recipients = (OPS, night)
    runs(office, LOGIN, "X", "16:50")
    runs(office, FILE, "X", "16:50:30")
    looks(office, "16:59")
    assert told(office, night) == []
    looks(office, "17:00")
    assert told(office, night) == ["STORING Aanmelden"]


def test_what_outlasts_the_cause_is_told_to_them_by_itself(office: Office) -> None:
    runs(office, LOGIN, "X", "10:00")
    runs(office, FILE, "X", "10:00:30")
    looks(office, "10:00:40")
    for clock_time in ("10:01", "10:02"):
        runs(office, LOGIN, ".", clock_time)
    runs(office, FILE, "X", "10:02:30")
    assert told(office, FILES) == ["STORING Aanmelden", "HERSTELD Aanmelden", "STORING Dossier inzien"]


def test_maintenance_of_their_journey_leaves_them_in_peace(office: Office) -> None:
    entry = Entry(
        kind="maintenance",
        recorded_us=1,
        by="a",
        reason="b",
        from_us=at("09:00"),
        until_us=at("10:30"),
        scope=("inzage",),
    )
    with office.database.begin() as tx:
        ledger.append(tx, entry)
    runs(office, LOGIN, "X", "10:00")
    runs(office, FILE, "X", "10:00:30")
    looks(office, "10:05")
    assert (told(office, FILES), told(office, OPS)) == ([], ["STORING Aanmelden"])


@pytest.mark.parametrize(
    "checks",
    [
        (LOGIN.model_copy(update={"depends_on": ("inzage",)}), FILE),
        (LOGIN, FILE.model_copy(update={"shadow": True})),
        (LOGIN, INZAGE),
    ],
    ids=["they depend on each other", "it is in shadow", "it does not depend on it"],
)
def test_what_the_cause_does_not_explain_brings_nobody_into_its_thread(
    office: Office, checks: tuple[Check, ...]
) -> None:
    office.checks = checks
    runs(office, checks[0], "X", "10:00")
    if not checks[1].shadow:
        runs(office, checks[1], "X", "10:00:30")
    looks(office, "10:00:40")
    assert "STORING Aanmelden" not in told(office, FILES)
    assert dependants(checks).explained("aanmelden") == ()


def test_a_journey_that_is_merely_slow_brings_nobody_into_it(office: Office) -> None:
    office.rule = IncidentRule(open_after=2, close_after=2, degraded_after=1)
    runs(office, FILE, "~", "09:59")
    sent = told(office, FILES)
    runs(office, LOGIN, "X", "10:00")
    looks(office, "10:00:40")
    assert told(office, FILES) == sent


def test_a_cause_that_flaps_is_told_to_them_as_flapping_once_and_when_it_is_steady(office: Office) -> None:
    office.rule = IncidentRule(open_after=1, close_after=1, flapping_after=2, flapping_within="1h", steady_after="10m")
    for minute in range(6):
        runs(office, LOGIN, "x."[minute % 2], f"10:0{minute}")
    assert told(office, OPS)[-1] == "WISSELEND Aanmelden"
    assert told(office, FILES) == []
    runs(office, LOGIN, "x", "10:06")
    runs(office, FILE, "x", "10:06:20")
    looks(office, "10:06:30")
    assert told(office, FILES) == ["WISSELEND Aanmelden"]
    assert "Daardoor werkt ook niet wat u volgt: Dossier inzien." in office.sent[-1].text
    looks(office, "10:06:40")
    assert len(told(office, FILES)) == 1
