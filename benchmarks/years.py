"""Three years of six journeys at one minute in one SQLite file, a journey of five steps each: a month's whole report.

The report is written as the service writes it, with every file in both languages, its PDFs included; beside it the same
report from a store that holds its month alone. LOKETWACHT_BENCH_MONTHS makes the years shorter.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.harness import Figure, measured
from benchmarks.sla_month import agreed, fill
from monitor import sealing
from monitor.reporting import ReportJob, drawn_up, write
from monitor.store import events, samples
from monitor.store.database import Database
from monitor.store.events import Event
from probes.sample import Outcome, Phases, Sample, StepOutcome, StepResult
from sla.period import parse_period

_MONTH, _ZONE, _JOURNEYS = "2026-10", "Europe/Brussels", 6
_DAY_US = 86_400_000_000
_COPY_US = 31 * _DAY_US
_MINUTE_US = 60_000_000
_SECONDS, _BYTES = 10, 512

#: The month so many times 31 days earlier, up to where the next copy begins; in the order in which it would have come.
_COPY = """\
INSERT INTO sample
SELECT check_id, location, slot_us - :earlier, started_us - :earlier, duration_us, outcome, failure_kind, attempts,
  lag_us
FROM source.sample WHERE slot_us < :until ORDER BY slot_us
"""
_DETAILS = """\
INSERT INTO sample_detail (check_id, location, slot_us, run_id, steps)
SELECT check_id, location, slot_us - :earlier, lower(hex(randomblob(8))), :steps
FROM source.sample WHERE slot_us < :until ORDER BY slot_us
"""


def figures() -> Iterator[Figure]:
    months = int(os.environ.get("LOKETWACHT_BENCH_MONTHS", "36"))
    with tempfile.TemporaryDirectory() as folder:
        long, alone = (f"sqlite:///{Path(folder) / name}" for name in ("years.db", "month.db"))
        source = Path(folder) / "source.db"
        fill(f"sqlite:///{source}", _JOURNEYS, _MONTH, interval_us=_MINUTE_US)
        number = _filled(long, source, months)
        _filled(alone, source, 1)
        size = Path(long.removeprefix("sqlite:///")).stat().st_size
        whole, drawn = measured(_written, long), measured(_drawn, long)
        beside = measured(_drawn, alone)
        if drawn.answer != beside.answer:
            raise AssertionError("the years before a month change its report")
    about = f"{months} months of {_JOURNEYS} journeys at 1 min"
    yield Figure(
        figure=f"{about}, a month's report / {_SECONDS} s", ours=whole.seconds, peer=_SECONDS, limit=1, limits="ratio"
    )
    yield Figure(figure=f"{about}, the same: s of CPU", ours=whole.answer)
    yield Figure(figure=f"{about}, the same: peak MB", ours=whole.peak_mb)
    yield Figure(figure=f"{about}, without PDFs / a store of that month alone", ours=drawn.seconds, peer=beside.seconds)
    yield Figure(
        figure=f"{about}, bytes of the file a sample / {_BYTES}",
        ours=size / number,
        peer=_BYTES,
        limit=1,
        limits="ratio",
    )


def _job(url: str, folder: Path) -> ReportJob:
    return ReportJob(
        database_url=url,
        contract=agreed(_JOURNEYS, "month", response=True),
        period=_MONTH,
        portal="Loket",
        titles={},
        location="lokaal",
        software="benchmark",
        config_sha256="0" * 64,
        contact="",
        directory=folder,
        now_us=parse_period(_MONTH, _ZONE).end_us + 2 * _DAY_US,
    )


def _written(url: str) -> float:
    """With every file; the seconds of CPU it took, which a busy machine spoils less."""
    began = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        assert not write(_job(url, Path(folder))).without_pdf
    return time.process_time() - began


def _drawn(url: str) -> tuple[int, ...]:
    """All but the PDFs; each clause's downtime, which must be the same however long the store."""
    _, assessment, _ = drawn_up(_job(url, Path()))
    return tuple(c.totals.down_us for c in assessment.clauses if c.totals is not None)


# --- the stores ----------------------------------------------------------------------------------------------------


def _filled(url: str, source: Path, months: int) -> int:
    """So many months that end with the report's own, with steps and a seal for each day; how many samples there are."""
    begins_us = parse_period(_MONTH, _ZONE).start_us - months * _COPY_US
    Database.open(url).close()
    database = Database.open(url, durable=False)
    digests = (sealing.digest_of((begins_us // _DAY_US + day) * _DAY_US, {}) for day in range(months * 31))
    with database.begin() as tx:
        for number in range(_JOURNEYS):
            data: dict[str, str | int | bool | None] = {"interval_us": _MINUTE_US}
            events.add(tx, Event(at_us=begins_us, kind="interval", check_id=f"reis-{number:03}", data=data))
        sealing.record(tx, digests, now_us=parse_period(_MONTH, _ZONE).end_us)
    database.close()
    steps = _five_steps()
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("ATTACH ? AS source", (str(source),))
        for copies in reversed(range(months)):
            # The source begins a day before the month.
            until_us = parse_period(_MONTH, _ZONE).start_us - _DAY_US + _COPY_US if copies else 1 << 62
            moved = {"earlier": copies * _COPY_US, "until": until_us}
            connection.execute(_COPY, moved)
            connection.execute(_DETAILS, moved | {"steps": steps})
            connection.commit()
        connection.execute("PRAGMA main.wal_checkpoint(TRUNCATE)")
        return int(connection.execute("SELECT count(*) FROM main.sample").fetchone()[0])


def _five_steps() -> str:
    """What a journey of five steps leaves behind, as the store itself writes it."""
    phases = Phases(resolve_us=900, connect_us=1100, tls_us=2100, processing_us=160_000, transfer_us=16_000)
    steps = tuple(
        StepResult(
            step=f"stap-{number}",
            outcome=StepOutcome.OK,
            duration_us=180_000 + number,
            phases=phases,
            status=200,
            body_bytes=23_456,
            assertions=3,
        )
        for number in range(5)
    )
    sample = Sample(
        check_id="reis-000",
        location="lokaal",
        slot_us=0,
        started_us=0,
        duration_us=900_000,
        outcome=Outcome.UP,
        run_id="0" * 16,
        steps=steps,
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "one.db"
        database = Database.open(f"sqlite:///{path}", durable=False)
        with database.begin() as tx:
            samples.add(tx, sample)
        database.close()
        with sqlite3.connect(path) as connection:
            return str(connection.execute("SELECT steps FROM sample_detail").fetchone()[0])
