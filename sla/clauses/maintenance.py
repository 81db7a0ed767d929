"""Every announcement of maintenance kept the terms: the same ones by which it is excluded or refused."""

from __future__ import annotations

from collections.abc import Sequence

from sla.assessment import Case, Text, Verdict, WindowDecision
from sla.clauses.cases import together
from sla.clauses.finding import Beyond, Finding, Shortfall
from sla.promise_clauses import MaintenanceClause
from sla.time_classes import Piece
from sla.wording import stretch


def judge(
    clause: MaintenanceClause, piece: Piece, decisions: Sequence[WindowDecision], as_of_us: int | None
) -> Finding:
    """Args: decisions: what became of every announcement; work belongs to the period in which it begins."""
    ours = [
        d
        for d in decisions
        if d.kind == "maintenance"
        and piece.span.start_us <= d.claimed.start_us < piece.span.end_us
        and (not clause.scope or not d.scope or set(d.scope) & set(clause.scope))
    ]
    cases = tuple(_case(d, piece.timezone) for d in ours)
    broken = [c for c in cases if c.verdict is Verdict.MISSED]
    sure = [c for c in broken if not any(s.start_us <= c.from_us < s.end_us for s in piece.grace.spans)]
    answer, why = together(cases, piece, as_of_us)
    return Finding(
        verdict=answer,
        figures=(_figure(len(cases), len(broken)),),
        why=why,
        target=0,
        measured=len(broken),
        shortfall=Shortfall(beyond=(Beyond(limit=0, figure=len(sure), is_time=False),)),
        cases=cases,
    )


def _case(decision: WindowDecision, timezone: str) -> Case:
    when = stretch(decision.claimed.start_us, decision.claimed.end_us, timezone)
    return Case(
        id=f"#{decision.entry}",
        about=Text(nl=f"Onderhoud nr. {decision.entry}", en=f"Maintenance no. {decision.entry}"),
        verdict=Verdict.MISSED if decision.refused else Verdict.MET,
        entries=(decision.entry,),
        from_us=decision.claimed.start_us,
        until_us=decision.claimed.end_us,
        reasons=(
            Text(
                nl=f"Aangekondigd voor {when.nl}: {decision.reason}", en=f"Announced for {when.en}: {decision.reason}"
            ),
            *decision.reasons,
        ),
    )


def _figure(count: int, broken: int) -> Text:
    if not count:
        return Text(
            nl="Geen onderhoud aangekondigd in deze periode.", en="No maintenance was announced for this period."
        )
    nl, en = ("aankondiging", "announcement") if count == 1 else ("aankondigingen", "announcements")
    return Text(
        nl=f"{count} {nl} van onderhoud, {broken} niet volgens de afspraken.",
        en=f"{count} {en} of maintenance, {broken} not as agreed.",
    )
