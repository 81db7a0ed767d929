"""The only place that asks what time it is, and the only source of ids: simulated time replaces both."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

#: Wall clock: microseconds since the epoch, UTC.
Now = Callable[[], int]


#: A sample may lie so far ahead of the clock before one of the two is wrong.
AHEAD_US = 60_000_000


def wall_us() -> int:
    """Microseconds since the epoch, UTC, by the machine's clock."""
    return time.time_ns() // 1000


def monotonic_us() -> int:
    """Microseconds on a clock that never steps; only differences mean something."""
    return time.monotonic_ns() // 1000


def new_id() -> str:
    """Sixteen random hexadecimal digits."""
    return secrets.token_hex(8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Time and ids as one value, so that a simulation replaces them together."""

    now_us: Now = wall_us
    monotonic_us: Now = monotonic_us
    new_id: Callable[[], str] = new_id


LIVE = Clock()
