"""No outage longer than so much, counted inside the window."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sla.assessment import Text, Verdict
from sla.clauses.finding import Beyond, Finding, NamedOutage, Shortfall
from sla.clauses.late_days import after, days_of
from sla.clauses.runs import possible_outages
from sla.contract import OutageDurationClause
from sla.intervals import IntervalSet
from sla.sanction_rules import Daily
from sla.time_classes import Classes, Piece
from sla.wording import length


def judge(clause: OutageDurationClause, piece: Piece, outages: Sequence[NamedOutage]) -> Finding:
    found = piece.classes(clause.boundary)
    totals = found.totals()
    counted = {o.id: us for o in outages if (us := o.counted_us(found, clause.boundary))}
    longest = max(counted.values(), default=0)
    possible = max((longest, *possible_outages(found)))
    if not totals.up_us + totals.degraded_us + totals.down_us:
        answer = Verdict.UNDECIDED
    elif longest > clause.limit:
        answer = Verdict.MISSED
    else:
        answer = Verdict.MET if possible <= clause.limit else Verdict.UNDECIDED
    bounds = clause.sanction.boundary if clause.sanction is not None else "certain"
    sure = piece.classes(bounds, forgiven=piece.grace)
    sanctioned = {o.id: us for o in outages if (us := o.counted_us(sure, bounds))}
    beyond = [
        Beyond(limit=clause.limit, figure=us, is_time=True, outage=name)
        for name, us in sanctioned.items()
        if us > clause.limit
    ]
    return Finding(
        verdict=answer,
        figures=(_figure(longest, clause.limit),),
        why=(_why(answer, possible),),
        totals=totals,
        target=clause.limit,
        measured=longest if answer is not Verdict.UNDECIDED or longest else None,
        undecided_us=totals.unmeasured_us if answer is Verdict.UNDECIDED else 0,
        counted=counted,
        sanctioned={name: us for name, us in sanctioned.items() if us > clause.limit},
        shortfall=Shortfall(beyond=tuple(beyond), late_days=_late_days(clause, piece, sure, outages)),
    )


def _late_days(
    clause: OutageDurationClause, piece: Piece, sure: Classes, outages: Sequence[NamedOutage]
) -> tuple[tuple[date, ...], ...]:
    """Per outage the days of what came after its limit."""
    if not isinstance(clause.sanction, Daily):
        return ()
    bounds = clause.sanction.boundary
    each = (IntervalSet.of((o.raw.span(bounds),)) & sure.down for o in outages)
    return days_of((after(down, clause.limit) for down in each), piece.timezone)


def _figure(longest: int, limit: int) -> Text:
    was, norm = length(longest), length(limit)
    return Text(
        nl=f"De langste storing duurde {was.nl}, norm hoogstens {norm.nl}.",
        en=f"The longest outage lasted {was.en}, at most {norm.en} was promised.",
    )


def _why(answer: Verdict, possible: int) -> Text:
    match answer:
        case Verdict.MET:
            return Text(
                nl="Gehaald: ook als alle niet-gemeten tijd uitval was.",
                en="Met: even if all unmeasured time had been down.",
            )
        case Verdict.MISSED:
            return Text(nl="Niet gehaald.", en="Missed.")
        case Verdict.UNDECIDED:
            may = length(possible)
            return Text(
                nl=f"Niet te beoordelen: met niet-gemeten tijd erbij kan een storing {may.nl} geduurd hebben.",
                en=f"Undecided: with unmeasured time an outage may have lasted {may.en}.",
            )
