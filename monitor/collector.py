"""Python's garbage collector, told what need not be looked through again and again."""

from __future__ import annotations

import gc

#: So many objects more than were freed, and the youngest are looked at. What a run makes is mostly freed by counting.
_YOUNGEST = 10_000


def spare_what_stands() -> None:
    """Take all that lives now for lasting: modules, configuration, schedule.

    Looking through it costs tens of milliseconds each time, and the event loop waits meanwhile. What stood before is
    looked through once more, so that a replaced configuration is freed.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNGEST, *gc.get_threshold()[1:])
