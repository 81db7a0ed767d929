"""A contract held against one period of measurements: the whole answer, from pure values to pure values."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sla.answers import outage_results
from sla.assessment import (
    Assessment,
    Blip,
    JourneyTimeline,
    Text,
    WindowDecision,
)
from sla.clauses.finding import NamedOutage
from sla.contract import (
    Contract,
    ResponseTimeClause,
)
from sla.corrections import Correction, corrected
from sla.cumulation import Due, punished_already, together
from sla.exclusions import dependencies, excluded, exclusion_decisions
from sla.intervals import IntervalSet, Span
from sla.judged import Evidence, Judged, coverage_of, failures, gated, judge
from sla.ledger import Sealed, known
from sla.maintenance import maintenance_decisions
from sla.measurements import Folding, RawOutage, Rule, SampleIn, SampleRun, SpanIn, Track, track_of_spans
from sla.period import local_datetime
from sla.plan import Planned, plan, plan_before
from sla.points import priced
from sla.promise_clauses import CaseClause, DeliveryClause
from sla.promise_notes import CASES, DELIVERIES
from sla.service_hours import version_span
from sla.time_classes import Piece, classes, judges_downtime, rule_of

_TrackOf = Callable[[str, Rule], Track]


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
    samples: Iterable[SampleIn | SampleRun] = (),
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
    samples: Iterable[SampleIn | SampleRun] = (),
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
    planned = plan(contract, period)
    reach = Span(
        start_us=min(period.start_us, *(p.span.start_us for p in planned)),
        end_us=max(period.end_us, *(p.span.end_us for p in planned)),
    )
    rules = _rules(contract, entries)
    before = plan_before(contract, planned)
    timed = {
        (j, p.clause.step)
        for p in (*before, *planned)
        if isinstance(p.clause, ResponseTimeClause)
        for j in p.clause.scope
    }
    folding = Folding(rules=rules, timed=timed, until_us=as_of_us)
    folding.add(samples)
    sampled = folding.tracks()
    tracks = _corrected(sampled | _span_tracks(spans, rules, as_of_us, sampled), corrections, rules)

    def track(journey: str, rule: Rule) -> Track:
        return tracks.get((journey, rule), Track())

    def downtime(journey: str) -> IntervalSet:
        found = track(journey, Rule())
        return found.down("observed") & found.measured

    decisions = _decided(contract, entries, reach, downtime)
    named = _named(tracks)
    evidence = Evidence(
        timezone=contract.timezone,
        track=track,
        decisions=decisions,
        excluding=_decided(contract, entries, Span(start_us=reach.start_us, end_us=_last_us(entries, reach)), downtime),
        named=named,
        folding=folding,
        entries=entries,
        as_of_us=as_of_us,
    )
    earlier = _earlier(before, evidence, lambda reach: _decided(contract, entries, reach, downtime))
    judged = gated([judge(p, evidence) for p in planned])
    dues = [
        Due(
            clause=j.planned.clause,
            version=j.planned.version,
            whole=j.planned.whole,
            sanction=j.result.sanction,
            failures=failures(j, named),
            shortfall=j.finding.shortfall if j.result.sanctionable else None,
        )
        for j in (*earlier, *judged)
    ]
    dues = priced(dues, entries, contract.timezone, asked_from_us=period.start_us)[len(earlier) :]
    judged = [_with_sanction(j, due) for j, due in zip(judged, dues, strict=True)]
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
        coverage=coverage_of([j.piece for j in judged]),
        ledger_head=entries[-1].hash if entries else "",
        as_of_us=as_of_us,
        total=together(dues, entries, contract.timezone),
        notes=_notes(contract, period, judged, planned),
    )
    return Worked(
        assessment=assessment,
        pieces=tuple(j.piece for j in judged),
        outages=named,
        tracks=tracks,
        entries=tuple(entries),
    )


def _decided(
    contract: Contract, entries: Sequence[Sealed], reach: Span, downtime: Callable[[str], IntervalSet]
) -> tuple[WindowDecision, ...]:
    return (
        *maintenance_decisions(contract, entries, reach),
        *exclusion_decisions(entries, reach, downtime=downtime),
    )


def _earlier(
    planned: Sequence[Planned], evidence: Evidence, decided: Callable[[Span], tuple[WindowDecision, ...]]
) -> list[Judged]:
    """The periods before, in which a repeated miss is looked for, judged by the same evidence."""
    if not planned:
        return []
    reach = Span(start_us=min(p.span.start_us for p in planned), end_us=max(p.span.end_us for p in planned))
    decisions = decided(reach)
    evidence = dataclasses.replace(evidence, decisions=decisions, excluding=(*decisions, *evidence.excluding))
    return gated([judge(p, evidence) for p in planned])


def _with_sanction(judged: Judged, due: Due) -> Judged:
    """With what points came to, now that those of all clauses are known."""
    result = dataclasses.replace(judged.result, sanction=due.sanction, points=due.points)
    return dataclasses.replace(judged, result=result)


def _last_us(entries: Sequence[Sealed], reach: Span) -> int:
    """How far the ledger speaks: a case that began in the period may have ended after it."""
    return max(reach.end_us, *(us for s in entries for us in (s.entry.from_us, s.entry.until_us) if us is not None), 0)


def journeys_needed(contract: Contract, ledger: Sequence[Sealed]) -> tuple[str, ...]:
    """Whose measurements `assess` looks at: those of the contract, and those that limit a third party's exclusion."""
    return tuple(sorted({*contract.journeys(), *dependencies(ledger)}))


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
        excluded=excluded(journey, decisions),
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


def _notes(contract: Contract, period: Span, judged: Sequence[Judged], planned: Sequence[Planned]) -> tuple[Text, ...]:
    notes = []
    governed = IntervalSet.of(version_span(v, contract.timezone) for v in contract.version)
    if IntervalSet.of((period,)) - governed:
        notes.append(
            Text(
                nl="Een deel van de periode valt buiten elke contractversie en is niet beoordeeld.",
                en="A part of the period lies outside every version of the contract and was not assessed.",
            )
        )
    if any(p.span != p.whole and not p.interim and p.clause.period.unit != "rolling" for p in planned):
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
    if any(isinstance(p.clause, CaseClause) for p in planned):
        notes.append(CASES)
    if any(isinstance(p.clause, DeliveryClause) for p in planned):
        notes.append(DELIVERIES)
    if any(len(p.clause.scope) > 1 and judges_downtime(p.clause) for p in planned):
        notes.append(
            Text(
                nl="Bij een bepaling over meerdere reizen is tijd waarin een reis uitgesloten of niet gemeten was, ook "
                "voor de bepaling uitgesloten of niet gemeten: de lezing die de dienstverlener het meest ontziet.",
                en="In a clause about several journeys, time in which one was excluded or unmeasured is excluded or "
                "unmeasured for the clause: the reading kindest to the supplier.",
            )
        )
    return tuple(notes)
