"""Reports the service draws up by itself: which are due, and what the mail about one says. Pure but for reading."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from pathlib import Path

from monitor import sealing
from monitor.config import LoadedContract
from monitor.news import Attachment, ReportNews
from monitor.reporting import Written
from monitor.store import ledger, reports, samples
from monitor.store.database import Transaction
from probes.checks import Title
from sla.assessment import ClauseResult, Verdict
from sla.period import calendar_span, local_date

#: Months; what is older was issued long ago, or never will be without somebody asking for it.
_LOOK_BACK = 12
_VERDICTS = {
    Verdict.MET: ("norm gehaald", "target met"),
    Verdict.MISSED: ("norm niet gehaald", "target missed"),
    Verdict.UNDECIDED: ("niet te beoordelen", "undecided"),
}


def due_reports(tx: Transaction, loaded: LoadedContract, now_us: int) -> tuple[tuple[str, ...], int]:
    """Periods whose automatic report is still to be drawn up, and when the last report was issued (0: never).

    Due is every month of the past year that is over, where the contract was in force in it, something was measured in
    it, and no automatic report of it was issued yet: a monitor that was off at the turn of a month makes up for it. The
    samples of its last day (UTC) must be sealed, so that the head of the ledger in the report covers the whole month.
    """
    contract = loaded.contract
    issued = reports.read(tx, contract=contract.contract)
    last_us = max((one.issued_us for one in issued), default=0)
    if not loaded.source.automatic_reports:
        return (), last_us
    this_month = calendar_span("month", local_date(now_us, contract.timezone), contract.timezone)
    done = {one.period for one in issued if one.automatic}
    sealed = sealing.sealed_days(ledger.read(tx, kinds=(sealing.KIND,)))
    due: list[str] = []
    span = this_month
    for _ in range(_LOOK_BACK):
        last_day = local_date(span.start_us, contract.timezone) - timedelta(days=1)
        span = calendar_span("month", last_day, contract.timezone)
        period = f"{last_day.year}-{last_day.month:02d}"
        in_force = any(v.valid_from <= last_day and v.valid_until >= last_day.replace(day=1) for v in contract.version)
        if period in done or not in_force or not _holds_end(sealed, span.end_us):
            continue
        if next(samples.stream(tx, contract.journeys(), span.start_us, span.end_us), None) is not None:
            due.append(period)
    return tuple(reversed(due)), last_us


def _holds_end(sealed: Collection[int], end_us: int) -> bool:
    """Whether the UTC day of the last instant before `end_us` is among the sealed ones."""
    return (end_us - 1) // sealing.DAY_US * sealing.DAY_US in sealed


def report_news(written: Written, public_url: str) -> ReportNews:
    """What the mail about a report says: the verdicts in short, where to read it, and the report itself."""
    issued = written.issued
    return ReportNews(
        contract=issued.contract,
        period=issued.period,
        number=issued.number,
        lines=tuple(_line(result) for result in written.assessment.clauses),
        link=f"{public_url.rstrip('/')}/sla/{issued.contract}",
        attachments=tuple(
            Attachment(
                path=path,
                file_name=Path(path).name,
                media_type="application/pdf" if form.startswith("pdf") else "application/json",
            )
            for form, path in issued.files.items()
            if form == "json" or (form.startswith("pdf") and f"{form}-signed" not in issued.files)
        ),
    )


def _line(result: ClauseResult) -> Title:
    nl, en = _VERDICTS[result.verdict]
    return Title(nl=f"{result.clause.id}: {nl}", en=f"{result.clause.id}: {en}")
