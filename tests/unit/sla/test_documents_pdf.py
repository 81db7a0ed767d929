"""Every other document on paper keeps what the monthly report keeps: tagged, archivable, its header cells scoped."""

from __future__ import annotations

import io
from collections.abc import Callable
from ctypes.util import find_library

import pytest
from pypdf import PdfReader
from pypdf.generic import DictionaryObject

from sla.rendering import dossier as dossier_page
from sla.rendering import findings as findings_page
from sla.rendering import html, pdf
from sla.rendering.numbers import Language
from sla.rendering.periodic import overview_page, update_page
from tests.dossier_story import dossier, findings
from tests.period_story import overview, restated, update

pytestmark = [
    pytest.mark.pango,
    pytest.mark.skipif(
        not all(find_library(name) for name in ("pango-1.0", "pangoft2-1.0", "harfbuzz-subset")),
        reason="libpango-1.0-0, libpangoft2-1.0-0 and libharfbuzz-subset0 are not installed",
    ),
]
MARKS = ('pdfaid:part="3"', 'pdfaid:conformance="A"', 'pdfuaid:part="1"')
MADE: dict[str, tuple[Language, Callable[[Language], str], str]] = {
    "restated": ("en", lambda language: html.render(restated(), language), "R-2026-10-v2"),
    "dossier": ("nl", lambda language: dossier_page.render(dossier(), language), "D-indienen-20261012T0830Z-v1"),
    "findings": ("nl", lambda language: findings_page.render(findings(), language), "PV-2026-10-v1"),
    "quarter": ("nl", lambda language: overview_page(overview("quarter"), language), "K-2026-Q4-v1"),
    "update": ("en", lambda language: update_page(update(), language), "T-2026-W43-v1"),
}


@pytest.mark.parametrize("name", MADE)
def test_it_is_a_tagged_pdf_a_3a_that_keeps_pdf_ua_1(name: str) -> None:
    language, render, number = MADE[name]
    made = pdf.render(render(language), issued_us=1, attachments=[(f"{number}.json", b"{}")])
    reader = PdfReader(io.BytesIO(made))
    root = reader.trailer["/Root"]
    metadata = root["/Metadata"].get_object().get_data().decode()
    missing = [mark for mark in MARKS if mark not in metadata]
    assert missing == []
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == language
    assert reader.metadata is not None
    assert str(reader.metadata.title).endswith(number)
    objects = [reader.get_object(each) for each in reader.xref_objStm]
    scopes = {str(o["/A"]["/Scope"]) for o in objects if isinstance(o, DictionaryObject) and o.get("/S") == "/TH"}
    assert scopes == {"/Column", "/Row"}
    pages = [page.extract_text().replace("\u00a0", " ") for page in reader.pages]
    assert all(number in page for page in pages)
    assert not any(":," in page for page in pages)
