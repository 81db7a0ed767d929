"""What a missed clause costs, as a computed proposal, line by line; a person decides.

Amounts are exact until a line is written; there they are rounded half-up to the cent, once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import ceil

from sla.assessment import Sanction, SanctionLine, Text
from sla.clauses.finding import Beyond, Shortfall
from sla.contract import Clause, Version
from sla.contract_text import Amount, length_us
from sla.intervals import Span
from sla.period import local_date
from sla.promise_clauses import DeliveryClause
from sla.sanction_rules import Bands, Daily, Edge, Fixed, PerUnit, Points, Terms
from sla.service_hours import working_day
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
    """What the clause's own scale asks for its shortfall, within its minimum, maximum and the cap per clause.

    Nothing of the scale `points`: what those cost depends on the other clauses and periods (`sla.points`).
    """
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
        case Daily():
            lines = _daily(clause, version, rule, shortfall)
        case Points():
            return NOTHING
    return bounded(clause, version, rule, lines)


def bounded(clause: Clause, version: Version, rule: Terms, lines: Sequence[SanctionLine]) -> Sanction:
    """Lines of a missed clause with its minimum, its maximum and the cap per clause, in that order."""
    if not lines:
        return NOTHING
    lines = list(lines)
    if rule.minimum is not None and (floor := to_cents(worth(rule.minimum, version))) > _sum(lines):
        words = agreed(str(rule.minimum))
        lines.append(_line(f"{clause.id}: minimum {words.nl}", f"{clause.id}: minimum {words.en}", floor - _sum(lines)))
    if rule.maximum is not None:
        lines += _ceiling(lines, rule.maximum, version, f"{clause.id}: maximum", f"{clause.id}: maximum")
    if version.cap is not None and version.cap.clause is not None:
        nl, en = f"{clause.id}: plafond per bepaling", f"{clause.id}: cap per clause"
        lines += _ceiling(lines, version.cap.clause, version, nl, en)
    return Sanction(amount_eur=_sum(lines), lines=tuple(lines))


def not_in_force(rule: Terms, span: Span, timezone: str) -> Text | None:
    """Why a sanction does not apply to a period that was not wholly within its dates; None where it does."""
    first, last = local_date(span.start_us, timezone), local_date(span.end_us - 1, timezone)
    if (rule.valid_from is None or rule.valid_from <= first) and (rule.valid_until is None or rule.valid_until >= last):
        return None
    since = f" vanaf {_day(rule.valid_from)}" if rule.valid_from else ""
    until = f" tot en met {_day(rule.valid_until)}" if rule.valid_until else ""
    name = rule.name or rule.source
    after = f" from {_day(rule.valid_from)}" if rule.valid_from else ""
    before = f" up to and including {_day(rule.valid_until)}" if rule.valid_until else ""
    return Text(
        nl=f"De sanctie{' ' * bool(name)}{name} geldt maar{since}{until}, niet voor de hele beoordeelde periode: niet "
        "toegepast.",
        en=f"The sanction{' ' * bool(name)}{name} is only in force{after}{before}, not for the whole of the period "
        "that was assessed: not applied.",
    )


def ground(rule: Terms) -> Text | None:
    """Where a sanction comes from, for those who read what it asks. None where the contract names no source."""
    if not rule.source and not rule.to_confirm:
        return None
    source = rule.source or rule.name
    return Text(
        nl=f"Grond van de sanctie: {source or 'het contract'}{' (te bevestigen)' * rule.to_confirm}.",
        en=f"Ground of the sanction: {source or 'the contract'}{' (to be confirmed)' * rule.to_confirm}.",
    )


def _day(day: date) -> str:
    return f"{day:%d-%m-%Y}"


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
        if isinstance(clause, DeliveryClause) and unit == 1 and not beyond.limit:
            lines.append(
                _late(clause, beyond, f"{words.nl} ({shown.nl})", f"{words.en} ({shown.en})", to_cents(count * each))
            )
            continue
        about = f" {beyond.outage}" if beyond.outage else ""
        was, limit = _figure(beyond.figure, is_time=beyond.is_time), _figure(beyond.limit, is_time=beyond.is_time)
        step = length(int(unit)) if beyond.is_time else Text(nl=rule.unit, en=rule.unit)
        nl = f"{was.nl} is {count} × begonnen {step.nl} boven {limit.nl} × {words.nl} ({shown.nl})"
        en = f"{was.en} is {count} × started {step.en} beyond {limit.en} × {words.en} ({shown.en})"
        lines.append(_line(f"{clause.id}{about}: {nl}", f"{clause.id}{about}: {en}", to_cents(count * each)))
    return lines


def _late(clause: DeliveryClause, beyond: Beyond, nl: str, en: str, amount: Decimal) -> SanctionLine:
    """A price for every day that a document came late, in days and not in bare units."""
    days, due = beyond.figure, date.fromisoformat(beyond.outage)
    day_nl, day_en = ("dag", "day") if clause.late == "days" else ("werkdag", "working day")
    many_nl, many_en = ("", "") if days == 1 else ("en", "s")
    return _line(
        f"{clause.id}, vervaldag {_day(due)}: {days} {day_nl}{many_nl} te laat × {nl}",
        f"{clause.id}, due {_day(due)}: {days} {day_en}{many_en} late × {en}",
        amount,
    )


def _daily(clause: Clause, version: Version, rule: Daily, shortfall: Shortfall) -> list[SanctionLine]:
    """Each day once, however many failures went on that day; the free days are those of each failure."""
    holidays = frozenset(version.holidays)
    counted: set[date] = set()
    for failure in shortfall.late_days:
        days = sorted(d for d in failure if rule.days == "calendar" or working_day(d, holidays))
        counted.update(days[rule.free_days :])
    if not counted:
        return []
    each = worth(rule.amount, version)
    asked = each
    if rule.minimum_per_day is not None:
        each = max(each, worth(rule.minimum_per_day, version))
    if rule.maximum_per_day is not None:
        each = min(each, worth(rule.maximum_per_day, version))
    words, shown = agreed(str(rule.amount)), euros(to_cents(each))
    bound = Text(nl="", en="")
    if each != asked:
        bound = Text(nl=" minimum" if each > asked else " maximum", en=" minimum" if each > asked else " maximum")
    one = len(counted) == 1
    kinds = {"calendar": ("kalenderdag", "calendar"), "working": ("werkdag", "working")}[rule.days]
    nl = f"{len(counted)} {kinds[0]}{'' if one else 'en'} boven de norm"
    en = f"{len(counted)} {kinds[1]} day{'' if one else 's'} beyond the limit"
    if rule.free_days:
        free = rule.free_days
        nl += f", na {free} vrije {'dag' if free == 1 else 'dagen'} per storing"
        en += f", after {free} free {'day' if free == 1 else 'days'} per failure"
    when = _listed(sorted(counted))
    return [
        _line(
            f"{clause.id}: {nl} ({when.nl}) × {words.nl} ({shown.nl}{bound.nl})",
            f"{clause.id}: {en} ({when.en}) × {words.en} ({shown.en}{bound.en})",
            to_cents(len(counted) * each),
        )
    ]


def _listed(days: Sequence[date]) -> Text:
    """Days in order, those that follow each other as one stretch."""
    runs: list[list[date]] = []
    for day in days:
        if runs and day - runs[-1][-1] == timedelta(days=1):
            runs[-1].append(day)
        else:
            runs.append([day])
    nl = [_day(r[0]) if len(r) == 1 else f"{_day(r[0])} tot en met {_day(r[-1])}" for r in runs]
    en = [_day(r[0]) if len(r) == 1 else f"{_day(r[0])} to {_day(r[-1])}" for r in runs]
    return Text(nl=", ".join(nl), en=", ".join(en))


def _figure(value: int, *, is_time: bool) -> Text:
    return length(value) if is_time else Text(nl=str(value), en=str(value))


def _bands(clause: Clause, version: Version, rule: Bands, shortfall: Shortfall) -> list[SanctionLine]:
    """The worst band reached; bands do not add up."""
    reached = worst_band(rule.bands, shortfall)
    if reached is None:
        return []
    amount, edge = rule.bands[reached].amount, edge_of(rule.bands[reached])
    words = agreed(str(amount))
    return [
        _line(
            f"{clause.id}: schijf {edge.nl}, {words.nl}",
            f"{clause.id}: band {edge.en}, {words.en}",
            to_cents(worth(amount, version)),
        )
    ]


def worst_band(bands: Sequence[Edge], shortfall: Shortfall) -> int | None:
    """Index of the band furthest beyond the target that the figure reached; None where it reached none."""
    if shortfall.target is not None and shortfall.figure is not None:
        figure = shortfall.figure
        below = sorted((b.below, i) for i, b in enumerate(bands) if b.below is not None and figure < b.below)
        return below[0][1] if below else None
    worst = max((b.figure for b in shortfall.beyond), default=0)
    above = sorted((b.above, i) for i, b in enumerate(bands) if b.above is not None and worst > b.above)
    return above[-1][1] if above else None


def edge_of(band: Edge) -> Text:
    """Where a band begins, in words."""
    if band.below is not None:
        return Text(nl=f"onder {exact(band.below).replace('.', ',')} %", en=f"below {exact(band.below)} %")
    limit = _figure(band.above or 0, is_time=band.above_is_time)
    return Text(nl=f"boven {limit.nl}", en=f"above {limit.en}")
