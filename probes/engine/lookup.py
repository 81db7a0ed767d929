"""The system's resolver, asked on threads of our own.

An event loop asks it on very few: where name servers are silent, each lookup waits for many seconds, and whoever asks
for another name would wait behind them.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

_Work = Callable[[], None]


class Lookups:
    """Asks for so many names at once. Its threads end with the process and hold it up by nothing: a lookup cannot be
    broken off.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._threads = self._in_hand = 0
        self._lock = threading.Lock()
        self._waiting: SimpleQueue[_Work] = SimpleQueue()

    async def addresses(
        self, name: str, port: int | None, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[tuple[Any, ...]]:
        """As `socket.getaddrinfo` answers for a stream, and raises."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[tuple[Any, ...]]] = loop.create_future()

        def settle(found: list[tuple[Any, ...]] | Exception) -> None:
            if answer.done():
                return
            if isinstance(found, Exception):
                answer.set_exception(found)
            else:
                answer.set_result(found)

        def work() -> None:
            found: list[tuple[Any, ...]] | Exception
            try:
                found = list(socket.getaddrinfo(name, port, family=family, type=socket.SOCK_STREAM))
            except Exception as error:
                found = error
            with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile; nobody waits any more
                loop.call_soon_threadsafe(settle, found)

        self._begin(work)
        return await answer

    def _begin(self, work: _Work) -> None:
        with self._lock:
            self._in_hand += 1
            if self._in_hand > self._threads and self._threads < self._most:
                self._threads += 1
                threading.Thread(target=self._serve, daemon=True, name="lookup").start()
        self._waiting.put(work)

    def _serve(self) -> None:
        while True:
            self._waiting.get()()
            with self._lock:
                self._in_hand -= 1


#: For what is measured; and for what we ask about ourselves, which must not wait behind it.
PORTAL, OURS = Lookups(64), Lookups(8)
