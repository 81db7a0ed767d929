"""What is left of the downtime an availability clause allows in its period."""

from __future__ import annotations

from dataclasses import dataclass

from sla.assessment import Assessment, ClauseResult
from sla.clauses.availability import allowed_us
from sla.contract import AvailabilityClause


@dataclass(frozen=True, slots=True, kw_only=True)
class DowntimeBudget:
    """Of one availability clause over one period; time that is still to come counts as service time.

    Attributes:
        allowed_us: downtime the target leaves in the service time that was not excluded.
        spent_us: measured downtime.
        left_us: negative where more was spent than allowed.
    """

    result: ClauseResult
    allowed_us: int
    spent_us: int

    @property
    def left_us(self) -> int:
        return self.allowed_us - self.spent_us


def budgets(found: Assessment) -> tuple[DowntimeBudget, ...]:
    """One for each availability clause and version, in the order of the assessment."""
    return tuple(
        DowntimeBudget(result=c, allowed_us=allowed_us(c.totals, c.clause), spent_us=c.totals.down_us)
        for c in found.clauses
        if isinstance(c.clause, AvailabilityClause) and c.totals is not None
    )
