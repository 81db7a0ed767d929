"""An outage that nobody looks at any more is brought up as what it is: last seen then, and not known since."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.check_run import Finding, save
from monitor.hours import HoursSettings, named_hours
from monitor.incidents import IncidentRule
from monitor.pauses import pause, resume
from monitor.store import ledger
from monitor.telling import Alerting, follow_up
from sla.ledger import Entry
from tests.heart import BOSS, HOUR, INDIENEN, MINUTE, OPS, Office, a_sample, at
from tests.new_store import new_store
from tests.spec.test_effect_told import assessed

CHIEF = OPS.model_copy(update={"address": "chef@example.be", "after": 30 * MINUTE})
HOURS = named_hours({"kantoor": HoursSettings.model_validate({"weekly": ["mon-fri 11:30-18:00"]})}, "Europe/Brussels")
DAY_SHIFT = OPS.model_copy(update={"address": "dag@example.be", "duty": "kantoor"})
UNKNOWN = "Sindsdien, al 1 uur, kon geen meting nog zeggen of Aanvraag indienen werkt."


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    database = new_store(tmp_path / "loketwacht.db")
    yield Office(database=database, hours=HOURS)
    database.close()


def pauses(office: Office, *checks: str | None, until: str = "20:00") -> None:
    with office.database.begin() as tx:
        pause(tx, checks, until_us=at(until), by="An Maes", why="Verhuizing van het portaal.", now_us=office.now_us)


def test_a_reminder_of_a_check_that_is_measured_no_more_says_when_it_was_last_seen_failing(office: Office) -> None:
    """T34: what was seen an hour ago is not how it is."""
    office.live("xxx")
    office.wait(62)
    reminder = office.sent[-1]
    assert reminder.subject == "[Voorbeeldloket] HERINNERING: Aanvraag indienen - indienen-20261123T100000Z"
    assert "Niet bekend of Aanvraag indienen weer werkt" in reminder.text
    assert "begon op 23 november 2026 om 11:00 (CET) en werd voor het laatst gezien op 23 november 2026 om 11:02" in (
        reminder.text
    )
    assert "Sindsdien, al 59 min, kon geen meting nog zeggen of Aanvraag indienen werkt." in reminder.text
    assert "Laatst gezien: 23 november 2026 om 11:02:00 (CET)" in reminder.text
    assert "nog altijd niet" not in reminder.text
    assert "nu al" not in reminder.text


def test_so_does_one_of_a_check_whose_runs_could_not_be_measured(office: Office) -> None:
    office.rule = IncidentRule(unknown_after=1000)
    office.live("xx" + "?" * 61)
    assert office.words() == ["STORING", "HERINNERING"]
    assert UNKNOWN in office.sent[-1].text


def test_as_long_as_it_is_seen_failing_it_is_told_to_fail(office: Office) -> None:
    """One run that was left out, or told nothing, is no silence."""
    office.live("x" * 59 + "? x")
    assert "Aanvraag indienen werkt nog altijd niet" in office.sent[-1].text
    assert "Laatst gezien" not in office.sent[-1].text


def test_after_a_night_off_a_first_failing_run_is_word_enough(office: Office) -> None:
    office.live("xx")
    office.now_us += 8 * HOUR
    office.live("x")
    assert "Aanvraag indienen werkt nog altijd niet" in office.sent[-1].text


def test_who_paused_it_until_when_and_why_stands_in_the_reminder(office: Office) -> None:
    office.recipients = (OPS, BOSS)
    office.live("xx")
    pauses(office, "indienen")
    office.wait(62)
    dutch, english = (mail.text for mail in office.sent[2:])
    assert (
        "De meting is sinds 23 november 2026 om 11:02 (CET) gepauzeerd door An Maes, tot 23 november 2026 om 21:00 "
        "(CET): Verhuizing van het portaal." in dutch
    )
    assert (
        "Measuring has been paused since 23 November 2026 at 11:02 (CET) by An Maes, until 23 November 2026 at 21:00 "
        "(CET): Verhuizing van het portaal." in english
    )
    assert "It is not known whether Submit an application works again" in english
    assert "Since then, for 1 h, no measurement has said whether Submit an application works." in english


def test_a_pause_of_everything_is_one_of_this_check_too(office: Office) -> None:
    office.live("xx")
    pauses(office, None)
    office.wait(62)
    assert "gepauzeerd door An Maes" in office.sent[-1].text


def test_a_pause_that_is_over_or_of_another_check_is_not_named(office: Office) -> None:
    office.live("xx")
    pauses(office, "inzage")
    pauses(office, "indienen")
    with office.database.begin() as tx:
        resume(tx, ("indienen",), by="An Maes", why="klaar", now_us=office.now_us + MINUTE)
    office.wait(62)
    assert UNKNOWN in office.sent[-1].text
    assert "gepauzeerd" not in office.sent[-1].text


def test_reminders_go_on_for_as_long_as_nobody_looks(office: Office) -> None:
    """A pause is no word that somebody is on it: an outage that is open is not forgotten."""
    office.live("xx")
    pauses(office, "indienen")
    office.wait(5 * 60, every=5)
    assert office.words() == ["STORING", "HERINNERING", "HERINNERING"]


def test_when_it_is_seen_failing_again_the_next_reminder_says_so(office: Office) -> None:
    office.live("xx")
    office.wait(62)
    office.live("x" * 180)
    assert office.words() == ["STORING", "HERINNERING", "HERINNERING"]
    assert "Aanvraag indienen werkt nog altijd niet" in office.sent[-1].text


def test_nothing_is_foretold_of_contracts_from_an_outage_that_nobody_sees(office: Office) -> None:
    """A forecast says what happens if it goes on; whether it does is not known."""
    office.live("xx")
    office.now_us = at("11:01")
    office.standings = tuple(replace(one, assessed_us=at("11:00")) for one in assessed())
    office.wait(2)
    assert office.words() == ["STORING", "HERINNERING"]
    assert "anctioneerbaar" not in office.sent[-1].text


def test_whom_it_is_escalated_to_hears_it_too(office: Office) -> None:
    office.recipients = (OPS, CHIEF)
    office.live("xx")
    office.wait(32)
    assert office.words() == ["STORING", "ESCALATIE"]
    assert "Niemand volgt op, en het is niet bekend of Aanvraag indienen weer werkt" in office.sent[-1].text
    assert "niemand liet weten dat hij of zij het opvolgt" in office.sent[-1].text
    assert "Sindsdien, al 30 min, kon geen meting nog zeggen" in office.sent[-1].text


def test_whose_duty_begins_hears_it_too(office: Office) -> None:
    """It is 11:00 in Brussels; duty begins at half past eleven."""
    office.recipients = (OPS, DAY_SHIFT)
    office.live("xx")
    office.wait(32)
    assert office.words() == ["STORING", "STORING"]
    assert "Dat begon buiten uw diensturen." in office.sent[-1].text
    assert "duurt nog" not in office.sent[-1].text
    assert "kon geen meting nog zeggen" in office.sent[-1].text


def test_what_was_put_off_by_maintenance_and_not_seen_since_is_told_as_that(office: Office) -> None:
    entry = Entry(kind="maintenance", recorded_us=1, by="a", reason="b", from_us=at("09:00"), until_us=at("10:30"))
    with office.database.begin() as tx:
        ledger.append(tx, entry)
    office.live("xx")
    office.wait(40)
    assert office.words() == ["STORING"]
    assert "Niet bekend of Aanvraag indienen weer werkt" in office.sent[-1].text


def test_as_long_as_one_location_still_measures_it_is_seen(office: Office) -> None:
    """Two of three must agree: one that goes on failing decides nothing, but somebody looks."""
    alerting = Alerting(
        rule=IncidentRule(open_after=2, close_after=2, quorum=2),
        recipients=(OPS,),
        places={"indienen": ("brussel", "gent", "luik")},
    )
    for minute in range(62):
        office.now_us = at("10:00") + minute * MINUTE
        for location in ("brussel", "gent") if minute < 5 else ("brussel",):
            sample = a_sample("x", office.now_us, location=location)
            save(office.database, Finding(check=INDIENEN, sample=sample, alerting=alerting), now_us=office.now_us)
        follow_up(office.database, (INDIENEN,), alerting, now_us=office.now_us)
        office.deliver()
    assert office.words() == ["STORING", "HERINNERING"]
    assert "kon geen meting nog zeggen" not in office.sent[-1].text


def test_what_was_seen_working_too_briefly_and_not_since_is_not_forgotten_either(office: Office) -> None:
    """A good run puts a reminder off until the next one says whether it really works; no next one came."""
    office.live("xxx.")
    office.wait(2)
    assert office.words() == ["STORING"]
    office.wait(60)
    assert office.words() == ["STORING", "HERINNERING"]
    text = office.sent[-1].text
    assert "werd voor het laatst gezien op 23 november 2026 om 11:02 (CET)" in text
    assert (
        "Op 23 november 2026 om 11:03 (CET) werkte Aanvraag indienen, maar te kort om te zeggen dat de storing voorbij "
        "is." in text
    )
    assert "Sindsdien, al 58 min, kon geen meting nog zeggen of Aanvraag indienen werkt." in text
