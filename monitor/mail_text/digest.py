"""The mail that tells what would have been many mails at once."""

from __future__ import annotations

from collections.abc import Sequence

from dashboards.formatting import local
from monitor.mail_text import life
from monitor.mail_text.page import Draft, House, Row, evidence, in_, status_page
from monitor.news import DigestNews, Gathered, IncidentNews
from monitor.recipients import Language
from monitor.store.leaving import ToSend
from probes.sentences import sentence

#: Messages that a digest names one by one; the oldest of more than that are counted only.
_MOST = 60


def digest(message: ToSend, news: DigestNews, drafts: Sequence[Draft], house: House) -> Draft:
    """A row for each gathered message, oldest first; the newest one about an incident has its links.

    Args:
        drafts: what each of the gathered messages would have said by itself.
    """
    language = message.language
    nl = language == "nl"
    ended = life.ended(news)
    broken = {one.incident_id for one in news.messages if one.kind in life.ASKS} - ended
    found = (_count(len(drafts), language), *((_still(len(broken), language),) if broken or ended else ()))
    newest = {one.incident_id: one for one in news.messages if isinstance(one.news, IncidentNews)}
    rows = tuple(
        _row(
            one, draft, message, house, _links(one, message, house, ended) if newest.get(one.incident_id) is one else ()
        )
        for one, draft in zip(news.messages, drafts, strict=True)
    )
    left_out = len(rows) - _MOST
    if left_out > 0:
        before = Row(label="Eerder" if nl else "Before", value=f"{left_out} {'andere' if nl else 'others'}")
        rows = (before, *rows[-_MOST:])
    gathered = (
        "Er kwamen te veel meldingen kort na elkaar om ze elk apart te mailen. Hier staan ze samen, oudste eerst."
        if nl
        else "Too many messages came within a short time to mail each by itself. Here they stand together, oldest "
        "first."
    )
    asked = (
        "Wie een storing opvolgt, laat dat weten met de link die erbij staat."
        if nl
        else "Whoever is on an outage says so by the link that stands with it."
    )
    return Draft(
        word="VERZAMELD" if nl else "DIGEST",
        subject=f"{'VERZAMELD' if nl else 'DIGEST'}: {', '.join(found)}",
        headline=": ".join(found),
        tone="bad" if broken else "plain",
        sentences=(gathered, asked) if broken and house.acknowledge is not None else (gathered,),
        rows=rows,
        link=status_page(house, message),
    )


def _row(one: Gathered, draft: Draft, message: ToSend, house: House, links: tuple[tuple[str, str], ...]) -> Row:
    at = local(one.created_us, house.timezone).strftime("%H:%M")
    why = ""
    if one.kind in life.ASKS and isinstance(one.news, IncidentNews):
        step = in_(one.news.step, message.language) if one.news.step else None
        before = ("Wat er misging: " if message.language == "nl" else "What went wrong: ") if one.news.unseen else ""
        why = f". {before}{sentence(one.news.failure, message.language, step)}"
    return Row(label=f"{at} {draft.word}", value=f"{draft.headline}{why}", links=links)


def _links(one: Gathered, message: ToSend, house: House, ended: frozenset[str | None]) -> tuple[tuple[str, str], ...]:
    """Those of the single mail: what proves it and, while it lasts, by which somebody says to be on it."""
    if one.incident_id is None:
        return ()
    found = [evidence(house, one.incident_id, message)]
    if one.incident_id not in ended and (link := life.acknowledge(house, one.incident_id, message)) is not None:
        found.insert(0, link)
    return tuple(found)


def _count(messages: int, language: Language) -> str:
    return f"{messages} {'meldingen' if language == 'nl' else 'messages'}"


def _still(broken: int, language: Language) -> str:
    if not broken:
        return "alles daarvan werkt weer" if language == "nl" else "all of it works again"
    if language == "nl":
        return f"{broken} {'onderdeel werkt' if broken == 1 else 'onderdelen werken'} niet"
    return f"{broken} {'part is' if broken == 1 else 'parts are'} not working"
