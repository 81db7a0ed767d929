"""The mail that tells some readers that a message will not reach another one."""

from __future__ import annotations

from monitor.mail_text.page import Draft, House, status_page, when
from monitor.news import Kind, UndeliveredNews
from monitor.recipients import WEBHOOK, Language
from monitor.store.leaving import ToSend

_WHAT: dict[Kind, tuple[str, str]] = {
    Kind.OPENED: ("een storing", "an outage"),
    Kind.REMINDER: ("een herinnering aan een storing", "a reminder of an outage"),
    Kind.ESCALATED: ("een storing die niemand opvolgt", "an outage that nobody is on"),
    Kind.WORSE: ("een storing die erger werd", "an outage that got worse"),
    Kind.UNMEASURED: ("een onderdeel dat niet meer gemeten wordt", "a part that is measured no longer"),
    Kind.ONGOING: ("een storing", "an outage"),
    Kind.RECOVERED: ("een herstel", "a recovery"),
    Kind.FLAPPING: ("een wisselende storing", "a flapping outage"),
    Kind.STEADY: ("het einde van een wisselende storing", "the end of a flapping outage"),
    Kind.DEGRADED: ("traagheid", "slowness"),
    Kind.FAST: ("het einde van traagheid", "the end of slowness"),
    Kind.CERTIFICATE: ("een certificaat", "a certificate"),
    Kind.SIGNATURE: ("de handtekening van mails", "the signature of mails"),
    Kind.BUDGET: ("toegelaten uitval", "allowed downtime"),
    Kind.MAINTENANCE: ("onderhoud", "maintenance"),
    Kind.MAINTENANCE_CHANGED: ("gewijzigd onderhoud", "changed maintenance"),
    Kind.MAINTENANCE_OVER: ("het einde van onderhoud", "the end of maintenance"),
    Kind.DIGEST: ("meer dan een ding tegelijk", "several things at once"),
    Kind.REPORT: ("een rapport", "a report"),
    Kind.TEST: ("een test", "a test"),
}


def undelivered(message: ToSend, news: UndeliveredNews, house: House) -> Draft:
    language, nl = message.language, message.language == "nl"
    reader = news.reader
    if reader.startswith(WEBHOOK):
        reader = f"webhook {reader.removeprefix(WEBHOOK)}"
    if news.about is None:
        return _set_aside(message, news, house)
    what, written = what_of(news.about, language), when(news.written_us, house, language)
    if news.refused:
        first = (
            f"Het bericht over {what} van {written} is voor {reader} definitief geweigerd."
            if nl
            else f"The message of {written} about {what} was refused for good and did not reach {reader}."
        )
    else:
        first = (
            f"Het bericht over {what} van {written} kon dagenlang niet bezorgd worden bij {reader} en is opgegeven."
            if nl
            else f"The message about {what} of {written} could not be delivered to {reader} for days and was given up."
        )
    return Draft(
        word="MONITOR",
        subject=f"MONITOR: {reader} {'is niet te bereiken' if nl else 'cannot be reached'}",
        headline=f"{reader} is niet te bereiken" if nl else f"{reader} cannot be reached",
        tone="warn",
        sentences=(
            first,
            "Kijk na of dit adres nog klopt, en of iemand anders het bericht moet krijgen. U hoort dit hoogstens een "
            "keer per dag over hetzelfde adres."
            if nl
            else "Check whether this address is still right, and whether somebody else needs the message. You hear of "
            "the same address once a day at most.",
        ),
        facts=(
            ("Ontvanger" if nl else "Reader", reader),
            ("Bericht over" if nl else "Message about", what),
            ("Geschreven" if nl else "Written", when(news.written_us, house, language, seconds=True)),
            ("Laatste antwoord" if nl else "Last answer", news.answer),
        ),
        link=status_page(house, message),
    )


def _set_aside(message: ToSend, news: UndeliveredNews, house: House) -> Draft:
    language, nl = message.language, message.language == "nl"
    written = when(news.written_us, house, language)
    return Draft(
        word="MONITOR",
        subject="MONITOR: een bericht kan niet gelezen worden" if nl else "MONITOR: a message cannot be read",
        headline="Een bericht kan niet gelezen worden" if nl else "A message cannot be read",
        tone="warn",
        sentences=(
            f"Deze versie van Loketwacht kan een bericht van {written} niet lezen. Waarschijnlijk schreef een nieuwere "
            "versie het, voor ze vervangen werd door deze."
            if nl
            else f"This version of Loketwacht cannot read a message of {written}. Probably a newer version wrote it "
            "before this one took its place.",
            "Het is opzijgezet en niemand krijgt het nu. Zodra een versie start die het kan lezen, vertrekt het "
            "alsnog. U hoort dit hoogstens een keer per dag, hoeveel berichten het ook zijn."
            if nl
            else "It was set aside, and nobody gets it now. As soon as a version starts that can read it, it leaves "
            "after all. You hear of this once a day at most, however many messages it is about.",
        ),
        facts=(
            ("Ontvanger" if nl else "Reader", news.reader),
            ("Geschreven" if nl else "Written", when(news.written_us, house, language, seconds=True)),
            ("Wat er staat" if nl else "What it holds", news.answer),
        ),
        link=status_page(house, message),
    )


def what_of(about: Kind, language: Language) -> str:
    """What a kind of message is about, in words that fit behind "about"."""
    nl, en = _WHAT.get(about, ("de monitor zelf", "the monitor itself"))
    return nl if language == "nl" else en
