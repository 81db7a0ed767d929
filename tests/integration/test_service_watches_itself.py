"""What the service does when its own clock jumps or its schedule stands still."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from monitor.clock import Clock
from monitor.config import load
from monitor.schedule import ClockJump, Schedule
from monitor.service import Service
from monitor.store import events
from monitor.store.database import Database, directly
from monitor.supervisor import Supervisor
from tests.heart import HOUR, SECOND, Office, at, run
from tests.running_service import a_place


async def _never(*_: object) -> None:
    raise AssertionError("nothing is due")


@dataclass
class Inside:
    """A service whose parts stand ready, with a clock that tests move."""

    service: Service
    database: Database
    monotonic_us: int = 0


@pytest.fixture
def inside(tmp_path: Path) -> Iterator[Inside]:
    loaded = load(a_place(tmp_path, journeys=("startpagina",)).config)
    clock = Clock(now_us=lambda: at("10:00"), monotonic_us=lambda: found.monotonic_us, new_id=lambda: "0")
    service = Service(loaded, path=tmp_path / "config.toml", clock=clock)
    database = Database.open(loaded.database_url)
    found = Inside(service=service, database=database)
    service._database, service._in_store = database, directly  # type: ignore[assignment]
    service._recorder = Office(database=database).recorder()
    service._schedule = Schedule((), clock=clock, start=_never, on_missed=print, on_jump=print)
    yield found
    database.close()


@pytest.mark.parametrize(("shift_us", "direction"), [(-HOUR, "backward"), (HOUR, "forward")])
def test_a_jump_of_the_clock_is_counted_and_kept(inside: Inside, shift_us: int, direction: str) -> None:
    """T20."""

    async def jump() -> None:
        inside.service._jumped(ClockJump(at_us=at("10:00"), shift_us=shift_us))
        await inside.service._recorder.drain()

    run(jump())
    exposed = inside.service._metrics.exposition("")[0].decode()
    assert f'monitor_clock_jumps_total{{direction="{direction}"}} 1.0' in exposed
    with inside.database.read() as tx:
        kept = events.last(tx, "clock-jump")
    assert kept is not None
    assert kept.data == {"shift_us": shift_us}


def test_systemd_hears_nothing_more_of_a_schedule_that_stands_still(inside: Inside, tmp_path: Path) -> None:
    """T31: a minute without a move, and the watchdog is left to bark."""
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)
        inside.service._supervisor = Supervisor({"NOTIFY_SOCKET": str(tmp_path / "notify")})
        inside.monotonic_us = 60 * SECOND
        run(inside.service._housekeeping())
        assert systemd.recv(100) == b"WATCHDOG=1"
        inside.monotonic_us = 61 * SECOND
        run(inside.service._housekeeping())
        with pytest.raises(BlockingIOError):
            systemd.recv(100)


def test_while_the_stop_file_is_there_no_run_begins(inside: Inside, tmp_path: Path) -> None:
    loaded = inside.service._loaded
    settings = loaded.config.monitor.model_copy(update={"stop_file": "STOP"})
    inside.service._loaded = replace(loaded, config=loaded.config.model_copy(update={"monitor": settings}))
    (tmp_path / "STOP").touch()

    async def due() -> None:
        await inside.service._start(loaded.config.checks[0], at("10:00"))
        await inside.service._recorder.drain()

    run(due())
    with inside.database.read() as tx:
        [missed] = events.read(tx, 0, at("11:00"), kinds=("missed-slots",))
    assert (missed.check_id, missed.data["cause"], missed.data["count"]) == ("startpagina", "stop-file", 1)
