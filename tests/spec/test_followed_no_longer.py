"""A check that is taken out, or put in shadow: what was told of it ends, and says that nobody knows how it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.abandoning import abandon
from monitor.incidents import DRILL, HEALTHY, IncidentRule
from monitor.recipients import Recipient
from monitor.store import events, incidents
from monitor.store.database import Database
from probes.checks import Check
from tests.heart import BOSS, INDIENEN, INZAGE, OPS, Office

SHADOW = INDIENEN.model_copy(update={"shadow": True})
DRILLED = INDIENEN.model_copy(update={"id": DRILL})


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    database = Database.open(f"sqlite:///{tmp_path / 'store.db'}", durable=False)
    yield Office(database=database, recipients=(OPS, BOSS))
    database.close()


def reload(office: Office, *checks: Check) -> list[str]:
    """Another configuration comes into force; the ids of what was closed."""
    with office.database.begin() as tx:
        closed = abandon(tx, checks, office.rule, now_us=office.now_us)
    office.deliver()
    return [incident.id for incident in closed]


def test_those_who_were_told_of_an_outage_are_told_that_nobody_can_say_how_it_is(office: Office) -> None:
    office.live("xx")
    assert reload(office, INZAGE) == ["indienen-20261123T100000Z"]
    assert office.words() == ["STORING", "OUTAGE", "NIET MEER GEMETEN", "MEASURED NO LONGER"]
    openings, ends = office.sent[:2], office.sent[2:]
    for opening, end in zip(openings, ends, strict=True):
        assert (end.in_reply_to, end.recipients, end.urgent) == (opening.message_id, opening.recipients, False)
    assert "Niemand kan nog zeggen of Aanvraag indienen werkt" in ends[0].text


def test_it_is_closed_with_the_time_and_an_event_says_so(office: Office) -> None:
    office.live("xx")
    reload(office, INZAGE)
    with office.database.read() as tx:
        [incident] = incidents.read(tx)
        event = events.last(tx, "incident-abandoned")
        assert incidents.load(tx, "indienen") == HEALTHY
    assert event is not None
    assert (incident.until_us, event.check_id, event.data) == (office.now_us, "indienen", {"incident": incident.id})


def test_it_is_told_once_and_nothing_follows(office: Office) -> None:
    office.live("xx")
    for _ in range(3):
        reload(office, INZAGE)
    office.wait(300, INZAGE)
    assert len(office.sent) == 4


def test_of_an_outage_that_nobody_was_told_of_nobody_is_told_this(office: Office) -> None:
    office.recipients = ()
    office.live("xx")
    assert len(reload(office, INZAGE)) == 1
    assert office.sent == []


def test_a_check_put_in_shadow_is_followed_no_longer_though_it_is_measured(office: Office) -> None:
    office.recipients = (OPS,)
    office.live("xx")
    reload(office, SHADOW)
    assert "Aanvraag indienen wordt niet langer opgevolgd" in office.sent[-1].text
    assert "het wordt nog gemeten" in office.sent[-1].text


def test_what_is_still_followed_is_left_alone(office: Office) -> None:
    office.live("xx")
    assert (reload(office, INDIENEN), len(office.sent)) == ([], 2)
    assert len(office.open_incidents()) == 1


def test_a_drill_ends_its_own_incident_though_the_configuration_changes_meanwhile(office: Office) -> None:
    office.recipients = (Recipient(address="oefening@example.be"),)
    office.live("xx", DRILLED)
    assert reload(office, INZAGE) == []
    office.live("..", DRILLED)
    assert office.words() == ["STORING", "HERSTELD"]


def test_the_monitor_s_own_incident_goes_on(office: Office) -> None:
    office.recipients = (OPS,)
    office.live("?????")
    assert reload(office, INZAGE) == []
    assert office.words() == ["MONITOR"]


def test_whoever_was_told_that_it_flaps_hears_of_this_and_of_no_steadiness(office: Office) -> None:
    office.recipients, office.rule = (OPS,), IncidentRule(open_after=2, close_after=2, flapping_after=1)
    office.live("xx..xx..xx")
    reload(office, INZAGE)
    assert office.words() == ["STORING", "HERSTELD", "WISSELEND", "NIET MEER GEMETEN"]
    assert office.sent[-1].in_reply_to == office.sent[-2].message_id
    with office.database.read() as tx:
        assert incidents.flapping(tx) == {}


def test_whoever_was_told_that_it_is_slow_hears_of_this(office: Office) -> None:
    office.recipients, office.rule = (OPS,), IncidentRule(degraded_after=2)
    office.live("~~")
    reload(office, INZAGE)
    assert office.words() == ["TRAAG", "NIET MEER GEMETEN"]
    with office.database.read() as tx:
        assert incidents.slow(tx) == {}


def test_those_who_were_told_that_it_is_slow_hear_that_slowness_is_watched_no_longer(office: Office) -> None:
    """T9: a reload said so, and nobody would ever see it end; a run that came before that was taken up says nothing."""
    office.recipients, office.rule = (OPS,), IncidentRule(degraded_after=2)
    office.live("~~")
    office.rule = IncidentRule(degraded_after=0)
    office.live("~.")
    for _ in range(2):
        assert reload(office, INDIENEN) == []
    assert office.words() == ["TRAAG", "NIET MEER BEKEKEN"]
    slow, over = office.sent
    assert over.in_reply_to == slow.message_id
    assert "Of Aanvraag indienen traag is, wordt niet meer bekeken" in over.text
    office.rule = IncidentRule(degraded_after=2)
    office.live("~~")
    assert office.words()[2:] == ["TRAAG"]


def test_whoever_was_told_of_no_slowness_hears_nothing_of_that(office: Office) -> None:
    office.recipients, office.rule = (), IncidentRule(degraded_after=2)
    office.live("~~")
    office.recipients, office.rule = (OPS,), IncidentRule(degraded_after=0)
    reload(office, INDIENEN)
    office.live("~")
    assert office.sent == []
