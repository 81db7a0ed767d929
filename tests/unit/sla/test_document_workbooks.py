"""The workbooks of overview, update, dossier and findings: sums that give what was decided, and no text calculated."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import openpyxl
import pytest
from openpyxl.workbook import Workbook

from sla import overview, update
from sla.rendering import xlsx_documents as documents
from sla.rendering.numbers import Language
from tests.dossier_story import dossier, findings
from tests.report_story import ledger, report

SOFFICE = shutil.which("soffice")
OVERVIEW = overview.draw_up("quarter", report(), ledger())
UPDATE = update.draw_up(report(), update.fortnight(date(2026, 10, 25), report().timezone), ledger())
KINDS: Mapping[str, Callable[[Language], bytes]] = {
    "overview": lambda language: documents.overview(OVERVIEW, language),
    "update": lambda language: documents.update(UPDATE, language),
    "dossier": lambda language: documents.dossier(dossier(), language),
    "findings": lambda language: documents.findings(findings(), language),
}


@cache
def workbook(kind: str, language: Language = "nl", *, values: bool = True) -> Workbook:
    return openpyxl.load_workbook(io.BytesIO(KINDS[kind](language)), data_only=values)


def row(kind: str, sheet: str, first: str) -> dict[str, object]:
    """By heading, the first row whose first cell begins so."""
    page = workbook(kind)[sheet]
    heads = [str(cell.value) for cell in page[4]]
    found = next(cells for cells in page.iter_rows(min_row=5, values_only=True) if str(cells[0]).startswith(first))
    return dict(zip(heads, found, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_document_gives_the_same_workbook(kind: str) -> None:
    assert KINDS[kind]("nl") == KINDS[kind]("nl")


@pytest.mark.parametrize("kind", KINDS)
def test_every_check_agrees_and_the_summary_says_so(kind: str) -> None:
    cells = {cell.value for page in workbook(kind) for line in page.iter_rows() for cell in line}
    assert "alle formules kloppen" in cells
    assert "klopt" in cells
    assert "wijkt af" not in cells


def test_an_overview_sums_the_periods_of_a_clause() -> None:
    found = row("overview", "Per norm", "B1")
    result = next(r for r in report().assessment.clauses if r.clause.id == "B1")
    assert result.totals is not None
    assert result.availability is not None
    assert (found["Perioden"], found["Norm niet gehaald"]) == (1, 1)
    assert found["Diensttijd (s)"] == result.totals.service_us / 1_000_000
    assert found["Beschikbaarheid: formule"] == float(result.availability.point or 0)
    assert found["Voorstel (EUR): vastgesteld"] == float(result.sanction.amount_eur)


def test_a_dossier_sums_the_stretches_to_what_was_counted() -> None:
    found = row("dossier", "Telling per norm", "B1")
    assert found["onbeschikbaar (s)"] == found["Van deze storing geteld (s)"] == 8100
    assert found["Waarvan voor de sanctie (s)"] == 7800
    assert found["Onbeschikbaar en geteld: controle"] == "klopt"


def test_findings_have_the_formula_with_its_numbers_and_no_amount() -> None:
    book = workbook("findings", values=False)
    assert book["Berekening per norm"]["Q5"].value == "=(G5+H5)/(G5+H5+I5)"
    assert not any("EUR" in str(cell.value) for page in book for cell in page[4])


def test_an_update_takes_what_was_used_from_what_is_allowed() -> None:
    found = row("update", "Stand per norm", "B1")
    budget = UPDATE.standings[0].budget
    assert budget is not None
    assert found["Nog over (s): formule"] == budget.left_us / 1_000_000


def test_text_that_looks_like_a_formula_stays_text() -> None:
    wicked = replace(OVERVIEW, report=replace(report(), titles={"indienen": ("=HYPERLINK(1)", "=HYPERLINK(1)")}))
    with zipfile.ZipFile(io.BytesIO(documents.overview(wicked))) as file:
        sheets = b"".join(file.read(name) for name in file.namelist() if "worksheets/sheet" in name)
        assert "=HYPERLINK(" in file.read("xl/sharedStrings.xml").decode()
    assert b"HYPERLINK" not in sheets


@pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed")
def test_a_spreadsheet_program_calculates_the_same(tmp_path: Path) -> None:
    """Every value that was written beside a formula is left out first, so that only the formula can give it again."""
    for kind, made in KINDS.items():
        with zipfile.ZipFile(io.BytesIO(made("nl"))) as old, zipfile.ZipFile(tmp_path / f"{kind}.xlsx", "w") as new:
            for name in old.namelist():
                new.writestr(name, re.sub(rb"</f><v>[^<]*</v>", b"</f>", old.read(name)))
    command = [
        str(SOFFICE), f"-env:UserInstallation=file://{tmp_path / 'profile'}", "--headless", "--convert-to",
        "xlsx:Calc MS Excel 2007 XML", "--outdir", str(tmp_path / "out"), *(str(tmp_path / f"{k}.xlsx") for k in KINDS),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    for kind in KINDS:
        again = openpyxl.load_workbook(tmp_path / "out" / f"{kind}.xlsx", data_only=True)
        formulas = 0
        for page in workbook(kind, values=False):
            for cell in (cell for line in page.iter_rows() for cell in line if cell.data_type == "f"):
                formulas += 1
                ours = workbook(kind)[page.title][cell.coordinate].value
                theirs = again[page.title][cell.coordinate].value
                same = pytest.approx(ours, abs=1e-6) if isinstance(ours, int | float) else ours
                assert theirs == same, (kind, page.title, cell.coordinate, cell.value)
        assert formulas > 20, kind
