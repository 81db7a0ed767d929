"""Percentiles of durations, exact: the nearest rank, never an interpolation."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction
from math import ceil

from sla.assessment import ResponseTimes


def nearest_rank(ascending: Sequence[int], percentile: Fraction) -> int | None:
    """The smallest value that at least `percentile` percent do not exceed; None of nothing.

    Args:
        percentile: above 0, at most 100.
    """
    if not ascending:
        return None
    return ascending[ceil(percentile * len(ascending) / 100) - 1]


def response_times(durations: Sequence[int], *, percentile: Fraction, limit_us: int) -> ResponseTimes:
    """Durations in microseconds, in any order, against a limit."""
    ascending = sorted(durations)
    count = len(ascending)
    return ResponseTimes(
        count=count,
        percentile_us=nearest_rank(ascending, percentile),
        limit_us=limit_us,
        within=Fraction(bisect_right(ascending, limit_us), count) if count else None,
    )
