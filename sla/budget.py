"""What is left of the downtime an availability clause allows, until the next sanction step, and for how long still."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Any

from sla.assess import Worked
from sla.assessment import Assessment, ClauseResult, Text
from sla.clauses.availability import allowed_us, late_days
from sla.clauses.finding import NamedOutage, Shortfall
from sla.contract import AvailabilityClause
from sla.contract_text import Boundary
from sla.interchange import ratio_text, seconds
from sla.intervals import EMPTY, IntervalSet, Span
from sla.period import SECOND_US, instant_text, local_date
from sla.sanction_rules import Bands, Daily, PerUnit, Points
from sla.sanctions import not_in_force, proposal
from sla.time_classes import Classes, Piece, by_formula, rule_of
from sla.wording import euros, length, moment

_MINUTE_US = 60_000_000
_NOTHING = Decimal("0.00")


@dataclass(frozen=True, slots=True, kw_only=True)
class DowntimeBudget:
    """Of one availability clause over one period; time that is still to come counts as service time.

    Attributes:
        allowed_us: downtime the target leaves in the service time that was not excluded.
        spent_us: measured downtime.
        left_us: negative where more was spent than allowed.
    """

    result: ClauseResult
    allowed_us: int
    spent_us: int

    @property
    def left_us(self) -> int:
        return self.allowed_us - self.spent_us


def budgets(found: Assessment) -> tuple[DowntimeBudget, ...]:
    """One for each availability clause and version, in the order of the assessment."""
    return tuple(
        DowntimeBudget(result=c, allowed_us=allowed_us(c.totals, c.clause), spent_us=c.totals.down_us)
        for c in found.clauses
        if isinstance(c.clause, AvailabilityClause) and c.totals is not None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The next step up of a clause's own sanction scale, before caps over several clauses or over time.

    Attributes:
        after_us: further downtime inside service time that reaches it, by the edges that sanctions use; of a weighted
            mean, with all its journeys down at once.
        amount_eur: what the scale asks then.
        below: the ratio below which the figure then is.
        possible: whether so much service time is still to come in the period; of a rolling one there always is.
    """

    after_us: int
    amount_eur: Decimal
    below: Fraction
    possible: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """A budget, and where it is going.

    Attributes:
        now_us: what comes later is still to come.
        measured_us: service time measured so far; with what was spent it gives the pace.
        to_come_us: service time after `now_us`, less what is excluded already.
        burn_rate: how many times faster than the target allows downtime was spent in the time measured so far; at 1
            the budget lasts exactly as long as the service time. None where nothing was measured, or none is allowed.
        amount_eur: what the clause's scale asks of the downtime so far, were the period to end well.
        step: None where no further downtime costs more: best efforts, no sanction, or its maximum is reached; and where
            that cannot be told by the length of downtime alone: by the day once it was missed, or in points.
        gone_us: when the budget was, or at the present pace will be, spent; None if never in this period.
    """

    budget: DowntimeBudget
    now_us: int
    measured_us: int
    to_come_us: int
    burn_rate: Fraction | None
    amount_eur: Decimal
    step: Step | None
    gone_us: int | None

    @property
    def is_gone(self) -> bool:
        return self.gone_us is not None and self.gone_us <= self.now_us


def outlooks(worked: Worked, *, now_us: int | None = None) -> tuple[Outlook, ...]:
    """One for each budget, in their order.

    Args:
        worked: of the whole period, the days to come included.
        now_us: None takes the end of what was measured.
    """
    pieces = [
        p
        for p, c in zip(worked.pieces, worked.assessment.clauses, strict=True)
        if isinstance(p.clause, AvailabilityClause) and c.totals is not None
    ]
    return tuple(
        _outlook(
            b, p, [o for name in p.clause.scope for o in worked.outages.get((name, rule_of(p.clause)), ())], now_us
        )
        for b, p in zip(budgets(worked.assessment), pieces, strict=True)
    )


def burn_rate(down_us: int, measured_us: int, target: Fraction) -> Fraction | None:
    """Downtime over a stretch of time, as a multiple of what the target allows in it; None where it allows none."""
    return Fraction(down_us, measured_us) / (1 - target) if measured_us and target < 1 else None


def _outlook(budget: DowntimeBudget, piece: Piece, outages: Sequence[NamedOutage], now_us: int | None) -> Outlook:
    clause = piece.clause
    assert isinstance(clause, AvailabilityClause)
    found = piece.classes(clause.boundary)
    measured = found.service - found.excluded - found.unmeasured
    if now_us is None:
        now_us = measured.spans[-1].end_us if measured else piece.span.start_us
    later = IntervalSet.of((Span(start_us=max(now_us, piece.span.start_us), end_us=piece.span.end_us),))
    to_come = (found.service - found.excluded) & later
    # A rolling period never ends; its next days are as long as those that leave it, give or take.
    amount, step = _next_step(
        clause, piece, outages, piece.span.length_us if clause.period.unit == "rolling" else to_come.length_us
    )
    if isinstance(clause.sanction, Points):
        amount = budget.result.sanction.amount_eur
    return Outlook(
        budget=budget,
        now_us=now_us,
        measured_us=measured.length_us,
        to_come_us=to_come.length_us,
        burn_rate=burn_rate(budget.spent_us, measured.length_us, clause.target),
        amount_eur=amount,
        step=step,
        gone_us=_gone(budget, found.down, measured.length_us, to_come),
    )


def _gone(budget: DowntimeBudget, down: IntervalSet, measured_us: int, to_come: IntervalSet) -> int | None:
    if not budget.spent_us:
        return None
    if budget.left_us <= 0:
        return _after(down, budget.allowed_us)
    # At the pace of the service time measured so far, rounded to the later microsecond.
    needed = ceil(Fraction(budget.left_us * measured_us, budget.spent_us))
    return _after(to_come, needed) if needed <= to_come.length_us else None


def _after(spans: IntervalSet, length_us: int) -> int:
    """The instant at which so much of a set has passed; the set is at least so long, and not empty."""
    for span in spans.spans:
        if length_us <= span.length_us:
            return span.start_us + length_us
        length_us -= span.length_us
    return spans.spans[-1].end_us


# --- the next sanction step ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """The figure a clause is judged by falls in a straight line with further downtime, unmeasured time taken as up."""

    now: Fraction
    per_us: Fraction

    @classmethod
    def of(cls, clause: AvailabilityClause, piece: Piece, boundary: Boundary, forgiven: IntervalSet) -> _Line | None:
        """None where there is no service time to lose."""
        if piece.weights is None:
            return _straight(piece.classes(boundary, forgiven=forgiven), clause)
        each = [
            (weight, line)
            for name, weight in piece.weights.items()
            if (line := _straight(piece.of_journey(name, boundary, forgiven=forgiven), clause)) is not None
        ]
        total = sum(weight for weight, _ in each)
        if not total:
            return None
        return cls(
            now=sum((w * line.now for w, line in each), Fraction(0)) / total,
            per_us=sum((w * line.per_us for w, line in each), Fraction(0)) / total,
        )

    def after(self, us: int) -> Fraction:
        return self.now - us * self.per_us

    def until_below(self, ratio: Fraction) -> int:
        """Further downtime that brings it below a ratio; 0 where it is."""
        return 0 if self.now < ratio else floor((self.now - ratio) / self.per_us) + 1


def _straight(found: Classes, clause: AvailabilityClause) -> _Line | None:
    excluded = 0 if by_formula(clause) else found.excluded.length_us
    known = found.service.length_us - excluded
    return _Line(now=1 - Fraction(found.down.length_us, known), per_us=Fraction(1, known)) if known else None


def _next_step(
    clause: AvailabilityClause, piece: Piece, outages: Sequence[NamedOutage], to_come_us: int
) -> tuple[Decimal, Step | None]:
    rule = clause.sanction
    if rule is None or isinstance(rule, Points) or not_in_force(rule, piece.span, piece.timezone) is not None:
        return _NOTHING, None
    if clause.obligation == "best-efforts" or piece.grace.length_us == piece.span.length_us:
        return _NOTHING, None
    judged = _Line.of(clause, piece, clause.boundary, EMPTY)
    sanctioned = _Line.of(clause, piece, rule.boundary, piece.grace)
    if judged is None or sanctioned is None:
        return _NOTHING, None

    def amount(us: int) -> Decimal:
        if judged.after(us) >= clause.target:
            return _NOTHING
        days = late_days(clause, piece, piece.classes(rule.boundary, forgiven=piece.grace), outages)
        # Downtime to come that misses the target goes on beyond it on one day at least; which one does not matter.
        days = days or ((local_date(piece.span.start_us, piece.timezone),),) if us else days
        figure = Shortfall(target=clause.target, figure=sanctioned.after(us), late_days=days)
        return proposal(clause, piece.version, figure).amount_eur

    def reached(below: Fraction) -> int:
        return max(judged.until_below(clause.target), sanctioned.until_below(below))

    now = amount(0)
    match rule:
        case PerUnit():
            unit = Fraction(rule.unit)
            steps: Sequence[int] = range(ceil(clause.target / unit))
            # A later step never costs less, and there may be very many of them.
            first = bisect_right(steps, now, key=lambda n: amount(reached(clause.target - n * unit)))
            candidates = [clause.target - n * unit for n in steps[first : first + 1]]
        case Bands():
            below = {min(b.below, clause.target) for b in rule.bands if b.below is not None}
            candidates = sorted(below, reverse=True)
        case _:
            candidates = [clause.target]
    for ratio in candidates:
        us = reached(ratio)
        if us and amount(us) > now:
            return now, Step(after_us=us, amount_eur=amount(us), below=ratio, possible=us <= to_come_us)
    return now, None


# --- in words and as plain data ------------------------------------------------------------------------------------


def minutes(us: int) -> str:
    """Minutes with two decimals, cut towards zero."""
    sign, us = ("-", -us) if us < 0 else ("", us)
    hundredths = us * 100 // _MINUTE_US
    return f"{sign}{hundredths // 100}.{hundredths % 100:02d}"


def told(found: Outlook, timezone: str) -> Text:
    """An outlook in a few sentences."""
    budget = found.budget
    allowed, spent = length(budget.allowed_us), length(budget.spent_us)
    left = length(abs(budget.left_us))
    rest = (
        Text(nl=f"nog {left.nl} over", en=f"{left.en} left")
        if budget.left_us >= 0
        else Text(nl=f"{left.nl} te veel", en=f"{left.en} too much")
    )
    name = budget.result.clause.id
    words = [
        Text(
            nl=f"{name}: {allowed.nl} uitval toegelaten, {spent.nl} gebruikt, {rest.nl}.",
            en=f"{name}: {allowed.en} of downtime allowed, {spent.en} spent, {rest.en}.",
        ),
        step_told(found),
        _gone_told(found, timezone),
        *_pace_told(found),
    ]
    return Text(nl=" ".join(w.nl for w in words), en=" ".join(w.en for w in words))


def step_told(found: Outlook) -> Text:
    clause = found.budget.result.clause
    if clause.sanction is None:
        return Text(nl="Op deze bepaling staat geen sanctie.", en="This clause carries no sanction.")
    if clause.obligation == "best-efforts":
        return Text(
            nl="Dit is een middelenverbintenis: geen automatische sanctie.",
            en="This is a best-efforts obligation: never sanctioned automatically.",
        )
    if found.step is None and isinstance(clause.sanction, Daily | Points):
        if isinstance(clause.sanction, Points):
            return Text(
                nl="Deze bepaling geeft punten; wat die kosten, hangt af van de andere bepalingen en perioden.",
                en="This clause gives points; what those cost depends on the other clauses and periods.",
            )
        return Text(
            nl="De sanctie wordt per dag berekend: elke dag met verdere uitval boven de norm kan meetellen.",
            en="The sanction is by the day: every day with further downtime beyond the limit may count.",
        )
    if found.step is None:
        return Text(
            nl="Verdere uitval verhoogt de sanctie van deze bepaling niet.",
            en="Further downtime does not raise this clause's sanction.",
        )
    # It begins a microsecond after the limit, and nobody reads fractions of a second; the plain data has them.
    until, cost = length(found.step.after_us // SECOND_US * SECOND_US), euros(found.step.amount_eur)
    if not found.step.possible:
        return Text(
            nl=f"De volgende sanctietrap ({cost.nl}) ligt {until.nl} uitval verder, meer dan de periode nog duurt.",
            en=f"The next sanction step ({cost.en}) is {until.en} of downtime away, more than the period still has.",
        )
    return Text(
        nl=f"Bij meer dan nog {until.nl} uitval wordt het berekende voorstel {cost.nl}.",
        en=f"With more than another {until.en} of downtime the computed proposal becomes {cost.en}.",
    )


def _gone_told(found: Outlook, timezone: str) -> Text:
    if found.gone_us is None:
        return Text(
            nl="Aan het huidige tempo raakt het budget in deze periode niet op.",
            en="At the present pace the budget is not used up in this period.",
        )
    when = moment(found.gone_us, timezone)
    if found.is_gone:
        return Text(nl=f"Het budget is op sinds {when}.", en=f"The budget has been used up since {when}.")
    return Text(
        nl=f"Aan het huidige tempo is het budget op {when} op.",
        en=f"At the present pace the budget is used up on {when}.",
    )


def _pace_told(found: Outlook) -> tuple[Text, ...]:
    if not found.burn_rate:
        return ()
    hundredths = int(found.burn_rate * 100)
    pace = f"{hundredths // 100}.{hundredths % 100:02d}"
    return (
        Text(
            nl=f"Tempo tot nu: {pace.replace('.', ',')} keer wat de norm toelaat.",
            en=f"Pace so far: {pace} times what the target allows.",
        ),
    )


def outlook_json(found: Outlook, timezone: str, language: str = "nl") -> dict[str, Any]:
    """An outlook for programs: service-window minutes as decimal strings cut to hundredths, seconds exact."""
    budget, step = found.budget, found.step
    result = budget.result
    record: dict[str, Any] = {
        "clause": result.clause.id,
        "version": result.version.number,
        "period": {
            "from": instant_text(result.period.start_us, timezone),
            "to": instant_text(result.period.end_us, timezone),
        },
        "now": instant_text(found.now_us, timezone),
    }
    for name, us in (("allowed", budget.allowed_us), ("spent", budget.spent_us), ("left", budget.left_us)):
        record |= {f"{name}_minutes": minutes(us), f"{name}_seconds": seconds(us)}
    return record | {
        "burn_rate": ratio_text(found.burn_rate),
        "amount_eur": f"{found.amount_eur:.2f}",
        "next_step": None
        if step is None
        else {
            "after_minutes": minutes(step.after_us),
            "after_seconds": seconds(step.after_us),
            "amount_eur": f"{step.amount_eur:.2f}",
            "possible": step.possible,
        },
        "gone": None if found.gone_us is None else instant_text(found.gone_us, timezone),
        "sentence": told(found, timezone).in_(language),
    }
