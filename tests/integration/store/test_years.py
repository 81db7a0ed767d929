"""Three years of samples in one file: what a month and its report cost then, and how much room they take.

Work is counted, not timed: steps of SQLite's virtual machine, statements, and the bytes that are drawn up.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from monitor import sealing
from monitor.assessing import assess_stored, note_intervals
from monitor.reporting import drawn_up
from monitor.sealing import digest_of
from monitor.store import samples
from monitor.store.database import Database
from probes.sample import Phases, StepOutcome, StepResult
from sla.period import parse_period
from tests.agreements import BRUSSELS, HOUR, at, clause, contract
from tests.heart import DAY, INDIENEN, a_sample
from tests.stored_month import job

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


def sealed(database: Database, days: int) -> None:
    """A ledger with a seal of each day, the last of them that of 31 October 2026."""
    last = at("2026-10-31 01:00") // DAY * DAY
    digests = tuple(digest_of(last - number * DAY, {}) for number in reversed(range(days)))
    with database.begin() as tx:
        sealing.record(tx, digests, now_us=at("2026-11-01 02:00"))


@dataclass(frozen=True)
class Work:
    """What was done.

    Attributes:
        steps: of SQLite's virtual machine, in hundreds.
        statements: sent to the database.
    """

    steps: int
    statements: int


@contextmanager
def counted() -> Iterator[Callable[[], Work]]:
    """Counts what every connection that is opened meanwhile does."""
    steps = statements = 0

    def step() -> None:
        nonlocal steps
        steps += 1

    def connected(connection: sqlite3.Connection, _: object) -> None:
        connection.set_progress_handler(step, 100)

    def executed(*_: object) -> None:
        nonlocal statements
        statements += 1

    sa.event.listen(sa.Engine, "connect", connected)
    sa.event.listen(sa.Engine, "before_cursor_execute", executed)
    try:
        yield lambda: Work(steps, statements)
    finally:
        sa.event.remove(sa.Engine, "connect", connected)
        sa.event.remove(sa.Engine, "before_cursor_execute", executed)


def assessed(database: Database) -> Work:
    """A month's assessment."""
    with counted() as done:
        fresh = Database.open(str(database.engine.url), migrate=False)
        with fresh.read() as tx:
            found = assess_stored(tx, AGREED, parse_period("2026-10", BRUSSELS))
        fresh.close()
    assert found.coverage == 1
    return done()


def reported(database: Database) -> tuple[Work, dict[str, int]]:
    """A month's report as the service draws it up, and how long each part is; a PDF is laid out from its page alone."""
    with counted() as done:
        document, assessment, _ = drawn_up(job(database, Path(), agreed=AGREED))
    assert assessment.coverage == 1
    parts = {"json": document.machine} | {name: page.encode() for name, page in document.pages.items()}
    return done(), {name: len(body) for name, body in (parts | {a.form: a.body for a in document.attachments}).items()}


@pytest.fixture(scope="module")
def years(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = filled(tmp_path_factory.mktemp("years") / "years.db", "2024-01-01 00:00", 3 * 365 * 24)
    yield database
    database.close()


@pytest.fixture
def month(tmp_path: Path) -> Iterator[Database]:
    database = filled(tmp_path / "month.db", "2026-10-01 00:00", 745)
    yield database
    database.close()


def test_a_month_costs_no_more_with_three_years_before_it(years: Database, month: Database) -> None:
    """T33: of each journey only the month is read."""
    assert assessed(years).steps < 1.25 * assessed(month).steps


def test_nor_does_its_whole_report(years: Database, month: Database) -> None:
    """T33: read, drawn up and rendered; what goes into its files is the month's alone, so they are as long as ever."""
    long, long_parts = reported(years)
    short, short_parts = reported(month)
    assert long.statements <= short.statements
    assert long.steps < 1.25 * short.steps
    assert set(long_parts) >= {"json", "nl", "en", "csv"}
    assert long_parts == pytest.approx(short_parts, rel=0.001)  # a hash is as long as another, but packs otherwise


def test_of_three_years_of_daily_seals_a_report_reads_each_entry_a_few_times(month: Database) -> None:
    """T33: the ledger is all that grows with the years: by an entry a day, read with as many statements as ever."""
    sealed(month, 1)
    one, one_parts = reported(month)
    sealed(month, 3 * 365)
    many, many_parts = reported(month)
    assert many.statements == one.statements
    assert many.steps - one.steps < 3 * 365  # hundreds of steps: at most a hundred for an entry, all readings together
    assert many_parts == pytest.approx(one_parts, rel=0.001)


def test_a_sample_of_five_steps_takes_less_than_half_a_kilobyte(years: Database) -> None:
    """T33: three years of six journeys at one minute stay below five gigabytes, evidence of failures aside."""
    number = 6 * 3 * 365 * 24
    with years.read() as tx:
        pages, size = (tx.execute(sa.text(f"PRAGMA {name}")).scalar_one() for name in ("page_count", "page_size"))
    assert pages * size / number < 512
