"""The gauges that tell how a contract's running month stands."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from monitor.series import Series, seconds
from sla.assessment import Assessment
from sla.budget import DowntimeBudget


def tell(series: Series, assessment: Assessment, budgets: Iterable[DowntimeBudget], *, now_us: int) -> None:
    """Put the gauges of a contract on what its running month, assessed just now, says."""
    contract = assessment.contract.contract
    names = ("sla_availability_ratio", "sla_target_ratio", "sla_downtime_seconds", "sla_coverage_ratio")
    series.drop((*names, "sla_budget_seconds", "sla_budget_remaining_seconds"), contract)
    for result in assessment.clauses:
        if result.availability is None or result.totals is None:
            continue
        clause = result.clause.id
        for bound in ("lowest", "point", "highest"):
            ratio = getattr(result.availability, bound)
            if ratio is not None:
                series.set("sla_availability_ratio", float(ratio), contract, clause, bound)
        for name in ("up", "degraded", "down", "excluded", "unmeasured"):
            series.set("sla_downtime_seconds", seconds(getattr(result.totals, f"{name}_us")), contract, clause, name)
        if isinstance(result.target, Fraction):
            series.set(
                "sla_target_ratio",
                float(result.target),
                contract,
                clause,
                getattr(result.clause, "window", None) or "altijd",
            )
    for budget in budgets:
        series.set("sla_budget_seconds", seconds(budget.allowed_us), contract, budget.result.clause.id)
        series.set("sla_budget_remaining_seconds", seconds(budget.left_us), contract, budget.result.clause.id)
    if assessment.coverage is not None:
        series.set("sla_coverage_ratio", float(assessment.coverage), contract)
    series.set("sla_assessed_timestamp_seconds", seconds(now_us), contract)
