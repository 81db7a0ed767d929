"""Service points: bands, repeats, warnings, and what the points of a period cost together."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from sla.assessment import Assessment
from sla.contract import Contract
from sla.ledger_kinds import Earlier, problems
from sla.measurements import SpanIn
from sla.plan import data_span
from tests.agreements import MINUTE, clause, contract, entry, judge, span

SEPTEMBER = span("2026-09-01 00:00", "2026-10-01 00:00")
OCTOBER = span("2026-10-01 00:00", "2026-11-01 00:00")
NOVEMBER = span("2026-11-01 00:00", "2026-12-01 00:00")
MONTHS = (SEPTEMBER, OCTOBER, NOVEMBER)
DOUBLED = {"scale": "points", "points": 3, "repeat_factor": 2}
EACH = {"each": "1% of monthly-fee"}


def measured(*hours_down: float, journey: str = "indienen") -> list[SpanIn]:
    """Months in order up to November, each down for so many hours from its sixth day."""
    found = []
    for month, hours in zip(MONTHS[-len(hours_down) :], hours_down, strict=True):
        start = month.start_us + 5 * 24 * 60 * MINUTE
        end = start + int(hours * 60) * MINUTE
        edges = [(month.start_us, start, "up"), (start, end, "down"), (end, month.end_us, "up")]
        found += [SpanIn(journey=journey, start_us=a, end_us=b, state=s) for a, b, s in edges if b > a]  # type: ignore[arg-type]
    return found


def agreed(rule: dict[str, Any] = DOUBLED, points: dict[str, Any] = EACH, **version: Any) -> Contract:
    return contract(clause(sanction=rule), points=points, **version)


def november(rule: dict[str, Any], *hours_down: float, points: dict[str, Any] = EACH) -> Assessment:
    return judge(agreed(rule, points), NOVEMBER, measured(*hours_down))


MISS = 10.0  # hours; 1 % of a month is 7.2 or 7.44


@pytest.mark.parametrize(
    ("hours", "points"),
    [((MISS,), 3), ((MISS, MISS), 6), ((0, MISS), 3), ((MISS, 0, MISS), 3), ((MISS, 0), 0)],
    ids=["nothing known before", "missed before", "met before", "missed two before", "met now"],
)
def test_points_are_doubled_where_the_clause_was_missed_in_the_period_before(hours: tuple[float, ...], points: int):
    found = november(DOUBLED, *hours)
    assert found.clauses[0].points == points
    assert found.total.amount_eur == points * Decimal("1000.00")


def test_the_contract_says_how_many_periods_back_a_repeat_reaches():
    assert november({**DOUBLED, "repeat_within": 2}, MISS, 0, MISS).clauses[0].points == 6


def test_a_first_miss_may_be_a_warning_only():
    warning = {"scale": "points", "points": 3, "repeat_within": 2, "first": "warning"}
    found = november(warning, MISS)
    assert (found.clauses[0].points, found.total.amount_eur) == (0, Decimal("0.00"))
    assert found.clauses[0].sanction.lines[0].text.nl == ("B1: niet gehaald, eerste keer: waarschuwing, geen punten")
    assert november(warning, MISS, 0, MISS).clauses[0].points == 3


def test_what_was_not_measured_before_was_not_missed():
    unmeasured = [m for m in measured(MISS, MISS) if m.start_us >= NOVEMBER.start_us]
    assert judge(agreed(), NOVEMBER, unmeasured).clauses[0].points == 3


def test_measurements_must_reach_back_to_the_periods_that_decide_a_repeat():
    assert data_span(agreed(), NOVEMBER).start_us < OCTOBER.start_us
    assert data_span(agreed({"scale": "points", "points": 3}), NOVEMBER).start_us > OCTOBER.start_us
    back = data_span(agreed(points={**EACH, "over": 3}), NOVEMBER)
    assert back.start_us < span("2026-08-01 00:00", "2026-08-02 00:00").start_us


def test_an_exclusion_in_the_period_before_takes_the_repeat_away():
    everything = entry("exclusion", "2026-10-06 00:00", "2026-10-07 00:00", recorded="2026-11-02 09:00")
    found = judge(agreed(), NOVEMBER, measured(MISS, MISS), everything)
    assert found.clauses[0].points == 3
    assert found.windows == ()


@pytest.mark.parametrize(("laid_down", "points"), [("0", 3), ("3", 6)])
def test_what_a_decision_laid_down_for_a_period_before_stands_in_place_of_its_measurements(laid_down: str, points: int):
    decided = entry(
        "decision", "2026-10-01 00:00", "2026-11-01 00:00", recorded="2026-11-10 09:00", clause="B1", points=laid_down
    )
    october = 0 if laid_down == "3" else MISS
    assert judge(agreed(), NOVEMBER, measured(october, MISS), decided).clauses[0].points == points


def test_a_whole_quarter_asked_at_once_gives_the_same_points_month_by_month():
    quarter = span("2026-10-01 00:00", "2027-01-01 00:00")
    found = judge(agreed(), quarter, measured(MISS, MISS, MISS))
    assert [c.points for c in found.clauses] == [6, 6, 0]


# --- what points cost ----------------------------------------------------------------------------------------------

TABLE = [{"from_points": 3, "amount": "EUR 500"}, {"from_points": 6, "amount": "EUR 2000"}]


def test_a_table_asks_the_highest_threshold_that_was_reached():
    assert november(DOUBLED, 0, MISS, points={"thresholds": TABLE}).total.amount_eur == Decimal("500.00")
    assert november(DOUBLED, MISS, MISS, points={"thresholds": TABLE}).total.amount_eur == Decimal("2000.00")


def test_over_several_periods_no_point_is_asked_twice():
    """September 3 points and October none: EUR 500 was due in September. November's 3 make 6: EUR 2 000 less 500."""
    over = {"thresholds": TABLE, "over": 3}
    assert november(DOUBLED, MISS, 0, MISS, points=over).total.amount_eur == Decimal("1500.00")
    assert november(DOUBLED, MISS, 0, 0, points=over).total.amount_eur == Decimal("0.00")


def test_the_first_points_may_be_free():
    assert november(DOUBLED, MISS, MISS, points={**EACH, "free": 4}).total.amount_eur == Decimal("2000.00")


def two(
    first: dict[str, Any], second: dict[str, Any], points: dict[str, Any], *, same: bool, **more: Any
) -> Assessment:
    journey = "indienen" if same else "inzage"
    clauses = clause(id="B1", sanction=first), clause(id="B2", scope=[journey], window="altijd", sanction=second)
    lines = measured(MISS) if same else [*measured(MISS), *measured(MISS, journey="inzage")]
    return judge(contract(*clauses, points=points, **more), NOVEMBER, lines)


THREE, TWO = {"scale": "points", "points": 3}, {"scale": "points", "points": 2}


def test_the_points_of_all_clauses_count_together_and_each_carries_its_share():
    found = two(THREE, TWO, {"thresholds": [{"from_points": 5, "amount": "EUR 1000.01"}]}, same=False)
    assert [c.sanction.amount_eur for c in found.clauses] == [Decimal("600.01"), Decimal("400.00")]
    assert found.total.amount_eur == Decimal("1000.01")


def test_one_failure_gives_points_once_and_reaches_no_threshold_twice():
    table = {"thresholds": [{"from_points": 5, "amount": "EUR 1000"}]}
    found = two(THREE, TWO, table, same=True)
    assert [c.points for c in found.clauses] == [3, 0]
    assert found.total.amount_eur == Decimal("0.00")
    assert found.clauses[1].sanction.lines[-1].text.nl == "B2: zelfde storing als B1, de punten tellen niet mee"
    assert two(THREE, TWO, table, same=True, punish_twice=True).total.amount_eur == Decimal("1000.00")


def test_points_give_way_to_a_higher_amount_for_the_same_failure():
    found = two(THREE, {"scale": "fixed", "amount": "EUR 5000"}, EACH, same=True)
    assert ([c.points for c in found.clauses], found.total.amount_eur) == ([0, None], Decimal("5000.00"))


def test_a_maximum_and_a_cap_bound_points_too():
    assert november({**DOUBLED, "maximum": "EUR 700"}, MISS).total.amount_eur == Decimal("700.00")
    capped = judge(agreed(cap={"clause": "EUR 600"}), NOVEMBER, measured(MISS))
    assert capped.total.amount_eur == Decimal("600.00")


def test_its_lines_can_be_redone_by_hand():
    bands = {"scale": "points", "bands": [{"below": "0.99", "points": 2}], "repeat_factor": 2}
    first, second = november(bands, MISS, MISS).clauses[0].sanction.lines
    assert first.text.nl == ("B1: onder 99 %, 2 punten, herhaald (ook niet gehaald in 2026-10) × 2 = 4 punten")
    assert second.text.nl == "B1: 4 punten van de 4 in 2026-11; 1 % van de maandprijs (EUR 1.000,00) per punt"
    assert (first.amount_eur, second.amount_eur) == (Decimal("0.00"), Decimal("4000.00"))


# --- mistakes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "version", "because"),
    [
        (THREE, {}, "add \\[version.points\\]"),
        ({**THREE, "bands": [{"below": "0.9", "points": 1}]}, {"points": EACH}, "one of the two"),
        ({"scale": "points", "bands": [{"above": "4h", "points": 1}]}, {"points": EACH}, "is about a ratio"),
        (THREE, {"points": {**EACH, "thresholds": TABLE}}, "one of the two"),
        (THREE, {"points": {"thresholds": TABLE, "free": 1}}, "take free out"),
        (THREE, {"points": {"each": "1% of contract-value"}}, "points needs contract_value"),
    ],
)
def test_a_contract_with_points_that_mean_nothing_is_refused(
    rule: dict[str, Any], version: dict[str, Any], because: str
):
    with pytest.raises(ValueError, match=because):
        contract(clause(sanction=rule), **version)


def test_points_over_rolling_days_are_refused():
    with pytest.raises(ValueError, match="rolling days"):
        contract(clause(sanction=THREE, period="rolling 30 days"), points=EACH)


@pytest.mark.parametrize(
    ("data", "because"),
    [
        ({"clause": "B1", "points": "-2"}, "no number of service points"),
        ({"points": "2"}, "needs the clause, and its whole period"),
    ],
)
def test_a_decision_about_points_says_how_many_of_which_clause(data: dict[str, str], because: str):
    decided = entry("decision", "2026-10-01 00:00", "2026-11-01 00:00", recorded="2026-11-10 09:00", **data)
    assert [p for p in problems(decided, Earlier()) if because in p]
