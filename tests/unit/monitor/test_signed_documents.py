"""A house with `[signature]` signs its documents, whatever their kind; and a key that does not open issues none."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from pyhanko.keys import load_cert_from_pemder
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from monitor import dossier, periodic, procedure, reporting
from monitor.reporting import ReportJob, ReportRefusedError
from tests import signing_key
from tests.new_store import new_store
from tests.stored_month import fill, job

OUTAGE = "indienen-20261005T0800Z"
KINDS: Mapping[str, Callable[[ReportJob], Mapping[str, str]]] = {
    "monthly": lambda work: reporting.write(work).issued.files,
    "two-weekly": lambda work: periodic.write_update(work, date(2026, 10, 25)).files.files,
    "quarter": lambda work: periodic.write_overview(replace(work, period="2026-Q4")).files.files,
    "year": lambda work: periodic.write_overview(replace(work, period="2026")).files.files,
    "outage": lambda work: dossier.write(work, OUTAGE).files.files,
    "findings": lambda work: procedure.draft(work).files.files,
}


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReportJob]:
    folder = tmp_path_factory.mktemp("signed")
    database = new_store(folder / "loketwacht.db")
    fill(database, marks={f"2026-10-05 {hour}:00": "X" for hour in range(10, 19)})
    yield replace(job(database, folder), signing=signing_key.make(folder))
    database.close()


@pytest.mark.pango
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_document_is_signed(kind: str, work: ReportJob) -> None:
    files = KINDS[kind](work)
    signed = Path(files["pdf-nl-signed"])
    assert signed.name.endswith(".nl.signed.pdf")
    assert signed.read_bytes().startswith(Path(files["pdf-nl"]).read_bytes())
    [found] = PdfFileReader(io.BytesIO(signed.read_bytes())).embedded_signatures
    assert work.signing is not None
    trusted = ValidationContext(trust_roots=[load_cert_from_pemder(str(work.signing.directory / "cert.pem"))])
    assert validate_pdf_signature(found, trusted).bottom_line


@pytest.mark.pango
def test_a_key_that_does_not_open_issues_nothing(work: ReportJob, tmp_path: Path) -> None:
    assert work.signing is not None
    locked = replace(work, signing=replace(work.signing, secret="verkeerd"), directory=tmp_path)
    with pytest.raises(ReportRefusedError, match="cannot be opened"):
        procedure.draft(locked)
    assert list(tmp_path.rglob("*.*")) == []
