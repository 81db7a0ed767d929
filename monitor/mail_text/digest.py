"""The mail that tells what would have been many mails at once."""

from __future__ import annotations

from collections.abc import Sequence

from dashboards.formatting import local
from monitor.mail_text.page import Draft, House, status_page
from monitor.news import DigestNews, Gathered, IncidentNews, Kind
from monitor.recipients import Language
from monitor.store.leaving import ToSend

#: Messages that a digest names one by one; the oldest of more than that are counted only.
_MOST = 60
_OUTAGES = frozenset({Kind.OPENED, Kind.ONGOING, Kind.ESCALATED, Kind.REMINDER})


def digest(message: ToSend, news: DigestNews, drafts: Sequence[Draft], house: House) -> Draft:
    """A row for each gathered message, oldest first.

    Args:
        drafts: what each of the gathered messages would have said by itself.
    """
    language = message.language
    nl = language == "nl"
    ended = {_incident(one) for one in news.messages if one.kind is Kind.RECOVERED}
    broken = {_incident(one) for one in news.messages if one.kind in _OUTAGES} - ended
    found = (_count(len(drafts), language), *((_still(len(broken), language),) if broken or ended else ()))
    rows = tuple(_row(one, draft, house) for one, draft in zip(news.messages, drafts, strict=True))
    left_out = len(rows) - _MOST
    if left_out > 0:
        rows = ((("Eerder" if nl else "Before"), f"{left_out} {'andere' if nl else 'others'}"), *rows[-_MOST:])
    return Draft(
        word="VERZAMELD" if nl else "DIGEST",
        subject=f"{'VERZAMELD' if nl else 'DIGEST'}: {', '.join(found)}",
        headline=": ".join(found),
        tone="bad" if broken else "plain",
        sentences=(
            "Er kwamen te veel meldingen kort na elkaar om ze elk apart te mailen. Hier staan ze samen, oudste eerst."
            if nl
            else "Too many messages came within a short time to mail each by itself. Here they stand together, oldest "
            "first.",
            "Wie een storing opvolgt, laat dat weten op de pagina van die storing."
            if nl
            else "Whoever is on an outage says so on the page of that outage.",
        ),
        facts=rows,
        link=status_page(house, message),
    )


def _incident(one: Gathered) -> str | None:
    return one.news.incident_id if isinstance(one.news, IncidentNews) else None


def _row(one: Gathered, draft: Draft, house: House) -> tuple[str, str]:
    at = local(one.created_us, house.timezone).strftime("%H:%M")
    why = f". {draft.sentences[-1]}" if one.kind in _OUTAGES else ""
    return f"{at} {draft.word}", f"{draft.headline}{why}"


def _count(messages: int, language: Language) -> str:
    return f"{messages} {'meldingen' if language == 'nl' else 'messages'}"


def _still(broken: int, language: Language) -> str:
    if not broken:
        return "alles daarvan werkt weer" if language == "nl" else "all of it works again"
    if language == "nl":
        return f"{broken} {'onderdeel werkt' if broken == 1 else 'onderdelen werken'} niet"
    return f"{broken} {'part is' if broken == 1 else 'parts are'} not working"
