"""The arithmetic of slots."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.schedule import WHEEL_US, Grid, grid, next_slot, slot_at, slots_between

grids = st.integers(1, 10**11).flatmap(
    lambda interval: st.builds(Grid, interval_us=st.just(interval), phase_us=st.integers(0, interval - 1))
)
instants = st.integers(0, 4 * 10**15)
EVERY_TEN = Grid(interval_us=10, phase_us=3)


def test_the_slot_of_a_moment_is_the_last_one_begun():
    assert [slot_at(EVERY_TEN, now) for now in (12, 13, 22, 23)] == [3, 13, 13, 23]


def test_the_next_slot_lies_strictly_after():
    assert [next_slot(EVERY_TEN, now) for now in (12, 13, 14)] == [13, 23, 23]


def test_slots_between_two_instants_include_the_start_and_not_the_end():
    assert list(slots_between(EVERY_TEN, 13, 43)) == [13, 23, 33]


def test_between_an_instant_and_an_earlier_one_there_are_no_slots():
    assert len(slots_between(EVERY_TEN, 43, 13)) == 0


@given(grids, instants)
def test_every_instant_lies_in_exactly_one_slot(of, now):
    assert slot_at(of, now) <= now < next_slot(of, now)
    assert next_slot(of, slot_at(of, now)) == next_slot(of, now)


@given(grids, instants, st.integers(0, 10**12), st.integers(0, 10**12))
def test_slots_of_two_adjacent_spans_are_those_of_the_whole(of, start, first, second):
    middle, end = start + first, start + first + second
    both = len(slots_between(of, start, middle)) + len(slots_between(of, middle, end))
    assert both == len(slots_between(of, start, end))


@given(st.text(min_size=1), st.integers(1, 10**11))
def test_a_phase_lies_on_the_wheel_within_the_interval(check_id, interval):
    of = grid(check_id, interval)
    assert of.phase_us % WHEEL_US == 0
    assert of.phase_us < interval


def test_the_phase_of_a_check_is_the_same_on_every_machine_and_for_ever():
    assert grid("indienen", 60_000_000).phase_us == 53_700_000


def test_phases_of_many_checks_spread_over_the_interval():
    quarters = [grid(f"check-{n}", 60_000_000).phase_us // 15_000_000 for n in range(400)]
    assert all(70 < quarters.count(quarter) < 130 for quarter in range(4))


@pytest.mark.parametrize(("interval", "phase"), [(0, 0), (10, 10), (10, -1)])
def test_a_grid_that_cannot_be_is_refused(interval, phase):
    with pytest.raises(ValueError, match="no grid"):
        Grid(interval_us=interval, phase_us=phase)
