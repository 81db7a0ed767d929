"""Samples that come as runs give what they give one by one: same time, same outages, same blips, same durations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sla.durations import Durations
from sla.intervals import IntervalSet, Span
from sla.measurements import Folding, Outcome, Rule, SampleIn, SampleRun
from sla.witnesses import Kept

STEP = 30
OUTCOMES: tuple[Outcome, ...] = ("up", "up", "down", "degraded", "unknown")
RULES = st.lists(
    st.builds(
        Rule,
        confirm_after=st.integers(1, 4),
        hold_intervals=st.integers(1, 3),
        quorum=st.none() | st.integers(1, 2),
        degraded_is_down=st.booleans(),
    ),
    min_size=1,
    max_size=3,
)


@st.composite
def runs(draw: st.DrawFn) -> list[SampleRun]:
    """What two locations measured: runs of any kind, some touching, some with slots missing, some off the grid."""
    found = []
    for location in ("a", "b")[: draw(st.integers(1, 2))]:
        due_us = draw(st.integers(0, 40))
        for _ in range(draw(st.integers(1, 8))):
            outcome: Outcome = draw(st.sampled_from(OUTCOMES))
            first = SampleIn(
                journey="indienen",
                due_us=due_us,
                interval_us=draw(st.sampled_from((STEP, STEP, 20))),
                outcome=outcome,
                location=location,
                failure="" if outcome == "up" else draw(st.sampled_from(("connect", "timeout"))),
                attempts=draw(st.integers(1, 3)),
            )
            count = draw(st.integers(1, 6))
            run = SampleRun(
                first=first,
                step_us=draw(st.sampled_from((STEP, STEP, 50, 100))),
                count=count,
                durations_us=tuple(draw(st.integers(1, 99)) for _ in range(count)),
            )
            found.append(run)
            due_us = run.dues_us[-1] + draw(st.sampled_from((STEP, STEP, 7, 200)))
    return found


def one_by_one(given_runs: Iterable[SampleRun]) -> Iterator[SampleIn]:
    for run in given_runs:
        for due_us, taken_us in zip(run.dues_us, run.durations_us, strict=True):
            yield SampleIn(
                journey=run.first.journey,
                due_us=due_us,
                interval_us=run.first.interval_us,
                outcome=run.first.outcome,
                duration_us=taken_us,
                location=run.first.location,
                failure=run.first.failure,
                attempts=run.first.attempts,
            )


def folded(measured: Iterable[SampleIn | SampleRun], rules: list[Rule], until_us: int | None) -> Folding:
    folding = Folding(rules={"indienen": rules}, timed=(("indienen", None),), until_us=until_us)
    folding.add(measured)
    return folding


@given(runs(), RULES, st.none() | st.integers(0, 900))
def test_runs_and_their_samples_give_the_same_tracks(
    measured: list[SampleRun], rules: list[Rule], until_us: int | None
) -> None:
    # As text: when an outage was confirmed is no part of whether two of them are equal.
    assert str(folded(measured, rules, until_us).tracks()) == str(
        folded(one_by_one(measured), rules, until_us).tracks()
    )


@given(runs(), st.none() | st.integers(0, 900), st.lists(st.integers(0, 900), max_size=8))
def test_runs_and_their_samples_give_the_same_durations(
    measured: list[SampleRun], until_us: int | None, edges: list[int]
) -> None:
    spans = IntervalSet.of(Span(start_us=a, end_us=b) for a, b in pairwise(sorted(edges)) if a % 2)

    def counted(given_ones: Iterable[SampleIn | SampleRun]) -> list[int]:
        return sorted(folded(given_ones, [Rule()], until_us).durations("indienen", None).within(spans))

    assert counted(measured) == counted(one_by_one(measured))


def test_durations_of_locations_that_alternate_are_all_found() -> None:
    taken = Durations()
    for due_us, taken_us in ((10, 1), (20, 2), (15, 3), (25, 4)):
        taken.add(due_us, taken_us)
    assert sorted(taken.within(IntervalSet.of([Span(start_us=15, end_us=25)]))) == [2, 3]


@given(runs(), RULES, st.none() | st.integers(0, 900), st.integers(0, 900))
def test_runs_and_their_samples_testify_the_same(
    measured: list[SampleRun], rules: list[Rule], until_us: int | None, at_us: int
) -> None:
    def testified(given_ones: Iterable[SampleIn | SampleRun]) -> object:
        kept = Kept(("indienen",), until_us=until_us)
        assert list(kept.samples(given_ones))
        return kept.testimonies("indienen", at_us, rules[0])

    assert testified(measured) == testified(one_by_one(measured))
