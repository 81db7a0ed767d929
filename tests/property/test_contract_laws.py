"""Random contracts over random samples and ledgers, held against a twin that asks each quarter of a minute."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sla.assess import assess
from sla.assessment import Span
from sla.ledger import Entry, seal
from sla.measurements import Rule, SampleIn
from tests.agreements import BRUSSELS, clause, contract
from tests.second_by_second import SECOND, Hours, states_by_boundary

ZONE = ZoneInfo(BRUSSELS)
GRID = 15
HOUR = 3600
# Half an hour before each change of the clock of 2026, and an ordinary evening that runs into a holiday.
STARTS = (
    datetime(2026, 3, 29, 0, 30, tzinfo=ZONE), datetime(2026, 10, 25, 0, 30, tzinfo=ZONE),
    datetime(2026, 11, 10, 21, 30, tzinfo=ZONE),
)  # fmt: skip
CLASSES = ("up", "degraded", "down", "excluded", "unmeasured")
Picture = list[tuple[int, int, str, int]]


@dataclass(frozen=True, kw_only=True)
class Window:
    """Announced maintenance, or an exclusion where `recorded` is None; in seconds."""

    start: int
    end: int
    scope: tuple[str, ...]
    recorded: int | None = None
    dependency: str = ""


@dataclass(frozen=True, kw_only=True)
class Case:
    first: int
    last: int
    pictures: dict[str, Picture]
    hours: Hours
    allowed: Hours
    notice_h: int
    budget_s: int
    dark: bool
    windows: tuple[Window, ...]
    rules: dict[str, Any]


@st.composite
def pictures(draw: st.DrawFn, first: int) -> Picture:
    found, due = [], first - 120
    for _ in range(draw(st.integers(0, 30))):
        outcome = draw(st.sampled_from(["up", "up", "degraded", "down", "down", "unknown"]))
        found.append((due, 300, outcome, draw(st.integers(1, 2))))
        due += draw(st.sampled_from([300, 300, 300, 285, 330, 1200]))
    return found


@st.composite
def some_hours(draw: st.DrawFn) -> Hours:
    """Never an edge inside 02:00-03:00: what a window does there is a rule of its own, with its own tests."""
    minutes = st.sampled_from([0, 17, 45, 90, 119, 180, 181, 240, 1260, 1300, 1400, 1440])
    spans = []
    for day in range(7):
        for a, b in draw(st.lists(st.tuples(minutes, minutes), max_size=2)):
            if a < b:
                spans.append((day, a, b))
    return Hours(spans=tuple(spans))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    first = int(draw(st.sampled_from(STARTS)).timestamp())
    last = first + 5 * HOUR
    instants = st.integers(-4, 5 * 240 + 4).map(lambda n: first + n * GRID)
    windows = []
    for _ in range(draw(st.integers(0, 4))):
        start, end = sorted(draw(st.lists(instants, min_size=2, max_size=2, unique=True)))
        scope = draw(st.sampled_from([(), ("indienen",), ("inzage",)]))
        if draw(st.booleans()):
            # Around 48 hours ahead, to the second.
            recorded = start - 48 * HOUR + draw(st.sampled_from([-HOUR, 0, 1, HOUR]))
            windows.append(Window(start=start, end=end, scope=scope, recorded=recorded))
        else:
            dependency = draw(st.sampled_from(["", "aanmelden"]))
            windows.append(Window(start=start, end=end, scope=scope, dependency=dependency))
    return Case(
        first=first,
        last=last,
        pictures={name: draw(pictures(first)) for name in ("indienen", "inzage", "aanmelden")},
        hours=draw(some_hours()),
        allowed=draw(some_hours()),
        notice_h=draw(st.sampled_from([47, 48])),
        budget_s=draw(st.sampled_from([60, 900, 3600, 14_400])),
        dark=draw(st.booleans()),
        windows=tuple(windows),
        rules={
            "scope": draw(st.sampled_from([["indienen"], ["indienen", "inzage"]])),
            "combine": draw(st.sampled_from(["any", "all"])),
            "boundary": draw(st.sampled_from(["observed", "certain", "widest"])),
            "degraded": draw(st.sampled_from(["up", "down"])),
            "confirm_after": draw(st.integers(1, 3)),
            "hold_intervals": draw(st.integers(1, 3)),
            "target": draw(st.sampled_from(["0.5", "0.9", "0.99"])),
        },
    )


def judged(case: Case) -> tuple[dict[str, int], str]:
    """By the engine: seconds per class, and the verdict."""
    day = datetime.fromtimestamp(case.last - 1, tz=UTC).astimezone(ZONE)
    maintenance = {
        "notice": f"{case.notice_h}h",
        "allowed": case.allowed.written(),
        "budget": f"{case.budget_s // 60}m per year",
        "blackout": [f"{day:%m-%d}..{day:%m-%d}"] if case.dark else [],
    }
    agreed = contract(
        clause(window="w", **case.rules),
        windows={"w": {"weekly": case.hours.written(), "holidays": "closed"}},
        holidays=[date(2026, 11, 11)],
        maintenance=maintenance,
    )
    samples = sorted(
        (
            SampleIn(
                journey=name, due_us=due * SECOND, interval_us=every * SECOND, outcome=outcome,  # type: ignore[arg-type]
                attempts=attempts,
            )
            for name, picture in case.pictures.items()
            for due, every, outcome, attempts in picture
        ),
        key=lambda sample: sample.due_us,
    )  # fmt: skip
    entries = [
        Entry(
            kind="exclusion" if one.recorded is None else "maintenance",
            recorded_us=(one.end if one.recorded is None else one.recorded) * SECOND, by="A", reason="b",
            from_us=one.start * SECOND, until_us=one.end * SECOND, scope=one.scope,
            data={"ground": "third-party", "dependency": one.dependency} if one.dependency else {},
        )
        for one in case.windows
    ]  # fmt: skip
    period = Span(start_us=case.first * SECOND, end_us=case.last * SECOND)
    (result,) = assess(agreed, period=period, samples=samples, ledger=seal(entries)).clauses
    assert result.totals is not None
    return {name: getattr(result.totals, f"{name}_us") // SECOND for name in CLASSES}, result.verdict.value


def counted_slowly(case: Case) -> tuple[dict[str, int], str]:
    """By the twin: each quarter of a minute by itself."""
    rules = case.rules
    closed = Hours(spans=case.hours.spans, closed=frozenset({date(2026, 11, 11)}))
    states = {
        name: states_by_boundary(
            case.pictures[name], confirm_after=rules["confirm_after"], hold=rules["hold_intervals"],
            until=case.last + HOUR, degraded_is_down=rules["degraded"] == "down", boundary=rules["boundary"], grid=GRID,
        )
        for name in rules["scope"]
    }  # fmt: skip
    third = states_by_boundary(
        case.pictures["aanmelden"], confirm_after=Rule().confirm_after, hold=Rule().hold_intervals,
        until=case.last + HOUR, degraded_is_down=False, boundary="observed", grid=GRID,
    )  # fmt: skip
    excluded: dict[str, set[int]] = {name: set() for name in rules["scope"]}
    paid: set[int] = set()
    blacked_out = datetime.fromtimestamp(case.last - 1, tz=UTC).astimezone(ZONE).date()
    announced = [one for one in case.windows if one.recorded is not None]
    for one in [*sorted(announced, key=lambda w: w.start), *(w for w in case.windows if w.recorded is None)]:
        for second in range(one.start, one.end, GRID):
            if one.recorded is not None:
                day = datetime.fromtimestamp(second, tz=UTC).astimezone(ZONE).date()
                fits = one.recorded <= one.start - case.notice_h * HOUR and case.allowed.open_at(second, ZONE)
                if not fits or (case.dark and day == blacked_out):
                    continue
                if second not in paid:
                    if len(paid) * GRID >= case.budget_s:
                        continue
                    paid.add(second)
            elif one.dependency and third.get(second) != "down":
                continue
            for name in rules["scope"]:
                if not one.scope or name in one.scope:
                    excluded[name].add(second)
    found: Counter[str] = Counter()
    for second in range(case.first, case.last, GRID):
        if closed.open_at(second, ZONE):
            each = [
                "excluded" if second in excluded[name] else states[name].get(second, "unmeasured")
                for name in rules["scope"]
            ]
            found[together(each, rules["combine"])] += GRID
    good, bad, unknown = found["up"] + found["degraded"], found["down"], found["unmeasured"]
    verdict = "undecided"
    if good + bad:
        if Fraction(good, good + bad + unknown) >= Fraction(rules["target"]):
            verdict = "met"
        elif Fraction(good + unknown, good + bad + unknown) < Fraction(rules["target"]):
            verdict = "missed"
    return {name: found[name] for name in CLASSES}, verdict


def together(each: list[str], combine: str) -> str:
    if "excluded" in each:
        return "excluded"
    if combine == "all" and len(each) > 1:
        if all(state == "down" for state in each):
            return "down"
        good = [state for state in each if state in ("up", "degraded")]
        if not good:
            return "unmeasured"
        return "degraded" if "degraded" in good else "up"
    return next(state for state in ("unmeasured", "down", "degraded", "up") if state in each)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(cases())
def test_a_count_without_intervals_agrees_in_every_class_and_verdict(case: Case):
    assert judged(case) == counted_slowly(case)
