"""`loketwacht run`, `outpost`, `practice` and `demo`: what goes on until it is ended."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import uvloop
from cyclopts import Parameter

from monitor import config
from monitor.cli.output import DEFAULT_CONFIG, CommandError, ConfigPath, Exit, say
from monitor.clock import LIVE
from monitor.collector import spare_what_stands
from monitor.config import Config, Loaded
from monitor.outpost import Outpost
from monitor.outpost_settings import OutpostSettings
from monitor.service import Addresses, Service
from monitor.store.backup import examine
from monitor.store.database import SchemaUnknown
from monitor.toml_file import ConfigError
from probes.practice.serving import RunningPractice, serve
from probes.practice.settings import PracticeSettings

_READY = "practice portal ready"
_WATCH_SECONDS = 0.5


def run(
    *,
    config_path: ConfigPath = DEFAULT_CONFIG,
    practice: Annotated[bool, Parameter(name="--practice", negative="")] = False,
) -> int:
    """Run the monitor until Ctrl-C. SIGHUP takes the configuration over again; a wrong one leaves the old in force.

    Parameters
    ----------
    practice
        Also start the practice portal of the configuration, with its mail server.
    """
    with _practice_beside(config_path) if practice else _nothing():
        loaded = config.load(config_path)
        examine(loaded.database_url)
        config.require_files(loaded, config_path)
        _log_as(loaded.config.monitor.log_format)
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(_run(loaded, config_path, practice=practice))
        except* OSError as failed:
            reasons = "; ".join(str(error) for error in _flat(failed))
            raise CommandError(f"The monitor could not start: {reasons}") from None
    say("Stopped.")
    return Exit.FINE


def outpost(location: str, *, config_path: ConfigPath = DEFAULT_CONFIG) -> int:
    """Measure for a monitor that runs elsewhere, until Ctrl-C: the same checks from another location.

    Parameters
    ----------
    location
        Name of one [[outpost]] of the configuration, which is the monitor's own.
    """
    loaded = config.load(config_path)
    settings = outpost_at(location, loaded, config_path)
    if settings.database is None:
        examine(loaded.database_url)
    config.require_files(loaded, config_path)
    _log_as(loaded.config.monitor.log_format)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_watch_from(loaded, settings, config_path))
    except* SchemaUnknown as unknown:
        reasons = "; ".join(str(error) for error in _flat(unknown))
        raise CommandError(f"{reasons} The monitor makes it right when it starts; start that first.") from None
    except* OSError as failed:
        reasons = "; ".join(str(error) for error in _flat(failed))
        raise CommandError(f"The outpost could not start: {reasons}") from None
    say("Stopped.")
    return Exit.FINE


async def _watch_from(loaded: Loaded, settings: OutpostSettings, path: Path) -> None:
    stop, reload = _signals()
    here = Outpost(loaded, settings, path=path, clock=LIVE, settled=spare_what_stands)

    def started(at: str) -> None:
        checks = len(loaded.config.checks_at(settings.location))
        say(f"Outpost {settings.location} watches {loaded.config.portal.name}: {checks} checks. Ctrl-C ends it.")
        say(f"  metrics       {at}/metrics")
        say(f"  health        {at}/healthz")

    await here.run(stop=stop, reload=reload, started=started)


def _signals() -> tuple[asyncio.Event, asyncio.Event]:
    """What is set when this process is asked to stop, and to read its configuration again."""
    stop, reload = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    loop.add_signal_handler(signal.SIGHUP, reload.set)
    return stop, reload


async def _run(loaded: Loaded, path: Path, *, practice: bool) -> None:
    stop, reload = _signals()
    notice = (
        (
            "Dit is een oefenomgeving: alles hier is verzonnen.",
            "This is a practice environment: everything here is invented.",
        )
        if loaded.config.practice is not None
        else ("", "")
    )
    service = Service(loaded, path=path, clock=LIVE, notice=notice, settled=spare_what_stands)
    await service.run(stop=stop, reload=reload, started=lambda at: _where_to_look(at, loaded.config, practice=practice))


def _where_to_look(at: Addresses, settings: Config, *, practice: bool) -> None:
    say("")
    say(f"Loketwacht watches {settings.portal.name}: {len(settings.checks)} checks. Ctrl-C ends it.")
    say(f"  status page   {at.pages}/            (English: {at.pages}/?lang=en)")
    say(f"  agreements    {at.pages}/sla")
    say(f"  metrics       {at.metrics}/metrics")
    say(f"  health        {at.metrics}/healthz")
    if practice and settings.practice is not None:
        base = f"http://{settings.practice.host}:{settings.practice.http_port}"
        say(f"  the portal    {base}/")
        say(f"  the mailbox   {base}/_practice/mail.html   (as JSON: {base}/_practice/mail)")
        say("Break something, and watch the page and the mailbox:")
        fault = json.dumps({"fault": "status-500", "path": "/loket/indienen", "seconds": 120})
        say(f"  curl -X POST {base}/_practice/faults -d '{fault}'")
        say(f"  curl -X DELETE {base}/_practice/faults          # and mend it")
    say("")


def practice(*, config_path: ConfigPath = DEFAULT_CONFIG) -> int:
    """Run only the practice portal, on this machine, until Ctrl-C."""
    settings = _practice_settings(config_path)
    try:
        asyncio.run(_practise(settings))
    except OSError as error:
        raise CommandError(f"The practice portal could not start: {error}") from error
    return Exit.FINE


async def _practise(settings: PracticeSettings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    async with serve(settings, now_us=LIVE.now_us) as running:
        _tell_practice(running)
        orphaned = asyncio.create_task(_end_with_parent(stop))
        await stop.wait()
        orphaned.cancel()


async def _end_with_parent(stop: asyncio.Event) -> None:
    """A portal that a monitor started ends with it, also where the monitor was killed and could not say so."""
    parent = os.environ.get("LOKETWACHT_PARENT")
    while parent is not None and os.getppid() == int(parent):  # noqa: ASYNC110 - nothing tells a process that its parent died
        await asyncio.sleep(_WATCH_SECONDS)
    if parent is not None:
        stop.set()


def _tell_practice(running: RunningPractice) -> None:
    door = "" if running.imap_port is None else f", its mailbox over IMAP on {running.imap_port}"
    say(f"{_READY}: {running.base_url} and {running.https_url}, mail on port {running.smtp_port}{door}")
    if os.environ.get("LOKETWACHT_PARENT"):
        # The parent waits for this line.
        print(_READY, flush=True)


def _practice_settings(config_path: Path) -> PracticeSettings:
    """The practice portal's own table of the configuration; the rest need not be right for it to start."""
    from monitor import toml_file

    if not config_path.exists():
        return PracticeSettings()
    document = toml_file.read(config_path)
    table = document.data.get("practice")
    if table is None:
        return PracticeSettings()
    origins = toml_file.Origins(root=document, moved={(key,): (document, ("practice", key)) for key in table})
    settings = toml_file.check(PracticeSettings, table, origins)
    return settings.model_copy(update={"state_dir": config_path.parent / settings.state_dir})


@contextmanager
def _practice_beside(config_path: Path) -> Iterator[None]:
    """The practice portal in a process of its own, so that breaking it never disturbs the measuring."""
    _practice_settings(config_path)
    environment = {**os.environ, "LOKETWACHT_PARENT": str(os.getpid())}
    command = [sys.executable, "-m", "monitor", "practice", "--config", str(config_path)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True) as child:  # noqa: S603
        try:
            assert child.stdout is not None
            if _READY not in child.stdout.readline():
                raise CommandError("The practice portal did not start; what it said stands above.")
            yield
        finally:
            child.terminate()
            try:
                child.wait(timeout=2)
            except subprocess.TimeoutExpired:
                child.kill()


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def _flat(group: BaseExceptionGroup[Any]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _flat(error)
        else:
            yield error


class _JsonLines(logging.Formatter):
    """One JSON object a line, with the fields of the event."""

    def format(self, record: logging.LogRecord) -> str:
        known = logging.LogRecord("", 0, "", 0, "", (), None).__dict__
        fields = {key: value for key, value in record.__dict__.items() if key not in known and key != "message"}
        line = {
            "at": int(record.created * 1000),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **fields,
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class _Text(logging.Formatter):
    """For people: time, level, what happened, and its fields."""

    def format(self, record: logging.LogRecord) -> str:
        known = logging.LogRecord("", 0, "", 0, "", (), None).__dict__
        fields = " ".join(
            f"{k}={v}" for k, v in record.__dict__.items() if k not in known and k not in ("message", "asctime")
        )
        head = f"{self.formatTime(record, '%H:%M:%S')} {record.levelname.lower():7} {record.getMessage()}"
        text = f"{head} {fields}".rstrip()
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


def outpost_at(location: str, loaded: Loaded, config_path: Path) -> OutpostSettings:
    """The outpost of a location in the configuration; CommandError where it has none."""
    settings = next((one for one in loaded.config.outpost if one.location == location), None)
    if settings is None:
        known = ", ".join(one.location for one in loaded.config.outpost) or "none"
        raise CommandError(
            f'{config_path} has no [[outpost]] with location = "{location}" (it has: {known}). Add it there; the '
            "monitor reads the same file."
        )
    return settings


def _log_as(form: str) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(_JsonLines() if form == "json" else _Text())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # Their lines would say again what ours say, or speak of every request.
    for noisy in ("httpx", "httpcore", "uvicorn", "alembic", "apscheduler", "fontTools", "weasyprint"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def demo(
    directory: Path = Path("var/demo"),
) -> int:
    """Live a month of the practice portal in simulated time, and write its SLA report.

    Parameters
    ----------
    directory
        Where the database, the mails and the report go; an earlier demo there is replaced.
    """
    from monitor.demo import demo as live_a_month

    live_a_month(directory)
    return Exit.FINE


__all__ = ["ConfigError", "demo", "outpost", "practice", "run"]
