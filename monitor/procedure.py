"""Drafts of findings from the store, and the steps that people put on record after them. Nothing is ever sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.dossier import report_on, work_out
from monitor.issuing import Attachment, Document, Files, issued_as, number_of, record, workbooks
from monitor.reporting import ReportJob, ReportRefusedError, written_files
from monitor.store import ledger, reports
from monitor.store.database import Database, Transaction
from monitor.store.reports import Issued
from sla.deadlines import Calendar, Procedure, Stage, calendar_of, deadlines
from sla.findings import Findings, draw_up
from sla.ledger import Entry, Sealed
from sla.period import parse_period
from sla.rendering import findings as form
from sla.rendering import xlsx_documents
from sla.rendering.findings import Reference
from sla.rendering.page import LANGUAGES


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """A draft that was written, not recorded yet: see `put_on_record`."""

    findings: Findings
    issued: Issued
    files: Files


def draft(
    job: ReportJob, *, clauses: Sequence[str] = (), outages: Sequence[str] = (), best_efforts_too: bool = False
) -> Drafted:
    """Draw up a draft of findings on the job's period and write its files.

    Raises:
        ReportRefusedError: nothing can be found against the supplier, or not what was asked for; the message says why.
    """
    period = parse_period(job.period, job.contract.timezone)
    name = job.contract.contract
    database = Database.open(job.database_url, migrate=False)
    try:
        with database.read() as tx:
            worked = work_out(tx, job.contract, period, job.now_us)
            version = reports.next_number(tx, name, job.period, kind="findings")
            references = tuple(_references(tx, name, job.period, [o.id for o in worked.assessment.outages]))
        before = number_of("findings", job.period, version - 1) if version > 1 else None
        report = report_on(job, worked.assessment, number_of("findings", job.period, version), before)
        findings = draw_up(report, clauses=clauses, outages=outages, best_efforts_too=best_efforts_too)
    except ValueError as error:
        raise ReportRefusedError(str(error)) from error
    finally:
        database.close()
    document = Document(
        kind="findings",
        number=report.number,
        subject=job.period,
        issued_us=job.now_us,
        ledger_head=worked.assessment.ledger_head,
        machine=form.render_json(findings, references=references).encode(),
        pages={language: form.render(findings, language, references=references) for language in LANGUAGES},
        attachments=(
            Attachment(form="outages-csv", name=form.outages_name(findings), body=form.outages_csv(findings)),
            *workbooks(report.number, lambda language: xlsx_documents.findings(findings, language)),
        ),
    )
    written = written_files(job, document)
    return Drafted(
        findings=findings, issued=issued_as(document, written, contract=name, version=version), files=written
    )


def _references(tx: Transaction, contract: str, period: str, outages: Sequence[str]) -> list[Reference]:
    """The last report of the period and the last dossier of each outage, where they were issued."""
    latest = {(one.kind, one.period): one for one in reports.read(tx, contract=contract, kind=None)}
    wanted = [("monthly", period, ""), *(("outage", outage, outage) for outage in outages)]
    return [
        Reference(number=number_of(kind, subject, one.number), sha256=one.sha256, outage=outage)
        for kind, subject, outage in wanted
        if (one := latest.get((kind, subject))) is not None
    ]


def put_on_record(tx: Transaction, drafted: Drafted, *, by: str) -> Sealed | None:
    """Record a draft: in the table of documents, and in the ledger as the beginning of a procedure.

    It takes the place of an earlier draft on the very same clauses and outages that was not sent.

    Returns:
        Its ledger entry; None, and nothing recorded, where another draft took its number meanwhile.
    """
    if not record(tx, drafted.issued, by=by):
        return None
    findings, issued = drafted.findings, drafted.issued
    report = findings.report
    data = {
        "contract": issued.contract,
        "period": issued.period,
        "number": report.number,
        "clause": ", ".join(findings.clause_ids),
        "sha256": issued.sha256,
    }
    if findings.outages:
        data["outage"] = ", ".join(o.id for o in findings.outages)
    calendar = calendar_of(report.assessment.contract)
    same = [
        one.number
        for one in deadlines(ledger.read(tx), issued.issued_us, calendar)
        if one.stage is Stage.DRAFTED
        and (one.contract, one.period, one.clauses) == (issued.contract, issued.period, findings.clause_ids)
        and one.outages == tuple(o.id for o in findings.outages)
    ]
    return ledger.append(
        tx,
        Entry(
            kind="findings-drafted",
            recorded_us=issued.issued_us,
            by=by,
            reason=f"ontwerp van vaststelling {report.number}",
            from_us=report.period.start_us,
            until_us=report.period.end_us,
            data=data,
            supersedes=same[-1] if same else None,
        ),
    )


def of_contract(entries: Sequence[Sealed], contract: str, calendar: Calendar, now_us: int) -> tuple[Procedure, ...]:
    """The procedures of one contract, and those whose entry names none."""
    return tuple(one for one in deadlines(entries, now_us, calendar) if one.contract in ("", contract))
