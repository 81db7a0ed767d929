"""At least so much of the service time measured: a promise of whoever measures, never the supplier's shortcoming."""

from __future__ import annotations

from fractions import Fraction

from sla.assessment import Text, Totals, Verdict
from sla.clauses.finding import Finding
from sla.contract import CoverageClause
from sla.time_classes import Piece
from sla.wording import percent, target


def coverage(totals: Totals) -> Fraction | None:
    """Share of the service time that was measured, excluded time left out; None where there was none."""
    known = totals.service_us - totals.excluded_us
    return Fraction(known - totals.unmeasured_us, known) if known else None


def judge(clause: CoverageClause, piece: Piece) -> Finding:
    totals = piece.classes(clause.boundary).totals()
    found = coverage(totals)
    if found is None:
        return Finding(
            verdict=Verdict.UNDECIDED,
            figures=(Text(nl="Geen diensttijd om te meten.", en="No service time to measure."),),
            totals=totals,
            target=clause.target,
        )
    met = found >= clause.target
    was, norm = percent(found, clause.decimals), target(clause.target)
    return Finding(
        verdict=Verdict.MET if met else Verdict.MISSED,
        figures=(
            Text(
                nl=f"{was.nl} van de diensttijd is gemeten, norm {norm.nl}. "
                "Dit is een norm voor de meting, niet voor de dienstverlener.",
                en=f"{was.en} of the service time was measured, target {norm.en}. "
                "This is a promise of the measuring, not of the supplier.",
            ),
        ),
        why=(Text(nl="Gehaald.", en="Met.") if met else Text(nl="Niet gehaald.", en="Missed."),),
        totals=totals,
        target=clause.target,
        measured=found,
    )
