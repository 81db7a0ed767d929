"""What a missed clause costs, in a reader's words: amounts, scales and their bounds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from sla.contract_text import Amount, length_us
from sla.rendering.numbers import Numbers, decimals_of
from sla.rendering.words import Words
from sla.sanction_rules import Band, Bands, Fixed, PerUnit, SanctionRule

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

    def sanction_rule(self, rule: SanctionRule) -> str:
        match rule:
            case PerUnit():
                told = self.words("sanction.per_unit", amount=self.amount(rule.amount), unit=self._unit(rule.unit))
            case Bands():
                told = self.words("sanction.bands", bands="; ".join(self._band(band) for band in rule.bands))
            case Fixed():
                told = self.words("sanction.fixed", amount=self.amount(rule.amount))
        parts = [told]
        if not isinstance(rule, Fixed):
            parts += [self.words("sanction.minimum", amount=self.amount(rule.minimum))] if rule.minimum else []
            parts += [self.words("sanction.maximum", amount=self.amount(rule.maximum))] if rule.maximum else []
        parts.append(self.words(f"sanction.boundary_{rule.boundary}"))
        return ", ".join(parts)

    def _unit(self, unit: str) -> str:
        try:
            number = Decimal(unit)
        except ArithmeticError:
            length = length_us(unit)
            return self.words(WHOLE_UNITS[length]) if length in WHOLE_UNITS else self.numbers.duration(length)
        if number >= 1:
            return self.words("sanction.piece", value=self.numbers.decimal(number))
        point = Fraction(number)
        if point == Fraction(1, 100):
            return self.words("sanction.one_point")
        value = self.numbers.decimal(number * 100, decimals_of(point) or 0)
        return self.words("sanction.point", value=value)

    def _band(self, band: Band) -> str:
        amount = self.amount(band.amount)
        if band.below is not None:
            return self.words("sanction.below", value=self.numbers.norm_percent(band.below), amount=amount)
        edge = band.above or 0
        value = self.numbers.duration(edge) if band.above_is_time else self.numbers.decimal(edge)
        return self.words("sanction.above", value=value, amount=amount)
