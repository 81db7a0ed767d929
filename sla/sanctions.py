"""What a missed clause costs, as a computed proposal, line by line; a person decides.

Amounts are exact until a line is written; there they are rounded half-up to the cent, once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import ceil

from sla.assessment import Sanction, SanctionLine, Text
from sla.clauses.finding import Shortfall
from sla.contract import Clause, Version
from sla.contract_text import Amount, length_us
from sla.sanction_rules import Bands, Fixed, PerUnit
from sla.wording import agreed, euros, exact, length, percent

NOTHING = Sanction(amount_eur=Decimal("0.00"))
_CENT = Decimal("0.01")


def worth(amount: Amount, version: Version) -> Fraction:
    """An amount in euros, exact. The contract refused amounts whose basis it does not know."""
    if amount.share is None:
        return Fraction(amount.euros or 0)
    fee, value = version.monthly_fee or Decimal(0), version.contract_value or Decimal(0)
    basis = {"monthly-fee": Fraction(fee), "yearly-fee": 12 * Fraction(fee), "contract-value": Fraction(value)}
    return amount.share * basis[amount.basis or "monthly-fee"]


def to_cents(amount: Fraction) -> Decimal:
    """Half-up to the cent."""
    cents = (amount * 100 + Fraction(1, 2)).__floor__()
    return (Decimal(cents) / 100).quantize(_CENT, rounding=ROUND_HALF_UP)


def _line(nl: str, en: str, amount: Decimal) -> SanctionLine:
    return SanctionLine(text=Text(nl=nl, en=en), amount_eur=amount)


def _sum(lines: Iterable[SanctionLine]) -> Decimal:
    return sum((line.amount_eur for line in lines), Decimal("0.00"))


def proposal(clause: Clause, version: Version, shortfall: Shortfall) -> Sanction:
    """What the clause's own scale asks for its shortfall, within its minimum, maximum and the cap per clause."""
    rule = clause.sanction
    if rule is None or not shortfall.missed:
        return NOTHING
    match rule:
        case PerUnit():
            lines = _per_unit(clause, version, rule, shortfall)
        case Bands():
            lines = _bands(clause, version, rule, shortfall)
        case Fixed():
            each = to_cents(worth(rule.amount, version))
            words = agreed(str(rule.amount))
            lines = [_line(f"{clause.id}: vast bedrag, {words.nl}", f"{clause.id}: fixed amount, {words.en}", each)]
    if not lines:
        return NOTHING
    limits = () if isinstance(rule, Fixed) else (rule.minimum, rule.maximum)
    if limits and limits[0] is not None and (floor := to_cents(worth(limits[0], version))) > _sum(lines):
        words = agreed(str(limits[0]))
        lines.append(_line(f"{clause.id}: minimum {words.nl}", f"{clause.id}: minimum {words.en}", floor - _sum(lines)))
    if limits and limits[1] is not None:
        lines += _ceiling(lines, limits[1], version, f"{clause.id}: maximum", f"{clause.id}: maximum")
    if version.cap is not None and version.cap.clause is not None:
        nl, en = f"{clause.id}: plafond per bepaling", f"{clause.id}: cap per clause"
        lines += _ceiling(lines, version.cap.clause, version, nl, en)
    return Sanction(amount_eur=_sum(lines), lines=tuple(lines))


def _ceiling(lines: Sequence[SanctionLine], limit: Amount, version: Version, nl: str, en: str) -> list[SanctionLine]:
    return _less(lines, to_cents(worth(limit, version)), limit, nl, en)


def _less(lines: Sequence[SanctionLine], top: Decimal, limit: Amount, nl: str, en: str) -> list[SanctionLine]:
    """A negative line where the lines exceed a ceiling."""
    over = _sum(lines) - top
    if over <= 0:
        return []
    words, shown = agreed(str(limit)), euros(top)
    return [_line(f"{nl} {words.nl} ({shown.nl})", f"{en} {words.en} ({shown.en})", -over)]


def _per_unit(clause: Clause, version: Version, rule: PerUnit, shortfall: Shortfall) -> list[SanctionLine]:
    each = worth(rule.amount, version)
    shown, words = euros(to_cents(each)), agreed(str(rule.amount))
    if shortfall.target is not None and shortfall.figure is not None:
        unit = Fraction(rule.unit)
        count = ceil((shortfall.target - shortfall.figure) / unit)
        point, was = exact(unit), percent(shortfall.figure, clause.decimals)
        steps_nl, steps_en = ("schijf", "step") if count == 1 else ("schijven", "steps")
        return [
            _line(
                f"{clause.id}: {was.nl} is {count} begonnen {steps_nl} van {point.replace('.', ',')} procentpunt onder "
                f"{exact(shortfall.target).replace('.', ',')} % × {words.nl} ({shown.nl})",
                f"{clause.id}: {was.en} is {count} started {steps_en} of {point} percentage points below "
                f"{exact(shortfall.target)} % × {words.en} ({shown.en})",
                to_cents(count * each),
            )
        ]
    lines = []
    for beyond in shortfall.beyond:
        if beyond.figure <= beyond.limit:
            continue
        unit = Fraction(length_us(rule.unit)) if beyond.is_time else Fraction(rule.unit)
        count = ceil((beyond.figure - beyond.limit) / unit)
        about = f" {beyond.outage}" if beyond.outage else ""
        was, limit = _figure(beyond.figure, is_time=beyond.is_time), _figure(beyond.limit, is_time=beyond.is_time)
        step = length(int(unit)) if beyond.is_time else Text(nl=rule.unit, en=rule.unit)
        nl = f"{was.nl} is {count} × begonnen {step.nl} boven {limit.nl} × {words.nl} ({shown.nl})"
        en = f"{was.en} is {count} × started {step.en} beyond {limit.en} × {words.en} ({shown.en})"
        lines.append(_line(f"{clause.id}{about}: {nl}", f"{clause.id}{about}: {en}", to_cents(count * each)))
    return lines


def _figure(value: int, *, is_time: bool) -> Text:
    return length(value) if is_time else Text(nl=str(value), en=str(value))


def _bands(clause: Clause, version: Version, rule: Bands, shortfall: Shortfall) -> list[SanctionLine]:
    """The worst band reached; bands do not add up."""
    if shortfall.target is not None and shortfall.figure is not None:
        figure = shortfall.figure
        reached = sorted((b.below, i) for i, b in enumerate(rule.bands) if b.below is not None and figure < b.below)
        if not reached:
            return []
        below, i = reached[0]
        edge = Text(nl=f"onder {exact(below).replace('.', ',')} %", en=f"below {exact(below)} %")
    else:
        worst = max((b.figure for b in shortfall.beyond), default=0)
        passed = sorted((b.above, i) for i, b in enumerate(rule.bands) if b.above is not None and worst > b.above)
        if not passed:
            return []
        value, i = passed[-1]
        limit = _figure(value, is_time=rule.bands[i].above_is_time)
        edge = Text(nl=f"boven {limit.nl}", en=f"above {limit.en}")
    amount = rule.bands[i].amount
    words = agreed(str(amount))
    return [
        _line(
            f"{clause.id}: schijf {edge.nl}, {words.nl}",
            f"{clause.id}: band {edge.en}, {words.en}",
            to_cents(worth(amount, version)),
        )
    ]
