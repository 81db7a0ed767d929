"""A document as one self-contained HTML page: no request to anywhere, no script; the same page becomes the PDF."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined

from sla.period import instant_text, zone
from sla.rendering.numbers import Language, Numbers
from sla.rendering.words import Words
from sla.report import Report

LANGUAGES: tuple[Language, ...] = ("nl", "en")
WEIGHTS = (400, 600, 700)
#: Letters that only the second subset draws: it is embedded where a text needs them.
BEYOND_LATIN = re.compile("[\u0100-\u02ba\u1e00-\u1eff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """What the base of every document says about it: its head, its origin, its signatures. Words in one language.

    Attributes:
        kind, subject: together the title, such as `Maandrapport dienstverlening` and `oktober 2026`.
        description: one sentence for search and for who sees the title alone.
        ledger_head: empty for an empty ledger.
        data_until_us: measurements and ledger entries up to here were taken into account.
        contact: whom a reader can ask; empty where nobody was named.
        replaces: number of the document this one restates; None for a first issue.
    """

    number: str
    kind: str
    subject: str
    description: str
    portal: str
    authority: str
    supplier: str
    issued_us: int
    data_until_us: int
    ledger_head: str
    software: str
    config_sha256: str
    contact: str = ""
    replaces: str | None = None

    @classmethod
    def of(cls, report: Report, *, kind: str, subject: str, description: str) -> Cover:
        """The cover of a document that rests on a report's assessment."""
        return cls(
            number=report.number,
            kind=kind,
            subject=subject,
            description=description,
            portal=report.portal_name,
            authority=report.assessment.contract.authority,
            supplier=report.assessment.contract.supplier,
            issued_us=report.issued_us,
            data_until_us=report.data_until_us,
            ledger_head=report.assessment.ledger_head,
            software=report.software,
            config_sha256=report.config_sha256,
            contact=report.contact,
            replaces=report.replaces,
        )

    @property
    def issued_text(self) -> str:
        return instant_text(self.issued_us)

    @property
    def data_file(self) -> str:
        """Name of the JSON that decides, as it is attached to the PDF."""
        return f"{self.number}.json"


def page(template: str, language: Language, *, timezone: str, values: Mapping[str, object]) -> str:
    """One of our templates as a page. The same values give the same bytes.

    Args:
        template: file name in `sla/templates`; usually one that extends `document.html.j2`.
        timezone: in which instants are shown.
        values: for the template, which has beside them `t` (words), `n` (figures) and `language`.

    Raises:
        jinja2.UndefinedError: the template uses a value that was not given.
    """
    own = {"t": Words(language), "n": Numbers(language=language, zone=zone(timezone)), "language": language}
    body = _environment().get_template(template).render({**own, **values})
    # The fonts depend on what the text needs, so they are put in when the text is known.
    return body.replace("/* fonts */", _font_faces(body), 1)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("sla", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _font_faces(text: str) -> str:
    subsets = {"latin": "Source Sans 3"}
    if BEYOND_LATIN.search(text):
        subsets["latin-ext"] = "Source Sans 3 Ext"
    return "\n".join(_font_face(subset, family, weight) for subset, family in subsets.items() for weight in WEIGHTS)


@cache
def _font_face(subset: str, family: str, weight: int) -> str:
    font = files("sla").joinpath("fonts", f"source-sans-3-{subset}-{weight}-normal.woff2").read_bytes()
    data = base64.b64encode(font).decode()
    return (
        f'@font-face{{font-family:"{family}";font-style:normal;font-weight:{weight};font-display:block;'
        f'src:url("data:font/woff2;base64,{data}") format("woff2")}}'
    )
