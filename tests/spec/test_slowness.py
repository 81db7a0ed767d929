"""A check that works but stays slow: when that is news, when it is over, and what never makes it news."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from monitor.incidents import HEALTHY, IncidentRule
from monitor.incidents import advance as advance_incident
from monitor.recipients import Recipient
from monitor.slowness import SWIFT, FastAgain, Slowness, advance
from monitor.store import ledger
from monitor.store.database import Database
from sla.ledger import Entry
from tests.heart import HOUR, INDIENEN, MINUTE, OPS, Office, at, samples_of
from tests.new_store import new_store

THREE = IncidentRule(degraded_after=3)
THREE_OF_FOUR = IncidentRule(degraded_after=3, degraded_among=4)


def played(picture: str, rule: IncidentRule = THREE) -> tuple[Slowness, list[FastAgain]]:
    """One sample a minute from ten o'clock, beside the incidents of the same samples."""
    incident, state, ends = HEALTHY, SWIFT, []
    for sample in samples_of(picture):
        incident, _ = advance_incident(incident, sample, rule, interval_us=MINUTE)
        bad = incident.kind in ("ongoing", "recovering")
        state, over = advance(state, sample, rule, interval_us=MINUTE, incident=bad)
        ends += [over] if over else []
    return state, ends


@pytest.mark.parametrize(
    ("picture", "rule", "since"),
    [
        ("...~~", THREE, None),
        ("...~~~", THREE, "10:03"),
        ("~~.~~", THREE, None),
        ("~~x~~", THREE, None),
        ("~~??~", THREE, "10:00"),
        ("~~.~", THREE_OF_FOUR, "10:00"),
        (".~~x~", THREE_OF_FOUR, "10:01"),
        ("~..~~", THREE_OF_FOUR, None),
        ("~~~~~~~", IncidentRule(degraded_after=0), None),
        ("~~~~~", IncidentRule(), "10:00"),
    ],
    ids=[
        "two are not three",
        "three in a row, dated at the first",
        "a fast one begins the row anew",
        "so does a failure",
        "what could not be measured says nothing",
        "three of four, one of them fast",
        "three of four, one of them failed",
        "two of the last four",
        "nought is never",
        "five in a row, unless the configuration says otherwise",
    ],
)
def test_it_is_news_when_so_many_of_the_last_samples_were_slow(
    picture: str, rule: IncidentRule, since: str | None
) -> None:
    state, _ = played(picture, rule)
    assert state.since_us == (at(since) if since else None)


def test_it_is_over_when_as_many_were_fast_and_it_ends_at_the_first_of_them() -> None:
    state, [over] = played("~~~.~...")
    assert state == SWIFT
    assert (over.since_us, over.until_us) == (at("10:00"), at("10:05"))


def test_what_is_slow_stays_so_through_what_is_neither_slow_nor_fast() -> None:
    assert played("~~~..x..?")[0].since_us == at("10:00")


def test_while_an_incident_is_open_nothing_is_counted() -> None:
    assert played("~~xx~x~x~")[0] == SWIFT


def test_after_an_incident_slowness_is_counted_anew() -> None:
    """The incident ends at the first good sample and is known to have at the second: from there on three more."""
    assert played("~~xx~~~")[0].since_us is None
    assert played("~~xx~~~~")[0].since_us == at("10:05")


def test_slowness_from_before_a_long_silence_is_forgotten() -> None:
    assert played("~~" + " " * 61 + "~")[0].since_us is None
    assert played("~~" + " " * 30 + "~")[0].since_us == at("10:00")


def test_a_check_that_is_as_ever_leaves_nothing_to_write() -> None:
    """The store writes a state only where it changed: neither fast checks nor slow ones cost a write each run."""
    assert played("......")[0] == SWIFT
    assert played("~~~")[0] == played("~~~~~~~")[0]


def test_a_clock_set_back_makes_no_slowness_of_less_than_no_time() -> None:
    state = Slowness(since_us=at("11:00"), failure=None, told=True)
    for sample in samples_of("..."):
        state, over = advance(state, sample, THREE, interval_us=MINUTE, incident=False)
    assert over is not None
    assert over.until_us == at("11:00")


@pytest.mark.parametrize(("after", "among"), [(3, 2), (3, 6), (0, 4)])
def test_a_rule_that_could_be_slow_and_fast_at_once_is_refused(after: int, among: int) -> None:
    with pytest.raises(ValidationError, match="degraded_among is"):
        IncidentRule(degraded_after=after, degraded_among=among)


# -- what people hear of it -------------------------------------------------------------------------------------------


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    database = new_store(tmp_path / "loketwacht.db")
    yield Office(database=database, rule=THREE)
    database.close()


def announce(office: Office, start: str, end: str) -> None:
    entry = Entry(kind="maintenance", recorded_us=1, by="a", reason="b", from_us=at(start), until_us=at(end))
    with office.database.begin() as tx:
        ledger.append(tx, entry)


def test_one_mail_when_it_stays_slow_and_one_when_it_is_fast_again(office: Office) -> None:
    office.live("..~~~~~~~....")
    assert office.subjects == [
        "[Voorbeeldloket] TRAAG: Aanvraag indienen",
        "[Voorbeeldloket] WEER SNEL: Aanvraag indienen",
    ]
    slow, fast = office.sent
    assert slow.message_id == "degraded.indienen.1795428120@monitor.example"
    assert fast.in_reply_to == slow.message_id
    assert not slow.urgent


def test_restarts_in_between_tell_nobody_again(office: Office) -> None:
    """T10: counted before a restart, counted after it; told once."""
    office.live("~~")
    for _ in range(3):
        office.database.close()
        office.database = Database.open(office.database.url, durable=False)
        office.live("~")
    assert office.words() == ["TRAAG"]
    office.live("...")
    assert office.words() == ["TRAAG", "WEER SNEL"]


def test_while_an_outage_is_open_only_the_outage_is_told(office: Office) -> None:
    office.live("~~xx~x~x~x~~")
    assert office.words() == ["STORING", "HERSTELD"]


def test_what_works_again_but_slowly_is_told_after_a_while(office: Office) -> None:
    office.live("xx~~~~~")
    assert office.words() == ["STORING", "HERSTELD", "TRAAG"]


def test_what_was_told_before_an_outage_is_told_to_be_over_after_it(office: Office) -> None:
    office.live("~~~xx....")
    assert office.words() == ["TRAAG", "STORING", "HERSTELD", "WEER SNEL"]


def test_maintenance_puts_it_off_and_what_outlasts_it_is_told_then(office: Office) -> None:
    """T12."""
    announce(office, "09:00", "10:05")
    office.live("~~~~~~")
    assert office.words() == ["TRAAG"]
    assert office.sent[0].date_us == at("10:05")


def test_what_was_slow_and_fast_again_within_maintenance_is_told_to_nobody(office: Office) -> None:
    announce(office, "09:00", "11:00")
    office.live("~~~~...")
    assert office.sent == []


def test_only_those_who_heard_of_it_hear_that_it_is_over(office: Office) -> None:
    """T9."""
    office.live("~~~")
    office.recipients = (OPS, Recipient(address="nieuw@example.be"))
    office.live("...")
    assert office.accepted == [("ops@example.be",), ("ops@example.be",)]


def test_it_is_told_to_those_who_receive_incidents_of_this_check(office: Office) -> None:
    office.recipients = (
        Recipient(address="a@example.be", checks=("inzage",)),
        Recipient(address="b@example.be", receives=("monitor",)),
        Recipient(address="c@example.be", language="en", checks=("indienen",)),
    )
    office.live("~~~")
    assert [(mail.recipients, mail.subject) for mail in office.sent] == [
        (("c@example.be",), "[Voorbeeldloket] SLOW: Submit an application")
    ]


def test_a_check_in_shadow_tells_nobody(office: Office) -> None:
    office.live("~~~~~", INDIENEN.model_copy(update={"shadow": True}))
    assert office.sent == []


def test_two_stretches_of_slowness_are_two_threads(office: Office) -> None:
    office.live("~~~...~~~")
    assert office.words() == ["TRAAG", "WEER SNEL", "TRAAG"]
    assert office.sent[2].in_reply_to is None
    assert at("10:06") - at("10:00") < HOUR
