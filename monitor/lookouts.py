"""What the service looks out for, and tells, beside measuring: what fires, the outposts, the drill."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from monitor.alertmanager import Alert, Alertmanagers, alerts_of
from monitor.check_run import Alerting, take_in
from monitor.clock import Clock
from monitor.config import Loaded
from monitor.drill import Drill, is_due, last_passed_us
from monitor.incidents import MONITOR, Event, Opened, Resolved
from monitor.metrics import Metrics
from monitor.month import MonthToDate
from monitor.outposts import Presences
from monitor.store import handed_in, outposts
from monitor.store.database import Database, InStore
from monitor.store.outposts import Presence
from probes.setup import Setup

_SECOND_US = 1_000_000
_OF_OUTPOSTS = ("monitor_outpost_up", "monitor_outpost_configuration_current", "monitor_handed_in_waiting")


@dataclass(slots=True, kw_only=True)
class Lookouts:
    """Each of its methods may be called as often as one likes; whether something is due it finds out itself.

    Attributes:
        loaded, setup, alerting: of the configuration in force.
        months: what contracts made of this month so far, by contract.
        wake: called when mail was queued.
    """

    loaded: Callable[[], Loaded]
    setup: Callable[[], Setup]
    alerting: Callable[[], Alerting]
    months: Mapping[str, MonthToDate]
    database: Database
    in_store: InStore
    clock: Clock
    metrics: Metrics
    wake: Callable[[], None]
    _alertmanagers: Alertmanagers = field(init=False)
    _presences: Presences = field(init=False)
    _drilled_us: int | None = field(default=None, init=False)  # when one was last tried

    def __post_init__(self) -> None:
        self._alertmanagers = Alertmanagers(clock=self.clock, observer=self.metrics)
        self._presences = Presences(self.clock)

    async def tell_alertmanagers(self) -> None:
        config_ = self.loaded().config
        if (settings := config_.alertmanager) is None:
            return

        def read() -> tuple[Alert, ...]:
            with self.database.read() as tx:
                return alerts_of(
                    tx,
                    config_.checks,
                    location=config_.monitor.location,
                    settings=settings,
                    pages_url=config_.pages.public_url,
                    since_us=self._alertmanagers.since_us(),
                    now_us=self.clock.now_us(),
                    rule=config_.incidents,
                    behind=self.alerting().dependants,
                    forecasts={name: month.forecasts for name, month in dict(self.months).items()},
                )

        await self._alertmanagers.tell(await self.in_store(read), settings, self.loaded().secrets)

    async def take_in(self) -> None:
        """What outposts handed in, until nothing is left: its consequences are drawn here, and here alone."""
        config_, alerting = self.loaded().config, self.alerting()
        checks = {check.id: check for check in config_.checks}

        def some() -> tuple[tuple[str, int | None], ...] | None:
            return take_in(self.database, checks, alerting, now_us=self.clock.now_us())

        while (changed := await self.in_store(some)) is not None:
            for check_id, since_us in changed:
                self.metrics.incident(check_id, since_us)
            self.wake()

    async def watch_outposts(self) -> None:
        """Outposts that are silent, or measure by another configuration than ours."""
        loaded, alerting = self.loaded(), self.alerting()
        locations = tuple(one.location for one in loaded.config.outpost)

        def look() -> tuple[Mapping[str, Presence], frozenset[str], int, tuple[Event, ...]]:
            with self.database.read() as tx:
                present, waiting = outposts.read(tx), handed_in.count(tx)
            silent = self._presences.silent(locations, present)
            happened = self._presences.tell(self.database, silent, locations, alerting, now_us=self.clock.now_us())
            return present, silent, waiting, happened

        if not locations:
            self.metrics.drop(_OF_OUTPOSTS)
            return
        present, silent, waiting, happened = await self.in_store(look)
        self.metrics.drop(_OF_OUTPOSTS)
        self.metrics.set("monitor_handed_in_waiting", waiting)
        for one in locations:
            self.metrics.set("monitor_outpost_up", float(one not in silent), one)
            same = one in present and present[one].config_sha256 == loaded.sha256
            self.metrics.set("monitor_outpost_configuration_current", float(same), one)
        for event in happened:
            if isinstance(event, Opened | Resolved):
                self.metrics.incident(MONITOR, event.since_us if isinstance(event, Opened) else None)
                self.wake()

    async def hold_drill(self) -> None:
        config_ = self.loaded().config
        if (settings := config_.drill) is None:
            self.metrics.drop(("monitor_drill_last_success_timestamp_seconds",))
            return

        def last() -> int | None:
            with self.database.read() as tx:
                return last_passed_us(tx)

        name, zone = "monitor_drill_last_success_timestamp_seconds", config_.monitor.timezone
        last_us, now_us = await self.in_store(last), self.clock.now_us()
        self.metrics.set(name, (last_us or 0) / _SECOND_US)
        if not is_due(settings, zone, now_us=now_us, last_us=last_us, tried_us=self._drilled_us):
            return
        self._drilled_us = now_us
        drill = Drill(database=self.database, in_store=self.in_store, clock=self.clock, wake=self.wake)
        held = await drill.hold(settings, setup=self.setup(), rule=config_.incidents, location=config_.monitor.location)
        self.metrics.add("monitor_drills_total", 1, "failed" if held.problem else "passed")
        if not held.problem:
            self.metrics.set(name, held.at_us / _SECOND_US)
