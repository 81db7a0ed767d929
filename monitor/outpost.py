"""An outpost: a process elsewhere that measures the same checks and hands in what it finds. It decides nothing.

It mails nobody, shows no pages and draws up no reports; while the monitor is away it measures on, and what it handed in
waits in the store. While the store is away too, what it finds waits in its memory.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp

from monitor import config
from monitor.check_run import Alerting
from monitor.clock import Clock
from monitor.config import Loaded
from monitor.measuring import Measuring
from monitor.metrics import Metrics
from monitor.outpost_settings import OutpostSettings
from monitor.outposts import BEAT_US
from monitor.reloading import reloads
from monitor.repeating import repeat
from monitor.store import outposts
from monitor.store.database import LIVE_STATEMENT_US, Database, StoreThread
from monitor.store.files import held
from monitor.store.outposts import Presence
from monitor.supervisor import Supervisor
from monitor.toml_file import ConfigError, unusable
from monitor.web import Health, Server, listening, metrics_app
from probes.setup import installed_version

log = logging.getLogger(__name__)


class Outpost:
    """One running outpost. `run` returns when it was asked to stop and everything is closed.

    Args:
        settled: told whenever a configuration is in force and what belongs to it stands.
    """

    def __init__(
        self,
        loaded: Loaded,
        settings: OutpostSettings,
        *,
        path: Path,
        clock: Clock,
        settled: Callable[[], None] = lambda: None,
    ) -> None:
        self._loaded = loaded
        self._settings = settings
        self._path = path
        self._clock = clock
        self._settled = settled
        self._metrics = Metrics(version=installed_version(), started_us=clock.now_us())
        self._supervisor = Supervisor()
        self._ready = False

    async def run(
        self, *, stop: asyncio.Event, reload: asyncio.Event, started: Callable[[str], None] = lambda _: None
    ) -> None:
        """Measure until `stop` is set; take over the configuration again whenever `reload` is.

        Args:
            started: told where its metrics are, once it listens.

        Raises:
            SchemaUnknown: the store is older or newer than this version; the monitor brings it up to date.
            StoreUnavailable: it cannot be reached.
        """
        async with AsyncExitStack() as stack:
            at = self._settings.metrics
            server = Server(self._health(), stack.enter_context(listening(at.host, at.port)))
            url = self._settings.database or self._loaded.database_url
            stack.enter_context(held(url))
            # The monitor alone brings a store up to date: it was backed up for that.
            self._database = await asyncio.to_thread(
                Database.open, url, migrate=False, statement_timeout_us=LIVE_STATEMENT_US
            )
            stack.callback(self._database.close)
            self._in_store = StoreThread()
            stack.callback(self._in_store.close)
            self._measuring = Measuring(
                self._settings.location,
                database=self._database,
                in_store=self._in_store,
                clock=self._clock,
                metrics=self._metrics,
                outpost=True,
                spool=_own_folder(self._loaded) / f"waiting-{self._settings.location}.db",
            )
            stack.callback(self._measuring.close)
            self._apply(self._loaded)
            await self._measuring.prepare()
            async with asyncio.TaskGroup() as tasks:
                serving = tasks.create_task(server.until_asked_to_exit(), name="web")
                self._measuring.start()
                loops = [self._every(seconds, work) for seconds, work in self._measuring.loops()]
                beside = [
                    tasks.create_task(loop)
                    for loop in (
                        *loops,
                        self._every(BEAT_US / 1_000_000, self._alive),
                        self._every(BEAT_US / 1_000_000, self._beat),
                        reloads(reload, self, path=self._path, clock=self._clock, metrics=self._metrics),
                    )
                ]
                self._settled()
                self._ready = True
                self._supervisor.ready()
                started(f"http://{at.host}:{server.port}")
                await stop.wait()
                self._ready = False
                self._supervisor.stopping()
                await self._measuring.stop()
                server.should_exit = True
                for task in beside:
                    task.cancel()
                await asyncio.wait({serving})

    def _apply(self, loaded: Loaded) -> None:
        """Put a configuration in force. Everything is made of it first: where that fails, nothing has changed."""
        self._measuring.configured(loaded, self._alerting(loaded))
        self._loaded = loaded

    def _alerting(self, loaded: Loaded) -> Alerting:
        """Only for what an outpost knows and the monitor does not: that a check of its own stands still."""
        settings = loaded.config
        return Alerting(
            rule=settings.incidents,
            recipients=settings.addressees,
            titles={check.id: check.title for check in settings.checks},
        )

    async def _alive(self) -> None:
        if self._measuring.goes_on:
            self._supervisor.alive()

    async def _beat(self) -> None:
        """Say that it is there; not where it only seems so."""
        taken = await self._measuring.recorder.drain()
        self._measuring.note_figures()
        if not (taken and self._measuring.goes_on):
            return
        presence = Presence(
            location=self._settings.location,
            seen_us=self._clock.now_us(),
            version=installed_version(),
            config_sha256=self._loaded.sha256,
        )

        def note() -> None:
            with self._database.begin() as tx:
                outposts.note(tx, presence)

        await self._in_store(note)

    def read_anew(self) -> Loaded:
        """See `monitor.reloading`."""
        loaded = config.load(self._path)
        config.require_files(loaded, self._path)
        return loaded

    def take_over(self, loaded: Loaded) -> None:
        """See `monitor.reloading`."""
        if self._settings not in loaded.config.outpost:
            what = "configures this outpost differently now; end it, and start it again if it should measure"
            raise unusable(self._path, what)
        self._apply(loaded)

    async def taken(self, _: Loaded) -> None:
        """See `monitor.reloading`."""
        self._measuring.follow()
        self._settled()

    async def refused(self, _: ConfigError) -> None:
        """See `monitor.reloading`. The monitor tells people, of the same file; log and metric tell of this process."""

    def _every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> Coroutine[Any, Any, None]:
        return repeat(seconds, work, self._metrics)

    def _health(self) -> ASGIApp:
        async def health() -> Health:
            problems = list(self._measuring.problems())
            if self._measuring.recorder.behind:
                problems.append("the store does not take what was found")
            return Health(problems=tuple(problems))

        return metrics_app(self._metrics, health=health, ready=lambda: self._ready)


def _own_folder(loaded: Loaded) -> Path:
    """Where an outpost may write: systemd names its folder, for that of the configuration is the monitor's."""
    given = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    return Path(given) if given else loaded.data_dir
