"""Messages on their way out of the outbox: taken under a lease, gathered where they are too many, and marked after.

Whoever sends holds a lease on the message; it is taken by one conditional update, so that of two processes one gets it,
on every database.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, case, func, select, update

from monitor.courtesy import BY_THEMSELVES, HOUR_US, PLAIN, Courtesy
from monitor.news import FOLLOW_UPS, NEWS, DigestNews, Gathered, Kind, News, Outgoing, Reader
from monitor.recipients import Channel, Language
from monitor.store.database import Transaction
from monitor.store.outbox import ReaderState, Settled, add, close, people
from monitor.store.tables import message
from monitor.store.tables import message_recipient as reader


@dataclass(frozen=True, slots=True, kw_only=True)
class ToSend:
    """A message under our lease.

    Attributes:
        id, root, previous: Message-IDs without host: its own, the thread's first, and the one before it; the last two
            are None for a thread's first message.
        readers: all it was written for.
        ready: addresses it may go to now: still pending, and not waiting for the opening.
        attempts: how often it was tried before.
        timezone: of the times in it; None: the monitor's.
        tried: since when it is tried in vain, for each of `ready` for whom it was tried before.
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
    timezone: str | None = None
    tried: Mapping[str, int] = field(default_factory=dict)


def next_due_us(tx: Transaction, channel: Channel = "mail") -> int | None:
    """When the next message may be tried; None where nothing is pending."""
    later = func.min(_when())
    pending = (message.c.state == Settled.PENDING.value, message.c.channel == channel)
    return tx.execute(select(later).where(*pending)).scalar()


def claim(
    tx: Transaction,
    *,
    now_us: int,
    owner: str,
    lease_us: int,
    hold_us: int,
    channel: Channel = "mail",
    courtesy: Courtesy = PLAIN,
) -> ToSend | None:
    """Take the oldest message of a channel that is due under a lease; None where none is.

    A follow-up waits until what came first is settled for its reader, and is skipped for a reader whom that never
    reached. What `courtesy` holds back waits as well; what it gathers becomes a digest, a message like any other.

    Args:
        lease_us: after this, somebody else may try; longer than one attempt can last.
        hold_us: when to look again at a message that can only wait.
    """
    gathered = True
    while gathered:
        gathered = False
        for name in _due(tx, channel, now_us):
            row = _leased(tx, name, now_us=now_us, until_us=now_us + lease_us, owner=owner)
            if row is None:
                continue
            ready, waits = [], []
            addresses = _ready(tx, row, now_us)
            if len(addresses) < _pending(tx, row.id):
                # What came first has not reached somebody yet; nobody else's quiet hours put that off.
                waits.append(now_us + hold_us)
            for address in addresses:
                sent = _sent_lately(tx, address, now_us)
                rest_us = courtesy.rest_until_us(Kind(row.kind), address, sent, now_us)
                if rest_us is not None:
                    waits.append(rest_us)
                elif courtesy.gathers(Kind(row.kind), address, sent, now_us) and _gather(
                    tx, row, address, courtesy=courtesy, now_us=now_us, owner=owner
                ):
                    gathered = True
                else:
                    ready.append(address)
            if ready:
                return _to_send(tx, row, tuple(ready))
            _release(tx, name, min(waits, default=now_us + hold_us), owner)
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
            .values(
                state=one.state.value,
                settled_us=one.settled_us,
                answer=one.answer,
                server=one.server,
                tried_us=one.tried_us,
            )
        )
    tx.execute(update(message).where(message.c.id == message_id).values(attempts=message.c.attempts + 1))
    return _release(tx, message_id, due_us, owner)


def _gather(tx: Transaction, row: Row[Any], address: str, *, courtesy: Courtesy, now_us: int, owner: str) -> bool:
    """Queue one digest of all that waits for an address, `row` among it; False where nothing else does.

    What is on its way at this moment, by us or by another process, is left to go by itself.
    """
    found = [row]
    for name in _waiting_for(tx, address, now_us):
        other = tx.execute(select(message).where(message.c.id == name)).one()
        kind = Kind(other.kind)
        if name == row.id or courtesy.rest_until_us(kind, address, (), now_us) is not None or kind in BY_THEMSELVES:
            continue
        known = {one.thread for one in found}
        if kind in FOLLOW_UPS and other.thread not in known and address not in _ready(tx, other, now_us):
            continue
        if _leased(tx, name, now_us=now_us, until_us=now_us + 1, owner=owner) is not None:
            found.append(other)
    if len(found) == 1:
        return False
    found.sort(key=lambda one: (one.created_us, one.number, one.id))
    who = tx.execute(select(reader).where(reader.c.message_id == row.id, reader.c.address == address)).one()
    [digest] = add(
        tx,
        (
            Outgoing(
                thread=f"digest.{now_us}.{hashlib.sha256(address.encode()).hexdigest()[:12]}",
                kind=Kind.DIGEST,
                language=row.language,
                timezone=row.timezone,
                news=DigestNews(messages=tuple(_gathered(one) for one in found)),
                readers=(Reader(address=address, name=who.name),),
            ),
        ),
        now_us=now_us,
    )
    for one in found:
        tx.execute(
            update(reader)
            .where(reader.c.message_id == one.id, reader.c.address == address)
            .values(state=Settled.MERGED.value, settled_us=now_us, answer=digest)
        )
        if one.id != row.id:
            _release(tx, one.id, one.due_us, owner)
    return True


def _when() -> Any:
    return case((message.c.due_us > message.c.lease_until_us, message.c.due_us), else_=message.c.lease_until_us)


def _due(tx: Transaction, channel: Channel, now_us: int) -> tuple[str, ...]:
    """Ids of the messages that may be tried now, oldest first."""
    query = (
        select(message.c.id)
        .where(message.c.state == Settled.PENDING.value, message.c.due_us <= now_us, message.c.lease_until_us <= now_us)
        .where(message.c.channel == channel)
        .order_by(message.c.created_us, message.c.number, message.c.id)
    )
    return tuple(tx.execute(query).scalars().all())


def _leased(tx: Transaction, name: str, *, now_us: int, until_us: int, owner: str) -> Row[Any] | None:
    """The message, now under our lease; None where somebody else has it, or it is settled."""
    free = (message.c.state == Settled.PENDING.value, message.c.lease_until_us <= now_us)
    taken = tx.execute(
        update(message).where(message.c.id == name, *free).values(lease_until_us=until_us, lease_owner=owner)
    )
    return tx.execute(select(message).where(message.c.id == name)).one() if taken.rowcount else None


def _sent_lately(tx: Transaction, address: str, now_us: int) -> tuple[int, ...]:
    """When mails went to an address in the last hour, ascending."""
    query = select(reader.c.settled_us).where(
        reader.c.address == address, reader.c.settled_us > now_us - HOUR_US, reader.c.state == Settled.SENT.value
    )
    return tuple(tx.execute(query.order_by(reader.c.settled_us)).scalars().all())


def _waiting_for(tx: Transaction, address: str, now_us: int) -> tuple[str, ...]:
    """Ids of all messages that wait for an address, oldest first."""
    query = (
        select(message.c.id)
        .join(reader, reader.c.message_id == message.c.id)
        .where(reader.c.address == address, reader.c.state == Settled.PENDING.value)
        .where(message.c.state == Settled.PENDING.value, message.c.lease_until_us <= now_us)
        .order_by(message.c.created_us, message.c.number, message.c.id)
    )
    return tuple(tx.execute(query).scalars().all())


def _gathered(row: Row[Any]) -> Gathered:
    news = NEWS.validate_json(row.content)
    assert not isinstance(news, DigestNews)
    return Gathered(kind=Kind(row.kind), created_us=row.created_us, incident_id=row.incident_id, news=news)


def _ready(tx: Transaction, row: Row[Any], now_us: int) -> tuple[str, ...]:
    """Addresses it may go to now; those whom what came first can never reach any more are skipped."""
    pending = tx.execute(
        select(reader.c.address)
        .where(reader.c.message_id == row.id, reader.c.state == Settled.PENDING.value)
        .order_by(reader.c.address)
    ).scalars()
    addresses = tuple(pending.all())
    if Kind(row.kind) not in FOLLOW_UPS:
        return addresses
    first = _reached(tx, row.thread)
    ready = []
    for address in addresses:
        match first.get(address, Settled.SKIPPED):
            case Settled.SENT:
                ready.append(address)
            case Settled.PENDING:
                pass
            case _:
                tx.execute(
                    update(reader)
                    .where(reader.c.message_id == row.id, reader.c.address == address)
                    .values(state=Settled.SKIPPED.value, settled_us=now_us, answer="the first mail never arrived there")
                )
    return tuple(ready)


def _pending(tx: Transaction, message_id: str) -> int:
    """How many readers a message is still to reach."""
    waiting = (reader.c.message_id == message_id, reader.c.state == Settled.PENDING.value)
    return int(tx.execute(select(func.count()).where(*waiting)).scalar_one())


def _reached(tx: Transaction, thread: str) -> dict[str, Settled]:
    """What became, for each reader of a thread, of the message that told them first."""
    query = select(message.c.id, message.c.kind).where(message.c.thread == thread).order_by(message.c.number)
    firsts = [row.id for row in tx.execute(query).all() if Kind(row.kind) not in FOLLOW_UPS]
    return {who.address: who.state for name in reversed(firsts) for who in people(tx, name)}


def _release(tx: Transaction, message_id: str, due_us: int, owner: str) -> bool:
    """Give the lease back; where nobody is pending any more, the message is settled too."""
    ours = tx.execute(
        update(message)
        .where(message.c.id == message_id, message.c.lease_owner == owner)
        .values(due_us=due_us, lease_until_us=0, lease_owner="")
    )
    close(tx, message_id)
    return ours.rowcount == 1


def _to_send(tx: Transaction, row: Row[Any], ready: tuple[str, ...]) -> ToSend:
    before = tx.execute(
        select(message.c.id)
        .where(message.c.thread == row.thread, message.c.number < row.number)
        .order_by(message.c.number.desc())
        .limit(1)
    ).scalar()
    readers = people(tx, row.id)
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
        readers=tuple(Reader(address=who.address, name=who.name) for who in readers),
        ready=ready,
        timezone=row.timezone,
        tried={who.address: who.tried_us for who in readers if who.address in ready and who.tried_us is not None},
    )
