"""Attempts that are under way: one at a time in each lane, so that one that hangs keeps only its own lane waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


class InHand:
    """The attempts of one loop. Whoever begins them sees them to their end."""

    def __init__(self) -> None:
        self._under_way: dict[str, asyncio.Task[None]] = {}

    @property
    def lanes(self) -> frozenset[str]:
        """Those in which something is under way, or has ended and was not looked at yet."""
        return frozenset(self._under_way)

    def begin(self, lane: str, attempt: Coroutine[Any, Any, None]) -> None:
        """Nothing may be under way in this lane."""
        assert lane not in self._under_way
        self._under_way[lane] = asyncio.ensure_future(attempt)

    def ended(self) -> list[BaseException]:
        """Frees the lanes of what has ended; what was raised there."""
        over = {lane: task for lane, task in self._under_way.items() if task.done()}
        self._under_way = {lane: task for lane, task in self._under_way.items() if lane not in over}
        raised = (task.exception() for task in over.values() if not task.cancelled())
        return [error for error in raised if error is not None]

    async def change(self, wake: asyncio.Event | None = None, *, within_us: int | None = None) -> None:
        """Return when something ended, when `wake` is set, or after `within_us`."""
        waker = asyncio.ensure_future(wake.wait()) if wake is not None else None
        awaited: set[asyncio.Future[Any]] = {*self._under_way.values()} | ({waker} if waker is not None else set())
        try:
            timeout = None if within_us is None else within_us / 1_000_000
            await asyncio.wait(awaited, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if waker is not None:
                waker.cancel()

    async def to_their_end(self, within_us: int) -> None:
        """Wait a while for what is under way: the other side may have taken what is not marked yet, and would get it
        twice. What takes longer is cancelled."""
        tasks = tuple(self._under_way.values())
        if not tasks:
            return
        await asyncio.wait(tasks, timeout=within_us / 1_000_000)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
