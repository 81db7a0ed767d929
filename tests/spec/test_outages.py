"""What an outage is: confirmation, edges as intervals, and what a monitor that saw nothing may say."""

from __future__ import annotations

import pytest

from tests.agreements import MINUTE, SECOND, at, clause, contract, judge, only, samples, span

HOUR_OF = span("2026-11-12 10:00", "2026-11-12 11:00")
START = "2026-11-12 10:00"


def down_us(picture: str, **more: object) -> int:
    totals = only(judge(contract(clause(**more)), HOUR_OF, samples(picture, START))).totals
    assert totals is not None
    return totals.down_us


def test_an_outage_is_dated_at_its_first_failure_not_at_its_confirmation():
    found = judge(contract(), HOUR_OF, samples("....xxx...", START))
    (outage,) = found.outages
    assert outage.id == "indienen-20261112T0904Z"
    assert (outage.last_good_us, outage.first_bad_us) == (at("2026-11-12 10:03"), at("2026-11-12 10:04"))
    assert (outage.last_bad_us, outage.first_good_us) == (at("2026-11-12 10:06"), at("2026-11-12 10:07"))


@pytest.mark.parametrize(
    ("boundary", "minutes"), [("observed", 3), ("certain", 2), ("widest", 4)], ids=["observed", "certain", "widest"]
)
def test_the_contract_chooses_which_edges_count(boundary: str, minutes: int):
    assert down_us("....xxx...", boundary=boundary) == minutes * MINUTE


def test_a_single_failure_is_a_blip_kept_listed_and_counted_as_up():
    found = judge(contract(), HOUR_OF, samples("....x.....", START))
    totals = only(found).totals
    assert totals is not None
    assert totals.down_us == 0
    assert [(b.due_us, b.failure) for b in found.blips] == [(at("2026-11-12 10:04"), "http-status verzenden")]


def test_a_failure_whose_re_run_failed_too_is_confirmed_at_once():
    assert down_us("....X.....") == MINUTE


def test_three_failures_may_be_asked_for():
    assert down_us("....xx....", confirm_after=3) == 0
    assert down_us("....xxx...", confirm_after=3) == 3 * MINUTE


def test_one_success_between_two_failures_keeps_both_unconfirmed():
    assert down_us("...x.x....") == 0


def test_unmeasured_time_inside_an_outage_stays_unmeasured_and_does_not_end_it():
    found = judge(contract(), HOUR_OF, samples("..xx???xx..", START))
    totals = only(found).totals
    assert totals is not None
    assert len(found.outages) == 1
    assert totals.down_us == 4 * MINUTE
    assert totals.unmeasured_us == 60 * MINUTE - 9 * MINUTE


def test_a_sample_speaks_for_two_intervals_at_most():
    """T3: the monitor's own absence is neither outage nor uptime."""
    totals = only(judge(contract(), HOUR_OF, samples("." + " " * 29 + ".", START))).totals
    assert totals is not None
    assert totals.up_us == 4 * MINUTE
    assert totals.unmeasured_us == 56 * MINUTE


def test_unknown_samples_are_unmeasured_time():
    """T1: our own trouble is no downtime."""
    totals = only(judge(contract(), HOUR_OF, samples("?" * 60, START))).totals
    assert totals is not None
    assert (totals.up_us, totals.down_us, totals.unmeasured_us) == (0, 0, 60 * MINUTE)


def test_an_outage_under_way_when_measuring_stopped_has_no_known_end():
    found = judge(contract(), HOUR_OF, samples("..xx", START))
    (outage,) = found.outages
    assert outage.first_good_us is None
    assert outage.counted == {"B1": 3 * MINUTE}


def test_an_outage_across_opening_time_counts_from_opening_time():
    agreed = contract(clause(window="dienst"))
    morning = span("2026-11-12 00:00", "2026-11-13 00:00")
    found = judge(agreed, morning, samples("." + "x" * 30 + "....", "2026-11-12 07:15"))
    (outage,) = found.outages
    assert outage.counted == {"B1": 16 * MINUTE}
    assert outage.outside_service_us == 14 * MINUTE


def test_without_a_quorum_one_location_that_gets_through_proves_that_it_works():
    measured = [
        *samples("..xxx....", START, location="brussel"),
        *samples(".........", START, location="gent"),
    ]
    totals = only(judge(contract(), HOUR_OF, sorted(measured, key=lambda s: s.due_us))).totals
    assert totals is not None
    assert totals.down_us == 0


def test_a_quorum_of_locations_confirms_at_once():
    measured = [*samples("..x......", START, location="brussel"), *samples("..x......", START, location="gent")]
    agreed = contract(clause(quorum=2))
    totals = only(judge(agreed, HOUR_OF, sorted(measured, key=lambda s: s.due_us))).totals
    assert totals is not None
    assert totals.down_us == MINUTE


def test_a_vote_older_than_two_intervals_is_no_vote():
    """T39: one location saw it fail and went silent; the other's later failure is not agreement."""
    measured = [*samples("..x", START, location="brussel"), *samples("......x..", START, location="gent")]
    totals = only(judge(contract(clause(quorum=2)), HOUR_OF, sorted(measured, key=lambda s: s.due_us))).totals
    assert totals is not None
    assert totals.down_us == 0


def test_no_fresh_vote_at_all_is_unmeasured_not_agreement():
    """T40"""
    measured = [*samples("..xx", START, location="brussel"), *samples("..xx", START, location="gent")]
    totals = only(judge(contract(clause(quorum=2)), HOUR_OF, sorted(measured, key=lambda s: s.due_us))).totals
    assert totals is not None
    assert totals.down_us == 3 * MINUTE
    assert totals.unmeasured_us == 55 * MINUTE


def test_ids_of_outages_tell_seconds_only_where_there_are_any():
    found = judge(contract(), HOUR_OF, samples("....xx....", "2026-11-12 10:00:30"))
    assert [o.id for o in found.outages] == ["indienen-20261112T090430Z"]
    assert found.outages[0].counted == {"B1": 120 * SECOND}
