"""Documents that were issued: numbered per contract, kind and subject, the automatic one at most once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import func, insert, select

from monitor.store.database import Transaction
from monitor.store.rows import text_of
from monitor.store.tables import report


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A document that left the house.

    Attributes:
        kind: `monthly`, `two-weekly`, `quarter`, …; see `monitor.issuing.KINDS`.
        period: what it is about: a period as on the command line, e.g. `2026-10`; for a dossier the outage.
        number: 1 for the first of its kind and subject, higher for restatements.
        automatic: drawn up by the service at the turn of the month.
        ledger_head: hash of the last ledger entry it was computed from; empty for an empty ledger.
        sha256: of its JSON, the form that decides.
        files: where each form was written, by form (`html-nl`, `pdf-nl`, `json`, …).
    """

    contract: str
    period: str
    number: int
    automatic: bool
    issued_us: int
    ledger_head: str
    sha256: str
    kind: str = "monthly"
    files: Mapping[str, str] = field(default_factory=dict)


def add(tx: Transaction, issued: Issued) -> bool:
    """Record a document. False, and nothing written, if that number, or an automatic one of its subject, is there."""
    same = (report.c.contract == issued.contract) & (report.c.kind == issued.kind) & (report.c.period == issued.period)
    clash = report.c.number == issued.number
    if issued.automatic:
        clash = clash | report.c.automatic.is_(True)
    if tx.execute(select(report.c.number).where(same & clash)).first() is not None:
        return False
    tx.execute(
        insert(report),
        {
            "contract": issued.contract,
            "kind": issued.kind,
            "period": issued.period,
            "number": issued.number,
            "automatic": issued.automatic,
            "issued_us": issued.issued_us,
            "ledger_head": issued.ledger_head,
            "sha256": issued.sha256,
            "files": text_of(dict(issued.files)),
        },
    )
    return True


def next_number(tx: Transaction, contract: str, period: str, *, kind: str = "monthly") -> int:
    """The version the next document of this kind and subject gets; 1 for the first."""
    query = select(func.max(report.c.number)).where(
        report.c.contract == contract, report.c.kind == kind, report.c.period == period
    )
    return (tx.execute(query).scalar() or 0) + 1


def read(
    tx: Transaction, *, contract: str | None = None, period: str | None = None, kind: str | None = "monthly"
) -> tuple[Issued, ...]:
    """Issued documents, by contract, kind, period and number. Monthly reports, where nothing else is asked.

    Args:
        contract, period, kind: only these; None takes all.
    """
    query = select(report).order_by(report.c.contract, report.c.kind, report.c.period, report.c.number)
    if contract is not None:
        query = query.where(report.c.contract == contract)
    if period is not None:
        query = query.where(report.c.period == period)
    if kind is not None:
        query = query.where(report.c.kind == kind)
    return tuple(
        Issued(
            contract=row.contract,
            kind=row.kind,
            period=row.period,
            number=row.number,
            automatic=row.automatic,
            issued_us=row.issued_us,
            ledger_head=row.ledger_head,
            sha256=row.sha256,
            files=json.loads(row.files),
        )
        for row in tx.execute(query)
    )
