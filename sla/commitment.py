"""What every clause of a contract says, whatever its kind."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sla.contract_text import AT_LEAST_ONE, Boundary, Every, Name, Recurrence, Table, Weight
from sla.sanction_rules import Bands, Daily, PerUnit, Points, SanctionOrName


class Weighted(Table):
    """Weights per journey; they need not add up to one."""

    weighted: dict[str, Weight]


#: What a clause of each kind counts, and so what its sanction speaks of: of reaction and restoration the clock of each
#: case, of maintenance and releases the breaches, of deliveries the days each document was late.
COUNTS = {
    "availability": "ratio",
    "outage-duration": "time",
    "response-time": "time",
    "reaction-time": "time",
    "restore-time": "time",
    "outage-count": "number",
    "maintenance": "number",
    "release": "number",
    "delivery": "number",
}
#: Kinds that tell on which days a failure went on beyond the limit; what a daily sanction needs.
HAS_DAYS = frozenset({"availability", "outage-duration", "outage-count", "delivery"})
_MEND = {
    "ratio": 'a ratio (unit = "0.001", below = "0.993")',
    "time": 'a length of time (unit = "1h", above = "4h")',
    "number": "a number (unit = 1, above = 3)",
}


def _counts(unit: str) -> str:
    if unit[-1].isalpha():
        return "time"
    return "number" if Decimal(unit) == Decimal(unit).to_integral_value() else "ratio"


class Commitment(Table):
    """What every clause says, whatever its kind.

    Attributes:
        article, text: where the contract says it, and its words.
        scope: journeys it speaks of.
        window: name of a window; None counts all time.
        period: over what it is judged.
        decimals: digits a printed percentage is cut to.
        obligation: `result` (a miss is presumed the supplier's fault) or `best-efforts` (never sanctioned by itself).
        sanction: None where a miss costs nothing.
    """

    id: Name
    article: str = ""
    text: str = ""
    scope: Annotated[tuple[Name, ...], AT_LEAST_ONE]
    window: str | None = None
    period: Every = Recurrence("month")
    decimals: int = Field(default=2, ge=0, le=6)
    obligation: Literal["result", "best-efforts"] = "result"
    sanction: SanctionOrName = None

    @model_validator(mode="after")
    def _once(self) -> Self:
        if len(set(self.scope)) != len(self.scope):
            raise ValueError("names a journey twice in its scope; name each once")
        return self

    @model_validator(mode="after")
    def _sanction_fits(self) -> Self:
        """A sanction speaks of what the clause counts: a ratio, a length of time, or a number."""
        kind = getattr(self, "kind", "")
        counts = COUNTS.get(kind, "nothing")
        if self.sanction is None:
            return self
        if counts == "nothing":
            raise ValueError(f"has a sanction, but a clause of kind {kind} is never sanctioned; take it out")
        if isinstance(self.sanction, PerUnit) and _counts(self.sanction.unit) != counts:
            raise ValueError(f'is about {_MEND[counts]}, but its sanction\'s unit is "{self.sanction.unit}"')
        if isinstance(self.sanction, Daily) and kind not in HAS_DAYS:
            raise ValueError(
                f"is of kind {kind}, of which no days are counted, so its sanction cannot be daily; write a daily one "
                f"under {', '.join(sorted(HAS_DAYS))}, or another scale here"
            )
        if isinstance(self.sanction, Bands | Points):
            for band in self.sanction.bands:
                if band.counts != counts:
                    raise ValueError(f"is about {_MEND[counts]}, so each band of its sanction needs that too")
        return self


class Confirms(Commitment):
    """How samples become outages in a clause that looks at outages.

    Attributes:
        confirm_after: consecutive failures that confirm an outage, re-runs in one slot included; samples only.
        quorum: locations that must be down at once; None is all that measured at that moment.
        hold_intervals: a sample speaks for the time to the next, at most this many intervals.
        degraded: whether degraded time counts as `up` or `down`.
    """

    confirm_after: int = Field(default=2, ge=1, le=100)
    quorum: int | None = Field(default=None, ge=1, le=100)
    hold_intervals: int = Field(default=2, ge=1, le=100)
    degraded: Literal["up", "down"] = "up"


class CountsTime(Confirms):
    """A clause that counts time.

    Attributes:
        combine: several journeys are down when `any` is, when `all` are, or by a weighted mean.
        boundary: which edges of an outage count.
    """

    combine: Literal["any", "all"] | Weighted = "any"
    boundary: Boundary = "observed"

    @model_validator(mode="after")
    def _weights_all(self) -> Self:
        if isinstance(self.combine, Weighted) and set(self.combine.weighted) != set(self.scope):
            raise ValueError("weighs other journeys than its scope names; give each journey of scope a weight")
        if isinstance(self.combine, Weighted) and isinstance(self.sanction, Daily):
            raise ValueError("is a weighted mean, which is of no single day; write another scale than daily")
        return self
