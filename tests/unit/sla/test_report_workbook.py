"""The workbook of a report: numbers as numbers, and formulas that give what was decided."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import zipfile
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from functools import cache
from pathlib import Path

import openpyxl
import pytest
from openpyxl.workbook import Workbook

from sla.rendering.workbook import Ratio, percent_places
from sla.rendering.xlsx import render
from tests.report_story import report

SOFFICE = shutil.which("soffice")


@cache
def workbook(language: str = "nl", *, values: bool = False) -> Workbook:
    body = render(report(), "en" if language == "en" else "nl")
    return openpyxl.load_workbook(io.BytesIO(body), data_only=values)


def column(book: Workbook, sheet: str, title: str) -> list[object]:
    """The cells under a heading."""
    page = book[sheet]
    place = next(cell.column for cell in page[4] if cell.value == title)
    return [page.cell(row, place).value for row in range(5, page.max_row + 1)]


def formulas(book: Workbook) -> dict[tuple[str, str], str]:
    return {
        (page.title, cell.coordinate): cell.value
        for page in book
        for row in page.iter_rows()
        for cell in row
        if isinstance(cell.value, str) and cell.data_type == "f"
    }


def test_the_same_report_gives_the_same_bytes() -> None:
    assert render(report()) == render(report())


def test_every_sheet_is_there_in_both_languages() -> None:
    assert workbook().sheetnames == [
        "Samenvatting", "Oordelen", "Berekening per norm", "Storingen", "Onderhoud en uitsluitingen", "Per dag",
        "Sancties", "Sancties per norm", "Responstijden", "Begrippen",
    ]  # fmt: skip
    assert len(workbook("en").sheetnames) == 10


def test_tables_have_names_filters_and_headings_that_stay() -> None:
    page = workbook()["Storingen"]
    assert page.tables["Storingen"].autoFilter is not None
    assert page.freeze_panes == "C5"


def test_instants_are_dates_on_the_contracts_clock() -> None:
    assert column(workbook(), "Storingen", "Eerste mislukte meting")[0] == datetime.fromisoformat("2026-10-06T08:00")
    assert column(workbook(), "Storingen", "Eerste mislukte (UTC)")[0] == datetime.fromisoformat("2026-10-06T06:00")
    assert "Europe/Brussels" in str(workbook()["Storingen"]["A2"].value)


def test_the_figure_of_b1_stands_beside_its_formula() -> None:
    result = next(r for r in report().assessment.clauses if r.clause.id == "B1")
    assert result.availability is not None
    assert result.availability.point is not None
    book, values = workbook(), workbook(values=True)
    assert column(book, "Berekening per norm", "Gemeten: formule")[0] == "=(G5+H5)/(G5+H5+I5)"
    assert column(values, "Berekening per norm", "Gemeten: vastgesteld")[0] == float(result.availability.point)
    assert column(values, "Berekening per norm", "Gemeten: controle")[0] == "klopt"


def test_text_that_looks_like_a_formula_stays_text() -> None:
    window = replace(report().assessment.windows[0], reason='=HYPERLINK("http://x.example")')
    wicked = replace(report(), assessment=replace(report().assessment, windows=(window,)))
    with zipfile.ZipFile(io.BytesIO(render(wicked))) as file:
        texts = file.read("xl/sharedStrings.xml").decode()
        sheets = b"".join(file.read(name) for name in file.namelist() if "worksheets/sheet" in name)
    assert "=HYPERLINK(" in texts
    assert b"HYPERLINK" not in sheets


@pytest.mark.parametrize(
    ("value", "norm", "places"),
    [
        pytest.param(Fraction(99796, 100000), Fraction(998, 1000), 3, id="99.796 never shows as 99.80"),
        pytest.param(Fraction(993, 1000), Fraction(993, 1000), 2, id="exactly the norm"),
        pytest.param(Fraction(9999999, 10000000), Fraction(99, 100), 5, id="nearly whole never shows as 100"),
    ],
)
def test_a_percentage_gets_decimals_until_rounding_is_cutting(value: Fraction, norm: Fraction, places: int) -> None:
    assert percent_places(Ratio(value, norm)) == places


@pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed")
@pytest.mark.parametrize("language", ["nl", "en"])
def test_a_spreadsheet_program_calculates_the_same(language: str, tmp_path: Path) -> None:
    """Every value that was written beside a formula is spoilt first, so that only the formula can give it again."""
    body = render(report(), "en" if language == "en" else "nl")
    spoilt, out = tmp_path / "report.xlsx", tmp_path / "out"
    with zipfile.ZipFile(io.BytesIO(body)) as old, zipfile.ZipFile(spoilt, "w") as new:
        for name in old.namelist():
            new.writestr(name, re.sub(rb"</f><v>[^<]*</v>", b"</f>", old.read(name)))
    command = [
        str(SOFFICE), f"-env:UserInstallation=file://{tmp_path / 'profile'}", "--headless",
        "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", str(out), str(spoilt),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    again = openpyxl.load_workbook(out / "report.xlsx", data_only=True)
    written = workbook(language, values=True)
    found = formulas(workbook(language))
    assert len(found) > 200
    for sheet, place in found:
        ours, theirs = written[sheet][place].value, again[sheet][place].value
        assert theirs == (pytest.approx(ours, abs=1e-6) if isinstance(ours, int | float) else ours), (sheet, place)
