"""Instants, lengths of time and ratios as people read them, in Dutch and English. Rounding happens here, once: down."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Literal
from zoneinfo import ZoneInfo

from babel.dates import format_date

Language = Literal["nl", "en"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LOCALES = {"nl": "nl_BE", "en": "en_GB"}
_SECOND_US = 1_000_000
_NO_BREAK_SPACE = "\u00a0"
_AFTER_A_NUMBER = re.compile(r"(?<=\d) (?=[^\d\s])|(?<=[≤≥]) ")


def local(instant_us: int, timezone: str) -> datetime:
    """The instant on the clock on the wall of `timezone`."""
    return (_EPOCH + timedelta(microseconds=instant_us)).astimezone(ZoneInfo(timezone))


def iso(instant_us: int) -> str:
    """For programs and `<time datetime>`: UTC to the second."""
    return (_EPOCH + timedelta(microseconds=instant_us)).strftime("%Y-%m-%dT%H:%M:%SZ")


def clock_time(instant_us: int, timezone: str, *, seconds: bool = False) -> str:
    """`14:02`; in the hour that comes twice a year, and only there, with the zone's abbreviation: `02:30 CET`."""
    at = local(instant_us, timezone)
    text = at.strftime("%H:%M:%S" if seconds else "%H:%M")
    twice = at.replace(fold=0).utcoffset() != at.replace(fold=1).utcoffset()
    return f"{text} {at.tzname()}" if twice else text


def short_day(value: date, language: Language) -> str:
    """`3 mrt` or `3 Mar`: for the foot of a row of bars, on a telephone too."""
    return format_date(value, "d MMM", locale=_LOCALES[language]).replace(".", "")


def day(value: date, language: Language, *, year: bool = True) -> str:
    """`3 maart 2027` or `3 March 2027`."""
    return format_date(value, "d MMMM yyyy" if year else "d MMMM", locale=_LOCALES[language])


def month_name(instant_us: int, timezone: str, language: Language) -> str:
    """`november 2026` or `November 2026`: the month the instant lies in."""
    return format_date(local(instant_us, timezone).date(), "LLLL yyyy", locale=_LOCALES[language])


def moment(instant_us: int, timezone: str, language: Language, *, seconds: bool = False) -> str:
    """`3 maart 2027 om 14:02` or `3 March 2027 at 14:02`."""
    joint = "om" if language == "nl" else "at"
    on = day(local(instant_us, timezone).date(), language)
    return f"{on} {joint} {clock_time(instant_us, timezone, seconds=seconds)}"


def span(from_us: int, until_us: int, timezone: str, language: Language) -> str:
    """Both ends, the day only once where it is the same."""
    to = "tot" if language == "nl" else "to"
    start, end = local(from_us, timezone).date(), local(until_us, timezone).date()
    last = clock_time(until_us, timezone) if start == end else moment(until_us, timezone, language)
    return f"{moment(from_us, timezone, language)} {to} {last}"


def percent(ratio: Fraction, language: Language, *, digits: int = 2) -> str:
    """A ratio cut, never rounded up: 0.99999 is `99,99 %`, only exactly one is `100 %`, and only nothing is `0,00 %`.

    Written as the reports write it: the sign stands apart, and a line never breaks before it.
    """
    if ratio == 1:
        return f"100{_NO_BREAK_SPACE}%"
    scaled = ratio.numerator * 100 * 10**digits // ratio.denominator
    whole, rest = divmod(scaled, 10**digits)
    point = "," if language == "nl" else "."
    if ratio > 0 and scaled == 0:
        least = f"0{point}{1:0{digits}d}" if digits else "1"
        return f"<{_NO_BREAK_SPACE}{least}{_NO_BREAK_SPACE}%"
    return f"{whole}{point}{rest:0{digits}d}{_NO_BREAK_SPACE}%" if digits else f"{whole}{_NO_BREAK_SPACE}%"


def bound(text: str) -> str:
    """Words in which a line never breaks between a number and what it counts: `99,3 %`, `≤ 4 uur`."""
    return _AFTER_A_NUMBER.sub(_NO_BREAK_SPACE, text)


def length(microseconds: int, language: Language, *, days: bool = True) -> str:
    """`2 uur 41 min`, `4 min 35 s`, `35 s`: to the second below an hour, to the minute above; cut, not rounded.

    Args:
        days: whether 24 hours are a day. Not for service time, where a reader would take a day for a working day.
    """
    sign = "−" if microseconds < 0 else ""
    seconds = abs(microseconds) // _SECOND_US
    whole_days, seconds = divmod(seconds, 86_400) if days else (0, seconds)
    hours, seconds = divmod(seconds, 3_600)
    minutes, seconds = divmod(seconds, 60)
    day_word = ("dag" if whole_days == 1 else "dagen") if language == "nl" else ("day" if whole_days == 1 else "days")
    hour_word = "uur" if language == "nl" else "h"
    parts = []
    if whole_days:
        parts.append(f"{whole_days} {day_word}")
    if hours:
        parts.append(f"{hours} {hour_word}")
    if minutes:
        parts.append(f"{minutes} min")
    if not whole_days and not hours and (seconds or not parts):
        parts.append(f"{seconds} s")
    return sign + " ".join(parts)


def seconds(microseconds: int, language: Language) -> str:
    """How long a run took: `0,42 s`."""
    hundredths = microseconds // 10_000
    point = "," if language == "nl" else "."
    if hundredths == 0:
        return f"< 0{point}01 s"
    return f"{hundredths // 100}{point}{hundredths % 100:02d} s"


def size(count: int, language: Language) -> str:
    """`812 bytes`, `52 kB`, `1,4 MB`: a size of a file, cut."""
    point = "," if language == "nl" else "."
    if count < 1_000:
        return f"{count} bytes"
    if count < 1_000_000:
        return f"{count // 1_000} kB"
    return f"{count // 1_000_000}{point}{count % 1_000_000 // 100_000} MB"
