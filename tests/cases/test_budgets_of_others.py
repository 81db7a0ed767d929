"""Error budgets, burn rates and public targets of others, held against ours.

Not usable: Pyrra's windows (parameters of its alerts, without a figure to come to); OpenSLO's ratio slices (it rounds
to 13:45 where exactly 13:42:51) and its occurrences (16 632 printed where 5 % of 336 000 is 16 800: requests, no time);
of the public targets, those without a percentage (KLIP, MAGDA's reaction times, Omgevingsloket, eHerkenning, eHealth).
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from sla.assess import assess, worked_out
from sla.assessment import Span
from sla.budget import budgets, burn_rate, outlooks
from sla.contract import AvailabilityClause
from sla.measurements import SpanIn
from tests.agreements import MINUTE, SECOND, all_up_but, clause, contract, judge, only, span
from tests.peers import case_file

START = span("2026-01-05 00:00", "2026-01-06 00:00").start_us
DAY = 1440 * MINUTE


@pytest.mark.parametrize(
    "row", case_file("burn_rates")["rows"], ids=lambda r: f"{r['slo_period_days']}d x{r['factor']}"
)
def test_a_share_of_the_budget_in_the_long_window_is_their_factor(row: dict[str, Any]):
    target, window = Fraction(row["objective"]), row["long_window_min"] * MINUTE
    budget = (1 - target) * row["slo_period_days"] * DAY * Fraction(row["budget_percent"]) / 100
    assert burn_rate(int(budget), window, target) == Fraction(row["factor"])


def test_the_budget_of_a_period_tells_the_same_pace():
    """2 % of a 30-day budget of 0.1 % is 51.84 s; spent in the first hour, the pace is 14.4 times the target's."""
    period = Span(start_us=START, end_us=START + 30 * DAY)
    spent = START + int(Fraction("51.84") * SECOND)
    measured = [
        SpanIn(journey="indienen", start_us=START, end_us=spent, state="down"),
        SpanIn(journey="indienen", start_us=spent, end_us=START + 60 * MINUTE, state="up"),
    ]
    agreed = contract(clause(target="0.999", period="rolling 30 days"))
    (found,) = outlooks(worked_out(agreed, period=period, spans=measured))
    assert found.burn_rate == Fraction("14.4")


@pytest.mark.parametrize("case", case_file("openslo")["cases"], ids=lambda c: f"{c['days']}d")
def test_time_slices_leave_the_budget_they_print(case: dict[str, Any]):
    agreed = contract(clause(target=case["target"], period="year"), timezone="UTC")
    (found,) = budgets(assess(agreed, period=Span(start_us=START, end_us=START + case["days"] * DAY)))
    assert found.allowed_us == Fraction(case["budget_seconds"]) * SECOND


@pytest.mark.parametrize("row", case_file("public_targets")["targets"], ids=lambda r: r["service"])
def test_a_published_target_reads_as_a_contract_and_is_judged(row: dict[str, Any]):
    window = {"outside": "dienst"} if row.get("outside") else {"weekly": row["weekly"]}
    windows = {"dienst": {"weekly": ["mon-fri 07:30-19:00"]}, "w": window}
    terms = {"target": row["target"], "obligation": row.get("obligation", "result")}
    agreed = contract(clause(window="w", **terms), windows=windows)
    november = span("2026-11-01 00:00", "2026-12-01 00:00")
    found = only(judge(agreed, november, all_up_but(november)))
    assert isinstance(found.clause, AvailabilityClause)
    assert (found.verdict.value, found.target) == ("met", Fraction(row["target"]))
