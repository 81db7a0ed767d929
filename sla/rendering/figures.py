"""Where things lie in the report's figures: calendar cells, time lines, response curves and bounds. Only for showing.

Coordinates are text with one decimal, reckoned in integers, so that the same report draws the same figure anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from sla.assessment import ClauseResult, OutageResult, Span
from sla.contract import AvailabilityClause
from sla.intervals import IntervalSet
from sla.period import day_span, local_days
from sla.report import Report, ResponseSeries, state_in
from sla.service_hours import service_time

STATES = ("up", "degraded", "down", "excluded", "unmeasured")
WIDTH = 720
NUMBER_WIDTH = 18  # a number above a time line needs so much room; closer ones share a label
MINUTE_US = 60_000_000
CURVE_HEIGHT = 150
CURVE_LEFT = 44


def tenths(value: int) -> str:
    """A coordinate given in tenths."""
    return f"{value // 10}.{value % 10}"


# --- calendar --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day of a calendar, inside the service window, in microseconds.

    Attributes:
        availability: exact, of the measured time; None where none was measured.
        hours: length of the whole local day by the clock, 23 or 25 when the clock changes.
    """

    day: date
    service_us: int
    up_us: int
    degraded_us: int
    down_us: int
    excluded_us: int
    unmeasured_us: int
    availability: Fraction | None
    hours: int

    @property
    def states(self) -> tuple[str, ...]:
        """What the day's cell shows, gravest first; `closed` where there was no service time at all."""
        if not self.service_us:
            return ("closed",)
        lengths = {
            "down": self.down_us,
            "degraded": self.degraded_us,
            "excluded": self.excluded_us,
            "unmeasured": self.unmeasured_us,
        }
        return tuple(state for state, length_us in lengths.items() if length_us) or ("up",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The days of one month, week by week from Monday; None pads the weeks."""

    result: ClauseResult
    journey: str
    month: date
    weeks: tuple[tuple[Day | None, ...], ...]


def calendars(report: Report) -> tuple[Calendar, ...]:
    """For each availability clause and each of its journeys the months of its period."""
    drawn = []
    for result in report.assessment.clauses:
        if not isinstance(result.clause, AvailabilityClause):
            continue
        for journey in result.clause.scope:
            days = tuple(_days(report, result, journey))
            months = sorted({(day.day.year, day.day.month) for day in days})
            for year, month in months:
                chosen = [day for day in days if (day.day.year, day.day.month) == (year, month)]
                first = date(year, month, 1)
                drawn.append(Calendar(result=result, journey=journey, month=first, weeks=_weeks(chosen)))
    return tuple(drawn)


def _days(report: Report, result: ClauseResult, journey: str) -> Iterator[Day]:
    window, timezone = result.clause.window, report.timezone
    service = service_time(result.version, window, result.period, timezone)
    by_state = {state: state_in(report, journey, state) & service for state in STATES}
    degraded_is_up = not isinstance(result.clause, AvailabilityClause) or result.clause.degraded == "up"
    for day in local_days(result.period, timezone):
        whole = day_span(day, timezone)
        here = IntervalSet((whole,))
        lengths = {state: (spans & here).length_us for state, spans in by_state.items()}
        measured = lengths["up"] + lengths["degraded"] + lengths["down"]
        good = lengths["up"] + (lengths["degraded"] if degraded_is_up else 0)
        yield Day(
            day=day,
            service_us=(service & here).length_us,
            up_us=lengths["up"],
            degraded_us=lengths["degraded"],
            down_us=lengths["down"],
            excluded_us=lengths["excluded"],
            unmeasured_us=lengths["unmeasured"],
            availability=Fraction(good, measured) if measured else None,
            hours=whole.length_us // (60 * MINUTE_US),
        )


def _weeks(days: Sequence[Day]) -> tuple[tuple[Day | None, ...], ...]:
    cells: list[Day | None] = [*[None] * days[0].day.weekday(), *days]
    cells += [None] * (-len(cells) % 7)
    return tuple(tuple(cells[start : start + 7]) for start in range(0, len(cells), 7))


# --- time line -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    x: str
    width: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    x: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """One journey over the period; `lengths_us` per state are exact, the bars are drawn at least two units wide."""

    journey: str
    bars: tuple[Bar, ...]
    days: tuple[Label, ...]
    numbers: tuple[Label, ...]
    lengths_us: dict[str, int]
    outages: int


def timelines(report: Report, numbered: Sequence[tuple[int, OutageResult]]) -> tuple[Timeline, ...]:
    """One per journey that was assessed; `numbered` are the outages with the numbers they bear in this report."""
    drawn = []
    ticks = tuple(_ticks(report))
    for timeline in report.assessment.timelines:
        mine = [(number, outage) for number, outage in numbered if outage.journey == timeline.journey]
        lengths = dict.fromkeys(STATES, 0)
        for span, state in timeline.spans:
            lengths[state] += span.length_us
        # Small things are drawn last, or a long neighbour would hide what had to be widened to be seen.
        ordered = sorted(timeline.spans, key=lambda item: -item[0].length_us)
        bars = tuple(_bar(report.period, span, state) for span, state in ordered if state != "up")
        drawn.append(
            Timeline(
                journey=timeline.journey,
                bars=bars,
                days=ticks,
                numbers=tuple(_numbers(report.period, mine)),
                lengths_us=lengths,
                outages=len(mine),
            )
        )
    return tuple(drawn)


def _x(period: Span, at_us: int) -> int:
    """Tenths of a unit from the left."""
    inside = min(max(at_us, period.start_us), period.end_us) - period.start_us
    return inside * WIDTH * 10 // period.length_us


def _bar(period: Span, span: Span, state: str) -> Bar:
    x = _x(period, span.start_us)
    width = max(_x(period, span.end_us) - x, 20)
    return Bar(x=tenths(min(x, WIDTH * 10 - width)), width=tenths(width), state=state)


def _ticks(report: Report) -> Iterator[Label]:
    days = list(local_days(report.period, report.timezone))
    for day in days:
        if len(days) > 40 and day.day != 1:
            continue
        at_us = day_span(day, report.timezone).start_us
        text = str(day.day) if len(days) <= 40 else f"{day.month}/{day.year}"
        yield Label(x=tenths(_x(report.period, at_us)), text=text)


def _numbers(period: Span, outages: Sequence[tuple[int, OutageResult]]) -> Iterator[Label]:
    groups: list[tuple[int, list[int]]] = []
    for number, outage in outages:
        x = _x(period, outage.first_bad_us)
        if groups and x - groups[-1][0] < NUMBER_WIDTH * 10:
            groups[-1][1].append(number)
        else:
            groups.append((x, [number]))
    for x, numbers in groups:
        text = str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]}…{numbers[-1]}"
        yield Label(x=tenths(min(max(x, 40), WIDTH * 10 - 40 - 60 * (len(numbers) > 1))), text=text)


# --- response times --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    y: str
    value_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """p50 and p95 per day as polylines; a day without samples breaks the line."""

    series: ResponseSeries
    p50: tuple[str, ...]
    p95: tuple[str, ...]
    dots: tuple[tuple[str, str], ...]
    days: tuple[Label, ...]
    ticks: tuple[Tick, ...]
    norm_y: str | None
    lowest_us: int
    highest_us: int


def curves(report: Report) -> tuple[Curve, ...]:
    days = list(local_days(report.period, report.timezone))
    return tuple(_curve(series, days) for series in report.responses if series.days)


def _curve(series: ResponseSeries, days: Sequence[date]) -> Curve:
    top = max(*(day.p95_us for day in series.days), series.limit_us or 0, 1)
    step = _step(top)
    ceiling = -(-top // step) * step
    if ceiling - top < step // 5:
        ceiling += step
    place = {
        day: CURVE_LEFT * 10 + (2 * index + 1) * (WIDTH - CURVE_LEFT) * 5 // len(days) for index, day in enumerate(days)
    }

    def y(value_us: int) -> int:
        return CURVE_HEIGHT * 10 - value_us * CURVE_HEIGHT * 10 // ceiling

    return Curve(
        series=series,
        p50=tuple(_lines([(day.day, place[day.day], y(day.p50_us)) for day in series.days])),
        p95=tuple(_lines([(day.day, place[day.day], y(day.p95_us)) for day in series.days])),
        dots=tuple((tenths(place[day.day]), tenths(y(day.p95_us))) for day in series.days),
        days=tuple(Label(x=tenths(place[day]), text=str(day.day)) for day in days if len(days) <= 40 or day.day == 1),
        ticks=tuple(Tick(y=tenths(y(value)), value_us=value) for value in range(0, ceiling + 1, step)),
        norm_y=None if series.limit_us is None else tenths(y(series.limit_us)),
        lowest_us=min(day.p95_us for day in series.days),
        highest_us=max(day.p95_us for day in series.days),
    )


def _lines(points: Sequence[tuple[date, int, int]]) -> Iterator[str]:
    run: list[str] = []
    previous: date | None = None
    for day, x, y in points:
        if previous is not None and day - previous > timedelta(days=1):
            yield " ".join(run)
            run = []
        run.append(f"{tenths(x)},{tenths(y)}")
        previous = day
    if run:
        yield " ".join(run)


def _step(top_us: int) -> int:
    """A round step that gives at most five lines: 1, 2 or 5 times a power of ten."""
    power = 1
    while True:
        for factor in (1, 2, 5):
            if power * factor * 5 >= top_us:
                return power * factor
        power *= 10


# --- bounds ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Lowest to highest availability against the norm, on a scale that ends at 100 %."""

    floor: Fraction
    lowest_x: str
    point_x: str
    width: str
    target_x: str
    target_percent: Fraction


def bounds(result: ClauseResult) -> Bounds | None:
    """None where nothing was measured, or the clause is not about a ratio."""
    found, target = result.availability, result.target
    if found is None or found.lowest is None or found.point is None or found.highest is None:
        return None
    if not isinstance(target, Fraction):
        return None
    gap = 1 - min(found.lowest, target)
    floor = next((1 - room for room in ROOMS if gap <= room * Fraction(9, 10)), Fraction(0))

    def x(ratio: Fraction) -> int:
        return int((ratio - floor) / (1 - floor) * WIDTH * 10)

    lowest, highest = x(found.lowest), x(found.highest)
    return Bounds(
        floor=floor,
        lowest_x=tenths(lowest),
        point_x=tenths(x(found.point)),
        width=tenths(max(highest - lowest, 20)),
        target_x=tenths(x(target)),
        target_percent=(target - floor) / (1 - floor),
    )


ROOMS = tuple(Fraction(percent, 1000) for percent in (2, 5, 10, 20, 50, 100, 200, 500))


def days_in(report: Report) -> int:
    return len(list(local_days(report.period, report.timezone)))
