"""The slow, obvious twin of the arithmetic: it asks every second of a period what it is, and counts.

It shares nothing with the code under test but the values it is asked about; civil time comes from `datetime`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

SECOND = 1_000_000
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Weekly hours on whole minutes, as (day 0-6, from minute, to minute)."""

    spans: tuple[tuple[int, int, int], ...]
    closed: frozenset[date] = frozenset()

    def open_at(self, second: int, zone: ZoneInfo) -> bool:
        """Whether a clock on the wall shows a time inside the hours, on both rounds of a repeated hour."""
        here = datetime.fromtimestamp(second, tz=UTC).astimezone(zone)
        if here.date() in self.closed:
            return False
        minute = here.hour * 60 + here.minute
        return any(day == here.weekday() and start <= minute < end for day, start, end in self.spans)

    def written(self) -> list[str]:
        return [f"{DAYS[d]} {a // 60:02}:{a % 60:02}-{b // 60:02}:{b % 60:02}" for d, a, b in self.spans]


def tally(
    start: int,
    end: int,
    *,
    hours: Hours,
    zone: ZoneInfo,
    states: dict[int, str],
    excluded: list[tuple[int, int]],
) -> Counter[str]:
    """Seconds per class. `states` has the state of each measured second; `excluded` pairs of seconds."""
    found: Counter[str] = Counter()
    for second in range(start, end):
        if not hours.open_at(second, zone):
            continue
        found["service"] += 1
        if any(a <= second < b for a, b in excluded):
            found["excluded"] += 1
        else:
            found[states.get(second, "unmeasured")] += 1
    return found


def states_of_samples(
    samples: list[tuple[int, int, str, int]], *, confirm_after: int, hold: int, until: int
) -> dict[int, str]:
    """The state of every second that (due, interval, outcome, attempts) in order speak for.

    Walks the samples twice: first to find which failures belong to a confirmed outage, then to spread them out.
    """
    confirmed: set[int] = set()
    streak: list[int] = []
    count = 0
    for due, _, outcome, attempts in [*samples, (0, 0, "up", 1)]:
        if outcome == "down":
            streak.append(due)
            count += attempts
        elif outcome != "unknown":
            if count >= confirm_after:
                confirmed.update(streak)
            streak, count = [], 0
    states: dict[int, str] = {}
    for i, (due, interval, outcome, _) in enumerate(samples):
        nearest = samples[i + 1][0] if i + 1 < len(samples) else until
        for second in range(due, min(due + hold * interval, nearest)):
            if outcome == "down":
                states[second] = "down" if due in confirmed else "up"
            elif outcome != "unknown":
                states[second] = outcome
    return states


def month_of(year: int, month: int, zone: ZoneInfo) -> tuple[int, int]:
    """First second of a month and of the next one."""
    first = datetime(year, month, 1, tzinfo=zone)
    after = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=zone)
    return int(first.timestamp()), int(after.timestamp())


def some_days(first: datetime, count: int) -> tuple[int, int]:
    """Whole local days as seconds; the end is reached by the calendar, so that it is a midnight too."""
    return int(first.timestamp()), int((first + timedelta(days=count)).timestamp())


def states_by_boundary(
    samples: list[tuple[int, int, str, int]],
    *,
    confirm_after: int,
    hold: int,
    until: int,
    degraded_is_down: bool,
    boundary: str,
    grid: int = 1,
) -> dict[int, str]:
    """The state of every `grid`-th second that samples speak for, with outages counted by one of the three boundaries.

    Args:
        grid: all dues and intervals are multiples of it, so that nothing happens in between.
    """
    bad = {"down", "degraded"} if degraded_is_down else {"down"}
    spans: list[tuple[int, int]] = []
    streak: list[int] = []
    count, last_good = 0, None
    for i, (due, interval, outcome, attempts) in enumerate(samples):
        if outcome in bad:
            streak.append(i)
            count += attempts if outcome == "down" else 1
        if streak and ((outcome not in bad and outcome != "unknown") or i + 1 == len(samples)):
            ended = due if outcome not in bad and outcome != "unknown" else None
            if count >= confirm_after:
                first_bad, last_bad = samples[streak[0]][0], samples[streak[-1]][0]
                open_end = min(samples[-1][0] + hold * interval, until)
                start = first_bad if boundary != "widest" or last_good is None else last_good
                end = last_bad if boundary == "certain" else open_end if ended is None else ended
                spans.append((start, end))
            streak, count = [], 0
        if outcome not in bad and outcome != "unknown":
            last_good = due
    states: dict[int, str] = {}
    for i, (due, interval, outcome, _) in enumerate(samples):
        nearest = samples[i + 1][0] if i + 1 < len(samples) else until
        for second in range(due, min(due + hold * interval, nearest), grid):
            if outcome != "unknown":
                is_down = any(a <= second < b for a, b in spans)
                slow = outcome == "degraded" and not degraded_is_down
                states[second] = "down" if is_down else "degraded" if slow else "up"
    return states
