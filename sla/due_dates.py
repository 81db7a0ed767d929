"""When a document is due, again and again, in civil time of the contract and by its own calendar."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from sla.contract_text import DueRule
from sla.intervals import Span
from sla.period import civil_us, first_of, local_date, next_first
from sla.promise_clauses import DeliveryClause
from sla.service_hours import working_day


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDate:
    """One due time.

    Attributes:
        day: local date, a working day.
        at_us: the last instant is just before it.
        period: what the document is about: the month, quarter or year before (`2027-01`, `2027-Q1`, `2026`); of weeks
            the due date itself.
    """

    day: date
    at_us: int
    period: str


def due_dates(clause: DeliveryClause, within: Span, timezone: str, holidays: frozenset[date]) -> tuple[DueDate, ...]:
    """The due dates whose local day begins in the span, ascending."""
    first, last = local_date(within.start_us, timezone), local_date(within.end_us - 1, timezone)
    found = []
    for day, period in _days(clause, first, last, holidays):
        if within.start_us <= civil_us(day, 0, timezone) < within.end_us:
            found.append(DueDate(day=day, at_us=civil_us(day, clause.by, timezone, closes=True), period=period))
    return tuple(found)


def _days(clause: DeliveryClause, first: date, last: date, holidays: frozenset[date]) -> Iterator[tuple[date, str]]:
    # A closure may move a date by weeks, so the search begins well before the span.
    begin = first - timedelta(days=62)
    if clause.due.unit == "week":
        assert clause.first is not None
        step = timedelta(weeks=clause.due.every)
        day = clause.first
        if day < begin:
            day += step * ((begin - day) // step)
        while day <= last:
            moved = _next_working(day, holidays)
            yield moved, moved.isoformat()
            day += step
        return
    start = first_of(clause.due.unit, begin)
    while start <= last:
        end = next_first(clause.due.unit, start)
        yield _nth(clause.due, start, end, holidays), _period(clause.due.unit, start - timedelta(days=1))
        start = end


def _nth(rule: DueRule, start: date, end: date, holidays: frozenset[date]) -> date:
    if not rule.working:
        return _next_working(start + timedelta(days=rule.nth - 1), holidays)
    days = [d for i in range((end - start).days) if working_day(d := start + timedelta(days=i), holidays)]
    return days[min(rule.nth, len(days)) - 1] if days else _next_working(end, holidays)


def _next_working(day: date, holidays: frozenset[date]) -> date:
    while not working_day(day, holidays):
        day += timedelta(days=1)
    return day


def _period(unit: str, day: date) -> str:
    match unit:
        case "month":
            return f"{day:%Y-%m}"
        case "quarter":
            return f"{day.year}-Q{(day.month + 2) // 3}"
        case _:
            return f"{day.year}"
