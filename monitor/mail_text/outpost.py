"""The mails about outposts that are silent: what is lost is their vote, and no time while others measure."""

from __future__ import annotations

from dashboards.formatting import length
from monitor.mail_text.page import Draft, House, in_, status_page, when
from monitor.news import Kind, OwnNews
from monitor.store.leaving import ToSend


def silent(message: ToSend, news: OwnNews, house: House) -> Draft:
    """That they are silent, are so still, or that all of us measure again."""
    nl, language = message.language == "nl", message.language
    since = when(news.since_us, house, language)
    facts = [("Begin" if nl else "Start", when(news.since_us, house, language, seconds=True))]
    if message.kind is Kind.MEASURING and news.until_us is not None:
        lasted, until = length(news.until_us - news.since_us, language), when(news.until_us, house, language)
        facts.append(("Einde" if nl else "End", when(news.until_us, house, language, seconds=True)))
        facts.append(("Duur" if nl else "Duration", lasted))
        headline = "Alle locaties meten weer" if nl else "All locations measure again"
        sentences: tuple[str, ...] = (
            f"Sinds {until} meten alle locaties weer. Dat was {lasted} lang niet zo."
            if nl
            else f"All locations have been measuring again since {until}. For {lasted} that was not so.",
        )
    else:
        reminder = message.kind is Kind.REMINDER
        still = ("nog altijd " if nl else "still ") if reminder else ""
        names = ", ".join(in_(title, language) for title in news.checks)
        headline = f"Een buitenpost geeft {still}geen teken van leven" if nl else f"An outpost is {still}silent"
        sentences = (
            f"Sinds {since} is er geen teken van leven van: {names or 'een buitenpost'}."
            if nl
            else f"Nothing has been heard since {since} of: {names or 'an outpost'}.",
            "De andere locaties meten verder. De stem van wie zwijgt telt niet mee: blijven er te weinig over, dan "
            "wordt geen storing meer bevestigd."
            if nl
            else "The other locations measure on. Whoever is silent has no vote: where too few are left, no outage is "
            "confirmed any more.",
        )
        if reminder:
            facts.append(("Herinnering" if nl else "Reminder", str(news.number)))
    facts.append(("Kenmerk" if nl else "Reference", news.incident_id))
    over = message.kind is Kind.MEASURING
    return Draft(
        word="MONITOR",
        subject=f"MONITOR: {headline[0].lower()}{headline[1:]} - {news.incident_id}",
        headline=headline,
        tone="good" if over else "warn",
        sentences=sentences,
        facts=tuple(facts),
        link=status_page(house, message),
    )
