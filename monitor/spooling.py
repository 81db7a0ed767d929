"""What waits for the store in memory, kept on this machine's disk too: a process that ends meanwhile loses nothing.

The store takes nearly everything within a second, and then nothing is written here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from monitor.check_run import Finding, Recorder
from monitor.metrics import Metrics
from monitor.store.database import InStore, StoreUnavailable
from monitor.store.events import Event
from monitor.store.spool import Spool
from monitor.telling import Alerting
from probes.checks import Check
from probes.sample import Sample

log = logging.getLogger(__name__)

#: How often it is looked what waits. What waited at the look before as well is written.
LOOK_S = 1.0


class Spooling:
    """One look after the other; `take_back` before the first.

    Args:
        in_spool: a thread of its own, for the store's may hang just then.
    """

    def __init__(self, spool: Spool, recorder: Recorder, *, in_spool: InStore, metrics: Metrics) -> None:
        self._spool = spool
        self._recorder = recorder
        self._in_spool = in_spool
        self._metrics = metrics
        self._seen: Mapping[int, Finding | Event] = {}
        self._kept: dict[int, Finding | Event] = {}
        self._usable = True

    async def take_back(self, checks: Mapping[str, Check], alerting: Callable[[], Alerting]) -> None:
        """Give the store what a process before this one could not.

        A sample of a check that is no more is lost, and counted. Where the file is out of reach it is left alone from
        then on: measuring matters more.

        Raises:
            StoreUnavailable: the store does not take it; it stays where it is.
        """
        try:
            left, unreadable = await self._in_spool(self._spool.read)
        except StoreUnavailable as error:
            self._usable = False
            log.error("what waits for the store would not outlive a restart", extra={"error": str(error)})
            return
        strange = 0
        for what in left:
            if isinstance(what, Event):
                self._recorder.take_back(what)
            elif (check := checks.get(what.check_id)) is not None:
                self._recorder.take_back(Finding(check=check, sample=what, alerting=alerting()))
            else:
                strange += 1
        if unreadable or strange:
            self._metrics.samples_lost(unreadable + strange)
            log.error("samples were lost", extra={"unreadable": unreadable, "of checks that are no more": strange})
        if left:
            log.info("what waited when the process ended is stored now", extra={"waiting": self._recorder.waiting})
            if not await self._recorder.drain():
                raise StoreUnavailable("the store does not take what waited for it when this process ended last")
        await self._in_spool(self._spool.clear)

    async def look(self, *, all_of_it: bool = False) -> None:
        """Write what waits, and let go of what does so no more.

        Args:
            all_of_it: also what came a moment ago; the process ends.

        Raises:
            StoreUnavailable: it cannot be written; what is not there yet waits in memory alone.
        """
        if not self._usable:
            return
        now = self._recorder.held()
        put = {
            number: what
            for number, what in now.items()
            # A sample that gave up its evidence takes the place of what it was.
            if self._kept.get(number) is not what and (all_of_it or number in self._seen)
        }
        gone = self._kept.keys() - now.keys()
        self._seen = now
        if put or gone:
            told = {number: _plain(what) for number, what in put.items()}
            await self._in_spool(lambda: self._spool.change(told, gone))
            self._kept = {number: what for number, what in (self._kept | put).items() if number not in gone}
        self._metrics.set("monitor_samples_spooled", len(self._kept))


def _plain(what: Finding | Event) -> Sample | Event:
    return what if isinstance(what, Event) else what.sample
