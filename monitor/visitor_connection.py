"""One connection of somebody who reads our pages or metrics: nobody keeps it for longer than it is used.

uvicorn closes a connection that was used once and then is quiet; not one on which nothing was ever asked, nor one whose
request comes a byte at a time, nor one whose reader takes nothing. Each holds a file descriptor of the monitor's.
"""

from __future__ import annotations

import asyncio
import enum
from dataclasses import dataclass
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

#: Bytes of a request's head; browsers send a few kilobytes.
_LONGEST_HEAD = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long a connection may be kept.

    Attributes:
        asking_us: from its beginning, or from the first byte of a further request, until a request is there whole.
        quiet_us: after an answer, until the next request begins; longer than reverse proxies keep theirs, which then do
            not send a request into a connection that closes. So long, too, the reader may take nothing of an answer.
    """

    asking_us: int = 15_000_000
    quiet_us: int = 75_000_000


USUAL = Limits()


class _State(enum.Enum):
    ASKING = enum.auto()
    ANSWERED = enum.auto()  # or about to be
    QUIET = enum.auto()


class VisitorConnection(HttpToolsProtocol):
    """uvicorn's, with limits; a subclass may have others."""

    limits = USUAL

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._state = _State.ASKING
        self._timer: asyncio.TimerHandle | None = None
        self._asked_bytes = 0
        self._unsent = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._enter(_State.ASKING)

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        before = self.cycle
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self.cycle is before and (before is None or before.response_complete):
            self._asked_bytes += len(data)
            if self._asked_bytes > _LONGEST_HEAD:
                self.transport.abort()
            elif self._state is not _State.ASKING:
                self._enter(_State.ASKING)
        elif not self.cycle.more_body:
            self._enter(_State.ANSWERED)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.cycle is None or self.cycle.response_complete:  # otherwise another request came behind it
            self._enter(_State.QUIET)

    def _enter(self, state: _State) -> None:
        self._state = state
        self._asked_bytes = self._unsent = 0
        self._arm()

    def _arm(self) -> None:
        self._disarm()
        most_us = self.limits.asking_us if self._state is _State.ASKING else self.limits.quiet_us
        self._timer = self.loop.call_later(most_us / 1_000_000, self._too_long)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_long(self) -> None:
        unsent = self.transport.get_write_buffer_size()
        reads_on = unsent > 0 and (self._unsent == 0 or unsent < self._unsent)
        at_work = self._state is _State.ANSWERED and unsent == 0
        self._unsent = unsent
        if self._state is not _State.ASKING and (reads_on or at_work):
            self._arm()
        elif unsent:
            self.transport.abort()  # closing it would wait for a reader who takes nothing
        else:
            self.transport.close()
