"""Being a good guest: how many of our runs a host has at once, how fast requests follow, and when it is left alone.

What is waited here is our own doing: it is no part of any step's time, deadline or duration.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from probes.fault import Fault
from probes.sample import FailureKind

#: Answers that may ask us to come back later: RFC 9110, 10.2.3 and RFC 6585, 4.
MAY_ASK_FOR_LATER = frozenset({429, 503})

_MINUTE_US = 60_000_000
_LONGEST_WAIT_US = 30_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def retry_after_us(text: str, now_us: int) -> int | None:
    """How long from now a `Retry-After` asks us to stay away (RFC 9110, 10.2.3): seconds or an HTTP date, never
    negative; None where it says nothing that can be read.
    """
    text = text.strip()
    if text.isascii() and text.isdigit():
        return int(text[:12]) * 1_000_000
    try:
        at = parsedate_to_datetime(text)
        at_us = (at.replace(tzinfo=at.tzinfo or UTC) - _EPOCH) // timedelta(microseconds=1)
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0, at_us - now_us)


class Guest:
    """Keeps order among all runs of one configuration.

    Args:
        most_at_once: runs that may be at one host at the same moment; None sets no limit.
        most_a_minute: requests to one host, evenly spread; None sets no limit. Redirects follow at once, and are
            made up for before the next step.
        longest_back_off_us: a `Retry-After` beyond this counts as this.
    """

    def __init__(
        self,
        *,
        most_at_once: int | None = None,
        most_a_minute: int | None = None,
        longest_back_off_us: int = 5 * _MINUTE_US,
    ) -> None:
        self._most_at_once = most_at_once
        self._gap_us = _MINUTE_US // most_a_minute if most_a_minute else 0
        self._longest_us = longest_back_off_us
        self._places: dict[str, asyncio.Semaphore] = {}
        self._free_us: dict[str, int] = {}
        self._away: dict[str, int] = {}
        self._spared: dict[str, int] = {}

    @property
    def patience_us(self) -> int:
        """How long one step may wait for its turn."""
        return _LONGEST_WAIT_US if self._gap_us else 0

    def go_on_from(self, before: Guest) -> None:
        """What hosts asked of us stays true under another configuration."""
        self._free_us, self._away, self._spared = before._free_us, before._away, before._spared

    @asynccontextmanager
    async def place(self, host: str) -> AsyncIterator[None]:
        """A place at a host, for a whole run; waits for it."""
        if self._most_at_once is None:
            yield
            return
        async with self._places.setdefault(host, asyncio.Semaphore(self._most_at_once)):
            yield

    async def turn(self, host: str, monotonic_us: Callable[[], int]) -> int:
        """Waits until a request may leave; how long that took.

        Raises:
            Fault: rate-limited, where the host asked to be left alone; monitor, where no turn comes within 30 s.
        """
        now_us = monotonic_us()
        away_us = self._away.get(host, now_us) - now_us
        if away_us > 0:
            left = -(-away_us // 1_000_000)
            raise Fault(
                FailureKind.RATE_LIMITED, "Retry-After", expected="a host that may be asked", found=f"{left} s left"
            )
        if not self._gap_us:
            return 0
        at_us = max(now_us, self._free_us.get(host, now_us))
        if at_us - now_us > _LONGEST_WAIT_US:
            raise Fault(FailureKind.MONITOR, "max_rate", expected="a turn within 30 s", found="none")
        self._free_us[host] = at_us + self._gap_us
        if at_us > now_us:
            await asyncio.sleep((at_us - now_us) / 1_000_000)
        return monotonic_us() - now_us

    def more(self, host: str, requests: int, monotonic_us: Callable[[], int]) -> None:
        """So many requests followed beyond the one that had its turn."""
        if self._gap_us and requests > 0:
            self._free_us[host] = max(self._free_us.get(host, 0), monotonic_us()) + requests * self._gap_us

    def answered(
        self, hosts: frozenset[str], check_id: str, status: int, retry_after: str, now_us: int, monotonic_us: int
    ) -> bool:
        """Takes in an answer. True where it asks us to come back later: 429 or 503 with `Retry-After`.

        After 429 the hosts are not asked until then. After 503 the check's slots go on, or a portal could end its own
        outage by the header; only a second run at once is spared it.
        """
        if status not in MAY_ASK_FOR_LATER or (asked_us := retry_after_us(retry_after, now_us)) is None:
            return False
        until_us = monotonic_us + min(asked_us, self._longest_us)
        if status == 429:
            for host in hosts:
                self._away[host] = max(self._away.get(host, 0), until_us)
        else:
            self._spared[check_id] = until_us
        return True

    def spares(self, check_id: str, monotonic_us: int) -> bool:
        """Whether the portal asked not to be asked again at once: then no second run confirms a failure."""
        return self._spared.get(check_id, monotonic_us) > monotonic_us
