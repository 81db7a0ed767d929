"""What happened to the monitor itself: starts and stops, missed slots, sleep, clock jumps, configurations."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sqlalchemy import insert, select

from monitor.store.database import Transaction
from monitor.store.rows import storable, text_of
from monitor.store.tables import event


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One happening.

    Attributes:
        kind: `start`, `stop`, `missed-slots`, `sleep`, `clock-jump`, `config`, `mail-given-up`, …; see GLOSSARY.
        check_id: None where it concerns the whole monitor.
        data: plain JSON values.
    """

    at_us: int
    kind: str
    check_id: str | None = None
    data: Mapping[str, str | int | bool | None] = field(default_factory=dict)


def add(tx: Transaction, happened: Event) -> None:
    tx.execute(
        insert(event),
        {
            "at_us": happened.at_us,
            "kind": storable(happened.kind),
            "check_id": happened.check_id,
            "data": text_of(dict(happened.data)),
        },
    )


def add_once(tx: Transaction, happened: Event) -> None:
    """As `add`; nothing where it stands there already, for who gives it may not know whether it was taken before."""
    if happened not in read(tx, happened.at_us, happened.at_us + 1, kinds=(happened.kind,)):
        add(tx, happened)


def read(tx: Transaction, start_us: int, end_us: int, *, kinds: tuple[str, ...] = ()) -> Iterator[Event]:
    """Events in [start, end), oldest first; only of the given kinds, if any are given."""
    query = select(event).where(event.c.at_us >= start_us, event.c.at_us < end_us).order_by(event.c.at_us, event.c.id)
    if kinds:
        query = query.where(event.c.kind.in_(kinds))
    for row in tx.execute(query):
        yield Event(at_us=row.at_us, kind=row.kind, check_id=row.check_id, data=json.loads(row.data))


def last(tx: Transaction, kind: str) -> Event | None:
    """The latest event of a kind; None where there never was one."""
    row = tx.execute(select(event).where(event.c.kind == kind).order_by(event.c.id.desc()).limit(1)).first()
    return Event(at_us=row.at_us, kind=row.kind, check_id=row.check_id, data=json.loads(row.data)) if row else None
