"""What a missed clause costs, in a reader's words: amounts, scales and their bounds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from sla.contract_text import Amount, length_us
from sla.rendering.numbers import Numbers, decimals_of
from sla.rendering.words import Words
from sla.sanction_rules import Band, Bands, Daily, Edge, Fixed, PerUnit, Points, PointsTable, SanctionRule

WHOLE_UNITS = {
    60_000_000: "sanction.one_minute",
    3_600_000_000: "sanction.one_hour",
    86_400_000_000: "sanction.one_day",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SanctionPhrases:
    """Sentences about sanctions in one language."""

    words: Words
    numbers: Numbers

    def amount(self, amount: Amount) -> str:
        if amount.share is None:
            return self.numbers.euros(amount.euros or Decimal(0))
        share = self.numbers.norm_percent(amount.share)
        share = re.sub(r"[.,]0(?=\D)", "", share)
        return self.words("sanction.share_of", share=share, basis=self.words(f"sanction.{amount.basis}"))

    def sanction_rule(
        self,
        rule: SanctionRule,
        table: PointsTable | None = None,
        *,
        late: Literal["days", "working days"] | None = None,
    ) -> str:
        """A sanction in one sentence.

        Args:
            table: what the version's points cost, where the sanction gives points.
            late: which days count where the clause is about a document that comes late; None for any other clause.
        """
        per_day = late if isinstance(rule, PerUnit) and rule.unit == "1" else None
        parts = self._scale(rule, per_day)
        if isinstance(rule, Points) and table is not None:
            parts.append(self.points_table(table))
        parts += [self.words("sanction.minimum", amount=self.amount(rule.minimum))] if rule.minimum else []
        parts += [self.words("sanction.maximum", amount=self.amount(rule.maximum))] if rule.maximum else []
        parts += [self.words("sanction.cumulates")] if rule.cumulates else []
        # A document that comes late has no edges between two measurements.
        parts += [] if late else [self.words(f"sanction.boundary_{rule.boundary}")]
        told = ", ".join([*parts, *self._source(rule)])
        return f"{rule.name}: {told}" if rule.name else told

    def points_table(self, table: PointsTable) -> str:
        """What service points cost."""
        if table.each is not None:
            parts = [self.words("sanction.price_each", amount=self.amount(table.each))]
        else:
            parts = [
                self.words("sanction.price_from", points=self._points(t.from_points), amount=self.amount(t.amount))
                for t in table.thresholds
            ]
        parts += [self.words("sanction.price_free", points=self._points(table.free))] if table.free else []
        parts += [self.words("sanction.price_over", count=table.over)] if table.over > 1 else []
        return "; ".join(parts)

    def _scale(self, rule: SanctionRule, late: Literal["days", "working days"] | None = None) -> list[str]:
        match rule:
            case PerUnit() if late is not None:
                days = self.words("sanction.one_day" if late == "days" else "sanction.working_days")
                return [self.words("sanction.per_late", amount=self.amount(rule.amount), days=days)]
            case PerUnit():
                return [self.words("sanction.per_unit", amount=self.amount(rule.amount), unit=self._unit(rule.unit))]
            case Bands():
                return [self.words("sanction.bands", bands="; ".join(self._band(band) for band in rule.bands))]
            case Fixed():
                return [self.words("sanction.fixed", amount=self.amount(rule.amount))]
            case Daily():
                return self._daily(rule)
            case Points():
                return self._points_rule(rule)

    def _daily(self, rule: Daily) -> list[str]:
        days = self.words(f"sanction.{rule.days}_days")
        parts = [self.words("sanction.daily", amount=self.amount(rule.amount), days=days)]
        least, most = rule.minimum_per_day, rule.maximum_per_day
        parts += [self.words("sanction.minimum_per_day", amount=self.amount(least))] if least else []
        parts += [self.words("sanction.maximum_per_day", amount=self.amount(most))] if most else []
        return parts + ([self.words.count("sanction.free", rule.free_days)] if rule.free_days else [])

    def _points_rule(self, rule: Points) -> list[str]:
        if rule.points is not None:
            parts = [self.words("sanction.points_for", points=self._points(rule.points))]
        else:
            bands = "; ".join(self._edge(band, self._points(band.points)) for band in rule.bands)
            parts = [self.words("sanction.points_bands", bands=bands)]
        many = "one" if rule.repeat_within == 1 else "many"
        if rule.repeat_factor > 1:
            key = f"sanction.factor_{many}"
            parts.append(self.words(key, factor=rule.repeat_factor, count=rule.repeat_within))
        if rule.first == "warning":
            parts.append(self.words(f"sanction.warning_{many}", count=rule.repeat_within))
        return parts

    def _points(self, count: int) -> str:
        return self.words.count("sanction.points", count)

    def _source(self, rule: SanctionRule) -> list[str]:
        parts = []
        if rule.source:
            parts.append(
                self.words("sanction.source_confirm" if rule.to_confirm else "sanction.source", source=rule.source)
            )
        elif rule.to_confirm:
            parts.append(self.words("sanction.source_none_confirm"))
        since, until = (f"{day:%d-%m-%Y}" if day else "" for day in (rule.valid_from, rule.valid_until))
        key = "between" if since and until else "from_on" if since else "until_on" if until else ""
        return parts + ([self.words(f"sanction.{key}", since=since, until=until)] if key else [])

    def _unit(self, unit: str) -> str:
        try:
            number = Decimal(unit)
        except ArithmeticError:
            length = length_us(unit)
            return self.words(WHOLE_UNITS[length]) if length in WHOLE_UNITS else self.numbers.duration(length)
        if number >= 1:
            if number == 1:
                return self.words("sanction.one_piece")
            return self.words("sanction.piece", value=self.numbers.decimal(number))
        point = Fraction(number)
        if point == Fraction(1, 100):
            return self.words("sanction.one_point")
        value = self.numbers.decimal(number * 100, decimals_of(point) or 0)
        return self.words("sanction.point", value=value)

    def _band(self, band: Band) -> str:
        return self._edge(band, self.amount(band.amount))

    def _edge(self, band: Edge, amount: str) -> str:
        if band.below is not None:
            return self.words("sanction.below", value=self.numbers.norm_percent(band.below), amount=amount)
        edge = band.above or 0
        value = self.numbers.duration(edge) if band.above_is_time else self.numbers.decimal(edge)
        return self.words("sanction.above", value=value, amount=amount)
