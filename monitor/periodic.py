"""Documents over a period, from the store: two-weekly update, quarterly and yearly overview; recorded by the caller."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from monitor.assessing import assess_stored
from monitor.issuing import Attachment, Document, Files, issued_as, number_of, workbooks
from monitor.reporting import ReportJob, ReportRefusedError, written_files
from monitor.store import ledger, reports
from monitor.store.database import Database, Transaction
from monitor.store.reports import Issued
from sla.assessment import Assessment, Span
from sla.ledger import known
from sla.overview import OverviewKind
from sla.overview import draw_up as draw_overview
from sla.period import calendar_span, local_date, parse_period
from sla.rendering import periodic, xlsx_documents
from sla.rendering.page import LANGUAGES
from sla.report import Report
from sla.update import draw_up as draw_update
from sla.update import fortnight, subject_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A document that was written, not recorded yet: see `monitor.issuing.record`."""

    report: Report
    issued: Issued
    files: Files


def write_overview(job: ReportJob) -> Written:
    """Draw up the overview of the job's quarter or year (`2026-Q4`, `2026`) and write its files.

    Raises:
        ReportRefusedError: no quarter or year, one that has not begun, or one outside the contract.
    """
    kind: OverviewKind = "quarter" if "Q" in job.period else "year"
    if "-" in job.period and kind == "year":
        raise ReportRefusedError(f'"{job.period}" is no quarter or year; write 2026-Q4 or 2026')
    try:
        period = parse_period(job.period, job.contract.timezone)
    except ValueError as error:
        raise ReportRefusedError(f'the period "{job.period}" {error}') from error
    if period.start_us >= job.now_us:
        raise ReportRefusedError(f"{job.period} has not begun yet; there is nothing to report")
    database = Database.open(job.database_url, migrate=False)
    try:
        with database.read() as tx:
            report, version = _report(tx, job, kind, period, job.now_us)
            overview = draw_overview(kind, report, known(tuple(ledger.read(tx)), job.now_us))
    except ValueError as error:
        raise ReportRefusedError(str(error)) from error
    finally:
        database.close()
    document = Document(
        kind=kind,
        number=report.number,
        subject=job.period,
        issued_us=job.now_us,
        ledger_head=report.assessment.ledger_head,
        machine=periodic.overview_text(overview).encode(),
        pages={language: periodic.overview_page(overview, language) for language in LANGUAGES},
        attachments=(
            _english(report.number, periodic.overview_text(overview, "en")),
            *workbooks(report.number, lambda language: xlsx_documents.overview(overview, language)),
        ),
    )
    return _written(job, report, document, version)


def write_update(job: ReportJob, last: date) -> Written:
    """Draw up the update on the fourteen days that end with `last`, as things stood then, and write its files.

    Args:
        job: its period is not used.

    Raises:
        ReportRefusedError: the fortnight has not begun, or lies outside the contract.
    """
    timezone = job.contract.timezone
    span = fortnight(last, timezone)
    if span.start_us >= job.now_us:
        raise ReportRefusedError(f"the fourteen days up to {last} have not begun yet; there is nothing to report")
    months = Span(
        start_us=calendar_span("month", local_date(span.start_us, timezone), timezone).start_us,
        end_us=calendar_span("month", last, timezone).end_us,
    )
    job = replace(job, period=subject_of(last))
    database = Database.open(job.database_url, migrate=False)
    try:
        with database.read() as tx:
            report, version = _report(tx, job, "two-weekly", months, min(job.now_us, span.end_us))
            update = draw_update(report, span, known(tuple(ledger.read(tx)), report.data_until_us))
    except ValueError as error:
        raise ReportRefusedError(str(error)) from error
    finally:
        database.close()
    document = Document(
        kind="two-weekly",
        number=report.number,
        subject=job.period,
        issued_us=job.now_us,
        ledger_head=report.assessment.ledger_head,
        machine=periodic.update_text(update).encode(),
        pages={language: periodic.update_page(update, language) for language in LANGUAGES},
        attachments=(
            _english(report.number, periodic.update_text(update, "en")),
            *workbooks(report.number, lambda language: xlsx_documents.update(update, language)),
        ),
    )
    return _written(job, report, document, version)


def _report(tx: Transaction, job: ReportJob, kind: str, period: Span, until_us: int) -> tuple[Report, int]:
    """The one assessment the document is about, with what every document says of itself; and its version."""
    version = reports.next_number(tx, job.contract.contract, job.period, kind=kind)
    assessment: Assessment = assess_stored(tx, job.contract, period, as_of_us=until_us, until_us=until_us)
    report = Report(
        assessment=assessment,
        number=number_of(kind, job.period, version),
        issued_us=job.now_us,
        data_until_us=until_us,
        portal_name=job.portal,
        titles=job.titles,
        gaps=(),
        responses=(),
        software=job.software,
        config_sha256=job.config_sha256,
        contact=job.contact,
        replaces=number_of(kind, job.period, version - 1) if version > 1 else None,
    )
    return report, version


def _english(number: str, text: str) -> Attachment:
    return Attachment(form="json-en", name=f"{number}.en.json", body=text.encode())


def _written(job: ReportJob, report: Report, document: Document, version: int) -> Written:
    files = written_files(job, document)
    issued = issued_as(document, files, contract=job.contract.contract, version=version, automatic=job.automatic)
    return Written(report=report, issued=issued, files=files)
