"""What a mail says: news as a subject, a few sentences, a table of facts and one link, in the reader's language.

Text and HTML are written from the same `Page`, so neither says more than the other. Nothing of what a portal answered
is in a mail but the short, redacted `expected` and `found` of a failure, and those are escaped.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal, assert_never

from babel.dates import format_date
from jinja2 import Environment, PackageLoader, StrictUndefined

from dashboards.formatting import day, length, local
from monitor import left_behind_text, life_text
from monitor.alerts import (
    CertificateNews,
    FlappingNews,
    IncidentNews,
    Kind,
    Language,
    LeftBehindNews,
    OwnNews,
    ReportNews,
    TestNews,
)
from monitor.mail_message import File, Mailbox, MailMessage
from monitor.store.outbox import ToSend
from probes.checks import Title
from probes.sentences import phrase, sentence, subject
from sla.ledger import Sealed

Tone = Literal["bad", "good", "warn", "plain"]

#: Beyond this between writing and sending, the mail says that it is late.
_LATE_US = 5 * 60_000_000
_DAY_US = 86_400_000_000

_COLOURS: dict[Tone, dict[str, str]] = {
    "bad": {"mark": "#d2373c", "word": "#aa2729"},
    "good": {"mark": "#009e47", "word": "#007a37"},
    "warn": {"mark": "#ffa10a", "word": "#8f4e02"},
    "plain": {"mark": "#0055cc", "word": "#003bb0"},
}


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


def composer(house: House) -> Callable[[ToSend, int, Sealed | None], MailMessage]:
    """Writes mails for `monitor.delivery`."""
    html = Environment(
        loader=PackageLoader("monitor"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    ).get_template("mail.html.j2")
    plain = Environment(
        loader=PackageLoader("monitor"),
        autoescape=False,  # noqa: S701 - this one writes plain text, where escapes would be read as they stand
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    ).get_template("mail.txt.j2")

    def compose(message: ToSend, now_us: int, head: Sealed | None) -> MailMessage:
        files, missing = _files(message, house)
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
            urgent=message.kind in (Kind.OPENED, Kind.FLAPPING) and life_text.urgent(message.news),
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
    news = message.news
    match news:
        case IncidentNews():
            page = _incident(message, news, house)
        case FlappingNews():
            page = _flapping(message, news, house)
        case OwnNews():
            page = _own(message, news, house)
        case CertificateNews():
            page = _certificate(message, news, house)
        case LeftBehindNews():
            page = _left_behind(message, news, house)
        case ReportNews():
            page = _report(message, news, house, missing)
        case TestNews():
            page = _test(message, news, house)
        case _:
            assert_never(news)
    language = message.language
    notes = (_late(message, house, now_us),) if now_us - message.created_us > _LATE_US else ()
    return Page(
        language=language,
        portal=house.portal,
        word=page.word,
        subject=_header(f"[{house.portal}] {page.subject}"),
        headline=_line(page.headline),
        preheader=_line(page.sentences[0]),
        tone=page.tone,
        sentences=tuple(_line(text) for text in (*page.sentences, *notes)),
        facts=tuple((label, _line(value)) for label, value in page.facts),
        link=page.link,
        foot=(_why(message.kind, house, language), _seal(head, language)),
        action=_action(message, house),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    word: str
    subject: str
    headline: str
    tone: Tone
    sentences: tuple[str, ...]
    facts: tuple[tuple[str, str], ...] = ()
    link: tuple[str, str] | None = None


def _incident(message: ToSend, news: IncidentNews, house: House) -> _Draft:
    nl = message.language == "nl"
    title = _in(news.title, message.language)
    since = _when(news.since_us, house, message.language)
    step = _in(news.step, message.language) if news.step else None
    what = sentence(news.failure, message.language, step)
    facts: list[tuple[str, str]] = [("Onderdeel" if nl else "Part", title)]
    facts.append(("Begin" if nl else "Start", _when(news.since_us, house, message.language, seconds=True)))
    if news.until_us is not None:
        facts.append(("Einde" if nl else "End", _when(news.until_us, house, message.language, seconds=True)))
        facts.append(("Duur" if nl else "Duration", length(news.until_us - news.since_us, message.language)))
    if step is not None:
        facts.append(("Stap" if nl else "Step", step))
    if news.failure.subject:
        facts.append(("Bekeken" if nl else "Looked at", subject(news.failure, message.language)))
    if news.failure.expected is not None:
        facts.append(("Verwacht" if nl else "Expected", phrase(news.failure.expected, message.language)))
        facts.append(("Gevonden" if nl else "Found", phrase(news.failure.found, message.language)))
    facts += life_text.facts(news, message.language)
    facts.append(("Kenmerk" if nl else "Reference", news.incident_id))
    link = ("Bekijk de storing" if nl else "View the outage", _link(house, f"/incident/{news.incident_id}", message))
    match message.kind:
        case Kind.RECOVERED:
            assert news.until_us is not None
            lasted = length(news.until_us - news.since_us, message.language)
            until = _when(news.until_us, house, message.language)
            return _Draft(
                word="HERSTELD" if nl else "RECOVERED",
                subject=f"{'HERSTELD' if nl else 'RECOVERED'}: {title} - {news.incident_id}",
                headline=f"{title} werkt weer" if nl else f"{title} works again",
                tone="good",
                sentences=(
                    f"{title} werkt weer sinds {until}. De storing duurde {lasted}."
                    if nl
                    else f"{title} has been working again since {until}. The outage lasted {lasted}.",
                    f"Wat er misging: {what}" if nl else f"What went wrong: {what}",
                ),
                facts=tuple(facts),
                link=link,
            )
        case Kind.REMINDER:
            so_far = length(message.created_us - news.since_us, message.language)
            facts.append(("Herinnering" if nl else "Reminder", str(news.number)))
            return _Draft(
                word="HERINNERING" if nl else "REMINDER",
                subject=f"{'HERINNERING' if nl else 'REMINDER'}: {title} - {news.incident_id}",
                headline=f"{title} werkt nog altijd niet" if nl else f"{title} is still not working",
                tone="bad",
                sentences=(
                    f"{title} werkt niet sinds {since}, nu al {so_far}."
                    if nl
                    else f"{title} has not been working since {since}, for {so_far} now.",
                    what,
                ),
                facts=tuple(facts),
                link=link,
            )
        case _:
            return _Draft(
                word="STORING" if nl else "OUTAGE",
                subject=f"{'STORING' if nl else 'OUTAGE'}: {title} - {news.incident_id}",
                headline=f"{title} werkt niet" if nl else f"{title} is not working",
                tone="bad",
                sentences=(
                    f"{title} werkt niet sinds {since}." if nl else f"{title} has not been working since {since}.",
                    what,
                ),
                facts=tuple(facts),
                link=link,
            )


def _action(message: ToSend, house: House) -> tuple[str, str] | None:
    """The button that says "I am on it", where that is still of use."""
    if house.acknowledge is None or message.incident_id is None or message.kind not in (Kind.OPENED, Kind.REMINDER):
        return None
    path = house.acknowledge(message.incident_id, message.created_us)
    return life_text.button(message.language), _link(house, path, message)


def _flapping(message: ToSend, news: FlappingNews, house: House) -> _Draft:
    language, kind = message.language, message.kind
    since = _when(news.since_us, house, language)
    until = _when(news.until_us if news.until_us is not None else message.created_us, house, language)
    word = life_text.flapping_word(kind, language)
    return _Draft(
        word=word,
        subject=f"{word}: {_in(news.title, language)}",
        headline=life_text.flapping_headline(kind, news, language),
        tone="good" if kind is Kind.STEADY else "bad",
        sentences=life_text.flapping_sentences(kind, news, language, since, until),
        facts=(("Onderdeel" if language == "nl" else "Part", _in(news.title, language)),),
        link=("Bekijk de statuspagina" if language == "nl" else "View the status page", _link(house, "/", message)),
    )


def _own(message: ToSend, news: OwnNews, house: House) -> _Draft:
    nl = message.language == "nl"
    since = _when(news.since_us, house, message.language)
    link = ("Bekijk de statuspagina" if nl else "View the status page", _link(house, "/", message))
    facts = [("Begin" if nl else "Start", _when(news.since_us, house, message.language, seconds=True))]
    if message.kind is Kind.MEASURING and news.until_us is not None:
        lasted = length(news.until_us - news.since_us, message.language)
        until = _when(news.until_us, house, message.language)
        facts.append(("Einde" if nl else "End", _when(news.until_us, house, message.language, seconds=True)))
        facts.append(("Duur" if nl else "Duration", lasted))
        facts.append(("Kenmerk" if nl else "Reference", news.incident_id))
        return _Draft(
            word="MONITOR",
            subject=f"MONITOR: {'meet weer alles' if nl else 'measures everything again'} - {news.incident_id}",
            headline="De monitor meet weer alles" if nl else "The monitor measures everything again",
            tone="good",
            sentences=(
                f"Sinds {until} kan alles weer gemeten worden. Dat lukte {lasted} lang niet volledig."
                if nl
                else f"Since {until} everything can be measured again. For {lasted} that was not so.",
                "De tijd ertussen staat in de cijfers als niet gemeten."
                if nl
                else "The time in between is in the figures as not measured.",
            ),
            facts=tuple(facts),
            link=link,
        )
    if news.checks:
        titles = ", ".join(_in(title, message.language) for title in news.checks)
        facts.append(("Niet te meten" if nl else "Not measurable", titles))
    facts.append(("Oorzaak" if nl else "Cause", sentence(news.failure, message.language)))
    facts.append(("Kenmerk" if nl else "Reference", news.incident_id))
    return _Draft(
        word="MONITOR",
        subject=f"MONITOR: {'kan niet meten' if nl else 'cannot measure'} - {news.incident_id}",
        headline="De monitor kan niet meten" if nl else "The monitor cannot measure",
        tone="warn",
        sentences=(
            f"Sinds {since} lukt het meten niet, en de fout ligt waarschijnlijk bij ons: ons netwerk, onze toegang of "
            "de monitor zelf."
            if nl
            else f"Measuring has failed since {since}, and the fault is probably ours: our network, our access or the "
            "monitor itself.",
            "Dit zegt niets over het portaal. De tijd telt als niet gemeten, nooit als storing."
            if nl
            else "This says nothing about the portal. The time counts as not measured, never as an outage.",
        ),
        facts=tuple(facts),
        link=link,
    )


def _certificate(message: ToSend, news: CertificateNews, house: House) -> _Draft:
    nl = message.language == "nl"
    left = max(0, news.not_after_us - message.created_us) // _DAY_US
    days = (f"{left} dag" if left == 1 else f"{left} dagen") if nl else (f"{left} day" if left == 1 else f"{left} days")
    ends = _when(news.not_after_us, house, message.language)
    return _Draft(
        word="CERTIFICAAT" if nl else "CERTIFICATE",
        subject=f"{'CERTIFICAAT' if nl else 'CERTIFICATE'}: {news.host} {'nog' if nl else '-'} {days}"
        + ("" if nl else " left"),
        headline=f"Het certificaat van {news.host} is nog {days} geldig"
        if nl
        else f"The certificate of {news.host} is valid for {days} more",
        tone="warn",
        sentences=(
            f"Het certificaat van {news.host} vervalt op {ends}. Wordt het niet tijdig vervangen, dan weigeren "
            "browsers de pagina's."
            if nl
            else f"The certificate of {news.host} expires on {ends}. Unless it is replaced in time, browsers will "
            "refuse the pages.",
        ),
        facts=(
            ("Onderdeel" if nl else "Part", _in(news.title, message.language)),
            ("Vervalt" if nl else "Expires", _when(news.not_after_us, house, message.language, seconds=True)),
            ("Op naam van" if nl else "Subject", news.subject),
            ("Uitgegeven door" if nl else "Issued by", news.issuer),
            ("Vingerafdruk (SHA-256)" if nl else "Fingerprint (SHA-256)", news.fingerprint_sha256),
        ),
        link=("Bekijk de statuspagina" if nl else "View the status page", _link(house, "/", message)),
    )


def _left_behind(message: ToSend, news: LeftBehindNews, house: House) -> _Draft:
    language = message.language
    return _Draft(
        word="MONITOR",
        subject=f"MONITOR: {left_behind_text.subject(news, language)}",
        headline=left_behind_text.headline(news, language),
        tone="warn",
        sentences=left_behind_text.sentences(language),
        facts=left_behind_text.facts(news, language),
        link=("Bekijk de statuspagina" if language == "nl" else "View the status page", _link(house, "/", message)),
    )


def _report(message: ToSend, news: ReportNews, house: House, missing: tuple[str, ...]) -> _Draft:
    nl = message.language == "nl"
    period = _period(news.period, message.language)
    names = tuple(file.file_name for file in news.attachments if file.file_name not in missing)
    sentences = [
        f"Het SLA-rapport over {period} van contract {news.contract} is klaar."
        if nl
        else f"The SLA report on {period} of contract {news.contract} is ready."
    ]
    if names:
        sentences.append(f"In bijlage: {', '.join(names)}." if nl else f"Attached: {', '.join(names)}.")
    if missing:
        sentences.append(
            f"Niet meer gevonden en dus niet bijgevoegd: {', '.join(missing)}."
            if nl
            else f"No longer found and so not attached: {', '.join(missing)}."
        )
    sentences.append(
        "Bedragen in het rapport zijn een berekend voorstel; een mens beslist."
        if nl
        else "Amounts in the report are a computed proposal; a person decides."
    )
    verdicts = tuple(_in(line, message.language) for line in news.lines)
    facts = tuple((label, value) for label, _, value in (line.partition(": ") for line in verdicts))
    again = "" if news.number == 1 else f" ({news.number})"
    link = ("Bekijk het rapport" if nl else "View the report", news.link) if news.link is not None else None
    return _Draft(
        word="SLA-RAPPORT" if nl else "SLA REPORT",
        subject=f"{'SLA-rapport' if nl else 'SLA report'} {news.period}{again} - {news.contract}",
        headline=f"SLA-rapport {period}{again}" if nl else f"SLA report {period}{again}",
        tone="plain",
        sentences=tuple(sentences),
        facts=facts,
        link=link,
    )


def _test(message: ToSend, news: TestNews, house: House) -> _Draft:
    nl = message.language == "nl"
    asked = _when(news.asked_us, house, message.language, seconds=True)
    return _Draft(
        word="TEST",
        subject="TEST: mails komen aan" if nl else "TEST: mails arrive",
        headline="Dit is een testmail" if nl else "This is a test mail",
        tone="plain",
        sentences=(
            f"Iemand vroeg op {asked} of mails van Loketwacht aankomen. Leest u dit, dan is het antwoord ja."
            if nl
            else f"On {asked} somebody asked whether mails of Loketwacht arrive. If you read this, they do.",
            "U hoeft niets te doen." if nl else "There is nothing you need to do.",
        ),
        link=("Bekijk de statuspagina" if nl else "View the status page", _link(house, "/", message)),
    )


def _late(message: ToSend, house: House, now_us: int) -> str:
    written = _when(message.created_us, house, message.language)
    left = _when(now_us, house, message.language)
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


def _files(message: ToSend, house: House) -> tuple[tuple[File, ...], tuple[str, ...]]:
    """The attachments that are still there, and the names of those that are not."""
    if not isinstance(message.news, ReportNews):
        return (), ()
    files, missing = [], []
    for attachment in message.news.attachments:
        path = Path(attachment.path)
        inside = house.reports_dir is None or path.resolve().is_relative_to(house.reports_dir.resolve())
        try:
            content = path.read_bytes() if inside else None
        except OSError:
            content = None
        if content is None:
            missing.append(attachment.file_name)
        else:
            files.append(File(file_name=attachment.file_name, media_type=attachment.media_type, content=content))
    return tuple(files), tuple(missing)


def _when(instant_us: int, house: House, language: Language, *, seconds: bool = False) -> str:
    """`23 november 2026 om 11:15 (CET)`: the zone always, for a mail may be read far away."""
    at = local(instant_us, house.timezone)
    joint = "om" if language == "nl" else "at"
    return f"{day(at.date(), language)} {joint} {at.strftime('%H:%M:%S' if seconds else '%H:%M')} ({at.tzname()})"


def _period(period: str, language: Language) -> str:
    """`2026-10` as `oktober 2026`; other periods as they are written."""
    match = re.fullmatch(r"(\d{4})-(\d{2})", period)
    if match is None:
        return period
    return format_date(date(int(match[1]), int(match[2]), 1), "LLLL y", locale=language)


def _link(house: House, path: str, message: ToSend) -> str:
    return f"{house.pages_url.rstrip('/')}{path}{'' if message.language == 'nl' else '?lang=en'}"


def _in(title: Title, language: Language) -> str:
    return title.nl if language == "nl" else title.en


def _line(text: str) -> str:
    """Text on one line; nothing that came from a portal may draw lines of its own."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _header(text: str) -> str:
    """A subject on one line and, as far as it can be, without characters that become encoded words in its middle."""
    plain = _line(text).translate({0x2013: "-", 0x2014: "-", 0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"'})
    return unicodedata.normalize("NFC", plain)[:200]
