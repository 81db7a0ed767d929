"""What proves a failing sample: bounded and redacted before it came here; kept as text, never to be rendered live."""

from __future__ import annotations

import json

from sqlalchemy import insert, select

from monitor.store.database import Transaction
from monitor.store.rows import storable, text_of
from monitor.store.tables import evidence
from probes.sample import Evidence, Sample


def add(tx: Transaction, sample: Sample) -> None:
    """Store the evidence a sample carries. `samples.add` does this; nobody else needs to."""
    rows = [
        {
            "check_id": sample.check_id,
            "location": sample.location,
            "slot_us": sample.slot_us,
            "position": position,
            "step": kept.step,
            "request": storable(kept.request),
            "response_head": storable(kept.response_head),
            "body": storable(kept.body),
            "body_truncated": kept.body_truncated,
            "body_sha256": kept.body_sha256,
            "addresses": text_of(list(kept.addresses)),
        }
        for position, kept in enumerate(sample.evidence)
    ]
    if rows:
        tx.execute(insert(evidence), rows)


def read(tx: Transaction, check_id: str, location: str, slot_us: int) -> tuple[Evidence, ...]:
    """The evidence of one sample, in the order it was captured; empty where there is none."""
    query = (
        select(evidence)
        .where(evidence.c.check_id == check_id, evidence.c.location == location, evidence.c.slot_us == slot_us)
        .order_by(evidence.c.position)
    )
    return tuple(
        Evidence(
            step=row.step,
            request=row.request,
            response_head=row.response_head,
            body=row.body,
            body_truncated=row.body_truncated,
            body_sha256=row.body_sha256,
            addresses=tuple(json.loads(row.addresses)),
        )
        for row in tx.execute(query)
    )
