"""What would be known of a journey if a stretch of it had been otherwise: for claims that are weighed, never stored."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass

from sla.intervals import IntervalSet, Span
from sla.measurements import RawOutage, Rule, State, Track


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A stretch of one journey and the state it is supposed to have been in.

    Attributes:
        span: its edges are settled: all three boundaries of an outage lie on them.
        measured_only: unmeasured time inside the span stays unmeasured, as it does inside an outage.
    """

    journey: str
    span: Span
    state: State
    measured_only: bool = False


def corrected(track: Track, corrections: Iterable[Correction], rule: Rule) -> Track:
    """The track with the corrections laid over it in their order; a later one covers an earlier one."""
    for correction in corrections:
        track = _laid_over(track, correction, rule)
    return track


def _laid_over(track: Track, correction: Correction, rule: Rule) -> Track:
    here = IntervalSet.of((correction.span,))
    if correction.state == "unmeasured":
        # Outages run on over it, as they do over time that nothing speaks for.
        return dataclasses.replace(track, measured=track.measured - here, degraded=track.degraded - here)
    degraded = correction.state == "degraded" and not rule.degraded_is_down
    measured = track.measured if correction.measured_only else track.measured | here
    if correction.state == "up" or degraded:
        outages = tuple(part for o in track.outages for part in _without(o, correction.span))
    else:
        outages = _with(track.outages, correction.span)
    return dataclasses.replace(
        track,
        measured=measured,
        degraded=(track.degraded - here) | (here & measured) if degraded else track.degraded - here,
        outages=outages,
    )


def _without(outage: RawOutage, good: Span) -> list[RawOutage]:
    """What is left of an outage where a stretch of it was good."""
    start = outage.first_bad_us if outage.last_good_us is None else outage.last_good_us
    if good.end_us <= start or good.start_us >= max(outage.ends_us, outage.first_bad_us + 1):
        return [outage]
    left = []
    if outage.first_bad_us < good.start_us:
        last_bad = min(outage.last_bad_us, good.start_us)
        left.append(
            dataclasses.replace(outage, last_bad_us=last_bad, first_good_us=good.start_us, ends_us=good.start_us)
        )
    if good.end_us < outage.ends_us:
        first_bad = max(outage.first_bad_us, good.end_us)
        last_bad = max(outage.last_bad_us, first_bad)
        left.append(dataclasses.replace(outage, last_good_us=good.end_us, first_bad_us=first_bad, last_bad_us=last_bad))
    return left


def _with(outages: Iterable[RawOutage], bad: Span) -> tuple[RawOutage, ...]:
    """The outages with one more; those it overlaps or touches become one with it."""
    kept: list[RawOutage] = []
    joined = RawOutage(
        last_good_us=bad.start_us,
        first_bad_us=bad.start_us,
        last_bad_us=bad.end_us,
        first_good_us=bad.end_us,
        ends_us=bad.end_us,
    )
    for outage in outages:
        if outage.ends_us < bad.start_us or outage.first_bad_us > bad.end_us:
            kept.append(outage)
            continue
        first = min(outage, joined, key=lambda o: o.first_bad_us)
        last = max(outage, joined, key=lambda o: o.ends_us)
        joined = RawOutage(
            last_good_us=first.last_good_us,
            first_bad_us=first.first_bad_us,
            last_bad_us=max(outage.last_bad_us, joined.last_bad_us),
            first_good_us=last.first_good_us,
            ends_us=last.ends_us,
            failures=(*joined.failures, *(f for f in outage.failures if f not in joined.failures)),
            confirmed_us=first.confirmed_us,
        )
    return tuple(sorted([*kept, joined], key=lambda o: o.first_bad_us))
