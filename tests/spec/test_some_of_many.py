"""Some failures among the last runs open an incident, though good runs lie between them."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from monitor.incidents import HEALTHY, STATE, Failed, Healthy, IncidentRule, Mark, Ongoing, Opened, Resolved, Suspect
from tests.heart import BROKEN, MINUTE, at, played

TWO_OF_FOUR = IncidentRule(open_after=2, open_among=4, close_after=2)
THREE_OF_FIVE = IncidentRule(open_after=3, open_among=5, close_after=2)


def openings(picture: str, rule: IncidentRule) -> list[tuple[int, int]]:
    """When incidents began and when that was confirmed, in minutes since the first sample."""
    _, events = played(picture, rule)
    return [
        ((event.since_us - at("10:00")) // MINUTE, (event.confirmed_us - at("10:00")) // MINUTE)
        for event in events
        if isinstance(event, Opened)
    ]


@pytest.mark.parametrize(
    ("picture", "rule", "expected"),
    [
        ("x.x", TWO_OF_FOUR, [(0, 2)]),
        ("x..x", TWO_OF_FOUR, [(0, 3)]),
        ("x...x", TWO_OF_FOUR, []),
        ("x...x..x", TWO_OF_FOUR, [(4, 7)]),
        ("xx", TWO_OF_FOUR, [(0, 1)]),
        ("X", TWO_OF_FOUR, [(0, 0)]),
        (".x~x", TWO_OF_FOUR, [(1, 3)]),
        ("x?????x", TWO_OF_FOUR, [(0, 6)]),
        ("x.x.x", THREE_OF_FIVE, [(0, 4)]),
        ("x..xx", THREE_OF_FIVE, [(0, 4)]),
        ("x...xx.x", THREE_OF_FIVE, [(4, 7)]),
        ("x..x.x", THREE_OF_FIVE, []),
        ("X.x", THREE_OF_FIVE, [(0, 2)]),
        ("x.X", THREE_OF_FIVE, [(0, 2)]),
        ("x" + " " * 61 + ".x", TWO_OF_FOUR, []),
    ],
)
def test_so_many_failures_among_the_last_runs_open_an_incident_dated_at_the_first_of_them(picture, rule, expected):
    assert openings(picture, rule) == expected


def test_without_a_re_run_a_portal_that_fails_every_second_time_is_found_out():
    """In a row that never opens; among four it does."""
    in_a_row = IncidentRule(rerun=False, open_after=2)
    assert openings("x.x.x.x.", in_a_row) == []
    assert openings("x.x.x.x.", in_a_row.model_copy(update={"open_among": 4})) == [(0, 2)]


def test_it_ends_after_good_samples_in_a_row_however_it_opened():
    state, events = played("x.x.x..", TWO_OF_FOUR)
    ends = [event for event in events if isinstance(event, Resolved)]
    assert (state, [event.until_us for event in ends]) == (HEALTHY, [at("10:05")])


def test_failures_before_an_incident_do_not_count_towards_the_next():
    assert openings("x.x..x", TWO_OF_FOUR) == [(0, 2)]


def test_failures_too_few_to_open_one_are_forgotten_when_no_more_can_join_them():
    assert isinstance(played("x..", TWO_OF_FOUR)[0], Suspect)
    assert isinstance(played("x...", TWO_OF_FOUR)[0], Healthy)


def test_a_restart_remembers_the_runs_that_count():
    state, _ = played("x.", TWO_OF_FOUR)
    again = STATE.validate_json(STATE.dump_json(state))
    marks = (Mark(slot_us=at("10:00"), failure=BROKEN), Mark(slot_us=at("10:01")))
    assert again == Suspect(since_us=at("10:00"), last_us=at("10:01"), failures=1, failure=BROKEN, marks=marks)


def test_what_an_earlier_version_remembered_goes_on():
    """Its states hold no marks; then all of the runs failed."""
    before = f'{{"kind":"suspect","since_us":{at("09:58")},"last_us":{at("09:59")},"failures":2,' + (
        '"failure":{"kind":"http-status","step":"verzenden","subject":"status","expected":"200","found":"500"}}'
    )
    state = STATE.validate_json(before)
    assert isinstance(played("x", THREE_OF_FIVE, state)[0], Ongoing)
    assert isinstance(played(".x", THREE_OF_FIVE, state)[0], Ongoing)
    assert isinstance(played("...x", THREE_OF_FIVE, state)[0], Suspect)


def test_that_it_goes_on_failing_is_told_of_the_same_incident():
    _, events = played("x.x.x", TWO_OF_FOUR)
    assert [type(event) for event in events] == [Opened, Failed]
    assert len({event.incident_id for event in events}) == 1


@pytest.mark.parametrize(("after", "among"), [(3, 2), (2, 1), (2, 101), (2, -1)])
def test_numbers_that_cannot_be_are_refused(after, among):
    with pytest.raises(ValidationError, match="open_among"):
        IncidentRule(open_after=after, open_among=among)


@pytest.mark.parametrize(("after", "among"), [(3, 0), (3, 3), (3, 4), (3, 100), (1, 1)])
def test_as_many_as_are_asked_for_or_more_can_be_looked_at(after, among):
    assert IncidentRule(open_after=after, open_among=among).open_among == among
