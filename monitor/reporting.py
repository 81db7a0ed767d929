"""A month's report: assessed, drawn up, written, recorded and mailed; each step whole or not at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from monitor import restating
from monitor.assessing import Intervals, assess_stored, intervals, runs_of
from monitor.issuing import Attachment, Document, Files, folder_of, issued_as, number_of, workbooks, write_files
from monitor.missed import MISSED
from monitor.signing import Signing, SigningError
from monitor.store import events, places, reports, samples, seals
from monitor.store.database import Database, Transaction
from monitor.store.reports import Issued
from probes.sample import FailureKind, Outcome
from sla.assessment import Assessment, Span
from sla.contract import Contract, ResponseTimeClause
from sla.intervals import IntervalSet
from sla.measurements import SampleIn
from sla.period import parse_period
from sla.rendering import html, tables_csv, xlsx
from sla.rendering import json as json_form
from sla.rendering.page import LANGUAGES
from sla.rendering.tables_csv import Proven
from sla.report import Drills, Gap, Report, ResponseSeries, draw_up, response_series

#: Why the monitor did not measure, in the report's words; see `sla.report.Gap`.
_CAUSES = {
    FailureKind.REFERENCE: "own-network",
    FailureKind.BOT_CHECK: "bot-check",
    FailureKind.RATE_LIMITED: "rate-limited",
    FailureKind.MONITOR: "load",
}
_MISSED = {
    "off": "monitor-off",
    "clock-jump": "clock",
    "late": "load",
    "busy": "load",
    "error": "load",
    "stop-file": "stopped",
    "paused": "paused",
    "creation-budget": "creation-budget",
    "login-paused": "login-paused",
    "sealed": "sealed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportJob:
    """What a report is drawn up from; plain values, so that another process can do it.

    Attributes:
        directory: where reports are written, a folder per contract and period below it.
        automatic: drawn up by the service itself; at most one per contract and period.
        signing: how its PDFs are signed; None signs none.
    """

    database_url: str
    contract: Contract
    period: str
    portal: str
    titles: Mapping[str, tuple[str, str]]
    location: str
    software: str
    config_sha256: str
    contact: str
    directory: Path
    now_us: int
    automatic: bool = False
    signing: Signing | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A report that was written.

    Attributes:
        without_pdf: why there is no PDF; empty where there is one.
    """

    issued: Issued
    assessment: Assessment
    without_pdf: str = ""


class ReportRefusedError(Exception):
    """The report cannot be drawn up; the message says why and how to mend it."""


def write(job: ReportJob) -> Written:
    """Draw up a period's report and write its files. It is not recorded yet: see `monitor.issuing.record`.

    Raises:
        ReportRefusedError: a period that is not over, lies outside the contract, or does not parse.
    """
    document, assessment, number = drawn_up(job)
    written = written_files(job, document)
    issued = issued_as(document, written, contract=job.contract.contract, version=number, automatic=job.automatic)
    return Written(issued=issued, assessment=assessment, without_pdf=written.without_pdf)


def drawn_up(job: ReportJob) -> tuple[Document, Assessment, int]:
    """A report with everything that goes into its files, and its own version; errors as of `write`."""
    database = Database.open(job.database_url, migrate=False)
    try:
        with database.read() as tx:
            report, number = draw(tx, job)
            evidence = b"".join(tables_csv.lines(report, _proven(tx, job, report.period)))
    finally:
        database.close()
    document = Document(
        kind="monthly",
        number=report.number,
        subject=job.period,
        issued_us=job.now_us,
        ledger_head=report.assessment.ledger_head,
        machine=json_form.render(report).encode(),
        pages={language: html.render(report, language) for language in LANGUAGES},
        attachments=(
            Attachment(form="json-en", name=f"{report.number}.en.json", body=json_form.render(report, "en").encode()),
            *workbooks(report.number, lambda language: xlsx.render(report, language)),
            Attachment(form="csv", name=f"{report.number}.csv", body=evidence, carried=False),
        ),
    )
    return document, report.assessment, number


def written_files(job: ReportJob, document: Document) -> Files:
    """The files of a document of any kind, in the folder of its subject; its PDFs signed where the job says so.

    Raises:
        ReportRefusedError: it cannot be signed; nothing is written then.
    """
    folder = folder_of(job.directory, job.contract.contract, document.subject)
    try:
        return write_files(document, folder, sign=job.signing)
    except SigningError as error:
        raise ReportRefusedError(str(error)) from error


def draw(tx: Transaction, job: ReportJob) -> tuple[Report, int]:
    """The report with its changes since the version before, and its own version; errors as of `write`."""
    try:
        period = parse_period(job.period, job.contract.timezone)
    except ValueError as error:
        raise ReportRefusedError(f'the period "{job.period}" {error}') from error
    if period.start_us >= job.now_us:
        raise ReportRefusedError(f"{job.period} has not begun yet; there is nothing to report")
    try:
        assessment = assess_stored(tx, job.contract, period, as_of_us=job.now_us, until_us=job.now_us)
    except ValueError as error:
        raise ReportRefusedError(str(error)) from error
    gaps, responses = tuple(_gaps(tx, job, period)), tuple(_responses(tx, job, period))
    number = reports.next_number(tx, job.contract.contract, job.period)
    report = _drawn_up(job, assessment, number, gaps=gaps, responses=responses, drills=_drills(tx, job, period))
    changes = restating.changes(tx, report, period=job.period, version=number)
    return replace(report, changes=changes, history=restating.history(tx, report)), number


def _drawn_up(
    job: ReportJob,
    assessment: Assessment,
    number: int,
    *,
    gaps: tuple[Gap, ...],
    responses: tuple[ResponseSeries, ...],
    drills: Drills | None,
) -> Report:
    return draw_up(
        assessment,
        number=number_of("monthly", job.period, number),
        issued_us=job.now_us,
        portal_name=job.portal,
        titles=job.titles,
        gaps=gaps,
        responses=responses,
        software=job.software,
        config_sha256=job.config_sha256,
        contact=job.contact,
        replaces=number_of("monthly", job.period, number - 1) if number > 1 else None,
        drills=drills,
    )


def _drills(tx: Transaction, job: ReportJob, period: Span) -> Drills | None:
    """Every try counts: one that failed and was held again an hour later is two."""
    until_us = min(period.end_us, job.now_us)
    problems = [event.data.get("problem") for event in events.read(tx, period.start_us, until_us, kinds=("drill",))]
    return Drills(held=len(problems), passed=problems.count("")) if problems else None


def _proven(tx: Transaction, job: ReportJob, period: Span) -> Iterator[Proven]:
    """The samples of the contract's journeys in the period, with what proves them."""
    known, end_us = intervals(tx, period.end_us), min(period.end_us, job.now_us)
    for name in job.contract.journeys():
        if name not in known.changes:
            continue
        where, proofs = None, dict[int, list[str]]()
        for one in samples.stream(tx, (name,), period.start_us, end_us):
            if one.location != where:
                where = one.location
                proofs = seals.proofs(tx, name, where, period.start_us, end_us)
            if not known.counts(name, one.slot_us):
                continue
            sample = SampleIn(
                journey=name,
                due_us=one.slot_us,
                interval_us=known.at(name, one.slot_us),
                outcome=one.outcome.value,
                duration_us=one.duration_us,
                location=one.location,
                failure=one.failure_kind.value if one.failure_kind else "",
                attempts=one.attempts,
            )
            yield Proven(sample=sample, evidence=tuple(proofs.get(one.slot_us, ())))


def _gaps(tx: Transaction, job: ReportJob, period: Span) -> Iterator[Gap]:
    """When and why the monitor itself did not measure, as it noted it at the time."""
    found: defaultdict[tuple[str, int, int], set[str]] = defaultdict(set)
    known = intervals(tx, period.end_us)
    elsewhere = _Elsewhere(tx, known, period)
    for event in events.read(tx, period.start_us, job.now_us, kinds=(MISSED,)):
        start_us, end_us = int(event.data["from_us"] or 0), int(event.data["until_us"] or 0)
        cause = _MISSED.get(str(event.data["cause"]), "unknown")
        location = str(event.data.get("location", job.location))
        for piece in elsewhere.dark(str(event.check_id), location, Span(start_us=start_us, end_us=end_us)):
            found[(cause, piece.start_us, piece.end_us)].add(str(event.check_id))
    until_us = min(period.end_us, job.now_us)
    for name in job.contract.journeys():
        for start_us, end_us in known.in_shadow(name, period.start_us, until_us):
            found[("shadow", start_us, end_us)].add(name)
        # The last sample before the period speaks for the beginning of it.
        since_us = period.start_us - (known.at(name, period.start_us) if name in known.changes else 0)
        for run in runs_of(tx, name, known, since_us, until_us, durations=False, ready_made=False):
            first = run.first
            if first.outcome == "unknown" and first.failure:
                cause = _CAUSES.get(FailureKind(first.failure), "unknown")
                for start_us in run.dues_us:
                    unmeasured = Span(start_us=start_us, end_us=start_us + first.interval_us)
                    for piece in elsewhere.dark(name, first.location, unmeasured):
                        found[(cause, piece.start_us, piece.end_us)].add(name)
    yield from _merged(found, period)


class _Elsewhere:
    """What other locations measured of a check while one did not: that is no gap of the monitor's."""

    def __init__(self, tx: Transaction, known: Intervals, period: Span) -> None:
        self._tx = tx
        self._known = known
        self._period = period
        self._measured: dict[str, dict[str, IntervalSet]] = {}

    def dark(self, name: str, location: str, span: Span) -> tuple[Span, ...]:
        """The parts of a span that nobody else measured."""
        if name not in self._measured:
            self._measured[name] = self._read(name)
        left = IntervalSet.of((span,))
        for other, measured in self._measured[name].items():
            if other != location:
                left = left - measured
        return left.spans

    def _read(self, name: str) -> dict[str, IntervalSet]:
        if len(places.locations(self._tx, name)) < 2:
            return {}
        spans: defaultdict[str, list[Span]] = defaultdict(list)
        start_us, end_us = self._period.start_us, self._period.end_us
        for run in runs_of(self._tx, name, self._known, start_us, end_us, durations=False, ready_made=False):
            if run.first.outcome != "unknown":
                every_us = run.first.interval_us
                spans[run.first.location].extend(Span(start_us=due, end_us=due + every_us) for due in run.dues_us)
        return {location: IntervalSet.of(found) for location, found in spans.items()}


def _merged(found: Mapping[tuple[str, int, int], set[str]], period: Span) -> Iterator[Gap]:
    """Gaps of one cause that touch or overlap as one: every check has slots of its own, so their edges differ."""
    by_cause: defaultdict[str, list[tuple[int, int, set[str]]]] = defaultdict(list)
    for (cause, start_us, end_us), names in found.items():
        start_us, end_us = max(start_us, period.start_us), min(end_us, period.end_us)
        if start_us < end_us:
            by_cause[cause].append((start_us, end_us, names))
    for cause, pieces in sorted(by_cause.items()):
        pieces.sort(key=lambda piece: piece[:2])
        start_us, end_us, names = pieces[0][0], pieces[0][1], set(pieces[0][2])
        for piece in pieces[1:]:
            if piece[0] <= end_us:
                end_us, names = max(end_us, piece[1]), names | piece[2]
            else:
                yield Gap(start_us=start_us, end_us=end_us, cause=cause, journeys=tuple(sorted(names)))
                start_us, end_us, names = piece[0], piece[1], set(piece[2])
        yield Gap(start_us=start_us, end_us=end_us, cause=cause, journeys=tuple(sorted(names)))


def _responses(tx: Transaction, job: ReportJob, period: Span) -> Iterator[ResponseSeries]:
    """Response times of every journey the contract speaks of, and of every step a clause asks about."""
    limits: dict[tuple[str, str | None], int | None] = {(name, None): None for name in job.contract.journeys()}
    for version in job.contract.version:
        for clause in version.clause:
            if isinstance(clause, ResponseTimeClause):
                for name in clause.scope:
                    limits[(name, clause.step)] = clause.limit
    end_us = min(period.end_us, job.now_us)
    known, good = intervals(tx, period.end_us), (Outcome.UP, Outcome.DEGRADED)
    for (name, step), limit_us in sorted(limits.items(), key=lambda item: (item[0][0], item[0][1] or "")):
        if step is None:
            measured = [
                due_and_taken
                for run in runs_of(tx, name, known, period.start_us, end_us, durations=True, ready_made=False)
                if run.first.outcome in good
                for due_and_taken in zip(run.dues_us, run.durations_us, strict=True)
            ]
        else:
            measured = [
                (m.slot_us, m.duration_us)
                for m in samples.stream_step(tx, name, step, period.start_us, end_us)
                if m.sample_outcome in good
            ]
        series = response_series(name, measured, timezone=job.contract.timezone, step=step, limit_us=limit_us)
        if series is not None:
            yield series
