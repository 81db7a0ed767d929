"""How figures are written in reasons, in both languages. Percentages are cut, never rounded up across a target."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

from sla.assessment import Text
from sla.period import local_datetime


def cut(ratio: Fraction, decimals: int) -> str:
    """A ratio as a percentage with so many decimals, cut; `99.79` for 0.99796."""
    scale = 10**decimals
    units = ratio.numerator * 100 * scale // ratio.denominator
    sign, units = ("-", -units) if units < 0 else ("", units)
    whole, rest = divmod(units, scale)
    return f"{sign}{whole}.{rest:0{decimals}d}" if decimals else f"{sign}{whole}"


def exact(ratio: Fraction) -> str:
    """A ratio a contract wrote as a percentage without needless zeros; `99.3` for 0.993."""
    text = cut(ratio, 10).rstrip("0").rstrip(".")
    return text or "0"


def percent(ratio: Fraction, decimals: int) -> Text:
    text = cut(ratio, decimals)
    return Text(nl=f"{text.replace('.', ',')} %", en=f"{text} %")


def target(ratio: Fraction) -> Text:
    text = exact(ratio)
    return Text(nl=f"{text.replace('.', ',')} %", en=f"{text} %")


def length(us: int) -> Text:
    """Hours, minutes and seconds; fractions of a second only where there are any."""
    seconds, rest = divmod(us, 1_000_000)
    hours, minutes, seconds = seconds // 3600, seconds // 60 % 60, seconds % 60
    second = f"{seconds}.{rest:06d}".rstrip("0") if rest else f"{seconds}"
    parts_nl = [f"{hours} u"] * bool(hours) + [f"{minutes} min"] * bool(minutes)
    parts_en = [f"{hours} h"] * bool(hours) + [f"{minutes} min"] * bool(minutes)
    if second != "0" or not parts_nl:
        parts_nl.append(f"{second.replace('.', ',')} s")
        parts_en.append(f"{second} s")
    return Text(nl=" ".join(parts_nl), en=" ".join(parts_en))


def euros(amount: Decimal) -> Text:
    """Two decimals, thousands apart; `EUR 1.250,00` in Dutch."""
    text = f"{amount:,.2f}"
    return Text(nl="EUR " + text.replace(",", " ").replace(".", ",").replace(" ", "."), en=f"EUR {text}")


def moment(at_us: int, timezone: str) -> str:
    """Civil time with the zone's own abbreviation, which tells the two hours of an autumn night apart."""
    return f"{local_datetime(at_us, timezone):%d-%m-%Y %H:%M:%S %Z}"


def stretch(start_us: int, end_us: int, timezone: str) -> Text:
    start, end = moment(start_us, timezone), moment(end_us, timezone)
    return Text(nl=f"{start} tot {end}", en=f"{start} to {end}")


_DUTCH = {
    "working days": "werkdagen", "working day": "werkdag", "days": "dagen", "day": "dag", "hours": "uur", "hour": "uur",
    "per month": "per maand", "per quarter": "per kwartaal", "per year": "per jaar", "month-end": "maandeinde",
    "month": "maand", "quarter": "kwartaal", "year": "jaar", "rolling": "lopend over",
    "of monthly-fee": "van de maandprijs", "of yearly-fee": "van de jaarprijs",
    "of contract-value": "van de aannemingssom",
    "mon": "ma", "tue": "di", "wed": "wo", "thu": "do", "fri": "vr", "sat": "za", "sun": "zo", "h": "u",
}  # fmt: skip
_ENGLISH_WORDS = re.compile(r"(?<![a-z])(" + "|".join(sorted(_DUTCH, key=len, reverse=True)) + r")(?![a-z])")


def agreed(text: str) -> Text:
    """What the contract's file writes in its own few words, such as `8h per month`, for readers of both languages."""
    dutch = _ENGLISH_WORDS.sub(lambda m: _DUTCH[m[1]], text)
    return Text(nl=re.sub(r"(\d)\.(\d+) ?%|(?<=\d) ?%", _dutch_percent, dutch), en=text)


def _dutch_percent(found: re.Match[str]) -> str:
    return f"{found[1]},{found[2]} %" if found[1] else " %"
