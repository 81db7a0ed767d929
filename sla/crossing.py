"""The instant at which something that grows with an outage passes a limit, exact to the microsecond."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sla.intervals import IntervalSet, Span

FOR_EVER_US = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What is judged together, and at which instants.

    Attributes:
        window: the time that counts.
        instants: until which it may be judged as far as it has gone; the instant of its end included.
    """

    window: Span
    instants: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """Time that counts towards a limit, and what each of its microseconds weighs; above 0."""

    weight: int
    time: IntervalSet


def weighed(terms: Iterable[Term], start_us: int, end_us: int) -> int:
    """What lies between two instants, each microsecond by its weight."""
    return sum(term.weight * within(term.time, start_us, end_us) for term in terms)


def first_beyond(terms: Sequence[Term], limit: int, frame: Frame, since_us: int) -> int | None:
    """The first instant of a frame, from one on, until which more than the limit lies in its window; None: never."""
    start_us, end_us = max(since_us, frame.instants.start_us), frame.instants.end_us
    if start_us >= end_us:
        return None
    value = weighed(terms, frame.window.start_us, start_us)
    if value > limit:
        return start_us
    edges = {start_us, end_us}
    for term in terms:
        for span in term.time.meeting(start_us, end_us):
            edges |= {max(span.start_us, start_us), min(span.end_us, end_us)}
    for from_us, until_us in pairwise(sorted(edges)):
        rate = sum(term.weight for term in terms if term.time.meeting(from_us, from_us + 1))
        if value + rate * (until_us - from_us) > limit:
            found_us = from_us + (limit - value) // rate + 1
            return found_us if found_us < end_us else None
        value += rate * (until_us - from_us)
    return None


def within(time: IntervalSet, start_us: int, end_us: int) -> int:
    """How much of a set lies between two instants."""
    return sum(min(s.end_us, end_us) - max(s.start_us, start_us) for s in time.meeting(start_us, end_us))


def before(time: IntervalSet, at_us: int) -> IntervalSet:
    return time & IntervalSet((Span(start_us=-FOR_EVER_US, end_us=at_us),)) if time else time


def onwards(at_us: int) -> IntervalSet:
    """All time from an instant on."""
    return IntervalSet.of((Span(start_us=at_us, end_us=FOR_EVER_US),))
