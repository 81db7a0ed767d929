"""Documents that leave the house: their files written whole or not at all, and what is recorded of them."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from monitor import signing
from monitor.store import ledger, reports
from monitor.store.database import Transaction
from monitor.store.reports import Issued
from sla.ledger import Entry
from sla.rendering import pdf
from sla.rendering.numbers import Language
from sla.rendering.page import LANGUAGES


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of document: the letter its numbers start with, and its name in the ledger, in Dutch."""

    letter: str
    name: str


KINDS: Mapping[str, Kind] = {
    "monthly": Kind(letter="R", name="maandrapport"),
    "two-weekly": Kind(letter="T", name="tweewekelijkse stand van zaken"),
    "quarter": Kind(letter="K", name="kwartaaloverzicht"),
    "year": Kind(letter="J", name="jaaroverzicht"),
    "outage": Kind(letter="D", name="storingsdossier"),
    "findings": Kind(letter="PV", name="ontwerp van proces-verbaal van vaststelling"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A further form of a document, such as its spreadsheet; written beside it and carried by its PDFs.

    Attributes:
        form: `xlsx`, `csv`, `json-en`, …; once per document.
        name: its file name, such as `R-2026-10-v1.xlsx`.
        carried: whether the PDFs carry it too; what may be as long as a month of samples is only written beside them.
    """

    form: str
    name: str
    body: bytes
    carried: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document in all its forms but the PDF, which is made from its pages.

    Attributes:
        kind: one of `KINDS`.
        number: as it is cited, such as `T-2026-W47-v1`; see `number_of`.
        subject: what it is about: a period, an outage, findings.
        ledger_head: hash of the last ledger entry it was computed from; empty for an empty ledger.
        machine: the JSON that decides.
        pages: the HTML, per language.
    """

    kind: str
    number: str
    subject: str
    issued_us: int
    ledger_head: str
    machine: bytes
    pages: Mapping[Language, str]
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """What was written.

    Attributes:
        files: path by form: `json`, `html-nl`, `pdf-nl`, …, `sha256`.
        without_pdf: why there is no PDF; empty where there is one.
        sha256: of the JSON that decides.
    """

    files: Mapping[str, str]
    without_pdf: str
    sha256: str


def workbooks(number: str, render: Callable[[Language], bytes]) -> tuple[Attachment, ...]:
    """A document's workbook in every language."""
    return tuple(
        Attachment(form=f"xlsx-{language}", name=f"{number}.{language}.xlsx", body=render(language))
        for language in LANGUAGES
    )


def number_of(kind: str, subject: str, version: int) -> str:
    """How a document is cited: `R-2026-10-v1`. The subject must do for a file name."""
    return f"{KINDS[kind].letter}-{plain(subject)}-v{version}"


def plain(name: str) -> str:
    """A name that does for a file or folder: letters, digits, dots and dashes stay, the rest becomes `_`."""
    return "".join(c if c.isalnum() or c in ".-" else "_" for c in name).strip(".") or "contract"


def folder_of(directory: Path, contract: str, subject: str) -> Path:
    """Where the documents about one subject of one contract lie."""
    return directory / plain(contract) / plain(subject)


def write_files(document: Document, folder: Path, *, sign: signing.Signing | None = None) -> Files:
    """All forms of a document and their checksums, written beside their place and moved there together.

    A signed PDF stands beside the one without signature: that one is the same on every machine and in the checksums.

    Raises:
        SigningError: it cannot be signed; nothing is written then.
    """
    forms: dict[str, tuple[str, bytes]] = {"json": (f"{document.number}.json", document.machine)}
    for extra in document.attachments:
        if extra.form in forms:
            raise ValueError(f"{document.number} has the form {extra.form} twice")
        forms[extra.form] = (extra.name, extra.body)
    kept_apart = {extra.form for extra in document.attachments if not extra.carried}
    attached = tuple(file for form, file in forms.items() if form not in kept_apart)
    signed: dict[str, tuple[str, bytes]] = {}
    without_pdf = ""
    for language, page in document.pages.items():
        forms[f"html-{language}"] = (f"{document.number}.{language}.html", page.encode())
        try:
            made = pdf.render(page, issued_us=document.issued_us, attachments=attached)
        except pdf.PdfUnavailable as error:
            without_pdf = str(error)
        else:
            forms[f"pdf-{language}"] = (f"{document.number}.{language}.pdf", made)
            if sign is not None:
                name = f"{document.number}.{language}.signed.pdf"
                signed[f"pdf-{language}-signed"] = (name, signing.sign(made, sign))
    sums = "".join(f"{hashlib.sha256(body).hexdigest()}  {name}\n" for name, body in sorted(forms.values()))
    forms["sha256"] = (f"{document.number}.SHA256SUMS", sums.encode())
    return Files(
        files=_move_together(document.number, forms | signed, folder),
        without_pdf=without_pdf,
        sha256=hashlib.sha256(document.machine).hexdigest(),
    )


def _move_together(number: str, forms: Mapping[str, tuple[str, bytes]], folder: Path) -> dict[str, str]:
    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / f".{number}"
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    files: dict[str, str] = {}
    for form, (name, body) in forms.items():
        (beside / name).write_bytes(body)
        files[form] = str(folder / name)
    for form, (name, _) in forms.items():
        (beside / name).replace(files[form])
    beside.rmdir()
    return files


def issued_as(document: Document, written: Files, *, contract: str, version: int, automatic: bool = False) -> Issued:
    """What `record` takes of a document whose files were written."""
    return Issued(
        contract=contract,
        kind=document.kind,
        period=document.subject,
        number=version,
        automatic=automatic,
        issued_us=document.issued_us,
        ledger_head=document.ledger_head,
        sha256=written.sha256,
        files=written.files,
    )


def record(tx: Transaction, issued: Issued, *, by: str) -> bool:
    """Record an issued document, in the table of reports and in the ledger.

    Returns:
        False, and nothing recorded, where this number (or an automatic document of its kind and subject) is there.
    """
    if not reports.add(tx, issued):
        return False
    data = {
        "contract": issued.contract,
        "period": issued.period,
        "number": str(issued.number),
        "sha256": issued.sha256,
        "ledger_head": issued.ledger_head,
    }
    # A monthly report's entry stays as it always was.
    kind = {} if issued.kind == "monthly" else {"document": issued.kind}
    ledger.append(
        tx,
        Entry(
            kind="report",
            recorded_us=issued.issued_us,
            by=by,
            reason=f"{KINDS[issued.kind].name} {issued.period}, versie {issued.number}",
            data=data | kind,
        ),
    )
    return True
