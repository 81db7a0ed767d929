"""What waits for the store outlives the process: kept on this machine's disk, given to the store once, in its order."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from monitor.check_run import Finding, Recorder
from monitor.metrics import Metrics
from monitor.spooling import Spooling
from monitor.store import events, evidence, incidents, samples
from monitor.store.database import Database, StoreUnavailable, directly
from monitor.store.events import Event
from monitor.store.spool import Spool
from probes.sample import Sample
from tests.bundles import a_picture, proven, seen_in_a_browser
from tests.heart import INDIENEN, MINUTE, SECOND, Office, a_sample, at, run

MISSED = Event(at_us=at("10:02"), kind="missed-slots", check_id=INDIENEN.id, data={"count": 1, "cause": "é"})


@dataclass
class Process:
    """A recorder and its spool, as one process after the other has them."""

    office: Office
    file: Path
    metrics: Metrics = field(default_factory=lambda: Metrics(version="1", started_us=0))

    def __post_init__(self) -> None:
        self.recorder: Recorder = self.office.recorder(capacity_bytes=400_000)
        self.spool = Spool(self.file)
        self.spooling = Spooling(self.spool, self.recorder, in_spool=directly, metrics=self.metrics)

    def finds(self, *what: Sample | Event) -> None:
        for one in what:
            found = (
                one if isinstance(one, Event) else Finding(check=INDIENEN, sample=one, alerting=self.office.alerting)
            )
            run(self.recorder.record(found))

    def look(self, times: int = 2) -> None:
        for _ in range(times):
            run(self.spooling.look())

    def take_back(self) -> None:
        run(self.spooling.take_back({INDIENEN.id: INDIENEN}, lambda: self.office.alerting))

    def figure(self, name: str) -> float:
        text = self.metrics.exposition("")[0].decode()
        return float(text.partition(f"\n{name} ")[2].partition("\n")[0])


class Stage:
    """A store that somebody else keeps locked until `free`."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "var" / "waiting.db"
        path = folder / "store.db"
        self.office = Office(database=Database.open(f"sqlite:///{path}", busy_timeout_us=10_000, durable=False))
        self.holder = sqlite3.connect(path, isolation_level=None)
        self.holder.execute("BEGIN IMMEDIATE")

    def free(self) -> None:
        self.holder.execute("ROLLBACK")

    def slots(self) -> list[int]:
        with self.office.database.read() as tx:
            return [row.slot_us for row in samples.stream(tx, [INDIENEN.id], 0, at("23:00"))]

    def process(self) -> Process:
        return Process(self.office, self.file)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.holder.close()
    stage.office.database.close()


def test_what_waited_when_the_process_was_killed_is_stored_by_the_next_one_with_its_proof(stage: Stage) -> None:
    first = stage.process()
    failing = [proven(a_sample("x", at("10:00") + number * MINUTE)) for number in range(2)]
    first.finds(*failing, MISSED)
    first.look()
    assert (first.recorder.behind, first.figure("monitor_samples_spooled")) == (3, 3)
    first.spool.close()  # as the kernel does for the killed
    stage.free()
    second = stage.process()
    second.take_back()
    assert stage.slots() == [sample.slot_us for sample in failing]
    with stage.office.database.read() as tx:
        assert len(incidents.read(tx)) == 1
        assert list(events.read(tx, 0, at("23:00"))) == [MISSED]
        [kept] = evidence.bundles(tx, INDIENEN.id, "lokaal", at("10:00"), at("10:01"))
        assert kept.sha256 == failing[0].bundles[0].sha256
    assert second.spool.read() == ((), 0)
    second.spool.close()


def test_one_that_is_killed_before_it_could_note_that_all_is_stored_stores_nothing_twice(
    stage: Stage, tmp_path: Path
) -> None:
    first = stage.process()
    first.finds(a_sample("x", at("10:00")), MISSED, a_sample("x", at("10:01")))
    first.look()
    first.spool.close()
    stage.free()
    shutil.copyfile(stage.file, tmp_path / "before.db")
    for _ in range(2):
        again = stage.process()
        again.take_back()
        again.spool.close()
        shutil.copyfile(tmp_path / "before.db", stage.file)
    assert stage.slots() == [at("10:00"), at("10:01")]
    with stage.office.database.read() as tx:
        assert list(events.read(tx, 0, at("23:00"))) == [MISSED]
        assert len(incidents.read(tx)) == 1
    assert len(stage.office.queue()) == 1


def test_while_the_store_takes_everything_nothing_is_written_here(stage: Stage) -> None:
    stage.free()
    process = stage.process()
    process.take_back()
    process.finds(a_sample(".", at("10:00")))
    process.look()
    assert not stage.file.exists()


def test_what_the_store_took_after_all_is_let_go_of(stage: Stage) -> None:
    process = stage.process()
    process.finds(a_sample("x", at("10:00")))
    process.look()
    stage.free()
    assert run(process.recorder.drain())
    process.look(times=1)
    assert process.spool.read() == ((), 0)
    assert process.figure("monitor_samples_spooled") == 0
    process.spool.close()


def test_what_came_a_moment_ago_is_kept_too_where_the_process_ends_in_order(stage: Stage) -> None:
    process = stage.process()
    process.finds(a_sample("x", at("10:00")))
    run(process.spooling.look(all_of_it=True))
    [kept], _ = process.spool.read()
    assert kept == a_sample("x", at("10:00"))
    process.spool.close()


def test_it_grows_no_larger_than_what_waits_in_memory(stage: Stage) -> None:
    """What gave up its evidence there gives it up here too."""
    process = stage.process()
    for number in range(60):
        sample = proven(a_sample("x", at("10:00") + number * SECOND))
        bulk = replace(sample.bundles[0], packed=bytes(range(256)) * 200)
        process.finds(replace(sample, bundles=(bulk,)))
        process.look(times=1)
    process.look()
    assert stage.office.told.given_up > 30
    kept, _ = process.spool.read()
    assert len(kept) == 60
    assert [one.evidence for one in kept if isinstance(one, Sample)] == [
        what.sample.evidence for what in process.recorder.held().values() if isinstance(what, Finding)
    ]
    process.spool.close()
    assert stage.file.stat().st_size < 1_000_000


def test_a_store_that_does_not_take_it_back_leaves_it_where_it_is(stage: Stage) -> None:
    first = stage.process()
    first.finds(a_sample("x", at("10:00")))
    first.look()
    first.spool.close()
    second = stage.process()
    with pytest.raises(StoreUnavailable):
        second.take_back()
    second.spool.close()
    stage.free()
    third = stage.process()
    third.take_back()
    assert stage.slots() == [at("10:00")]
    third.spool.close()


def test_a_sample_of_a_check_that_is_no_more_is_lost_and_counted(stage: Stage) -> None:
    first = stage.process()
    first.finds(a_sample("x", at("10:00")))
    first.look()
    first.spool.close()
    stage.free()
    second = stage.process()
    run(second.spooling.take_back({}, lambda: stage.office.alerting))
    assert (stage.slots(), second.figure("monitor_samples_lost_total")) == ([], 1)
    second.spool.close()


def test_a_damaged_file_is_set_aside_and_a_new_one_begun(stage: Stage) -> None:
    stage.file.parent.mkdir()
    stage.file.write_bytes(b"no database at all " * 500)
    process = stage.process()
    process.take_back()
    assert process.figure("monitor_samples_lost_total") == 1
    assert stage.file.with_name("waiting.db.damaged").exists()
    process.finds(a_sample("x", at("10:00")))
    process.look()
    assert len(process.spool.read()[0]) == 1
    process.spool.close()


def test_a_file_that_another_process_has_is_left_alone_and_measuring_goes_on(stage: Stage) -> None:
    first = stage.process()
    first.finds(a_sample("x", at("10:00")))
    first.look()
    stage.free()
    second = stage.process()
    second.take_back()
    second.finds(a_sample("x", at("10:05")))
    second.look()
    assert stage.slots() == [at("10:05")]
    assert len(first.spool.read()[0]) == 1
    first.spool.close()


def test_a_disk_that_cannot_be_written_costs_nothing_but_what_a_restart_would_lose(stage: Stage) -> None:
    stage.file.parent.write_text("no folder")
    process = stage.process()
    process.take_back()
    process.finds(a_sample("x", at("10:00")))
    with pytest.raises(StoreUnavailable, match="cannot be kept"):
        process.look()
    stage.free()
    assert run(process.recorder.drain())
    assert stage.slots() == [at("10:00")]


def test_every_kind_of_sample_comes_back_as_it_was(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "x.db")
    whole = seen_in_a_browser(a_sample("x", at("10:00")), picture=a_picture())
    told = {1: whole, 2: proven(a_sample("X", at("10:01"))), 3: MISSED, 4: a_sample("~", at("10:02"))}
    spool.change(told, ())
    assert spool.read() == (tuple(told.values()), 0)
    spool.change({}, (1, 3))
    assert spool.read() == ((told[2], told[4]), 0)
    spool.close()
