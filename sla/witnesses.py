"""What was measured around an instant: the samples that speak for it, and the failures in a row that it lies in."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import overload

from sla.measurements import Rule, SampleIn, SampleRun, SpanIn


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """A sample near the instant.

    Attributes:
        held_until_us: as far as it may speak: so many intervals after it was due.
        until_us: as far as it does: the next sample, or where its hold ends.
        speaks: it speaks for the instant. One that is `unknown` speaks for nothing.
    """

    sample: SampleIn
    held_until_us: int
    until_us: int
    speaks: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Streak:
    """Failures in a row, with none that worked between them.

    Attributes:
        failures: failed runs, re-runs included, that count towards confirmation.
    """

    first_us: int
    last_us: int
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Testimony:
    """What one location has to say.

    Attributes:
        witness: the last sample due at or before the instant; None where there is none.
        before, after: its neighbours.
        streak: the failures in a row that `witness` belongs to, or that begin right after it; None where there are
            none.
    """

    location: str
    witness: Witness | None
    before: Witness | None
    after: Witness | None
    streak: Streak | None

    @property
    def near(self) -> tuple[Witness, ...]:
        return tuple(w for w in (self.before, self.witness, self.after) if w is not None)


class Kept:
    """Measurements as they pass on their way to the arithmetic; those of some journeys stay in hand.

    Args:
        until_us: samples due later are not known; None takes all.
    """

    def __init__(self, journeys: Iterable[str], *, until_us: int | None) -> None:
        self._journeys = frozenset(journeys)
        self._until_us = until_us
        self._samples: dict[tuple[str, str], _Several] = {}
        self._spans: list[SpanIn] = []

    def samples(self, passing: Iterable[SampleIn | SampleRun]) -> Iterator[SampleIn | SampleRun]:
        for given in passing:
            run = given if isinstance(given, SampleRun) else SampleRun(first=given, step_us=1, count=1)
            known = run if self._until_us is None else run.until(self._until_us)
            if known is not None and run.first.journey in self._journeys:
                self._samples.setdefault((run.first.journey, run.first.location), _Several()).add(known)
            yield given

    def spans(self, passing: Iterable[SpanIn]) -> tuple[SpanIn, ...]:
        found = tuple(passing)
        self._spans += [s for s in found if s.journey in self._journeys]
        return found

    def span_at(self, journey: str, at_us: int) -> SpanIn | None:
        """The settled span that holds the instant."""
        late = self._until_us is not None and at_us >= self._until_us
        here = (s for s in self._spans if s.journey == journey and s.start_us <= at_us < s.end_us)
        return None if late else next(here, None)

    def testimonies(self, journey: str, at_us: int, rule: Rule) -> tuple[Testimony, ...]:
        """One for each location that ever measured the journey, by name."""
        return tuple(
            _testimony(location, found, at_us, rule)
            for (name, location), found in sorted(self._samples.items())
            if name == journey
        )


class _Several(Sequence[SampleIn]):
    """Samples of one journey and location, kept as the runs they came in and told apart where one is asked for."""

    def __init__(self) -> None:
        self._runs: list[SampleRun] = []
        self._ends: list[int] = []  # how many samples there are up to and with each run

    def add(self, run: SampleRun) -> None:
        self._runs.append(run)
        self._ends.append(len(self) + run.count)

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, index: int) -> SampleIn: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[SampleIn, ...]: ...
    def __getitem__(self, index: int | slice) -> SampleIn | tuple[SampleIn, ...]:
        if isinstance(index, slice):
            return tuple(self[i] for i in range(*index.indices(len(self))))
        if not 0 <= index < len(self):
            raise IndexError(index)
        number = bisect_right(self._ends, index)
        run = self._runs[number]
        return run.at(index - self._ends[number] + run.count)


def _testimony(location: str, samples: Sequence[SampleIn], at_us: int, rule: Rule) -> Testimony:
    i = bisect_right(samples, at_us, key=lambda s: s.due_us) - 1

    def witness(k: int) -> Witness | None:
        if not 0 <= k < len(samples):
            return None
        sample = samples[k]
        held = sample.due_us + rule.hold_intervals * sample.interval_us
        until = held if k + 1 == len(samples) else min(held, samples[k + 1].due_us)
        speaks = sample.outcome != "unknown" and sample.due_us <= at_us < until
        return Witness(sample=sample, held_until_us=held, until_us=until, speaks=speaks)

    return Testimony(
        location=location,
        witness=witness(i),
        before=witness(i - 1),
        after=witness(i + 1),
        streak=_streak(samples, i, rule),
    )


def failed(sample: SampleIn, rule: Rule) -> bool:
    return sample.outcome == "down" or (sample.outcome == "degraded" and rule.degraded_is_down)


def _streak(samples: Sequence[SampleIn], i: int, rule: Rule) -> Streak | None:
    def unbroken(indices: Iterable[int]) -> Iterator[SampleIn]:
        for k in indices:
            if failed(samples[k], rule):
                yield samples[k]
            elif samples[k].outcome != "unknown":
                return

    earlier = list(unbroken(range(i, -1, -1)))
    found = [*reversed(earlier), *unbroken(range(i + 1, len(samples)))]
    if not found:
        return None
    runs = sum(s.attempts if s.outcome == "down" else 1 for s in found)
    return Streak(first_us=found[0].due_us, last_us=found[-1].due_us, failures=runs)
