"""No outage longer than so much, counted inside the window."""

from __future__ import annotations

from collections.abc import Sequence

from sla.assessment import Text, Verdict
from sla.clauses.finding import Beyond, Finding, NamedOutage, Shortfall
from sla.clauses.runs import possible_outages
from sla.contract import OutageDurationClause
from sla.time_classes import Piece
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
        reasons=(_reason(answer, longest, possible, clause.limit),),
        totals=totals,
        target=clause.limit,
        measured=longest if answer is not Verdict.UNDECIDED or longest else None,
        undecided_us=totals.unmeasured_us if answer is Verdict.UNDECIDED else 0,
        counted=counted,
        sanctioned={name: us for name, us in sanctioned.items() if us > clause.limit},
        shortfall=Shortfall(beyond=tuple(beyond)),
    )


def _reason(answer: Verdict, longest: int, possible: int, limit: int) -> Text:
    was, may, norm = length(longest), length(possible), length(limit)
    if answer is Verdict.UNDECIDED:
        return Text(
            nl=f"Niet te beoordelen: de langste gemeten storing duurde {was.nl}, met niet-gemeten tijd erbij misschien "
            f"{may.nl}; norm hoogstens {norm.nl}.",
            en=f"Undecided: the longest outage measured lasted {was.en}, but with unmeasured time perhaps "
            f"{may.en}; at most {norm.en} was promised.",
        )
    met = answer is Verdict.MET
    return Text(
        nl=f"{'Gehaald' if met else 'Niet gehaald'}: de langste storing duurde {was.nl}, norm hoogstens {norm.nl}.",
        en=f"{'Met' if met else 'Missed'}: the longest outage lasted {was.en}, at most {norm.en} was promised.",
    )
