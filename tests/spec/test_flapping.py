"""A check that breaks and recovers again and again: one mail to whom outages are told, one when it is steady."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor import acknowledging
from monitor.flapping import CALM, Flapping, advance
from monitor.hours import HoursSettings, named_hours
from monitor.incidents import Failed, IncidentRule, Opened, Resolved
from monitor.store import incidents, ledger
from monitor.store.database import Database
from monitor.telling import tell_steady
from sla.ledger import Entry
from tests.heart import BROKEN, HOUR, INDIENEN, INZAGE, MINUTE, OPS, Office, at

#: Two openings within an hour are let pass; after half an hour without a change it is steady.
RULE = IncidentRule(open_after=2, close_after=2, flapping_after=2)
CHIEF = OPS.model_copy(update={"address": "chef@example.be", "after": 30 * MINUTE})
HOURS = named_hours({"kantoor": HoursSettings.model_validate({"weekly": ["mon-fri 11:30-18:00"]})}, "Europe/Brussels")
DAY_SHIFT = OPS.model_copy(update={"address": "dag@example.be", "duty": "kantoor"})
#: The third opening, at 10:09, makes it flap.
FLAPS = "xx..xx..xx.."


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    database = Database.open(f"sqlite:///{tmp_path / 'store.db'}", durable=False)
    yield Office(database=database, rule=RULE, hours=HOURS, checks=(INDIENEN,))
    database.close()


def told(office: Office) -> list[tuple[str, str]]:
    pairs = zip(office.words(), office.accepted, strict=True)
    return [(word, address.partition("@")[0]) for word, addresses in pairs for address in addresses]


def passes(office: Office, minutes: int, mark: str = ".") -> list[str]:
    """One run a minute ends so; which checks flap at the end."""
    flapping: tuple[str, ...] = ()
    for _ in range(minutes):
        office.live(mark)
        office.now_us -= MINUTE
        office.wait(1)
        flapping = looks(office)
    return list(flapping)


def looks(office: Office) -> tuple[str, ...]:
    flapping, _ = tell_steady(office.database, office.checks, office.alerting, now_us=office.now_us)
    office.deliver()
    return flapping


# -- the state --------------------------------------------------------------------------------------------------------


def opened(minute: int) -> Opened:
    us = at("10:00") + minute * MINUTE
    return Opened(incident_id="x", since_us=us, confirmed_us=us, failure=BROKEN)


def ended(minute: int) -> Resolved:
    us = at("10:00") + minute * MINUTE
    return Resolved(incident_id="x", since_us=us, until_us=us, last_bad_us=us)


def lived(*events: Opened | Resolved, rule: IncidentRule = RULE) -> Flapping:
    state = CALM
    for event in events:
        state = advance(state, event, rule)
    return state


def test_more_openings_than_allowed_within_the_time_are_flapping_since_the_last_of_them():
    state = lived(opened(0), ended(5), opened(10), ended(15), opened(20))
    assert (state.since_us, state.changed_us, len(state.openings)) == (at("10:20"), at("10:20"), 3)
    assert state.holds(at("10:49"), RULE)
    assert not state.holds(at("10:50"), RULE)


def test_as_many_as_are_allowed_are_not():
    assert lived(opened(0), ended(5), opened(10)).since_us is None


def test_openings_too_far_apart_are_not():
    assert lived(opened(0), ended(5), opened(40), ended(45), opened(60)).since_us is None


def test_where_it_is_never_to_be_told_nothing_is_flapping():
    never = RULE.model_copy(update={"flapping_after": 0})
    assert lived(*(opened(n) for n in range(20)), rule=never).since_us is None


def test_each_change_makes_it_last_longer_and_after_a_steady_while_it_begins_anew():
    state = lived(opened(0), opened(1), opened(2), ended(30))
    assert state.holds(at("10:59"), RULE)
    again = advance(state, opened(61), RULE)
    assert (again.since_us, again.openings) == (None, (at("11:01"),))


def test_that_it_goes_on_failing_changes_nothing():
    state = lived(opened(0), opened(1), opened(2))
    assert advance(state, Failed(incident_id="x", last_bad_us=at("10:40")), RULE) is state


def test_a_clock_that_was_set_back_makes_no_change_older():
    assert lived(opened(10), opened(11), ended(2)).changed_us == at("10:11")


# -- what is told -----------------------------------------------------------------------------------------------------


def test_the_opening_that_makes_it_flap_is_told_as_flapping_and_the_next_ones_are_not_told(office):
    office.live(FLAPS + "xx..xx..")
    assert office.words() == ["STORING", "HERSTELD", "STORING", "HERSTELD", "WISSELEND"]


def test_when_it_is_steady_again_those_who_were_told_hear_it_once(office):
    office.live(FLAPS)
    assert passes(office, 27) == ["indienen"]
    assert passes(office, 10) == []
    assert office.words()[4:] == ["WISSELEND", "STABIEL"]
    flapping, steady = office.sent[4:]
    assert steady.in_reply_to == flapping.message_id


def test_one_that_stays_down_is_told_as_an_outage_and_the_flapping_is_told_to_have_ended_in_it(office):
    office.live("xx..xx..xx")
    passes(office, 31, "x")
    assert office.words()[4:] == ["WISSELEND", "NIET MEER WISSELEND", "STORING"]
    flapping, over, outage = office.sent[4:]
    assert over.in_reply_to == flapping.message_id
    assert outage.in_reply_to is None
    assert "Aanvraag indienen blijft nu buiten werking" in over.text
    assert "werkt nu niet sinds 23 november 2026 om 11:08 (CET), zonder onderbreking" in over.text


def test_where_maintenance_mutes_the_outage_it_ended_in_those_who_were_told_of_flapping_hear_its_end(office):
    """T9, T12."""
    office.live("xx..xx..xx")
    works = Entry(kind="maintenance", recorded_us=1, by="a", reason="b", from_us=at("10:12"), until_us=at("12:00"))
    with office.database.begin() as tx:
        ledger.append(tx, works)
    passes(office, 40, "x")
    assert office.words()[4:] == ["WISSELEND", "NIET MEER WISSELEND"]


def test_who_was_told_that_it_flaps_and_is_off_duty_when_it_ends_in_an_outage_hears_of_the_end(office):
    """It is eleven in Brussels; the early shift ends at half past."""
    early = named_hours({"vroeg": HoursSettings.model_validate({"weekly": ["mon-fri 06:00-11:30"]})}, "Europe/Brussels")
    office.hours = HOURS | early
    office.recipients = (OPS, OPS.model_copy(update={"address": "vroeg@example.be", "duty": "vroeg"}))
    office.live("xx..xx..xx")
    passes(office, 31, "x")
    assert sorted(told(office)[-3:]) == [
        ("NIET MEER WISSELEND", "ops"),
        ("NIET MEER WISSELEND", "vroeg"),
        ("STORING", "ops"),
    ]


def test_an_outage_that_comes_before_anybody_looked_ends_the_flapping_that_was_over_by_then(office):
    """The monitor was off for two hours."""
    office.live(FLAPS)
    office.now_us += 2 * HOUR
    office.live("xx")
    assert office.words()[4] == "WISSELEND"
    assert sorted(office.words()[5:]) == ["NIET MEER WISSELEND", "STORING"]
    office.live("..")
    passes(office, 40)
    assert office.words()[7:] == ["HERSTELD"]


def test_the_end_of_an_outage_that_lasted_while_the_monitor_was_off_ends_the_flapping_too(office):
    office.live("xx..xx..xx")
    office.now_us += 2 * HOUR
    office.live("..")
    assert office.words()[4:] == ["WISSELEND", "STABIEL"]
    assert "Sinds 23 november 2026 om 13:10 (CET) was er geen nieuwe storing meer." in office.sent[-1].text


def test_at_a_first_good_run_after_a_long_outage_nothing_is_said_yet(office):
    office.live("xx..xx..xx" + "x" * 40 + ".")
    looks(office)
    assert office.words()[4:] == ["WISSELEND", "STORING"]
    office.live(".")
    assert office.words()[6:] == ["STABIEL", "HERSTELD"]


def test_of_what_nobody_measures_nobody_says_that_it_works_steadily(office):
    office.live(FLAPS)
    for _ in range(60):
        office.wait(1)
        assert len(looks(office)) <= 1
    assert office.words()[4:] == ["WISSELEND"]
    passes(office, 1)
    assert office.words()[4:] == ["WISSELEND", "STABIEL"]


def test_a_new_process_tells_it_no_second_time(office):
    office.live(FLAPS)
    office.database.close()
    office.database = Database.open(office.database.url, durable=False)
    office.live("xx..")
    passes(office, 3)
    assert office.words().count("WISSELEND") == 1


def test_whom_outages_reach_only_where_nobody_is_on_it_is_not_told_at_once(office):
    office.recipients = (OPS, CHIEF)
    office.live(FLAPS)
    assert ("WISSELEND", "chef") not in told(office)
    assert ("WISSELEND", "ops") in told(office)


def test_where_nobody_is_on_it_flapping_is_escalated_though_it_works_at_that_moment(office):
    """Told at 10:09, and it goes on breaking; at 10:39 the chief hears of it, in the same thread, and of its end."""
    office.recipients = (OPS, CHIEF)
    office.live("xx..xx..xx..xx..xx..xx..xx..xx..xx..")
    office.wait(3)
    assert [one for one in told(office) if one[1] == "chef"] == []
    office.wait(1)
    assert told(office)[-1] == ("ESCALATIE", "chef")
    assert "Het is gemeld op 23 november 2026 om 11:09 (CET), en niemand liet weten" in office.sent[-1].text
    passes(office, 60)
    assert sorted(told(office)[-2:]) == [("STABIEL", "chef"), ("STABIEL", "ops")]


def test_whoever_is_on_one_of_its_outages_stops_the_escalation(office):
    office.recipients = (OPS, CHIEF)
    office.live("xx..xx..x")
    with office.database.begin() as tx:
        [newest, *_] = incidents.read(tx)
        acknowledging.acknowledge(tx, newest.id, by="Ann", now_us=office.now_us)
    office.live("x..xx..xx..xx..xx..xx..xx..")
    office.wait(10)
    assert "chef" not in {who for _, who in told(office)}


def test_who_is_off_duty_hears_of_it_when_duty_begins_if_it_still_flaps(office):
    """It is 11:00 in Brussels; duty begins at half past eleven."""
    office.recipients = (OPS, DAY_SHIFT)
    office.live("xx..xx..xx..xx..xx..xx..xx")
    assert "dag" not in {who for _, who in told(office)}
    office.wait(6)
    assert told(office)[-1] == ("WISSELEND", "dag")
    assert "Dat begon buiten uw diensturen." in office.sent[-1].text


def test_what_becomes_of_a_check_that_is_followed_no_more_is_not_told_here(office):
    """What was told of it ends when the configuration comes into force: see test_followed_no_longer."""
    office.live(FLAPS)
    office.now_us += HOUR
    for checks in ((INZAGE,), (INDIENEN.model_copy(update={"shadow": True}),)):
        assert tell_steady(office.database, checks, office.alerting, now_us=office.now_us) == ((), False)
