"""A mail before it is text or HTML, and the words that all mails share."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dashboards.formatting import day, local
from monitor.mail_message import Mailbox
from monitor.recipients import Language
from monitor.store.leaving import ToSend
from probes.checks import Title

Tone = Literal["bad", "good", "warn", "plain"]


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What every mail says the same.

    Attributes:
        portal: its name, in subjects.
        pages_url: where the pages are; links begin with it.
        id_host: right-hand side of Message-IDs.
        reports_dir: attachments are read from below this directory only.
        acknowledge: path by which whoever has it can acknowledge an incident, from when a mail was written; None: none.
    """

    portal: str
    timezone: str
    pages_url: str
    sender: Mailbox
    id_host: str
    list_id: str | None = None
    reports_dir: Path | None = None
    acknowledge: Callable[[str, int], str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of the table with links of its own: words and address of each."""

    label: str
    value: str
    links: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A mail before it is text or HTML."""

    language: Language
    portal: str
    word: str
    subject: str
    headline: str
    preheader: str
    tone: Tone
    sentences: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    link: tuple[str, str] | None
    foot: tuple[str, ...]
    action: tuple[str, str] | None = None
    more: tuple[str, str] | None = None
    rows: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is particular to one kind of news; what every mail says the same comes to it in `page_of`.

    Attributes:
        link: the button; `more`: a second, quieter one. Words and address.
        rows: stand behind the facts.
    """

    word: str
    subject: str
    headline: str
    tone: Tone
    sentences: tuple[str, ...]
    facts: tuple[tuple[str, str], ...] = ()
    link: tuple[str, str] | None = None
    more: tuple[str, str] | None = None
    rows: tuple[Row, ...] = ()


def when(instant_us: int, house: House, language: Language, *, seconds: bool = False) -> str:
    """`23 november 2026 om 11:15 (CET)`: the zone always, for a mail may be read far away."""
    at = local(instant_us, house.timezone)
    joint = "om" if language == "nl" else "at"
    return f"{day(at.date(), language)} {joint} {at.strftime('%H:%M:%S' if seconds else '%H:%M')} ({at.tzname()})"


def address_of(house: House, path: str, message: ToSend) -> str:
    """Address of a page of ours, in the language of the message."""
    return f"{house.pages_url.rstrip('/')}{path}{'' if message.language == 'nl' else '?lang=en'}"


def status_page(house: House, message: ToSend) -> tuple[str, str]:
    """The link that most mails end with: its words and its address."""
    words = "Bekijk de statuspagina" if message.language == "nl" else "View the status page"
    return words, address_of(house, "/", message)


def evidence(house: House, incident_id: str, message: ToSend) -> tuple[str, str]:
    """The link to what proves an incident: its words and its address."""
    words = "Bekijk het bewijs" if message.language == "nl" else "View the evidence"
    return words, address_of(house, f"/incident/{incident_id}", message) + "#evidence-heading"


def in_(title: Title, language: Language) -> str:
    return title.nl if language == "nl" else title.en


def line(text: str) -> str:
    """Text on one line; nothing that came from a portal may draw lines of its own."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def header(text: str) -> str:
    """A subject on one line and, as far as it can be, without characters that become encoded words in its middle."""
    plain = line(text).translate({0x2013: "-", 0x2014: "-", 0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"'})
    return unicodedata.normalize("NFC", plain)[:200]
