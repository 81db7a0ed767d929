"""Credits, points and penalties that others published: our scales come to their worked amounts.

Not usable: Virginia VITA and the service levels of the Swedish state (parameters without a worked amount); the rules of
the European Parliament (a committee decides; the warning before points is held in tests/spec); art. 46/1, 47 and 154 of
the royal decree of 14 January 2013 (their amounts were not found in a source).
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from sla.assessment import Span
from sla.measurements import SpanIn
from sla.period import calendar_span
from tests.agreements import BRUSSELS, clause, contract, judge, only, span
from tests.peers import case_file

DAY = span("2026-11-12 00:00", "2026-11-13 00:00")
CASES = case_file("credits")


def at_percent(period: Span, percent: str) -> list[SpanIn]:
    """Up for so much of the period, then down."""
    up = period.start_us + int(period.length_us * Decimal(percent) / 100)
    return [
        SpanIn(journey="indienen", start_us=period.start_us, end_us=up, state="up"),
        SpanIn(journey="indienen", start_us=up, end_us=period.end_us, state="down"),
    ]


@pytest.mark.parametrize("case", CASES["cases"], ids=lambda c: c["name"])
def test_the_scale_comes_to_their_amount(case: dict[str, Any]):
    agreed = contract(clause(target=case["target"], sanction=case["sanction"]))
    assert only(judge(agreed, DAY, at_percent(DAY, case["actual"]))).sanction.amount_eur == Decimal(case["expected"])


@pytest.mark.parametrize("case", CASES["penalties"], ids=lambda c: c["name"])
def test_the_penalties_of_the_law_come_to_their_amount_between_their_bounds(case: dict[str, Any]):
    agreed = contract(clause(sanction=case["sanction"]), contract_value=case["value"])
    assert only(judge(agreed, DAY, at_percent(DAY, "75"))).sanction.amount_eur == Decimal(case["expected"])


UK_POINTS = {
    "scale": "points",
    "bands": [{"below": edge, "points": n} for n, edge in enumerate(("0.99", "0.98", "0.97", "0.96"), start=1)],
    "repeat_factor": 2,
}


@pytest.mark.parametrize("case", CASES["repeats"], ids=lambda c: " ".join(c["months"]))
def test_uk_service_points_double_in_two_consecutive_periods(case: dict[str, Any]):
    """Their bands are printed to one decimal and leave 98.95 open; ours begin below 99 exactly."""
    months = [calendar_span("month", date(2026, m, 1), BRUSSELS) for m in range(1, 1 + len(case["months"]))]
    measured = [m for month, percent in zip(months, case["months"], strict=True) for m in at_percent(month, percent)]
    agreed = contract(clause(sanction=UK_POINTS), points={"each": "EUR 100"})
    found = [only(judge(agreed, month, measured)) for month in months]
    assert [c.points for c in found] == case["points"]
    assert [c.sanction.amount_eur for c in found] == [100 * n for n in case["points"]]
