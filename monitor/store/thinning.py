# ruff: noqa: S608 - every piece of these statements is a constant of this module
"""Samples of good runs taken away: the one place that lifts the triggers, inside the transaction that needs it.

Good is a run that was up at once, without a blip and without evidence. Everything else stays for ever.
"""

from __future__ import annotations

from sqlalchemy import text

from monitor.store.database import Transaction

_SET = "check_id = :check_id AND location = :location AND slot_us >= :start_us AND slot_us < :end_us"
_SAME = "{0}.check_id = sample.check_id AND {0}.location = sample.location AND {0}.slot_us = sample.slot_us"
_GOOD = (
    f"{_SET} AND outcome = 'up' AND attempts = 1 AND failure_kind IS NULL "
    f"AND NOT EXISTS (SELECT 1 FROM evidence WHERE {_SAME.format('evidence')}) "
    f"AND NOT EXISTS (SELECT 1 FROM evidence_bundle WHERE {_SAME.format('evidence_bundle')}) "
    f"AND NOT EXISTS (SELECT 1 FROM sample_detail d WHERE {_SAME.format('d')} AND d.blip IS NOT NULL)"
)
_COUNT = text(f"SELECT count(*) FROM sample WHERE {_GOOD}")
_TAKE = text(f"DELETE FROM sample WHERE {_GOOD}")
_TAKE_DETAIL = text(
    f"DELETE FROM sample_detail WHERE {_SET} AND NOT EXISTS (SELECT 1 FROM sample WHERE "
    + _SAME.format("sample_detail")
    + ")"
)
_TABLES = ("sample", "sample_detail")


def good(tx: Transaction, check_id: str, location: str, start_us: int, end_us: int) -> int:
    """How many samples due in [start, end) could be taken away."""
    key = {"check_id": check_id, "location": location, "start_us": start_us, "end_us": end_us}
    return int(tx.execute(_COUNT, key).scalar_one())


def take_away(
    tx: Transaction, sets: tuple[tuple[str, str], ...], start_us: int, end_us: int
) -> dict[tuple[str, str], int]:
    """Remove the good samples of these checks and locations due in [start, end); how many of each."""
    kept: list[str] = []
    if tx.dialect.name == "sqlite":
        found = text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name = :name")
        for table in _TABLES:
            name, sql = tx.execute(found, {"name": f"{table}_no_delete"}).one()
            kept.append(sql)
            tx.execute(text(f"DROP TRIGGER {name}"))
    else:
        for table in _TABLES:
            tx.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER {table}_no_change"))
    gone: dict[tuple[str, str], int] = {}
    for check_id, location in sets:
        key = {"check_id": check_id, "location": location, "start_us": start_us, "end_us": end_us}
        gone[check_id, location] = tx.execute(_TAKE, key).rowcount
        tx.execute(_TAKE_DETAIL, key)
    if tx.dialect.name == "sqlite":
        for sql in kept:
            tx.exec_driver_sql(sql)
    else:
        for table in _TABLES:
            tx.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER {table}_no_change"))
    return gone
