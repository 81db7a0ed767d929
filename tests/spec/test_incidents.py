"""When an incident opens and closes, and when it says nothing."""

from __future__ import annotations

import pytest

from monitor.incidents import (
    HEALTHY,
    STATE,
    Failed,
    Healthy,
    IncidentRule,
    Mark,
    Ongoing,
    Opened,
    OwnTrouble,
    Recovering,
    Resolved,
    Suspect,
    advance,
    advance_own,
)
from tests.heart import BROKEN, MINUTE, TWO_OF_EACH, a_sample, at, played, samples_of

ID = "indienen-20261123T100000Z"


def opened(since: str, confirmed: str, failures: int = 2) -> Opened:
    name = f"indienen-20261123T{since.replace(':', '')}00Z"
    further = (BROKEN,) * (failures - 1)
    return Opened(incident_id=name, since_us=at(since), confirmed_us=at(confirmed), failure=BROKEN, further=further)


def resolved(since: str, until: str, last_bad: str) -> Resolved:
    name = f"indienen-20261123T{since.replace(':', '')}00Z"
    return Resolved(incident_id=name, since_us=at(since), until_us=at(until), last_bad_us=at(last_bad))


def told(picture: str, rule: IncidentRule = TWO_OF_EACH) -> list[object]:
    """Openings and ends; that an open incident was seen failing again is left out."""
    return [event for event in played(picture, rule)[1] if not isinstance(event, Failed)]


def test_nothing_happens_while_all_is_well():
    assert played("..~..") == (HEALTHY, [])


def test_one_failure_is_not_an_incident():
    assert told(".x...") == []


def test_an_incident_is_dated_at_the_first_failure_not_at_its_confirmation():
    assert told(".xx") == [opened("10:01", "10:02")]


def test_a_failure_that_the_immediate_rerun_confirmed_counts_as_two():
    assert told(".X") == [opened("10:01", "10:01")]


def test_an_incident_ends_at_the_first_sample_that_stayed_good():
    assert told("xx.x..") == [opened("10:00", "10:01"), resolved("10:00", "10:04", "10:03")]


def test_a_slow_answer_is_a_good_one_for_an_incident():
    assert told("xx~~") == [opened("10:00", "10:01"), resolved("10:00", "10:02", "10:01")]


def test_good_samples_that_do_not_last_close_nothing():
    state, _ = played("xx.x.x")
    assert isinstance(state, Ongoing)


def test_a_good_sample_between_failures_begins_the_streak_anew():
    assert told("x.x.x.x.") == []


@pytest.mark.parametrize("picture", ["x?x", "x??????x", "?x?x?"])
def test_what_could_not_be_measured_neither_counts_nor_wipes_out(picture):
    assert [type(event) for event in told(picture)] == [Opened]


def test_what_could_not_be_measured_never_opens_an_incident():
    assert told("??????????") == []


def test_what_could_not_be_measured_never_closes_an_incident():
    state, _ = played("xx??????")
    assert isinstance(state, Ongoing)


def test_a_streak_from_before_a_long_silence_is_forgotten():
    """T36: an hour nobody looked at is never claimed by an incident."""
    silence = " " * 61
    assert told(f"x{silence}x.") == []


def test_an_open_incident_outlasts_any_silence():
    state, _ = played("xx" + " " * 600 + "x")
    assert isinstance(state, Ongoing)
    assert state.incident_id == ID


def test_recovery_before_a_long_silence_is_forgotten_too():
    state, _ = played("xx." + " " * 61 + ".")
    assert isinstance(state, Recovering)
    assert state.good == 1


def test_a_check_with_long_intervals_keeps_its_streak_over_three_of_them():
    hourly = samples_of("x  x", every_us=60 * MINUTE)
    state, _ = advance(HEALTHY, hourly[0], TWO_OF_EACH, interval_us=60 * MINUTE)
    state, _ = advance(state, hourly[1], TWO_OF_EACH, interval_us=60 * MINUTE)
    assert isinstance(state, Ongoing)


def test_a_restart_at_two_of_three_failures_alerts_after_one_more():
    """T11: the streak survives, for the state is stored as text and read back."""
    rule = IncidentRule(open_after=3)
    state, _ = played("xx", rule)
    again = STATE.validate_json(STATE.dump_json(state))
    marks = (Mark(slot_us=at("10:00"), failure=BROKEN), Mark(slot_us=at("10:01"), failure=BROKEN))
    assert again == Suspect(since_us=at("10:00"), last_us=at("10:01"), failures=2, failure=BROKEN, marks=marks)
    _, happened = advance(again, a_sample("x", at("10:02")), rule, interval_us=MINUTE)
    assert happened == (opened(since="10:00", confirmed="10:02", failures=3),)


@pytest.mark.parametrize(
    ("open_after", "close_after", "picture", "state"),
    [
        (1, 1, "x", Ongoing),
        (1, 1, "x.", Healthy),
        (3, 1, "xx", Suspect),
        (3, 1, "Xx", Ongoing),
        (1, 3, "x..", Recovering),
        (1, 3, "x...", Healthy),
    ],
)
def test_thresholds_are_the_rule_s(open_after, close_after, picture, state):
    rule = IncidentRule(open_after=open_after, close_after=close_after)
    assert isinstance(played(picture, rule)[0], state)


# The monitor's own trouble.

RULE = IncidentRule(unknown_after=3)


def own_after(*samples) -> tuple[OwnTrouble, list[object]]:
    own, events = OwnTrouble(), []
    for sample in samples:
        own, happened = advance_own(own, sample, RULE, interval_us=MINUTE)
        events += [event for event in happened if not isinstance(event, Failed)]
    return own, events


def blind(minutes: range, *checks: str) -> list[object]:
    return [a_sample("?", at("10:00") + minute * MINUTE, check) for minute in minutes for check in checks]


def test_however_many_checks_cannot_be_measured_the_monitor_reports_itself_once():
    """T1, T45: twenty journeys behind a dead network are one incident of our own."""
    _, events = own_after(*blind(range(10), *(f"reis-{n}" for n in range(20))))
    assert [(event.incident_id, event.since_us) for event in events] == [("monitor-20261123T100000Z", at("10:00"))]


def test_two_runs_that_could_not_be_measured_are_nothing_yet():
    assert own_after(*blind(range(2), "indienen", "inzage"))[1] == []


def test_the_monitor_is_well_again_when_every_check_could_be_measured():
    own, events = own_after(
        *blind(range(3), "indienen", "inzage"),
        a_sample(".", at("10:03"), "indienen"),
        a_sample("x", at("10:03"), "inzage"),
    )
    assert own == OwnTrouble()
    assert [type(event) for event in events] == [Opened, Resolved]


def test_one_check_that_stays_blind_keeps_the_monitor_s_incident_open():
    own, _ = own_after(*blind(range(3), "indienen", "inzage"), a_sample(".", at("10:03"), "indienen"))
    assert own.incident_id is not None


def test_a_check_that_is_measured_no_more_does_not_keep_it_open_for_ever():
    own, _ = own_after(*blind(range(3), "indienen", "inzage"), a_sample(".", at("12:00"), "indienen"))
    assert own == OwnTrouble()
