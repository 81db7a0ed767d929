"""The availability of thirteen months beside each other: the report's own, and the twelve before as they were reported.

The months before are not assessed again but taken from the reports that were issued on them, each by its number and by
the SHA-256 that the ledger has of it: what was told once is told the same again, a restatement replaces it openly, and
whoever holds those reports can check every figure. A month without a report has no figure here. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any

from sla.assessment import Assessment, ClauseResult, Verdict
from sla.contract import AvailabilityClause, Contract
from sla.intervals import IntervalSet, Span
from sla.ledger import Sealed, in_force
from sla.period import calendar_span, local_date, parse_instant, parse_period
from sla.service_hours import version_span

MONTHS_BEFORE = 12


class State(StrEnum):
    """What is known of a clause in a month. Only `REPORTED` has a figure; none of the others is 0 or 100 %."""

    REPORTED = "reported"
    NOT_MEASURED = "not-measured"  # its report says so
    NOT_REPORTED = "not-reported"  # the clause held, and no issued report judges it
    UNAVAILABLE = "unavailable"  # a report was issued, and its file is gone or no longer the one that was issued
    OUTSIDE = "outside"  # no version of the contract had the clause


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The last report issued on a month. `sha256` is of its JSON, as the ledger has it."""

    number: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryMonth:
    """A clause in one month, or in the part of it that one version of the contract governed.

    Attributes:
        number: of the report the figures stand in; None where there is none.
        sha256: of that report; None also for the report that tells this.
        is_provisional: that report was drawn up before the month was over.
        target, lowest, point, highest, verdict: as reported; None where `state` has no figure.
    """

    span: Span
    state: State
    number: str | None = None
    sha256: str | None = None
    is_provisional: bool = False
    target: Fraction | None = None
    lowest: Fraction | None = None
    point: Fraction | None = None
    highest: Fraction | None = None
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseHistory:
    """One monthly availability clause, as the report's own month has it; months oldest first, its own last."""

    clause: AvailabilityClause
    months: tuple[HistoryMonth, ...]


def sources(contract: Contract, period: Span, ledger: Sequence[Sealed]) -> dict[Span, Source]:
    """Per month before the period its last report, as the ledger has it; nothing where the period is no month."""
    months = frozenset(_before(period, contract.timezone))
    found: dict[Span, tuple[int, Source]] = {}
    for sealed in in_force(ledger):
        data = sealed.entry.data
        if sealed.entry.kind != "report" or "document" in data or data["contract"] != contract.contract:
            continue
        try:
            month, version = parse_period(data["period"], contract.timezone), int(data["number"])
        except ValueError:
            continue
        if month in months and "sha256" in data and version > found.get(month, (0,))[0]:
            source = Source(number=f"R-{data['period']}-v{version}", sha256=data["sha256"])
            found[month] = (version, source)
    return {month: source for month, (_, source) in found.items()}


def history(
    assessment: Assessment,
    ledger: Sequence[Sealed],
    issued: Mapping[str, Mapping[str, Any]],
    *,
    number: str,
    is_provisional: bool,
) -> tuple[ClauseHistory, ...]:
    """Each monthly availability clause of an assessed month over thirteen months; empty where the period is no month.

    Args:
        ledger: as far as the assessment knew it.
        issued: the JSON of the reports that `sources` names, by SHA-256, as far as they are there.
        number, is_provisional: of the report on the assessed month itself.
    """
    contract = assessment.contract
    before = _before(assessment.period, contract.timezone)
    if not before:
        return ()
    known = sources(contract, assessment.period, ledger)
    own: dict[str, list[tuple[AvailabilityClause, ClauseResult]]] = {}
    for result in assessment.clauses:
        if isinstance(result.clause, AvailabilityClause) and result.clause.period.unit == "month":
            own.setdefault(result.clause.id, []).append((result.clause, result))
    return tuple(
        ClauseHistory(
            clause=results[-1][0],
            months=(
                *(one for month in before for one in _month(contract, name, month, known.get(month), issued)),
                *(_own(result, number=number, is_provisional=is_provisional) for _, result in results),
            ),
        )
        for name, results in own.items()
    )


def _before(period: Span, timezone: str) -> tuple[Span, ...]:
    """The calendar months before a calendar month, oldest first."""
    if calendar_span("month", local_date(period.start_us, timezone), timezone) != period:
        return ()
    months = [period]
    for _ in range(MONTHS_BEFORE):
        months.append(calendar_span("month", local_date(months[-1].start_us - 1, timezone), timezone))
    return tuple(reversed(months[1:]))


def _own(result: ClauseResult, *, number: str, is_provisional: bool) -> HistoryMonth:
    found = result.availability
    measured = found is not None and found.point is not None
    return HistoryMonth(
        span=result.period,
        state=State.REPORTED if measured else State.NOT_MEASURED,
        number=number,
        is_provisional=is_provisional,
        target=result.target if isinstance(result.target, Fraction) else None,
        lowest=found.lowest if found is not None and measured else None,
        point=found.point if found is not None else None,
        highest=found.highest if found is not None and measured else None,
        verdict=result.verdict,
    )


def _month(
    contract: Contract, clause: str, month: Span, source: Source | None, issued: Mapping[str, Mapping[str, Any]]
) -> Iterator[HistoryMonth]:
    absent = State.NOT_REPORTED if _held(contract, clause, month) else State.OUTSIDE
    if source is None:
        yield HistoryMonth(span=month, state=absent)
        return
    stated = issued.get(source.sha256)
    if stated is None:
        state = State.UNAVAILABLE if absent is State.NOT_REPORTED else absent
        yield HistoryMonth(span=month, state=state, number=source.number, sha256=source.sha256)
        return
    told = [_told(one, source, stated) for one in stated["clauses"] if _is(one, clause, month)]
    yield from told or [HistoryMonth(span=month, state=absent, number=source.number, sha256=source.sha256)]


def _is(record: Mapping[str, Any], clause: str, month: Span) -> bool:
    if record["id"] != clause or record["kind"] != "availability":
        return False
    span = _span(record)
    return month.start_us <= span.start_us and span.end_us <= month.end_us


def _told(record: Mapping[str, Any], source: Source, stated: Mapping[str, Any]) -> HistoryMonth:
    figures = record["availability"] or {}
    point = _ratio(figures.get("point"))
    return HistoryMonth(
        span=_span(record),
        state=State.NOT_MEASURED if point is None else State.REPORTED,
        number=source.number,
        sha256=source.sha256,
        is_provisional=bool(stated["report"]["provisional"]),
        target=_ratio(record["target"]),
        lowest=None if point is None else _ratio(figures.get("lowest")),
        point=point,
        highest=None if point is None else _ratio(figures.get("highest")),
        verdict=Verdict(record["verdict"]),
    )


def _span(record: Mapping[str, Any]) -> Span:
    period = record["period"]
    return Span(start_us=parse_instant(period["from"]), end_us=parse_instant(period["to"]))


def _ratio(text: str | None) -> Fraction | None:
    return None if text is None else Fraction(text)


def _held(contract: Contract, clause: str, month: Span) -> bool:
    return any(
        IntervalSet.of((version_span(version, contract.timezone),)) & IntervalSet.of((month,))
        for version in contract.version
        if any(one.id == clause for one in version.clause)
    )
