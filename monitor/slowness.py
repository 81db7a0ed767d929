"""A check that works, but stays slower than its soft limits: told once, and once more when it is fast again.

Pure. While an incident of the check is open nothing moves: the incident is the news, and counting begins anew after it.
A run that could not be measured says nothing. A single failed run is neither slow nor fast: it breaks a row, and counts
against either among several.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pydantic import TypeAdapter

from monitor.incidents import IncidentRule
from probes.sample import Failure, FailureKind, Outcome, Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Slowness:
    """What is remembered of one check.

    Attributes:
        since_us: it is slow since this slot; None: it is not.
        failure: the soft limit that was passed when that was found out.
        told: whether its beginning was queued; maintenance puts it off.
        marks: the latest slots, and whether each was as it must be for a change: degraded while the check is fast, up
            while it is slow. The first is always so.
    """

    since_us: int | None = None
    failure: Failure | None = None
    told: bool = False
    marks: tuple[tuple[int, bool], ...] = ()


SWIFT = Slowness()
SLOWNESS: TypeAdapter[Slowness] = TypeAdapter(Slowness)


@dataclass(frozen=True, slots=True, kw_only=True)
class FastAgain:
    """It was slow from `since_us` until the slot `until_us`, the first of those that were fast."""

    since_us: int
    until_us: int
    failure: Failure
    told: bool


def among(rule: IncidentRule) -> int:
    """How many of the latest samples are looked at."""
    return rule.degraded_among or rule.degraded_after


def advance(
    state: Slowness, sample: Sample, rule: IncidentRule, *, interval_us: int, incident: bool
) -> tuple[Slowness, FastAgain | None]:
    """What one more sample makes of it, and whether that ends it.

    Args:
        incident: whether an incident of the check is open after this sample.
    """
    if not rule.degraded_after:
        # Whoever was told of it is told that nobody looks any longer, by `monitor.abandoning`.
        return (replace(state, marks=()) if state.told else SWIFT), None
    if incident:
        return replace(state, marks=()), None
    if sample.outcome is Outcome.UNKNOWN:
        return state, None
    marks, forget_us = state.marks, max(rule.forget_after, 3 * interval_us)
    if marks and sample.slot_us - marks[-1][0] > forget_us:
        marks = ()  # nobody looked in between
    wanted = Outcome.DEGRADED if state.since_us is None else Outcome.UP
    marks = _from_the_first((*marks, (sample.slot_us, sample.outcome is wanted))[-among(rule) :])
    if sum(right for _, right in marks) < rule.degraded_after:
        return replace(state, marks=marks), None
    at_us = min(slot_us for slot_us, _ in marks)
    if state.since_us is None:
        return Slowness(since_us=at_us, failure=sample.failure or Failure(kind=FailureKind.SLOW)), None
    over = FastAgain(
        since_us=state.since_us,
        until_us=max(at_us, state.since_us),  # the clock may have been set back
        failure=state.failure or Failure(kind=FailureKind.SLOW),
        told=state.told,
    )
    return SWIFT, over


def _from_the_first(marks: tuple[tuple[int, bool], ...]) -> tuple[tuple[int, bool], ...]:
    """Without what stands before the first right one: so a check that is as ever leaves nothing to be written."""
    return next((marks[index:] for index, (_, right) in enumerate(marks) if right), ())
