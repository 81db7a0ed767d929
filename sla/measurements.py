"""From samples or ready spans to what is known of each journey: measured time, degraded time and outages.

One pass, in order of due instants; what is kept grows with the changes of state, not with the samples. Equal samples at
even distances may come together as one run: the answer is the same, to the microsecond.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from sla.contract_text import Boundary
from sla.durations import Durations
from sla.intervals import EMPTY, IntervalSet, Span

Outcome = Literal["up", "degraded", "down", "unknown"]
State = Literal["up", "degraded", "down", "unmeasured"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleIn:
    """One run of a journey, as the arithmetic needs it.

    Attributes:
        due_us: the instant at which it was due; samples of one journey and location ascend.
        interval_us: from one due instant to the next.
        duration_us: of the whole journey; None where it is not known.
        failure: kind and step, such as `http-status submit`; empty where there was none.
        attempts: runs made in this slot. All failed where the outcome is down; each counts towards confirmation.
        step_durations: microseconds per step.
    """

    journey: str
    due_us: int
    interval_us: int
    outcome: Outcome
    duration_us: int | None = None
    location: str = ""
    failure: str = ""
    attempts: int = 1
    step_durations: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRun:
    """Consecutive samples of one journey and location that are alike but for when they were due and how long they took.

    Attributes:
        first: the first of them; its own durations are not looked at.
        step_us: from one due instant to the next; above 0, and any value where there is only one sample.
        count: how many, at least 1.
        durations_us: of the whole journey, of each sample in turn; empty where nobody asks for them.
    """

    first: SampleIn
    step_us: int
    count: int
    durations_us: Sequence[int] = ()

    @property
    def dues_us(self) -> range:
        """Every due instant, ascending."""
        return range(self.first.due_us, self.first.due_us + self.count * self.step_us, self.step_us)

    def until(self, until_us: int) -> SampleRun | None:
        """The part that was due at or before an instant; None where nothing was."""
        count = min(self.count, (until_us - self.first.due_us) // self.step_us + 1)
        return replace(self, count=count, durations_us=self.durations_us[:count]) if count > 0 else None

    def at(self, index: int) -> SampleIn:
        """One of them, counted from 0, with its duration where there is one."""
        first = self.first
        taken_us = self.durations_us[index] if self.durations_us else first.duration_us
        return replace(first, due_us=first.due_us + index * self.step_us, duration_us=taken_us)

    def samples(self) -> Iterator[SampleIn]:
        """Each sample for itself, without durations."""
        return (replace(self.first, due_us=due_us) for due_us in self.dues_us)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanIn:
    """A stretch of time whose state is already settled; confirmation rules do not apply to it."""

    journey: str
    start_us: int
    end_us: int
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How samples become outages; see `sla.contract.CountsTime`."""

    confirm_after: int = 2
    hold_intervals: int = 2
    quorum: int | None = None
    degraded_is_down: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RawOutage:
    """An outage of one journey, before any contract looked at it: its edges as intervals.

    Attributes:
        last_good_us, first_good_us: None where no such moment is known.
        ends_us: where it stops counting by `observed`; `first_good_us`, or the end of what was measured.
        confirmed_us: when enough failures or votes had come in; None: with the first one. No part of what an outage is:
            the same edges under two rules are one outage.
    """

    last_good_us: int | None
    first_bad_us: int
    last_bad_us: int
    first_good_us: int | None
    ends_us: int
    failures: tuple[str, ...] = ()
    confirmed_us: int | None = field(default=None, compare=False)

    @property
    def known_from_us(self) -> int:
        """The instant from which our own measurement had confirmed the outage."""
        return max(self.first_bad_us, self.confirmed_us or self.first_bad_us)

    def span(self, boundary: Boundary) -> Span:
        match boundary:
            case "observed":
                return Span(start_us=self.first_bad_us, end_us=self.ends_us)
            case "certain":
                return Span(start_us=self.first_bad_us, end_us=self.last_bad_us)
            case "widest":
                start = self.first_bad_us if self.last_good_us is None else self.last_good_us
                return Span(start_us=start, end_us=self.ends_us)


@dataclass(frozen=True, slots=True, kw_only=True)
class RawBlip:
    due_us: int
    failure: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """What is known of one journey under one rule.

    Attributes:
        measured: time that an honest sample speaks for.
        degraded: measured time that worked, but beyond a soft limit.
        down: per boundary; it may run over unmeasured time, which takes precedence.
    """

    measured: IntervalSet = EMPTY
    degraded: IntervalSet = EMPTY
    outages: tuple[RawOutage, ...] = ()
    blips: tuple[RawBlip, ...] = ()

    def down(self, boundary: Boundary) -> IntervalSet:
        return IntervalSet.of(o.span(boundary) for o in self.outages)


class _Stream:
    """The samples of one journey at one location under one rule, folded as they come."""

    __slots__ = (
        "_blips", "_confirmed", "_count", "_degraded", "_due", "_failures", "_first_bad", "_from", "_held", "_hold",
        "_last_bad", "_last_bad_held", "_last_good", "_measured", "_outages", "_outcome", "_pending", "_rule",
    )  # fmt: skip

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._hold = rule.hold_intervals
        self._due: int | None = None
        self._held = 0  # the last sample speaks until here, unless another one comes
        self._outcome: Outcome = "unknown"
        self._from = 0  # since when that outcome holds without a gap
        self._measured: list[Span] = []
        self._degraded: list[Span] = []
        self._outages: list[RawOutage] = []
        self._blips: list[RawBlip] = []
        self._last_good: int | None = None
        self._confirmed = 0
        self._first_bad: int | None = None  # of the streak of failures that is under way
        self._last_bad = 0
        self._last_bad_held = 0
        self._count = 0
        self._failures: Counter[str] = Counter()
        self._pending: list[RawBlip] = []

    def add(self, sample: SampleIn) -> None:
        due, outcome = sample.due_us, sample.outcome
        if self._due is not None and due <= self._due:
            raise ValueError(f"samples of {sample.journey} do not ascend: {due} comes after {self._due}")
        if outcome != self._outcome or due > self._held:
            self._turn(due, outcome)
        self._due = due
        self._held = due + self._hold * sample.interval_us
        if outcome == "up" or (outcome == "degraded" and not self._rule.degraded_is_down):
            if self._first_bad is not None:
                self._end_streak(first_good=due)
            self._last_good = due
            if sample.attempts > 1:
                self._blips.append(RawBlip(due_us=due, failure=sample.failure))
        elif outcome != "unknown":
            self._fail(sample)

    def add_run(self, run: SampleRun) -> None:
        """As `add` of each of its samples; what takes no step for each is done for all at once."""
        first = run.first
        good = first.outcome == "up" or (first.outcome == "degraded" and not self._rule.degraded_is_down)
        holds = run.step_us <= self._hold * first.interval_us
        if not holds or (good and first.attempts > 1):
            for sample in run.samples():
                self.add(sample)
            return
        self.add(first)
        left, due = run.count - 1, first.due_us
        bad = not good and first.outcome != "unknown"
        while left and bad and self._count < self._rule.confirm_after:
            left, due = left - 1, due + run.step_us
            self.add(replace(first, due_us=due))
        if not left:
            return
        due += left * run.step_us
        self._due, self._held = due, due + self._hold * first.interval_us
        if good:
            self._last_good = due
        elif bad:
            self._last_bad, self._last_bad_held = due, self._held
            self._count += left * (first.attempts if first.outcome == "down" else 1)
            if first.failure:
                self._failures[first.failure] += left

    def _turn(self, due: int, outcome: Outcome) -> None:
        """The state changes, or time passed that nothing speaks for."""
        self._close(min(due, self._held))
        self._outcome, self._from = outcome, due

    def _close(self, end: int) -> None:
        if self._due is None or self._outcome == "unknown" or end <= self._from:
            return
        span = Span(start_us=self._from, end_us=end)
        self._measured.append(span)
        if self._outcome == "degraded" and not self._rule.degraded_is_down:
            self._degraded.append(span)

    def _fail(self, sample: SampleIn) -> None:
        if self._first_bad is None:
            # Dated at the first failure, not at its confirmation: the visitor was already turned away then.
            self._first_bad, self._count = sample.due_us, 0
        self._last_bad, self._last_bad_held = sample.due_us, self._held
        if self._count < self._rule.confirm_after:
            self._confirmed = sample.due_us  # the last of these is the one that made it enough
        self._count += sample.attempts if sample.outcome == "down" else 1
        if sample.failure:
            self._failures[sample.failure] += 1
        if self._count < self._rule.confirm_after:
            self._pending.append(RawBlip(due_us=sample.due_us, failure=sample.failure))

    def _end_streak(self, *, first_good: int | None) -> None:
        assert self._first_bad is not None
        if self._count >= self._rule.confirm_after:
            self._outages.append(
                RawOutage(
                    last_good_us=self._last_good,
                    first_bad_us=self._first_bad,
                    last_bad_us=self._last_bad,
                    first_good_us=first_good,
                    ends_us=self._last_bad_held if first_good is None else first_good,
                    failures=tuple(name for name, _ in self._failures.most_common()),
                    confirmed_us=self._confirmed,
                )
            )
        else:
            self._blips.extend(self._pending)
        self._first_bad = None
        self._pending.clear()
        self._failures.clear()

    def finish(self) -> Track:
        self._close(self._held)
        if self._first_bad is not None:
            self._end_streak(first_good=None)
        return Track(
            measured=IntervalSet.of(self._measured),
            degraded=IntervalSet.of(self._degraded),
            outages=tuple(self._outages),
            blips=tuple(self._blips),
        )


class Folding:
    """Folds samples of many journeys at once.

    Args:
        rules: per journey the rules its clauses ask for.
        timed: (journey, step) pairs whose durations are wanted; None as step is the whole journey.
    """

    def __init__(
        self, *, rules: Mapping[str, Iterable[Rule]], timed: Iterable[tuple[str, str | None]] = (), until_us: int | None
    ) -> None:
        self._rules = {journey: tuple(dict.fromkeys(found)) for journey, found in rules.items()}
        self._streams: dict[tuple[str, str], tuple[_Stream, ...]] = {}
        self._timed: dict[str, list[str | None]] = {}
        for journey, step in dict.fromkeys(timed):
            self._timed.setdefault(journey, []).append(step)
        self._durations: dict[tuple[str, str | None], Durations] = {}
        self._until_us = until_us

    def add(self, measured: Iterable[SampleIn | SampleRun]) -> None:
        timed, until = self._timed, self._until_us
        for given in measured:
            one = given if isinstance(given, SampleIn) else given.first
            found = self._streams.get((one.journey, one.location)) or self._begun(one)
            if not found:
                continue
            if isinstance(given, SampleIn):
                if until is not None and one.due_us > until:
                    continue
                for stream in found:
                    stream.add(given)
                if one.journey in timed and one.outcome in ("up", "degraded"):
                    self._time(given)
                continue
            run = given if until is None else given.until(until)
            if run is None:
                continue
            for stream in found:
                stream.add_run(run)
            if one.journey in timed and one.outcome in ("up", "degraded"):
                self._time_run(run)

    def _begun(self, first: SampleIn) -> tuple[_Stream, ...]:
        """The streams of a journey and location that is met for the first time; none where no rule asks for it."""
        if first.journey not in self._rules:
            return ()
        if first.interval_us <= 0 or first.attempts < 1:
            raise ValueError(f"a sample of {first.journey} has no interval or no attempt")
        found = tuple(_Stream(self._stream_rule(rule)) for rule in self._rules[first.journey])
        self._streams[first.journey, first.location] = found
        return found

    @staticmethod
    def _stream_rule(rule: Rule) -> Rule:
        # A quorum confirms by itself: each location's single failure is a vote.
        return rule if rule.quorum is None else Rule(
            confirm_after=1, hold_intervals=rule.hold_intervals, degraded_is_down=rule.degraded_is_down
        )  # fmt: skip

    def _time(self, sample: SampleIn) -> None:
        for step in self._timed[sample.journey]:
            taken = sample.duration_us if step is None else sample.step_durations.get(step)
            if taken is not None:
                self._durations.setdefault((sample.journey, step), Durations()).add(sample.due_us, taken)

    def _time_run(self, run: SampleRun) -> None:
        if None not in self._timed[run.first.journey] or not run.durations_us:
            return
        self._durations.setdefault((run.first.journey, None), Durations()).add_run(run.dues_us, run.durations_us)

    def durations(self, journey: str, step: str | None) -> Durations:
        return self._durations.get((journey, step), Durations())

    def tracks(self) -> dict[tuple[str, Rule], Track]:
        """Per journey and rule; a journey without any sample is absent. Closes the folding."""
        per_journey: dict[str, list[tuple[_Stream, ...]]] = {}
        for (journey, _), found in sorted(self._streams.items(), key=lambda item: item[0]):
            per_journey.setdefault(journey, []).append(found)
        tracks = {}
        for journey, locations in per_journey.items():
            for i, rule in enumerate(self._rules[journey]):
                tracks[journey, rule] = merged([streams[i].finish() for streams in locations], quorum=rule.quorum)
        return tracks


def track_of_spans(spans: Iterable[SpanIn], rule: Rule, *, until_us: int | None) -> Track:
    """The track of one journey from settled spans; gaps are unmeasured.

    Raises ValueError where two spans overlap or one ends before it begins.
    """
    measured, degraded, outages = [], [], []
    last_good: int | None = None
    streak: list[Span] = []
    before = None
    for given in sorted(spans, key=lambda s: s.start_us):
        if given.end_us <= given.start_us:
            raise ValueError(f"a span of {given.journey} ends before it begins")
        if before is not None and given.start_us < before:
            raise ValueError(f"spans of {given.journey} overlap; every instant has one state")
        before = given.end_us
        end = given.end_us if until_us is None else min(given.end_us, until_us)
        if given.state == "unmeasured" or end <= given.start_us:
            continue
        span = Span(start_us=given.start_us, end_us=end)
        measured.append(span)
        if given.state == "down" or (given.state == "degraded" and rule.degraded_is_down):
            streak.append(span)
            continue
        if streak:
            outages.append(_outage(streak, last_good, span.start_us))
            streak = []
        if given.state == "degraded":
            degraded.append(span)
        last_good = span.end_us
    if streak:
        outages.append(_outage(streak, last_good, None))
    return Track(measured=IntervalSet.of(measured), degraded=IntervalSet.of(degraded), outages=tuple(outages))


def _outage(streak: Sequence[Span], last_good: int | None, first_good: int | None) -> RawOutage:
    last_bad = streak[-1].end_us
    return RawOutage(
        last_good_us=last_good,
        first_bad_us=streak[0].start_us,
        last_bad_us=last_bad,
        first_good_us=first_good,
        ends_us=last_bad if first_good is None else first_good,
    )


def at_least(sets: Sequence[IntervalSet], count: int) -> IntervalSet:
    """Where at least `count` of the sets hold."""
    edges = sorted(edge for s in sets for span in s.spans for edge in ((span.start_us, 1), (span.end_us, -1)))
    found, held, start = [], 0, 0
    for at, change in edges:
        if held < count <= held + change:
            start = at
        elif held + change < count <= held:
            found.append(Span(start_us=start, end_us=at))
        held += change
    return IntervalSet.of(found)


def union(sets: Iterable[IntervalSet]) -> IntervalSet:
    return IntervalSet.of(span for s in sets for span in s.spans)


def merged(tracks: Sequence[Track], *, quorum: int | None) -> Track:
    """What several locations know together.

    Without a quorum a journey is down where every location that measured says so: one that still gets through proves
    that it works. With one, so many fresh votes make it down; fewer, with nobody who got through, decide nothing, so
    that time is unmeasured. No fresh vote at all is never agreement.
    """
    if len(tracks) == 1 and quorum is None:
        return tracks[0]
    votes = {b: [t.down(b) & t.measured for t in tracks] for b in ("observed", "certain", "widest")}

    def down(boundary: Boundary) -> IntervalSet:
        bad = votes[boundary]
        if quorum is not None:
            return at_least(bad, quorum)
        return union(bad) - union(t.measured - b for t, b in zip(tracks, bad, strict=True))

    observed, certain, widest = down("observed"), down("certain"), down("widest")
    good = union(t.measured - b for t, b in zip(tracks, votes["observed"], strict=True))
    lone = union(votes["observed"]) - observed - good
    measured = union(t.measured for t in tracks) - lone
    well = union(t.measured - b - t.degraded for t, b in zip(tracks, votes["observed"], strict=True))
    return Track(
        measured=measured,
        degraded=union(t.degraded for t in tracks) - well - observed,
        outages=_joint_outages(observed, certain, widest, measured, tracks),
        blips=tuple(sorted((b for t in tracks for b in t.blips), key=lambda b: b.due_us)),
    )


def _joint_outages(
    observed: IntervalSet, certain: IntervalSet, widest: IntervalSet, measured: IntervalSet, tracks: Sequence[Track]
) -> tuple[RawOutage, ...]:
    """Stretches of joint downtime; those with nothing but unmeasured time between them are one outage."""
    good = measured - observed
    stretches: list[list[Span]] = []
    for span in observed.spans:
        if stretches:
            between = IntervalSet.of((Span(start_us=stretches[-1][-1].end_us, end_us=span.start_us),))
            if not between & good:
                stretches[-1].append(span)
                continue
        stretches.append([span])
    found = []
    for stretch in stretches:
        start, end = stretch[0].start_us, stretch[-1].end_us
        whole = IntervalSet.of((Span(start_us=start, end_us=end),))
        sure = (certain & whole).spans
        earlier = [s.start_us for s in widest.spans if s.start_us < start <= s.end_us]
        before = [s.end_us for s in good.spans if s.end_us <= start]
        after = [s.start_us for s in good.spans if s.start_us >= end]
        failures = Counter(
            f for t in tracks for o in t.outages if o.first_bad_us < end and o.ends_us > start for f in o.failures
        )
        found.append(
            RawOutage(
                last_good_us=earlier[0] if earlier else (before[-1] if before else None),
                first_bad_us=start,
                last_bad_us=sure[-1].end_us if sure else start,
                first_good_us=after[0] if after else None,
                ends_us=end,
                failures=tuple(name for name, _ in failures.most_common()),
                # Of the locations whose votes made it an outage, the last one to be sure of it.
                confirmed_us=max(
                    (o.known_from_us for t in tracks for o in t.outages if o.first_bad_us <= start < o.ends_us),
                    default=start,
                ),
            )
        )
    return tuple(found)
