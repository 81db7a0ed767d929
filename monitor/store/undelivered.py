"""What reached nobody, or not yet though it could have: of every kind of message, for whoever may know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Select, select

from monitor.news import Kind
from monitor.store.database import Transaction
from monitor.store.outbox import Settled, refused
from monitor.store.tables import message
from monitor.store.tables import message_recipient as reader

_LATE_US = 600_000_000
Why = Literal["waiting", "refused", "given_up", "set_aside"]
_KNOWN = frozenset(kind.value for kind in Kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Undelivered:
    """A message that one reader does not have.

    Attributes:
        kind: None where this version of the program does not know it.
        written_us: since when he should have it.
        why: `waiting` is tried still, and has been for ten minutes.
    """

    kind: Kind | None
    address: str
    written_us: int
    why: Why


def undelivered(tx: Transaction, *, since_us: int, now_us: int, most: int) -> tuple[Undelivered, ...]:
    """Newest first: what was lost for good since then, and what stays behind now.

    Tests are left out, for whoever asked for one was answered; and so is what waits on purpose.
    """
    about = (message.c.kind, message.c.created_us, message.c.id, reader.c.address, reader.c.answer)
    these = (message.c.id == reader.c.message_id, message.c.kind != Kind.TEST.value)
    pending = reader.c.state == Settled.PENDING.value
    lost = select(*about).where(*these, reader.c.state == Settled.FAILED.value, reader.c.settled_us >= since_us)
    aside = select(*about).where(*these, pending, message.c.state == Settled.ASIDE.value)
    late = select(*about).where(
        *these,
        pending,
        message.c.state == Settled.PENDING.value,
        message.c.created_us <= now_us - _LATE_US,
        message.c.held_until_us <= now_us - _LATE_US,
    )
    found: list[tuple[int, str, Undelivered]] = []
    ways: tuple[tuple[Select[Any], Why | None], ...] = ((lost, None), (aside, "set_aside"), (late, "waiting"))
    for query, why in ways:
        for row in tx.execute(query.order_by(message.c.created_us.desc(), message.c.id).limit(most)):
            one = Undelivered(
                kind=Kind(row.kind) if row.kind in _KNOWN else None,
                address=row.address,
                written_us=row.created_us,
                why=why or ("refused" if refused(row.answer) else "given_up"),
            )
            found.append((-row.created_us, row.id, one))
    return tuple(one for *_, one in sorted(found, key=lambda each: each[:2]))[:most]
