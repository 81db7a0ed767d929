"""What a mail foretells of an outage is what the assessment says if the outage does last until then.

Random calendars, timelines of three journeys, exclusions, edges, ways to combine and kinds of clauses: one microsecond
before the instant that was told the outage is not sanctionable, at that instant it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sla.assess import assess, worked_out
from sla.assessment import Assessment, OutageResult
from sla.budget import budgets, outlooks
from sla.contract import Contract
from sla.effect import Effect, Streak, effects
from sla.intervals import Span
from sla.ledger import Entry, Sealed, seal
from sla.measurements import SpanIn
from sla.period import day_span, local_date
from sla.standing import rolling_reach, rolling_standings, standings
from tests.agreements import BRUSSELS, HOUR, MINUTE, contract

ZONE = ZoneInfo(BRUSSELS)
LAW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
JOURNEYS = ("een", "twee", "drie")
STATES = st.sampled_from(["up", "up", "degraded", "down", "unmeasured"])
DAY = 24 * HOUR

WINDOWS = ({"weekly": ["mon-sun 00:00-24:00"]}, {"weekly": ["mon-fri 07:30-19:00", "sat 01:00-04:00"]})


@dataclass(frozen=True)
class Story:
    """What was measured until an instant, and what failed then and goes on failing.

    Attributes:
        assessed_us: as far as the assessment saw; after it those that fail are down, and all others are up.
    """

    start_us: int
    assessed_us: int
    now_us: int
    lines: Mapping[str, tuple[SpanIn, ...]]
    failing: frozenset[str]
    ledger: tuple[Sealed, ...]

    def streaks(self) -> dict[str, Streak]:
        """As the store would tell them: since the last good moment."""
        return {name: streak(self.until(name, self.now_us)) for name in self.failing}

    def until(self, name: str, end_us: int) -> list[SpanIn]:
        """A journey's line if all that fails now ends at an instant, which may have passed."""
        seen = [replace(s, end_us=min(s.end_us, end_us)) for s in self.lines[name] if s.start_us < end_us]
        if end_us > self.assessed_us:
            state: Any = "down" if name in self.failing else "up"
            seen.append(SpanIn(journey=name, start_us=self.assessed_us, end_us=end_us, state=state))
        return seen

    def lasting(self, end_us: int, period: Span) -> list[SpanIn]:
        """What will have been measured of everything if it ends then, and all is well after that."""
        found = [span for name in JOURNEYS for span in self.until(name, end_us)]
        if end_us < period.end_us:
            found += [SpanIn(journey=n, start_us=end_us, end_us=period.end_us, state="up") for n in JOURNEYS]
        return found

    def so_far(self) -> list[SpanIn]:
        return [span for name in JOURNEYS for span in self.lines[name]]


def streak(line: Sequence[SpanIn]) -> Streak:
    """As the store tells it."""
    plain, slow = (since(line, good) for good in (("up", "degraded"), ("up",)))
    return replace(plain, or_slow=slow)


def since(line: Sequence[SpanIn], good: tuple[str, ...]) -> Streak:
    last = max((i for i, s in enumerate(line) if s.state in good), default=-1)
    first = next(s.start_us for s in line[last + 1 :] if s.state not in (*good, "unmeasured"))
    return Streak(first_bad_us=first, last_good_us=line[last].end_us if last >= 0 else None)


@st.composite
def stories(draw: st.DrawFn, days: int) -> Story:
    """Some days, one of them perhaps that of a change of the clock; the first journey fails at their end."""
    first = draw(
        st.sampled_from(
            [
                datetime(2026, 3, 26, tzinfo=ZONE),
                datetime(2026, 10, 22, tzinfo=ZONE),
                datetime(2026, 11, 4, tzinfo=ZONE),
            ]
        )
    )
    start = int(first.timestamp()) * 1_000_000
    assessed = start + draw(st.integers(HOUR, days * DAY))
    failing = frozenset({"een", *draw(st.sets(st.sampled_from(JOURNEYS)))})
    lines = {}
    for name in JOURNEYS:
        cuts = sorted(draw(st.sets(st.integers(start + 1, assessed - 1), max_size=6)))
        edges = [start, *cuts, assessed]
        lines[name] = tuple(SpanIn(journey=name, start_us=a, end_us=b, state=draw(STATES)) for a, b in pairwise(edges))
    entries = []
    for _ in range(draw(st.integers(0, 2))):
        a, b = sorted(draw(st.lists(st.integers(start, assessed + 2 * DAY), min_size=2, max_size=2, unique=True)))
        scope = tuple(sorted(draw(st.sets(st.sampled_from(JOURNEYS)))))
        entries.append(
            Entry(kind="exclusion", recorded_us=start, by="J. P.", reason="p", from_us=a, until_us=b, scope=scope)
        )
    now = assessed + draw(st.sampled_from([1, MINUTE, HOUR - 1]))
    return Story(start, assessed, now, lines, failing, tuple(seal(entries)))


@st.composite
def agreements(draw: st.DrawFn, period: str) -> Contract:
    scope = JOURNEYS[: draw(st.integers(1, 3))]
    combine: Any = draw(st.sampled_from(["any", "all", "weighted"]))
    if combine == "weighted":
        combine = {"weighted": {name: draw(st.sampled_from(["1", "2", "0.5"])) for name in scope}}
    said: dict[str, Any] = {"id": "K", "scope": list(scope), "combine": combine, "period": period, "window": "w"}
    said["boundary"] = draw(st.sampled_from(["observed", "certain", "widest"]))
    said["degraded"] = draw(st.sampled_from(["up", "up", "down"]))
    match draw(st.sampled_from(["availability", "outage-duration", "outage-count"])):
        case "availability":
            said |= {"kind": "availability", "target": draw(st.sampled_from(["0.5", "0.9", "0.97", "0.999", "1"]))}
            said["formula"] = draw(st.sampled_from(["measured", "of-service-time"]))
            unit = "0.001"
        case "outage-duration":
            said |= {"kind": "outage-duration", "limit": draw(st.sampled_from(["1m", "2h", "20h"]))}
            unit = "1h"
        case _:
            said |= {"kind": "outage-count", "limit": draw(st.integers(0, 4))}
            said["at_least"] = draw(st.sampled_from(["1s", "90m", "9h"]))
            unit = "1"
    said["sanction"] = {"scale": "per-unit", "unit": unit, "amount": "EUR 10"}
    said["sanction"]["boundary"] = draw(st.sampled_from(["observed", "certain", "widest"]))
    more: dict[str, Any] = {"windows": {"w": draw(st.sampled_from(WINDOWS))}}
    if draw(st.booleans()):
        more["grace_until"] = draw(st.sampled_from(["2026-03-28", "2026-10-25", "2026-11-06"]))
    return contract(said, **more)


def judged(agreed: Contract, story: Story, end_us: int, period: Span) -> Assessment:
    return assess(agreed, period=period, spans=story.lasting(end_us, period), ledger=story.ledger)


def own_outage(found: Assessment) -> OutageResult | None:
    """The one of the first journey that goes on."""
    return max((o for o in found.outages if o.journey == "een"), key=lambda o: o.first_bad_us, default=None)


def is_sanctionable(agreed: Contract, story: Story, end_us: int, period: Span) -> bool:
    """What the assessment says of the clause; where each outage is judged by itself, of the first journey's own."""
    found = judged(agreed, story, end_us, period)
    [result] = found.clauses
    if result.clause.kind != "outage-duration":
        return result.sanctionable
    own = own_outage(found)
    return result.sanctionable and own is not None and own.sanctionable


def foretold(agreed: Contract, story: Story, period: Span) -> tuple[Effect, ...]:
    worked = worked_out(agreed, period=period, spans=story.so_far(), ledger=story.ledger)
    known = standings(
        worked, outlooks(worked, now_us=story.assessed_us), now_us=story.assessed_us, unit="month", coverage=Fraction(1)
    )
    return effects(known, "een", story.streaks(), now_us=story.now_us, stale_us=HOUR)


@LAW
@given(stories(3), agreements("month"))
def test_in_a_calendar_period_it_is_sanctionable_at_the_instant_told_and_not_before(
    story: Story, agreed: Contract
) -> None:
    period = Span(start_us=story.start_us, end_us=story.start_us + 5 * DAY)
    if story.now_us >= period.end_us:
        return
    told = foretold(agreed, story, period)
    at_us = told[0].sanctionable_us if told else None
    if not told and any(name not in story.failing for name in agreed.version[0].clause[0].scope):
        return  # of `all`, one still works: nothing is said of what does not touch the clause
    if at_us is None:
        assert not is_sanctionable(agreed, story, period.end_us, period)
    elif at_us == 0:
        assert is_sanctionable(agreed, story, story.now_us, period)
    else:
        assert is_sanctionable(agreed, story, at_us, period)
        assert not is_sanctionable(agreed, story, at_us - 1, period)


@LAW
@given(stories(3), agreements("month"))
def test_the_next_step_what_is_left_how_long_and_how_many_are_the_assessments_own(
    story: Story, agreed: Contract
) -> None:
    period = Span(start_us=story.start_us, end_us=story.start_us + 5 * DAY)
    if story.now_us >= period.end_us:
        return
    for told in foretold(agreed, story, period):
        if told.left_us is not None and not told.weighted:
            [budget] = budgets(judged(agreed, story, story.now_us, period))
            assert told.left_us == budget.left_us
        if told.step_us is not None and told.step_us > story.now_us:
            before, then = (judged(agreed, story, us, period).clauses[0] for us in (told.step_us - 1, told.step_us))
            assert then.sanction.amount_eur > before.sanction.amount_eur
        if told.reached_us is not None:
            before, then = (
                own_outage(judged(agreed, story, us, period)) for us in (told.reached_us - 1, told.reached_us)
            )
            assert then is not None and then.counted["K"] == (told.longest_us or 0) + 1
            assert before is None or before.counted.get("K", 0) == told.longest_us
        if told.number is not None and told.counts_us is not None:
            at_us = max(told.counts_us, story.now_us)
            assert len(judged(agreed, story, at_us, period).clauses[0].outages) == told.number
            then_own, own = (own_outage(judged(agreed, story, us, period)) for us in (at_us, told.counts_us - 1))
            assert then_own is not None and then_own.id in judged(agreed, story, at_us, period).clauses[0].outages
            assert own is None or own.id not in judged(agreed, story, told.counts_us - 1, period).clauses[0].outages


@LAW
@given(stories(4), st.sampled_from([1, 2, 3]).flatmap(lambda n: agreements(f"rolling {n} days")), st.data())
def test_in_a_rolling_period_so_say_the_days_that_end_with_that_instant(
    story: Story, agreed: Contract, data: st.DataObject
) -> None:
    today = day_span(local_date(story.assessed_us, BRUSSELS), BRUSSELS)
    near = worked_out(agreed, period=today, spans=story.so_far(), ledger=story.ledger)
    far = worked_out(agreed, period=rolling_reach(agreed, story.assessed_us), spans=story.so_far(), ledger=story.ledger)
    known = rolling_standings(far, outlooks(near, now_us=story.assessed_us), now_us=story.assessed_us)
    told = effects(known, "een", story.streaks(), now_us=story.now_us, stale_us=HOUR)
    if not told and any(name not in story.failing for name in agreed.version[0].clause[0].scope):
        return

    def sanctionable(end_us: int) -> bool:
        return is_sanctionable(agreed, story, end_us, day_span(local_date(end_us - 1, BRUSSELS), BRUSSELS))

    at_us = told[0].sanctionable_us if told else None
    if at_us == 0:
        assert sanctionable(story.now_us)
        return
    if at_us is not None:
        assert sanctionable(at_us)
        assert not sanctionable(at_us - 1)
    until_us = story.now_us + 10 * DAY if at_us is None else at_us
    if until_us > story.now_us:
        assert not sanctionable(data.draw(st.integers(story.now_us, until_us - 1)))
