"""Sanctions by the day: which days count, which are free, and bounds per day and per clause."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from sla.assessment import ClauseResult
from tests.agreements import all_up_but, clause, contract, judge, only, span

NOVEMBER = span("2026-11-01 00:00", "2026-12-01 00:00")
DAILY = {"scale": "daily", "amount": "EUR 100"}


def too_long(rule: dict[str, Any], *bad: tuple[str, str], limit: str = "4h", **version: Any) -> ClauseResult:
    """No outage longer than the limit, round the clock; November 2026."""
    agreed = contract(
        {"id": "S1", "kind": "outage-duration", "scope": ["indienen"], "limit": limit, "sanction": rule}, **version
    )
    return only(judge(agreed, NOVEMBER, all_up_but(NOVEMBER, *((a, b, "down") for a, b in bad))))


def due(rule: dict[str, Any], *bad: tuple[str, str], **more: Any) -> Decimal:
    return too_long(rule, *bad, **more).sanction.amount_eur


THURSDAY_TO_MONDAY = ("2026-11-12 22:00", "2026-11-16 01:00")


def test_every_calendar_day_on_which_the_limit_is_exceeded_costs_its_amount():
    """Down from Thursday 22:00; the four hours end on Friday at 02:00: Friday, Saturday, Sunday and Monday."""
    assert due(DAILY, THURSDAY_TO_MONDAY) == Decimal("400.00")


def test_of_working_days_only_those_that_are_no_weekend_and_no_holiday_count():
    working = {**DAILY, "days": "working"}
    assert due(working, THURSDAY_TO_MONDAY) == Decimal("200.00")
    assert due(working, THURSDAY_TO_MONDAY, holidays=[date(2026, 11, 13)]) == Decimal("100.00")


@pytest.mark.parametrize(("free", "amount"), [(1, "300.00"), (4, "0.00"), (9, "0.00")])
def test_the_first_days_of_a_failure_are_free_where_the_contract_says_so(free: int, amount: str):
    assert due({**DAILY, "free_days": free}, THURSDAY_TO_MONDAY) == Decimal(amount)


def test_a_day_with_two_failures_is_one_day():
    twice = ("2026-11-12 01:00", "2026-11-12 06:00"), ("2026-11-12 12:00", "2026-11-12 18:00")
    assert due(DAILY, *twice) == Decimal("100.00")


def test_a_day_that_is_free_for_one_failure_may_count_for_another():
    long, short = ("2026-11-12 01:00", "2026-11-13 12:00"), ("2026-11-13 14:00", "2026-11-13 20:00")
    assert due({**DAILY, "free_days": 1}, long, short) == Decimal("100.00")


def test_days_are_those_of_the_wall_s_clock():
    """23:00 UTC on 11 November is midnight in Brussels."""
    assert due(DAILY, ("2026-11-11 19:59", "2026-11-12 00:00")) == Decimal("100.00")
    assert due(DAILY, ("2026-11-11 20:00", "2026-11-12 00:01")) == Decimal("100.00")
    assert due(DAILY, ("2026-11-11 19:59", "2026-11-12 00:01")) == Decimal("200.00")


@pytest.mark.parametrize(
    ("bounds", "amount"),
    [
        ({"minimum_per_day": "EUR 150"}, "600.00"),
        ({"maximum_per_day": "EUR 20"}, "80.00"),
        ({"minimum": "EUR 1000"}, "1000.00"),
        ({"maximum": "EUR 250"}, "250.00"),
    ],
    ids=lambda value: str(value),
)
def test_bounds_hold_per_day_and_per_clause(bounds: dict[str, str], amount: str):
    assert due({**DAILY, **bounds}, THURSDAY_TO_MONDAY) == Decimal(amount)


def test_of_an_availability_the_days_after_its_own_downtime_was_spent_count():
    """1 % of 30 days is 7 h 12; the first outage spends 7 h, the second 12 minutes more and then goes beyond."""
    agreed = contract(clause(sanction=DAILY))
    bad = ("2026-11-03 00:00", "2026-11-03 07:00", "down"), ("2026-11-10 10:00", "2026-11-10 11:00", "down")
    found = only(judge(agreed, NOVEMBER, all_up_but(NOVEMBER, *bad)))
    assert found.sanction.amount_eur == Decimal("100.00")
    assert "(10-11-2026)" in found.sanction.lines[0].text.nl


def test_of_a_number_of_outages_the_days_of_those_beyond_it_count():
    agreed = contract({"id": "N1", "kind": "outage-count", "scope": ["indienen"], "limit": 1, "sanction": DAILY})
    bad = [(f"2026-11-{day:02d} 10:00", f"2026-11-{day:02d} 11:00", "down") for day in (3, 5, 9)]
    assert only(judge(agreed, NOVEMBER, all_up_but(NOVEMBER, *bad))).sanction.amount_eur == Decimal("200.00")  # type: ignore[arg-type]


def test_its_line_names_the_days():
    (line,) = too_long({**DAILY, "days": "working", "free_days": 1}, THURSDAY_TO_MONDAY).sanction.lines
    assert line.text.nl == (
        "S1: 1 werkdag boven de norm, na 1 vrije dag per storing (16-11-2026) × EUR 100 (EUR 100,00)"
    )
    (line,) = too_long({**DAILY, "maximum_per_day": "EUR 40"}, THURSDAY_TO_MONDAY).sanction.lines
    assert line.text.en == (
        "S1: 4 calendar days beyond the limit (13-11-2026 to 16-11-2026) × EUR 100 (EUR 40.00 maximum)"
    )


@pytest.mark.parametrize(
    ("wrong", "because"),
    [
        ({"kind": "response-time", "percentile": "95", "limit": "3s"}, "cannot be daily"),
        ({"kind": "availability", "target": "0.99", "combine": {"weighted": {"indienen": 1}}}, "of no single day"),
    ],
    ids=["response time", "weighted mean"],
)
def test_a_clause_without_days_cannot_be_sanctioned_by_the_day(wrong: dict[str, Any], because: str):
    with pytest.raises(ValueError, match=because):
        contract({"id": "X1", "scope": ["indienen"], "sanction": DAILY, **wrong})
