"""A month of 100 journeys at 30 s, assessed from samples and from folded days, beside SQL and polars on the same file.

The common figure is each journey's measured downtime round the clock, in microseconds; everybody must say the same.
polars is optional: without it its figures are left out. LOKETWACHT_BENCH_JOURNEYS makes the month smaller.
"""

from __future__ import annotations

import os
import random
import sqlite3
import tempfile
import tomllib
from collections.abc import Iterator
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path

from benchmarks.harness import Figure, measured
from monitor.assessing import assess_stored
from monitor.month import month_to_date
from monitor.periodic import write_overview
from monitor.reporting import ReportJob
from monitor.store import days, events
from monitor.store.database import Database
from monitor.store.events import Event
from sla.contract import Contract, parse_contract
from sla.period import parse_period

_SECOND_US = 1_000_000
_DAY_US = 86_400 * _SECOND_US
_KINDS = {"down": "http-status", "degraded": "slow", "unknown": "reference"}
_ZONE = "Europe/Brussels"

_CONTRACT = """\
contract = "BENCH"
authority = "A"
supplier = "B"
timezone = "Europe/Brussels"
[[version]]
number = 1
valid_from = 2026-01-01
valid_until = 2026-12-31
monthly_fee = "100000.00"
contract_value = "1200000.00"
[version.windows.altijd]
weekly = ["mon-sun 00:00-24:00"]
holidays = "open"
"""
_CLAUSE = """\
[[version.clause]]
id = "B-{name}"
kind = "availability"
text = "Beschikbaar."
scope = ["{name}"]
window = "altijd"
period = "{period}"
target = "0.995"
confirm_after = 2
obligation = "result"
sanction = {{ scale = "per-unit", unit = "0.001", amount = "1% of monthly-fee", maximum = "10% of monthly-fee" }}
"""
_RESPONSE = """\
[[version.clause]]
id = "P-{name}"
kind = "response-time"
text = "Vlot."
scope = ["{name}"]
percentile = "95"
limit = "2s"
window = "altijd"
period = "{period}"
obligation = "best-efforts"
"""

# What somebody with SQL would write: each sample speaks until the next, two intervals at most.
_WINDOW_SQL = """\
SELECT check_id, SUM(MIN(until_us, :end_us) - MAX(slot_us, :start_us)) FROM (
  SELECT check_id, slot_us, outcome,
    MIN(slot_us + :hold_us, COALESCE(LEAD(slot_us) OVER (PARTITION BY check_id, location ORDER BY slot_us),
        slot_us + :hold_us)) AS until_us
  FROM sample)
WHERE outcome = 'down' AND slot_us < :end_us AND until_us > :start_us
GROUP BY check_id
"""


def figures() -> Iterator[Figure]:
    journeys = int(os.environ.get("LOKETWACHT_BENCH_JOURNEYS", "100"))
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'month.db'}"
        fill(url, journeys, "2026-10", interval_us=30 * _SECOND_US)
        yield from _month(url, journeys)
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'year.db'}"
        fill(url, 12, "2026", interval_us=60 * _SECOND_US)
        yield from _year_overview(url)
        measured(_folded, url)
        year = measured(_assessed, url, 12, "2026", response=False)
        yield Figure(figure="year of 12 journeys at 1 min, from folded days: s", ours=year.seconds, limit=5)


def _year_overview(url: str) -> Iterator[Figure]:
    raw = measured(_read_through, url)
    samples = measured(_assessed, url, 12, "2026", response=False)
    overview = measured(_overview, url, 12)
    about = "year of 12 journeys at 1 min"
    yield Figure(figure=f"{about}, from samples / reading each once", ours=samples.seconds, peer=raw.seconds)
    yield Figure(figure=f"{about}, year overview with its files: s", ours=overview.seconds)
    beyond = overview.seconds - raw.seconds
    yield Figure(figure=f"{about}, year overview, beyond reading each sample: s", ours=beyond, limit=5)
    yield Figure(figure=f"{about}, year overview: peak MB", ours=overview.peak_mb, limit=500)


def _month(url: str, journeys: int) -> Iterator[Figure]:
    samples = measured(_assessed, url, journeys, "2026-10", response=False)
    timed = measured(_assessed, url, journeys, "2026-10", response=True)
    sql = measured(_by_sql, url)
    folding = measured(_folded, url)
    folded = measured(_assessed, url, journeys, "2026-10", response=False)
    folded_timed = measured(_assessed, url, journeys, "2026-10", response=True)
    to_date = measured(_to_date, url, journeys)
    answers = {"samples": samples, "with response times": timed, "folded": folded, "folded, timed": folded_timed}
    for name, ours in answers.items():
        if ours.answer != sql.answer:
            differing = sorted(ours.answer.items() ^ sql.answer.items())
            raise AssertionError(f"{name}: not the downtime that SQL finds: {differing[:4]}")
    about = f"month of {journeys} journeys at 30 s"
    yield Figure(figure=f"{about}, from samples: s", ours=samples.seconds, limit=10)
    yield Figure(figure=f"{about}, from samples: peak MB", ours=samples.peak_mb, limit=500)
    yield Figure(
        figure=f"{about}, from samples / SQL window", ours=samples.seconds, peer=sql.seconds, limit=0.5, limits="ratio"
    )
    yield Figure(figure=f"{about}, from samples with response times: s", ours=timed.seconds, limit=10)
    yield Figure(figure=f"{about}, from folded days: s", ours=folded.seconds, limit=1)
    yield Figure(figure=f"{about}, from folded days / SQL window", ours=folded.seconds, peer=sql.seconds)
    yield Figure(figure=f"{about}, from folded days with response times: s", ours=folded_timed.seconds, limit=1)
    yield Figure(figure=f"{about}, folding every day once: s", ours=folding.seconds)
    yield Figure(figure=f"{about}, month to date for pages and metrics: s", ours=to_date.seconds, limit=2)
    if find_spec("polars") is not None:
        polars = measured(_by_polars, url)
        if polars.answer != sql.answer:
            raise AssertionError("polars does not find the downtime that SQL finds")
        yield Figure(figure=f"{about}, from samples / polars", ours=samples.seconds, peer=polars.seconds)
        yield Figure(figure=f"{about}, from folded days / polars", ours=folded.seconds, peer=polars.seconds)


# --- what is measured; each runs in a process of its own ------------------------------------------------------------


def _assessed(url: str, journeys: int, period: str, *, response: bool) -> dict[str, int]:
    database = Database.open(url, migrate=False)
    promised = agreed(journeys, "month" if "-" in period else "year", response=response)
    with database.read() as tx:
        found = assess_stored(tx, promised, parse_period(period, _ZONE), ready_made=True)
    database.close()
    judged = [
        (c.clause.scope[0], c.totals.down_us) for c in found.clauses if c.clause.kind == "availability" and c.totals
    ]
    return {name: down_us for name, down_us in judged if down_us}  # as SQL: who was never down has no row


def _to_date(url: str, journeys: int) -> None:
    assert month_to_date(url, agreed(journeys, "month", response=False), parse_period("2026-10", _ZONE).end_us - 1)


def _folded(url: str) -> int:
    database = Database.open(url, migrate=False, durable=False)
    number = days.fold(database, until_us=1 << 60)
    database.close()
    return number


def _overview(url: str, journeys: int) -> None:
    """The yearly overview with its files, as the service writes it; its reports rest on samples, not on folded days."""
    with tempfile.TemporaryDirectory() as folder:
        job = ReportJob(
            database_url=url,
            contract=agreed(journeys, "month", response=False),
            period="2026",
            portal="Loket",
            titles={},
            location="lokaal",
            software="benchmark",
            config_sha256="0" * 64,
            contact="",
            directory=Path(folder),
            now_us=parse_period("2026", _ZONE).end_us + 2 * _DAY_US,
        )
        assert write_overview(job).files


def _read_through(url: str) -> int:
    """Fetches every sample once, and does nothing with it."""
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        rows = connection.execute("SELECT check_id, location, slot_us, outcome, failure_kind, attempts FROM sample")
        return sum(1 for _ in rows)


def _by_sql(url: str) -> dict[str, int]:
    period = parse_period("2026-10", _ZONE)
    about = {"start_us": period.start_us, "end_us": period.end_us, "hold_us": 60 * _SECOND_US}
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        return dict(connection.execute(_WINDOW_SQL, about).fetchall())


def _by_polars(url: str) -> dict[str, int]:
    import polars as pl

    period = parse_period("2026-10", _ZONE)
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        rows = connection.execute("SELECT check_id, location, slot_us, outcome FROM sample")
        schema = {
            "check_id": pl.Categorical,
            "location": pl.Categorical,
            "slot_us": pl.Int64,
            "outcome": pl.Categorical,
        }
        frames = []
        while batch := rows.fetchmany(500_000):
            frames.append(pl.DataFrame(batch, schema=schema, orient="row"))
    slot, held = pl.col("slot_us"), pl.col("slot_us") + 60 * _SECOND_US
    following = slot.shift(-1).over("check_id", "location")
    found = (
        pl.concat(frames)
        .with_columns(until_us=pl.min_horizontal(held, following))
        .filter(pl.col("outcome") == "down", slot < period.end_us, pl.col("until_us") > period.start_us)
        .with_columns(
            down_us=pl.col("until_us").clip(upper_bound=period.end_us) - slot.clip(lower_bound=period.start_us)
        )
        .group_by("check_id")
        .agg(pl.col("down_us").sum())
    )
    return {str(name): int(down_us) for name, down_us in found.iter_rows()}


# --- the store that all of them read --------------------------------------------------------------------------------


def agreed(journeys: int, period: str, *, response: bool) -> Contract:
    names = [f"reis-{number:03}" for number in range(journeys)]
    clauses = _CLAUSE + _RESPONSE if response else _CLAUSE
    text = _CONTRACT + "".join(clauses.format(name=name, period=period) for name in names)
    return parse_contract(tomllib.loads(text, parse_float=Decimal))


def fill(url: str, journeys: int, period: str, *, interval_us: int) -> None:
    """Samples with a day on either side: some ten troubles a month for each journey, of every kind, short and long."""
    span = parse_period(period, _ZONE)
    Database.open(url).close()
    database = Database.open(url, durable=False)
    with database.begin() as tx:
        for number in range(journeys):
            name, at_us = f"reis-{number:03}", span.start_us - 2 * _DAY_US
            events.add(tx, Event(at_us=at_us, kind="interval", check_id=name, data={"interval_us": interval_us}))
    database.close()
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        for number in range(journeys):
            rows = _rows(f"reis-{number:03}", random.Random(number), span.start_us, span.end_us, interval_us)  # noqa: S311
            connection.executemany("INSERT INTO sample VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
            connection.commit()


def _rows(
    name: str, chance: random.Random, start_us: int, end_us: int, interval_us: int
) -> Iterator[tuple[str, str, int, int, int, str, str | None, int, int]]:
    first_us = start_us - _DAY_US + chance.randrange(interval_us // _SECOND_US) * _SECOND_US
    trouble, left = "", 0
    for slot_us in range(first_us, end_us + _DAY_US, interval_us):
        if not left and chance.random() < 1 / 8_000:
            trouble = chance.choice(("down", "down", "degraded", "unknown", "missing", "again"))
            left = chance.choice((1, 2, chance.randrange(1, 60)))
        outcome = trouble if left else "up"
        left = max(0, left - 1)
        if outcome == "missing":
            continue
        attempts = 2 if outcome in ("down", "again") else 1
        outcome = "up" if outcome == "again" else outcome
        taken_us = 300_000 + int(chance.expovariate(1 / 200_000))
        yield name, "lokaal", slot_us, slot_us + 900, taken_us, outcome, _KINDS.get(outcome), attempts, 300
