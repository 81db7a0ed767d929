"""How long an outage may have been at most: stretches of service time in which nothing good was measured."""

from __future__ import annotations

from sla.time_classes import Classes


def possible_outages(found: Classes) -> tuple[int, ...]:
    """Lengths of the stretches of down or unmeasured time that no good moment interrupts.

    Time outside the window and excluded time neither interrupts nor adds.
    """
    marks = [(s.start_us, True, s.length_us) for s in (found.down | found.unmeasured).spans]
    marks += [(s.start_us, False, 0) for s in found.good.spans]
    runs: list[int] = []
    under_way = False
    for _, bad, taken in sorted(marks):
        if bad and under_way:
            runs[-1] += taken
        elif bad:
            runs.append(taken)
        under_way = bad
    return tuple(runs)
