"""At least so much of the time available."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from math import ceil

from sla.assessment import Availability, Text, Totals, Verdict
from sla.availability import availability, of_service_time, verdict, weighted
from sla.clauses.finding import Finding, NamedOutage, Shortfall
from sla.clauses.late_days import after, days_of
from sla.contract import AvailabilityClause
from sla.contract_text import Boundary
from sla.intervals import EMPTY, IntervalSet
from sla.sanction_rules import Daily
from sla.time_classes import Classes, Piece
from sla.wording import length, percent, target

_WEIGHTED = Text(
    nl="De beschikbaarheid is een gewogen gemiddelde; de seconden tellen waarin minstens een van de reizen uitviel.",
    en="The availability is a weighted mean; the seconds are those in which at least one of the journeys was down.",
)


def judge(clause: AvailabilityClause, piece: Piece, outages: Sequence[NamedOutage]) -> Finding:
    found = piece.classes(clause.boundary)
    totals = found.totals()
    ratio = _ratio(clause, piece, clause.boundary)
    answer = verdict(ratio, clause.target)
    figures, why = _reasons(clause, totals, ratio, answer)
    if piece.weights is not None:
        figures = (*figures, _WEIGHTED)
    bounds = clause.sanction.boundary if clause.sanction is not None else "certain"
    figure = _ratio(clause, piece, bounds, forgiven=piece.grace).highest
    sure = piece.classes(bounds, forgiven=piece.grace)
    return Finding(
        verdict=answer,
        figures=figures,
        why=why,
        totals=totals,
        availability=ratio,
        target=clause.target,
        measured=ratio.point,
        undecided_us=totals.unmeasured_us if answer is Verdict.UNDECIDED else 0,
        counted={o.id: us for o in outages if (us := o.counted_us(found, clause.boundary))},
        sanctioned={o.id: us for o in outages if (us := o.counted_us(sure, bounds))},
        shortfall=Shortfall(target=clause.target, figure=figure, late_days=late_days(clause, piece, sure, outages)),
    )


def late_days(
    clause: AvailabilityClause, piece: Piece, sure: Classes, outages: Sequence[NamedOutage]
) -> tuple[tuple[date, ...], ...]:
    """Per outage the days of the downtime that came once the target's own had been spent."""
    if not isinstance(clause.sanction, Daily):
        return ()
    bounds = clause.sanction.boundary
    late = after(sure.down, allowed_us(sure.totals(), clause))
    return days_of((IntervalSet.of((o.raw.span(bounds),)) & late for o in outages), piece.timezone)


def _ratio(
    clause: AvailabilityClause, piece: Piece, boundary: Boundary, *, forgiven: IntervalSet = EMPTY
) -> Availability:
    formula = of_service_time if clause.formula == "of-service-time" else availability
    if piece.weights is None:
        return formula(piece.classes(boundary, forgiven=forgiven).totals())
    each = []
    for name, weight in piece.weights.items():
        totals = piece.of_journey(name, boundary, forgiven=forgiven).totals()
        each.append((weight, formula(totals), totals))
    return weighted(each)


def _reasons(
    clause: AvailabilityClause, totals: Totals, ratio: Availability, answer: Verdict
) -> tuple[tuple[Text, ...], tuple[Text, ...]]:
    if not totals.service_us:
        return (Text(nl="Geen diensttijd in deze periode.", en="No service time in this period."),), ()
    if ratio.lowest is None or ratio.point is None or ratio.highest is None:
        return (Text(nl="Niet gemeten in deze periode.", en="Not measured in this period."),), ()
    norm = target(clause.target)
    point, low, high = (percent(r, clause.decimals) for r in (ratio.point, ratio.lowest, ratio.highest))
    lost, limit = length(totals.down_us), length(allowed_us(totals, clause))
    figure = Text(
        nl=f"Beschikbaarheid {point.nl} (tussen {low.nl} en {high.nl}), norm {norm.nl}: "
        f"{lost.nl} uitval, {limit.nl} toegelaten.",
        en=f"Availability {point.en} (between {low.en} and {high.en}), target {norm.en}: "
        f"{lost.en} down, {limit.en} allowed.",
    )
    match answer:
        case Verdict.MET:
            why = Text(
                nl="Gehaald: ook als alle niet-gemeten tijd uitval was.",
                en="Met: even if all unmeasured time had been down.",
            )
        case Verdict.MISSED:
            why = Text(
                nl="Niet gehaald: ook als alle niet-gemeten tijd goed was.",
                en="Missed: even if all unmeasured time had been up.",
            )
        case Verdict.UNDECIDED:
            open_us, needed = length(totals.unmeasured_us), length(_needed_us(totals, clause.target))
            why = Text(
                nl=f"Niet te beoordelen: {open_us.nl} is niet gemeten; "
                f"de norm is gehaald als daarvan {needed.nl} goed was.",
                en=f"Undecided: {open_us.en} is unmeasured; the target is met if {needed.en} of it was up.",
            )
    return (figure,), (why,)


def allowed_us(totals: Totals, clause: AvailabilityClause) -> int:
    """Downtime the target leaves, in whole microseconds, cut; of the service time less what was excluded.

    By `of-service-time` excluded time counts as up, so it allows downtime too.
    """
    excluded = 0 if clause.formula == "of-service-time" else totals.excluded_us
    return int((1 - clause.target) * (totals.service_us - excluded))


def _needed_us(totals: Totals, target: Fraction) -> int:
    """How much of the unmeasured time must have been up for the target to be met."""
    known = totals.service_us - totals.excluded_us
    return max(0, ceil(target * known) - totals.up_us - totals.degraded_us)
