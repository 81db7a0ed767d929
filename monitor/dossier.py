"""The dossier on one outage, from the store: assessed, gathered, written; recorded by whoever called."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

from monitor.assessing import intervals, stored_samples
from monitor.evidence_pages import told_beside
from monitor.issuing import Attachment, Document, Files, issued_as, number_of, plain, workbooks
from monitor.reporting import ReportJob, ReportRefusedError, written_files
from monitor.store import evidence, incidents, ledger, outbox, reports, samples
from monitor.store.database import Database, Transaction
from monitor.store.outbox import Settled
from monitor.store.reports import Issued
from probes.bundle import har_of
from probes.sample import Evidence, Failure, Outcome, Sample
from probes.sentences import sentence
from sla.assess import Worked, worked_out
from sla.assessment import Assessment, Span, Text
from sla.contract import Contract
from sla.dossier import Alarm, Dossier, DossierRefused, Mail, Proof, Run, began_us, draw_up, outage_in, span_around
from sla.period import local_date, local_datetime, parse_period
from sla.rendering import dossier as form
from sla.rendering import xlsx_documents
from sla.rendering.page import LANGUAGES
from sla.report import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A dossier that was written, not recorded yet: see `monitor.issuing.record`."""

    dossier: Dossier
    issued: Issued
    files: Files


def month_of(outage_id: str, timezone: str) -> str:
    """The month in which an outage began, as a period is written: what its dossier assesses.

    Raises:
        ReportRefusedError: this is no id of an outage.
    """
    try:
        return f"{local_date(began_us(outage_id), timezone):%Y-%m}"
    except DossierRefused as error:
        raise ReportRefusedError(str(error)) from error


def write(job: ReportJob, outage_id: str) -> Written:
    """Draw up the dossier on an outage of the job's period and write its files.

    Raises:
        ReportRefusedError: the period is none of the contract's, or it has no such outage.
    """
    period = parse_period(job.period, job.contract.timezone)
    database = Database.open(job.database_url, migrate=False)
    try:
        with database.read() as tx:
            worked = work_out(tx, job.contract, period, job.now_us)
            version = reports.next_number(tx, job.contract.contract, outage_id, kind="outage")
            dossier, files = _drawn_up(tx, job, worked, outage_id, version)
    except ValueError as error:
        raise ReportRefusedError(str(error)) from error
    finally:
        database.close()
    document = Document(
        kind="outage",
        number=dossier.report.number,
        subject=outage_id,
        issued_us=job.now_us,
        ledger_head=worked.assessment.ledger_head,
        machine=form.render_json(dossier).encode(),
        pages={language: form.render(dossier, language) for language in LANGUAGES},
        attachments=(
            *files,
            *workbooks(dossier.report.number, lambda language: xlsx_documents.dossier(dossier, language)),
        ),
    )
    written = written_files(job, document)
    issued = issued_as(document, written, contract=job.contract.contract, version=version)
    return Written(dossier=dossier, issued=issued, files=written)


def work_out(tx: Transaction, contract: Contract, period: Span, now_us: int) -> Worked:
    """What the engine says of the stored samples and ledger up to `now_us`, and what that rests on."""
    entries = tuple(ledger.read(tx))
    return worked_out(
        contract,
        period=period,
        samples=stored_samples(tx, contract, period, entries, until_us=now_us),
        ledger=entries,
        as_of_us=now_us,
    )


def report_on(job: ReportJob, assessment: Assessment, number: str, replaces: str | None) -> Report:
    """What every document says of itself, on the assessment it is about."""
    return Report(
        assessment=assessment,
        number=number,
        issued_us=job.now_us,
        data_until_us=job.now_us,
        portal_name=job.portal,
        titles=job.titles,
        gaps=(),
        responses=(),
        software=job.software,
        config_sha256=job.config_sha256,
        contact=job.contact,
        replaces=replaces,
    )


def _drawn_up(
    tx: Transaction, job: ReportJob, worked: Worked, outage_id: str, version: int
) -> tuple[Dossier, tuple[Attachment, ...]]:
    outage = outage_in(worked, outage_id)
    known = intervals(tx, job.now_us)
    around = span_around(worked, outage, known.at(outage.journey, outage.first_bad_us))
    found = list(_whole(tx, outage.journey, around))
    proofs, archive = _proofs(tx, found)
    number = number_of("outage", outage_id, version)
    dossier = draw_up(
        worked,
        report_on(job, worked.assessment, number, number_of("outage", outage_id, version - 1) if version > 1 else None),
        outage,
        around=around,
        runs=(_run(sample, known.at(outage.journey, sample.slot_us)) for sample in found),
        proofs=proofs,
        alarms=_alarms(tx, outage.journey, around),
    )
    files = [
        Attachment(form="samples-csv", name=form.samples_name(dossier), body=form.samples_csv(dossier)),
        Attachment(form="counting-csv", name=form.counting_name(dossier), body=form.counting_csv(dossier)),
    ]
    if proofs:
        files.append(Attachment(form="evidence", name=form.evidence_name(dossier), body=archive))
    return dossier, tuple(files)


def _whole(tx: Transaction, check_id: str, around: Span) -> Iterator[Sample]:
    locations = dict.fromkeys(one.location for one in samples.stream(tx, (check_id,), around.start_us, around.end_us))
    for location in sorted(locations):
        yield from samples.between(tx, check_id, location, around.start_us, around.end_us)


def _run(sample: Sample, interval_us: int) -> Run:
    failure = sample.failure or sample.blip
    return Run(
        location=sample.location,
        due_us=sample.slot_us,
        started_us=sample.started_us,
        interval_us=interval_us,
        duration_us=sample.duration_us,
        outcome=sample.outcome.value,
        attempts=sample.attempts,
        failure="" if failure is None else _code(failure),
        told=None if failure is None else Text(nl=sentence(failure, "nl"), en=sentence(failure, "en")),
    )


def _code(failure: Failure) -> str:
    return f"{failure.kind.value} {failure.step}" if failure.step else failure.kind.value


# --- evidence ------------------------------------------------------------------------------------------------------


def _proofs(tx: Transaction, found: list[Sample]) -> tuple[tuple[Proof, ...], bytes]:
    """What was kept of every failing sample: one text file a step, in one archive. The same store, the same bytes."""
    proofs = []
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for sample in found:
            if sample.outcome is not Outcome.DOWN and sample.blip is None:
                continue
            for proof, body in _files_of(tx, sample):
                about = zipfile.ZipInfo(proof.name, date_time=(1980, 1, 1, 0, 0, 0))
                about.compress_type, about.create_system, about.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
                archive.writestr(about, body)
                proofs.append(proof)
    return tuple(proofs), into.getvalue()


def _files_of(tx: Transaction, sample: Sample) -> Iterator[tuple[Proof, bytes]]:
    """What was kept of a sample: each step as plain text, each bundle whole, and the HTTP archive in it."""
    at = (sample.check_id, sample.location, sample.slot_us)
    beginning = f"{plain(sample.location)}/{local_datetime(sample.slot_us, 'UTC'):%Y%m%dT%H%M%SZ}"
    bundles = tuple(evidence.bundles(tx, *at, sample.slot_us + 1))
    beside = [told for kept in bundles for told in told_beside(kept)]
    for place, piece in enumerate(evidence.read(tx, *at), start=1):
        body = _as_text(sample, piece, beside[place - 1] if place <= len(beside) else ()).encode()
        name = "-".join(filter(None, (beginning, str(place), piece.step and plain(piece.step)))) + ".txt"
        yield _proof(sample, name, piece.step, body, piece.body_sha256 or "", is_cut=piece.body_truncated), body
    for place, kept in enumerate(bundles, start=1):
        failure = kept.told["failure"] or {}
        step = failure.get("step") or ""
        # The bundle's own bytes: their SHA-256 is the name that the seal of the day covers.
        yield _proof(sample, f"{beginning}-{place}.json", step, kept.body), kept.body
        if kept.told["har"]["log"]["entries"]:
            har = har_of(kept.body)
            yield _proof(sample, f"{beginning}-{place}.har", step, har), har
        for number, (named, content) in enumerate(evidence.files(tx, kept), start=1):
            whose = "-".join(filter(None, (str(place), str(number), plain(named.step) if named.step else "")))
            yield _proof(sample, f"{beginning}-{whose}.{named.form}", named.step or step, content), content


def _proof(sample: Sample, name: str, step: str, body: bytes, body_sha256: str = "", *, is_cut: bool = False) -> Proof:
    return Proof(
        name=name,
        location=sample.location,
        due_us=sample.slot_us,
        step=step,
        sha256=hashlib.sha256(body).hexdigest(),
        body_sha256=body_sha256,
        is_cut=is_cut,
    )


def _as_text(sample: Sample, kept: Evidence, beside: tuple[tuple[str, str], ...]) -> str:
    """Plain text, whatever the portal answered: nobody's reader runs it."""
    head = (
        f"check: {sample.check_id}",
        f"location: {sample.location}",
        f"due: {local_datetime(sample.slot_us, 'UTC').isoformat()}",
        f"run: {sample.run_id}",
        f"step: {kept.step}",
        f"addresses: {', '.join(kept.addresses)}",
        f"body sha256 as received: {kept.body_sha256 or '-'}",
        f"body kept whole: {'no' if kept.body_truncated else 'yes'}",
    )
    parts = (*beside, ("request", kept.request), ("answer", kept.response_head), ("body", kept.body))
    return "\n".join((*head, *(f"\n--- {name} ---\n{text}" for name, text in parts), ""))


def _alarms(tx: Transaction, check_id: str, around: Span) -> tuple[Alarm, ...]:
    found = incidents.read(tx, check_id=check_id, start_us=around.start_us, end_us=around.end_us)
    return tuple(
        Alarm(
            id=one.id,
            since_us=one.since_us,
            confirmed_us=one.confirmed_us,
            until_us=one.until_us,
            mails=tuple(
                Mail(
                    kind=queued.kind.value,
                    created_us=queued.created_us,
                    readers=len(queued.readers),
                    arrived=sum(reader.state is Settled.SENT for reader in queued.readers),
                )
                for queued in sorted(outbox.read(tx, incident_id=one.id), key=lambda q: (q.created_us, q.id))
            ),
        )
        for one in reversed(found)
    )
