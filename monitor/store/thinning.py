# ruff: noqa: S608 - every piece of these statements is a constant of this module
"""Samples of good runs taken away: the one place that lifts the triggers, inside the transaction that needs it.

Good is a run that was up at once, without a blip and without evidence. Everything else stays for ever, and so do the
good ones that frame an incident: the last before it, those within it, and those after it that confirmed its end.
"""

from __future__ import annotations

from sqlalchemy import text

from monitor.store.database import Transaction

#: So many good samples after an incident stay: as many as any rule (`close_after`) wants to see before it ends one.
_CONFIRMING = 100

_SET = "check_id = :check_id AND location = :location AND slot_us >= :start_us AND slot_us < :end_us"
_SAME = "{0}.check_id = sample.check_id AND {0}.location = sample.location AND {0}.slot_us = sample.slot_us"
_GOOD = (
    f"{_SET} AND outcome = 'up' AND attempts = 1 AND failure_kind IS NULL "
    f"AND NOT EXISTS (SELECT 1 FROM evidence WHERE {_SAME.format('evidence')}) "
    f"AND NOT EXISTS (SELECT 1 FROM evidence_bundle WHERE {_SAME.format('evidence_bundle')}) "
    f"AND NOT EXISTS (SELECT 1 FROM sample_detail d WHERE {_SAME.format('d')} AND d.blip IS NOT NULL)"
)
_COUNT = f"SELECT count(*) FROM sample WHERE {_GOOD}"
_TAKE = f"DELETE FROM sample WHERE {_GOOD}"
# The incidents that may frame a day: those that touch it, the next one, and the last one that was over before it. An
# earlier one reaches no further than that last one, for between two incidents there are good samples.
_INCIDENTS = text(
    "SELECT since_us, last_bad_us, until_us FROM incident WHERE check_id = :check_id "
    "AND since_us < :end_us AND (until_us IS NULL OR until_us >= :start_us) "
    "UNION SELECT since_us, last_bad_us, until_us FROM incident WHERE check_id = :check_id AND since_us = "
    "(SELECT min(since_us) FROM incident WHERE check_id = :check_id AND since_us >= :end_us) "
    "UNION SELECT since_us, last_bad_us, until_us FROM incident WHERE check_id = :check_id AND since_us = "
    "(SELECT max(since_us) FROM incident WHERE check_id = :check_id AND since_us < :start_us) "
    "ORDER BY since_us"
)
_WELL = "check_id = :check_id AND location = :location AND outcome IN ('up', 'degraded')"
_BEFORE = text(f"SELECT max(slot_us) FROM sample WHERE {_WELL} AND slot_us < :since_us")
_AFTER = text(f"SELECT slot_us FROM sample WHERE {_WELL} AND slot_us >= :bad_us ORDER BY slot_us LIMIT {_CONFIRMING}")
_TAKE_DETAIL = text(
    f"DELETE FROM sample_detail WHERE {_SET} AND NOT EXISTS (SELECT 1 FROM sample WHERE "
    + _SAME.format("sample_detail")
    + ")"
)
_TABLES = ("sample", "sample_detail")


def good(tx: Transaction, check_id: str, location: str, start_us: int, end_us: int) -> int:
    """How many samples due in [start, end) could be taken away."""
    but, frames = _but_framing(tx, check_id, location, start_us, end_us)
    key: dict[str, object] = {"check_id": check_id, "location": location, "start_us": start_us, "end_us": end_us}
    return int(tx.execute(text(_COUNT + but), key | frames).scalar_one())


def take_away(
    tx: Transaction, sets: tuple[tuple[str, str], ...], start_us: int, end_us: int
) -> dict[tuple[str, str], int]:
    """Remove the good samples of these checks and locations due in [start, end); how many of each.

    Earlier days first: what frames an incident is found among the samples that are there.
    """
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
        key: dict[str, object] = {"check_id": check_id, "location": location, "start_us": start_us, "end_us": end_us}
        but, frames = _but_framing(tx, check_id, location, start_us, end_us)
        gone[check_id, location] = tx.execute(text(_TAKE + but), key | frames).rowcount
        tx.execute(_TAKE_DETAIL, key)
    if tx.dialect.name == "sqlite":
        for sql in kept:
            tx.exec_driver_sql(sql)
    else:
        for table in _TABLES:
            tx.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER {table}_no_change"))
    return gone


def _but_framing(
    tx: Transaction, check_id: str, location: str, start_us: int, end_us: int
) -> tuple[str, dict[str, object]]:
    """What leaves out the samples of a day that frame an incident, as SQL and its values."""
    key: dict[str, object] = {"check_id": check_id, "location": location, "start_us": start_us, "end_us": end_us}
    frames: list[tuple[int, int]] = []
    for since_us, last_bad_us, until_us in tx.execute(_INCIDENTS, key).all():
        before_us = tx.execute(_BEFORE, key | {"since_us": since_us}).scalar()
        first_us = since_us if before_us is None else before_us
        after = tx.execute(_AFTER, key | {"bad_us": last_bad_us}).scalars().all()
        last_us = end_us if until_us is None else max((until_us, last_bad_us, *after))
        if frames and first_us <= frames[-1][1]:
            frames[-1] = frames[-1][0], max(frames[-1][1], last_us)
        else:
            frames.append((first_us, last_us))
    sql = "".join(f" AND NOT (slot_us BETWEEN :first{n} AND :last{n})" for n in range(len(frames)))
    values: dict[str, object] = {f"first{n}": first for n, (first, _) in enumerate(frames)}
    return sql, values | {f"last{n}": last for n, (_, last) in enumerate(frames)}
