"""A monthly report, drawn up: an assessment with what a reader needs to judge it. No clock, no I/O, no rounding."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import groupby
from types import MappingProxyType

from sla import response_times
from sla.assessment import Assessment, ClauseResult, OutageResult, Span, Text, Verdict
from sla.contract import Version
from sla.differences import Changes
from sla.history import ClauseHistory
from sla.intervals import IntervalSet
from sla.period import local_date

NUMBER = re.compile(r"R-[0-9A-Za-z][0-9A-Za-z.-]*-v[1-9]\d*")
SHA256 = re.compile(r"[0-9a-f]{64}")


class ReportRefused(ValueError):  # noqa: N818 - the house names a refusal by what happened
    """A report that would not hold: the message says what is wrong with it and how to mend it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A span in which the monitor itself did not measure.

    Attributes:
        cause: a code the report has words for (`monitor-off`, `own-network`, `clock`, `load`, `secret`, `browser`,
            `configuration`, `bot-check`, `reference`, `monitor`, `shadow`, `stopped`, `paused`,
            `creation-budget`, `login-paused`, `rate-limited`, `sealed`, `unknown`), or a sentence, which is shown
            as it is.
        journeys: whom it touched; empty means all.
    """

    start_us: int
    end_us: int
    cause: str
    journeys: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.end_us <= self.start_us:
            raise ReportRefused(f"a gap ends at {self.end_us}, not after its start at {self.start_us}; turn them round")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseDay:
    """Durations of the successful samples of one civil day; exact nearest ranks. `count` is at least 1."""

    day: date
    count: int
    p50_us: int
    p95_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseSeries:
    """The response times of one journey, or of one step of it, over the period.

    Attributes:
        step: None is the whole journey.
        count, p50_us, p95_us, slowest_us: over all successful samples of the period; `days` has only those with any.
        limit_us: what a clause asks for; None where none does.
    """

    journey: str
    step: str | None = None
    count: int
    p50_us: int
    p95_us: int
    slowest_us: int
    limit_us: int | None = None
    days: tuple[ResponseDay, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Drills:
    """How often the way of an alarm (fault, mail, recovery) was tried on purpose, and how often that passed."""

    held: int
    passed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything one report says. Two equal reports give the same bytes in every format.

    Attributes:
        number: `R-2026-10-v1`; a restatement takes the next version.
        issued_us: when it was drawn up; handed in, so that drawing it up again gives the same.
        data_until_us: measurements and ledger entries up to here were taken into account.
        titles: per journey its name in Dutch and English.
        gaps: of our own measuring, in order.
        software: name and version of what computed it.
        config_sha256: of the configuration it was computed with.
        legal_basis: grounds the contract names, shown as assumptions still to be confirmed.
        contact: whom a reader can ask; empty where nobody was named.
        replaces: number of the report this one restates; None for a first issue.
        changes: what it says otherwise than the one it restates; None for a first issue.
        drills: of the monitor's own alarm; None where none was held.
        history: of a month, its availability beside that of the twelve months before; empty for any other period.
    """

    assessment: Assessment
    number: str
    issued_us: int
    data_until_us: int
    portal_name: str
    titles: Mapping[str, tuple[str, str]]
    gaps: tuple[Gap, ...]
    responses: tuple[ResponseSeries, ...]
    software: str
    config_sha256: str
    legal_basis: tuple[str, ...] = ()
    contact: str = ""
    replaces: str | None = None
    changes: Changes | None = None
    history: tuple[ClauseHistory, ...] = ()
    drills: Drills | None = None

    @property
    def timezone(self) -> str:
        return self.assessment.contract.timezone

    @property
    def period(self) -> Span:
        return self.assessment.period

    @property
    def is_provisional(self) -> bool:
        """Drawn up before the period was over: nothing in it is final."""
        return self.data_until_us < self.period.end_us

    @property
    def versions(self) -> tuple[Version, ...]:
        """The contract versions that govern a part of the period."""
        found = {result.version.number: result.version for result in self.assessment.clauses}
        return tuple(found[number] for number in sorted(found))

    @property
    def minimum_coverage(self) -> Fraction | None:
        """The strictest minimum of the versions in force; None where none asks for one."""
        minima = [version.minimum_coverage for version in self.versions if version.minimum_coverage is not None]
        return max(minima, default=None)

    @property
    def has_short_coverage(self) -> bool:
        """Whether we measured less than the contract demands: our shortcoming, and the first thing to say.

        Not of a provisional report: what is yet to come could not be measured.
        """
        coverage, minimum = self.assessment.coverage, self.minimum_coverage
        return not self.is_provisional and minimum is not None and (coverage is None or coverage < minimum)

    def with_verdict(self, verdict: Verdict) -> tuple[ClauseResult, ...]:
        return tuple(result for result in self.assessment.clauses if result.verdict is verdict)

    @property
    def sanctionable_outages(self) -> tuple[OutageResult, ...]:
        return tuple(outage for outage in self.assessment.outages if outage.sanctionable)

    def title(self, journey: str) -> Text:
        """The journey's name for people; its id where nobody gave it one."""
        nl, en = self.titles.get(journey, (journey, journey))
        return Text(nl=nl, en=en)


def draw_up(
    assessment: Assessment,
    *,
    number: str,
    issued_us: int,
    portal_name: str,
    titles: Mapping[str, tuple[str, str]],
    gaps: Iterable[Gap],
    software: str,
    config_sha256: str,
    responses: Iterable[ResponseSeries] = (),
    data_until_us: int | None = None,
    legal_basis: Sequence[str] = (),
    contact: str = "",
    replaces: str | None = None,
    drills: Drills | None = None,
) -> Report:
    """The report on one assessment.

    Args:
        titles: per journey (Dutch, English).
        data_until_us: None takes the assessment's `as_of_us`, and where that is None `issued_us`.

    Raises:
        ReportRefused: a number that is not `R-<period>-v<version>`, a configuration hash that is no SHA-256, a gap
            outside the period.
    """
    if not NUMBER.fullmatch(number):
        raise ReportRefused(f'"{number}" is no report number; write R-<period>-v<version>, such as R-2026-10-v1')
    if not SHA256.fullmatch(config_sha256):
        raise ReportRefused(f'"{config_sha256}" is no SHA-256 of a configuration; give 64 lower-case hex digits')
    ordered = tuple(sorted(gaps, key=lambda gap: (gap.start_us, gap.end_us, gap.cause)))
    for gap in ordered:
        if gap.start_us < assessment.period.start_us or gap.end_us > assessment.period.end_us:
            raise ReportRefused(f"the gap from {gap.start_us} to {gap.end_us} lies outside the period; cut it to size")
    if data_until_us is None:
        data_until_us = issued_us if assessment.as_of_us is None else assessment.as_of_us
    return Report(
        assessment=assessment,
        number=number,
        issued_us=issued_us,
        data_until_us=min(data_until_us, issued_us),
        portal_name=portal_name,
        titles=MappingProxyType(dict(titles)),
        gaps=ordered,
        responses=tuple(sorted(responses, key=lambda series: (series.journey, series.step or ""))),
        software=software,
        config_sha256=config_sha256,
        legal_basis=tuple(legal_basis),
        contact=contact,
        replaces=replaces,
        drills=drills,
    )


def nearest_rank(ascending: Sequence[int], percent: int) -> int:
    """The smallest value that at least so many percent do not exceed. Raises ValueError of nothing."""
    found = response_times.nearest_rank(ascending, Fraction(percent))
    if found is None:
        raise ValueError("no durations have no percentile; leave out days without successful samples")
    return found


def response_series(
    journey: str,
    durations: Iterable[tuple[int, int]],
    *,
    timezone: str,
    step: str | None = None,
    limit_us: int | None = None,
) -> ResponseSeries | None:
    """Medians and 95th percentiles per civil day and over the whole period.

    Args:
        durations: (due instant, duration) of successful samples, in any order, in microseconds.

    Returns:
        None where there were no successful samples: no figure rather than a zero.
    """
    dated = sorted((local_date(due_us, timezone), length_us) for due_us, length_us in durations)
    if not dated:
        return None
    days = []
    for day, group in groupby(dated, key=lambda pair: pair[0]):
        lengths = [length_us for _, length_us in group]
        days.append(
            ResponseDay(day=day, count=len(lengths), p50_us=nearest_rank(lengths, 50), p95_us=nearest_rank(lengths, 95))
        )
    everything = sorted(length_us for _, length_us in dated)
    return ResponseSeries(
        journey=journey,
        step=step,
        count=len(everything),
        p50_us=nearest_rank(everything, 50),
        p95_us=nearest_rank(everything, 95),
        slowest_us=everything[-1],
        limit_us=limit_us,
        days=tuple(days),
    )


def state_in(report: Report, journey: str, state: str) -> IntervalSet:
    """The time of the period that a journey spent in one state, without regard to service windows."""
    for timeline in report.assessment.timelines:
        if timeline.journey == journey:
            return IntervalSet.of(span for span, its_state in timeline.spans if its_state == state)
    return IntervalSet()
