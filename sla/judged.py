"""Each clause of a plan judged: what it found, whether it can be sanctioned, and what its result says."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from sla.assessment import ClauseResult, Text, Verdict, WindowDecision
from sla.clauses import (
    availability,
    case_times,
    coverage,
    delivery,
    maintenance,
    outage_count,
    outage_duration,
    release,
    response_time,
)
from sla.clauses.finding import Finding, NamedOutage
from sla.contract import (
    AvailabilityClause,
    CoverageClause,
    OutageCountClause,
    OutageDurationClause,
    ResponseTimeClause,
    Version,
)
from sla.exclusions import excluded
from sla.intervals import EMPTY, IntervalSet, Span
from sla.ledger import Sealed
from sla.measurements import Folding, Rule, Track
from sla.period import DAY_S, civil_us
from sla.plan import Planned
from sla.promise_clauses import (
    CaseClause,
    DeliveryClause,
    MaintenanceClause,
    PromiseClause,
    ReactionTimeClause,
    ReleaseClause,
    RestoreTimeClause,
)
from sla.sanctions import NOTHING, ground, not_in_force, proposal
from sla.service_hours import service_time
from sla.time_classes import Journey, Piece, boundary_of, judges_downtime, rule_of
from sla.wording import agreed, moment, percent, target


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the clauses are judged by.

    Attributes:
        decisions: announcements and exclusions that touch what is assessed.
        excluding: the same, and those after it: a case may run on after its period.
        entries: the ledger as far as it is known.
    """

    timezone: str
    track: Callable[[str, Rule], Track]
    decisions: Sequence[WindowDecision]
    excluding: Sequence[WindowDecision]
    named: Mapping[tuple[str, Rule], tuple[NamedOutage, ...]]
    folding: Folding
    entries: Sequence[Sealed]
    as_of_us: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    planned: Planned
    piece: Piece
    finding: Finding
    result: ClauseResult


def judge(planned: Planned, evidence: Evidence) -> Judged:
    """One clause over its part of the period, minimum coverage apart; `gated` looks at that."""
    clause, timezone, decisions = planned.clause, evidence.timezone, evidence.decisions
    rule = rule_of(clause)
    piece = piece_of(planned, timezone, track=evidence.track, decisions=decisions)
    outages = [
        o
        for j in clause.scope
        for o in evidence.named.get((j, rule), ())
        if o.raw.ends_us > planned.span.start_us and (o.raw.last_good_us or o.raw.first_bad_us) < planned.span.end_us
    ]
    finding = _finding(piece, outages, evidence)
    if isinstance(clause, AvailabilityClause):
        finding = dataclasses.replace(
            finding, figures=(*finding.figures, *_without_third_parties(clause, piece, outages, decisions))
        )
    if planned.interim:
        until = moment(planned.whole.end_us, timezone)
        reason = Text(
            nl=f"Tussenstand: de periode ({agreed(str(clause.period)).nl}) loopt tot {until}; dan valt het oordeel.",
            en=f"So far: the period ({clause.period}) runs until {until}; the verdict falls then.",
        )
        finding = dataclasses.replace(finding, verdict=Verdict.UNDECIDED, why=(reason,), undecided_us=_open_us(finding))
    return Judged(planned=planned, piece=piece, finding=finding, result=_result(piece, finding))


def piece_of(
    planned: Planned, timezone: str, *, track: Callable[[str, Rule], Track], decisions: Sequence[WindowDecision]
) -> Piece:
    """What a clause is judged by over its part of the period."""
    clause, version, rule = planned.clause, planned.version, rule_of(planned.clause)
    return Piece(
        clause=clause,
        version=version,
        span=planned.span,
        whole=planned.whole,
        timezone=timezone,
        service=service_time(version, clause.window, planned.span, timezone),
        journeys={j: Journey(track=track(j, rule), excluded=excluded(j, decisions)) for j in clause.scope},
        grace=_grace(version, planned.span, timezone),
    )


def _finding(piece: Piece, outages: Sequence[NamedOutage], evidence: Evidence) -> Finding:
    clause = piece.clause
    match clause:
        case AvailabilityClause():
            return availability.judge(clause, piece, outages)
        case OutageDurationClause():
            return outage_duration.judge(clause, piece, outages)
        case OutageCountClause():
            return outage_count.judge(clause, piece, outages)
        case CoverageClause():
            return coverage.judge(clause, piece, evidence.as_of_us)
        case ResponseTimeClause():
            counted = {name: piece.service - journey.excluded for name, journey in piece.journeys.items()}

            def taken(forgiven: IntervalSet) -> list[int]:
                times = evidence.folding.durations
                return [us for name, time in counted.items() for us in times(name, clause.step).within(time - forgiven)]

            durations = taken(EMPTY)
            ungraced = taken(piece.grace) if piece.grace else durations
            return response_time.judge(clause, durations, ungraced)
        case ReactionTimeClause() | RestoreTimeClause():
            return case_times.judge(clause, piece, outages, evidence.entries, evidence.excluding, evidence.as_of_us)
        case MaintenanceClause():
            return maintenance.judge(clause, piece, evidence.excluding, evidence.as_of_us)
        case ReleaseClause():
            return release.judge(clause, piece, evidence.entries, evidence.excluding, evidence.as_of_us)
        case DeliveryClause():
            return delivery.judge(clause, piece, evidence.entries, evidence.as_of_us)


def _open_us(finding: Finding) -> int:
    return finding.totals.unmeasured_us if finding.totals is not None else 0


def _grace(version: Version, span: Span, timezone: str) -> IntervalSet:
    if version.grace_until is None:
        return EMPTY
    until = civil_us(version.grace_until, DAY_S, timezone)
    return IntervalSet.of((Span(start_us=span.start_us, end_us=min(span.end_us, until)),))


def _without_third_parties(
    clause: AvailabilityClause, piece: Piece, outages: Sequence[NamedOutage], decisions: Sequence[WindowDecision]
) -> tuple[Text, ...]:
    """The figure as it would be if nothing had been excluded for third parties, where something was."""
    bare = {
        name: dataclasses.replace(j, excluded=excluded(name, decisions, third_parties=False))
        for name, j in piece.journeys.items()
    }
    if all((piece.journeys[n].excluded & piece.service) == (j.excluded & piece.service) for n, j in bare.items()):
        return ()
    figures = []
    for variant in (piece, dataclasses.replace(piece, journeys=bare)):
        point = availability.judge(clause, variant, outages).measured
        figures.append(percent(Fraction(point), clause.decimals) if point is not None else Text(nl="-", en="-"))
    return (
        Text(
            nl=f"Met de uitsluiting van derden {figures[0].nl}, zonder {figures[1].nl}.",
            en=f"With third parties excluded {figures[0].en}, without that {figures[1].en}.",
        ),
    )


def _result(piece: Piece, finding: Finding) -> ClauseResult:
    clause = piece.clause
    blocked = _not_sanctionable(piece, finding)
    may = finding.verdict is Verdict.MISSED and not blocked
    source = ground(clause.sanction) if may and clause.sanction is not None else None
    return ClauseResult(
        clause=clause,
        version=piece.version,
        period=piece.span,
        verdict=finding.verdict,
        reasons=(*finding.figures, *finding.why, *((source,) if source else ()), *blocked),
        totals=finding.totals,
        availability=finding.availability,
        target=finding.target,
        measured=finding.measured,
        response=finding.response,
        sanction=proposal(clause, piece.version, finding.shortfall) if may and finding.shortfall else NOTHING,
        sanctionable=may,
        outages=tuple(finding.counted),
        undecided_us=finding.undecided_us,
        cases=finding.cases,
    )


def _not_sanctionable(piece: Piece, finding: Finding) -> tuple[Text, ...]:
    """Why a clause carries no sanction; nothing where it may, and nothing to say where it was not missed."""
    if finding.verdict is not Verdict.MISSED:
        return ()
    reasons = []
    clause = piece.clause
    if clause.obligation == "best-efforts":
        reasons.append(
            Text(
                nl="Middelenverbintenis: een gemiste norm is een aanwijzing, de overheid moet de fout bewijzen; "
                "geen automatische sanctie.",
                en="Best-efforts obligation: a miss is an indication, the authority must prove fault; "
                "never sanctioned automatically.",
            )
        )
    if isinstance(clause, CoverageClause):
        reasons.append(Text(nl="De meetdekking is onze eigen norm.", en="Coverage is our own promise."))
    elif finding.shortfall is None or not finding.shortfall.missed:
        if piece.grace and piece.grace.length_us == piece.span.length_us:
            reasons.append(
                Text(nl="Stabilisatieperiode: alleen gerapporteerd.", en="Stabilisation period: reported only.")
            )
        elif piece.grace:
            reasons.append(
                Text(
                    nl="Zonder de tijd in de stabilisatieperiode is de norm wel gehaald.",
                    en="Without the time in the stabilisation period the target was reached.",
                )
            )
        else:
            reasons.append(
                Text(
                    nl="Met de zekere duur van de storingen (eerste tot laatste mislukte meting) is de norm gehaald.",
                    en="By the certain length of the outages (first to last failed sample) the target was reached.",
                )
            )
    if not reasons and clause.sanction is not None:
        outside = not_in_force(clause.sanction, piece.span, piece.timezone)
        reasons += [outside] if outside is not None else []
    return tuple(reasons)


def gated(judged: list[Judged]) -> list[Judged]:
    """Below the minimum coverage every verdict of that time is undecided: that is our shortcoming."""
    together: dict[tuple[int, Span], list[Piece]] = {}
    for j in judged:
        together.setdefault((j.planned.version.number, j.planned.span), []).append(j.piece)
    coverage = {beside: coverage_of(pieces) for beside, pieces in together.items()}
    gated = []
    for j in judged:
        least = j.planned.version.minimum_coverage
        found = coverage[j.planned.version.number, j.planned.span]
        if least is None or found is None or found >= least or isinstance(j.planned.clause, CoverageClause):
            gated.append(j)
            continue
        was, norm = percent(found, 2), target(least)
        reason = Text(
            nl=f"Meetdekking {was.nl}, onder het minimum van {norm.nl} in het contract: niet te beoordelen.",
            en=f"Coverage {was.en}, below the contract's minimum of {norm.en}: undecided.",
        )
        finding = dataclasses.replace(
            j.finding,
            verdict=Verdict.UNDECIDED,
            why=(reason,),
            undecided_us=_open_us(j.finding),
        )
        gated.append(dataclasses.replace(j, finding=finding, result=_result(j.piece, finding)))
    return gated


def coverage_of(pieces: Iterable[Piece]) -> Fraction | None:
    """Measured share of the service time of clauses together, excluded time left out; None where there was none."""
    known_us = measured_us = 0
    for piece in pieces:
        if isinstance(piece.clause, PromiseClause):
            continue  # it rests on the ledger: not measuring does not show there
        totals = piece.classes(boundary_of(piece.clause)).totals()
        known_us += totals.service_us - totals.excluded_us
        measured_us += totals.service_us - totals.excluded_us - totals.unmeasured_us
    return Fraction(measured_us, known_us) if known_us else None


def failures(judged: Judged, named: Mapping[tuple[str, Rule], tuple[NamedOutage, ...]]) -> dict[str, IntervalSet]:
    """Per outage id the time for which the clause is sanctioned, so that one failure is not punished twice."""
    clause = judged.planned.clause
    if isinstance(clause, CaseClause):
        return dict(judged.finding.failures)
    bounds = clause.sanction.boundary if clause.sanction is not None else "certain"
    down = judged.piece.classes(bounds, forgiven=judged.piece.grace).down if judges_downtime(clause) else EMPTY
    return {
        o.id: IntervalSet.of((o.raw.span(bounds),)) & down
        for j in clause.scope
        for o in named.get((j, rule_of(clause)), ())
        if o.id in judged.finding.sanctioned
    }
