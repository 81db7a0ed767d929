"""At least so much of the service time measured: a promise of whoever measures, never the supplier's shortcoming."""

from __future__ import annotations

from fractions import Fraction

from sla.assessment import Text, Totals, Verdict
from sla.clauses.finding import Finding
from sla.contract import CoverageClause
from sla.intervals import IntervalSet, Span
from sla.time_classes import Piece
from sla.wording import percent, target


def coverage(totals: Totals) -> Fraction | None:
    """Share of the service time that was measured, excluded time left out; None where there was none."""
    known = totals.service_us - totals.excluded_us
    return Fraction(known - totals.unmeasured_us, known) if known else None


def judge(clause: CoverageClause, piece: Piece, as_of_us: int | None) -> Finding:
    """Args: as_of_us: how far anything is known; service time after it could not be measured yet. None: all is over."""
    found = piece.classes(clause.boundary)
    totals = found.totals()
    ratio = coverage(totals)
    if ratio is None:
        return Finding(
            verdict=Verdict.UNDECIDED,
            figures=(Text(nl="Geen diensttijd om te meten.", en="No service time to measure."),),
            totals=totals,
            target=clause.target,
        )
    to_come_us = 0 if as_of_us is None else _after(found.unmeasured, as_of_us, piece.span.end_us)
    best = ratio + Fraction(to_come_us, totals.service_us - totals.excluded_us)
    was, norm = percent(ratio, clause.decimals), target(clause.target)
    so_far = Text(nl=" tot nu toe", en=" so far") if to_come_us else Text(nl="", en="")
    figure = Text(
        nl=f"{was.nl} van de diensttijd is{so_far.nl} gemeten, norm {norm.nl}. "
        "Dit is een norm voor de meting, niet voor de dienstverlener.",
        en=f"{was.en} of the service time was measured{so_far.en}, target {norm.en}. "
        "This is a promise of the measuring, not of the supplier.",
    )
    answer, why = _answer(ratio, best, clause)
    return Finding(
        verdict=answer,
        figures=(figure,),
        why=(why,),
        totals=totals,
        target=clause.target,
        measured=ratio,
        undecided_us=to_come_us if answer is Verdict.UNDECIDED else 0,
    )


def _answer(ratio: Fraction, best: Fraction, clause: CoverageClause) -> tuple[Verdict, Text]:
    """The verdict and what it rests on. Args: best: the coverage if all that is yet to come will be measured."""
    if ratio >= clause.target:
        return Verdict.MET, Text(nl="Gehaald.", en="Met.")
    if best < clause.target:
        if best == ratio:
            return Verdict.MISSED, Text(nl="Niet gehaald.", en="Missed.")
        most = percent(best, clause.decimals)
        return Verdict.MISSED, Text(
            nl=f"Niet gehaald: ook als alles wat nog komt gemeten wordt, is het hoogstens {most.nl}.",
            en=f"Missed: even if all that is yet to come is measured, it is at most {most.en}.",
        )
    return Verdict.UNDECIDED, Text(
        nl="Nog niet te beoordelen: de periode loopt nog.", en="Undecided so far: the period still goes on."
    )


def _after(time: IntervalSet, from_us: int, until_us: int) -> int:
    if from_us >= until_us:
        return 0
    return (time & IntervalSet.of((Span(start_us=from_us, end_us=until_us),))).length_us
