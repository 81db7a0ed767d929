"""On which days a failure went on beyond what a clause allows, for sanctions that count days."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sla.intervals import IntervalSet, Span
from sla.period import local_days


def after(spans: IntervalSet, allowed_us: int) -> IntervalSet:
    """What is left of a set once so much of it has passed, in the order of time."""
    left = allowed_us
    found: list[Span] = []
    for span in spans.spans:
        taken = min(left, span.length_us)
        left -= taken
        found.append(Span(start_us=span.start_us + taken, end_us=span.end_us))
    return IntervalSet.of(found)


def days_of(failures: Iterable[IntervalSet], timezone: str) -> tuple[tuple[date, ...], ...]:
    """Per failure the local dates on which at least an instant of it lies; failures without any time are left out."""
    return tuple(
        tuple(sorted({day for span in failure.spans for day in local_days(span, timezone)}))
        for failure in failures
        if failure
    )
