"""The store's file read through once a day while it is in use: damage is known while there still are good backups."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from monitor.clock import Clock
from monitor.config import Loaded
from monitor.metrics import Metrics
from monitor.news import Trouble
from monitor.own_troubles import tell_over, tell_trouble
from monitor.store.database import Database, InStore, StoreError
from monitor.store.files import file_of
from monitor.store.soundness import read_through

log = logging.getLogger(__name__)

_SECOND_US = 1_000_000
EVERY_US = 86_400 * _SECOND_US


@dataclass(slots=True, kw_only=True)
class Inspection:
    """`look` may be called as often as one likes; whether it is due it finds out itself.

    Attributes:
        loaded: the configuration in force.
        wake: called when mail was queued.
    """

    loaded: Callable[[], Loaded]
    database: Database
    in_store: InStore
    clock: Clock
    metrics: Metrics
    wake: Callable[[], None]
    _looked_us: int | None = field(default=None, init=False)  # monotonic

    async def look(self) -> None:
        """After the start, and each day from then on. What is found is told: log, metric, event, mail."""
        now_us = self.clock.monotonic_us()
        if self._looked_us is not None and now_us - self._looked_us < EVERY_US:
            return
        file = file_of(self.loaded().database_url)
        said = await read_through(file) if file is not None else None
        if file is None or said is None:
            return
        self._looked_us = now_us
        self.metrics.set("monitor_store_sound", float(said == "ok"))
        self.metrics.set("monitor_store_checked_timestamp_seconds", self.clock.now_us() / _SECOND_US)
        if said != "ok":
            log.critical("the store's file is damaged", extra={"said": said})
        try:
            if await self.in_store(lambda: self._tell(file, said)):
                self.wake()
        except StoreError as error:
            # What is broken may be the very page that should take the news: log and metric have it.
            log.critical("the damage could not be noted in the store", extra={"error": str(error)})

    def _tell(self, file: Path, said: str) -> tuple[str, ...]:
        now_us, readers = self.clock.now_us(), self.loaded().config.addressees
        with self.database.begin() as tx:
            if said == "ok":
                return tell_over(tx, Trouble.STORE_DAMAGED, now_us=now_us)
            subjects = (file.name,)
            return tell_trouble(tx, Trouble.STORE_DAMAGED, subjects, said, readers, since_us=now_us, now_us=now_us)
