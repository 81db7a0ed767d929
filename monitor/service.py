"""The service: opens its parts in order, keeps them going, and closes them in order."""

from __future__ import annotations

import asyncio
import logging
import os
import random
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
from monitor.check_run import Alerting
from monitor.clock import Clock
from monitor.config import Loaded
from monitor.delivery import Bell, Delivery
from monitor.heartbeat import Heartbeat
from monitor.lookouts import Lookouts
from monitor.mail_message import MailMessage
from monitor.measuring import Measuring
from monitor.metrics import Metrics
from monitor.month import MonthToDate
from monitor.outposts import titles_of
from monitor.pages import Days
from monitor.reloading import reloads
from monitor.repeating import repeat
from monitor.store import events
from monitor.store.database import LIVE_STATEMENT_US, Database, StoreError, StoreThread
from monitor.store.events import Event
from monitor.store.files import held
from monitor.supervisor import Supervisor
from monitor.toml_file import ConfigError
from monitor.troubles import Troubles
from monitor.web import Health, Server, Shown, listening, metrics_app, pages_app
from monitor.webhooks import Telling, webhook_sender
from monitor.worker import Worker
from probes.setup import installed_version

log = logging.getLogger(__name__)

_SECOND_US = 1_000_000
_HOUSEKEEPING_S = 5.0
_TOLD_S = 5.0
_MONTH_S = 60.0
_FOLLOW_UP_S = 10.0
_CLEAN_UP_S = 15.0
_BEAT_S = 1.0
_ALERT_S = 2.0
_LOOK_S = 2.0
_TAKE_IN_S = 1.0
_OUTPOSTS_S = 15.0
_UNTAKEN_US = 5 * 60 * _SECOND_US  # a store that has not taken everything for so long is a trouble of its own


#: Sections that a reload leaves as they were.
_FIXED = ("monitor", "pages", "metrics", "mail", "practice")


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
        self._heartbeat = Heartbeat(problems=self._problems, clock=clock, metrics=self._metrics)

    async def run(
        self, *, stop: asyncio.Event, reload: asyncio.Event, started: Callable[[Addresses], None] = lambda _: None
    ) -> None:
        """Serve until `stop` is set; take over the configuration again whenever `reload` is."""
        async with AsyncExitStack() as stack:
            # First of all: where another monitor runs already, nothing is opened or noted.
            servers = self._servers(stack)
            stack.enter_context(held(self._loaded.database_url))
            self._database = await asyncio.to_thread(
                Database.open, self._loaded.database_url, statement_timeout_us=LIVE_STATEMENT_US
            )
            stack.callback(self._database.close)
            self._in_store = StoreThread()
            stack.callback(self._in_store.close)
            worker = Worker()
            stack.callback(worker.close)
            self._measuring = Measuring(
                self._loaded.config.monitor.location,
                database=self._database,
                in_store=self._in_store,
                clock=self._clock,
                metrics=self._metrics,
                spool=self._loaded.data_dir / "waiting.db",
            )
            stack.callback(self._measuring.close)
            lookouts = Lookouts(
                loaded=lambda: self._loaded,
                setup=lambda: self._measuring.setup,
                alerting=lambda: self._alerting,
                months=self._months,
                database=self._database,
                in_store=self._in_store,
                clock=self._clock,
                metrics=self._metrics,
                wake=self._wake.set,
            )
            self._troubles = Troubles(
                loaded=lambda: self._loaded,
                signs=lambda: self._signatures,
                database=self._database,
                in_store=self._in_store,
                clock=self._clock,
                wake=self._wake.set,
            )
            self._troubles.taken()
            self._aftercare = aftercare = Aftercare(
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
                settled=lambda: not self._measuring.recorder.behind and self._measuring.clock_is_steady,
                wake=self._wake.set,
            )
            self._apply(self._loaded)
            await self._in_store(self._begin)
            await aftercare.begin()
            await self._measuring.prepare()
            async with asyncio.TaskGroup() as tasks:
                background = [tasks.create_task(server.until_asked_to_exit(), name="web") for server in servers]
                self._measuring.start()
                loops: list[Coroutine[Any, Any, None]] = [
                    self._delivery().run(self._wake.event()),
                    self._webhooks().run(self._wake.event()),
                    self._every(_HOUSEKEEPING_S, self._alive),
                    self._every(_HOUSEKEEPING_S, self._housekeeping),
                    *(self._every(seconds, work) for seconds, work in self._measuring.loops()),
                    self._every(_BEAT_S, self._beat),
                    self._every(_ALERT_S, lookouts.tell_alertmanagers),
                    self._every(_TAKE_IN_S, lookouts.take_in),
                    self._every(_OUTPOSTS_S, lookouts.watch_outposts),
                    self._every(_LOOK_S, aftercare.look),
                    self._every(_FOLLOW_UP_S, aftercare.follow_up),
                    self._every(_TOLD_S, aftercare.tell_maintenance),
                    self._every(_TOLD_S, self._look_for_troubles),
                    self._every(_MONTH_S, lookouts.hold_drill),
                    self._every(_CLEAN_UP_S, self._work_off),
                    self._every(_MONTH_S, books.assess_months),
                    self._every(_MONTH_S, books.seal_days),
                    self._every(_MONTH_S, books.inspect),
                    self._every(_MONTH_S, books.stamp_head),
                    self._every(_MONTH_S, books.issue_reports),
                    reloads(reload, self, path=self._path, clock=self._clock, metrics=self._metrics),
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
                await self._measuring.stop()
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

    def _begin(self) -> None:
        """Note the start."""
        with self._database.begin() as tx:
            now_us = self._clock.now_us()
            data = {"version": installed_version(), "config_sha256": self._loaded.sha256}
            events.add(tx, Event(at_us=now_us, kind="start", data=data))
            note_intervals(tx, self._loaded.config.checks, now_us)

    def _apply(self, loaded: Loaded) -> None:
        """Put a configuration in force. Everything is made of it first: where that fails, nothing has changed."""
        settings = loaded.config
        signer, signatures = composition.link_signer(loaded), composition.mail_signatures(loaded)
        send = composition.mail_sender(loaded, self._clock, signs=lambda: self._signatures)
        write = composition.mail_writer(loaded)
        alerting = Alerting(
            rule=settings.incidents,
            recipients=settings.addressees,
            titles={check.id: check.title for check in settings.checks}
            | titles_of(outpost.location for outpost in settings.outpost),
            places=settings.places,
            dependants=dependants(settings.checks),
            hours=settings.courtesy.hours,
            standings=lambda: tuple(one for month in tuple(self._months.values()) for one in month.standings),
        )
        self._measuring.configured(loaded, alerting)
        self._loaded, self._alerting = loaded, alerting
        self._signer, self._signatures, self._send, self._write = signer, signatures, send, write
        self._metrics.signatures(signatures, now_us=self._clock.now_us())
        contracts = {one.contract.contract for one in loaded.contracts}
        for gone in self._months.keys() - contracts:
            del self._months[gone]

    def _servers(self, stack: AsyncExitStack) -> tuple[Server, Server]:
        settings = self._loaded.config
        pages, metrics = (stack.enter_context(listening(at.host, at.port)) for at in (settings.pages, settings.metrics))
        health = metrics_app(self._metrics, health=self._health, ready=lambda: self._ready)
        return Server(pages_app(self._shown), pages), Server(health, metrics)

    def _shown(self) -> Shown:
        settings = self._loaded.config
        return Shown(
            database=self._database,
            watched=composition.watched(self._loaded),
            clock=self._clock,
            days=self._days,
            months=self._months,
            version=installed_version(),
            signer=self._signer,
            write_token=self._loaded.secrets.get(settings.pages.write_token or ""),
            notice=self._measuring.rests.notice(self._notice, settings.checks, settings.monitor.timezone),
        )

    def _delivery(self) -> Delivery[MailMessage]:
        """What mails say, and the passwords of the servers, are those of the configuration that is in force then."""
        self._metrics.mail_servers(server.called for server in self._loaded.config.mail.servers)
        return Delivery(
            database=self._database,
            in_store=self._in_store,
            send=lambda mail: self._send(mail),
            compose=lambda *what: self._write(*what),
            clock=self._clock,
            observer=self._metrics,
            owner=f"{os.getpid()}-{self._clock.new_id()}",
            chance=random.random,
            patience=composition.mail_patience(self._loaded),
            at_once=composition.MAILS_AT_ONCE,
            courtesy=lambda: self._loaded.config.courtesy,
            lost=self._troubles.lost,
            unreadable=self._troubles.unreadable,
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
            unreadable=self._troubles.unreadable,
            apart=True,
        )

    # -- what goes on beside it --------------------------------------------------------------------------------------

    def _every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> Coroutine[Any, Any, None]:
        return repeat(seconds, work, self._metrics)

    async def _alive(self) -> None:
        """By itself: a store that hangs is no reason to be ended, while measuring goes on in memory."""
        if self._measuring.goes_on:
            self._supervisor.alive()

    async def _housekeeping(self) -> None:
        if await self._measuring.recorder.drain():
            self._all_taken_us = self._clock.monotonic_us()
        self._measuring.note_figures()

    async def _beat(self) -> None:
        await self._heartbeat.beat(self._loaded.config.heartbeat, self._loaded.secrets)

    async def _work_off(self) -> None:
        """Take away what journeys left at the portal, and show what stays."""
        standing = await self._measuring.clean_up.work_off()
        figures = self._measuring.clean_up.figures(standing)
        self._metrics.cleaned_up(figures.states, journeys=figures.journeys, resting=figures.resting)
        if standing.told:
            self._wake.set()

    def read_anew(self) -> Loaded:
        """See `monitor.reloading`. At a start mails may leave unsigned; here nothing forces us to."""
        loaded = config.load(self._path)
        config.require_files(loaded, self._path)
        config.require_mail_keys(loaded, self._path)
        return loaded

    async def refused(self, error: ConfigError) -> None:
        """See `monitor.reloading`."""
        self._measuring.recorder.keep(
            Event(at_us=self._clock.now_us(), kind="config-refused", data={"problems": str(error)[:2000]})
        )
        await asyncio.to_thread(self._troubles.refused, error, self._path)

    async def taken(self, _: Loaded) -> None:
        """See `monitor.reloading`."""
        self._measuring.follow()
        self._settled()
        try:
            await self._in_store(self._note_reload)
            await self._aftercare.abandon()
        except StoreError as error:
            # It is in force all the same; the next start notes it too, and what is followed no longer soon ends.
            self._metrics.store_failed()
            log.warning("the configuration taken over could not be noted", extra={"error": str(error)})
        self._troubles.taken()

    def take_over(self, loaded: Loaded) -> None:
        """See `monitor.reloading`. What only a start can change stays as it was."""
        kept = {name: getattr(self._loaded.config, name) for name in _FIXED}
        for name, value in kept.items():
            if getattr(loaded.config, name) != value:
                log.warning("[%s] changed; that part takes effect at the next start", name)
        # What stays as it was still needs the secrets it names.
        secrets = {**self._loaded.secrets, **loaded.secrets}
        self._apply(replace(loaded, config=loaded.config.model_copy(update=kept), secrets=secrets))

    async def _look_for_troubles(self) -> None:
        self._metrics.signatures(self._signatures, now_us=self._clock.now_us())
        await self._troubles.look()

    def _note_reload(self) -> None:
        with self._database.begin() as tx:
            note_intervals(tx, self._loaded.config.checks, self._clock.now_us())
            data = {"config_sha256": self._loaded.sha256}
            events.add(tx, Event(at_us=self._clock.now_us(), kind="config", data=data))

    def _note(self, kind: str) -> None:
        with self._database.begin() as tx:
            events.add(tx, Event(at_us=self._clock.now_us(), kind=kind))

    def _problems(self) -> tuple[str, ...]:
        """Why no sign of life may be given. A store that is locked for a moment is no reason; one that stays so is."""
        now_us = self._clock.monotonic_us()
        untaken_us = now_us - (now_us if self._all_taken_us is None else self._all_taken_us)
        stuck = (f"the store has not taken everything for {untaken_us // _SECOND_US} s",)
        return self._measuring.problems() + (stuck if untaken_us > _UNTAKEN_US else ())

    async def _health(self) -> Health:
        problems = list(self._measuring.problems())
        try:
            async with asyncio.timeout(7):
                writable = await asyncio.to_thread(self._database.writable)
        except TimeoutError:
            writable = False
        if not writable:
            problems.append("the store cannot be written")
        return Health(problems=tuple(problems))
