"""The sign of life to a service elsewhere, which raises the alarm where it stays away: who watches the watcher (T31).

Only a schedule that moves on gives one. A process that hangs sends nothing; one that still runs but measures nothing,
or whose store takes nothing, says so. A service that cannot be reached is counted and logged, and hinders nobody.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

from monitor import outbound
from monitor.clock import Clock
from monitor.outward_settings import HeartbeatSettings, filled, shown

log = logging.getLogger(__name__)

_SECOND_US = 1_000_000


class Counts(Protocol):
    """What of `monitor.metrics.Metrics` is needed here."""

    def set(self, name: str, value: float, *labels: str) -> None: ...
    def add(self, name: str, amount: float, *labels: str) -> None: ...


class Heartbeat:
    """Sends a sign of life whenever one is due; call `beat` more often than that.

    Args:
        problems: why all is not well, asked each time; empty where the schedule moves and the store takes what it is
            given.
    """

    def __init__(self, *, problems: Callable[[], tuple[str, ...]], clock: Clock, metrics: Counts) -> None:
        self._problems = problems
        self._clock = clock
        self._metrics = metrics
        self._due_us: int | None = None  # monotonic
        self._lost = False

    async def beat(self, settings: HeartbeatSettings | None, secrets: Mapping[str, str]) -> None:
        """Send one, if one is due. Never raises for what the other side does."""
        now_us = self._clock.monotonic_us()
        if settings is None or (self._due_us is not None and now_us < self._due_us):
            return
        self._due_us = now_us + settings.every
        problems = self._problems()
        if problems and not settings.tell_failure:
            log.warning("no sign of life is sent", extra={"problems": "; ".join(problems)})
            return
        signal = "failing" if problems else "alive"
        url = filled(settings.url, secrets)
        error = await self._send(_failing(url) if problems else url, "; ".join(problems), settings)
        self._metrics.add("monitor_heartbeats_total", 1, signal, "failed" if error else "ok")
        if error:
            log.warning("the sign of life did not arrive", extra={"signal": signal, "error": error})
        else:
            self._metrics.set("monitor_heartbeat_last_ok_timestamp_seconds", self._clock.now_us() / _SECOND_US)
            if self._lost:
                log.info("the sign of life arrives again")
        self._lost = error != ""

    async def _send(self, url: str, text: str, settings: HeartbeatSettings) -> str:
        """Why it did not arrive; empty where it did."""
        called = shown(settings.url)
        try:
            answer = await outbound.post(
                url,
                text.encode() if settings.method == "POST" else b"",
                headers={"Content-Type": "text/plain; charset=utf-8", "User-Agent": "Loketwacht"},
                timeout_us=settings.timeout,
                method=settings.method,
                called=called,
            )
        except outbound.OutboundError as error:
            return str(error)
        return "" if 200 <= answer.status < 300 else f"{called} answered with status {answer.status}"


def _failing(url: str) -> str:
    """The address that takes the bad news: `/fail` behind the path."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=parts.path.rstrip("/") + "/fail"))
