"""Lines read with equal samples together give what they give one by one: tracks, durations and every problem."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla.intervals import IntervalSet, Span
from sla.measured_lines import OutOfOrderError, read_measurements, read_runs, sample_json
from sla.measurements import Folding, Rule, SampleIn, SampleRun

STEP_US = 30_000_000
EVERYTHING = IntervalSet.of([Span(start_us=0, end_us=1 << 50)])
TIMED = (("indienen", None), ("indienen", "login"), ("inzage", None))
LONE = '{"journey":"inzage","from":"2026-11-12T10:00:00Z","to":"2026-11-12T11:00:00Z","state":"up"}'


@st.composite
def lines(draw: st.DrawFn) -> list[str]:
    """Two journeys at two locations, now and then a slot missing, twice or off the grid, or a line that is wrong."""
    found, due_us = [], 0
    for _ in range(draw(st.integers(0, 40))):
        due_us += draw(st.sampled_from((STEP_US, STEP_US, STEP_US, 2 * STEP_US, 7_000_000)))
        for journey, location in (("indienen", "a"), ("indienen", "b"), ("inzage", "")):
            sample = SampleIn(
                journey=journey,
                due_us=due_us,
                interval_us=STEP_US,
                outcome=draw(st.sampled_from(("up", "up", "up", "degraded", "down", "unknown"))),
                duration_us=draw(st.sampled_from((200_000, 300_000, None))),
                location=location,
                attempts=draw(st.sampled_from((1, 1, 2))),
                step_durations=draw(st.sampled_from(({}, {}, {"login": 90_000}, {"submit": 1_000}))),
            )
            text = json.dumps(sample_json(sample))
            found += [text] * draw(st.sampled_from((1, 1, 1, 1, 1, 1, 0, 2)))
        found += draw(st.sampled_from(([], [], [], [], ["{"], [""], [LONE])))
    return found


def folded(samples: Iterable[SampleIn | SampleRun]) -> tuple[str, list[list[int]]]:
    rules = {"indienen": (Rule(), Rule(confirm_after=1, quorum=2)), "inzage": (Rule(),)}
    folding = Folding(rules=rules, timed=TIMED, until_us=None)
    folding.add(samples)
    tracks = str(folding.tracks())  # as text: when an outage was confirmed is no part of whether two are equal
    return tracks, [sorted(folding.durations(*key).within(EVERYTHING)) for key in TIMED]


@given(lines(), st.sampled_from((None, TIMED)))
def test_lines_read_as_runs_say_what_they_say_one_by_one(
    given_lines: list[str], timed: tuple[tuple[str, str | None], ...] | None
) -> None:
    whole, joined = read_measurements(given_lines, "m.jsonl"), read_runs(given_lines, "m.jsonl", timed=timed)
    assert (joined.problems, joined.spans) == (whole.problems, whole.spans)
    if not whole.problems:
        assert folded(joined.samples) == folded(whole.samples)


def test_a_day_of_equal_samples_is_kept_as_one() -> None:
    samples = (SampleIn(journey="inzage", due_us=i * STEP_US, interval_us=STEP_US, outcome="up") for i in range(2_880))
    (run,) = read_runs((json.dumps(sample_json(s)) for s in samples), "m.jsonl").samples
    assert isinstance(run, SampleRun)
    assert (run.count, run.step_us) == (2_880, STEP_US)


def test_samples_out_of_order_are_not_joined() -> None:
    samples = [SampleIn(journey="inzage", due_us=i, interval_us=STEP_US, outcome="up") for i in (2, 1)]
    with pytest.raises(OutOfOrderError, match="inzage"):
        read_runs([json.dumps(sample_json(s)) for s in samples], "m.jsonl")
