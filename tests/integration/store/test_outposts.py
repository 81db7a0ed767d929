"""Several locations, one store: what outposts hand in, what the monitor makes of it, and what a silent one means."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dashboards.status_page import Frame, State, StatusPage, render_incident, render_status
from monitor import pages
from monitor.check_run import Finding, Recorder, save, take_in
from monitor.incidents import MONITOR, Incident, IncidentRule
from monitor.outposts import Presences, titles_of
from monitor.pages import Days, Watched
from monitor.store import handed_in, incidents, outposts, samples
from monitor.store.database import directly
from monitor.store.outposts import Presence
from monitor.telling import Alerting
from probes.sample import Sample
from tests.heart import HOUR, INDIENEN, MINUTE, SECOND, Office, a_sample, at, run

HERE, GENT, AALST = "lokaal", "gent", "aalst"
OFFSETS = {HERE: 0, GENT: 7 * SECOND, AALST: 13 * SECOND}
TWO = IncidentRule(quorum=2)


class Places:
    """A monitor and its outposts on one store, each at its own offset within the minute."""

    def __init__(
        self, office: Office, rule: IncidentRule = TWO, locations: tuple[str, ...] = (HERE, GENT, AALST)
    ) -> None:
        self.office = office
        office.rule = rule
        self.alerting: Alerting = replace(office.alerting, places={INDIENEN.id: locations})
        self.outposts = {
            location: Recorder(
                database=office.database,
                in_store=directly,
                clock=office.clock,
                observer=office.told,
                hands_in=True,
            )
            for location in locations[1:]
        }

    def sample(self, location: str, mark: str, minute: str) -> Sample:
        return a_sample(mark, at(minute) + OFFSETS[location], location=location)

    def says(self, location: str, mark: str, minute: str, *, take: bool = True) -> None:
        """One sample arrives; the monitor takes in at once what is handed in, unless it is away."""
        sample = self.sample(location, mark, minute)
        self.office.now_us = sample.slot_us + SECOND
        finding = Finding(check=INDIENEN, sample=sample, alerting=self.alerting)
        if location == HERE:
            save(self.office.database, finding, now_us=self.office.now_us)
            return
        run(self.outposts[location].record(finding))
        if take:
            self.take_in()

    def take_in(self) -> None:
        while take_in(self.office.database, {INDIENEN.id: INDIENEN}, self.alerting, now_us=self.office.now_us):
            pass

    def minute(self, marks: str, minute: str) -> None:
        for location, mark in zip((HERE, GENT, AALST), marks, strict=True):
            if mark != " ":
                self.says(location, mark, minute)

    def open(self) -> Incident | None:
        with self.office.database.read() as tx:
            return incidents.open_of(tx, INDIENEN.id)

    def all(self) -> tuple[Incident, ...]:
        with self.office.database.read() as tx:
            return incidents.read(tx, check_id=INDIENEN.id)


def test_one_location_alone_alarms_nobody(office: Office) -> None:
    places = Places(office)
    for minute in ("10:00", "10:01", "10:02", "10:03"):
        places.minute("X..", minute)
    assert places.open() is None
    office.deliver()
    assert office.sent == []


def test_the_second_that_fails_opens_it_at_once_dated_by_its_own_slot(office: Office) -> None:
    places = Places(office)
    places.minute("...", "10:00")
    places.says(HERE, "x", "10:01")
    assert places.open() is None
    places.says(GENT, "x", "10:01")
    opened = places.open()
    assert opened is not None
    assert opened.since_us == at("10:01") + 7 * SECOND
    office.deliver()
    assert "Locaties: mislukt: gent, lokaal; werkt: aalst" in office.sent[0].text
    assert [mail.subject.partition(": ")[0].rpartition(" ")[2] for mail in office.sent] == ["STORING"]


def test_it_ends_when_too_few_fail_and_somebody_gets_through(office: Office) -> None:
    places = Places(office)
    places.minute("xx.", "10:00")
    assert places.open() is not None
    places.minute("..x", "10:01")
    assert places.open() is None
    (incident,) = places.all()
    assert incident.until_us == at("10:01") + 0
    office.deliver()
    assert [mail.subject.partition(": ")[0].rpartition(" ")[2] for mail in office.sent] == ["STORING", "HERSTELD"]


def test_a_lone_failure_while_the_others_are_silent_decides_nothing_either_way(office: Office) -> None:
    """T39, T40."""
    places = Places(office)
    places.minute("...", "10:00")
    for minute in ("10:01", "10:02", "10:03", "10:04"):
        places.says(HERE, "X", minute)
    assert places.open() is None
    places.minute(" x ", "10:04")
    assert places.open() is not None
    # The monitor's own way is mended; nobody else is heard of: one good vote is enough to be well again.
    for minute in ("10:08", "10:09"):
        places.says(HERE, ".", minute)
    assert places.open() is None


def test_without_a_quorum_all_that_measure_must_fail(office: Office) -> None:
    places = Places(office, IncidentRule())
    places.minute("XX.", "10:00")
    places.minute("XX.", "10:01")
    assert places.open() is None
    places.minute("XXX", "10:02")
    assert places.open() is not None


def test_what_could_not_be_measured_is_no_vote(office: Office) -> None:
    places = Places(office)
    places.minute("x??", "10:00")
    assert places.open() is None
    places.minute("x?x", "10:01")
    assert places.open() is not None


def test_an_outage_while_the_monitor_was_away_is_told_when_it_is_back(office: Office) -> None:
    """What outposts hand in waits in the store, and is heard in its own time."""
    places = Places(office)
    places.minute("...", "10:00")
    for minute, marks in (("10:01", "xx"), ("10:02", "xx"), ("10:03", ".."), ("10:04", "..")):
        places.says(GENT, marks[0], minute, take=False)
        places.says(AALST, marks[1], minute, take=False)
    assert places.open() is None
    places.take_in()
    (incident,) = places.all()
    assert incident.since_us == at("10:01") + 13 * SECOND
    assert incident.until_us == at("10:03") + 7 * SECOND
    with office.database.read() as tx:
        assert handed_in.count(tx) == 0


def test_an_outpost_leaves_only_what_something_may_follow_from(office: Office) -> None:
    places = Places(office)
    places.minute("...", "10:00")
    places.says(GENT, ".", "10:01", take=False)
    with office.database.read() as tx:
        assert handed_in.count(tx) == 0
        assert samples.read(tx, INDIENEN.id, GENT, at("10:01") + 7 * SECOND) is not None
    places.says(GENT, "x", "10:02", take=False)
    with office.database.read() as tx:
        assert handed_in.count(tx) == 1
        assert incidents.load(tx, INDIENEN.id).kind == "healthy"


def test_a_check_that_is_no_more_leaves_nothing_waiting(office: Office) -> None:
    places = Places(office)
    places.says(GENT, "x", "10:00", take=False)
    assert take_in(office.database, {}, places.alerting, now_us=office.now_us) == ()
    assert take_in(office.database, {}, places.alerting, now_us=office.now_us) is None


def test_a_location_that_is_not_one_of_the_check_has_no_vote(office: Office) -> None:
    places = Places(office, locations=(HERE, GENT))
    stray = replace(places.sample(GENT, "X", "10:00"), location="elders")
    save(office.database, Finding(check=INDIENEN, sample=stray, alerting=places.alerting), now_us=office.now_us)
    places.says(HERE, "x", "10:00")
    assert places.open() is None


def test_a_clock_set_back_an_hour_silences_nobody(office: Office) -> None:
    """T20."""
    places = Places(office)
    places.minute("...", "11:00")
    places.minute("xx.", "10:05")
    assert places.open() is not None


@pytest.mark.parametrize("gone", [GENT])
def test_a_blind_outpost_is_the_monitor_s_own_trouble_until_that_outpost_measures_again(
    office: Office, gone: str
) -> None:
    places = Places(office, IncidentRule(quorum=2, unknown_after=2))
    for minute in ("10:00", "10:01", "10:02"):
        places.minute(".?.", minute)
    with office.database.read() as tx:
        assert incidents.open_of(tx, MONITOR) is not None
    # That the others measure does not mend it.
    places.minute(". .", "10:03")
    with office.database.read() as tx:
        assert incidents.open_of(tx, MONITOR) is not None
    places.minute("...", "10:04")
    with office.database.read() as tx:
        assert incidents.open_of(tx, MONITOR) is None


def test_silent_outposts_are_one_mail_and_their_return_another(office: Office) -> None:
    presences, locations = Presences(office.clock), (GENT, AALST)
    alerting = replace(office.alerting, titles={**office.alerting.titles, **titles_of(locations)})

    def look(*heard: str) -> frozenset[str]:
        with office.database.begin() as tx:
            for location in heard:
                # By its own clock, which is an hour slow: what counts is that it goes on.
                outposts.note(
                    tx,
                    Presence(location=location, seen_us=office.now_us - HOUR, version="1", config_sha256="0" * 64),
                )
        with office.database.read() as tx:
            present = outposts.read(tx)
        silent = presences.silent(locations, present)
        presences.tell(office.database, silent, locations, alerting, now_us=office.now_us)
        office.deliver()
        return silent

    assert look(GENT, AALST) == frozenset()
    for _ in range(3):
        office.now_us += 30 * SECOND
        silent = look(GENT)
    assert silent == {AALST}
    office.now_us += MINUTE + SECOND
    assert look() == {GENT, AALST}
    assert [mail.subject for mail in office.sent] == [office.sent[0].subject]
    assert "buitenpost aalst" in office.sent[0].text
    assert "De andere locaties meten verder." in office.sent[0].text
    office.now_us += 30 * SECOND
    assert look(GENT, AALST) == frozenset()
    assert len(office.sent) == 2
    with office.database.read() as tx:
        assert incidents.open_of(tx, MONITOR) is None


def test_the_page_says_what_each_location_sees_and_the_verdict_of_all(office: Office) -> None:
    places = Places(office)
    places.minute("...", "09:59")
    places.minute(".x ", "10:00")
    watched = Watched(
        portal="Loket",
        checks=(INDIENEN,),
        location=HERE,
        timezone="Europe/Brussels",
        places=places.alerting.places,
        rule=TWO,
    )
    now_us = at("10:00") + 20 * SECOND

    def shown(at_us: int) -> StatusPage:
        frame = Frame(portal="Loket", generated_us=at_us, version="1", timezone="Europe/Brussels")
        return pages.status(office.database, watched, Days(), frame=frame, now_us=at_us)

    [journey] = shown(now_us).journeys
    assert journey.now is State.UP
    assert [(place.name, place.now) for place in journey.places] == [
        (HERE, State.UP),
        (GENT, State.DOWN),
        (AALST, State.UP),
    ]
    assert "gent: mislukt" in render_status(shown(now_us))
    places.says(AALST, "x", "10:01")
    [journey] = shown(at("10:01") + 20 * SECOND).journeys
    assert journey.now is State.DOWN
    assert journey.sentence
    # Nobody was heard of for long: nobody knows.
    [journey] = shown(at("10:10")).journeys
    assert {journey.now, *(place.now for place in journey.places)} == {State.UNKNOWN}
    # What everybody may see names no locations.
    assert pages.without_details(shown(now_us)).journeys[0].places == ()


def test_the_incident_s_page_tells_from_where_each_sample_is(office: Office) -> None:
    places = Places(office)
    places.minute("xx.", "10:00")
    opened = places.open()
    assert opened is not None
    watched = Watched(
        portal="Loket", checks=(INDIENEN,), location=HERE, timezone="Europe/Brussels", places=places.alerting.places
    )
    frame = Frame(portal="Loket", generated_us=at("10:05"), version="1", timezone="Europe/Brussels")
    page = pages.incident(office.database, watched, opened.id, frame=frame)
    assert page is not None
    assert [(sample.place, sample.state) for sample in page.samples] == [(GENT, State.DOWN), (AALST, State.UP)]
    assert '<td role="cell">gent</td>' in render_incident(page)


def test_what_an_outpost_hands_in_after_it_was_cut_off_ends_no_outage_that_goes_on(office: Office) -> None:
    """Its good samples are of before the outage, and the two that agreed on it still fail."""
    places = Places(office)
    story = tuple((f"10:{number:02}", mark) for number, mark in enumerate("....xxx"))
    for minute, mark in story:
        places.minute(f"{mark}{mark} ", minute)
    for minute, mark in story:
        places.says(AALST, mark, minute, take=False)
    office.now_us = at("10:07")
    places.take_in()
    (incident,) = places.all()
    assert (incident.since_us, incident.until_us) == (at("10:04") + OFFSETS[GENT], None)


def test_what_comes_of_an_outage_that_is_over_repeats_nothing(office: Office) -> None:
    places = Places(office)
    places.minute("...", "10:00")
    places.minute("xx ", "10:01")
    places.minute("xx ", "10:02")
    places.minute(".. ", "10:03")
    places.minute(".. ", "10:04")
    for minute, mark in (("10:01", "x"), ("10:02", "x"), ("10:03", "."), ("10:04", ".")):
        places.says(AALST, mark, minute, take=False)
    office.now_us = at("10:05")
    places.take_in()
    office.deliver()
    assert len(places.all()) == 1
    assert [mail.subject.partition(": ")[0].rpartition(" ")[2] for mail in office.sent] == ["STORING", "HERSTELD"]


def test_an_outpost_that_is_configured_no_more_decides_nothing(office: Office) -> None:
    """Where it was the only one, too."""
    places = Places(office, IncidentRule())
    places.alerting = replace(places.alerting, places={INDIENEN.id: (HERE,)})
    for minute in ("10:00", "10:01", "10:02"):
        places.minute(".X ", minute)
    assert places.open() is None


def test_a_check_in_shadow_alarms_nobody_through_an_outpost(office: Office) -> None:
    places = Places(office, IncidentRule())
    places.alerting = replace(places.alerting, places={INDIENEN.id: (GENT,)})
    places.says(GENT, "X", "10:00", take=False)
    shadow = INDIENEN.model_copy(update={"shadow": True})
    assert take_in(office.database, {INDIENEN.id: shadow}, places.alerting, now_us=office.now_us) == ()
    assert places.open() is None
