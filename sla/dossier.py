"""Everything about one contractual outage: its edges, its samples, what each clause counted of it and why, its proof.

Pure: what the store knows (samples whole, evidence, incidents) is handed in as values; what it means is computed here.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from sla.assess import Worked
from sla.assessment import ClauseResult, OutageResult, Span, Text, WindowDecision
from sla.contract_text import Boundary
from sla.intervals import IntervalSet
from sla.ledger import Sealed
from sla.ledger_kinds import points_at
from sla.measurements import Outcome
from sla.period import parse_instant
from sla.report import Report
from sla.time_classes import Classes, Piece, boundary_of, judges_downtime, rule_of

Counted = Literal["up", "degraded", "down", "excluded", "unmeasured", "outside"]
#: How many intervals before and after the outage its samples are shown.
INTERVALS_AROUND = 5
_DAY_US = 86_400_000_000
#: A release up to so long before an outage is worth a look: what changed?
RELEASE_BEFORE_US = 3 * _DAY_US
_STAMP = re.compile(r".+-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)?Z(-\d+)?")


class DossierRefused(ValueError):  # noqa: N818 - the house names a refusal by what happened
    """There is no such dossier to draw up; the message says why and how to mend it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One sample, whole: the smallest fact the dossier rests on.

    Attributes:
        due_us: when it was due; `started_us` when it began.
        attempts: runs made in this slot, re-runs included; all failed where the outcome is down.
        failure: kind and step, such as `http-status submit`; empty where there was none.
        told: the failure in a sentence; None where there was none.
    """

    location: str
    due_us: int
    started_us: int
    interval_us: int
    duration_us: int
    outcome: Outcome
    attempts: int
    failure: str = ""
    told: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What was kept of one failing step, as a file beside the dossier.

    Attributes:
        name: of the file in the archive of evidence.
        sha256: of that file.
        body_sha256: of the answer's body as it was received, before anything was redacted or cut; empty without one.
        is_cut: whether more came than was kept.
    """

    name: str
    location: str
    due_us: int
    step: str
    sha256: str
    body_sha256: str
    is_cut: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail about the outage; `arrived` is how many readers' servers took it."""

    kind: str
    created_us: int
    readers: int
    arrived: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """An operational incident during the outage, by its own rules: when people were told.

    Attributes:
        until_us: None while it is open.
    """

    id: str
    since_us: int
    confirmed_us: int
    until_us: int | None
    mails: tuple[Mail, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Time that counts as one class in one clause.

    Attributes:
        granted, refused: ledger entries that exclude it, or asked to and do not.
    """

    span: Span
    counted: Counted
    granted: tuple[int, ...] = ()
    refused: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseShare:
    """What one clause counted of the outage, from its earliest to its latest possible instant, without gaps.

    Attributes:
        boundary: whose edges the clause counts by; `sanction_boundary` those of its sanction.
        counted_us: of this outage as downtime, by `boundary`; `sanctioned_us` by the sanction's, grace forgiven.
        known_here: False where the clause's own rule of confirmation makes another outage of it, or none.
        drawn: the same stretches with some time around them, for the figure.
    """

    result: ClauseResult
    boundary: Boundary
    sanction_boundary: Boundary
    counted_us: int
    sanctioned_us: int
    known_here: bool
    stretches: tuple[Stretch, ...]
    drawn: tuple[Stretch, ...]

    def length_us(self, counted: Counted) -> int:
        return sum(s.span.length_us for s in self.stretches if s.counted == counted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """Everything about one outage on paper. Two equal dossiers give the same bytes in every form.

    Attributes:
        report: number, dates, contract and names, as every document has them; its assessment is the outage's month.
        around: the outage by its widest edges with some time before and after: what the figure and the samples span.
        ends_us: where it stops counting by the observed edges: the first good sample, or the end of what was measured.
        runs: samples in `around`, by location and due instant.
        decisions: announcements and exclusions that touch the outage.
        entries: of the ledger, about the outage; `digests` those that seal the samples of its days.
        ledger_entries: how many the ledger had at its head.
    """

    report: Report
    outage: OutageResult
    around: Span
    ends_us: int
    shares: tuple[ClauseShare, ...]
    runs: tuple[Run, ...]
    proofs: tuple[Proof, ...]
    alarms: tuple[Alarm, ...]
    decisions: tuple[WindowDecision, ...]
    entries: tuple[Sealed, ...]
    digests: tuple[Sealed, ...]
    ledger_entries: int

    @property
    def widest(self) -> Span:
        return _widest(self.outage, self.ends_us)

    @property
    def failing(self) -> tuple[Run, ...]:
        return tuple(run for run in self.runs if run.outcome == "down")

    @property
    def locations(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(run.location for run in self.runs))

    @property
    def attributions(self) -> tuple[Sealed, ...]:
        return tuple(s for s in self.entries if s.entry.kind == "attribution")


def began_us(outage_id: str) -> int:
    """The instant of an outage's first failed sample, as its id tells it.

    Raises:
        DossierRefused: this is no id of an outage.
    """
    found = _STAMP.fullmatch(outage_id)
    if found is not None:
        year, month, day, hour, minute, second, _ = found.groups()
        try:
            return parse_instant(f"{year}-{month}-{day}T{hour}:{minute}:{second or '00'}Z")
        except ValueError:
            pass
    raise DossierRefused(f'"{outage_id}" is no id of an outage; reports name them, such as indienen-20270304T1012Z')


def outage_in(worked: Worked, outage_id: str) -> OutageResult:
    """The outage of that id in what was worked out.

    Raises:
        DossierRefused: there is none; the message names those there are.
    """
    found = next((o for o in worked.assessment.outages if o.id == outage_id), None)
    if found is None:
        known = ", ".join(o.id for o in worked.assessment.outages[:12]) or "none"
        more = len(worked.assessment.outages) - 12
        raise DossierRefused(
            f'there is no outage "{outage_id}" in this period; there are: {known}'
            + (f", and {more} more" if more > 0 else "")
        )
    return found


def span_around(worked: Worked, outage: OutageResult, interval_us: int) -> Span:
    """The outage by its widest edges, with some intervals before and after it."""
    widest = _widest(outage, _ends_us(worked, outage))
    margin = INTERVALS_AROUND * interval_us
    return Span(start_us=widest.start_us - margin, end_us=widest.end_us + margin)


def draw_up(
    worked: Worked,
    report: Report,
    outage: OutageResult,
    *,
    around: Span,
    runs: Iterable[Run],
    proofs: Iterable[Proof] = (),
    alarms: Sequence[Alarm] = (),
) -> Dossier:
    """The dossier on one outage of an assessment.

    Args:
        report: lends the dossier its number, dates and names; its assessment gives way to the one that was worked out.
        around: as `span_around` gives it; `runs` are the samples due in it.
    """
    ends_us = _ends_us(worked, outage)
    widest = _widest(outage, ends_us)
    decisions = tuple(
        d
        for d in worked.assessment.windows
        if (not d.scope or outage.journey in d.scope) and IntervalSet.of((d.claimed,)) & IntervalSet.of((widest,))
    )
    shares = tuple(
        _share(piece, result, outage, worked, widest=widest, around=around, decisions=decisions)
        for piece, result in zip(worked.pieces, worked.assessment.clauses, strict=True)
        if outage.journey in piece.clause.scope
        and judges_downtime(piece.clause)
        and IntervalSet.of((piece.span,)) & IntervalSet.of((widest,))
    )
    incidents = frozenset(alarm.id for alarm in alarms)
    return Dossier(
        report=dataclasses.replace(report, assessment=worked.assessment),
        outage=outage,
        around=around,
        ends_us=ends_us,
        shares=shares,
        runs=tuple(sorted(runs, key=lambda run: (run.location, run.due_us))),
        proofs=tuple(sorted(proofs, key=lambda proof: (proof.location, proof.due_us, proof.name))),
        alarms=tuple(alarms),
        decisions=decisions,
        entries=entries_about(worked.entries, outage, widest, incidents),
        digests=tuple(
            s
            for s in worked.entries
            if s.entry.kind == "samples-digest" and _overlaps(s, around) and s.entry.from_us is not None
        ),
        ledger_entries=len(worked.entries),
    )


# --- what counted in which clause ----------------------------------------------------------------------------------


def _share(
    piece: Piece,
    result: ClauseResult,
    outage: OutageResult,
    worked: Worked,
    *,
    widest: Span,
    around: Span,
    decisions: Sequence[WindowDecision],
) -> ClauseShare:
    clause = piece.clause
    boundary = boundary_of(clause)
    by_sanction: Boundary = clause.sanction.boundary if clause.sanction is not None else "certain"
    named = next((o for o in worked.outages.get((outage.journey, rule_of(clause)), ()) if o.id == outage.id), None)
    found = piece.classes(boundary)
    sure = piece.classes(by_sanction, forgiven=piece.grace)
    return ClauseShare(
        result=result,
        boundary=boundary,
        sanction_boundary=by_sanction,
        counted_us=0 if named is None else named.counted_us(found, boundary),
        sanctioned_us=0 if named is None else named.counted_us(sure, by_sanction),
        known_here=named is not None,
        stretches=_stretches(found, piece.span, widest, decisions),
        drawn=_stretches(found, piece.span, around, decisions),
    )


def _stretches(found: Classes, judged: Span, reach: Span, decisions: Sequence[WindowDecision]) -> tuple[Stretch, ...]:
    here = IntervalSet.of((reach,)) & IntervalSet.of((judged,))
    classes: tuple[tuple[Counted, IntervalSet], ...] = (
        ("up", found.up),
        ("degraded", found.degraded),
        ("down", found.down),
        ("excluded", found.excluded),
        ("unmeasured", found.unmeasured),
        ("outside", here - found.service),
    )
    edges = sorted({e for d in decisions for s in (*d.granted, *d.refused) for e in (s.start_us, s.end_us)})
    pieces = [(part, name) for name, time in classes for span in (time & here).spans for part in _cut_at(span, edges)]
    return tuple(
        Stretch(
            span=part,
            counted=name,
            granted=tuple(d.entry for d in decisions if _holds(d.granted, part)) if name == "excluded" else (),
            refused=tuple(d.entry for d in decisions if _holds(d.refused, part)) if name != "outside" else (),
        )
        for part, name in sorted(pieces, key=lambda p: p[0].start_us)
    )


def _cut_at(span: Span, edges: Sequence[int]) -> Iterable[Span]:
    start = span.start_us
    for edge in edges:
        if start < edge < span.end_us:
            yield Span(start_us=start, end_us=edge)
            start = edge
    yield Span(start_us=start, end_us=span.end_us)


def _holds(spans: Iterable[Span], part: Span) -> bool:
    return any(s.start_us <= part.start_us and part.end_us <= s.end_us for s in spans)


def _ends_us(worked: Worked, outage: OutageResult) -> int:
    raw = next((o.raw for named in worked.outages.values() for o in named if o.id == outage.id), None)
    ends = outage.first_good_us if raw is None else raw.ends_us
    # An outage that ended with its first failing sample still happened: a microsecond stands for the instant.
    return max(outage.last_bad_us if ends is None else ends, outage.first_bad_us + 1)


def _widest(outage: OutageResult, ends_us: int) -> Span:
    start = outage.first_bad_us if outage.last_good_us is None else outage.last_good_us
    return Span(start_us=start, end_us=ends_us)


# --- what the ledger says ------------------------------------------------------------------------------------------

#: Kinds whose time is not the time of what they are about; those that name an outage are found by its name.
_NOT_BY_TIME = frozenset({"findings-drafted", "findings-sent", "defence", "decision", "document-delivered"})
_NOT_ABOUT = frozenset({"samples-digest", "report"})


def entries_about(
    ledger: Sequence[Sealed], outage: OutageResult, widest: Span, incidents: frozenset[str]
) -> tuple[Sealed, ...]:
    """What the ledger says of an outage, in its order; with it whatever those entries point at, or that points at them.

    Corrected entries are kept: who changed what is part of the story.
    """
    kept = {s.seq for s in ledger if _is_about(s, outage, widest, incidents)}
    while more := {
        seq
        for s in ledger
        if s.entry.kind not in _NOT_ABOUT
        for seq in (s.seq, *points_at(s.entry))
        if seq not in kept and (s.seq in kept or kept.intersection(points_at(s.entry)))
    }:
        kept |= more
    return tuple(s for s in ledger if s.seq in kept)


def _is_about(sealed: Sealed, outage: OutageResult, widest: Span, incidents: frozenset[str]) -> bool:
    entry = sealed.entry
    if entry.kind in _NOT_ABOUT:
        return False
    named = {part.strip() for part in entry.data.get("outage", "").split(",")} - {""}
    if named or "incident" in entry.data:
        return outage.id in named or entry.data.get("incident") in incidents
    if entry.scope and outage.journey not in entry.scope:
        return False
    if entry.kind == "release":
        before = Span(start_us=widest.start_us - RELEASE_BEFORE_US, end_us=widest.end_us)
        return _overlaps(sealed, before)
    return entry.kind not in _NOT_BY_TIME and _overlaps(sealed, widest)


def _overlaps(sealed: Sealed, span: Span) -> bool:
    entry = sealed.entry
    if entry.from_us is None:
        return False
    if entry.until_us is None:
        return span.start_us <= entry.from_us < span.end_us
    return entry.from_us < span.end_us and entry.until_us > span.start_us
