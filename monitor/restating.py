"""What a report tells of those issued before it: the one it restates, and those of the twelve months before its own.

What it changes is told against the report before as it was issued, or else as it was then; its history only as issued.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from monitor.assessing import stored_samples
from monitor.store import ledger, reports
from monitor.store.database import Transaction
from monitor.store.reports import Issued
from sla.differences import Changes
from sla.history import ClauseHistory, sources
from sla.history import history as thirteen_months
from sla.ledger import Sealed
from sla.measurements import SampleIn
from sla.recompute import Previous, changes_since
from sla.rendering.json import document
from sla.report import Report


def changes(tx: Transaction, report: Report, *, period: str, version: int) -> Changes | None:
    """Line by line what a report says otherwise than the version before it; None for a first issue.

    Args:
        report: drawn up from this same transaction, still without its changes.
        period: as on the command line; `version` is the report's own.
    """
    contract = report.assessment.contract
    issued = reports.read(tx, contract=contract.contract, period=period)
    before = next((one for one in issued if one.number == version - 1), None)
    if before is None:
        return None
    entries = _up_to(tuple(ledger.read(tx)), report.assessment.ledger_head)

    def read() -> Iterable[SampleIn]:
        return stored_samples(tx, contract, report.period, entries, until_us=report.data_until_us)

    assert report.replaces is not None
    previous = Previous(
        number=report.replaces,
        sha256=_sealed_sha256(before, entries),
        issued_us=before.issued_us,
        ledger_head=before.ledger_head,
        stated=_as_issued(before, _sealed_sha256(before, entries)),
    )
    return changes_since(previous, document(report), contract, read, entries)


def history(tx: Transaction, report: Report) -> tuple[ClauseHistory, ...]:
    """The availability of the report's month beside the twelve before; see `sla.history`."""
    contract = report.assessment.contract
    entries = _up_to(tuple(ledger.read(tx)), report.assessment.ledger_head)
    wanted = {one.sha256 for one in sources(contract, report.period, entries).values()}
    issued = (one for one in reports.read(tx, contract=contract.contract) if one.sha256 in wanted)
    found = {one.sha256: stated for one in issued if (stated := _as_issued(one, one.sha256)) is not None}
    return thirteen_months(
        report.assessment, entries, found, number=report.number, is_provisional=report.is_provisional
    )


def _up_to(entries: tuple[Sealed, ...], head: str) -> tuple[Sealed, ...]:
    place = next((i for i, one in enumerate(entries, start=1) if one.hash == head), 0)
    return entries[:place]


def _sealed_sha256(issued: Issued, entries: Iterable[Sealed]) -> str:
    """Of the report's JSON as the ledger has it: nobody can have changed that one."""
    for one in entries:
        data = one.entry.data
        about = (data.get("contract"), data.get("period"), data.get("number"))
        if one.entry.kind == "report" and about == (issued.contract, issued.period, str(issued.number)):
            return data.get("sha256", issued.sha256)
    return issued.sha256


def _as_issued(issued: Issued, sha256: str) -> dict[str, Any] | None:
    """The report's JSON; None where its file is gone, or is no longer the one that was issued."""
    try:
        body = Path(issued.files["json"]).read_bytes()
    except (OSError, KeyError):
        return None
    if hashlib.sha256(body).hexdigest() != sha256:
        return None
    found: dict[str, Any] = json.loads(body)
    return found
