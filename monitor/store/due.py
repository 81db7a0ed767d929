"""Which messages may leave the outbox now, and when the next one may; also after the clock was set back."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import and_, case, func, or_, select

from monitor.recipients import Channel
from monitor.store.database import Transaction
from monitor.store.outbox import Settled
from monitor.store.tables import message
from monitor.store.tables import message_recipient as reader

#: What waits, on purpose or for its next try, is looked at again after this at the latest; so an instant far beyond it
#: was written before the clock was set back.
LOOK_AGAIN_US = 720_000_000
_LEASE_US = 120_000_000


def next_due_us(
    tx: Transaction,
    channel: Channel = "mail",
    *,
    now_us: int,
    lease_us: int = _LEASE_US,
    busy: Collection[str] = (),
    in_hand: Collection[str] = (),
) -> int | None:
    """When the next message may be tried; None where nothing is pending.

    Args:
        lease_us, busy, in_hand: as for `claim`.
    """
    due_us = case((_is_due(now_us), now_us), else_=message.c.due_us)
    free_us = case((free(now_us, lease_us), now_us), else_=message.c.lease_until_us)
    later = func.min(case((due_us > free_us, due_us), else_=free_us))
    return tx.execute(select(later).where(_pending(channel, busy, in_hand))).scalar()


def _far(instant: Any, now_us: int, longest_us: int) -> Any:
    """Further ahead than anything of ours reaches: written before the clock was set back, and worth nothing since."""
    return instant > now_us + longest_us


def _is_due(now_us: int) -> Any:
    return or_(message.c.due_us <= now_us, _far(message.c.due_us, now_us, LOOK_AGAIN_US))


def free(now_us: int, lease_us: int) -> Any:
    """Nobody's lease holds; another process may take somewhat longer ones."""
    return or_(message.c.lease_until_us <= now_us, _far(message.c.lease_until_us, now_us, 2 * lease_us))


def _pending(channel: Channel, busy: Collection[str], in_hand: Collection[str]) -> Any:
    pending = and_(message.c.state == Settled.PENDING.value, message.c.channel == channel)
    if in_hand:
        pending = and_(pending, message.c.id.not_in(in_hand))
    if not busy:
        return pending
    theirs = select(reader.c.message_id).where(
        reader.c.address.in_(busy), reader.c.state == Settled.PENDING.value, reader.c.message_id == message.c.id
    )
    return and_(pending, ~theirs.exists())


def due(
    tx: Transaction,
    channel: Channel,
    busy: Collection[str],
    *,
    now_us: int,
    lease_us: int,
    in_hand: Collection[str] = (),
) -> tuple[str, ...]:
    """Ids of the messages that may be tried now, oldest first."""
    query = (
        select(message.c.id)
        .where(_pending(channel, busy, in_hand), _is_due(now_us), free(now_us, lease_us))
        .order_by(message.c.created_us, message.c.number, message.c.id)
    )
    return tuple(tx.execute(query).scalars().all())
