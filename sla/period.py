"""Calendar periods of a time zone as spans of UTC instants. Days of 23 and 25 hours come out right here, or nowhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sla.intervals import Span

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SECOND_US = 1_000_000
DAY_S = 86_400


def zone(name: str) -> ZoneInfo:
    """The IANA zone of that name. Raises ValueError with a way to mend it where there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f'"{name}" is no time zone; write an IANA name such as "Europe/Brussels"') from error


def instant_us(moment: datetime) -> int:
    """Microseconds since the epoch of an aware moment; a naive one is refused."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no offset, so it is no instant")
    # Both sides in UTC: two times of one zone would be subtracted by the wall clock.
    return (moment.astimezone(UTC) - EPOCH) // MICROSECOND


def local_datetime(at_us: int, timezone: str) -> datetime:
    """The civil time of an instant."""
    return (EPOCH + timedelta(microseconds=at_us)).astimezone(zone(timezone))


def local_date(at_us: int, timezone: str) -> date:
    return local_datetime(at_us, timezone).date()


def civil_us(day: date, second: int, timezone: str, *, closes: bool = False) -> int:
    """The instant at which a clock on the wall shows `second` seconds after midnight of `day`.

    Args:
        second: 0 to 86400; 86400 is the midnight that ends the day.
        closes: in the repeated hour of autumn the later of the two instants; otherwise the earlier one.

    A time in the skipped hour of spring is the first instant after it.
    """
    if second == DAY_S:
        day, second = day + timedelta(days=1), 0
    where = zone(timezone)
    wall = datetime.combine(day, time(second // 3600, second // 60 % 60, second % 60))
    early, late = (wall.replace(tzinfo=where, fold=fold).astimezone(UTC) for fold in (0, 1))
    if early.astimezone(where).replace(tzinfo=None) != wall and late.astimezone(where).replace(tzinfo=None) != wall:
        # Skipped: fold 1 reads it by the clock after the change and fold 0 by the one before, so they lie around it.
        return _change_us(late, early, where)
    chosen = max(early, late) if closes else min(early, late)
    return instant_us(chosen)


def _change_us(low: datetime, high: datetime, where: ZoneInfo) -> int:
    """The first instant after `low`, at most `high`, with the offset of `high`; offsets change on whole seconds."""
    first, last = instant_us(low) // SECOND_US, instant_us(high) // SECOND_US
    after = high.astimezone(where).utcoffset()
    while last - first > 1:
        middle = (first + last) // 2
        if (EPOCH + timedelta(seconds=middle)).astimezone(where).utcoffset() == after:
            last = middle
        else:
            first = middle
    return last * SECOND_US


def day_span(day: date, timezone: str) -> Span:
    return days_span(day, day, timezone)


def days_span(first: date, last: date, timezone: str) -> Span:
    """Whole local days, both included."""
    return Span(start_us=civil_us(first, 0, timezone), end_us=civil_us(last, DAY_S, timezone))


def local_days(span: Span, timezone: str) -> Iterator[date]:
    """Every local date of which at least an instant lies in the span."""
    day = local_date(span.start_us, timezone)
    last = local_date(span.end_us - 1, timezone)
    while day <= last:
        yield day
        day += timedelta(days=1)


def first_of(unit: str, day: date) -> date:
    """The first day of the month, quarter or year that holds `day`."""
    match unit:
        case "month":
            return day.replace(day=1)
        case "quarter":
            return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
        case _:
            return date(day.year, 1, 1)


def next_first(unit: str, day: date) -> date:
    """The first day of the month, quarter or year after the one that holds `day`."""
    months = {"month": 1, "quarter": 3, "year": 12}[unit]
    first = first_of(unit, day)
    count = first.year * 12 + first.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def calendar_span(unit: str, day: date, timezone: str) -> Span:
    """The month, quarter or year that holds `day`."""
    start, end = first_of(unit, day), next_first(unit, day)
    return Span(start_us=civil_us(start, 0, timezone), end_us=civil_us(end, 0, timezone))


def calendar_spans(unit: str, within: Span, timezone: str) -> tuple[Span, ...]:
    """The calendar months, quarters or years that touch `within`, whole ones, in order."""
    spans = []
    day = local_date(within.start_us, timezone)
    while civil_us(first_of(unit, day), 0, timezone) < within.end_us:
        spans.append(calendar_span(unit, day, timezone))
        day = next_first(unit, day)
    return tuple(spans)


def parse_instant(text: str) -> int:
    """RFC 3339 with offset as microseconds since the epoch.

    Raises ValueError that says what is missing. Digits beyond the microsecond are refused rather than dropped.
    """
    found = _INSTANT.fullmatch(text.strip())
    if found is None:
        if _NAIVE.fullmatch(text.strip()):
            raise ValueError(f'"{text}" has no offset; write it with one, such as "2026-11-12T10:32:17+01:00" or "…Z"')
        raise ValueError(f'"{text}" is no instant; write RFC 3339 with offset, such as "2026-11-12T10:32:17+01:00"')
    try:
        return instant_us(datetime.fromisoformat(text.strip().upper()))
    except ValueError as error:
        raise ValueError(f'"{text}" is no instant: {error}') from error


_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)")
_NAIVE = re.compile(r"\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?)?")


def instant_text(at_us: int, timezone: str = "UTC") -> str:
    """RFC 3339 with the zone's offset; microseconds only where there are any."""
    return local_datetime(at_us, timezone).isoformat().replace("+00:00", "Z" if timezone == "UTC" else "+00:00")


def parse_period(text: str, timezone: str) -> Span:
    """`2026-11`, `2026-Q4`, `2026` in the zone's civil time, or `FROM/TO` in RFC 3339 with offset.

    Raises ValueError that says how to write it.
    """
    text = text.strip()
    if "/" in text:
        start, end = (parse_instant(part) for part in text.split("/", 1))
        if end <= start:
            raise ValueError(f'the period "{text}" ends before it begins; write FROM/TO')
        return Span(start_us=start, end_us=end)
    if match := re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", text):
        return calendar_span("month", date(int(match[1]), int(match[2]), 1), timezone)
    if match := re.fullmatch(r"(\d{4})-[Qq]([1-4])", text):
        return calendar_span("quarter", date(int(match[1]), int(match[2]) * 3 - 2, 1), timezone)
    if match := re.fullmatch(r"\d{4}", text):
        return calendar_span("year", date(int(text), 1, 1), timezone)
    raise ValueError(f'"{text}" is no period; write 2026-11, 2026-Q4, 2026, or FROM/TO with offsets')
