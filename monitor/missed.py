"""Slots that were due and of which nothing was found, and why: an agreement may not count them for anything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from monitor.store.events import Event

#: The kind of the event that tells them.
MISSED = "missed-slots"


class Cause(StrEnum):
    """Why slots were not run, or what they found is not there."""

    BUSY = "busy"  # the run before was still under way
    CLOCK_JUMP = "clock-jump"  # the wall clock leapt forward, or the machine slept
    LATE = "late"  # the process was stopped or starved
    OFF = "off"  # the monitor was not running, or stopped during the run; told by the next start
    ERROR = "error"  # the run raised: a bug of ours
    STOP_FILE = "stop-file"  # the stop file is there: nothing leaves
    PAUSED = "paused"  # somebody paused the check, and said why
    CREATION_BUDGET = "creation-budget"  # the journey made as much in 24 hours as it may
    SEALED = "sealed"  # they were run, and found what the store took only when their day had been sealed
    LOGIN_PAUSED = "login-paused"  # an account it logs in with was refused too often


@dataclass(frozen=True, slots=True, kw_only=True)
class MissedSlots:
    """Slots of one check that were due and not run: `count` of them in [from_us, until_us), the first at `from_us`."""

    check_id: str
    from_us: int
    until_us: int
    count: int
    cause: Cause

    def event(self, location: str, *, now_us: int) -> Event:
        """What is written down about them."""
        data = {
            "from_us": self.from_us,
            "until_us": self.until_us,
            "count": self.count,
            "cause": self.cause.value,
            "location": location,
        }
        return Event(at_us=now_us, kind=MISSED, check_id=self.check_id, data=data)


def untold(missed: MissedSlots, told: Iterable[tuple[int, int]]) -> Iterator[MissedSlots]:
    """The slots among these that were not told before: a process may tell some and end before it stores what ran.

    Args:
        told: half-open spans of slots of this check that were told as missed already.
    """
    every_us = (missed.until_us - missed.from_us) // missed.count
    known = {slot for since, until in told for slot in range(since, until, every_us)}
    slots = [slot for slot in range(missed.from_us, missed.until_us, every_us) if slot not in known]
    while slots:
        length = next((n for n in range(1, len(slots)) if slots[n] != slots[0] + n * every_us), len(slots))
        yield replace(missed, from_us=slots[0], until_us=slots[0] + length * every_us, count=length)
        slots = slots[length:]
