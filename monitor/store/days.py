"""Days of samples, folded: runs of equal samples in place of every one, so that a month is read in a moment.

A day is one of UTC, of one check and location. A stored day says exactly what its samples say, and nothing else: it is
made from them alone, and a trigger takes it away when another sample of that day arrives. A day that is not stored is
folded from its samples where it is asked for. So no figure depends on which days are stored, only its speed.
"""

from __future__ import annotations

import json
import sys
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, bindparam, case, delete, func, insert, select, text

from monitor.store import places
from monitor.store.database import Database, Transaction
from monitor.store.rows import text_of
from monitor.store.tables import sample as narrow
from monitor.store.tables import sample_day as stored
from probes.sample import FailureKind, Outcome

DAY_US = 86_400 * 1_000_000

_HERE = (narrow.c.check_id == bindparam("check_id"), narrow.c.location == bindparam("location"))
_DUE = (*_HERE, narrow.c.slot_us >= bindparam("start_us"), narrow.c.slot_us < bindparam("end_us"))
_SLOT = narrow.c.slot_us
# Built once, for they run for every day.
_FIRST_TWO = select(_SLOT).where(*_DUE).order_by(_SLOT).limit(2)
_REGULAR = select(
    func.count(),
    func.max(_SLOT),
    func.sum(
        case(
            (
                and_(
                    narrow.c.outcome == Outcome.UP.value,
                    narrow.c.attempts == 1,
                    narrow.c.failure_kind.is_(None),
                    (_SLOT - bindparam("first_us")) % bindparam("step_us") == 0,
                ),
                1,
            ),
            else_=0,
        )
    ),
).where(*_DUE)
_ROWS = select(_SLOT, narrow.c.outcome, narrow.c.failure_kind, narrow.c.attempts).where(*_DUE).order_by(_SLOT)
_DURATIONS = select(narrow.c.duration_us).where(*_DUE).order_by(_SLOT)
# Two questions: an index has the least and the greatest at its ends, but not both in one look.
_EDGES = select(
    select(func.min(_SLOT)).where(*_HERE).scalar_subquery(), select(func.max(_SLOT)).where(*_HERE).scalar_subquery()
)
_STORED_EDGES = select(func.min(stored.c.day_us), func.max(stored.c.day_us)).where(
    stored.c.check_id == bindparam("check_id"), stored.c.location == bindparam("location")
)
_STORED = select(stored.c.day_us, stored.c.runs).where(
    stored.c.check_id == bindparam("check_id"),
    stored.c.location == bindparam("location"),
    stored.c.day_us >= bindparam("start_us"),
    stored.c.day_us < bindparam("end_us"),
)
_STORED_TIMED = _STORED.add_columns(stored.c.durations)
_INSERT = insert(stored)


class Run(NamedTuple):
    """Consecutive samples of a check at one location that are alike but for when they were due and how long they took.

    Attributes:
        step_us: from one slot to the next; 1 where there is only one sample.
        number: of samples, at least 1.
        durations_us: of each of them in turn; empty where nobody asked.
    """

    first_us: int
    step_us: int
    number: int
    outcome: Outcome
    failure_kind: FailureKind | None
    attempts: int
    durations_us: Sequence[int] = ()

    def within(self, start_us: int, end_us: int) -> Run | None:
        """The part due in [start, end); None where there is none."""
        skipped = max(0, -((self.first_us - start_us) // self.step_us))
        number = min(self.number, -((self.first_us - end_us) // self.step_us)) - skipped
        if number <= 0:
            return None
        first_us = self.first_us + skipped * self.step_us
        durations = self.durations_us[skipped : skipped + number]
        return self._replace(first_us=first_us, number=number, durations_us=durations)


def read(
    tx: Transaction,
    check_id: str,
    location: str,
    start_us: int,
    end_us: int,
    *,
    durations: bool = False,
    ready_made: bool = True,
) -> Iterator[Run]:
    """What the samples due in [start, end) say, oldest first.

    Args:
        durations: with how long each took.
        ready_made: from stored days where there are some; False looks at the samples alone.
    """
    edges = _edges(tx, check_id, location)
    if edges is None:
        return
    first_us, last_us = edges
    start_us, end_us = max(start_us, first_us), min(end_us, last_us + 1)
    key = {"check_id": check_id, "location": location, "start_us": _day(start_us), "end_us": end_us}
    query = _STORED_TIMED if durations else _STORED
    ready = {row.day_us: row for row in tx.execute(query, key)} if ready_made else {}
    for day_us in range(_day(start_us), end_us, DAY_US):
        from_us, to_us = max(day_us, start_us), min(day_us + DAY_US, end_us)
        if (row := ready.get(day_us)) is None:
            yield from folded(tx, check_id, location, from_us, to_us, durations=durations)
            continue
        runs = _unpacked(row.runs, row.durations if durations else b"")
        if from_us == day_us and to_us == day_us + DAY_US:
            yield from runs
        else:
            yield from (part for run in runs if (part := run.within(from_us, to_us)) is not None)


def folded(
    tx: Transaction, check_id: str, location: str, start_us: int, end_us: int, *, durations: bool = False
) -> list[Run]:
    """The samples due in [start, end) as runs, from the samples themselves."""
    key: dict[str, object] = {"check_id": check_id, "location": location, "start_us": start_us, "end_us": end_us}
    runs = _regular(tx, key)
    if runs is None:
        runs = _joined(_rows(tx, _ROWS, key))
    if not durations:
        return runs
    return _timed(runs, array("q", chain.from_iterable(_rows(tx, _DURATIONS, key))))


def fold(database: Database, *, until_us: int) -> int:
    """Store every day before `until_us` that is not stored yet, each in a transaction of its own.

    Returns:
        How many days there were.
    """
    with database.read() as tx:
        missing = tuple(_missing(tx, until_us))
    for check_id, location, day_us in missing:
        with database.begin() as tx:
            if tx.dialect.name == "postgresql":
                # Nobody may add a sample between reading the day and storing it; SQLite has one writer anyway.
                tx.execute(text("LOCK TABLE sample IN SHARE MODE"))
            _store(tx, check_id, location, day_us)
    return len(missing)


def forget(tx: Transaction, *, but: Iterable[int] = ()) -> None:
    """Take every stored day away; `fold` makes them anew.

    Args:
        but: starts of days that stay: their samples are not all there any more.
    """
    tx.execute(delete(stored).where(stored.c.day_us.not_in(tuple(but))))


def store_anew(tx: Transaction, check_id: str, location: str, day_us: int) -> None:
    """Store a day from its samples, also where it is stored already."""
    tx.execute(delete(stored).filter_by(check_id=check_id, location=location, day_us=day_us))
    _store(tx, check_id, location, day_us)


def _edges(tx: Transaction, check_id: str, location: str) -> tuple[int, int] | None:
    """The first and the last instant something is known of; None where nothing is.

    A stored day whose samples are gone still counts, whole.
    """
    key = {"check_id": check_id, "location": location}
    first_us, last_us = tx.execute(_EDGES, key).one()
    oldest_us, newest_us = tx.execute(_STORED_EDGES, key).one()
    if first_us is None:
        return None if oldest_us is None else (int(oldest_us), int(newest_us) + DAY_US - 1)
    if oldest_us is None:
        return int(first_us), int(last_us)
    return min(int(first_us), int(oldest_us)), max(int(last_us), int(newest_us) + DAY_US - 1)


def first_difference(tx: Transaction, *, but: Iterable[int] = ()) -> tuple[str, str, int] | None:
    """The first stored day (check, location, start) that does not say what its samples say; None where all do.

    Args:
        but: starts of days that are not looked at: their samples are not all there any more.
    """
    left_out = frozenset(but)
    for key in tx.execute(select(*stored.primary_key).order_by(*stored.primary_key)).all():
        if key.day_us in left_out:
            continue
        kept = select(stored.c.runs, stored.c.durations).filter_by(**key._mapping)  # noqa: SLF001
        row = tx.execute(kept).one()
        if (row.runs, bytes(row.durations)) != _packed(tx, key.check_id, key.location, key.day_us):
            return key.check_id, key.location, int(key.day_us)
    return None


# --- from samples to runs ------------------------------------------------------------------------------------------


def _regular(tx: Transaction, key: dict[str, object]) -> list[Run] | None:
    """The runs where every sample was up at once and none is missing; None where it takes a closer look.

    The database counts: so many different slots on a grid, with so many places from the first to the last, are all of
    them. Most days are such a day, and none of their samples has to be fetched.
    """
    slots = list(tx.execute(_FIRST_TWO, key).scalars())
    if len(slots) < 2:
        return None if slots else []
    first_us, step_us = slots[0], slots[1] - slots[0]
    count, last_us, alike = tx.execute(_REGULAR, key | {"first_us": first_us, "step_us": step_us}).one()
    if alike != count or last_us != first_us + (count - 1) * step_us:
        return None
    return [Run(first_us, step_us, count, Outcome.UP, None, 1)]


def _rows(tx: Transaction, query: Select[Any], key: Mapping[str, object]) -> Sequence[Sequence[Any]]:
    """A day's rows. SQLite's driver gives them in a third of SQLAlchemy's time, and a month has millions.

    On PostgreSQL SQLAlchemy reads ahead, so that what its cursor still holds is not everything.
    """
    result = tx.execute(query, key)
    if tx.dialect.name != "sqlite" or result.cursor is None:
        return result.all()
    try:
        return result.cursor.fetchall()
    finally:
        result.close()


def _joined(rows: Iterable[Sequence[Any]]) -> list[Run]:
    found: list[Run] = []
    first_us = last_us = step_us = number = 0
    before: Sequence[Any] = ()

    def close() -> None:
        if number:
            found.append(_run((first_us, step_us if number > 1 else 1, number, *before)))

    for slot_us, *alike in rows:
        distance_us = slot_us - last_us
        if alike == before and (distance_us == step_us or number == 1):
            step_us = distance_us
            number += 1
        else:
            close()
            first_us, number, before = slot_us, 1, alike
        last_us = slot_us
    close()
    return found


def _run(cells: Sequence[Any]) -> Run:
    first_us, step_us, number, outcome, kind, attempts = cells
    return Run(first_us, step_us, number, Outcome(outcome), FailureKind(kind) if kind else None, attempts)


def _timed(runs: Iterable[Run], taken_us: Sequence[int]) -> list[Run]:
    found, at = [], 0
    for run in runs:
        found.append(run._replace(durations_us=taken_us[at : at + run.number]))
        at += run.number
    return found


# --- stored days ---------------------------------------------------------------------------------------------------


def _missing(tx: Transaction, until_us: int) -> Iterator[tuple[str, str, int]]:
    checks = places.checks(tx)
    there = {tuple(row) for row in tx.execute(select(*stored.primary_key))}
    for check_id, location in [(check, where) for check in checks for where in places.locations(tx, check)]:
        first_us, last_us = tx.execute(_EDGES, {"check_id": check_id, "location": location}).one()
        for day_us in range(_day(first_us), min(last_us + 1, _day(until_us)), DAY_US):
            if (check_id, location, day_us) not in there:
                yield check_id, location, day_us


def _store(tx: Transaction, check_id: str, location: str, day_us: int) -> None:
    key = {"check_id": check_id, "location": location, "day_us": day_us}
    if tx.execute(select(stored.c.day_us).filter_by(**key)).first() is None:
        runs, durations = _packed(tx, check_id, location, day_us)
        tx.execute(_INSERT, key | {"runs": runs, "durations": durations})


def _packed(tx: Transaction, check_id: str, location: str, day_us: int) -> tuple[str, bytes]:
    runs = folded(tx, check_id, location, day_us, day_us + DAY_US, durations=True)
    taken = array("q")
    for run in runs:
        taken.extend(run.durations_us)
    packed = array("I", taken) if not taken or max(taken) < 1 << 32 else taken  # four bytes hold more than an hour
    if sys.byteorder == "big":
        packed.byteswap()
    cells = [[r.first_us, r.step_us, r.number, r.outcome, r.failure_kind, r.attempts] for r in runs]
    return text_of(cells), packed.tobytes()


def _unpacked(runs: str, durations: bytes) -> list[Run]:
    found = [_run(cells) for cells in json.loads(runs)]
    if not durations:
        return found
    taken: array[int] = array("I" if len(durations) == 4 * sum(run.number for run in found) else "q")
    taken.frombytes(durations)
    if sys.byteorder == "big":
        taken.byteswap()
    return _timed(found, taken)


def _day(at_us: int) -> int:
    """The start of an instant's day of UTC."""
    return at_us - at_us % DAY_US
