"""Sanctions of several clauses together: one failure once, the highest or the sum, and the caps over time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sla.assessment import Sanction, SanctionLine, Text
from sla.clauses.finding import Shortfall
from sla.contract import Clause, Version
from sla.contract_text import Amount
from sla.intervals import IntervalSet, Span
from sla.ledger import Sealed, in_force
from sla.period import calendar_span, local_date
from sla.sanctions import to_cents, worth
from sla.wording import agreed, euros


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One clause's own proposal, and the failure it is for.

    Attributes:
        whole: the clause's own period, such as the month.
        failures: per outage id the time that was sanctioned.
        shortfall: what a sanction may be computed from; None where the clause carries none here.
        points: of the scale `points`: those that count in its period; None for other scales.
    """

    clause: Clause
    version: Version
    whole: Span
    sanction: Sanction
    failures: Mapping[str, IntervalSet]
    shortfall: Shortfall | None = None
    points: int | None = None

    @property
    def amount(self) -> Decimal:
        return self.sanction.amount_eur

    @property
    def weight(self) -> tuple[Decimal, int]:
        """Of two sanctions for one failure the heavier one stands; nothing where there is nothing to give up."""
        return self.amount, self.points or 0


def together(dues: Sequence[Due], ledger: Sequence[Sealed], timezone: str) -> Sanction:
    """The proposal for all clauses. Every step down is a line of its own, so that the sum can be redone by hand."""
    owed = [d for d in dues if d.amount > 0]
    lines = [
        SanctionLine(
            text=Text(nl=f"Bepaling {d.clause.id}", en=f"Clause {d.clause.id}"),
            amount_eur=d.amount,
        )
        for d in owed
    ]
    beside = punished_already(dues)
    kept = [d for i, d in enumerate(dues) if d.amount > 0 and i not in beside]
    for i, other in beside.items():
        due, twice = dues[i], dues[other]
        if not due.amount:
            continue
        nl = f"{due.clause.id}: zelfde storing als {twice.clause.id}, niet tweemaal bestraft"
        en = f"{due.clause.id}: same failure as {twice.clause.id}, not punished twice"
        lines.append(SanctionLine(text=Text(nl=nl, en=en), amount_eur=-due.amount))
    for group in _by_period(kept):
        lines += _of_one_clause(group)
        lines += _within_period(group, _of_one_clause(group))
    lines += _over_time(kept, lines, ledger, timezone)
    return Sanction(amount_eur=_sum(lines), lines=tuple(lines))


def punished_already(dues: Sequence[Due]) -> dict[int, int]:
    """Which of the dues give way because a heavier one is for the same failure: index to index."""
    kept: list[int] = []
    beside: dict[int, int] = {}
    for i in sorted(range(len(dues)), key=lambda i: dues[i].weight, reverse=True):
        due = dues[i]
        if due.weight <= (0, 0):
            continue
        twice = next((k for k in kept if _excludes(due, dues[k])), None)
        if twice is None:
            kept.append(i)
        else:
            beside[i] = twice
    return beside


def _excludes(due: Due, kept: Due) -> bool:
    """Whether a sanction cannot stand beside a heavier one: the same failure, and the contract does not allow both."""
    allowed = due.version.punish_twice or any(d.clause.sanction and d.clause.sanction.cumulates for d in (due, kept))
    return not allowed and _same_failure(due, kept)


def _sum(lines: Iterable[SanctionLine]) -> Decimal:
    return sum((line.amount_eur for line in lines), Decimal("0.00"))


def _same_failure(one: Due, other: Due) -> bool:
    shared = one.failures.keys() & other.failures.keys()
    return any(one.failures[name] & other.failures[name] for name in shared)


def _by_period(dues: Iterable[Due]) -> list[list[Due]]:
    groups: dict[tuple[int, int], list[Due]] = {}
    for due in sorted(dues, key=lambda d: (d.whole.start_us, d.whole.end_us)):
        groups.setdefault((due.whole.start_us, due.whole.end_us), []).append(due)
    return list(groups.values())


def _of_one_clause(group: list[Due]) -> list[SanctionLine]:
    """What is bounded per clause and period holds for the parts of two versions together; the lower bound counts."""
    lines = []
    for name in dict.fromkeys(d.clause.id for d in group):
        parts = [d for d in group if d.clause.id == name]
        bounds = [_lowest(parts, "clause")] + [
            (limit, to_cents(worth(limit, d.version)))
            for d in parts
            if d.clause.sanction is not None and (limit := d.clause.sanction.maximum) is not None
        ]
        bound = min((b for b in bounds if b is not None), key=lambda b: b[1], default=None)
        total = sum((d.amount for d in parts), Decimal(0))
        if len(parts) > 1 and bound is not None and total > bound[1]:
            nl, en = f"{name}: plafond over de versies samen", f"{name}: cap over the versions together"
            lines.append(_cap(nl, en, bound, total))
    return lines


def _within_period(group: list[Due], already: Sequence[SanctionLine]) -> list[SanctionLine]:
    """Cumulation and the cap of one period; with two versions in it, what is kindest to the supplier.

    Args: already: what the bounds of its clauses took off.
    """
    lines: list[SanctionLine] = []
    due = sum((d.amount for d in group), Decimal(0)) + _sum(already)
    if any(d.version.cumulation == "highest" for d in group) and len(group) > 1:
        top = max(group, key=lambda d: d.amount)
        nl = f"Alleen het hoogste bedrag is verschuldigd ({top.clause.id})"
        en = f"Only the highest amount is due ({top.clause.id})"
        lines.append(SanctionLine(text=Text(nl=nl, en=en), amount_eur=min(Decimal(0), top.amount - due)))
        due = min(due, top.amount)
    cap = _lowest(group, "per_period")
    if cap is not None and due > cap[1]:
        lines.append(_cap("Plafond per periode", "Cap per period", cap, due))
    return lines


def _lowest(group: Iterable[Due], which: str) -> tuple[Amount, Decimal] | None:
    found = []
    for version in {d.version.number: d.version for d in group}.values():
        amount = getattr(version.cap, which, None)
        if isinstance(amount, Amount):
            found.append((amount, to_cents(worth(amount, version))))
    return min(found, key=lambda f: f[1], default=None)


def _cap(nl: str, en: str, cap: tuple[Amount, Decimal], due: Decimal) -> SanctionLine:
    words, shown = agreed(str(cap[0])), euros(cap[1])
    text = Text(nl=f"{nl}: {words.nl} ({shown.nl})", en=f"{en}: {words.en} ({shown.en})")
    return SanctionLine(text=text, amount_eur=min(Decimal(0), cap[1] - due))


def _over_time(
    kept: Sequence[Due], lines: Sequence[SanctionLine], ledger: Sequence[Sealed], timezone: str
) -> list[SanctionLine]:
    """The caps per calendar year and over the contract, with what the ledger says was decided before."""
    found: list[SanctionLine] = []
    if not kept:
        return found
    first = min(d.whole.start_us for d in kept)
    year = calendar_span("year", local_date(max(d.whole.end_us for d in kept) - 1, timezone), timezone)
    for which, since, nl, en in (
        ("per_year", year.start_us, "Plafond per jaar", "Cap per year"),
        ("contract", None, "Plafond van het contract", "Cap of the contract"),
    ):
        cap = _lowest(kept, which)
        if cap is None:
            continue
        before = decided(ledger, since_us=since, until_us=first)
        due = _sum([*lines, *found]) + before
        if due > cap[1]:
            if before:
                past = euros(before)
                nl, en = f"{nl}, na eerder beslist {past.nl}", f"{en}, after {past.en} decided before"
            line = _cap(nl, en, cap, due)
            # What was decided before stands; only this proposal gives way.
            found.append(SanctionLine(text=line.text, amount_eur=max(line.amount_eur, -_sum([*lines, *found]))))
    return found


def decided(ledger: Sequence[Sealed], *, since_us: int | None, until_us: int) -> Decimal:
    """Euros of sanctions that the ledger's decisions (`amount_eur`) laid down for time before `until_us`."""
    total = Decimal(0)
    for sealed in in_force(ledger):
        entry = sealed.entry
        if entry.kind != "decision" or entry.from_us is None or "amount_eur" not in entry.data:
            continue
        if entry.from_us < until_us and (since_us is None or entry.from_us >= since_us):
            total += Decimal(entry.data["amount_eur"])
    return total
