"""The allowed unavailability of a month as it was used up, day after day, for the figure and the table beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from sla.assessment import ClauseResult
from sla.budget import budgets
from sla.contract import AvailabilityClause
from sla.rendering.figures import WIDTH, Day, Label, calendars, tenths
from sla.report import Report

HEIGHT = 110
LEFT = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """A day on which some of the budget went, and what was left at its end; negative where there was none left."""

    day: date
    spent_us: int
    left_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnDown:
    """One clause over one month.

    Attributes:
        points: what was left, as a line from the start of the month to the end of each day.
        zero_y: where nothing is left.
        last_x, last_y: the end of the line, where the figure is printed.
        spent: only the days on which something went.
    """

    result: ClauseResult
    allowed_us: int
    left_us: int
    points: str
    zero_y: str
    last_x: str
    last_y: str
    days: tuple[Label, ...]
    spent: tuple[Spent, ...]


def burn_downs(report: Report) -> Iterator[BurnDown]:
    """One for each monthly availability clause of one journey whose days add up to exactly what was counted.

    Where they do not (weighted means, other boundaries), no figure is drawn rather than one that differs from the
    tables.
    """
    by_result = {id(one.result): one for one in budgets(report.assessment)}
    for calendar in calendars(report):
        result, clause = calendar.result, calendar.result.clause
        budget = by_result.get(id(result))
        if budget is None or not isinstance(clause, AvailabilityClause) or len(clause.scope) != 1:
            continue
        days = [day for week in calendar.weeks for day in week if day is not None]
        if clause.period.unit != "month" or budget.allowed_us <= 0:
            continue
        spent = [_down(day, clause) for day in days]
        if sum(spent) != budget.spent_us:
            continue
        yield _drawn(result, budget.allowed_us, days, spent)


def _down(day: Day, clause: AvailabilityClause) -> int:
    return day.down_us + (0 if clause.degraded == "up" else day.degraded_us)


def _drawn(result: ClauseResult, allowed_us: int, days: list[Day], spent: list[int]) -> BurnDown:
    left = [allowed_us]
    for used in spent:
        left.append(left[-1] - used)
    lowest = min(0, left[-1])
    room = allowed_us - lowest

    def x(index: int) -> int:
        return LEFT * 10 + index * (WIDTH - LEFT) * 10 // len(days)

    def y(value_us: int) -> int:
        return (allowed_us - value_us) * HEIGHT * 10 // room + 100

    # Steps, not slopes: nothing is known of the way down within a day.
    steps = [(x(0), y(left[0]))]
    for index, value_us in enumerate(left[1:], start=1):
        steps += [(x(index), steps[-1][1]), (x(index), y(value_us))]
    return BurnDown(
        result=result,
        allowed_us=allowed_us,
        left_us=left[-1],
        points=" ".join(f"{tenths(across)},{tenths(down)}" for across, down in steps),
        zero_y=tenths(y(0)),
        last_x=tenths(x(len(days)) - 40),
        last_y=tenths(y(left[-1])),
        days=tuple(
            Label(x=tenths((x(index) + x(index + 1)) // 2), text=str(day.day.day)) for index, day in enumerate(days)
        ),
        spent=tuple(
            Spent(day=day.day, spent_us=used, left_us=left[index + 1])
            for index, (day, used) in enumerate(zip(days, spent, strict=True))
            if used
        ),
    )
