"""Outgoing mail: queued in the transaction that has the news, sent afterwards, marked after that.

So a mail leaves at least once, and twice only where the process died between sending and marking; then with the same
Message-ID. Whoever sends holds a lease on the message; it is taken by one conditional update, so that of two processes
one gets it, on every database.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, case, func, insert, select, update

from monitor.alerts import Told
from monitor.news import FOLLOW_UPS, NEWS, Kind, News, Outgoing, Reader
from monitor.recipients import Channel, Language, channel_of
from monitor.store.database import Transaction
from monitor.store.rows import text_of
from monitor.store.tables import message
from monitor.store.tables import message_recipient as reader


class Settled(StrEnum):
    """What became of a message for one reader, or as a whole. The words are stored."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"  # refused for good, or given up
    SKIPPED = "skipped"  # not needed any more, or its opening never arrived


@dataclass(frozen=True, slots=True, kw_only=True)
class ToSend:
    """A message under our lease.

    Attributes:
        id, root, previous: Message-IDs without host: its own, the thread's first, and the one before it; the last two
            are None for a thread's first message.
        readers: all it was written for.
        ready: addresses it may go to now: still pending, and not waiting for the opening.
        attempts: how often it was tried before.
    """

    id: str
    root: str | None
    previous: str | None
    kind: Kind
    language: Language
    news: News
    incident_id: str | None
    created_us: int
    attempts: int
    readers: tuple[Reader, ...]
    ready: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderState:
    """What became of a message for one reader; `answer` is the server's last word, or ours."""

    address: str
    state: Settled
    settled_us: int | None
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """A message as pages and commands show it."""

    id: str
    kind: Kind
    language: Language
    incident_id: str | None
    created_us: int
    state: Settled
    attempts: int
    due_us: int
    readers: tuple[ReaderState, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How much waits in the outbox, and since when the oldest does."""

    messages: int
    oldest_us: int | None


def add(tx: Transaction, outgoing: Iterable[Outgoing], *, now_us: int) -> tuple[str, ...]:
    """Queue messages.

    Returns:
        The ids of those that were new. What was queued before (the same opening, warning or report; the same recovery)
        is left as it is.
    """
    added = []
    for one in outgoing:
        if not one.readers:
            continue
        kinds = tx.execute(select(message.c.kind, message.c.number).where(message.c.thread == one.thread)).all()
        if one.kind in FOLLOW_UPS:
            if one.kind is not Kind.REMINDER and any(kind == one.kind.value for kind, _ in kinds):
                continue
            number = max((number for _, number in kinds), default=0) + 1
            name = f"{one.thread}.{number}"
        else:
            if kinds:
                continue
            number, name = 0, one.thread
        tx.execute(
            insert(message),
            {
                "id": name,
                "thread": one.thread,
                "number": number,
                "kind": one.kind.value,
                "channel": channel_of(one.readers[0].address),
                "language": one.language,
                "incident_id": one.incident_id,
                "created_us": now_us,
                "content": text_of(NEWS.dump_python(one.news, mode="json", exclude_defaults=True) | _tag(one.news)),
                "state": Settled.PENDING.value,
                "attempts": 0,
                "due_us": now_us,
                "lease_until_us": 0,
                "lease_owner": "",
            },
        )
        tx.execute(
            insert(reader),
            [
                {
                    "message_id": name,
                    "address": who.address,
                    "name": who.name,
                    "state": Settled.PENDING.value,
                    "settled_us": None,
                    "answer": "",
                }
                for who in one.readers
            ],
        )
        if one.kind in (Kind.RECOVERED, Kind.MEASURING):
            _skip_reminders(tx, one.thread, now_us)
        added.append(name)
    return tuple(added)


def told(tx: Transaction, incident_id: str) -> Told:
    """What was queued about an incident so far."""
    rows = tx.execute(
        select(message.c.id, message.c.kind, message.c.language, message.c.created_us, message.c.number)
        .where(message.c.incident_id == incident_id)
        .order_by(message.c.id)
    ).all()
    firsts = [row for row in rows if row.number == 0]
    if not firsts:
        return Told()
    readers = []
    arrived = False
    for first in firsts:
        people = tx.execute(select(reader).where(reader.c.message_id == first.id).order_by(reader.c.address)).all()
        arrived = arrived or any(row.state == Settled.SENT.value for row in people)
        readers.append((first.language, tuple(Reader(address=row.address, name=row.name) for row in people)))
    ends = (Kind.RECOVERED.value, Kind.MEASURING.value)
    return Told(
        opened_us=min(row.created_us for row in firsts),
        arrived=arrived,
        recovered=any(row.kind in ends for row in rows),
        readers=tuple(readers),
    )


def next_due_us(tx: Transaction, channel: Channel = "mail") -> int | None:
    """When the next message may be tried; None where nothing is pending."""
    later = func.min(_when())
    pending = (message.c.state == Settled.PENDING.value, message.c.channel == channel)
    return tx.execute(select(later).where(*pending)).scalar()


def claim(
    tx: Transaction, *, now_us: int, owner: str, lease_us: int, hold_us: int, channel: Channel = "mail"
) -> ToSend | None:
    """Take the oldest message of a channel that is due under a lease; None where none is.

    A follow-up waits until the opening is settled for its reader, and is skipped for a reader whom it never reached.

    Args:
        lease_us: after this, somebody else may try; longer than one attempt can last.
        hold_us: when to look again at a message that can only wait.
    """
    query = (
        select(message.c.id)
        .where(message.c.state == Settled.PENDING.value, message.c.due_us <= now_us, message.c.lease_until_us <= now_us)
        .where(message.c.channel == channel)
        .order_by(message.c.created_us, message.c.number, message.c.id)
    )
    for name in tx.execute(query).scalars().all():
        taken = tx.execute(
            update(message)
            .where(
                message.c.id == name,
                message.c.state == Settled.PENDING.value,
                message.c.due_us <= now_us,
                message.c.lease_until_us <= now_us,
            )
            .values(lease_until_us=now_us + lease_us, lease_owner=owner)
        )
        if taken.rowcount == 0:
            continue
        row = tx.execute(select(message).where(message.c.id == name)).one()
        ready = _ready(tx, row, now_us)
        if ready:
            return _to_send(tx, row, ready)
        _release(tx, name, now_us + hold_us, owner)
    return None


def settle(tx: Transaction, message_id: str, states: Iterable[ReaderState], *, owner: str, due_us: int) -> bool:
    """Write down what became of an attempt, and give the lease back.

    Args:
        states: of the readers it was tried for; pending ones are tried again at `due_us`.

    Returns:
        False where the lease had passed to somebody else; what was sent is marked all the same.
    """
    for one in states:
        tx.execute(
            update(reader)
            .where(
                reader.c.message_id == message_id,
                reader.c.address == one.address,
                reader.c.state != Settled.SENT.value,
            )
            .values(state=one.state.value, settled_us=one.settled_us, answer=one.answer)
        )
    tx.execute(update(message).where(message.c.id == message_id).values(attempts=message.c.attempts + 1))
    return _release(tx, message_id, due_us, owner)


def waiting(tx: Transaction, channel: Channel = "mail") -> Waiting:
    row = tx.execute(
        select(func.count(), func.min(message.c.created_us)).where(
            message.c.state == Settled.PENDING.value, message.c.channel == channel
        )
    ).one()
    return Waiting(messages=row[0], oldest_us=row[1])


def read(tx: Transaction, *, incident_id: str | None = None, limit: int | None = None) -> tuple[Queued, ...]:
    """Messages with what became of them, newest first; only those about one incident, if it is named."""
    query = select(message).order_by(message.c.created_us.desc(), message.c.number.desc(), message.c.id)
    if incident_id is not None:
        query = query.where(message.c.incident_id == incident_id)
    return tuple(_queued(tx, row) for row in tx.execute(query.limit(limit)).all())


def get(tx: Transaction, message_id: str) -> Queued | None:
    row = tx.execute(select(message).where(message.c.id == message_id)).first()
    return _queued(tx, row) if row else None


def _when() -> Any:
    return case((message.c.due_us > message.c.lease_until_us, message.c.due_us), else_=message.c.lease_until_us)


def _tag(news: News) -> dict[str, str]:
    # Which kind of news it is stands at its default, and is what reading it back begins with.
    return {"news": news.news}


def _skip_reminders(tx: Transaction, thread: str, now_us: int) -> None:
    """A reminder that has not left when the incident is over would only confuse."""
    names = tx.execute(
        select(message.c.id).where(
            message.c.thread == thread,
            message.c.kind == Kind.REMINDER.value,
            message.c.state == Settled.PENDING.value,
            message.c.lease_until_us <= now_us,
        )
    ).scalars()
    for name in names.all():
        tx.execute(
            update(reader)
            .where(reader.c.message_id == name, reader.c.state == Settled.PENDING.value)
            .values(state=Settled.SKIPPED.value, settled_us=now_us, answer="the incident is over")
        )
        _close(tx, name)


def _ready(tx: Transaction, row: Row[Any], now_us: int) -> tuple[str, ...]:
    pending = tx.execute(
        select(reader.c.address)
        .where(reader.c.message_id == row.id, reader.c.state == Settled.PENDING.value)
        .order_by(reader.c.address)
    ).scalars()
    addresses = tuple(pending.all())
    if Kind(row.kind) not in FOLLOW_UPS:
        return addresses
    opening = tx.execute(select(reader.c.address, reader.c.state).where(reader.c.message_id == row.thread))
    first = {one.address: one.state for one in opening}
    ready = []
    for address in addresses:
        match Settled(first.get(address, Settled.SKIPPED.value)):
            case Settled.SENT:
                ready.append(address)
            case Settled.PENDING:
                pass
            case Settled.FAILED | Settled.SKIPPED:
                tx.execute(
                    update(reader)
                    .where(reader.c.message_id == row.id, reader.c.address == address)
                    .values(state=Settled.SKIPPED.value, settled_us=now_us, answer="the first mail never arrived there")
                )
    return tuple(ready)


def _release(tx: Transaction, message_id: str, due_us: int, owner: str) -> bool:
    """Give the lease back; where nobody is pending any more, the message is settled too."""
    ours = tx.execute(
        update(message)
        .where(message.c.id == message_id, message.c.lease_owner == owner)
        .values(due_us=due_us, lease_until_us=0, lease_owner="")
    )
    _close(tx, message_id)
    return ours.rowcount == 1


def _close(tx: Transaction, message_id: str) -> None:
    states = set(tx.execute(select(reader.c.state).where(reader.c.message_id == message_id)).scalars())
    if Settled.PENDING.value in states:
        return
    for state in (Settled.SENT, Settled.FAILED, Settled.SKIPPED):
        if state.value in states:
            tx.execute(update(message).where(message.c.id == message_id).values(state=state.value))
            return


def _to_send(tx: Transaction, row: Row[Any], ready: tuple[str, ...]) -> ToSend:
    before = tx.execute(
        select(message.c.id)
        .where(message.c.thread == row.thread, message.c.number < row.number)
        .order_by(message.c.number.desc())
        .limit(1)
    ).scalar()
    people = tx.execute(select(reader).where(reader.c.message_id == row.id).order_by(reader.c.address)).all()
    return ToSend(
        id=row.id,
        root=row.thread if row.number else None,
        previous=before,
        kind=Kind(row.kind),
        language=row.language,
        news=NEWS.validate_json(row.content),
        incident_id=row.incident_id,
        created_us=row.created_us,
        attempts=row.attempts,
        readers=tuple(Reader(address=who.address, name=who.name) for who in people),
        ready=ready,
    )


def _queued(tx: Transaction, row: Row[Any]) -> Queued:
    people = tx.execute(select(reader).where(reader.c.message_id == row.id).order_by(reader.c.address))
    return Queued(
        id=row.id,
        kind=Kind(row.kind),
        language=row.language,
        incident_id=row.incident_id,
        created_us=row.created_us,
        state=Settled(row.state),
        attempts=row.attempts,
        due_us=row.due_us,
        readers=tuple(
            ReaderState(address=who.address, state=Settled(who.state), settled_us=who.settled_us, answer=who.answer)
            for who in people
        ),
    )
