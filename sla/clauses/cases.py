"""One verdict from many cases: any sure breach misses, anything open leaves it undecided."""

from __future__ import annotations

from collections.abc import Sequence

from sla.assessment import Case, Text, Verdict
from sla.time_classes import Piece
from sla.wording import moment


def together(cases: Sequence[Case], piece: Piece, as_of_us: int | None) -> tuple[Verdict, tuple[Text, ...]]:
    """The verdict over all cases, and why."""
    missed = [c for c in cases if c.verdict is Verdict.MISSED]
    undecided = [c for c in cases if c.verdict is Verdict.UNDECIDED]
    if missed:
        nl, en = _names(missed)
        some, every = len(missed), len(cases)
        return Verdict.MISSED, (
            Text(
                nl=f"Niet gehaald in {some} van de {every}: {nl}.",
                en=f"Missed in {some} of {every}: {en}.",
            ),
        )
    if undecided:
        nl, en = _names(undecided)
        return Verdict.UNDECIDED, (
            Text(nl=f"Niet te beoordelen: {nl} (nog open).", en=f"Undecided: {en} (still open)."),
        )
    if as_of_us is not None and as_of_us < piece.span.end_us:
        until = moment(piece.span.end_us, piece.timezone)
        return Verdict.UNDECIDED, (
            Text(
                nl=f"Tussenstand: de periode loopt tot {until}; tot nu toe is de norm gehaald.",
                en=f"So far: the period runs until {until}; the promise was kept until now.",
            ),
        )
    return Verdict.MET, (Text(nl="Gehaald.", en="Met."),)


def _names(cases: Sequence[Case]) -> tuple[str, str]:
    """In the middle of a sentence."""
    nl = ", ".join(c.about.nl[:1].lower() + c.about.nl[1:] for c in cases)
    return nl, ", ".join(c.about.en[:1].lower() + c.about.en[1:] for c in cases)
