"""Messages on their way out of the outbox: taken under a lease, gathered where they are too many, and marked after.

Whoever sends holds a lease on the message; it is taken by one conditional update, so that of two processes one gets it,
on every database.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, func, select, update

from monitor.courtesy import BY_THEMSELVES, LOOK_BACK_US, PLAIN, Courtesy
from monitor.news import FOLLOW_UPS, JOINING, NEWS, DigestNews, Gathered, Kind, News, Outgoing, Reader
from monitor.recipients import Channel, Language
from monitor.store.database import Transaction
from monitor.store.due import LOOK_AGAIN_US, due, free
from monitor.store.outbox import KNOWN, ReaderState, Settled, add, close, people, read_news
from monitor.store.rows import storable
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


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """A message that this version of the program cannot read: one from before a rollback.

    Attributes:
        kind: its stored word.
        readers: all it was written for.
        why: what could not be read.
    """

    id: str
    kind: str
    created_us: int
    readers: tuple[str, ...]
    why: str


def claim(
    tx: Transaction,
    *,
    now_us: int,
    owner: str,
    lease_us: int,
    hold_us: int,
    channel: Channel = "mail",
    courtesy: Courtesy = PLAIN,
    busy: Collection[str] = (),
    in_hand: Collection[str] = (),
    aside: Callable[[Transaction, SetAside], None] = lambda *_: None,
) -> ToSend | None:
    """Take the oldest message of a channel that is due under a lease; None where none is.

    A follow-up waits until what came first is settled for its reader, and is skipped for a reader whom that never
    reached. What `courtesy` holds back waits as well; what it gathers becomes a digest, a message like any other.

    Args:
        lease_us: after this, somebody else may try; longer than one attempt can last.
        hold_us: when to look again at a message that can only wait.
        busy: addresses to which something is on its way; nothing else for them is taken.
        in_hand: ids of what we are sending ourselves: not taken again, though a clock that jumped ended its lease.
        aside: told, in this transaction, of what this version cannot read. It stands in the way of nothing.
    """
    gathered = True
    while gathered:
        gathered = False
        for name in due(tx, channel, busy, now_us=now_us, lease_us=lease_us, in_hand=in_hand):
            row = _leased(tx, name, now_us=now_us, lease_us=lease_us, owner=owner)
            if row is None:
                continue
            try:
                kind, news = Kind(row.kind), _read(row)
            except ValueError as error:
                aside(tx, _set_aside(tx, row, error))
                continue
            ready: list[str] = []
            rests_us: list[int] = []
            addresses = _ready(tx, row, now_us)
            # What came first has not reached somebody yet; nobody else's quiet hours put that off.
            again_us = [now_us + hold_us] if len(addresses) < _waiting(tx, row.id) else []
            for address in addresses:
                sent = _sent_lately(tx, address, now_us) + (now_us,) * _on_its_way(
                    tx, name, address, now_us=now_us, lease_us=lease_us
                )
                rest_us = courtesy.rest_until_us(kind, address, sent, now_us)
                if rest_us is not None:
                    rests_us.append(rest_us)
                elif courtesy.gathers(kind, address, sent, now_us) and _gather(
                    tx,
                    row,
                    address,
                    courtesy=courtesy,
                    now_us=now_us,
                    lease_us=lease_us,
                    owner=owner,
                    in_hand=in_hand,
                ):
                    gathered = True
                else:
                    ready.append(address)
            if ready:
                return _to_send(tx, row, kind, news, tuple(ready))
            held_until_us = min((*rests_us, *again_us), default=now_us + hold_us)
            tx.execute(update(message).where(message.c.id == name).values(held_until_us=held_until_us))
            _release(tx, name, min(held_until_us, now_us + LOOK_AGAIN_US), owner)
    return None


def take_up_again(tx: Transaction, channel: Channel) -> int:
    """What was set aside is pending again: another version of the program may read it. How many there are."""
    aside = (message.c.state == Settled.ASIDE.value, message.c.channel == channel)
    return tx.execute(update(message).where(*aside).values(state=Settled.PENDING.value, due_us=0)).rowcount


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
                answer=storable(one.answer),
                server=one.server,
                tried_us=one.tried_us,
            )
        )
    tx.execute(update(message).where(message.c.id == message_id).values(attempts=message.c.attempts + 1))
    return _release(tx, message_id, due_us, owner)


def _gather(
    tx: Transaction,
    row: Row[Any],
    address: str,
    *,
    courtesy: Courtesy,
    now_us: int,
    lease_us: int,
    owner: str,
    in_hand: Collection[str],
) -> bool:
    """Queue one digest of all that waits for an address, `row` among it; False where nothing else does.

    What is on its way at this moment, by us or by another process, is left to go by itself.
    """
    found = [row]
    for name in _waiting_for(tx, address, now_us=now_us, lease_us=lease_us):
        if name in in_hand:
            continue
        other = tx.execute(select(message).where(message.c.id == name)).one()
        kind = Kind(other.kind)
        if read_news(other.content) is None:
            continue  # set aside when its turn comes
        if name == row.id or courtesy.rest_until_us(kind, address, (), now_us) is not None or kind in BY_THEMSELVES:
            continue
        known = {one.thread for one in found}
        if kind in FOLLOW_UPS and other.thread not in known and address not in _ready(tx, other, now_us):
            continue
        if _leased(tx, name, now_us=now_us, lease_us=lease_us, owner=owner) is not None:
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


def _leased(tx: Transaction, name: str, *, now_us: int, lease_us: int, owner: str) -> Row[Any] | None:
    """The message, now under our lease; None where somebody else has it, or it is settled."""
    nobodys = (message.c.state == Settled.PENDING.value, free(now_us, lease_us))
    taken = tx.execute(
        update(message)
        .where(message.c.id == name, *nobodys)
        .values(lease_until_us=now_us + lease_us, lease_owner=owner)
    )
    return tx.execute(select(message).where(message.c.id == name)).one() if taken.rowcount else None


def _read(row: Row[Any]) -> News:
    """What a message is about.

    Raises:
        ValueError: this version of the program cannot read it, or it is about something else than its kind says.
    """
    news = NEWS.validate_json(row.content)
    if (row.kind == Kind.DIGEST.value) != isinstance(news, DigestNews):
        raise ValueError(f"of kind {row.kind}, but about {news.news}")
    return news


def _set_aside(tx: Transaction, row: Row[Any], error: ValueError) -> SetAside:
    aside = {"state": Settled.ASIDE.value, "lease_until_us": 0, "lease_owner": ""}
    tx.execute(update(message).where(message.c.id == row.id).values(aside))
    to = tx.execute(select(reader.c.address).where(reader.c.message_id == row.id).order_by(reader.c.address)).scalars()
    why = " ".join(str(error).split())[:300]
    return SetAside(id=row.id, kind=row.kind, created_us=row.created_us, readers=tuple(to.all()), why=why)


def _sent_lately(tx: Transaction, address: str, now_us: int) -> tuple[int, ...]:
    """When mails went to an address lately, ascending."""
    query = select(reader.c.settled_us).where(
        reader.c.address == address, reader.c.settled_us > now_us - LOOK_BACK_US, reader.c.state == Settled.SENT.value
    )
    return tuple(tx.execute(query.order_by(reader.c.settled_us)).scalars().all())


def _on_its_way(tx: Transaction, but: str, address: str, *, now_us: int, lease_us: int) -> int:
    """How many other mails are being sent to an address at this moment, by us or by another process.

    They count as sent: whether they will be, nobody knows yet, and nobody is to get too many.
    """
    query = (
        select(func.count())
        .select_from(message.join(reader, reader.c.message_id == message.c.id))
        .where(reader.c.address == address, reader.c.state == Settled.PENDING.value, message.c.id != but)
        .where(message.c.state == Settled.PENDING.value, ~free(now_us, lease_us))
    )
    return int(tx.execute(query).scalar_one())


def _waiting_for(tx: Transaction, address: str, *, now_us: int, lease_us: int) -> tuple[str, ...]:
    """Ids of all messages that wait for an address and are of a known kind, oldest first."""
    query = (
        select(message.c.id)
        .join(reader, reader.c.message_id == message.c.id)
        .where(reader.c.address == address, reader.c.state == Settled.PENDING.value)
        .where(message.c.state == Settled.PENDING.value, free(now_us, lease_us), KNOWN)
        .order_by(message.c.created_us, message.c.number, message.c.id)
    )
    return tuple(tx.execute(query).scalars().all())


def _gathered(row: Row[Any]) -> Gathered:
    news = _read(row)
    assert not isinstance(news, DigestNews)  # what goes by itself is not gathered
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
                if not _overtakes(tx, row, address):
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


def _overtakes(tx: Transaction, row: Row[Any], address: str) -> bool:
    """Whether a message before this one in its thread is still to reach this reader: the end is told last."""
    before = (
        message.c.thread == row.thread,
        message.c.number < row.number,
        message.c.state == Settled.PENDING.value,
        reader.c.address == address,
        reader.c.state == Settled.PENDING.value,
    )
    query = select(message.c.id).join(reader, reader.c.message_id == message.c.id).where(*before)
    return tx.execute(query.limit(1)).first() is not None


def _waiting(tx: Transaction, message_id: str) -> int:
    """How many readers a message is still to reach."""
    waiting = (reader.c.message_id == message_id, reader.c.state == Settled.PENDING.value)
    return int(tx.execute(select(func.count()).where(*waiting)).scalar_one())


def _reached(tx: Transaction, thread: str) -> dict[str, Settled]:
    """What became, for each reader of a thread, of the message that told them first."""
    query = select(message.c.id, message.c.kind).where(message.c.thread == thread).order_by(message.c.number)
    # Of a kind that only another version knows, what began the thread did tell somebody first.
    firsts = [row.id for row in tx.execute(query).all() if row.kind not in FOLLOW_UPS]
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


def _to_send(tx: Transaction, row: Row[Any], kind: Kind, news: News, ready: tuple[str, ...]) -> ToSend:
    follows = row.number > 0 and kind in FOLLOW_UPS | JOINING
    before = tx.execute(
        select(message.c.id)
        .where(message.c.thread == row.thread, message.c.number < row.number)
        .order_by(message.c.number.desc())
        .limit(1)
    ).scalar()
    readers = people(tx, row.id)
    return ToSend(
        id=row.id,
        root=row.thread if follows else None,
        previous=before if follows else None,
        kind=kind,
        language=row.language,
        news=news,
        incident_id=row.incident_id,
        created_us=row.created_us,
        attempts=row.attempts,
        readers=tuple(Reader(address=who.address, name=who.name) for who in readers),
        ready=ready,
        timezone=row.timezone,
        tried={who.address: who.tried_us for who in readers if who.address in ready and who.tried_us is not None},
    )
