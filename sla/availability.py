"""Availability as exact ratios with its bounds, and what verdict they allow."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from sla.assessment import Availability, Totals, Verdict

NONE = Availability(lowest=None, point=None, highest=None)


def availability(totals: Totals) -> Availability:
    """(up + degraded) / (up + degraded + down), and its bounds if unmeasured time had been down, or up.

    Each None where nothing was measured: such a period has no availability, neither 0 nor 1.
    """
    good = totals.up_us + totals.degraded_us
    measured = good + totals.down_us
    if not measured:
        return NONE
    known = measured + totals.unmeasured_us
    return Availability(
        lowest=Fraction(good, known),
        point=Fraction(good, measured),
        highest=Fraction(good + totals.unmeasured_us, known),
    )


def of_service_time(totals: Totals) -> Availability:
    """(service time - down) / service time: excluded and unmeasured time count as up, so there is nothing to bound."""
    if not totals.up_us + totals.degraded_us + totals.down_us:
        return NONE
    ratio = Fraction(totals.service_us - totals.down_us, totals.service_us)
    return Availability(lowest=ratio, point=ratio, highest=ratio)


def weighted(each: Iterable[tuple[int, Availability, Totals]]) -> Availability:
    """The weighted mean; a journey without measured time widens it from 0 to 1, one wholly excluded does not count."""
    lowest = highest = point = Fraction(0)
    weights = measured = 0
    for weight, found, totals in each:
        if found.lowest is not None and found.point is not None and found.highest is not None:
            measured += weight
            point += weight * found.point
            lowest += weight * found.lowest
            highest += weight * found.highest
        elif totals.unmeasured_us:
            highest += weight
        else:
            continue
        weights += weight
    if not measured:
        return NONE
    return Availability(lowest=lowest / weights, point=point / measured, highest=highest / weights)


def verdict(found: Availability, target: Fraction) -> Verdict:
    """Met if even the lowest reaches the target, missed if not even the highest does. Compared before any rounding."""
    if found.lowest is None or found.highest is None:
        return Verdict.UNDECIDED
    if found.lowest >= target:
        return Verdict.MET
    return Verdict.MISSED if found.highest < target else Verdict.UNDECIDED
