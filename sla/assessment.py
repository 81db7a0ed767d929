"""What the engine says of one contract over one period: the values that reports, pages and programs read.

Instants are integer microseconds since the epoch, UTC; lengths of time integer microseconds; ratios exact fractions;
money Decimal euros. Rounding is left to whoever shows them.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from sla.contract import Clause, Contract, Version
from sla.intervals import Span as Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A sentence for people in both languages of the house."""

    nl: str
    en: str

    def in_(self, language: str) -> str:
        return self.en if language == "en" else self.nl


class Verdict(StrEnum):
    MET = "met"  # gehaald
    MISSED = "missed"  # niet gehaald
    UNDECIDED = "undecided"  # niet te beoordelen


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The accounting identity: service = up + degraded + down + excluded + unmeasured, to the microsecond."""

    service_us: int
    up_us: int
    degraded_us: int
    down_us: int
    excluded_us: int
    unmeasured_us: int

    def __post_init__(self) -> None:
        parts = self.up_us + self.degraded_us + self.down_us + self.excluded_us + self.unmeasured_us
        if parts != self.service_us:
            raise ValueError(f"the classes add up to {parts} us, but the service time is {self.service_us} us")


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """Exact ratios in [0, 1], lowest <= point <= highest; each None where nothing was measured."""

    lowest: Fraction | None
    point: Fraction | None
    highest: Fraction | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseTimes:
    """Durations of successful samples in the window.

    Attributes:
        percentile_us: exact nearest rank; None where there were no samples.
        within: share of samples within the limit; None where there were none.
    """

    count: int
    percentile_us: int | None
    limit_us: int
    within: Fraction | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SanctionLine:
    """One line of a computed proposal, with the sum written out so that it can be redone by hand."""

    text: Text
    amount_eur: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Sanction:
    """A computed proposal; a person decides. `lines` add up to `amount_eur` (caps are negative lines)."""

    amount_eur: Decimal
    lines: tuple[SanctionLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One thing a promise speaks of: a notification, an outage, an announcement, a release, a due date.

    Attributes:
        id: `#12` for an entry of the ledger, the id of an outage, or a due date such as `2027-01-15`.
        about: what it is, in a few words.
        entries: numbers of the ledger entries it rests on.
        from_us: notified or confirmed; begin of the work or release; the instant at which a document was due.
        until_us: reacted, restored, delivered; end of the work; None where there is none or none is known.
        least_us: of a case with a clock: what certainly ran.
        most_us: what may have run at most; None where it may still run, and without a clock.
        late: of a document: (working) days late so far; None for others.
        reasons: of the verdict, one by one.
    """

    id: str
    about: Text
    verdict: Verdict
    entries: tuple[int, ...]
    from_us: int
    until_us: int | None = None
    least_us: int | None = None
    most_us: int | None = None
    late: int | None = None
    reasons: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseResult:
    """One clause over the part of the period that one contract version governs.

    Attributes:
        totals: None for clauses that do not count time (response-time).
        target: what was promised, as the contract writes it: a ratio, a limit in microseconds, or a number.
        measured: the exact figure that was compared with it; None where not measured.
        reasons: why the verdict is what it is, one by one.
        undecided_us: the unmeasured time that would decide it; 0 where decided.
        sanctionable: whether this verdict can carry a sanction at all (result clause, missed, out of grace).
        outages: ids of the outages that count in this clause.
        points: service points that count in its period; None where its sanction gives none.
        cases: what a clause about reacting, restoring, maintenance, releases or deliveries was judged by, one by one.
    """

    clause: Clause
    version: Version
    period: Span
    verdict: Verdict
    reasons: tuple[Text, ...]
    totals: Totals | None
    availability: Availability | None
    target: Fraction | int | None
    measured: Fraction | int | None
    response: ResponseTimes | None
    sanction: Sanction
    sanctionable: bool
    outages: tuple[str, ...]
    undecided_us: int = 0
    points: int | None = None
    cases: tuple[Case, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageResult:
    """One contractual outage of one journey, with its edges as intervals and its answer.

    Attributes:
        id: stable for the same measurements, e.g. `indienen-20270304T1012Z`.
        last_good_us, first_bad_us, last_bad_us, first_good_us: the edges; None where no such sample is known (it
            began before, or goes on after, what was measured).
        counted: per clause id the microseconds of it that counted as down in that clause's window.
        excluded_us: how much of it was excluded (maintenance, third party, force majeure).
        outside_service_us: how much of it lay outside every clause's window.
        failure: the failure kinds and steps seen, most frequent first, e.g. `http-status submit`.
        amount_eur: the part of the computed proposals that this outage causes; zero where not sanctionable.
    """

    id: str
    journey: str
    last_good_us: int | None
    first_bad_us: int
    last_bad_us: int
    first_good_us: int | None
    counted: dict[str, int]
    excluded_us: int
    outside_service_us: int
    failures: tuple[str, ...]
    sanctionable: bool
    reasons: tuple[Text, ...]
    amount_eur: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Blip:
    """A failure that was not confirmed: kept, listed, counted as up."""

    journey: str
    due_us: int
    failure: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowDecision:
    """What became of one announced maintenance or claimed exclusion.

    Attributes:
        entry: sequence number of the ledger entry.
        granted: the spans that are excluded, inside the period.
        refused: the spans that count as if nothing had been announced, with `reasons`.
        ground, dependency: of an exclusion: why, and the journey whose own measurement limits it; else empty.
    """

    entry: int
    kind: str  # "maintenance" | "exclusion"
    claimed: Span
    granted: tuple[Span, ...]
    refused: tuple[Span, ...]
    scope: tuple[str, ...]
    by: str
    reason: str
    recorded_us: int
    reasons: tuple[Text, ...]
    ground: str = ""
    dependency: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyTimeline:
    """Disjoint, ordered spans per class that together cover the period; for calendars and time lines.

    `state` is one of `up`, `degraded`, `down`, `excluded`, `unmeasured`, without regard to service windows.
    """

    journey: str
    spans: tuple[tuple[Span, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """The whole answer for one contract and period.

    Attributes:
        coverage: share of the service time of all clauses that was measured, excluded time left out; None where there
            was none.
        ledger_head: hash of the last ledger entry that was taken into account; `""` where there was none.
        as_of_us: entries recorded later were not known; None takes all.
        total: of all clauses after caps per period.
    """

    contract: Contract
    period: Span
    clauses: tuple[ClauseResult, ...]
    outages: tuple[OutageResult, ...]
    blips: tuple[Blip, ...]
    windows: tuple[WindowDecision, ...]
    timelines: tuple[JourneyTimeline, ...]
    coverage: Fraction | None
    ledger_head: str
    as_of_us: int | None
    total: Sanction
    notes: tuple[Text, ...] = ()  # readings kindest to the supplier that were taken, and other remarks for the report
