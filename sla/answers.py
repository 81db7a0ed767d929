"""Each outage's own answer: what counted of it, whether it can be sanctioned, and why, reason by reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal

from sla.assessment import ClauseResult, OutageResult, Text, Verdict, WindowDecision
from sla.clauses.finding import Finding, NamedOutage
from sla.contract import OutageDurationClause
from sla.intervals import IntervalSet, Span
from sla.ledger import Sealed, in_force
from sla.measurements import Rule
from sla.promise_clauses import CaseClause
from sla.time_classes import Piece, judges_downtime
from sla.wording import length

Judged = tuple[Piece, Finding, ClauseResult]


def outage_results(
    judged: Sequence[Judged],
    named: Mapping[tuple[str, Rule], tuple[NamedOutage, ...]],
    decisions: Sequence[WindowDecision],
    ledger: Sequence[Sealed],
    period: Span,
    *,
    beside: frozenset[int],
) -> tuple[OutageResult, ...]:
    """The outages of every journey in a clause that touch the period or a clause's own period, by start.

    Args:
        beside: indices into `judged` whose proposals give way, because a failure is not punished twice.
    """
    shares = _shares([j for i, j in enumerate(judged) if i not in beside])
    attributed = {
        s.entry.data["outage"]: s.entry.data.get("party") or s.entry.data.get("to", "supplier")
        for s in in_force(ledger)
        if s.entry.kind == "attribution" and "outage" in s.entry.data
    }
    reach = IntervalSet.of((period, *(piece.span for piece, _, _ in judged)))
    found: dict[str, OutageResult] = {}
    for outage in sorted({o.id: o for os in named.values() for o in os}.values(), key=_order):
        if not IntervalSet.of((_widest(outage),)) & reach:
            continue
        about = [
            j
            for j in judged
            if outage.journey in j[0].clause.scope
            and (judges_downtime(j[0].clause) or outage.id in j[1].counted)  # of a restore time only its own cases
        ]
        if not about:
            continue
        found[outage.id] = _result(outage, about, decisions, reach, attributed.get(outage.id), shares)
    return tuple(found.values())


def _order(outage: NamedOutage) -> tuple[int, str]:
    return outage.raw.first_bad_us, outage.id


def _widest(outage: NamedOutage) -> Span:
    # An outage that ended with its first failing sample still happened: a microsecond stands for the instant.
    span = outage.raw.span("observed")
    return Span(start_us=span.start_us, end_us=max(span.end_us, span.start_us + 1))


def _result(
    outage: NamedOutage,
    about: Sequence[Judged],
    decisions: Sequence[WindowDecision],
    reach: IntervalSet,
    attributed: str | None,
    shares: Mapping[str, Decimal],
) -> OutageResult:
    inside = IntervalSet.of((outage.raw.span("observed"),)) & reach
    service = IntervalSet.of(s for piece, _, _ in about for s in piece.service.spans)
    excluded = IntervalSet.of(s for d in decisions if not d.scope or outage.journey in d.scope for s in d.granted)
    counted: dict[str, int] = {}
    for piece, finding, _ in about:
        if us := finding.counted.get(outage.id, 0):
            counted[piece.clause.id] = counted.get(piece.clause.id, 0) + us
    reasons: list[Text] = []
    sanctionable = False
    if not inside & service:
        reasons.append(
            Text(
                nl="Niet sanctioneerbaar: valt volledig buiten de diensttijd.",
                en="Not sanctionable: lies wholly outside service time.",
            )
        )
    elif not (inside & service) - excluded:
        reasons.append(
            Text(nl="Niet sanctioneerbaar: is volledig uitgesloten.", en="Not sanctionable: is wholly excluded.")
        )
    else:
        for piece, finding, result in about:
            if not IntervalSet.of((_widest(outage),)) & IntervalSet.of((piece.span,)):
                continue
            yes, reason = _answer(outage, piece, finding, result)
            sanctionable = sanctionable or yes
            if reason not in reasons:
                reasons.append(reason)
    if attributed not in (None, "supplier"):
        sanctionable = False
        reasons.insert(
            0,
            Text(
                nl=f"Niet sanctioneerbaar: het grootboek schrijft ze niet aan de dienstverlener toe ({attributed}).",
                en=f"Not sanctionable: the ledger does not attribute it to the supplier ({attributed}).",
            ),
        )
    reasons += _about_exclusions(outage, decisions, inside, excluded & service)
    return OutageResult(
        id=outage.id,
        journey=outage.journey,
        last_good_us=outage.raw.last_good_us,
        first_bad_us=outage.raw.first_bad_us,
        last_bad_us=outage.raw.last_bad_us,
        first_good_us=outage.raw.first_good_us,
        counted=counted,
        excluded_us=(inside & excluded).length_us,
        outside_service_us=(inside - service).length_us,
        failures=outage.raw.failures,
        sanctionable=sanctionable,
        reasons=tuple(reasons),
        amount_eur=shares.get(outage.id, Decimal("0.00")) if sanctionable else Decimal("0.00"),
    )


def _answer(outage: NamedOutage, piece: Piece, finding: Finding, result: ClauseResult) -> tuple[bool, Text]:
    clause = piece.clause
    us = finding.counted.get(outage.id, 0)
    size = length(us)
    no = f"Niet sanctioneerbaar onder {clause.id}: ", f"Not sanctionable under {clause.id}: "
    if not us:
        if IntervalSet.of((outage.raw.span("observed"),)) & piece.service:
            why = "er telt niets van mee (uitgesloten, niet gemeten of te kort).", "none of it counts."
        else:
            why = "valt buiten het venster van deze bepaling.", "lies outside this clause's window."
    elif clause.obligation == "best-efforts":
        why = f"{clause.id} is een middelenverbintenis.", f"{clause.id} is a best-efforts obligation."
    elif result.verdict is Verdict.MET:
        why = f"de norm is gehaald, ook met deze {size.nl} erbij.", f"the target was met, this {size.en} included."
    elif result.verdict is Verdict.UNDECIDED:
        why = "de norm is niet te beoordelen.", "the clause is undecided."
    elif not result.sanctionable:
        reason = result.reasons[-1]
        why = reason.nl[:1].lower() + reason.nl[1:], reason.en[:1].lower() + reason.en[1:]
    elif (
        outage.id not in finding.sanctioned
        and isinstance(clause, OutageDurationClause | CaseClause)
        and us <= clause.limit
    ):
        limit = length(clause.limit)
        why = f"duurde er {size.nl}, de norm is {limit.nl}.", f"lasted {size.en} there, the limit is {limit.en}."
    elif outage.id not in finding.sanctioned:
        why = (
            "met de zekere duur, of buiten de stabilisatieperiode, telt er niets van mee.",
            "by its certain length, or outside the stabilisation period, none of it counts.",
        )
    else:
        sure = length(finding.sanctioned[outage.id])
        return True, Text(
            nl=f"Sanctioneerbaar: {clause.id} is een resultaatsverbintenis en is niet gehaald; {size.nl} van deze "
            f"storing telt mee, {sure.nl} voor de sanctie.",
            en=f"Sanctionable: {clause.id} is an obligation of result and was missed; {size.en} of this outage counts, "
            f"{sure.en} for the sanction.",
        )
    return False, Text(nl=no[0] + why[0], en=no[1] + why[1])


def _about_exclusions(
    outage: NamedOutage, decisions: Sequence[WindowDecision], inside: IntervalSet, excluded: IntervalSet
) -> list[Text]:
    """What was excluded of it, and which announcements and claims were refused, with their own reasons."""
    reasons = []
    if taken := (inside & excluded).length_us:
        size = length(taken)
        reasons.append(Text(nl=f"{size.nl} ervan is uitgesloten.", en=f"{size.en} of it is excluded."))
    for d in decisions:
        if (d.scope and outage.journey not in d.scope) or not inside & IntervalSet.of(d.refused):
            continue
        what = ("Onderhoud", "Maintenance") if d.kind == "maintenance" else ("Uitsluiting", "Exclusion")
        reasons += [
            Text(nl=f"{what[0]} nr. {d.entry}: {r.nl}", en=f"{what[1]} no. {d.entry}: {r.en}") for r in d.reasons
        ]
    return reasons


def _shares(judged: Sequence[Judged]) -> dict[str, Decimal]:
    """Each clause's proposal over its outages by sanctioned time, to the cent; the shares add up to the proposal."""
    shares: dict[str, Decimal] = {}
    for _, finding, result in judged:
        amount, total = result.sanction.amount_eur, sum(finding.sanctioned.values())
        given = Decimal("0.00")
        passed = 0
        for name, us in sorted(finding.sanctioned.items()):
            passed += us
            upto = (amount * passed / total).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP) if total else given
            shares[name] = shares.get(name, Decimal("0.00")) + upto - given
            given = upto
    return shares
