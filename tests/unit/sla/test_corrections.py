"""Stretches that are supposed to have been otherwise, laid over what is known of a journey."""

from __future__ import annotations

from sla.corrections import Correction, corrected
from sla.intervals import IntervalSet, Span
from sla.measurements import RawOutage, Rule, State, Track

OUTAGE = RawOutage(last_good_us=8, first_bad_us=10, last_bad_us=18, first_good_us=20, ends_us=20, failures=("timeout",))
USUAL = Rule()
KNOWN = Track(measured=IntervalSet.of((Span(start_us=0, end_us=30),)), outages=(OUTAGE,))


def laid(start: int, end: int, state: State, *, rule: Rule = USUAL, **more: bool) -> Track:
    span = Span(start_us=start, end_us=end)
    return corrected(KNOWN, [Correction(journey="indienen", span=span, state=state, **more)], rule)


def edges(track: Track) -> list[tuple[int | None, int, int, int | None, int]]:
    return [(o.last_good_us, o.first_bad_us, o.last_bad_us, o.first_good_us, o.ends_us) for o in track.outages]


def test_good_time_over_a_whole_outage_takes_it_away():
    assert edges(laid(8, 20, "up")) == []


def test_good_time_inside_an_outage_makes_two_of_it():
    assert edges(laid(12, 14, "up")) == [(8, 10, 12, 12, 12), (14, 14, 18, 20, 20)]


def test_good_time_over_the_beginning_moves_it():
    assert edges(laid(5, 13, "up")) == [(13, 13, 18, 20, 20)]


def test_good_time_after_the_last_failure_ends_the_outage_there():
    assert edges(laid(19, 25, "up")) == [(8, 10, 18, 19, 19)]


def test_good_time_elsewhere_leaves_an_outage_as_it_was():
    assert edges(laid(20, 25, "up")) == [(8, 10, 18, 20, 20)]


def test_an_outage_elsewhere_is_one_more():
    assert edges(laid(22, 25, "down")) == [(8, 10, 18, 20, 20), (22, 22, 25, 25, 25)]


def test_an_outage_that_touches_another_is_one_with_it():
    found = laid(15, 25, "down")
    assert edges(found) == [(8, 10, 25, 25, 25)]
    assert found.outages[0].failures == ("timeout",)


def test_unmeasured_time_does_not_end_an_outage():
    found = laid(12, 14, "unmeasured")
    assert edges(found) == [(8, 10, 18, 20, 20)]
    assert found.measured.length_us == 28


def test_degraded_time_is_an_outage_where_the_rule_says_so():
    assert laid(22, 25, "degraded").degraded.length_us == 3
    strict = laid(22, 25, "degraded", rule=Rule(degraded_is_down=True))
    assert (strict.degraded.length_us, len(strict.outages)) == (0, 2)


def test_time_that_was_not_measured_becomes_known_unless_only_measured_time_is_meant():
    assert laid(25, 40, "up").measured.length_us == 40
    assert laid(25, 40, "up", measured_only=True).measured.length_us == 30
