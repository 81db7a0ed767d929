"""Why an instant counts as it does in a clause: samples, rule, outage, window, version, and what the ledger says.

The class comes from the same sets that the totals of an assessment are lengths of; the sentences only tell of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sla.assess import Worked, worked_out
from sla.assessment import Text, WindowDecision
from sla.clauses.finding import NamedOutage
from sla.contract import Clause, Contract, ResponseTimeClause, Version
from sla.exclusions import dependencies
from sla.explained_promises import about_cases
from sla.explained_words import (
    about_claims,
    about_combination,
    about_dependency,
    about_edges,
    about_formula,
    about_response,
    about_samples,
    about_sanction,
    about_version,
    about_window,
    conclusion,
)
from sla.intervals import IntervalSet, Span
from sla.ledger import Sealed, in_force
from sla.measurements import Rule, SampleIn, SampleRun, SpanIn
from sla.period import calendar_span, day_span, instant_text, local_date
from sla.promise_clauses import CaseClause, PromiseClause, ReleaseClause
from sla.service_hours import version_span
from sla.time_classes import Classes, Piece, boundary_of, rule_of
from sla.witnesses import Kept, Testimony

Counted = Literal["up", "degraded", "down", "excluded", "unmeasured", "outside", "running", "idle"]


class NotInContractError(ValueError):
    """The clause or the instant is none of the contract's. The message says what is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyAt:
    """One journey of the clause's scope at the instant.

    Attributes:
        counted: its own class, before the journeys are taken together.
        testimonies: per location; empty where the journey has settled spans, or nothing at all.
        span: the settled span that holds the instant.
        outage: the one whose widest edges hold the instant.
    """

    journey: str
    counted: Counted
    testimonies: tuple[Testimony, ...]
    span: SpanIn | None
    outage: NamedOutage | None
    reasons: tuple[Text, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What became, at the instant, of an announcement or a claimed exclusion.

    Attributes:
        outcome: `replaced` where a later entry took its place.
    """

    entry: int
    kind: str
    outcome: Literal["granted", "refused", "replaced"]
    reasons: tuple[Text, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why an instant counts as it does.

    Attributes:
        period: the part of the clause's period that this version governs, as it was assessed.
        counted: the class the assessment counts it in; `outside` is outside service time. Of a promise that is judged
            case by case: `running` where a case was under way, else `idle`.
        reasons: in the order in which the arithmetic decides; the last one is the conclusion.
    """

    at_us: int
    timezone: str
    clause: Clause
    version: Version
    period: Span
    counted: Counted
    journeys: tuple[JourneyAt, ...]
    claims: tuple[Claim, ...]
    reasons: tuple[Text, ...]


def period_around(contract: Contract, clause: str, at_us: int) -> Span:
    """The period to assess so that the clause covers the instant: its month, or its day where the clause rolls.

    Raises NotInContractError where no version governs the instant, or the one that does has no such clause.
    """
    day = local_date(at_us, contract.timezone)
    version = next((v for v in contract.version if v.valid_from <= day <= v.valid_until), None)
    if version is None:
        first, last = contract.version[0].valid_from, contract.version[-1].valid_until
        raise NotInContractError(
            f"no version of contract {contract.contract} governs {day}; its versions run from {first} up to and "
            f"including {last}"
        )
    found = next((c for c in version.clause if c.id == clause), None)
    if found is None:
        known = ", ".join(c.id for c in version.clause)
        raise NotInContractError(f'version {version.number} has no clause "{clause}"; it has {known}')
    if found.period.unit == "rolling":
        return day_span(day, contract.timezone)
    return calendar_span("month", day, contract.timezone)


def explain(
    contract: Contract,
    *,
    clause: str,
    at_us: int,
    samples: Iterable[SampleIn | SampleRun] = (),
    spans: Iterable[SpanIn] = (),
    ledger: Sequence[Sealed] = (),
    as_of_us: int | None = None,
    period: Span | None = None,
) -> Explanation:
    """Why an instant counts as it does in a clause; measurements, ledger and errors as of `sla.assess.worked_out`.

    Args:
        clause: its id.
        period: what to assess; None takes `period_around`.

    Raises:
        NotInContractError: the clause or the instant is none of the contract's, or the period leaves it out.
    """
    around = period_around(contract, clause, at_us)
    kept = Kept((*contract.journeys(), *dependencies(ledger)), until_us=as_of_us)
    worked = worked_out(
        contract,
        period=around if period is None else period,
        samples=kept.samples(samples),
        spans=kept.spans(spans),
        ledger=ledger,
        as_of_us=as_of_us,
    )
    return explained(worked, kept, clause=clause, at_us=at_us)


def explained(worked: Worked, kept: Kept, *, clause: str, at_us: int) -> Explanation:
    """The same, of what was worked out already. `kept` holds the measurements that it was worked out from."""
    piece = next((p for p in worked.pieces if p.clause.id == clause and p.span.start_us <= at_us < p.span.end_us), None)
    timezone = worked.assessment.contract.timezone
    if piece is None:
        raise NotInContractError(
            f'{instant_text(at_us, timezone)} lies in no time over which clause "{clause}" was assessed'
        )
    if isinstance(piece.clause, PromiseClause):
        return _promise(worked, piece, at_us)
    counted = _class(piece.classes(boundary_of(piece.clause)), at_us)
    journeys = tuple(_journey(name, piece, worked, kept, at_us) for name in piece.clause.scope)
    about = [d for d in worked.assessment.windows if _touches(d, piece.clause, at_us)]
    claims = (*(_claim(d, at_us) for d in about), *_replaced(worked.entries, piece.clause, at_us))
    reasons = [
        about_version(piece.version, version_span(piece.version, timezone), timezone),
        about_window(piece.version, piece.clause, at_us, timezone, is_open=counted != "outside"),
        *(reason for j in journeys for reason in j.reasons),
        *(reason for claim in claims for reason in claim.reasons),
        *(
            about_dependency(d.dependency, kept.testimonies(d.dependency, at_us, Rule()), at_us, timezone, fell=fell)
            for d in about
            if d.dependency
            for fell in [_fell(worked, d.dependency, at_us)]
        ),
        *about_combination(piece.clause, [(j.journey, j.counted) for j in journeys]),
        *_response(piece, kept, at_us),
        *about_formula(piece.clause, counted),
        *_sanction(piece, counted, at_us),
        conclusion(piece.clause, at_us, timezone, counted),
    ]
    return Explanation(
        at_us=at_us,
        timezone=timezone,
        clause=piece.clause,
        version=piece.version,
        period=piece.span,
        counted=counted,
        journeys=journeys,
        claims=claims,
        reasons=tuple(reasons),
    )


def _promise(worked: Worked, piece: Piece, at_us: int) -> Explanation:
    result = next(c for p, c in zip(worked.pieces, worked.assessment.clauses, strict=True) if p is piece)
    running, told = about_cases(result, piece, at_us)
    about = [d for d in worked.assessment.windows if _touches(d, piece.clause, at_us)]
    claims = (*(_claim(d, at_us) for d in about), *_replaced(worked.entries, piece.clause, at_us))
    window = (
        (about_window(piece.version, piece.clause, at_us, piece.timezone, is_open=_holds(piece.service, at_us)),)
        if isinstance(piece.clause, CaseClause | ReleaseClause)
        else ()
    )
    return Explanation(
        at_us=at_us,
        timezone=piece.timezone,
        clause=piece.clause,
        version=piece.version,
        period=piece.span,
        counted="running" if running else "idle",
        journeys=(),
        claims=claims,
        reasons=(
            about_version(piece.version, version_span(piece.version, piece.timezone), piece.timezone),
            *window,
            *(reason for claim in claims for reason in claim.reasons),
            *told,
        ),
    )


def _holds(found: IntervalSet, at_us: int) -> bool:
    return any(s.start_us <= at_us < s.end_us for s in found.spans)


def _class(found: Classes, at_us: int) -> Counted:
    if not _holds(found.service, at_us):
        return "outside"
    if _holds(found.excluded, at_us):
        return "excluded"
    if _holds(found.unmeasured, at_us):
        return "unmeasured"
    if _holds(found.down, at_us):
        return "down"
    return "degraded" if _holds(found.degraded, at_us) else "up"


def _journey(name: str, piece: Piece, worked: Worked, kept: Kept, at_us: int) -> JourneyAt:
    rule, boundary = rule_of(piece.clause), boundary_of(piece.clause)
    named = worked.outages.get((name, rule), ())
    outage = next((o for o in named if _holds(IntervalSet.of((o.raw.span("widest"),)), at_us)), None)
    testimonies, span = kept.testimonies(name, at_us, rule), kept.span_at(name, at_us)
    track = piece.journeys[name].track
    reasons = about_samples(
        name,
        testimonies,
        span,
        rule,
        at_us,
        piece.timezone,
        measured=_holds(track.measured, at_us),
        down=_holds(track.down("observed") & track.measured, at_us),
    )
    if outage is not None:
        reasons.append(about_edges(outage, boundary, at_us, piece.timezone))
    return JourneyAt(
        journey=name,
        counted=_class(piece.of_journey(name, boundary), at_us),
        testimonies=testimonies,
        span=span,
        outage=outage,
        reasons=tuple(reasons),
    )


# --- what the ledger says ------------------------------------------------------------------------------------------


def _touches(decision: WindowDecision, clause: Clause, at_us: int) -> bool:
    return decision.claimed.start_us <= at_us < decision.claimed.end_us and (
        not decision.scope or not clause.scope or bool(set(decision.scope) & set(clause.scope))
    )


def _claim(decision: WindowDecision, at_us: int) -> Claim:
    granted = _holds(IntervalSet.of(decision.granted), at_us)
    return Claim(
        entry=decision.entry,
        kind=decision.kind,
        outcome="granted" if granted else "refused",
        reasons=about_claims(decision, granted=granted),
    )


def _replaced(entries: Sequence[Sealed], clause: Clause, at_us: int) -> list[Claim]:
    """Announcements and exclusions over the instant that a later entry corrects or cancels."""
    standing = {s.seq for s in in_force(entries)}
    found = []
    for sealed in entries:
        entry = sealed.entry
        if sealed.seq in standing or not (entry.kind == "maintenance" or entry.kind.startswith("exclusion")):
            continue
        if entry.from_us is None or entry.until_us is None or not entry.from_us <= at_us < entry.until_us:
            continue
        if entry.scope and clause.scope and not set(entry.scope) & set(clause.scope):
            continue
        later = next(s for s in entries if s.entry.supersedes == sealed.seq)
        what = ("Onderhoud", "Maintenance") if entry.kind == "maintenance" else ("Uitsluiting", "Exclusion")
        reason = Text(
            nl=f"{what[0]} nr. {sealed.seq} geldt niet meer: nr. {later.seq} kwam in de plaats ({later.entry.reason}).",
            en=f"{what[1]} no. {sealed.seq} no longer holds: no. {later.seq} took its place ({later.entry.reason}).",
        )
        found.append(Claim(entry=sealed.seq, kind=entry.kind.partition("-")[0], outcome="replaced", reasons=(reason,)))
    return found


def _fell(worked: Worked, dependency: str, at_us: int) -> bool:
    track = worked.tracks.get((dependency, Rule()))
    return track is not None and _holds(track.down("observed") & track.measured, at_us)


# --- what is particular to a clause --------------------------------------------------------------------------------


def _response(piece: Piece, kept: Kept, at_us: int) -> list[Text]:
    clause = piece.clause
    if not isinstance(clause, ResponseTimeClause):
        return []
    found = []
    for name, journey in piece.journeys.items():
        counts = piece.service - journey.excluded
        for testimony in kept.testimonies(name, at_us, Rule()):
            if testimony.witness is not None:
                sample = testimony.witness.sample
                found.append(about_response(clause, sample, piece.timezone, inside=_holds(counts, sample.due_us)))
    return found


def _sanction(piece: Piece, counted: Counted, at_us: int) -> list[Text]:
    clause = piece.clause
    if counted != "down" or clause.sanction is None:
        return []
    bounds = clause.sanction.boundary
    sure = _holds(piece.classes(bounds).down, at_us)
    return about_sanction(clause, bounds, sure=sure, grace=_holds(piece.grace, at_us))


# --- as plain data -------------------------------------------------------------------------------------------------


def explanation_json(found: Explanation, language: str = "nl") -> dict[str, Any]:
    """An explanation for programs: instants in RFC 3339 with the contract's offset, sentences in one language."""

    def when(us: int | None) -> str | None:
        return None if us is None else instant_text(us, found.timezone)

    return {
        "at": when(found.at_us),
        "clause": found.clause.id,
        "version": found.version.number,
        "period": {"from": when(found.period.start_us), "to": when(found.period.end_us)},
        "counted": found.counted,
        "journeys": [
            {
                "journey": j.journey,
                "counted": j.counted,
                "samples": [
                    {
                        "due": when(w.sample.due_us),
                        "location": t.location,
                        "outcome": w.sample.outcome,
                        "failure": w.sample.failure,
                        "attempts": w.sample.attempts,
                        "until": when(w.until_us),
                        "held_until": when(w.held_until_us),
                        "speaks": w.speaks,
                    }
                    for t in j.testimonies
                    for w in t.near
                ],
                "span": None
                if j.span is None
                else {"from": when(j.span.start_us), "to": when(j.span.end_us), "state": j.span.state},
                "outage": None
                if j.outage is None
                else {
                    "id": j.outage.id,
                    "start": {
                        "last_good": when(j.outage.raw.last_good_us),
                        "first_bad": when(j.outage.raw.first_bad_us),
                    },
                    "end": {"last_bad": when(j.outage.raw.last_bad_us), "first_good": when(j.outage.raw.first_good_us)},
                },
            }
            for j in found.journeys
        ],
        "claims": [
            {"entry": c.entry, "kind": c.kind, "outcome": c.outcome, "reasons": [r.in_(language) for r in c.reasons]}
            for c in found.claims
        ],
        "reasons": [r.in_(language) for r in found.reasons],
    }
