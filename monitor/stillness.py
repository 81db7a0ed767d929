"""Checks of which nothing is heard any more, though the service runs: a run that hangs, a defect, a starved machine."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.clock import Clock
from probes.checks import Check

#: A check is still when nothing was heard of it for so many of its intervals, and one deadline more.
INTERVALS = 3


class Stillness:
    """Remembers when each check was last heard of; by the monotonic clock, so that a clock that is set says nothing."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heard_us: dict[str, int] = {}

    def heard(self, check_id: str) -> None:
        """It was measured, or rests on purpose."""
        self._heard_us[check_id] = self._clock.monotonic_us()

    def still(self, checks: Sequence[Check]) -> tuple[Check, ...]:
        """Those that are still now. One that is new counts from when it is first asked for; others are forgotten."""
        now_us = self._clock.monotonic_us()
        self._heard_us = {check.id: self._heard_us.get(check.id, now_us) for check in checks}
        return tuple(
            check for check in checks if now_us - self._heard_us[check.id] > INTERVALS * check.interval + check.deadline
        )
