"""Work that goes on beside the measuring, again and again, whatever becomes of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import NoReturn

from monitor.observer import Observer
from monitor.store.database import StoreError

log = logging.getLogger(__name__)


async def repeat(seconds: float, work: Callable[[], Awaitable[None]], observer: Observer) -> NoReturn:
    """Do it now, and again so long after it ended; a failure is told and does not end it."""
    while True:
        try:
            await work()
        except StoreError as error:
            observer.store_failed()
            log.warning("the store is not available", extra={"error": str(error)})
        except Exception:
            log.exception("background work failed")
        await asyncio.sleep(seconds)
