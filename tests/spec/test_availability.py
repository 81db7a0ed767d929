"""Availability as a ratio with its bounds, and the three verdicts."""

from __future__ import annotations

from fractions import Fraction

import pytest

from sla.assessment import Verdict
from sla.budget import budgets
from tests.agreements import (
    HOUR,
    MINUTE,
    SECOND,
    all_up_but,
    clause,
    contract,
    entry,
    judge,
    only,
    samples,
    span,
    spans,
)

DAY = span("2026-11-12 00:00", "2026-11-13 00:00")


def test_every_second_of_service_time_has_exactly_one_class():
    measured = spans(
        ("2026-11-12 00:00", "2026-11-12 06:00", "up"),
        ("2026-11-12 06:00", "2026-11-12 08:00", "degraded"),
        ("2026-11-12 08:00", "2026-11-12 11:00", "down"),
        ("2026-11-12 12:00", "2026-11-13 00:00", "up"),
    )
    excluded = entry("exclusion", "2026-11-12 10:00", "2026-11-12 11:30", recorded="2026-11-20 09:00")
    totals = only(judge(contract(), DAY, measured, excluded)).totals
    assert totals is not None
    assert (totals.up_us, totals.degraded_us, totals.down_us) == (18 * HOUR, 2 * HOUR, 2 * HOUR)
    assert (totals.excluded_us, totals.unmeasured_us) == (90 * MINUTE, 30 * MINUTE)


def test_availability_is_good_time_over_measured_time():
    measured = all_up_but(DAY, ("2026-11-12 10:00", "2026-11-12 16:00", "down"))
    found = only(judge(contract(), DAY, measured)).availability
    assert found is not None
    assert (found.lowest, found.point, found.highest) == (Fraction(3, 4), Fraction(3, 4), Fraction(3, 4))


def test_unmeasured_time_may_have_been_down_or_up():
    measured = all_up_but(
        DAY, ("2026-11-12 10:00", "2026-11-12 12:00", "down"), ("2026-11-12 12:00", "2026-11-12 16:00", "unmeasured")
    )
    found = only(judge(contract(), DAY, measured)).availability
    assert found is not None
    assert (found.lowest, found.point, found.highest) == (Fraction(18, 24), Fraction(18, 20), Fraction(22, 24))


@pytest.mark.parametrize(
    ("target", "verdict"), [("0.75", Verdict.MET), ("0.9", Verdict.UNDECIDED), ("0.92", Verdict.MISSED)]
)
def test_a_verdict_needs_the_bounds_to_agree(target: str, verdict: Verdict):
    measured = all_up_but(
        DAY, ("2026-11-12 10:00", "2026-11-12 12:00", "down"), ("2026-11-12 12:00", "2026-11-12 16:00", "unmeasured")
    )
    assert only(judge(contract(clause(target=target)), DAY, measured)).verdict is verdict


def test_a_target_reached_exactly_is_met():
    measured = all_up_but(DAY, ("2026-11-12 10:00", "2026-11-12 16:00", "down"))
    assert only(judge(contract(clause(target="0.75")), DAY, measured)).verdict is Verdict.MET


def test_one_second_too_much_misses_though_the_printed_percentage_looks_the_same():
    measured = all_up_but(DAY, ("2026-11-12 10:00:00", "2026-11-12 16:00:01", "down"))
    found = only(judge(contract(clause(target="0.75")), DAY, measured))
    assert found.verdict is Verdict.MISSED
    assert "74,99 %" in found.reasons[0].nl


def test_no_measured_time_has_no_availability_and_no_verdict():
    """T34: silence is neither 100 %, nor 0 %, nor the last known value."""
    before = spans(("2026-11-11 00:00", "2026-11-12 00:00", "up"))
    found = only(judge(contract(), DAY, before))
    assert found.availability is not None
    assert found.availability.point is None
    assert found.verdict is Verdict.UNDECIDED
    assert found.reasons[0].nl == "Niet gemeten in deze periode."


def test_coverage_below_the_contract_s_minimum_leaves_every_verdict_undecided():
    measured = spans(("2026-11-12 00:00", "2026-11-12 20:00", "up"))
    found = judge(contract(clause(target="0.5"), minimum_coverage="0.9"), DAY, measured)
    assert found.coverage == Fraction(20, 24)
    assert only(found).verdict is Verdict.UNDECIDED
    assert "83,33 %" in only(found).reasons[-1].nl


def test_degraded_time_counts_as_up_unless_the_clause_says_otherwise():
    measured = all_up_but(DAY, ("2026-11-12 10:00", "2026-11-12 16:00", "degraded"))
    assert only(judge(contract(clause()), DAY, measured)).measured == 1
    assert only(judge(contract(clause(degraded="down")), DAY, measured)).measured == Fraction(3, 4)


def test_of_service_time_counts_what_is_excluded_or_unmeasured_as_up():
    measured = all_up_but(
        DAY, ("2026-11-12 10:00", "2026-11-12 16:00", "down"), ("2026-11-12 16:00", "2026-11-12 20:00", "unmeasured")
    )
    excluded = entry("exclusion", "2026-11-12 10:00", "2026-11-12 13:00", recorded="2026-11-20 09:00")
    found = only(judge(contract(clause(formula="of-service-time")), DAY, measured, excluded))
    assert found.measured == Fraction(21, 24)


def two_journeys() -> list:
    one = all_up_but(DAY, ("2026-11-12 06:00", "2026-11-12 12:00", "down"))
    other = all_up_but(DAY, ("2026-11-12 09:00", "2026-11-12 15:00", "down"), journey="inzage")
    return [*one, *other]


@pytest.mark.parametrize(
    ("combine", "point"),
    [
        ("any", Fraction(15, 24)),
        ("all", Fraction(21, 24)),
        ({"weighted": {"indienen": 3, "inzage": 1}}, Fraction(3, 4)),
    ],
    ids=["any", "all", "weighted"],
)
def test_several_journeys_are_down_together_as_the_clause_says(combine: object, point: Fraction):
    agreed = contract(clause(scope=["indienen", "inzage"], combine=combine))
    assert only(judge(agreed, DAY, two_journeys())).measured == point


def test_the_number_of_re_runs_changes_nothing():
    """T35: time is integrated, checks are never averaged."""
    once = samples(".....xxxxx.....", "2026-11-12 10:00")
    often = samples(".....XXXXX.....", "2026-11-12 10:00")
    agreed = contract(clause())
    assert only(judge(agreed, DAY, once)).totals == only(judge(agreed, DAY, often)).totals


def test_a_thousand_outages_all_count():
    """T38: forty seconds of each of a thousand minutes."""
    parts = []
    for i in range(1000):
        hour, minute = divmod(i, 60)
        start = f"2026-11-12 {hour:02}:{minute:02}"
        parts.append((f"{start}:20", f"2026-11-12 {(i + 1) // 60:02}:{(i + 1) % 60:02}", "down"))
    found = judge(contract(), DAY, all_up_but(DAY, *parts))
    totals = only(found).totals
    assert totals is not None
    assert len(found.outages) == 1000
    assert totals.down_us == 40_000 * 1_000_000


def test_the_budget_is_what_the_target_allows_less_what_was_down():
    measured = all_up_but(DAY, ("2026-11-12 10:00", "2026-11-12 10:10", "down"))
    (found,) = budgets(judge(contract(clause(target="0.99")), DAY, measured))
    assert (found.allowed_us, found.spent_us) == (864 * SECOND, 600 * SECOND)
    assert found.left_us == 264 * SECOND
