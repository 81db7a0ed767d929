"""Spans and samples as text: JSON Lines, or CSV with the same column names."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain, pairwise
from operator import itemgetter
from typing import Any, get_args

from sla.lines import (
    LineError,
    Problem,
    instant_in,
    known_keys,
    microseconds_in,
    number_of,
    one_of,
    records_of,
    seconds,
    text_in,
)
from sla.measurements import Outcome, SampleIn, SampleRun, SpanIn, State
from sla.period import instant_text

_SPAN_KEYS = {"journey", "from", "to", "state"}
_SAMPLE_KEYS = {
    "journey", "due", "interval_s", "outcome", "duration_ms", "location", "failure", "attempts", "steps_ms",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurements:
    """Samples ascend by due instant within each journey and location, and spans by start within each journey."""

    samples: tuple[SampleIn, ...] = ()
    spans: tuple[SpanIn, ...] = ()
    problems: tuple[Problem, ...] = ()
    sample_lines: tuple[int, ...] = ()  # of each sample, in the file it was read from


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredRuns:
    """As `Measurements`, with equal samples together; by journey and location, and within them ascending."""

    samples: tuple[SampleIn | SampleRun, ...] = ()
    spans: tuple[SpanIn, ...] = ()
    problems: tuple[Problem, ...] = ()


class OutOfOrderError(ValueError):
    """A sample comes before another of its journey and location that was due later."""


def read_measurements(lines: Iterable[str], name: str) -> Measurements:
    """Spans and samples from JSON Lines or CSV with the same column names.

    Args:
        name: of the file, for the problems.
    """
    problems: list[Problem] = []
    samples: list[tuple[SampleIn, int]] = []
    spans: list[tuple[SpanIn, int]] = []
    for one, number in _each(lines, name, problems):
        if isinstance(one, SpanIn):
            spans.append((one, number))
        else:
            samples.append((one, number))
    samples.sort(key=lambda s: (s[0].due_us, s[0].journey, s[0].location))
    problems += _settled(spans, name) + _doubles(samples, name) + _both({s.journey for s, _ in samples}, spans, name)
    return Measurements(
        samples=tuple(s for s, _ in samples),
        spans=tuple(s for s, _ in spans),
        problems=tuple(sorted(problems, key=lambda p: p.line)),
        sample_lines=tuple(n for _, n in samples),
    )


def read_runs(
    lines: Iterable[str], name: str, *, timed: Collection[tuple[str, str | None]] | None = None
) -> MeasuredRuns:
    """As `read_measurements`, without keeping every sample: what is kept grows with the changes of state.

    Args:
        timed: (journey, step) whose durations are kept, eight bytes a sample; None as step is the whole journey, and a
            sample with a step's own duration is kept whole. None keeps them all.

    Raises:
        OutOfOrderError: the samples of a journey and location do not ascend; `read_measurements` puts them in order.
    """
    problems: list[Problem] = []
    joining: dict[tuple[str, str], _Joining] = {}
    spans: list[tuple[SpanIn, int]] = []
    for one, number in _each(lines, name, problems):
        if isinstance(one, SpanIn):
            spans.append((one, number))
            continue
        key = (one.journey, one.location)
        if (found := joining.get(key)) is None:
            found = joining[key] = _Joining(one.journey, timed)
        if one.due_us == found.due_us:
            problems.append(_double(one, found.line, number, name))
        else:
            found.add(one)
        found.line = number
    problems += _settled(spans, name) + _both({journey for journey, _ in joining}, spans, name)
    return MeasuredRuns(
        samples=tuple(chain.from_iterable(found.finish() for _, found in sorted(joining.items(), key=itemgetter(0)))),
        spans=tuple(s for s, _ in spans),
        problems=tuple(sorted(problems, key=lambda p: p.line)),
    )


class _Joining:
    """The samples of one journey at one location as they come; `line` is where the last of them stood."""

    __slots__ = (
        "_alike", "_all_steps", "_count", "_first", "_found", "_step_us", "_steps", "_taken", "_timed", "due_us",
        "line",
    )  # fmt: skip

    def __init__(self, journey: str, timed: Collection[tuple[str, str | None]] | None) -> None:
        self.line = 0
        self.due_us: int | None = None
        self._timed = timed is None or (journey, None) in timed
        self._all_steps = timed is None
        self._steps = frozenset(step for name, step in timed or () if name == journey and step is not None)
        self._found: list[SampleIn | SampleRun] = []
        self._first: SampleIn | None = None  # of the run that goes on
        self._alike: tuple[object, ...] = ()
        self._count, self._step_us = 0, 1
        self._taken = array("q")

    def add(self, sample: SampleIn) -> None:
        before = self.due_us
        if before is not None and sample.due_us < before:
            raise OutOfOrderError(f"a sample of {sample.journey} is due before the one that it comes after")
        self.due_us = sample.due_us
        if sample.step_durations and (self._all_steps or not self._steps.isdisjoint(sample.step_durations)):
            self._close()
            self._found.append(sample)
            return
        timed = self._timed and sample.duration_us is not None
        alike = (sample.interval_us, sample.outcome, sample.failure, sample.attempts, timed)
        distance_us = 1 if before is None else sample.due_us - before
        if self._first is not None and alike == self._alike and (self._count == 1 or distance_us == self._step_us):
            self._step_us = distance_us
            self._count += 1
        else:
            self._close()
            self._first, self._alike, self._count = sample, alike, 1
        if timed and sample.duration_us is not None:
            self._taken.append(sample.duration_us)

    def _close(self) -> None:
        first = self._first
        if first is not None:
            run = SampleRun(first=first, step_us=self._step_us, count=self._count, durations_us=self._taken)
            self._found.append(first if self._count == 1 else run)
        self._first, self._taken = None, array("q")

    def finish(self) -> list[SampleIn | SampleRun]:
        self._close()
        return self._found


def _each(lines: Iterable[str], name: str, problems: list[Problem]) -> Iterator[tuple[SampleIn | SpanIn, int]]:
    """Each line that can be read, with its number."""
    for number, record in records_of(lines, name, problems):
        try:
            yield (_span(record) if "state" in record or "from" in record else _sample(record)), number
        except LineError as error:
            problems.append(Problem(name=name, line=number, text=str(error)))


def _settled(spans: list[tuple[SpanIn, int]], name: str) -> list[Problem]:
    """Puts the spans in order."""
    spans.sort(key=lambda s: (s[0].journey, s[0].start_us))
    return _overlaps(spans, name)


def _both(sampled: set[str], spans: Iterable[tuple[SpanIn, int]], name: str) -> list[Problem]:
    both = sorted(sampled & {s.journey for s, _ in spans})
    return [Problem(name=name, line=0, text=f'"{j}" has both samples and spans; give one of the two') for j in both]


def _span(record: Mapping[str, Any]) -> SpanIn:
    known_keys(record, _SPAN_KEYS)
    start, end = instant_in(record, "from"), instant_in(record, "to")
    if end <= start:
        raise LineError("ends before it begins; spans are from (included) to (excluded)")
    state: State = one_of(record, "state", get_args(State))  # type: ignore[assignment]  # one of its arguments
    return SpanIn(journey=text_in(record, "journey"), start_us=start, end_us=end, state=state)


def _sample(record: Mapping[str, Any]) -> SampleIn:
    known_keys(record, _SAMPLE_KEYS)
    interval = microseconds_in(record, "interval_s", 1_000_000)
    if interval <= 0:
        raise LineError('"interval_s" must be more than 0: a sample speaks for the time to the next one')
    attempts = record.get("attempts", 1)
    if isinstance(attempts, str) and attempts.isdecimal():
        attempts = int(attempts)
    if not isinstance(attempts, int) or isinstance(attempts, bool) or attempts < 1:
        raise LineError('"attempts" is no number of 1 or more')
    steps = record.get("steps_ms", {})
    if not isinstance(steps, dict):
        raise LineError('"steps_ms" is no object of step and milliseconds')
    outcome: Outcome = one_of(record, "outcome", get_args(Outcome))  # type: ignore[assignment]  # one of its arguments
    return SampleIn(
        journey=text_in(record, "journey"),
        due_us=instant_in(record, "due"),
        interval_us=interval,
        outcome=outcome,
        duration_us=None if record.get("duration_ms") is None else microseconds_in(record, "duration_ms", 1000),
        location=text_in(record, "location", "") if record.get("location") is not None else "",
        failure=text_in(record, "failure", "") if record.get("failure") is not None else "",
        attempts=attempts,
        step_durations={step: round(number_of(ms, f"steps_ms.{step}") * 1000) for step, ms in steps.items()},
    )


def sample_json(sample: SampleIn) -> dict[str, Any]:
    """A sample as `read_measurements` reads it; what stands at its default is left out."""
    record: dict[str, Any] = {
        "journey": sample.journey,
        "due": instant_text(sample.due_us),
        "interval_s": seconds(sample.interval_us),
        "outcome": sample.outcome,
    }
    if sample.duration_us is not None:
        record["duration_ms"] = _milliseconds(sample.duration_us)
    record |= {k: v for k, v in (("location", sample.location), ("failure", sample.failure)) if v}
    if sample.attempts != 1:
        record["attempts"] = sample.attempts
    if sample.step_durations:
        record["steps_ms"] = {step: _milliseconds(us) for step, us in sorted(sample.step_durations.items())}
    return record


def _milliseconds(us: int) -> int | float:
    return us // 1000 if us % 1000 == 0 else float(Decimal(us) / 1000)


def _overlaps(spans: list[tuple[SpanIn, int]], name: str) -> list[Problem]:
    problems = []
    for (before, line), (after, number) in pairwise(spans):
        if before.journey == after.journey and after.start_us < before.end_us:
            text = f'overlaps line {line} for "{after.journey}"; every instant has one state'
            problems.append(Problem(name=name, line=number, text=text))
    return problems


def _doubles(samples: list[tuple[SampleIn, int]], name: str) -> list[Problem]:
    return [
        _double(after, line, number, name)
        for (before, line), (after, number) in pairwise(samples)
        if (before.due_us, before.journey, before.location) == (after.due_us, after.journey, after.location)
    ]


def _double(sample: SampleIn, line: int, number: int, name: str) -> Problem:
    text = f'is the same slot as line {line} for "{sample.journey}"; a slot has one sample per location'
    return Problem(name=name, line=number, text=text)
