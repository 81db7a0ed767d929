"""Local days in Brussels, as the portal's terms and pages need them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Brussels")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MONTHS = (
    "januari", "februari", "maart", "april", "mei", "juni",
    "juli", "augustus", "september", "oktober", "november", "december",
)  # fmt: skip


def instant(us: int) -> datetime:
    """This instant as an aware UTC datetime."""
    return _EPOCH + timedelta(microseconds=us)


def local_date(us: int) -> date:
    return instant(us).astimezone(ZONE).date()


def end_of_day_us(day: date) -> int:
    """The first instant after this local day: 24 o'clock."""
    midnight = datetime.combine(day + timedelta(days=1), time(0), tzinfo=ZONE)
    return (midnight - _EPOCH) // timedelta(microseconds=1)


def iso(us: int) -> str:
    """`2026-11-23T19:30:00Z`, cut to whole seconds."""
    return instant(us).strftime("%Y-%m-%dT%H:%M:%SZ")


def day_text(us: int) -> str:
    """`23 november 2026`, in Brussels."""
    day = local_date(us)
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def moment_text(us: int) -> str:
    """`23 november 2026 om 20:30:00`, in Brussels."""
    return f"{day_text(us)} om {instant(us).astimezone(ZONE):%H:%M:%S}"


def last_day_text(end_us: int) -> str:
    """The last day of a term that ends at midnight: `23 november 2026`."""
    return day_text(end_us - 1)
