"""Samples of outposts from which something may follow, waiting for the monitor to draw the consequences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select

from monitor.store.database import Transaction
from monitor.store.tables import handed_in
from probes.sample import Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedIn:
    """The place of one sample; `number` counts in the order in which they were stored."""

    number: int
    check_id: str
    location: str
    slot_us: int


def add(tx: Transaction, sample: Sample) -> None:
    """In the transaction that stores the sample."""
    row = {"check_id": sample.check_id, "location": sample.location, "slot_us": sample.slot_us}
    tx.execute(insert(handed_in), row)


def waiting(tx: Transaction, most: int) -> tuple[HandedIn, ...]:
    """The oldest ones."""
    rows = tx.execute(select(handed_in).order_by(handed_in.c.number).limit(most))
    return tuple(HandedIn(**row._mapping) for row in rows)  # noqa: SLF001 - SQLAlchemy's public name for it


def checks(tx: Transaction) -> frozenset[str]:
    """Those of which something waits: how they are is decided only when it was heard."""
    return frozenset(tx.execute(select(handed_in.c.check_id).distinct()).scalars())


def count(tx: Transaction) -> int:
    """How many wait."""
    return tx.execute(select(func.count()).select_from(handed_in)).scalar_one()


def drop(tx: Transaction, done: Sequence[HandedIn]) -> None:
    tx.execute(delete(handed_in).where(handed_in.c.number.in_([one.number for one in done])))
