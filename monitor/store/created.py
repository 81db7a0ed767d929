"""What our journeys made at the portal, until it is confirmed gone; and how accounts fare at logging in."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Row, func, insert, select, update

from monitor.created import OPEN, Brake, Stage, Thing
from monitor.store.database import Transaction
from monitor.store.rows import storable, text_of
from monitor.store.tables import created_object, login_brake

_OPEN = tuple(sorted(stage.value for stage in OPEN))


def add(tx: Transaction, thing: Thing) -> None:
    """Put a new object on the list. Raises StoreRefused where it is there already."""
    tx.execute(insert(created_object), _columns(thing))


def save(tx: Transaction, thing: Thing) -> None:
    """Keep what became of an object."""
    columns = _columns(thing)
    tx.execute(update(created_object).where(created_object.c.id == columns.pop("id")).values(**columns))


def get(tx: Transaction, name: str) -> Thing | None:
    row = tx.execute(select(created_object).where(created_object.c.id == name)).first()
    return _thing(row) if row else None


def read(tx: Transaction, *, only_open: bool = True, limit: int = 10_000) -> tuple[Thing, ...]:
    """Objects, oldest first; of those that are settled the newest, where they are asked for as well."""
    query = select(created_object).order_by(created_object.c.created_us.desc(), created_object.c.id).limit(limit)
    if only_open:
        query = query.where(created_object.c.stage.in_(_OPEN))
    return tuple(_thing(row) for row in reversed(tx.execute(query).all()))


def claim(tx: Transaction, thing: Thing, *, until_us: int) -> bool:
    """Take an object on for a try; False where somebody else did since it was read."""
    unchanged = (created_object.c.id == thing.id) & (created_object.c.due_us == thing.due_us)
    unchanged &= created_object.c.stage == thing.stage.value
    return tx.execute(update(created_object).where(unchanged).values(due_us=until_us)).rowcount == 1


def made_since(tx: Transaction, check_id: str, since_us: int) -> int:
    """How many objects a journey made, or may have made, at or after an instant."""
    query = (
        select(func.count())
        .select_from(created_object)
        .where(
            created_object.c.check_id == check_id,
            created_object.c.created_us >= since_us,
            created_object.c.stage != Stage.NEVER.value,
        )
    )
    return int(tx.execute(query).scalar_one())


def brake(tx: Transaction, account: str) -> Brake:
    """How an account fares; well where nothing is known."""
    row = tx.execute(select(login_brake).where(login_brake.c.account == account)).first()
    return _brake(row) if row else Brake(account=account)


def brakes(tx: Transaction) -> tuple[Brake, ...]:
    """Every account whose last login was refused."""
    return tuple(_brake(row) for row in tx.execute(select(login_brake).order_by(login_brake.c.account)))


def save_brake(tx: Transaction, state: Brake) -> None:
    values = {"refused": state.refused, "paused_until_us": state.paused_until_us}
    changed = tx.execute(update(login_brake).where(login_brake.c.account == state.account).values(**values))
    if changed.rowcount == 0:
        tx.execute(insert(login_brake), {"account": state.account, **values})


def _brake(row: Row[Any]) -> Brake:
    return Brake(account=row.account, refused=row.refused, paused_until_us=row.paused_until_us)


def _columns(thing: Thing) -> dict[str, Any]:
    return {
        "id": thing.id,
        "check_id": thing.check_id,
        "step": thing.step,
        "what": storable(thing.what),
        "name": storable(thing.name) if thing.name is not None else None,
        "needed": text_of(thing.values),
        "run_id": thing.run_id,
        "run_time": thing.run_time,
        "stage": thing.stage.value,
        "created_us": thing.created_us,
        "due_us": thing.due_us,
        "tries": thing.tries,
        "trouble": storable(thing.trouble),
        "settled_us": thing.settled_us,
        "settled_by": storable(thing.by),
        "why": storable(thing.why),
    }


def _thing(row: Row[Any]) -> Thing:
    return Thing(
        id=row.id,
        check_id=row.check_id,
        step=row.step,
        what=row.what,
        name=row.name,
        values=tuple((name, value) for name, value in json.loads(row.needed)),
        run_id=row.run_id,
        run_time=row.run_time,
        stage=Stage(row.stage),
        created_us=row.created_us,
        due_us=row.due_us,
        tries=row.tries,
        trouble=row.trouble,
        settled_us=row.settled_us,
        by=row.settled_by,
        why=row.why,
    )
