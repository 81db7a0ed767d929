"""The HTML page as a PDF/A-3a that also keeps PDF/UA-1, with its data attached. Same report, same bytes.

WeasyPrint is loaded when the first PDF is made, not before: it needs libraries of the system, and everything else works
without them.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import io
import re
import warnings
from collections.abc import Iterable, Sequence
from datetime import datetime
from types import ModuleType
from typing import Any

from sla.period import local_datetime

PACKAGES = ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0")

#: Says in the one RDF of the file that PDF/UA-1 is kept too, with the schema PDF/A asks for of words it does not know.
PDF_UA = b"""<rdf:Description xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/" rdf:about="" pdfuaid:part="1"/>\
<rdf:Description xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/" \
xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#" \
rdf:about=""><pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">\
<pdfaSchema:schema>PDF/UA identification schema</pdfaSchema:schema>\
<pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>\
<pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix><pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource">\
<pdfaProperty:name>part</pdfaProperty:name><pdfaProperty:valueType>Integer</pdfaProperty:valueType>\
<pdfaProperty:category>internal</pdfaProperty:category>\
<pdfaProperty:description>Part of PDF/UA that is kept</pdfaProperty:description></rdf:li></rdf:Seq>\
</pdfaSchema:property></rdf:li></rdf:Bag></pdfaExtension:schemas></rdf:Description>"""


class PdfUnavailable(Exception):  # noqa: N818 - the house names a refusal by what happened
    """No PDF can be made on this machine; the message names the packages that are missing."""


def render(html: str, *, issued_us: int, attachments: Iterable[tuple[str, bytes]] = ()) -> bytes:
    """The page as PDF, with the named files attached as data.

    Args:
        issued_us: when the document was drawn up; the date of its attachments.
        attachments: (file name, body).

    Raises:
        PdfUnavailable: the libraries of the system that draw text are not installed.
    """
    weasyprint = _weasyprint()
    issued = local_datetime(issued_us, "UTC")
    files = [_attachment(weasyprint, name, body, issued) for name, body in attachments]
    # Nothing but what the page carries itself is ever fetched.
    fetcher = weasyprint.URLFetcher(allowed_protocols=("data",))
    document = weasyprint.HTML(string=html, base_url="about:blank", url_fetcher=fetcher)
    identifier = hashlib.sha256(html.encode()).digest()[:16]
    with warnings.catch_warnings():
        # Deprecations inside the engine are none of our readers' business.
        warnings.simplefilter("ignore")
        made = document.write_pdf(
            pdf_variant="pdf/a-3a", pdf_identifier=identifier, attachments=files, finisher=_finish
        )
    if not isinstance(made, bytes):
        raise TypeError(f"the PDF engine gave {type(made).__name__}, not bytes")
    return made


def _weasyprint() -> ModuleType:
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            # It prints its own advice about missing libraries, where a program may be reading our answer.
            warnings.simplefilter("ignore")
            loaded = importlib.import_module("weasyprint")
            importlib.import_module("weasyprint.text.ffi")
    except (ImportError, OSError) as error:
        raise PdfUnavailable(
            "no PDF: the libraries that draw its text are not installed. "
            f"Install them with: apt-get install {' '.join(PACKAGES)}"
        ) from error
    return loaded


def _attachment(weasyprint: Any, name: str, body: bytes, issued: datetime) -> Any:
    return weasyprint.Attachment(
        file_obj=io.BytesIO(body),
        name=name,
        description=f"{name}: data of this document",
        created=issued,
        modified=issued,
        relationship="Data",
    )


def _finish(_document: Any, pdf: Any) -> None:
    """What the engine leaves out: which header cells head what, and the mark of PDF/UA."""
    for item in pdf.objects:
        if isinstance(item, dict) and item.get("S") == "/TH":
            item["A"]["Scope"] = "/Column" if _is_in_head(item, pdf.objects) else "/Row"
    metadata = pdf.objects[_number(pdf.catalog["Metadata"])]
    metadata.stream = [part.replace(b"</rdf:RDF>", PDF_UA + b"</rdf:RDF>") for part in metadata.stream]


def _is_in_head(cell: Any, objects: Sequence[Any]) -> bool:
    row = objects[_number(cell["P"])]
    return bool(objects[_number(row["P"])].get("S") == "/THead")


def _number(reference: str | bytes) -> int:
    """The object's number in a reference such as `12 0 R`."""
    text = reference.decode() if isinstance(reference, bytes) else reference
    match = re.match(r"(\d+) ", text)
    if match is None:
        raise ValueError(f"{text!r} is no reference to an object")
    return int(match[1])
