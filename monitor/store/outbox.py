"""Outgoing mail: queued in the transaction that has the news, sent afterwards, marked after that.

So a mail leaves at least once, and twice only where the process died between sending and marking; then with the same
Message-ID. Whoever sends holds a lease on the message; it is taken by one conditional update, so that of two processes
one gets it, on every database.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import Row, bindparam, case, func, insert, select, update

from monitor.alerts import Group, Told
from monitor.news import ENDS, FOLLOW_UPS, JOINING, NEWS, REPEATED, DigestNews, Kind, News, Outgoing, Reader
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
    MERGED = "merged"  # in the digest that `answer` names; what became of that one became of this one
    ASIDE = "aside"  # of a message only: this version of the program cannot read it, another one may


#: Of a row: this version knows what kind of message it is. One that was rolled back leaves what it does not know alone.
KNOWN = message.c.kind.in_([kind.value for kind in Kind])


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderState:
    """What became of a message for one reader.

    Attributes:
        answer: the server's last word, or ours.
        server: `host:port` of the mail server that took it; empty where none did, for what leaves by another way, and
            for what left before this was kept.
        tried_us: when it was first tried for this reader; None: never, or before this was kept.
    """

    address: str
    state: Settled
    settled_us: int | None
    answer: str
    name: str = ""
    server: str = ""
    tried_us: int | None = None

    @property
    def given_up(self) -> bool:
        """Lost because it could not be delivered in time, and not because the other side refused it for good."""
        return self.state is Settled.FAILED and not refused(self.answer)


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
    """What is in the outbox of a channel.

    Attributes:
        messages: those that could leave and have not.
        oldest_us: since when the oldest of them could; None where there is none.
        held: those that wait on purpose: for the end of quiet hours, for a digest, or for the message before them.
        aside: those that this version of the program cannot read.
    """

    messages: int
    oldest_us: int | None
    held: int = 0
    aside: int = 0


def refused(answer: str) -> bool:
    """Whether the last word about a reader whom a message did not reach is a refusal for good."""
    return answer.startswith("5")


def add(tx: Transaction, outgoing: Iterable[Outgoing], *, now_us: int) -> tuple[str, ...]:
    """Queue messages.

    Returns:
        The ids of those that were new. What was queued before (the same opening, warning or report; the same recovery)
        is left as it is; readers to whom nobody told it yet get a first message of their own.
    """
    added = []
    for one in outgoing:
        if not one.readers:
            continue
        kinds = tx.execute(select(message.c.kind, message.c.number).where(message.c.thread == one.thread)).all()
        readers = one.readers
        if kinds and one.kind not in FOLLOW_UPS | JOINING:
            told_first = _told_first(tx, one.thread)
            readers = tuple(who for who in readers if who.address not in told_first)
        if not readers:
            continue
        if one.kind in FOLLOW_UPS - REPEATED and any(kind == one.kind.value for kind, _ in kinds):
            continue
        # Only what follows is never the first of a thread.
        number = max((number for _, number in kinds), default=0 if one.kind in FOLLOW_UPS else -1) + 1
        name = f"{one.thread}.{number}" if number else one.thread
        tx.execute(
            insert(message),
            {
                "id": name,
                "thread": one.thread,
                "number": number,
                "kind": one.kind.value,
                "channel": channel_of(readers[0].address),
                "language": one.language,
                "timezone": one.timezone,
                "incident_id": one.incident_id,
                "created_us": now_us,
                "content": text_of(_content(one.news)),
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
                for who in readers
            ],
        )
        if one.kind in (Kind.RECOVERED, Kind.MEASURING, Kind.UNMEASURED):
            _skip_reminders(tx, one.thread, now_us)
        added.append(name)
    return tuple(added)


def told(tx: Transaction, incident_id: str) -> Told:
    """What was queued about an incident so far."""
    rows = tx.execute(select(message).where(message.c.incident_id == incident_id, KNOWN).order_by(message.c.id)).all()
    firsts = [row for row in rows if Kind(row.kind) not in FOLLOW_UPS]
    if not firsts:
        return Told()
    groups: dict[str, Group] = {}
    arrived = False
    for first in firsts:
        reached = people(tx, first.id)
        arrived = arrived or any(who.state is Settled.SENT for who in reached)
        before = groups.get(first.thread, Group(language=first.language, timezone=first.timezone, readers=()))
        readers = tuple(Reader(address=who.address, name=who.name) for who in reached)
        groups[first.thread] = replace(before, readers=before.readers + readers)
    return Told(
        opened_us=min(row.created_us for row in firsts),
        arrived=arrived,
        recovered=any(Kind(row.kind) in ENDS for row in rows),
        readers=tuple(groups.values()),
    )


def threads(tx: Transaction, kind: Kind) -> tuple[tuple[str, News], ...]:
    """What first messages of a kind were about, oldest first: `incident_id` and news; one for each `incident_id`."""
    query = (
        select(message.c.incident_id, message.c.content)
        .where(message.c.kind == kind.value, message.c.number == 0, message.c.incident_id.is_not(None))
        .order_by(message.c.created_us, message.c.id)
    )
    found = {row.incident_id: read_news(row.content) for row in tx.execute(query)}
    return tuple((name, news) for name, news in found.items() if news is not None)


def last_said(tx: Transaction, incident_id: str) -> tuple[Kind, News] | None:
    """The newest message about something that this version can read; None where there is none."""
    rows = tx.execute(
        select(message.c.kind, message.c.content)
        .where(message.c.incident_id == incident_id, KNOWN)
        .order_by(message.c.number.desc(), message.c.created_us.desc(), message.c.id)
    )
    found = ((Kind(row.kind), read_news(row.content)) for row in rows)
    return next(((kind, news) for kind, news in found if news is not None), None)


def said(tx: Transaction, incident_id: str) -> tuple[tuple[News, str], ...]:
    """All that was written about something, each with its address, oldest first; not what this version cannot read."""
    rows = tx.execute(
        select(message.c.content, reader.c.address)
        .join(reader, reader.c.message_id == message.c.id)
        .where(message.c.incident_id == incident_id, KNOWN)
        .order_by(message.c.created_us, message.c.number, message.c.id, reader.c.address)
    ).all()
    news = {content: read_news(content) for content in {row.content for row in rows}}
    found = ((news[row.content], row.address) for row in rows)
    return tuple((about, address) for about, address in found if about is not None)


def read_news(content: str) -> News | None:
    """What a row is about; None where this version of the program cannot read it."""
    try:
        return NEWS.validate_json(content)
    except ValueError:
        return None


def waiting(tx: Transaction, channel: Channel = "mail", *, now_us: int) -> Waiting:
    """What is in the outbox of a channel now."""
    could_leave_us = case(
        (message.c.held_until_us > message.c.created_us, message.c.held_until_us), else_=message.c.created_us
    )
    pending = (message.c.state == Settled.PENDING.value, message.c.channel == channel)
    late = select(func.count(), func.min(could_leave_us)).where(*pending, message.c.held_until_us <= now_us)
    held = select(func.count()).where(*pending, message.c.held_until_us > now_us)
    aside = select(func.count()).where(message.c.state == Settled.ASIDE.value, message.c.channel == channel)
    messages, oldest_us = tx.execute(late).one()
    return Waiting(
        messages=messages,
        oldest_us=oldest_us,
        held=tx.execute(held).scalar_one(),
        aside=tx.execute(aside).scalar_one(),
    )


def read(tx: Transaction, *, incident_id: str | None = None, limit: int | None = None) -> tuple[Queued, ...]:
    """Messages with what became of them, newest first; only those about one incident, if it is named.

    Those of a kind that only another version knows are left out.
    """
    query = select(message).where(KNOWN).order_by(message.c.created_us.desc(), message.c.number.desc(), message.c.id)
    if incident_id is not None:
        query = query.where(message.c.incident_id == incident_id)
    return tuple(_queued(tx, row) for row in tx.execute(query.limit(limit)).all())


def get(tx: Transaction, message_id: str) -> Queued | None:
    row = tx.execute(select(message).where(message.c.id == message_id, KNOWN)).first()
    return _queued(tx, row) if row else None


def _told_first(tx: Transaction, thread: str) -> frozenset[str]:
    """Whom a first message of a thread was written for."""
    rows = tx.execute(
        select(reader.c.address, message.c.kind)
        .join(message, message.c.id == reader.c.message_id)
        .where(message.c.thread == thread)
    )
    return frozenset(row.address for row in rows if row.kind not in FOLLOW_UPS)


def _content(news: News) -> dict[str, Any]:
    """The news without what stands at its default; but which kind it is, is what reading it back begins with."""
    content = NEWS.dump_python(news, mode="json", exclude_defaults=True) | {"news": news.news}
    if isinstance(news, DigestNews):
        for one, held in zip(content["messages"], news.messages, strict=True):
            one["news"]["news"] = held.news.news
    return cast("dict[str, Any]", content)


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
        close(tx, name)


_digest, _whole = reader.alias("digest"), reader.alias("whole")
#: Asked for every message that is shown, and therefore put together once.
_PEOPLE = (
    select(
        _whole,
        _digest.c.state.label("then"),
        _digest.c.settled_us.label("at"),
        _digest.c.answer.label("said"),
        _digest.c.server.label("by"),
    )
    .outerjoin(_digest, (_digest.c.message_id == _whole.c.answer) & (_digest.c.address == _whole.c.address))
    .where(_whole.c.message_id == bindparam("of"))
    .order_by(_whole.c.address)
)


def people(tx: Transaction, message_id: str) -> tuple[ReaderState, ...]:
    """The readers of a message and what became of it for each; of what was merged, what became of its digest."""
    rows = tx.execute(_PEOPLE, {"of": message_id}).all()
    found = []
    for row in rows:
        merged = row.state == Settled.MERGED.value and row.then is not None
        state, at_us, answer, server = (
            (row.then, row.at, row.said, row.by) if merged else (row.state, row.settled_us, row.answer, row.server)
        )
        found.append(
            ReaderState(
                address=row.address,
                name=row.name,
                state=Settled(state),
                settled_us=at_us,
                answer=answer,
                server=server,
                tried_us=row.tried_us,
            )
        )
    return tuple(found)


def close(tx: Transaction, message_id: str) -> None:
    """Where nobody is pending any more, the message is settled too."""
    states = set(tx.execute(select(reader.c.state).where(reader.c.message_id == message_id)).scalars())
    if Settled.PENDING.value in states:
        return
    for state in (Settled.SENT, Settled.MERGED, Settled.FAILED, Settled.SKIPPED):
        if state.value in states:
            tx.execute(update(message).where(message.c.id == message_id).values(state=state.value))
            return


def _queued(tx: Transaction, row: Row[Any]) -> Queued:
    return Queued(
        id=row.id,
        kind=Kind(row.kind),
        language=row.language,
        incident_id=row.incident_id,
        created_us=row.created_us,
        state=Settled(row.state),
        attempts=row.attempts,
        due_us=row.due_us,
        readers=people(tx, row.id),
    )
