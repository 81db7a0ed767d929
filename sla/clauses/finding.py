"""What judging a clause finds out, whatever its kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from sla.assessment import Availability, Case, ResponseTimes, Text, Totals, Verdict
from sla.contract_text import Boundary
from sla.intervals import IntervalSet
from sla.measurements import RawOutage
from sla.time_classes import Classes


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedOutage:
    id: str
    journey: str
    raw: RawOutage

    def counted_us(self, found: Classes, boundary: Boundary) -> int:
        return (IntervalSet.of((self.raw.span(boundary),)) & found.down).length_us


@dataclass(frozen=True, slots=True, kw_only=True)
class Beyond:
    """A limit and by how much it was passed: microseconds where `is_time`, else a number (of breaches, or days late).

    Attributes:
        outage: the id of the outage, or of the case, it is about; empty where it is about all together.
    """

    limit: int
    figure: int
    is_time: bool
    outage: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """The figures a sanction is computed from: a ratio below its target, or limits that were passed.

    Attributes:
        late_days: per failure the local dates on which time beyond the limit lay, where a daily sanction asks for them.
    """

    target: Fraction | None = None
    figure: Fraction | None = None
    beyond: tuple[Beyond, ...] = ()
    late_days: tuple[tuple[date, ...], ...] = ()

    @property
    def missed(self) -> bool:
        if self.target is not None and self.figure is not None:
            return self.figure < self.target
        return any(b.figure > b.limit for b in self.beyond)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A clause judged, before coverage, grace and obligation have their say.

    Attributes:
        figures: the figures in words, verdict apart.
        why: what the verdict rests on; another reason takes its place where something overrules it.
        counted: per outage id the microseconds that count in this clause.
        sanctioned: the same by the edges that sanctions use.
        shortfall: by the edges that sanctions use; None for kinds that are never sanctioned.
        undecided_us: unmeasured time that would decide it; 0 where decided.
        cases: of a clause that judges case by case.
        failures: of such a clause, per outage id the time it would be sanctioned for.
    """

    verdict: Verdict
    figures: tuple[Text, ...]
    why: tuple[Text, ...] = ()
    totals: Totals | None = None
    availability: Availability | None = None
    target: Fraction | int | None = None
    measured: Fraction | int | None = None
    response: ResponseTimes | None = None
    undecided_us: int = 0
    counted: Mapping[str, int] = field(default_factory=dict)
    sanctioned: Mapping[str, int] = field(default_factory=dict)
    shortfall: Shortfall | None = None
    cases: tuple[Case, ...] = ()
    failures: Mapping[str, IntervalSet] = field(default_factory=dict)
