"""The five classes of service time of a clause, and the accounting identity that holds them together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sla.assessment import Totals
from sla.commitment import Confirms, CountsTime, Weighted
from sla.contract import AvailabilityClause, Clause, CoverageClause, Version
from sla.contract_text import Boundary
from sla.intervals import EMPTY, IntervalSet, Span
from sla.measurements import Rule, Track, union


@dataclass(frozen=True, slots=True, kw_only=True)
class Classes:
    """Disjoint sets; together with `up` they are the service time. Precedence as SLA.md orders them."""

    service: IntervalSet
    excluded: IntervalSet
    unmeasured: IntervalSet
    down: IntervalSet
    degraded: IntervalSet

    @property
    def up(self) -> IntervalSet:
        return self.service - self.excluded - self.unmeasured - self.down - self.degraded

    @property
    def good(self) -> IntervalSet:
        return self.service - self.excluded - self.unmeasured - self.down

    def totals(self) -> Totals:
        return Totals(
            service_us=self.service.length_us,
            up_us=self.up.length_us,
            degraded_us=self.degraded.length_us,
            down_us=self.down.length_us,
            excluded_us=self.excluded.length_us,
            unmeasured_us=self.unmeasured.length_us,
        )


def classes(
    service: IntervalSet, *, excluded: IntervalSet, measured: IntervalSet, down: IntervalSet, degraded: IntervalSet
) -> Classes:
    """Service time by class: excluded before unmeasured before down before degraded before up."""
    out = excluded & service
    left = service - out
    seen = left & measured
    lost = seen & down
    return Classes(service=service, excluded=out, unmeasured=left - seen, down=lost, degraded=(seen & degraded) - lost)


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """What is known of one journey of a clause's scope."""

    track: Track
    excluded: IntervalSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One clause over the part of its period that one version governs.

    Attributes:
        whole: the clause's own period that `span` is a part of, such as the month.
        grace: the part of `span` in which nothing is sanctioned.
    """

    clause: Clause
    version: Version
    span: Span
    whole: Span
    timezone: str
    service: IntervalSet
    journeys: Mapping[str, Journey]
    grace: IntervalSet = EMPTY

    def of_journey(self, name: str, boundary: Boundary, *, forgiven: IntervalSet = EMPTY) -> Classes:
        """Args: forgiven: time in which downtime counts as up."""
        journey = self.journeys[name]
        return classes(
            self.service,
            excluded=journey.excluded,
            measured=journey.track.measured,
            down=journey.track.down(boundary) - forgiven,
            degraded=journey.track.degraded,
        )

    def classes(self, boundary: Boundary, *, forgiven: IntervalSet = EMPTY) -> Classes:
        """All journeys of the scope as one.

        `any` (and the display of a weighted mean): a class holds where it holds for any journey. `all`: down where all
        are; unmeasured only where none is known to be good.
        """
        each = [self.of_journey(name, boundary, forgiven=forgiven) for name in self.clause.scope]
        if len(each) == 1:
            return each[0]
        down = union(c.down for c in each)
        unmeasured = union(c.unmeasured for c in each)
        if isinstance(self.clause, CountsTime) and self.clause.combine == "all":
            down = self.service
            for c in each:
                down &= c.down
            unmeasured -= union(c.good for c in each)
        return classes(
            self.service,
            excluded=union(c.excluded for c in each),
            measured=self.service - unmeasured,
            down=down,
            degraded=union(c.degraded for c in each),
        )

    @property
    def weights(self) -> Mapping[str, int] | None:
        """Whole weights per journey where the clause asks for a weighted mean."""
        combine = self.clause.combine if isinstance(self.clause, CountsTime) else None
        if not isinstance(combine, Weighted):
            return None
        scale = 1
        for weight in combine.weighted.values():
            scale *= weight.denominator
        return {name: int(weight * scale) for name, weight in combine.weighted.items()}


def rule_of(clause: Clause) -> Rule:
    """How samples become outages for a clause; the default where it does not look at outages."""
    if not isinstance(clause, Confirms):
        return Rule()
    return Rule(
        confirm_after=clause.confirm_after,
        hold_intervals=clause.hold_intervals,
        quorum=clause.quorum,
        degraded_is_down=clause.degraded == "down",
    )


def boundary_of(clause: Clause) -> Boundary:
    return clause.boundary if isinstance(clause, CountsTime) else "observed"


def judges_downtime(clause: Clause) -> bool:
    """Whether outages matter to the clause at all."""
    return isinstance(clause, CountsTime) and not isinstance(clause, CoverageClause)


def by_formula(clause: Clause) -> bool:
    return isinstance(clause, AvailabilityClause) and clause.formula == "of-service-time"
