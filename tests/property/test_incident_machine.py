"""Laws of the incident machine, for every sequence of samples."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.incidents import (
    HEALTHY,
    OWN,
    STATE,
    Failed,
    IncidentRule,
    Ongoing,
    Opened,
    OwnTrouble,
    Recovering,
    Resolved,
    advance,
    advance_own,
)
from probes.sample import Outcome
from tests.heart import MINUTE, a_sample, at, samples_of

pictures = st.text(alphabet=".~xX? ", max_size=60)
in_a_row = st.builds(IncidentRule, open_after=st.integers(1, 4), close_after=st.integers(1, 4))
rules = in_a_row | st.builds(
    lambda after, more, close: IncidentRule(open_after=after, open_among=after + more, close_after=close),
    st.integers(1, 4),
    st.integers(0, 4),
    st.integers(1, 4),
)


def lived(picture, rule, *, restart_before=None):
    """States and events; with a restart, the state goes through its stored text before that sample."""
    state, states, events = HEALTHY, [], []
    for number, sample in enumerate(samples_of(picture)):
        if restart_before is not None and number % restart_before == 0:
            state = STATE.validate_json(STATE.dump_json(state))
        state, happened = advance(state, sample, rule, interval_us=MINUTE)
        states.append(state)
        events += happened
    return states, events


@given(pictures, rules)
def test_openings_and_ends_alternate_beginning_with_an_opening(picture, rule):
    _, events = lived(picture, rule)
    kinds = [type(event) for event in events if not isinstance(event, Failed)]
    assert kinds == [Opened, Resolved] * (len(kinds) // 2) + [Opened] * (len(kinds) % 2)


@given(pictures, rules, st.integers(1, 5))
def test_a_restart_at_any_moment_changes_nothing(picture, rule, every):
    assert lived(picture, rule) == lived(picture, rule, restart_before=every)


@given(pictures, rules)
def test_every_incident_begins_at_a_failure_and_ends_at_a_good_sample_after_it(picture, rule):
    _, events = lived(picture, rule)
    by_slot = {sample.slot_us: sample.outcome for sample in samples_of(picture)}
    for event in events:
        if isinstance(event, Opened):
            assert by_slot[event.since_us] is Outcome.DOWN
            assert event.since_us <= event.confirmed_us
        if isinstance(event, Resolved):
            assert by_slot[event.until_us] in (Outcome.UP, Outcome.DEGRADED)
            assert event.since_us <= event.last_bad_us < event.until_us


@given(pictures, rules)
def test_incidents_never_overlap_and_never_share_a_name(picture, rule):
    _, events = lived(picture, rule)
    names = [event.incident_id for event in events if isinstance(event, Opened)]
    ends = [event.until_us for event in events if isinstance(event, Resolved)]
    begins = [event.since_us for event in events if isinstance(event, Opened)]
    assert len(names) == len(set(names))
    assert all(end <= begin for end, begin in zip(ends, begins[1:], strict=False))


@given(pictures, rules)
def test_unknown_samples_can_be_left_out_without_changing_anything(picture, rule):
    _, with_unknown = lived(picture, rule)
    _, without = lived(picture.replace("?", " "), rule)
    assert with_unknown == without


@given(pictures, rules)
def test_a_stricter_opening_never_opens_earlier(picture, rule):
    _, events = lived(picture, rule)
    among = rule.open_among and max(rule.open_among, rule.open_after + 1)
    _, stricter = lived(picture, rule.model_copy(update={"open_after": rule.open_after + 1, "open_among": among}))
    first = [event.confirmed_us for event in events if isinstance(event, Opened)]
    later = [event.confirmed_us for event in stricter if isinstance(event, Opened)]
    assert not later or (first and first[0] <= later[0])


@given(pictures, rules)
def test_after_enough_good_samples_all_is_well_again(picture, rule):
    enough = max(rule.close_after, max(rule.open_among - rule.open_after, 0) + 1)
    states, _ = lived(picture + "." * enough, rule)
    assert states[-1] == HEALTHY


@given(pictures, rules)
def test_after_enough_failures_an_incident_is_open(picture, rule):
    states, _ = lived(picture + "x" * rule.open_after, rule)
    assert isinstance(states[-1], Ongoing | Recovering)


@given(pictures, in_a_row)
def test_as_many_among_as_many_is_the_same_as_in_a_row(picture, rule):
    assert lived(picture, rule.model_copy(update={"open_among": rule.open_after})) == lived(picture, rule)


@given(pictures, rules, st.integers(1, 3))
def test_looking_further_back_never_opens_later(picture, rule, more):
    wider = rule.model_copy(update={"open_among": (rule.open_among or rule.open_after) + more})
    first = [event.confirmed_us for event in lived(picture, rule)[1] if isinstance(event, Opened)]
    sooner = [event.confirmed_us for event in lived(picture, wider)[1] if isinstance(event, Opened)]
    assert not first or sooner[0] <= first[0]


@given(pictures, rules)
def test_enough_of_the_runs_looked_at_failed_where_one_opens_and_before_that_never(picture, rule):
    """Reckoned anew from the runs themselves, until the first opening."""
    among, runs = rule.open_among or rule.open_after, []
    expected = None
    for sample in samples_of(picture):
        if runs and sample.slot_us - runs[-1][0] > rule.forget_after and sample.outcome is not Outcome.UNKNOWN:
            runs = []
        for _ in range(sample.attempts if sample.outcome is not Outcome.UNKNOWN else 0):
            runs.append((sample.slot_us, sample.outcome is Outcome.DOWN))
            bad = [slot_us for slot_us, failed in runs[-among:] if failed]
            if expected is None and len(bad) >= rule.open_after:
                expected = (bad[0], sample.slot_us)
    found = [(e.since_us, e.confirmed_us) for e in lived(picture, rule)[1] if isinstance(e, Opened)]
    assert (found[0] if found else None) == expected


@settings(max_examples=50)
@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.sampled_from(".x?")), max_size=40))
def test_the_monitor_s_own_incident_alternates_too_and_survives_restarts(marks):
    rule = IncidentRule(unknown_after=2)
    own, again, events = OwnTrouble(), OwnTrouble(), []
    for number, (check, mark) in enumerate(marks):
        sample = a_sample(mark, at("10:00") + number * MINUTE, check)
        own, happened = advance_own(own, sample, rule, interval_us=MINUTE)
        again, _ = advance_own(OWN.validate_json(OWN.dump_json(again)), sample, rule, interval_us=MINUTE)
        events += [type(event) for event in happened if not isinstance(event, Failed)]
    assert again == own
    assert events == [Opened, Resolved] * (len(events) // 2) + [Opened] * (len(events) % 2)


@given(st.text(alphabet=".~xX?", max_size=40), st.lists(st.integers(0, 600), min_size=40, max_size=40), rules)
def test_no_incident_lasts_less_than_no_time_however_the_clock_is_set(picture, minutes, rule):
    """T20."""
    state, own, events = HEALTHY, OwnTrouble(), []
    for mark, minute in zip(picture, minutes, strict=False):
        sample = a_sample(mark, at("10:00") + minute * MINUTE)
        state, happened = advance(state, sample, rule, interval_us=MINUTE)
        own, ours = advance_own(own, sample, rule, interval_us=MINUTE)
        events += happened + ours
    assert all(event.since_us <= event.confirmed_us for event in events if isinstance(event, Opened))
    ended = [event for event in events if isinstance(event, Resolved)]
    assert all(event.since_us <= event.last_bad_us <= event.until_us for event in ended)
