"""The service: opens its parts in order, keeps them going, and closes them in order."""

from __future__ import annotations

import asyncio
import logging
import os
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from monitor import composition, config
from monitor.aftercare import Aftercare
from monitor.assessing import note_intervals
from monitor.attached import dependants
from monitor.bookkeeping import Bookkeeping
from monitor.check_run import Alerting, Recorder, run_check
from monitor.clean_up import CleanUp
from monitor.clock import Clock
from monitor.config import Loaded
from monitor.delivery import Bell, Delivery
from monitor.doubt import Processor, Waits, believed, resolved
from monitor.heartbeat import Heartbeat
from monitor.incidents import HEALTHY, MONITOR, Resolved
from monitor.lookouts import Lookouts
from monitor.mail_message import MailMessage
from monitor.metrics import Metrics
from monitor.month import MonthToDate
from monitor.pages import Days
from monitor.pausing import Rests
from monitor.schedule import Cause, ClockJump, MissedSlots, Schedule
from monitor.slowness import SWIFT
from monitor.stillness import Stillness
from monitor.store import events, incidents, samples
from monitor.store.database import Database, StoreError, StoreThread, Transaction
from monitor.store.events import Event
from monitor.supervisor import Supervisor
from monitor.toml_file import ConfigError
from monitor.troubles import Troubles
from monitor.web import Health, Server, Shown, listening, metrics_app, pages_app
from monitor.webhooks import Telling, webhook_sender
from monitor.worker import Worker
from probes.checks import Check
from probes.guest import Guest
from probes.references import ours_to_blame, references_up
from probes.run import run
from probes.sample import Sample
from probes.setup import installed_version

log = logging.getLogger(__name__)

_SECOND_US = 1_000_000
_STILL_US = 60 * _SECOND_US  # a schedule that has not moved for so long is dead
_HOUSEKEEPING_S = 5.0
_RESTS_S = 2.0
_TOLD_S = 5.0
_MONTH_S = 60.0
_FOLLOW_UP_S = 10.0
_CLEAN_UP_S = 15.0
_GRACE_US = 1_500_000
_FOR_EVER_US = 2**62
_BEAT_S = 1.0
_ALERT_S = 2.0
_RESOLVER_S = 30.0
_STILLNESS_S = 15.0
#: A killed process loses what it gathered, so no longer than this; at a hundred runs a second it is most of the gain.
_GATHER_US = 250_000
_UNTAKEN_US = 5 * 60 * _SECOND_US  # a store that has not taken everything for so long is a trouble of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where the service can be reached, once it listens."""

    pages: str
    metrics: str


class Service:
    """One running monitor. `run` returns when it was asked to stop and everything is closed.

    Args:
        settled: told whenever a configuration is in force and what belongs to it stands.
    """

    def __init__(
        self,
        loaded: Loaded,
        *,
        path: Path,
        clock: Clock,
        notice: tuple[str, str] = ("", ""),
        settled: Callable[[], None] = lambda: None,
    ) -> None:
        self._loaded = loaded
        self._path = path
        self._clock = clock
        self._notice = notice
        self._settled = settled
        self._wake = Bell()
        self._metrics = Metrics(version=installed_version(), started_us=clock.now_us(), on_incident=self._wake.set)
        self._months: dict[str, MonthToDate] = {}
        self._days = Days()
        self._ready = False
        self._supervisor = Supervisor()
        self._all_taken_us: int | None = None  # before the first look there is nothing to complain of
        self._processor = Processor()
        self._waits = Waits(self._processor, clock.monotonic_us)
        self._stillness = Stillness(clock)
        self._guest = Guest()
        self._heartbeat = Heartbeat(problems=self._problems, clock=clock, metrics=self._metrics)

    async def run(
        self, *, stop: asyncio.Event, reload: asyncio.Event, started: Callable[[Addresses], None] = lambda _: None
    ) -> None:
        """Serve until `stop` is set; take over the configuration again whenever `reload` is."""
        async with AsyncExitStack() as stack:
            # First of all: where another monitor runs already, nothing is opened or noted.
            servers = self._servers(stack)
            self._database = await asyncio.to_thread(Database.open, self._loaded.database_url)
            stack.callback(self._database.close)
            self._in_store = StoreThread()
            stack.callback(self._in_store.close)
            worker = Worker()
            stack.callback(worker.close)
            self._recorder = Recorder(
                database=self._database,
                in_store=self._in_store,
                clock=self._clock,
                observer=self._metrics,
                gather_us=_GATHER_US,
            )
            self._rests = Rests(database=self._database, in_store=self._in_store, clock=self._clock)
            await self._rests.look()
            self._clean_up = CleanUp(
                database=self._database,
                in_store=self._in_store,
                clock=self._clock,
                rests=lambda check_id: self._rests.cause(check_id) is not None,
            )
            lookouts = Lookouts(
                loaded=lambda: self._loaded,
                setup=lambda: self._setup,
                alerting=lambda: self._alerting,
                months=self._months,
                database=self._database,
                in_store=self._in_store,
                clock=self._clock,
                metrics=self._metrics,
                stillness=self._stillness,
                wake=self._wake.set,
            )
            self._troubles = Troubles(
                loaded=lambda: self._loaded,
                database=self._database,
                in_store=self._in_store,
                clock=self._clock,
                wake=self._wake.set,
            )
            self._troubles.taken()
            aftercare = Aftercare(
                loaded=lambda: self._loaded,
                alerting=lambda: self._alerting,
                months=self._months,
                database=self._database,
                in_store=self._in_store,
                clock=self._clock,
                metrics=self._metrics,
                wake=self._wake.set,
            )
            books = Bookkeeping(
                loaded=lambda: self._loaded,
                database=self._database,
                in_store=self._in_store,
                worker=worker,
                clock=self._clock,
                metrics=self._metrics,
                months=self._months,
                waiting=lambda: self._recorder.behind,
                wake=self._wake.set,
            )
            done, told = await self._in_store(self._begin)
            self._apply()
            self._schedule = Schedule(
                self._loaded.config.checks,
                clock=self._clock,
                start=self._start,
                on_missed=self._missed,
                on_jump=self._jumped,
                done=done,
                told=told,
            )
            async with asyncio.TaskGroup() as tasks:
                background = [tasks.create_task(server.until_asked_to_exit(), name="web") for server in servers]
                self._schedule.start()
                loops: list[Coroutine[Any, Any, None]] = [
                    self._delivery().run(self._wake.event()),
                    self._webhooks().run(self._wake.event()),
                    self._every(_HOUSEKEEPING_S, self._housekeeping),
                    self._every(_RESTS_S, self._look_what_rests),
                    self._every(_BEAT_S, self._beat),
                    self._every(_ALERT_S, lookouts.tell_alertmanagers),
                    self._every(_RESOLVER_S, lookouts.ask_resolver),
                    self._every(_STILLNESS_S, lookouts.tell_stillness),
                    self._every(_RESTS_S, aftercare.look),
                    self._every(_FOLLOW_UP_S, aftercare.follow_up),
                    self._every(_TOLD_S, aftercare.tell_maintenance),
                    self._every(_TOLD_S, self._troubles.look),
                    self._every(_MONTH_S, lookouts.hold_drill),
                    self._every(_CLEAN_UP_S, self._work_off),
                    self._every(_MONTH_S, books.assess_months),
                    self._every(_MONTH_S, books.seal_days),
                    self._every(_MONTH_S, books.stamp_head),
                    self._every(_MONTH_S, books.issue_reports),
                    self._reloads(reload),
                ]
                background += [tasks.create_task(loop) for loop in loops]
                self._settled()
                self._ready = True
                self._supervisor.ready()
                config_ = self._loaded.config
                pages, metrics = servers
                started(
                    Addresses(
                        pages=f"http://{config_.pages.host}:{pages.port}",
                        metrics=f"http://{config_.metrics.host}:{metrics.port}",
                    )
                )
                await stop.wait()
                self._ready = False
                self._supervisor.stopping()
                await self._schedule.stop(grace_us=_GRACE_US)
                await self._recorder.drain()
                for server in servers:
                    server.should_exit = True
                for task in background[len(servers) :]:
                    task.cancel()
            try:
                await self._in_store(lambda: self._note("stop"))
            except StoreError as error:
                # The next start tells what was not measured, whether it finds this note or not.
                log.error("the stop could not be noted", extra={"error": str(error)})

    # -- opening ---------------------------------------------------------------------------------------------------

    def _begin(self) -> tuple[dict[str, int], dict[str, list[tuple[int, int]]]]:
        """Note the start; tell the metrics what is open; say which slots were run, or told as missed, already."""
        checks = self._loaded.config.checks
        with self._database.begin() as tx:
            now_us = self._clock.now_us()
            data = {"version": installed_version(), "config_sha256": self._loaded.sha256}
            events.add(tx, Event(at_us=now_us, kind="start", data=data))
            note_intervals(tx, checks, now_us)
            self._close_abandoned(tx, now_us)
            last = samples.last(tx, [check.id for check in checks], self._loaded.config.monitor.location)
            for sample in last.values():
                self._metrics.newest(sample)
            for incident in incidents.read(tx, only_open=True):
                self._metrics.incident(incident.check_id, incident.since_us)
            done = {check_id: sample.slot_us for check_id, sample in last.items()}
            told: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
            since_us = min(done.values(), default=now_us)
            for event in events.read(tx, since_us, _FOR_EVER_US, kinds=("missed-slots",)):
                told[str(event.check_id)].append((int(event.data["from_us"] or 0), int(event.data["until_us"] or 0)))
        return done, dict(told)

    def _apply(self) -> None:
        """Take the values of the configuration in force into use."""
        settings = self._loaded.config
        setup = composition.probe_setup(self._loaded, self._clock)
        setup.guest.go_on_from(self._guest)
        self._guest = setup.guest
        self._setup = replace(setup, created=self._clean_up.keep)
        stop_file = settings.monitor.stop_file
        self._rests.configured(self._loaded.path(stop_file) if stop_file is not None else None)
        self._clean_up.configured(settings.checks, setup, settings.addressees)
        self._signer = composition.link_signer(self._loaded)
        self._alerting = Alerting(
            rule=settings.incidents,
            recipients=settings.addressees,
            titles={check.id: check.title for check in settings.checks},
            dependants=dependants(settings.checks),
            hours=settings.courtesy.hours,
            standings=lambda: tuple(one for month in tuple(self._months.values()) for one in month.standings),
        )
        self._metrics.configured(
            settings.checks,
            location=settings.monitor.location,
            sha256=self._loaded.sha256,
            now_us=self._clock.now_us(),
        )
        contracts = {one.contract.contract for one in self._loaded.contracts}
        self._metrics.keep_only(
            contracts=contracts, references=settings.references.urls, names=settings.references.names
        )
        for gone in self._months.keys() - contracts:
            del self._months[gone]

    def _servers(self, stack: AsyncExitStack) -> tuple[Server, Server]:
        settings = self._loaded.config
        pages, metrics = (stack.enter_context(listening(at.host, at.port)) for at in (settings.pages, settings.metrics))
        health = metrics_app(self._metrics, health=self._health, ready=lambda: self._ready)
        return Server(pages_app(self._shown), pages), Server(health, metrics)

    def _shown(self) -> Shown:
        return Shown(
            database=self._database,
            watched=composition.watched(self._loaded),
            clock=self._clock,
            days=self._days,
            months=self._months,
            version=installed_version(),
            signer=self._signer,
            write_token=self._loaded.secrets.get(self._loaded.config.pages.write_token or ""),
            notice=self._rests.notice(self._notice, self._loaded.config.checks, self._loaded.config.monitor.timezone),
        )

    def _delivery(self) -> Delivery[MailMessage]:
        self._metrics.mail_servers(server.called for server in self._loaded.config.mail.servers)
        if (smime := composition.mail_signatures(self._loaded).smime) is not None:
            self._metrics.set("alert_mail_certificate_expiry_timestamp_seconds", smime.until_us / _SECOND_US)
        return Delivery(
            database=self._database,
            in_store=self._in_store,
            send=composition.mail_sender(self._loaded, self._clock),
            compose=composition.mail_writer(self._loaded),
            clock=self._clock,
            observer=self._metrics,
            owner=f"{os.getpid()}-{self._clock.new_id()}",
            chance=random.random,
            patience=composition.mail_patience(self._loaded),
            courtesy=lambda: self._loaded.config.courtesy,
            lost=self._troubles.lost,
        )

    def _webhooks(self) -> Delivery[Telling]:
        """Their addresses and secrets are those of the configuration in force when one is told."""
        return Delivery(
            database=self._database,
            in_store=self._in_store,
            send=webhook_sender(lambda: composition.webhooks(self._loaded), self._clock),
            compose=lambda *what: composition.webhook_writer(self._loaded)(*what),
            clock=self._clock,
            observer=self._metrics,
            owner=f"{os.getpid()}-{self._clock.new_id()}",
            chance=random.random,
            channel="webhook",
            lost=self._troubles.lost,
        )

    # -- measuring -------------------------------------------------------------------------------------------------

    async def _start(self, check: Check, slot_us: int) -> None:
        if (rest := self._rests.cause(check.id)) is not None:
            self._missed_one(check, slot_us, rest)
            return
        hindrance = await self._clean_up.hindrance(check)
        if hindrance is not None:
            self._missed_one(check, slot_us, Cause(hindrance.value))
            return
        urls = self._loaded.config.references.urls
        await run_check(
            check,
            slot_us,
            measure=self._measure,
            references=self._ask_references if urls else None,
            alerting=self._alerting,
            recorder=self._recorder,
            clock=self._clock,
            observer=self._metrics,
            spares=lambda: self._guest.spares(check.id, self._clock.monotonic_us()),
        )
        self._stillness.heard(check.id)

    def _missed_one(self, check: Check, slot_us: int, cause: Cause) -> None:
        self._stillness.heard(check.id)  # it rests on purpose, and says so
        until_us = slot_us + check.interval
        self._missed(MissedSlots(check_id=check.id, from_us=slot_us, until_us=until_us, count=1, cause=cause))

    async def _measure(self, check: Check, slot_us: int) -> Sample:
        settings = self._loaded.config
        with self._schedule.lag.watch() as watch:
            begun = self._waits.begin()
            sample = await run(check, slot_us=slot_us, location=settings.monitor.location, setup=self._setup)
        most_us = settings.monitor.max_lag
        waited_us = self._waits.since(begun, most_us=most_us)
        sample = believed(sample, lag_us=watch.worst_us, max_lag_us=most_us, waited_us=waited_us)
        return await resolved(sample, settings.references.names, deadline_us=settings.references.deadline)

    async def _ask_references(self) -> bool:
        settings = self._loaded.config.references
        answers = await references_up(settings.urls, deadline_us=settings.deadline, setup=self._setup)
        for url, up in zip(settings.urls, answers, strict=True):
            self._metrics.set("monitor_reference_up", float(up), url)
        return not ours_to_blame(answers)

    def _missed(self, missed: MissedSlots) -> None:
        self._metrics.add("journey_missed_runs_total", missed.count, missed.check_id, missed.cause.value)
        data = {
            "from_us": missed.from_us,
            "until_us": missed.until_us,
            "count": missed.count,
            "cause": missed.cause.value,
        }
        self._recorder.keep(Event(at_us=self._clock.now_us(), kind="missed-slots", check_id=missed.check_id, data=data))

    def _jumped(self, jump: ClockJump) -> None:
        direction = "forward" if jump.shift_us > 0 else "backward"
        self._metrics.add("monitor_clock_jumps_total", 1, direction)
        log.warning("the wall clock jumped", extra={"shift_us": jump.shift_us})
        self._recorder.keep(Event(at_us=jump.at_us, kind="clock-jump", data={"shift_us": jump.shift_us}))

    # -- what goes on beside it --------------------------------------------------------------------------------------

    async def _every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        """Do it now and again; a failure is told and does not end it."""
        while True:
            try:
                await work()
            except StoreError as error:
                self._metrics.store_failed()
                log.warning("the store is not available", extra={"error": str(error)})
            except Exception:
                log.exception("background work failed")
            await asyncio.sleep(seconds)

    async def _look_what_rests(self) -> None:
        checks = self._loaded.config.checks
        self._metrics.rests(stopped=self._rests.stopped, paused=self._rests.figures(checks))
        await self._rests.look()
        self._metrics.rests(stopped=self._rests.stopped, paused=self._rests.figures(checks))

    async def _housekeeping(self) -> None:
        metrics = self._metrics
        metrics.set("monitor_loop_lag_seconds", self._schedule.lag.recent_us / _SECOND_US)
        metrics.set("monitor_runs_in_flight", self._schedule.running)
        metrics.set("monitor_cpu_pressure_ratio", self._processor.pressure())
        behind_us = self._clock.monotonic_us() - self._schedule.last_advance_monotonic_us
        if behind_us <= _STILL_US:
            self._supervisor.alive()
        advanced_us = self._clock.now_us() - behind_us
        metrics.set("monitor_scheduler_last_advance_timestamp_seconds", advanced_us / _SECOND_US)
        if (size := self._database.size_bytes()) is not None:
            metrics.set("monitor_db_size_bytes", size)
        if await self._recorder.drain():
            self._all_taken_us = self._clock.monotonic_us()
        metrics.set("monitor_samples_waiting", self._recorder.behind)

    async def _beat(self) -> None:
        await self._heartbeat.beat(self._loaded.config.heartbeat, self._loaded.secrets)

    async def _work_off(self) -> None:
        """Take away what journeys left at the portal, and show what stays."""
        standing = await self._clean_up.work_off()
        figures = self._clean_up.figures(standing)
        self._metrics.cleaned_up(figures.states, journeys=figures.journeys, resting=figures.resting)
        if standing.told:
            self._wake.set()

    async def _reloads(self, reload: asyncio.Event) -> None:
        while True:
            await reload.wait()
            reload.clear()
            try:
                loaded = await asyncio.to_thread(config.load, self._path)
            except ConfigError as error:
                log.error("the new configuration is wrong; the old one stays in force: %s", error)
                self._metrics.reloaded(ok=False, now_us=self._clock.now_us())
                self._recorder.keep(
                    Event(at_us=self._clock.now_us(), kind="config-refused", data={"problems": str(error)[:2000]})
                )
                await asyncio.to_thread(self._troubles.refused, error, self._path)
                continue
            for fixed in ("monitor", "pages", "metrics", "mail", "practice"):
                if getattr(loaded.config, fixed) != getattr(self._loaded.config, fixed):
                    log.warning("[%s] changed; that part takes effect at the next start", fixed)
            kept = {
                name: getattr(self._loaded.config, name) for name in ("monitor", "pages", "metrics", "mail", "practice")
            }
            self._loaded = replace(loaded, config=loaded.config.model_copy(update=kept))
            self._apply()
            self._schedule.replace(self._loaded.config.checks)
            self._settled()
            await self._in_store(self._note_reload)
            self._troubles.taken()
            log.info("configuration taken over", extra={"sha256": self._loaded.sha256})

    def _note_reload(self) -> None:
        with self._database.begin() as tx:
            note_intervals(tx, self._loaded.config.checks, self._clock.now_us())
            self._close_abandoned(tx, self._clock.now_us())
            events.add(
                tx, Event(at_us=self._clock.now_us(), kind="config", data={"config_sha256": self._loaded.sha256})
            )

    def _close_abandoned(self, tx: Transaction, now_us: int) -> None:
        """Close incidents of checks that are no longer configured, or in shadow: nothing would ever see them end."""
        known = {check.id for check in self._loaded.config.checks if not check.shadow} | {MONITOR}
        for incident in incidents.read(tx, only_open=True):
            if incident.check_id not in known:
                ended = Resolved(
                    incident_id=incident.id,
                    since_us=incident.since_us,
                    until_us=now_us,
                    last_bad_us=incident.last_bad_us,
                )
                incidents.record(tx, incident.check_id, ended)
                incidents.save(tx, incident.check_id, HEALTHY)
                data = {"incident": incident.id}
                events.add(tx, Event(at_us=now_us, kind="incident-abandoned", check_id=incident.check_id, data=data))
        for check_id in incidents.slow(tx).keys() - known:
            incidents.save_slowness(tx, check_id, SWIFT)

    def _note(self, kind: str) -> None:
        with self._database.begin() as tx:
            events.add(tx, Event(at_us=self._clock.now_us(), kind=kind))

    def _still(self) -> tuple[str, ...]:
        still_us = self._clock.monotonic_us() - self._schedule.last_advance_monotonic_us
        return (f"the schedule has not moved for {still_us // _SECOND_US} s",) if still_us > _STILL_US else ()

    def _problems(self) -> tuple[str, ...]:
        """Why no sign of life may be given. A store that is locked for a moment is no reason; one that stays so is."""
        now_us = self._clock.monotonic_us()
        untaken_us = now_us - (now_us if self._all_taken_us is None else self._all_taken_us)
        stuck = (f"the store has not taken everything for {untaken_us // _SECOND_US} s",)
        return self._still() + (stuck if untaken_us > _UNTAKEN_US else ())

    async def _health(self) -> Health:
        problems = list(self._still())
        try:
            async with asyncio.timeout(7):
                writable = await asyncio.to_thread(self._database.writable)
        except TimeoutError:
            writable = False
        if not writable:
            problems.append("the store cannot be written")
        return Health(problems=tuple(problems))
