"""Service points: what a missed clause gets, doubled where it was missed before, and what the points of a period cost.

Whether a clause was missed before comes from assessing the earlier periods by the same measurements, ledger and
contract; a decision in the ledger that names clause, period and points stands in its place. What was not measured was
not missed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from sla.assessment import Sanction, SanctionLine, Text
from sla.contract import Clause, Version
from sla.cumulation import Due, punished_already
from sla.intervals import Span
from sla.ledger import Sealed, in_force
from sla.period import local_date
from sla.plan import periods_before
from sla.sanction_rules import Points, PointsTable
from sla.sanctions import bounded, edge_of, to_cents, worst_band, worth
from sla.wording import agreed, euros

_NONE = Decimal("0.00")


# --- points --------------------------------------------------------------------------------------------------------


def priced(dues: Sequence[Due], ledger: Sequence[Sealed], timezone: str, *, asked_from_us: int) -> list[Due]:
    """The dues with their points and what those cost, in the same order; other scales are left as they are.

    Args:
        dues: the earlier periods of `plan_before` among them.
        asked_from_us: periods that begin earlier were decided, perhaps, and the ledger then says so.
    """
    if not any(isinstance(d.clause.sanction, Points) for d in dues):
        return list(dues)
    given = _given(dues, _laid_down(ledger, asked_from_us), timezone)
    dropped: dict[int, int] = {}
    while True:
        found = _with_money(given, dropped, timezone)
        more = {i: k for i, k in punished_already(found).items() if found[i].points is not None and i not in dropped}
        if not more:
            return found
        # Points that give way no longer count towards a threshold, which may change what the others cost.
        dropped |= more


def _laid_down(ledger: Sequence[Sealed], before_us: int) -> dict[tuple[str, int, int], int]:
    """Points that decisions laid down, per clause and period before an instant."""
    return {
        (s.entry.data["clause"], s.entry.from_us, s.entry.until_us): int(s.entry.data["points"])
        for s in in_force(ledger)
        if s.entry.kind == "decision"
        and {"clause", "points"} <= s.entry.data.keys()
        and s.entry.data["points"].isascii()
        and s.entry.data["points"].isdecimal()
        and s.entry.from_us is not None
        and s.entry.until_us is not None
        and s.entry.until_us <= before_us
    }


def _given(dues: Sequence[Due], laid_down: Mapping[tuple[str, int, int], int], timezone: str) -> list[Due]:
    """The dues with the points that each gets, and a line that says how."""
    base: dict[int, int] = {}
    for i, due in enumerate(dues):
        if isinstance(due.clause.sanction, Points) and due.shortfall is not None and due.shortfall.missed:
            base[i] = _base(due.clause.sanction, due)
    # One clause gets its points once in a period: of the parts of two versions the one with the most.
    for i in list(base):
        same = [k for k in base if _key(dues[k]) == _key(dues[i])]
        if i != max(same, key=lambda k: (base[k], -k)):
            del base[i]
    missed = {_key(dues[i]) for i, points in base.items() if points} - laid_down.keys()
    missed |= {key for key, points in laid_down.items() if points}
    found = []
    for i, due in enumerate(dues):
        rule = due.clause.sanction
        if not isinstance(rule, Points):
            found.append(due)
            continue
        fixed = laid_down.get(_key(due))
        if fixed is not None:
            first = next(k for k, d in enumerate(dues) if _key(d) == _key(due))
            found.append(dataclasses.replace(due, points=fixed if i == first else 0))
            continue
        earlier = next(
            (w for w in periods_before(due.clause, due.whole, rule.looks_back, timezone) if _at(due, w) in missed), None
        )
        points = _counted(rule, base.get(i, 0), is_repeat=earlier is not None)
        line = _points_line(due, rule, base.get(i, 0), earlier, timezone)
        sanction = Sanction(amount_eur=_NONE, lines=(line,)) if line else due.sanction
        found.append(dataclasses.replace(due, points=points, sanction=sanction))
    return found


def _key(due: Due) -> tuple[str, int, int]:
    return _at(due, due.whole)


def _at(due: Due, whole: Span) -> tuple[str, int, int]:
    return due.clause.id, whole.start_us, whole.end_us


def _base(rule: Points, due: Due) -> int:
    if rule.points is not None or due.shortfall is None:
        return rule.points or 0
    reached = worst_band(rule.bands, due.shortfall)
    return 0 if reached is None else rule.bands[reached].points


def _counted(rule: Points, base: int, *, is_repeat: bool) -> int:
    if is_repeat:
        return base * rule.repeat_factor
    return base if rule.first == "counts" else 0


def _points_line(due: Due, rule: Points, base: int, earlier: Span | None, timezone: str) -> SanctionLine | None:
    """How the points of a miss were counted; None where there was none."""
    if not base:
        return None
    name = due.clause.id
    reached = worst_band(rule.bands, due.shortfall) if rule.bands and due.shortfall is not None else None
    edge = Text(nl="niet gehaald", en="missed") if reached is None else edge_of(rule.bands[reached])
    if earlier is None and rule.first == "warning":
        text = Text(
            nl=f"{name}: {edge.nl}, eerste keer: waarschuwing, geen punten",
            en=f"{name}: {edge.en}, first time: a warning, no points",
        )
        return SanctionLine(text=text, amount_eur=_NONE)
    got = _counted(rule, base, is_repeat=earlier is not None)
    nl, en = f"{name}: {edge.nl}, {_points(base).nl}", f"{name}: {edge.en}, {_points(base).en}"
    if earlier is not None:
        when = label(due.clause, earlier, timezone)
        nl += f", herhaald (ook niet gehaald in {when})"
        en += f", repeated (missed in {when} too)"
        if rule.repeat_factor > 1:
            nl, en = (
                f"{nl} × {rule.repeat_factor} = {_points(got).nl}",
                f"{en} × {rule.repeat_factor} = {_points(got).en}",
            )
    return SanctionLine(text=Text(nl=nl, en=en), amount_eur=_NONE)


def _points(count: int) -> Text:
    return Text(nl=f"{count} punt{'' if count == 1 else 'en'}", en=f"{count} point{'' if count == 1 else 's'}")


def label(clause: Clause, whole: Span, timezone: str) -> str:
    """A calendar period as contracts and commands write it: `2026-11`, `2026-Q4`, `2026`."""
    day = local_date(whole.start_us, timezone)
    match clause.period.unit:
        case "month":
            return f"{day:%Y-%m}"
        case "quarter":
            return f"{day.year}-Q{(day.month + 2) // 3}"
        case _:
            return f"{day.year}"


# --- money ---------------------------------------------------------------------------------------------------------


def cost(table: PointsTable, points: int, version: Version) -> Fraction:
    """What so many points cost, exact."""
    if table.each is not None:
        return max(0, points - table.free) * worth(table.each, version)
    reached = [worth(t.amount, version) for t in table.thresholds if points >= t.from_points]
    return max(reached, default=Fraction(0))


def _with_money(dues: Sequence[Due], dropped: Mapping[int, int], timezone: str) -> list[Due]:
    found = list(dues)
    for i, other in dropped.items():
        due, twice = found[i], found[other]
        nl = f"{due.clause.id}: zelfde storing als {twice.clause.id}, de punten tellen niet mee"
        en = f"{due.clause.id}: same failure as {twice.clause.id}, the points do not count"
        line = SanctionLine(text=Text(nl=nl, en=en), amount_eur=_NONE)
        lines = (*due.sanction.lines, line)
        found[i] = dataclasses.replace(due, points=0, sanction=Sanction(amount_eur=_NONE, lines=lines))
    totals: dict[tuple[str, int], int] = {}
    for due in found:
        key = (due.clause.period.unit, due.whole.start_us)
        totals[key] = totals.get(key, 0) + (due.points or 0)
    groups: dict[tuple[int, int, int], list[int]] = {}
    for i, due in enumerate(found):
        if due.points:
            groups.setdefault((due.whole.start_us, due.whole.end_us, due.version.number), []).append(i)
    for indices in groups.values():
        first = found[indices[0]]
        table = first.version.points
        if table is None:
            continue
        earlier = periods_before(first.clause, first.whole, table.over - 1, timezone)
        before = sum(totals.get((first.clause.period.unit, w.start_us), 0) for w in earlier)
        for i, share in zip(indices, _shared([found[i] for i in indices], table, before, timezone), strict=True):
            found[i] = share
    return found


def _shared(group: Sequence[Due], table: PointsTable, before: int, timezone: str) -> Iterable[Due]:
    """What the points of a period cost, rounded once, over its clauses by their points, to the cent."""
    version = group[0].version
    points = sum(d.points or 0 for d in group)
    total = to_cents(max(Fraction(0), cost(table, before + points, version) - cost(table, before, version)))
    why = _price_text(table, points, before, version)
    when = label(group[0].clause, group[0].whole, timezone)
    given, passed = _NONE, 0
    for due in group:
        passed += due.points or 0
        upto = (total * passed / points).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
        count = _points(due.points or 0)
        line = SanctionLine(
            text=Text(
                nl=f"{due.clause.id}: {count.nl} van de {points} in {when}; {why.nl}",
                en=f"{due.clause.id}: {count.en} of the {points} in {when}; {why.en}",
            ),
            amount_eur=upto - given,
        )
        given = upto
        rule = due.clause.sanction
        assert rule is not None  # only sanctions give points
        yield dataclasses.replace(due, sanction=bounded(due.clause, version, rule, (*due.sanction.lines, line)))


def _price_text(table: PointsTable, points: int, before: int, version: Version) -> Text:
    nl, en = "", ""
    if before:
        nl, en = (
            f"met de {before} van eerder {before + points} punten, ",
            f"with {before} before, {before + points} points, ",
        )
    if table.each is not None:
        words, shown = agreed(str(table.each)), euros(to_cents(worth(table.each, version)))
        nl, en = nl + f"{words.nl} ({shown.nl}) per punt", en + f"{words.en} ({shown.en}) a point"
        if table.free:
            nl, en = nl + f" vanaf het {table.free + 1}e", en + f", the first {table.free} free"
        return Text(nl=nl, en=en)
    reached = [t for t in table.thresholds if before + points >= t.from_points]
    if not reached:
        return Text(nl=nl + "geen drempel bereikt", en=en + "no threshold reached")
    top = max(reached, key=lambda t: (worth(t.amount, version), -t.from_points))
    words, shown = agreed(str(top.amount)), euros(to_cents(worth(top.amount, version)))
    nl += f"vanaf {top.from_points} punten {words.nl} ({shown.nl})"
    en += f"from {top.from_points} points {words.en} ({shown.en})"
    if (past := cost(table, before, version)) > 0:
        nl += f", min {euros(to_cents(past)).nl} voor de punten van eerder"
        en += f", less {euros(to_cents(past)).en} for the points before"
    return Text(nl=nl, en=en)
