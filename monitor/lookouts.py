"""What the service looks out for, and tells, beside measuring: what fires, its own resolver, stillness, the drill."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from monitor.alertmanager import Alert, Alertmanagers, alerts_of
from monitor.check_run import Alerting, note_stopped
from monitor.clock import Clock
from monitor.config import Loaded
from monitor.doubt import resolver_answers
from monitor.drill import Drill, is_due, last_passed_us
from monitor.incidents import MONITOR, Opened
from monitor.metrics import Metrics
from monitor.month import MonthToDate
from monitor.stillness import Stillness
from monitor.store.database import Database, InStore
from probes.setup import Setup

log = logging.getLogger(__name__)

_SECOND_US = 1_000_000


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
    stillness: Stillness
    wake: Callable[[], None]
    _alertmanagers: Alertmanagers = field(init=False)
    _drilled_us: int | None = field(default=None, init=False)  # when one was last tried

    def __post_init__(self) -> None:
        self._alertmanagers = Alertmanagers(clock=self.clock, observer=self.metrics)

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
                    forecasts={name: month.forecasts for name, month in dict(self.months).items()},
                )

        await self._alertmanagers.tell(await self.in_store(read), settings, self.loaded().secrets)

    async def ask_resolver(self) -> None:
        """The watched names, regularly, so that a resolver that fails shows before a journey fails for it."""
        settings = self.loaded().config.references
        answers = await resolver_answers(settings.names, deadline_us=settings.deadline)
        for name, answered in zip(settings.names, answers, strict=True):
            self.metrics.set("monitor_resolver_up", float(answered), name)

    async def tell_stillness(self) -> None:
        """Checks that are not measured at all, though the service runs: one alarm, however many they are."""
        # What is in shadow alarms nobody, and its samples would never end the alarm.
        still = self.stillness.still([check for check in self.loaded().config.checks if not check.shadow])
        self.metrics.set("monitor_checks_still", len(still))
        if not still:
            return
        location, now_us, alerting = self.loaded().config.monitor.location, self.clock.now_us(), self.alerting()
        happened = await self.in_store(
            lambda: note_stopped(self.database, still, alerting, location=location, now_us=now_us)
        )
        for event in happened:
            if isinstance(event, Opened):
                log.error("checks are not measured any more", extra={"checks": ", ".join(one.id for one in still)})
                self.metrics.incident(MONITOR, event.since_us)

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
