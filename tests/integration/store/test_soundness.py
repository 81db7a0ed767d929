"""The store's file read through while it is in use: whatever its size, beside writers, once a day; damage is told."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from monitor import config
from monitor.inspection import Inspection
from monitor.metrics import Metrics
from monitor.store.backup import EXAMINED_BYTES
from monitor.store.database import Database, directly
from monitor.store.soundness import read_through
from tests.heart import DAY, MINUTE, OPS, Office, run
from tests.running_service import a_place


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    database = Database.open(f"sqlite:///{tmp_path / 'var' / 'loketwacht.db'}", durable=False)
    yield Office(database=database)
    database.close()


def file_of(office: Office) -> Path:
    return Path(str(office.database.engine.url.database))


def ballast(office: Office, megabytes: int) -> None:
    with office.database.begin() as tx:
        tx.exec_driver_sql("CREATE TABLE ballast (block BLOB)")
        for _ in range(megabytes):
            tx.exec_driver_sql("INSERT INTO ballast VALUES (randomblob(1000000))")


def torn(file: Path) -> None:
    """A page in the middle of the file overwritten, as a failing disk leaves it; the schema before it stays whole."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'ballast'").fetchone()
    with file.open("r+b") as open_file:
        open_file.seek((page - 1) * 4096)
        open_file.write(b"\xff" * 4096)


class Watched:
    """An inspection with what it told."""

    def __init__(self, office: Office, tmp_path: Path) -> None:
        self.office = office
        loaded = config.load(a_place(tmp_path, journeys=("startpagina",)).config)
        self.loaded = replace(loaded, config=loaded.config.model_copy(update={"recipient": (OPS,)}))
        self.metrics = Metrics(version="1", started_us=0)
        self.inspection = Inspection(
            loaded=lambda: self.loaded,
            database=office.database,
            in_store=directly,
            clock=office.clock,
            metrics=self.metrics,
            wake=lambda: None,
        )

    def look(self) -> list[str]:
        run(self.inspection.look())
        self.office.deliver()
        return [subject.partition("MONITOR: ")[2] for subject in self.office.subjects]

    def gauge(self, name: str) -> str:
        exposed = self.metrics.exposition("")[0].decode()
        return next((line.rpartition(" ")[2] for line in exposed.splitlines() if line.startswith(name)), "")


@pytest.fixture
def watched(office: Office, tmp_path: Path) -> Watched:
    return Watched(office, tmp_path)


def test_a_store_that_is_whole_is_read_through_once_a_day_and_mailed_about_never(watched: Watched) -> None:
    assert watched.look() == []
    assert watched.gauge("monitor_store_sound") == "1.0"
    first = watched.gauge("monitor_store_checked_timestamp_seconds")
    watched.office.now_us += DAY - MINUTE
    watched.look()
    assert watched.gauge("monitor_store_checked_timestamp_seconds") == first
    watched.office.now_us += MINUTE
    watched.look()
    assert watched.gauge("monitor_store_checked_timestamp_seconds") != first


def test_damage_in_a_part_that_nobody_reads_is_told_and_its_end_too(watched: Watched) -> None:
    """The service writes and reads on beside a broken page, for months: until the last good backup is gone."""
    file = file_of(watched.office)
    ballast(watched.office, 3)
    torn(file)
    assert watched.look() == ["de opslag is beschadigd"]
    assert watched.gauge("monitor_store_sound") == "0.0"
    assert "loketwacht.db" in watched.office.sent[0].text
    watched.office.now_us += DAY
    assert watched.look() == ["de opslag is beschadigd"]
    with watched.office.database.begin() as tx:  # mended by hand; a restore would bring a store that was never told
        tx.exec_driver_sql("PRAGMA writable_schema = ON")
        tx.exec_driver_sql("DELETE FROM sqlite_master WHERE name = 'ballast'")
    watched.office.database.engine.dispose()
    watched.office.database.vacuum()
    watched.office.now_us += DAY
    assert watched.look() == ["de opslag is beschadigd", "de opslag is weer heel"]


def test_no_store_is_too_large_to_be_read_through(office: Office) -> None:
    """The check at the start stops at half a gigabyte; this one is of a store just beyond it, most of it a hole."""
    ballast(office, 1)
    torn(file_of(office))
    with file_of(office).open("r+b") as file:
        file.truncate(EXAMINED_BYTES + 4096)
    assert run(read_through(file_of(office))) not in (None, "ok")


def test_a_writer_is_not_kept_waiting(office: Office) -> None:
    ballast(office, 1)
    with office.database.begin() as tx:
        tx.exec_driver_sql("INSERT INTO ballast VALUES (randomblob(1000))")
        assert run(read_through(file_of(office))) == "ok"


def test_it_ends_when_the_service_does_and_leaves_the_other_threads_their_priority(office: Office) -> None:
    ballast(office, 60)

    async def stopped_at_once() -> int:
        reading = asyncio.create_task(read_through(file_of(office)))
        await asyncio.sleep(0)  # it has begun
        [thread] = [one for one in threading.enumerate() if one.name.startswith("read-through")]
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        thread.join(timeout=20)
        assert not thread.is_alive()
        return await asyncio.to_thread(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    assert run(stopped_at_once()) == os.getpriority(os.PRIO_PROCESS, 0)


def test_a_file_that_is_gone_is_no_finding(tmp_path: Path) -> None:
    assert run(read_through(tmp_path / "nowhere.db")) is None
