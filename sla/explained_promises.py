"""What ran at an instant under a promise that is judged case by case, and why its clock ran or stood still."""

from __future__ import annotations

from sla.assessment import Case, ClauseResult, Text
from sla.promise_clauses import CaseClause, DeliveryClause
from sla.time_classes import Piece
from sla.wording import moment


def about_cases(result: ClauseResult, piece: Piece, at_us: int) -> tuple[bool, list[Text]]:
    """Whether any case is under way at the instant, and the cases that are, with all they were judged by."""
    running = [c for c in result.cases if _under_way(c, piece, at_us)]
    told = [Text(nl=f"{c.about.nl}: {r.nl}", en=f"{c.about.en}: {r.en}") for c in running for r in c.reasons]
    return bool(running), [*told, _conclusion(piece, at_us, running)]


def _under_way(case: Case, piece: Piece, at_us: int) -> bool:
    """A clock runs from its start to its end; of a document, from its due time until it was delivered."""
    if case.from_us > at_us:
        return False
    if isinstance(piece.clause, CaseClause | DeliveryClause):
        return case.until_us is None or at_us < case.until_us
    return at_us < (case.from_us + 1 if case.until_us is None else case.until_us)


def _conclusion(piece: Piece, at_us: int, running: list[Case]) -> Text:
    when, name = moment(at_us, piece.timezone), piece.clause.id
    if not running:
        return Text(
            nl=f"Besluit: op {when} liep er voor bepaling {name} niets.",
            en=f"Conclusion: on {when} nothing ran under clause {name}.",
        )
    nl, en = ", ".join(c.about.nl for c in running), ", ".join(c.about.en for c in running)
    return Text(
        nl=f"Besluit: op {when} liep voor bepaling {name}: {nl}.",
        en=f"Conclusion: on {when} this ran under clause {name}: {en}.",
    )
