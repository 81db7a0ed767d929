"""Which clauses are judged over which time: versions, the clauses' own periods, and how far data should reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sla.contract import Clause, Contract, ResponseTimeClause, Version
from sla.intervals import IntervalSet, Span
from sla.period import DAY_S, calendar_span, calendar_spans, civil_us, local_date
from sla.sanction_rules import Points
from sla.service_hours import version_span

_LOOK_AROUND_US = DAY_S * 1_000_000  # the edges of an outage may lie outside the period


class PeriodRefusedError(ValueError):
    """No version of the contract governs the period. The message says which periods are governed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A clause over the part of its own period that one version governs."""

    clause: Clause
    version: Version
    span: Span
    whole: Span
    interim: bool  # its own period goes on after the one that was asked for


def data_span(contract: Contract, period: Span) -> Span:
    """How far measurements should reach, so that rolling periods are whole and outages keep their edges.

    With it the earlier periods in which a repeated miss is looked for.
    """
    asked = plan(contract, period)
    planned = [*plan_before(contract, asked), *asked]
    return Span(
        start_us=min(period.start_us, *(p.span.start_us for p in planned)) - _LOOK_AROUND_US,
        end_us=max(period.end_us, *(p.span.end_us for p in planned)) + _LOOK_AROUND_US,
    )


def durations_asked(contract: Contract) -> frozenset[tuple[str, str | None]]:
    """Each journey and step whose response times a clause of any version speaks of; None is the whole journey."""
    return frozenset(
        (name, clause.step)
        for version in contract.version
        for clause in version.clause
        if isinstance(clause, ResponseTimeClause)
        for name in clause.scope
    )


def plan(contract: Contract, period: Span) -> list[Planned]:
    """Every clause of every version that governs a part of the period. Raises PeriodRefusedError where none does."""
    found = []
    for version in contract.version:
        governs = IntervalSet.of((version_span(version, contract.timezone),))
        for clause in version.clause:
            for whole, asked, interim in _clause_periods(clause, period, contract.timezone):
                found += [
                    Planned(clause=clause, version=version, span=part, whole=whole, interim=interim)
                    for part in (governs & IntervalSet.of((asked,))).spans
                ]
    if not any(IntervalSet.of((p.span,)) & IntervalSet.of((period,)) for p in found):
        first, last = contract.version[0].valid_from, contract.version[-1].valid_until
        raise PeriodRefusedError(
            f"no version of contract {contract.contract} governs this period; its versions run from {first} up to and "
            f"including {last}"
        )
    return found


def plan_before(contract: Contract, planned: Sequence[Planned]) -> list[Planned]:
    """The clauses of the earlier periods on which the points of the planned ones rest; empty where none do."""
    timezone = contract.timezone
    have = {(p.clause.period.unit, p.whole.start_us) for p in planned}
    wanted: dict[tuple[int, str], Span] = {}
    for p in planned:
        for whole in periods_before(p.clause, p.whole, _depth(p), timezone):
            if (p.clause.period.unit, whole.start_us) not in have:
                wanted[whole.start_us, p.clause.period.unit] = whole
    found = []
    for (_, unit), whole in sorted(wanted.items(), key=lambda item: item[0]):
        for version in contract.version:
            governs = IntervalSet.of((version_span(version, timezone),)) & IntervalSet.of((whole,))
            # All clauses of the unit: together they tell whether enough was measured.
            found += [
                Planned(clause=clause, version=version, span=part, whole=whole, interim=False)
                for part in governs.spans
                for clause in version.clause
                if clause.period.unit == unit
            ]
    return found


def _depth(planned: Planned) -> int:
    rule, table = planned.clause.sanction, planned.version.points
    if not isinstance(rule, Points) or table is None:
        return 0
    # The points of an earlier period in the window rest on the periods before that one.
    return rule.looks_back + table.over - 1


def periods_before(clause: Clause, whole: Span, count: int, timezone: str) -> list[Span]:
    """So many of a clause's own calendar periods before one, the nearest first."""
    found: list[Span] = []
    for _ in range(count):
        whole = calendar_span(clause.period.unit, local_date(whole.start_us - 1, timezone), timezone)
        found.append(whole)
    return found


def _clause_periods(clause: Clause, period: Span, timezone: str) -> list[tuple[Span, Span, bool]]:
    """The clause's own periods that the asked one touches, each with the part to judge, and whether it goes on.

    A month asked of a quarterly clause is judged from the quarter's start: a month alone says nothing of a quarter.
    Any other part of a period is taken as it was asked for.
    """
    if clause.period.unit == "rolling":
        first = local_date(period.end_us - 1, timezone) - timedelta(days=clause.period.days - 1)
        whole = Span(start_us=civil_us(first, 0, timezone), end_us=period.end_us)
        return [(whole, whole, False)]
    whole_units = _whole_units(period, timezone)
    found = []
    for whole in calendar_spans(clause.period.unit, period, timezone):
        start, end = max(whole.start_us, period.start_us), min(whole.end_us, period.end_us)
        if whole_units:
            start = whole.start_us
        found.append((whole, Span(start_us=start, end_us=end), whole_units and end < whole.end_us))
    return found


def _whole_units(period: Span, timezone: str) -> bool:
    months = calendar_spans("month", period, timezone)
    return months[0].start_us == period.start_us and months[-1].end_us == period.end_us
