"""When each outpost last said that it measures, and by what configuration."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert, select, update

from monitor.store.database import Transaction
from monitor.store.rows import storable
from monitor.store.tables import outpost


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """An outpost as it last was heard of.

    Attributes:
        seen_us: by its own clock.
        config_sha256: of the configuration it measures by.
    """

    location: str
    seen_us: int
    version: str
    config_sha256: str


def note(tx: Transaction, presence: Presence) -> None:
    """That it is there; takes the place of what it said before."""
    row = {
        "seen_us": presence.seen_us,
        "version": storable(presence.version),
        "config_sha256": presence.config_sha256,
    }
    if tx.execute(update(outpost).where(outpost.c.location == presence.location).values(row)).rowcount == 0:
        tx.execute(insert(outpost), {"location": presence.location, **row})


def read(tx: Transaction) -> dict[str, Presence]:
    """By location; also those that are configured no more."""
    rows = tx.execute(select(outpost).order_by(outpost.c.location))
    return {row.location: Presence(**row._mapping) for row in rows}  # noqa: SLF001 - SQLAlchemy's public name for it
