"""A contract held against one period of measurements: the whole answer, from pure values to pure values."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from sla.answers import outage_results
from sla.assessment import (
    Assessment,
    Blip,
    ClauseResult,
    JourneyTimeline,
    Text,
    Verdict,
    WindowDecision,
)
from sla.clauses import availability, coverage, outage_count, outage_duration, response_time
from sla.clauses.finding import Finding, NamedOutage
from sla.contract import (
    AvailabilityClause,
    Clause,
    Contract,
    CoverageClause,
    OutageCountClause,
    OutageDurationClause,
    ResponseTimeClause,
    Version,
)
from sla.corrections import Correction, corrected
from sla.cumulation import Due, punished_already, together
from sla.exclusions import dependencies, exclusion_decisions
from sla.intervals import EMPTY, IntervalSet, Span
from sla.ledger import Sealed, known
from sla.maintenance import maintenance_decisions
from sla.measurements import Folding, RawOutage, Rule, SampleIn, SpanIn, Track, track_of_spans
from sla.period import DAY_S, calendar_spans, civil_us, local_date, local_datetime
from sla.sanctions import NOTHING, proposal
from sla.service_hours import service_time, version_span
from sla.time_classes import Journey, Piece, boundary_of, classes, judges_downtime, rule_of
from sla.wording import agreed, moment, percent, target

_LOOK_AROUND_US = DAY_S * 1_000_000  # the edges of an outage may lie outside the period


_TrackOf = Callable[[str, Rule], Track]


class PeriodRefusedError(ValueError):
    """No version of the contract governs the period. The message says which periods are governed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Planned:
    """A clause over the part of its own period that one version governs."""

    clause: Clause
    version: Version
    span: Span
    whole: Span
    interim: bool  # its own period goes on after the one that was asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    planned: _Planned
    piece: Piece
    finding: Finding
    result: ClauseResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Worked:
    """An assessment with what it was worked out from, for those who have to explain it.

    Attributes:
        pieces: one for each of the assessment's clauses, in that order; their classes are what its totals count.
        outages: every outage that was measured, per journey and rule, with the name it has in the assessment.
        tracks: what is known per journey and rule; absent where there was no measurement.
        entries: the ledger as far as it was known.
    """

    assessment: Assessment
    pieces: tuple[Piece, ...]
    outages: Mapping[tuple[str, Rule], tuple[NamedOutage, ...]]
    tracks: Mapping[tuple[str, Rule], Track]
    entries: tuple[Sealed, ...]


def assess(
    contract: Contract,
    *,
    period: Span,
    samples: Iterable[SampleIn] = (),
    spans: Iterable[SpanIn] = (),
    ledger: Sequence[Sealed] = (),
    as_of_us: int | None = None,
) -> Assessment:
    """What the contract says of a period; arguments and errors as of `worked_out`."""
    return worked_out(
        contract, period=period, samples=samples, spans=spans, ledger=ledger, as_of_us=as_of_us
    ).assessment


def worked_out(
    contract: Contract,
    *,
    period: Span,
    samples: Iterable[SampleIn] = (),
    spans: Iterable[SpanIn] = (),
    ledger: Sequence[Sealed] = (),
    as_of_us: int | None = None,
    corrections: Sequence[Correction] = (),
) -> Worked:
    """What the contract says of a period, and what that rests on.

    Args:
        period: as `sla.period.parse_period` gives it. Only the part that a version governs is assessed.
        samples: ascending by due instant within each journey and location; `data_span` tells how far they should reach.
        spans: for journeys whose states are settled already; a journey has samples or spans, never both.
        ledger: in order; its chain is not checked here (`sla.ledger.first_broken`).
        as_of_us: entries recorded later and measurements of later are not known; None takes all.
        corrections: laid over what was measured, in their order; to weigh a claim.

    Raises:
        PeriodRefusedError: no version governs any of the period.
        ValueError: samples that do not ascend, overlapping spans, a journey with both.
    """
    entries = known(ledger, as_of_us)
    plan = _plan(contract, period)
    reach = Span(
        start_us=min(period.start_us, *(p.span.start_us for p in plan)),
        end_us=max(period.end_us, *(p.span.end_us for p in plan)),
    )
    rules = _rules(contract, entries)
    timed = {(j, p.clause.step) for p in plan if isinstance(p.clause, ResponseTimeClause) for j in p.clause.scope}
    folding = Folding(rules=rules, timed=timed, until_us=as_of_us)
    folding.add(samples)
    sampled = folding.tracks()
    tracks = _corrected(sampled | _span_tracks(spans, rules, as_of_us, sampled), corrections, rules)

    def track(journey: str, rule: Rule) -> Track:
        return tracks.get((journey, rule), Track())

    def downtime(journey: str) -> IntervalSet:
        found = track(journey, Rule())
        return found.down("observed") & found.measured

    decisions = (
        *maintenance_decisions(contract, entries, reach),
        *exclusion_decisions(entries, reach, downtime=downtime),
    )
    named = _named(tracks)
    judged = [_judge(p, contract.timezone, track, decisions, named, folding) for p in plan]
    judged = _gated(judged)
    dues = [
        Due(
            clause=j.planned.clause,
            version=j.planned.version,
            whole=j.planned.whole,
            sanction=j.result.sanction,
            failures=_failures(j, named),
        )
        for j in judged
    ]
    outages = outage_results(
        [(j.piece, j.finding, j.result) for j in judged],
        named,
        decisions,
        entries,
        period,
        beside=frozenset(punished_already(dues)),
    )
    assessment = Assessment(
        contract=contract,
        period=period,
        clauses=tuple(j.result for j in judged),
        outages=outages,
        blips=_blips(contract, tracks, period),
        windows=decisions,
        timelines=tuple(_timeline(j, rules, track, decisions, period) for j in contract.journeys()),
        coverage=_coverage([j.piece for j in judged]),
        ledger_head=entries[-1].hash if entries else "",
        as_of_us=as_of_us,
        total=together(dues, entries, contract.timezone),
        notes=_notes(contract, period, judged, plan),
    )
    return Worked(
        assessment=assessment,
        pieces=tuple(j.piece for j in judged),
        outages=named,
        tracks=tracks,
        entries=tuple(entries),
    )


def data_span(contract: Contract, period: Span) -> Span:
    """How far measurements should reach, so that rolling periods are whole and outages keep their edges."""
    plan = _plan(contract, period)
    return Span(
        start_us=min(period.start_us, *(p.span.start_us for p in plan)) - _LOOK_AROUND_US,
        end_us=max(period.end_us, *(p.span.end_us for p in plan)) + _LOOK_AROUND_US,
    )


def journeys_needed(contract: Contract, ledger: Sequence[Sealed]) -> tuple[str, ...]:
    """Whose measurements `assess` looks at: those of the contract, and those that limit a third party's exclusion."""
    return tuple(sorted({*contract.journeys(), *dependencies(ledger)}))


# --- what is judged over which time --------------------------------------------------------------------------------


def _plan(contract: Contract, period: Span) -> list[_Planned]:
    plan = []
    for version in contract.version:
        governs = IntervalSet.of((version_span(version, contract.timezone),))
        for clause in version.clause:
            for whole, asked, interim in _clause_periods(clause, period, contract.timezone):
                plan += [
                    _Planned(clause=clause, version=version, span=part, whole=whole, interim=interim)
                    for part in (governs & IntervalSet.of((asked,))).spans
                ]
    if not any(IntervalSet.of((p.span,)) & IntervalSet.of((period,)) for p in plan):
        first, last = contract.version[0].valid_from, contract.version[-1].valid_until
        raise PeriodRefusedError(
            f"no version of contract {contract.contract} governs this period; its versions run from {first} up to and "
            f"including {last}"
        )
    return plan


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


def _rules(contract: Contract, entries: Sequence[Sealed]) -> dict[str, list[Rule]]:
    rules: dict[str, list[Rule]] = {}
    for version in contract.version:
        for clause in version.clause:
            for journey in clause.scope:
                rules.setdefault(journey, []).append(rule_of(clause))
    for journey in dependencies(entries):
        rules.setdefault(journey, []).append(Rule())
    return rules


def _span_tracks(
    spans: Iterable[SpanIn],
    rules: Mapping[str, Iterable[Rule]],
    as_of_us: int | None,
    sampled: Mapping[tuple[str, Rule], Track],
) -> dict[tuple[str, Rule], Track]:
    per_journey: dict[str, list[SpanIn]] = {}
    for span in spans:
        per_journey.setdefault(span.journey, []).append(span)
    both = per_journey.keys() & {journey for journey, _ in sampled}
    if both:
        raise ValueError(f"{', '.join(sorted(both))} has both samples and spans; give one of the two")
    return {
        (journey, rule): track_of_spans(found, rule, until_us=as_of_us)
        for journey, found in per_journey.items()
        for rule in dict.fromkeys(rules.get(journey, ()))
    }


def _corrected(
    tracks: dict[tuple[str, Rule], Track], corrections: Sequence[Correction], rules: Mapping[str, Iterable[Rule]]
) -> dict[tuple[str, Rule], Track]:
    for journey in dict.fromkeys(c.journey for c in corrections):
        about = [c for c in corrections if c.journey == journey]
        for rule in dict.fromkeys(rules.get(journey, ())):
            tracks[journey, rule] = corrected(tracks.get((journey, rule), Track()), about, rule)
    return tracks


# --- outages and their names ---------------------------------------------------------------------------------------


def _named(tracks: Mapping[tuple[str, Rule], Track]) -> dict[tuple[str, Rule], tuple[NamedOutage, ...]]:
    """Outages with ids that the same measurements give again; the same edges under two rules are one outage."""
    known_as: dict[tuple[str, RawOutage], str] = {}
    used: dict[str, int] = {}
    named = {}
    for (journey, rule), found in tracks.items():
        here = []
        for raw in found.outages:
            key = (journey, raw)
            if key not in known_as:
                name = f"{journey}-{_stamp(raw.first_bad_us)}"
                used[name] = used.get(name, 0) + 1
                known_as[key] = name if used[name] == 1 else f"{name}-{used[name]}"
            here.append(NamedOutage(id=known_as[key], journey=journey, raw=raw))
        named[journey, rule] = tuple(here)
    return named


def _stamp(at_us: int) -> str:
    when = local_datetime(at_us, "UTC")
    return f"{when:%Y%m%dT%H%MZ}" if when.second == 0 else f"{when:%Y%m%dT%H%M%SZ}"


def _blips(contract: Contract, tracks: Mapping[tuple[str, Rule], Track], period: Span) -> tuple[Blip, ...]:
    found = {
        (raw.due_us, journey, raw.failure)
        for (journey, _), t in tracks.items()
        if journey in contract.journeys()
        for raw in t.blips
        if period.start_us <= raw.due_us < period.end_us
    }
    return tuple(Blip(journey=journey, due_us=due, failure=failure) for due, journey, failure in sorted(found))


# --- clauses -------------------------------------------------------------------------------------------------------


def _excluded(journey: str, decisions: Iterable[WindowDecision], *, third_parties: bool = True) -> IntervalSet:
    return IntervalSet.of(
        span
        for d in decisions
        if (not d.scope or journey in d.scope) and (third_parties or not d.dependency)
        for span in d.granted
    )


def _judge(
    planned: _Planned,
    timezone: str,
    track: _TrackOf,
    decisions: Sequence[WindowDecision],
    named: Mapping[tuple[str, Rule], tuple[NamedOutage, ...]],
    folding: Folding,
) -> _Judged:
    clause, version = planned.clause, planned.version
    rule = rule_of(clause)
    piece = Piece(
        clause=clause,
        version=version,
        span=planned.span,
        whole=planned.whole,
        timezone=timezone,
        service=service_time(version, clause.window, planned.span, timezone),
        journeys={j: Journey(track=track(j, rule), excluded=_excluded(j, decisions)) for j in clause.scope},
        grace=_grace(version, planned.span, timezone),
    )
    outages = [
        o
        for j in clause.scope
        for o in named.get((j, rule), ())
        if o.raw.ends_us > planned.span.start_us and (o.raw.last_good_us or o.raw.first_bad_us) < planned.span.end_us
    ]
    finding = _finding(piece, outages, folding)
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
    return _Judged(planned=planned, piece=piece, finding=finding, result=_result(piece, finding))


def _finding(piece: Piece, outages: Sequence[NamedOutage], folding: Folding) -> Finding:
    clause = piece.clause
    match clause:
        case AvailabilityClause():
            return availability.judge(clause, piece, outages)
        case OutageDurationClause():
            return outage_duration.judge(clause, piece, outages)
        case OutageCountClause():
            return outage_count.judge(clause, piece, outages)
        case CoverageClause():
            return coverage.judge(clause, piece)
        case ResponseTimeClause():
            durations: list[int] = []
            ungraced: list[int] = []
            for name, journey in piece.journeys.items():
                counts = piece.service - journey.excluded
                durations += folding.durations(name, clause.step).within(counts)
                ungraced += folding.durations(name, clause.step).within(counts - piece.grace)
            return response_time.judge(clause, durations, ungraced)


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
        name: dataclasses.replace(j, excluded=_excluded(name, decisions, third_parties=False))
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
    return ClauseResult(
        clause=clause,
        version=piece.version,
        period=piece.span,
        verdict=finding.verdict,
        reasons=(*finding.figures, *finding.why, *blocked),
        totals=finding.totals,
        availability=finding.availability,
        target=finding.target,
        measured=finding.measured,
        response=finding.response,
        sanction=proposal(clause, piece.version, finding.shortfall) if may and finding.shortfall else NOTHING,
        sanctionable=may,
        outages=tuple(finding.counted),
        undecided_us=finding.undecided_us,
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
    return tuple(reasons)


def _gated(judged: list[_Judged]) -> list[_Judged]:
    """Below the minimum coverage every verdict of that time is undecided: that is our shortcoming."""
    gated = []
    for j in judged:
        least = j.planned.version.minimum_coverage
        beside = [
            k.piece
            for k in judged
            if k.planned.version.number == j.planned.version.number and k.planned.span == j.planned.span
        ]
        found = _coverage(beside)
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


def _coverage(pieces: Iterable[Piece]) -> Fraction | None:
    """Measured share of the service time of clauses together, excluded time left out; None where there was none."""
    known_us = measured_us = 0
    for piece in pieces:
        totals = piece.classes(boundary_of(piece.clause)).totals()
        known_us += totals.service_us - totals.excluded_us
        measured_us += totals.service_us - totals.excluded_us - totals.unmeasured_us
    return Fraction(measured_us, known_us) if known_us else None


def _failures(judged: _Judged, named: Mapping[tuple[str, Rule], tuple[NamedOutage, ...]]) -> dict[str, IntervalSet]:
    clause = judged.planned.clause
    bounds = clause.sanction.boundary if clause.sanction is not None else "certain"
    down = judged.piece.classes(bounds, forgiven=judged.piece.grace).down if judges_downtime(clause) else EMPTY
    return {
        o.id: IntervalSet.of((o.raw.span(bounds),)) & down
        for j in clause.scope
        for o in named.get((j, rule_of(clause)), ())
        if o.id in judged.finding.sanctioned
    }


# --- for calendars and readers -------------------------------------------------------------------------------------


def _timeline(
    journey: str,
    rules: Mapping[str, Sequence[Rule]],
    track: _TrackOf,
    decisions: Sequence[WindowDecision],
    period: Span,
) -> JourneyTimeline:
    found = track(journey, rules[journey][0])
    whole = IntervalSet.of((period,))
    sets = classes(
        whole,
        excluded=_excluded(journey, decisions),
        measured=found.measured,
        down=found.down("observed"),
        degraded=found.degraded,
    )
    spans = [
        (span, state)
        for state, time in (
            ("up", sets.up),
            ("degraded", sets.degraded),
            ("down", sets.down),
            ("excluded", sets.excluded),
            ("unmeasured", sets.unmeasured),
        )
        for span in time.spans
    ]
    return JourneyTimeline(journey=journey, spans=tuple(sorted(spans, key=lambda s: s[0].start_us)))


def _notes(contract: Contract, period: Span, judged: Sequence[_Judged], plan: Sequence[_Planned]) -> tuple[Text, ...]:
    notes = []
    governed = IntervalSet.of(version_span(v, contract.timezone) for v in contract.version)
    if IntervalSet.of((period,)) - governed:
        notes.append(
            Text(
                nl="Een deel van de periode valt buiten elke contractversie en is niet beoordeeld.",
                en="A part of the period lies outside every version of the contract and was not assessed.",
            )
        )
    if any(p.span != p.whole and not p.interim and p.clause.period.unit != "rolling" for p in plan):
        notes.append(
            Text(
                nl="Een bepaling is beoordeeld over een deel van haar eigen periode: de gevraagde periode, de looptijd "
                "van de contractversie of beide zijn korter.",
                en="A clause was assessed over a part of its own period: the period asked for, the contract version, "
                "or both are shorter.",
            )
        )
    if any(j.result.sanctionable and j.finding.sanctioned for j in judged):
        notes.append(
            Text(
                nl="Sancties rekenen, tenzij het contract anders zegt, met de zekere duur van een storing (eerste tot "
                "laatste mislukte meting) en met alle niet-gemeten tijd als goed: de lezing die de dienstverlener het "
                "meest ontziet.",
                en="Unless the contract says otherwise, sanctions use the certain length of an outage (first to last "
                "failed sample) and take all unmeasured time as up: the reading kindest to the supplier.",
            )
        )
    if any(len(p.clause.scope) > 1 and judges_downtime(p.clause) for p in plan):
        notes.append(
            Text(
                nl="Bij een bepaling over meerdere reizen is tijd waarin een reis uitgesloten of niet gemeten was, ook "
                "voor de bepaling uitgesloten of niet gemeten: de lezing die de dienstverlener het meest ontziet.",
                en="In a clause about several journeys, time in which one was excluded or unmeasured is excluded or "
                "unmeasured for the clause: the reading kindest to the supplier.",
            )
        )
    return tuple(notes)
