"""Stored samples as canonical rows, whatever the engine: what digests are made of."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from sqlalchemy import func, select

from monitor.store import evidence as bundles
from monitor.store.database import Transaction
from monitor.store.tables import evidence
from monitor.store.tables import sample as narrow
from monitor.store.tables import sample_detail as detail

#: Columns that came after the first days were sealed: where they hold nothing, the rows of those days are as they were.
_LATER = frozenset({"reached"})


def sets(tx: Transaction) -> tuple[tuple[str, str], ...]:
    """Every check and location that has samples."""
    query = select(narrow.c.check_id, narrow.c.location).distinct()
    return tuple(sorted((row[0], row[1]) for row in tx.execute(query)))


def reach(tx: Transaction) -> tuple[int, int] | None:
    """The first and the last slot of which there is a sample; None where there is none."""
    first, last = tx.execute(select(func.min(narrow.c.slot_us), func.max(narrow.c.slot_us))).one()
    return None if first is None else (int(first), int(last))


def rows(tx: Transaction, check_id: str, location: str, start_us: int, end_us: int) -> Iterator[bytes]:
    """The samples of a check due in [start, end), oldest first, each as one line of canonical JSON (UTF-8).

    Every column of the sample and its detail is in it; evidence stands in it as digests, and a bundle as its name, made
    anew from its bytes. A sample whose detail is gone, or evidence whose sample is gone, shows too.
    """
    found = _pieces(tx, check_id, location, start_us, end_us)
    whole = bundles.names(tx, check_id, location, start_us, end_us)
    about = (narrow.c.check_id == check_id, narrow.c.location == location)
    same = (
        (narrow.c.check_id == detail.c.check_id)
        & (narrow.c.location == detail.c.location)
        & (narrow.c.slot_us == detail.c.slot_us)
    )
    query = (
        select(*narrow.c, *(c for c in detail.c if c.name not in narrow.c))
        .select_from(narrow.outerjoin(detail, same))
        .where(*about, narrow.c.slot_us >= start_us, narrow.c.slot_us < end_us)
        .order_by(narrow.c.slot_us)
        .execution_options(yield_per=2_000)
    )
    for row in tx.execute(query):
        known = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
        body = {name: value for name, value in known.items() if value is not None or name not in _LATER}
        yield canonical(body | _proof(found.pop(row.slot_us, []), whole.pop(row.slot_us, [])))
    for slot_us in sorted(found.keys() | whole.keys()):
        orphans = _proof(found.get(slot_us, []), whole.get(slot_us, []))
        yield canonical({"check_id": check_id, "location": location, "slot_us": slot_us} | orphans)


def _proof(pieces: list[str], whole: list[str]) -> dict[str, list[str]]:
    """The rows of days that were sealed before there were bundles stay as they were."""
    return {"evidence": pieces} | ({"bundles": whole} if whole else {})


def canonical(value: object) -> bytes:
    """JSON with sorted keys, without spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def proofs(tx: Transaction, check_id: str, location: str, start_us: int, end_us: int) -> dict[int, list[str]]:
    """The SHA-256 of each piece of evidence and of each bundle of the samples due in [start, end), by slot."""
    found = _pieces(tx, check_id, location, start_us, end_us)
    for slot_us, whole in bundles.names(tx, check_id, location, start_us, end_us).items():
        found[slot_us] = found.get(slot_us, []) + whole
    return found


def _pieces(tx: Transaction, check_id: str, location: str, start_us: int, end_us: int) -> dict[int, list[str]]:
    """The SHA-256 of each piece of evidence, by slot, in the order of capture."""
    query = (
        select(evidence)
        .where(
            evidence.c.check_id == check_id,
            evidence.c.location == location,
            evidence.c.slot_us >= start_us,
            evidence.c.slot_us < end_us,
        )
        .order_by(evidence.c.slot_us, evidence.c.position)
        .execution_options(yield_per=200)
    )
    found: defaultdict[int, list[str]] = defaultdict(list)
    for row in tx.execute(query):
        body: dict[str, Any] = dict(row._mapping)  # noqa: SLF001
        found[row.slot_us].append(hashlib.sha256(canonical(body)).hexdigest())
    return dict(found)
