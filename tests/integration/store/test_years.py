"""Three years of samples in one file: what a month costs then, and how much room they take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from monitor.assessing import assess_stored, note_intervals
from monitor.store import samples
from monitor.store.database import Database
from probes.sample import Phases, StepOutcome, StepResult
from sla.period import parse_period
from tests.agreements import BRUSSELS, HOUR, at, clause, contract
from tests.heart import INDIENEN, a_sample

JOURNEYS = [f"reis-{number}" for number in range(6)]
HOURLY = tuple(INDIENEN.model_copy(update={"id": name, "interval": HOUR}) for name in JOURNEYS)
AGREED = contract(*(clause(id=name, scope=[name], window="altijd") for name in JOURNEYS))
#: What a journey of five steps leaves behind.
STEPS = tuple(
    StepResult(
        step=f"stap-{number}",
        outcome=StepOutcome.OK,
        duration_us=180_000 + number,
        phases=Phases(resolve_us=900, connect_us=1100, tls_us=2100, processing_us=160_000, transfer_us=16_000),
        status=200,
        body_bytes=23_456,
        assertions=3,
    )
    for number in range(5)
)


def filled(path: Path, start: str, hours: int) -> Database:
    """A sample of each journey every hour; the first by the store's own way, the others as copies of it."""
    database = Database.open(f"sqlite:///{path}", durable=False)
    series = (
        f"(WITH RECURSIVE n(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n WHERE n < {hours - 1}) SELECT n FROM n)"
    )
    with database.begin() as tx:
        note_intervals(tx, HOURLY, at(start))
        for name in JOURNEYS:
            samples.add(tx, replace(a_sample(".", at(start), name), steps=STEPS))
        for table in ("sample", "sample_detail"):
            columns = [column["name"] for column in sa.inspect(tx).get_columns(table)]
            moved = [f"{name} + n * {HOUR}" if name in ("slot_us", "started_us") else name for name in columns]
            tx.execute(sa.text(f"INSERT INTO {table} SELECT {', '.join(moved)} FROM {table}, {series}"))
    return database


def work(database: Database) -> int:
    """How many steps of its virtual machine SQLite takes for a month's assessment, in hundreds."""
    seen = 0

    def step() -> None:
        nonlocal seen
        seen += 1

    with database.read() as tx:
        driver = tx.connection.driver_connection
        driver.set_progress_handler(step, 100)
        try:
            found = assess_stored(tx, AGREED, parse_period("2026-10", BRUSSELS))
        finally:
            driver.set_progress_handler(None, 0)
    assert found.coverage == 1
    return seen


@pytest.fixture(scope="module")
def years(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = filled(tmp_path_factory.mktemp("years") / "years.db", "2024-01-01 00:00", 3 * 365 * 24)
    yield database
    database.close()


def test_a_month_costs_no_more_with_three_years_before_it(years: Database, tmp_path: Path) -> None:
    """T33: of each journey only the month is read."""
    month = filled(tmp_path / "month.db", "2026-10-01 00:00", 745)
    assert work(years) < 1.25 * work(month)
    month.close()


def test_a_sample_of_five_steps_takes_less_than_half_a_kilobyte(years: Database) -> None:
    """T33: three years of six journeys at one minute stay below five gigabytes, evidence of failures aside."""
    number = 6 * 3 * 365 * 24
    with years.read() as tx:
        pages, size = (tx.execute(sa.text(f"PRAGMA {name}")).scalar_one() for name in ("page_count", "page_size"))
    assert pages * size / number < 512
