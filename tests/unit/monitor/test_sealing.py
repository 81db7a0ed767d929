"""Every day's samples have a digest in the ledger, and whoever alters one of them later is found out."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from monitor import sealing
from monitor.exchange import ExchangeRefusedError
from monitor.store import ledger
from monitor.store.database import Database
from sla.ledger import first_broken
from tests.agreements import at
from tests.imported import SAMPLE, take_samples
from tests.stored_month import IN_NOVEMBER, fill


def seal(database: Database, now_us: int = IN_NOVEMBER) -> int:
    due = sealing.digests_due(str(database.engine.url), now_us)
    with database.begin() as tx:
        return len(sealing.record(tx, due, now_us=now_us))


def difference(database: Database) -> sealing.Difference | None:
    with database.read() as tx:
        return sealing.first_difference(tx, tuple(ledger.read(tx)))


def tamper(database: Database, statement: str) -> None:
    """What somebody with the file in his hands can do: take the triggers off, and write."""
    with sqlite3.connect(str(database.engine.url.database)) as raw:
        for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            raw.execute(f"DROP TRIGGER {name}")
        raw.execute(statement)
    raw.close()


def test_every_day_is_sealed_once_and_holds(database: Database) -> None:
    """The samples run from 30 September 22:00 to 31 October 22:00 UTC, and 1 November is over too: 33 days."""
    fill(database)
    assert seal(database) == 33
    assert seal(database) == 0
    with database.read() as tx:
        entries = tuple(ledger.read(tx))
    assert first_broken(entries) is None
    assert [entries[i].entry.data["count"] for i in (0, 1, 31, 32)] == ["2", "24", "23", "0"]
    assert difference(database) is None


def test_a_day_is_left_alone_until_an_hour_after_its_end(database: Database) -> None:
    fill(database)
    assert seal(database, at("2026-10-03 02:59")) == 2
    assert seal(database, at("2026-10-03 03:00")) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE sample SET duration_us = duration_us + 1 WHERE slot_us = {slot}",
        "UPDATE sample SET outcome = 'down' WHERE slot_us = {slot}",
        "UPDATE sample_detail SET steps = '[ ]' WHERE slot_us = {slot}",
        "DELETE FROM sample_detail WHERE slot_us = {slot}",
        "DELETE FROM sample WHERE slot_us = {slot}",
        "UPDATE sample SET slot_us = slot_us + 1 WHERE slot_us = {slot}",
        "INSERT INTO evidence VALUES ('indienen', 'lokaal', {slot}, 0, 's', 'r', 'h', 'b', 0, NULL, '[]')",
        "INSERT INTO sample SELECT check_id, 'elders', slot_us, started_us, duration_us, outcome, failure_kind,"
        " attempts, lag_us FROM sample WHERE slot_us = {slot}",
    ],
)
def test_whatever_is_altered_on_a_sealed_day_is_named_with_its_day(database: Database, statement: str) -> None:
    fill(database)
    seal(database)
    tamper(database, statement.format(slot=at("2026-10-05 10:00")))
    found = difference(database)
    assert found is not None
    assert found.day == "2026-10-05"
    assert found.samples.startswith("indienen ")


def test_the_first_of_two_altered_days_is_named(database: Database) -> None:
    fill(database)
    seal(database)
    tamper(database, "UPDATE sample SET attempts = 9 WHERE slot_us IN "
           f"({at('2026-10-20 10:00')}, {at('2026-10-07 10:00')})")  # fmt: skip
    found = difference(database)
    assert found is not None
    assert found.day == "2026-10-07"


def test_nothing_joins_the_samples_of_a_sealed_day(database: Database) -> None:
    fill(database, without=[("2026-10-05 10:00", "2026-10-05 11:00")])
    seal(database)
    with pytest.raises(ExchangeRefusedError, match="seals the samples of 2026-10-05"):
        take_samples(database, SAMPLE | {"due": "2026-10-05T08:00:00Z"})


def test_older_samples_that_come_in_later_are_sealed_too(database: Database, tmp_path: Path) -> None:
    fill(database)
    seal(database)
    take_samples(database, SAMPLE | {"due": "2026-09-28T08:00:00Z"})
    assert seal(database) == 2
    assert difference(database) is None
