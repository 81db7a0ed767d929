"""The report on paper: tagged, archivable, with its data inside, and the same bytes every time."""

from __future__ import annotations

import importlib
import io
from ctypes.util import find_library

import pytest
from pypdf import PdfReader
from pypdf.generic import DictionaryObject

from sla.rendering import html, pdf
from sla.rendering import json as json_form
from tests.report_story import report

pango = [
    pytest.mark.pango,
    pytest.mark.skipif(
        not all(find_library(name) for name in ("pango-1.0", "pangoft2-1.0", "harfbuzz-subset")),
        reason="libpango-1.0-0, libpangoft2-1.0-0 and libharfbuzz-subset0 are not installed",
    ),
]
NAME = "R-2026-10-v1.json"


def made() -> bytes:
    data = json_form.render(report()).encode()
    return pdf.render(html.render(report(), "nl"), issued_us=report().issued_us, attachments=[(NAME, data)])


@pytest.fixture(scope="module")
def document() -> bytes:
    return made()


@pytest.fixture(scope="module")
def reader(document: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(document))


class TestOnPaper:
    pytestmark = pango

    def test_it_has_pages_a_language_and_a_title(self, reader: PdfReader) -> None:
        assert len(reader.pages) > 5
        assert reader.trailer["/Root"]["/Lang"] == "nl"
        assert reader.metadata is not None
        assert str(reader.metadata.title).startswith("Maandrapport dienstverlening oktober 2026")

    def test_it_says_that_it_is_pdf_a_3a_and_pdf_ua_1(self, reader: PdfReader) -> None:
        metadata = reader.trailer["/Root"]["/Metadata"].get_object().get_data().decode()
        assert 'pdfaid:part="3"' in metadata
        assert 'pdfaid:conformance="A"' in metadata
        assert 'pdfuaid:part="1"' in metadata
        assert metadata.count("<rdf:RDF") == 1

    def test_it_is_tagged(self, reader: PdfReader) -> None:
        assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]

    def test_its_data_is_attached_byte_for_byte(self, reader: PdfReader) -> None:
        assert reader.attachments[NAME] == [json_form.render(report()).encode()]

    def test_it_carries_our_own_typeface_and_no_other(self, reader: PdfReader) -> None:
        fonts = {
            str(font.get_object()["/BaseFont"])
            for page in reader.pages
            for font in page["/Resources"]["/Font"].values()
        }
        assert fonts
        assert {name for name in fonts if "Source-Sans-3" not in name} == set()

    def test_every_header_cell_says_what_it_heads(self, reader: PdfReader) -> None:
        cells = [
            item
            for item in (reader.get_object(number) for number in reader.xref_objStm)
            if isinstance(item, DictionaryObject) and item.get("/S") == "/TH"
        ]
        assert cells
        assert {str(cell["/A"]["/Scope"]) for cell in cells} == {"/Column", "/Row"}

    def test_pages_are_numbered_and_carry_the_report_number(self, reader: PdfReader) -> None:
        text = reader.pages[1].extract_text().replace("\u00a0", " ")
        assert f"Pagina 2 / {len(reader.pages)}" in text
        assert "R-2026-10-v1" in text

    def test_making_it_again_gives_the_same_bytes(self, document: bytes) -> None:
        assert made() == document


def test_without_the_libraries_the_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise OSError(f"cannot load library for {name}")

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(pdf.PdfUnavailable, match=" ".join(pdf.PACKAGES)):
        pdf.render("<p>", issued_us=0)
