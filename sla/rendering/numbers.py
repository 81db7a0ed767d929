"""Figures as people read them. Percentages are cut, never rounded: 99.796 % is never shown as 99.80 %.

Exact values come in (fractions, integer microseconds, Decimal euros); only text goes out, so nobody can calculate with
what was cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from typing import Literal
from zoneinfo import ZoneInfo

from babel.dates import format_date, get_day_names
from babel.numbers import format_decimal

Language = Literal["nl", "en"]

SECOND_US = 1_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LOCALES: dict[Language, str] = {"nl": "nl_BE", "en": "en_GB"}
NO_BREAK_SPACE = "\u00a0"
MOST_DECIMALS = 12


def decimals_of(ratio: Fraction) -> int | None:
    """How many decimals write the ratio as a percentage exactly; None where no number of decimals does."""
    denominator = (ratio * 100).denominator
    twos = fives = 0
    while denominator % 2 == 0:
        denominator, twos = denominator // 2, twos + 1
    while denominator % 5 == 0:
        denominator, fives = denominator // 5, fives + 1
    return max(twos, fives) if denominator == 1 else None


def cut(value: Fraction, decimals: int) -> Decimal:
    """The value towards zero, at so many decimals."""
    scaled = abs(value.numerator) * 10**decimals // value.denominator
    with localcontext() as context:
        context.prec = max(28, len(str(scaled)) + decimals)
        result = Decimal(scaled).scaleb(-decimals)
        return -result if value < 0 else result


def percent_decimals(ratio: Fraction, norm: Fraction | None, *, least: int = 2) -> int:
    """Decimals with which a cut percentage stands on the same side of the norm as the exact ratio.

    A norm of the contract is a decimal number: from as many decimals as the norm has, cutting can no longer carry a
    ratio across it. A norm that no decimals can write (two thirds) gets the most decimals we print.
    """
    if norm is None:
        return least
    exact = decimals_of(norm)
    return max(least, MOST_DECIMALS if exact is None else exact)


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """Formatting in one language and one time zone."""

    language: Language
    zone: ZoneInfo

    @property
    def locale(self) -> str:
        return LOCALES[self.language]

    def decimal(self, value: Decimal | int, decimals: int = 0) -> str:
        """A number that already has no more than so many decimals; digits beyond them are cut."""
        pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
        with localcontext() as context:
            context.prec = 60
            context.rounding = ROUND_DOWN
            quantum = Decimal(1).scaleb(-decimals)
            return format_decimal(Decimal(value).quantize(quantum), format=pattern, locale=self.locale)

    def percent(self, ratio: Fraction, norm: Fraction | None = None, *, least: int = 2) -> str:
        """A ratio in [0, 1] as a percentage, cut, with enough decimals to stay on its own side of the norm."""
        decimals = percent_decimals(ratio, norm, least=least)
        number = self.decimal(cut(ratio * 100, decimals), decimals)
        return f"{number}{NO_BREAK_SPACE}%"

    def norm_percent(self, norm: Fraction) -> str:
        """The norm as the contract writes it: as many decimals as it needs, at least one, none for 0 and 100 %."""
        exact = decimals_of(norm)
        decimals = MOST_DECIMALS if exact is None else max(0 if norm in (0, 1) else 1, exact)
        number = self.decimal(cut(norm * 100, decimals), decimals)
        return f"{number}{NO_BREAK_SPACE}%"

    def day_percent(self, ratio: Fraction, norm: Fraction) -> str:
        """For the narrow cell of a calendar: `100 %` where nothing was missing, otherwise cut as any percentage."""
        return self.norm_percent(ratio) if ratio == 1 else self.percent(ratio, norm)

    def ratio(self, ratio: Fraction, decimals: int = 6) -> str:
        """A plain ratio, cut, as in a formula."""
        return self.decimal(cut(ratio, decimals), decimals)

    def seconds(self, length_us: int) -> str:
        """Exact seconds, with as many of the six decimals as are not zero."""
        whole, rest = divmod(abs(length_us), SECOND_US)
        fraction = f"{rest:06d}".rstrip("0")
        number = self.decimal(Decimal(whole) + Decimal(rest).scaleb(-6), len(fraction))
        sign = "−" if length_us < 0 else ""
        return f"{sign}{number}{NO_BREAK_SPACE}s"

    def duration(self, length_us: int) -> str:
        """Hours, minutes and seconds, exact: nothing is rounded away.

        Hours are never gathered into days: most lengths here are of service time, and eleven and a half hours of that
        are a working day.
        """
        if length_us < 0:
            return "−" + self.duration(-length_us)
        whole, rest = divmod(length_us, SECOND_US)
        minutes, seconds = divmod(whole, 60)
        hours, minutes = divmod(minutes, 60)
        names = ("u", "min") if self.language == "nl" else ("h", "min")
        parts = [
            f"{self.decimal(amount)}{NO_BREAK_SPACE}{name}"
            for amount, name in zip((hours, minutes), names, strict=True)
            if amount
        ]
        if seconds or rest or not parts:
            parts.append(self.seconds(seconds * SECOND_US + rest))
        return " ".join(parts)

    def minutes(self, length_us: int) -> str:
        """Whole minutes, cut; for cells of a calendar only, where the exact figure stands in a table beside it."""
        return self.decimal(length_us // (60 * SECOND_US))

    def response(self, length_us: int) -> str:
        """A response time in seconds with three decimals, rounded up to the millisecond: never kinder than measured."""
        thousandths = -(-length_us // 1000)
        return f"{self.decimal(Decimal(thousandths).scaleb(-3), 3)}{NO_BREAK_SPACE}s"

    def limit(self, length_us: int) -> str:
        """A limit in seconds as the contract writes it."""
        return self.seconds(length_us)

    def euros(self, amount: Decimal) -> str:
        """Euros to the cent. Amounts arrive rounded; a finer one is rounded half-up, as contracts do."""
        number = self.decimal(amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP), 2).replace("-", "−")
        return f"EUR{NO_BREAK_SPACE}{number}"

    def local(self, at_us: int) -> datetime:
        """The instant on the wall clock of the contract's zone. For showing only: wall clocks cannot be subtracted."""
        return (EPOCH + timedelta(microseconds=at_us)).astimezone(self.zone)

    def is_repeated_hour(self, at_us: int) -> bool:
        """Whether the wall clock shows this time twice on that night."""
        wall = self.local(at_us).replace(tzinfo=None)
        first, second = (wall.replace(tzinfo=self.zone, fold=fold).utcoffset() for fold in (0, 1))
        # In the skipped hour of spring the offsets differ too, but no instant ever shows such a time.
        return first != second

    def clock(self, at_us: int) -> str:
        """Time of day with seconds (and their decimals, if any); in the repeated hour followed by CEST or CET."""
        local = self.local(at_us)
        text = f"{local:%H:%M:%S}"
        if local.microsecond:
            comma = "," if self.language == "nl" else "."
            text += comma + f"{local.microsecond:06d}".rstrip("0")
        return f"{text} {local.tzname()}" if self.is_repeated_hour(at_us) else text

    def day(self, day: date) -> str:
        """A civil day with its weekday, short."""
        pattern = "EEE d MMM yyyy"
        return format_date(day, pattern, locale=self.locale).replace(".", "").replace(" ", NO_BREAK_SPACE)

    def plain_day(self, day: date) -> str:
        """Day without its weekday."""
        return format_date(day, "d MMMM yyyy", locale=self.locale).replace(" ", NO_BREAK_SPACE)

    def month(self, day: date) -> str:
        """The month that holds the day."""
        return format_date(day, "MMMM yyyy", locale=self.locale)

    @property
    def weekdays(self) -> tuple[str, ...]:
        """Short names from Monday."""
        names = get_day_names("abbreviated", locale=self.locale)
        return tuple(names[index].rstrip(".") for index in range(7))

    def long_day(self, day: date) -> str:
        return format_date(day, "EEEE d MMMM yyyy", locale=self.locale)

    def instant(self, at_us: int) -> str:
        """Day and time on the contract's wall clock."""
        return f"{self.day(self.local(at_us).date())}, {self.clock(at_us)}"

    def to_the_second(self, at_us: int) -> str:
        """`instant` cut to whole seconds: for when something was put down, which decides nothing; JSON has it whole."""
        return self.instant(at_us // 1_000_000 * 1_000_000)

    def span(self, start_us: int, end_us: int) -> str:
        """From and until; the day is not repeated where both lie on it. Until is not included."""
        start, end = self.local(start_us).date(), self.local(end_us).date()
        if start == end:
            return f"{self.day(start)}, {self.clock(start_us)} – {self.clock(end_us)}"
        return f"{self.instant(start_us)} – {self.instant(end_us)}"

    def span_to_the_second(self, start_us: int, end_us: int) -> str:
        """`span` cut to whole seconds: for an overview beside which the exact instants stand."""
        return self.span(start_us // SECOND_US * SECOND_US, end_us // SECOND_US * SECOND_US)

    def short_month(self, at_us: int) -> str:
        """The month that holds an instant, for the narrow foot of a bar: `okt 26`."""
        return format_date(self.local(at_us).date(), "MMM yy", locale=self.locale).replace(".", "")

    def period(self, start_us: int, end_us: int) -> str:
        """A calendar month by its name; any other period by its first and last day, or to the second."""
        start, end = self.local(start_us), self.local(end_us)
        if (start.hour, start.minute, start.second, start.microsecond) != (0, 0, 0, 0) or (
            end.hour,
            end.minute,
            end.second,
            end.microsecond,
        ) != (0, 0, 0, 0):
            return self.span(start_us, end_us)
        first, last = start.date(), end.date() - timedelta(days=1)
        if first.day == 1 and end.day == 1 and (last.year, last.month) == (first.year, first.month):
            return format_date(first, "MMMM yyyy", locale=self.locale)
        between = "tot en met" if self.language == "nl" else "to"
        return f"{self.long_day(first)} {between} {self.long_day(last)}"
