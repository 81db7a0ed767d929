"""Which checks were ever measured, and from where: one look into the index for each, not one for every sample.

A question about some days of a check names its location, or the database reads the years before them as well.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from monitor.store.database import Transaction
from monitor.store.tables import sample


def checks(tx: Transaction) -> tuple[str, ...]:
    """Every check that has a sample, by id."""
    return _different(tx, select(func.min(sample.c.check_id)), sample.c.check_id)


def locations(tx: Transaction, check_id: str) -> tuple[str, ...]:
    """Where a check was ever measured from, by name."""
    return _different(tx, select(func.min(sample.c.location)).where(sample.c.check_id == check_id), sample.c.location)


def _different(tx: Transaction, least: Select[Any], column: ColumnElement[str]) -> tuple[str, ...]:
    """Every different value of a column, ascending."""
    found: list[str] = []
    while (name := tx.execute(least.where(column > found[-1]) if found else least).scalar()) is not None:
        found.append(name)
    return tuple(found)
