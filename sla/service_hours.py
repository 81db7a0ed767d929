"""The hours a contract speaks of, as instants: weekly spans of civil time, less holidays, day by day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sla.contract import Version
from sla.contract_text import WeeklySpan
from sla.intervals import IntervalSet, Span
from sla.period import civil_us, days_span, local_days


def weekly_time(
    weekly: Iterable[WeeklySpan], within: Span, timezone: str, *, closed: frozenset[date] = frozenset()
) -> IntervalSet:
    """The instants of weekly hours inside a span, without the local dates in `closed`.

    An edge in the hour that spring skips moves to the first instant after it; in the hour that autumn repeats the
    earlier instant opens and the later one closes: 00:00-24:00 lasts 23 h on one day of the year, 25 h on another.
    """
    hours = tuple(weekly)
    found = []
    for day in local_days(within, timezone):
        if day in closed:
            continue
        for span in hours:
            if day.weekday() in span.days:
                opens = civil_us(day, span.start_s, timezone)
                shuts = civil_us(day, span.end_s, timezone, closes=True)
                found.append(Span(start_us=opens, end_us=shuts))
    return IntervalSet.of(found) & IntervalSet.of((within,))


def service_time(version: Version, window: str | None, within: Span, timezone: str) -> IntervalSet:
    """The instants of a span in which a window of the contract is open. None as window is all time."""
    whole = IntervalSet.of((within,))
    if window is None:
        return whole
    rule = version.windows[window]
    if rule.outside is not None:
        return whole - service_time(version, rule.outside, within, timezone)
    holidays = version.holidays if rule.holiday_dates is None else rule.holiday_dates
    closed = frozenset(holidays) if rule.holidays == "closed" else frozenset()
    return weekly_time(rule.weekly or (), within, timezone, closed=closed)


def version_span(version: Version, timezone: str) -> Span:
    """The instants a version governs: whole local days, both dates included."""
    return days_span(version.valid_from, version.valid_until, timezone)


def working_day(day: date, holidays: frozenset[date]) -> bool:
    """Monday to Friday, and no holiday of the contract."""
    return day.weekday() < 5 and day not in holidays
