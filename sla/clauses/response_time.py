"""A percentile of the durations of successful samples, inside the window and outside excluded time."""

from __future__ import annotations

from collections.abc import Sequence

from sla.assessment import Text, Verdict
from sla.clauses.finding import Beyond, Finding, Shortfall
from sla.contract import ResponseTimeClause
from sla.response_times import nearest_rank, response_times
from sla.wording import exact, length, percent


def judge(clause: ResponseTimeClause, durations: Sequence[int], sanctioned: Sequence[int]) -> Finding:
    """Args: sanctioned: the durations without those in the stabilisation period; the same list where there is none."""
    found = response_times(durations, percentile=clause.percentile, limit_us=clause.limit)
    if found.percentile_us is None or found.within is None:
        return Finding(
            verdict=Verdict.UNDECIDED,
            figures=(Text(nl="Niet gemeten: geen geslaagde metingen.", en="Not measured: no successful samples."),),
            target=clause.limit,
            response=found,
        )
    met = found.percentile_us <= clause.limit
    ungraced = found.percentile_us if sanctioned is durations else nearest_rank(sorted(sanctioned), clause.percentile)
    rank = exact(clause.percentile / 100)
    was, norm, within = length(found.percentile_us), length(clause.limit), percent(found.within, clause.decimals)
    figure = Text(
        nl=f"Percentiel {rank.replace('.', ',')} is {was.nl}, "
        f"norm hoogstens {norm.nl} ({found.count} geslaagde metingen, {within.nl} binnen de norm).",
        en=f"Percentile {rank} is {was.en}, at most {norm.en} was promised "
        f"({found.count} successful samples, {within.en} within it).",
    )
    return Finding(
        verdict=Verdict.MET if met else Verdict.MISSED,
        figures=(figure,),
        why=(Text(nl="Gehaald.", en="Met.") if met else Text(nl="Niet gehaald.", en="Missed."),),
        target=clause.limit,
        measured=found.percentile_us,
        response=found,
        shortfall=Shortfall(beyond=(Beyond(limit=clause.limit, figure=ungraced or 0, is_time=True),)),
    )
