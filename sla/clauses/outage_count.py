"""At most so many outages of at least so long, counted inside the window."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sla.assessment import Text, Verdict
from sla.clauses.finding import Beyond, Finding, NamedOutage, Shortfall
from sla.clauses.late_days import days_of
from sla.clauses.runs import possible_outages
from sla.contract import OutageCountClause
from sla.intervals import IntervalSet
from sla.sanction_rules import Daily
from sla.time_classes import Classes, Piece
from sla.wording import length


def judge(clause: OutageCountClause, piece: Piece, outages: Sequence[NamedOutage]) -> Finding:
    found = piece.classes(clause.boundary)
    totals = found.totals()
    counted = {o.id: us for o in outages if (us := o.counted_us(found, clause.boundary)) >= clause.at_least}
    count = len(counted)
    possible = max(count, sum(us >= clause.at_least for us in possible_outages(found)))
    if not totals.up_us + totals.degraded_us + totals.down_us:
        answer = Verdict.UNDECIDED
    elif count > clause.limit:
        answer = Verdict.MISSED
    else:
        answer = Verdict.MET if possible <= clause.limit else Verdict.UNDECIDED
    bounds = clause.sanction.boundary if clause.sanction is not None else "certain"
    sure = piece.classes(bounds, forgiven=piece.grace)
    sanctioned = {o.id: us for o in outages if (us := o.counted_us(sure, bounds)) >= clause.at_least}
    return Finding(
        verdict=answer,
        figures=(_figure(count, clause),),
        why=(_why(answer, possible),),
        totals=totals,
        target=clause.limit,
        measured=count if answer is not Verdict.UNDECIDED or count else None,
        undecided_us=totals.unmeasured_us if answer is Verdict.UNDECIDED else 0,
        counted=counted,
        sanctioned=sanctioned,
        shortfall=Shortfall(
            beyond=(Beyond(limit=clause.limit, figure=len(sanctioned), is_time=False),),
            late_days=_late_days(clause, piece, sure, [o for o in outages if o.id in sanctioned]),
        ),
    )


def _late_days(
    clause: OutageCountClause, piece: Piece, sure: Classes, outages: Sequence[NamedOutage]
) -> tuple[tuple[date, ...], ...]:
    """The days of each outage that came after as many as were allowed."""
    if not isinstance(clause.sanction, Daily):
        return ()
    bounds = clause.sanction.boundary
    late = sorted(outages, key=lambda o: (o.raw.first_bad_us, o.id))[clause.limit :]
    return days_of((IntervalSet.of((o.raw.span(bounds),)) & sure.down for o in late), piece.timezone)


def _figure(count: int, clause: OutageCountClause) -> Text:
    least = length(clause.at_least)
    nl, en = (f" van minstens {least.nl}", f" of at least {least.en}") if clause.at_least > 1 else ("", "")
    return Text(
        nl=f"{count} {'storing' if count == 1 else 'storingen'}{nl}, norm hoogstens {clause.limit}.",
        en=f"{count} {'outage' if count == 1 else 'outages'}{en}, at most {clause.limit} promised.",
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
            return Text(
                nl=f"Niet te beoordelen: met niet-gemeten tijd erbij kunnen het er {possible} geweest zijn.",
                en=f"Undecided: with unmeasured time there may have been {possible}.",
            )
