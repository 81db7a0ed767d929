"""Laws that every agreement's arithmetic keeps, on random calendars, timelines and ledgers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sla.assess import assess
from sla.assessment import Assessment, Availability, Span, Totals
from sla.contract import Contract
from sla.intervals import IntervalSet
from sla.ledger import Entry, seal
from sla.measurements import SampleIn, SpanIn
from sla.period import parse_period
from tests.agreements import BRUSSELS, clause, contract
from tests.second_by_second import SECOND, Hours, states_of_samples, tally

ZONE = ZoneInfo(BRUSSELS)
FAST = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
STATES = st.sampled_from(["up", "degraded", "down", "unmeasured"])
EARLY = datetime(2026, 10, 25, 0, 30, tzinfo=ZONE)
# The two changes of the clock of 2026, a New Year and an ordinary day.
FIRST_DAYS = st.sampled_from(
    [datetime(2026, 3, 28, tzinfo=ZONE), datetime(2026, 10, 24, tzinfo=ZONE), datetime(2026, 12, 31, tzinfo=ZONE)]
)


@dataclass(frozen=True)
class Timeline:
    period: Span
    spans: tuple[SpanIn, ...]


@st.composite
def timelines(draw: st.DrawFn) -> Timeline:
    """Two days, cut into stretches of a random state to the microsecond."""
    first = draw(FIRST_DAYS)
    start, end = int(first.timestamp()) * SECOND, int((first + timedelta(days=2)).timestamp()) * SECOND
    cuts = sorted(draw(st.sets(st.integers(start + 1, end - 1), max_size=12)))
    edges = [start, *cuts, end]
    spans = tuple(SpanIn(journey="indienen", start_us=a, end_us=b, state=draw(STATES)) for a, b in pairwise(edges))
    return Timeline(Span(start_us=start, end_us=end), spans)


@st.composite
def hours(draw: st.DrawFn) -> Hours:
    spans = []
    for day in draw(st.lists(st.integers(0, 6), max_size=6)):
        # Never an edge inside 02:00-03:00: what a window does there is a rule of its own, with its own tests.
        a, b = sorted(
            draw(st.lists(st.sampled_from([*range(0, 120, 7), *range(180, 1441, 5)]), min_size=2, max_size=2))
        )
        if a < b:
            spans.append((day, a, b))
    closed = frozenset(draw(st.sets(st.sampled_from([date(2026, 3, 29), date(2026, 10, 25), date(2027, 1, 1)]))))
    return Hours(spans=tuple(spans), closed=closed)


@st.composite
def exclusions(draw: st.DrawFn, period: Span) -> list[Entry]:
    found = []
    for _ in range(draw(st.integers(0, 3))):
        a, b = sorted(draw(st.lists(st.integers(period.start_us, period.end_us), min_size=2, max_size=2, unique=True)))
        found.append(Entry(kind="exclusion", recorded_us=period.end_us, by="J. P.", reason="p", from_us=a, until_us=b))
    return found


def agreed(open_hours: Hours | None = None, **more: object) -> Contract:
    if open_hours is None:
        return contract(clause(**more))
    windows = {"w": {"weekly": open_hours.written(), "holidays": "closed"}}
    return contract(clause(window="w", **more), windows=windows, holidays=sorted(open_hours.closed))


def totals(found: Assessment) -> list[Totals]:
    return [c.totals for c in found.clauses if c.totals is not None]


def summed(found: list[Totals]) -> tuple[int, ...]:
    return tuple(
        sum(getattr(t, name) for t in found)
        for name in ("service_us", "up_us", "degraded_us", "down_us", "excluded_us", "unmeasured_us")
    )


def bounds(found: Assessment) -> Availability:
    result = found.clauses[0].availability
    assert result is not None
    return result


@FAST
@given(timelines(), hours(), st.data())
def test_the_classes_add_up_to_service_time_to_the_microsecond(line: Timeline, open_hours: Hours, data: st.DataObject):
    entries = data.draw(exclusions(line.period))
    found = assess(agreed(open_hours), period=line.period, spans=line.spans, ledger=seal(entries))
    service, *parts = summed(totals(found))
    assert sum(parts) == service


@FAST
@given(timelines(), hours(), st.data())
def test_a_period_cut_in_two_adds_up_to_the_whole(line: Timeline, open_hours: Hours, data: st.DataObject):
    entries = seal(data.draw(exclusions(line.period)))
    cut = data.draw(st.integers(line.period.start_us + 1, line.period.end_us - 1))
    halves = [Span(start_us=line.period.start_us, end_us=cut), Span(start_us=cut, end_us=line.period.end_us)]
    whole = assess(agreed(open_hours), period=line.period, spans=line.spans, ledger=entries)
    parts = [assess(agreed(open_hours), period=half, spans=line.spans, ledger=entries) for half in halves]
    assert summed([t for part in parts for t in totals(part)]) == summed(totals(whole))


@FAST
@given(timelines(), hours())
def test_the_point_lies_between_its_bounds(line: Timeline, open_hours: Hours):
    found = bounds(assess(agreed(open_hours), period=line.period, spans=line.spans))
    if found.point is not None and found.lowest is not None and found.highest is not None:
        assert 0 <= found.lowest <= found.point <= found.highest <= 1


def changed(line: Timeline, index: int, state: str) -> list[SpanIn]:
    spans = list(line.spans)
    old = spans[index % len(spans)]
    spans[index % len(spans)] = SpanIn(
        journey=old.journey,
        start_us=old.start_us,
        end_us=old.end_us,
        state=state,  # type: ignore[arg-type]
    )
    return spans


@FAST
@given(timelines(), st.integers(0, 12))
def test_more_downtime_never_raises_availability(line: Timeline, index: int):
    before = assess(agreed(), period=line.period, spans=line.spans)
    after = assess(agreed(), period=line.period, spans=changed(line, index, "down"))
    if bounds(before).lowest is not None and bounds(after).lowest is not None:
        assert (bounds(after).lowest or 0) <= (bounds(before).lowest or 0)
        assert (bounds(after).highest or 0) <= (bounds(before).highest or 0)


@FAST
@given(timelines(), st.integers(0, 12))
def test_unmeasured_time_only_widens(line: Timeline, index: int):
    before = bounds(assess(agreed(), period=line.period, spans=line.spans))
    after = bounds(assess(agreed(), period=line.period, spans=changed(line, index, "unmeasured")))
    if None not in (before.lowest, before.highest, after.lowest, after.highest):
        assert (after.lowest or Fraction(0)) <= (before.lowest or Fraction(0))
        assert (after.highest or Fraction(0)) >= (before.highest or Fraction(0))


@FAST
@given(timelines(), st.data())
def test_excluding_downtime_never_lowers_availability(line: Timeline, data: st.DataObject):
    down = [s for s in line.spans if s.state == "down"]
    if not down:
        return
    lost = data.draw(st.sampled_from(down))
    decided = Entry(
        kind="exclusion",
        recorded_us=line.period.end_us,
        by="J. P.",
        reason="proef",
        from_us=lost.start_us,
        until_us=lost.end_us,
    )
    before = bounds(assess(agreed(), period=line.period, spans=line.spans))
    after = bounds(assess(agreed(), period=line.period, spans=line.spans, ledger=seal([decided])))
    if before.point is not None and after.point is not None:
        assert after.point >= before.point
        assert (after.highest or 0) >= (before.highest or 0)


@FAST
@given(timelines(), st.data())
def test_overlapping_maintenance_is_its_union(line: Timeline, data: st.DataObject):
    rules = contract(clause(), maintenance={})
    edges = data.draw(
        st.lists(st.integers(line.period.start_us, line.period.end_us), min_size=4, max_size=4, unique=True)
    )
    a, b, c, d = sorted(edges)
    both = [(a, c), (b, d)]
    entries = [
        Entry(kind="maintenance", recorded_us=0, by="J. P.", reason="proef", from_us=s, until_us=e) for s, e in both
    ]
    joined = Entry(kind="maintenance", recorded_us=0, by="J. P.", reason="proef", from_us=a, until_us=d)
    apart = assess(rules, period=line.period, spans=line.spans, ledger=seal(entries))
    together = assess(rules, period=line.period, spans=line.spans, ledger=seal([joined]))
    assert totals(apart) == totals(together)


# --- against the slow twin -----------------------------------------------------------------------------------------


@st.composite
def seconds_of_state(draw: st.DrawFn) -> tuple[int, int, list[tuple[int, int, str]]]:
    """Three hours around a change of the clock, in stretches on whole seconds."""
    start = draw(st.sampled_from([EARLY.replace(month=3, day=29), EARLY, EARLY.replace(month=11, day=12)]))
    first = int(start.timestamp())
    last = first + 4 * 3600
    edges = [first, *sorted(draw(st.sets(st.integers(first + 1, last - 1), max_size=8))), last]
    return first, last, [(a, b, draw(STATES)) for a, b in pairwise(edges)]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seconds_of_state(), hours(), st.data())
def test_a_second_by_second_count_agrees(
    drawn: tuple[int, int, list[tuple[int, int, str]]], open_hours: Hours, data: st.DataObject
):
    first, last, stretches = drawn
    pairs = st.lists(st.integers(first, last), min_size=2, max_size=2, unique=True).map(sorted)
    excluded = [(a, b) for a, b in data.draw(st.lists(pairs, max_size=2))]
    entries = [
        Entry(kind="exclusion", recorded_us=0, by="J. P.", reason="p", from_us=a * SECOND, until_us=b * SECOND)
        for a, b in excluded
    ]
    spans = [
        SpanIn(journey="indienen", start_us=a * SECOND, end_us=b * SECOND, state=s)  # type: ignore[arg-type]
        for a, b, s in stretches
    ]
    period = Span(start_us=first * SECOND, end_us=last * SECOND)
    found = assess(agreed(open_hours), period=period, spans=spans, ledger=seal(entries))
    states = {second: s for a, b, s in stretches for second in range(a, b) if s != "unmeasured"}
    slow = tally(first, last, hours=open_hours, zone=ZONE, states=states, excluded=excluded)
    assert summed(totals(found)) == tuple(
        slow[name] * SECOND for name in ("service", "up", "degraded", "down", "excluded", "unmeasured")
    )


@st.composite
def pictures(draw: st.DrawFn) -> tuple[int, list[tuple[int, int, str, int]]]:
    """Samples on an uneven grid with gaps, re-runs and unknowns, from 00:30 of the spring change on."""
    first = int(datetime(2026, 3, 29, 0, 30, tzinfo=ZONE).timestamp())
    due, found = first, []
    for _ in range(draw(st.integers(1, 40))):
        outcome = draw(st.sampled_from(["up", "up", "degraded", "down", "down", "unknown"]))
        found.append((due, 60, outcome, draw(st.integers(1, 2))))
        due += draw(st.sampled_from([60, 60, 60, 45, 90, 300]))
    return first, found


@FAST
@given(pictures(), st.integers(1, 3), st.integers(1, 3))
def test_samples_mean_the_same_to_a_second_by_second_count(
    drawn: tuple[int, list[tuple[int, int, str, int]]], confirm_after: int, hold: int
):
    first, picture = drawn
    last = first + 4 * 3600
    given_samples = [
        SampleIn(
            journey="indienen",
            due_us=due * SECOND,
            interval_us=every * SECOND,
            outcome=outcome,  # type: ignore[arg-type]
            attempts=attempts,
        )
        for due, every, outcome, attempts in picture
    ]
    rules = agreed(confirm_after=confirm_after, hold_intervals=hold)
    found = assess(rules, period=Span(start_us=first * SECOND, end_us=last * SECOND), samples=given_samples)
    always = Hours(spans=tuple((d, 0, 1440) for d in range(7)))
    states = states_of_samples(picture, confirm_after=confirm_after, hold=hold, until=last)
    slow = tally(first, last, hours=always, zone=ZONE, states=states, excluded=[])
    names = ("service", "up", "degraded", "down", "excluded", "unmeasured")
    assert summed(totals(found)) == tuple(slow[name] * SECOND for name in names)


@FAST
@given(st.lists(st.sampled_from([".", "x"]), min_size=3, max_size=40).map("".join), st.integers(1, 4))
def test_re_runs_change_nothing_of_a_confirmed_outage(picture: str, attempts: int):
    """T35"""
    sure = picture.replace("x", "xx").replace(".", "..")  # every failure lasts two slots, so it is confirmed anyway
    found = []
    for tries in (1, attempts):
        measured = [
            SampleIn(
                journey="indienen",
                due_us=i * 60 * SECOND + 1_790_000_000 * SECOND,
                interval_us=60 * SECOND,
                outcome="up" if mark == "." else "down",
                attempts=1 if mark == "." else tries,
            )
            for i, mark in enumerate(sure)
        ]
        period = Span(start_us=1_790_000_000 * SECOND, end_us=(1_790_000_000 + 60 * len(sure)) * SECOND)
        found.append(totals(assess(agreed(), period=period, samples=measured)))
    assert found[0] == found[1]


# --- sets of intervals ---------------------------------------------------------------------------------------------


@st.composite
def interval_sets(draw: st.DrawFn) -> IntervalSet:
    pairs = draw(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=8))
    return IntervalSet.of(Span(start_us=min(p), end_us=max(p)) for p in pairs)


def members(found: IntervalSet) -> set[int]:
    return {i for s in found.spans for i in range(s.start_us, s.end_us)}


@settings(max_examples=200, deadline=None)
@given(interval_sets(), interval_sets())
def test_set_operations_agree_with_counting_one_by_one(a: IntervalSet, b: IntervalSet):
    assert members(a | b) == members(a) | members(b)
    assert members(a & b) == members(a) & members(b)
    assert members(a - b) == members(a) - members(b)
    assert all(x.end_us < y.start_us for x, y in pairwise((a - b).spans))


# --- every month of twelve years -----------------------------------------------------------------------------------


@pytest.mark.parametrize("year", range(2024, 2036))
def test_every_month_adds_up_to_its_true_length(year: int):
    """T17: office hours and the rest of the time make the month, in Europe/Brussels."""
    windows = {"dienst": {"weekly": ["mon-fri 07:30-19:00"], "holidays": "closed"}, "buiten": {"outside": "dienst"}}
    rules = contract(clause(id="B1", window="dienst"), clause(id="B2", window="buiten"), windows=windows)
    found = assess(rules, period=parse_period(str(year), BRUSSELS))
    for month in range(1, 13):
        first = datetime(year, month, 1, tzinfo=ZONE)
        after = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=ZONE)
        length = int(after.timestamp() - first.timestamp()) * SECOND
        parts = [c.totals for c in found.clauses if c.period.start_us == int(first.timestamp()) * SECOND]
        assert sum(t.service_us for t in parts if t is not None) == length


# --- several locations and journeys --------------------------------------------------------------------------------


@st.composite
def many_pictures(draw: st.DrawFn) -> list[SampleIn]:
    """Two journeys seen from up to three locations that do not tick together."""
    first = int(datetime(2026, 11, 12, 9, 55, tzinfo=ZONE).timestamp())
    found = []
    for journey in ("indienen", "inzage"):
        for i, location in enumerate(draw(st.sampled_from([("a",), ("a", "b"), ("a", "b", "c")]))):
            due = first + 7 * i
            for outcome in draw(st.lists(st.sampled_from(["up", "up", "degraded", "down", "unknown"]), max_size=25)):
                sample = SampleIn(
                    journey=journey,
                    due_us=due * SECOND,
                    interval_us=60 * SECOND,
                    outcome=outcome,  # type: ignore[arg-type]
                    location=location,
                )
                found.append(sample)
                due += draw(st.sampled_from([60, 60, 60, 200]))
    return sorted(found, key=lambda s: s.due_us)


RULES = st.fixed_dictionaries(
    {
        "combine": st.sampled_from(["any", "all", {"weighted": {"indienen": 2, "inzage": 1}}]),
        "quorum": st.sampled_from([None, 1, 2, 3]),
        "degraded": st.sampled_from(["up", "down"]),
        "formula": st.sampled_from(["measured", "of-service-time"]),
    }
)
HOUR_AT_TEN = Span(
    start_us=int(datetime(2026, 11, 12, 10, tzinfo=ZONE).timestamp()) * SECOND,
    end_us=int(datetime(2026, 11, 12, 11, tzinfo=ZONE).timestamp()) * SECOND,
)


@FAST
@given(many_pictures(), RULES)
def test_wider_edges_never_count_less_whoever_measured(measured: list[SampleIn], rules: dict[str, object]):
    down = []
    for boundary in ("certain", "observed", "widest"):
        agreement = agreed(scope=["indienen", "inzage"], boundary=boundary, **rules)
        (result,) = assess(agreement, period=HOUR_AT_TEN, samples=measured).clauses
        assert result.totals is not None  # its constructor holds the classes to the service time
        down.append(result.totals.down_us)
    assert down == sorted(down)


@FAST
@given(many_pictures())
def test_a_larger_quorum_never_finds_more_downtime(measured: list[SampleIn]):
    down = []
    for quorum in (1, 2, 3):
        (result,) = assess(agreed(quorum=quorum), period=HOUR_AT_TEN, samples=measured).clauses
        assert result.totals is not None
        down.append(result.totals.down_us)
    assert down == sorted(down, reverse=True)
