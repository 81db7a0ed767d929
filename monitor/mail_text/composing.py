"""A message as a mail: which words, in which order, as text and as HTML."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import assert_never

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from monitor.mail_message import Mailbox, MailMessage
from monitor.mail_text import life
from monitor.mail_text.budget import budget
from monitor.mail_text.certificate import certificate
from monitor.mail_text.configuration import configuration
from monitor.mail_text.degraded import degraded
from monitor.mail_text.digest import digest
from monitor.mail_text.flapping import flapping
from monitor.mail_text.incident import incident
from monitor.mail_text.left_behind import left_behind
from monitor.mail_text.maintenance import maintenance
from monitor.mail_text.own import own
from monitor.mail_text.page import Draft, House, Page, Tone, header, line, when
from monitor.mail_text.report import files as files_of
from monitor.mail_text.report import report
from monitor.mail_text.signature import signature
from monitor.mail_text.trial import trial
from monitor.mail_text.trouble import trouble
from monitor.mail_text.undelivered import undelivered
from monitor.mail_text.unmeasured import unmeasured
from monitor.news import (
    WARNINGS,
    BudgetNews,
    CertificateNews,
    ConfigNews,
    DegradedNews,
    DigestNews,
    FlappingNews,
    IncidentNews,
    Kind,
    LeftBehindNews,
    MaintenanceNews,
    OwnNews,
    ReportNews,
    SignatureNews,
    Single,
    TestNews,
    TroubleNews,
    UndeliveredNews,
)
from monitor.recipients import Language
from monitor.store.leaving import ToSend
from sla.ledger import Sealed

#: Beyond this between writing and sending, the mail says that it is late.
_LATE_US = 5 * 60_000_000

_COLOURS: dict[Tone, dict[str, str]] = {
    "bad": {"mark": "#d2373c", "word": "#aa2729"},
    "good": {"mark": "#009e47", "word": "#007a37"},
    "warn": {"mark": "#ffa10a", "word": "#8f4e02"},
    "plain": {"mark": "#0055cc", "word": "#003bb0"},
}


@cache
def _templates() -> tuple[Template, Template]:
    """Of HTML and of plain text; compiled once for every composer, since a house changes no template."""
    html = Environment(
        loader=PackageLoader("monitor"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    plain = Environment(
        loader=PackageLoader("monitor"),
        autoescape=False,  # noqa: S701 - this one writes plain text, where escapes would be read as they stand
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return html.get_template("mail.html.j2"), plain.get_template("mail.txt.j2")


def composer(house: House) -> Callable[[ToSend, int, Sealed | None], MailMessage]:
    """Writes mails for `monitor.delivery`."""
    html, plain = _templates()

    def compose(message: ToSend, now_us: int, head: Sealed | None) -> MailMessage:
        files, missing = files_of(message, house)
        page = page_of(message, house, now_us=now_us, head=head, missing=missing)
        references = tuple(dict.fromkeys(r for r in (message.root, message.previous) if r is not None))
        return MailMessage(
            message_id=f"{message.id}@{house.id_host}",
            sender=house.sender,
            to=tuple(Mailbox(address=reader.address, name=reader.name) for reader in message.readers),
            recipients=message.ready,
            subject=page.subject,
            text=plain.render(page=page),
            html=html.render(page=page, colours=_COLOURS[page.tone]),
            date_us=message.created_us,
            event=message.kind.value,
            in_reply_to=f"{message.root}@{house.id_host}" if message.root else None,
            references=tuple(f"{reference}@{house.id_host}" for reference in references),
            urgent=life.urgent(message.kind, message.news),
            list_id=house.list_id,
            files=files,
        )

    return compose


def page_of(message: ToSend, house: House, *, now_us: int, head: Sealed | None, missing: tuple[str, ...] = ()) -> Page:
    """What a message says.

    Args:
        now_us: when it is sent; long after it was written, it says so.
        head: the ledger's last entry, named in every mail so that its readers hold copies of the seal.
        missing: names of attachments that are gone.
    """
    language, news = message.language, message.news
    house = replace(house, timezone=message.timezone or house.timezone)
    if isinstance(news, DigestNews):
        each = (
            replace(message, kind=one.kind, created_us=one.created_us, incident_id=one.incident_id, news=one.news)
            for one in news.messages
        )
        drafts = tuple(_draft(one, what.news, house, ()) for one, what in zip(each, news.messages, strict=True))
        draft = digest(message, news, drafts, house)
    else:
        draft = _draft(message, news, house, missing)
    notes = (_late(message, house, now_us),) if now_us - message.created_us > _LATE_US else ()
    return Page(
        language=language,
        portal=house.portal,
        word=draft.word,
        subject=header(f"[{house.portal}] {draft.subject}"),
        headline=line(draft.headline),
        preheader=line(draft.sentences[0]),
        tone=draft.tone,
        sentences=tuple(line(text) for text in (*draft.sentences, *notes)),
        facts=tuple((label, line(value)) for label, value in draft.facts),
        rows=tuple(replace(row, value=line(row.value)) for row in draft.rows),
        link=draft.link,
        foot=(
            # A reminder is one of an outage, or of the monitor's own trouble.
            _why(Kind.MONITOR if isinstance(message.news, OwnNews) else message.kind, house, language),
            _seal(head, language),
        ),
        action=_action(message, house),
        more=draft.more,
    )


def _draft(message: ToSend, news: Single, house: House, missing: tuple[str, ...]) -> Draft:
    if message.kind is Kind.UNMEASURED and isinstance(news, IncidentNews | FlappingNews | DegradedNews):
        return unmeasured(message, news, house)
    match news:
        case IncidentNews():
            return incident(message, news, house)
        case FlappingNews():
            return flapping(message, news, house)
        case DegradedNews():
            return degraded(message, news, house)
        case OwnNews():
            return own(message, news, house)
        case CertificateNews():
            return certificate(message, news, house)
        case LeftBehindNews():
            return left_behind(message, news, house)
        case ConfigNews():
            return configuration(message, news, house)
        case UndeliveredNews():
            return undelivered(message, news, house)
        case SignatureNews():
            return signature(message, news, house)
        case TroubleNews():
            return trouble(message, news, house)
        case BudgetNews():
            return budget(message, news, house)
        case MaintenanceNews():
            return maintenance(message, news, house)
        case ReportNews():
            return report(message, news, house, missing)
        case TestNews():
            return trial(message, news, house)
        case _:
            assert_never(news)


def _action(message: ToSend, house: House) -> tuple[str, str] | None:
    """The button that says "I am on it", where that is still of use."""
    if message.incident_id is None or message.kind not in life.ASKS:
        return None
    if isinstance(message.news, FlappingNews):  # of several outages, of which each has its own
        return None
    return life.acknowledge(house, message.incident_id, message)


def _late(message: ToSend, house: House, now_us: int) -> str:
    written = when(message.created_us, house, message.language)
    left = when(now_us, house, message.language)
    if message.kind in WARNINGS and not message.tried:
        if message.language == "nl":
            return f"Deze mail is geschreven op {written} en bewaard tot {left}."
        return f"This mail was written on {written} and kept until {left}."
    if message.language == "nl":
        return f"Deze mail is vertraagd: hij is geschreven op {written} en kon pas op {left} verstuurd worden."
    return f"This mail is late: it was written on {written} and could only be sent on {left}."


def _why(kind: Kind, house: House, language: Language) -> str:
    nl = language == "nl"
    topics = {
        Kind.CERTIFICATE: ("certificaten", "certificates"),
        Kind.MONITOR: ("de monitor zelf", "the monitor itself"),
        Kind.MEASURING: ("de monitor zelf", "the monitor itself"),
        Kind.LEFT_BEHIND: ("de monitor zelf", "the monitor itself"),
        Kind.CONFIG_REFUSED: ("de monitor zelf", "the monitor itself"),
        Kind.CONFIG_TAKEN: ("de monitor zelf", "the monitor itself"),
        Kind.UNDELIVERED: ("de monitor zelf", "the monitor itself"),
        Kind.SIGNATURE: ("de monitor zelf", "the monitor itself"),
        Kind.TROUBLE: ("de monitor zelf", "the monitor itself"),
        Kind.TROUBLE_OVER: ("de monitor zelf", "the monitor itself"),
        Kind.BUDGET: ("afspraken", "agreements"),
        Kind.MAINTENANCE: ("onderhoud", "maintenance"),
        Kind.MAINTENANCE_CHANGED: ("onderhoud", "maintenance"),
        Kind.MAINTENANCE_OVER: ("onderhoud", "maintenance"),
        Kind.REPORT: ("rapporten", "reports"),
    }
    topic = topics.get(kind, ("storingen", "outages"))[0 if nl else 1]
    if nl:
        about = "" if kind is Kind.TEST else f" voor nieuws over {topic}"
        return (
            f"U krijgt deze mail omdat uw adres in Loketwacht staat{about} ({house.portal}). "
            f"Tijden gelden in de tijdzone {house.timezone}."
        )
    about = "" if kind is Kind.TEST else f" for news about {topic}"
    return (
        f"You receive this mail because your address is in Loketwacht{about} ({house.portal}). "
        f"Times are in the time zone {house.timezone}."
    )


def _seal(head: Sealed | None, language: Language) -> str:
    if head is None:
        return "Register: nog leeg." if language == "nl" else "Ledger: still empty."
    name = "Laatste zegel van het register" if language == "nl" else "Head of the ledger"
    return f"{name}: {'nr.' if language == 'nl' else 'no.'} {head.seq}, {head.hash}"
