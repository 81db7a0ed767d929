"""The ledger: entries sealed in a chain. Nothing changes or removes one; triggers refuse those who try."""

from __future__ import annotations

import json
from collections.abc import Iterator, Set
from typing import Any

from sqlalchemy import Row, func, insert, select, text

from monitor.store.database import Transaction
from monitor.store.rows import text_of
from monitor.store.tables import ledger
from sla.ledger import Entry, Sealed, seal


def append(tx: Transaction, entry: Entry) -> Sealed:
    """Seal an entry behind the last one. `entry.recorded_us` is the caller's clock, now.

    Raises:
        StoreRefused: at the end of the transaction, if the entry cannot be held (a NUL character in a text).
    """
    if tx.dialect.name == "postgresql":
        # Two writers would both seal behind the same entry; the second one waits for the first to commit.
        tx.execute(text("LOCK TABLE ledger IN SHARE ROW EXCLUSIVE MODE"))
    [sealed] = seal([entry], after=head(tx))
    tx.execute(
        insert(ledger),
        {
            "seq": sealed.seq,
            "kind": entry.kind,
            "recorded_us": entry.recorded_us,
            "author": entry.by,
            "reason": entry.reason,
            "from_us": entry.from_us,
            "until_us": entry.until_us,
            "scope": text_of(list(entry.scope)),
            "data": text_of(dict(entry.data)),
            "supersedes": entry.supersedes,
            "previous": sealed.previous,
            "hash": sealed.hash,
        },
    )
    return sealed


def head(tx: Transaction) -> Sealed | None:
    """The last entry; None where the ledger is empty."""
    row = tx.execute(select(ledger).order_by(ledger.c.seq.desc()).limit(1)).first()
    return _sealed(row) if row else None


def read(tx: Transaction, *, kinds: tuple[str, ...] = ()) -> Iterator[Sealed]:
    """Entries in their order; only those of the given kinds, if any are given."""
    query = select(ledger).order_by(ledger.c.seq)
    if kinds:
        query = query.where(ledger.c.kind.in_(kinds))
    for row in tx.execute(query):
        yield _sealed(row)


def in_force(tx: Transaction, kind: str, at_us: int) -> tuple[Sealed, ...]:
    """Entries of a kind whose valid time holds `at_us` and that no later entry supersedes."""
    replaced = select(ledger.c.supersedes).where(ledger.c.supersedes.is_not(None))
    query = (
        select(ledger)
        .where(
            ledger.c.kind == kind,
            ledger.c.from_us <= at_us,
            (ledger.c.until_us > at_us) | ledger.c.until_us.is_(None),
            ledger.c.seq.not_in(replaced),
        )
        .order_by(ledger.c.seq)
    )
    return tuple(_sealed(row) for row in tx.execute(query))


def ended(tx: Transaction, kind: str, since_us: int, now_us: int) -> Iterator[tuple[Sealed, int]]:
    """Entries of a kind whose valid time came to its end after `since_us` and not after `now_us`, and that end.

    What superseded one before its time was over ended it when that was recorded.
    """
    later = ledger.alias()
    query = (
        select(ledger, func.min(later.c.recorded_us).label("superseded_us"))
        .outerjoin(later, later.c.supersedes == ledger.c.seq)
        .where(
            ledger.c.kind == kind,
            ledger.c.from_us <= now_us,
            (ledger.c.until_us > since_us) | ledger.c.until_us.is_(None),
        )
        .group_by(ledger.c.seq)
        .order_by(ledger.c.seq)
    )
    for row in tx.execute(query):
        ends = [one for one in (row.until_us, row.superseded_us) if one is not None]
        if ends and since_us < min(ends) <= now_us and min(ends) > row.from_us:
            yield _sealed(row), min(ends)


def naming(tx: Transaction, key: str, values: Set[str], *, kinds: tuple[str, ...]) -> Iterator[Sealed]:
    """Entries of these kinds whose data has one of these values under this key, in their order."""
    for row in tx.execute(select(ledger).where(ledger.c.kind.in_(kinds)).order_by(ledger.c.seq)):
        if json.loads(row.data).get(key) in values:
            yield _sealed(row)


def _sealed(row: Row[Any]) -> Sealed:
    return Sealed(
        seq=row.seq,
        entry=Entry(
            kind=row.kind,
            recorded_us=row.recorded_us,
            by=row.author,
            reason=row.reason,
            from_us=row.from_us,
            until_us=row.until_us,
            scope=tuple(json.loads(row.scope)),
            data=json.loads(row.data),
            supersedes=row.supersedes,
        ),
        previous=row.previous,
        hash=row.hash,
    )
