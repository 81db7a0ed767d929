"""The last mail about what is followed no longer, a check or its slowness: it ends, and nobody knows how it is."""

from __future__ import annotations

from monitor.mail_text.page import Draft, House, address_of, in_, status_page, when
from monitor.news import DegradedNews, FlappingNews, IncidentNews
from monitor.store.leaving import ToSend


def unmeasured(message: ToSend, news: IncidentNews | FlappingNews | DegradedNews, house: House) -> Draft:
    language, nl = message.language, message.language == "nl"
    title, since = in_(news.title, language), when(news.since_us, house, language)
    until = when(news.until_us if news.until_us is not None else message.created_us, house, language)
    unwatched = isinstance(news, DegradedNews) and news.unwatched
    word = "NIET MEER GEMETEN" if nl else "MEASURED NO LONGER"
    if unwatched:
        word = "NIET MEER BEKEKEN" if nl else "WATCHED NO LONGER"
    subject, link = f"{word}: {title}", status_page(house, message)
    facts = [
        ("Onderdeel" if nl else "Part", title),
        ("Begin" if nl else "Start", when(news.since_us, house, language, seconds=True)),
    ]
    if isinstance(news, IncidentNews):
        subject = f"{subject} - {news.incident_id}"
        facts.append(("Kenmerk" if nl else "Reference", news.incident_id))
        link = (
            "Bekijk de storing" if nl else "View the outage",
            address_of(house, f"/incident/{news.incident_id}", message),
        )
    if unwatched:
        headline = f"Of {title} traag is, wordt niet meer bekeken" if nl else f"Nobody watches whether {title} is slow"
        why = (
            f"Sinds {until} let Loketwacht niet meer op traagheid (degraded_after = 0 in de configuratie). Het meten "
            "en het melden van storingen gaan door."
            if nl
            else f"Since {until} Loketwacht watches for slowness no longer (degraded_after = 0 in the configuration). "
            "Measuring and the reporting of outages go on."
        )
    elif news.shadow:
        headline = f"{title} wordt niet langer opgevolgd" if nl else f"{title} is followed no longer"
        why = (
            f"Sinds {until} telt {title} niet meer mee: het wordt nog gemeten, maar niemand krijgt er nog bericht van."
            if nl
            else f"Since {until} {title} counts no longer: it is still measured, but nothing is told of it any more."
        )
    else:
        headline = f"Niemand kan nog zeggen of {title} werkt" if nl else f"Nobody can say whether {title} works"
        why = (
            f"Sinds {until} staat {title} niet meer in de configuratie, en wordt het niet meer gemeten."
            if nl
            else f"Since {until} {title} is no longer in the configuration, and is measured no more."
        )
    return Draft(
        word=word,
        subject=subject,
        headline=headline,
        tone="warn",
        sentences=(
            _told(news, since, nl=nl),
            why,
            "Loketwacht sluit dit daarom af zonder te weten of het hersteld is. U krijgt er geen bericht meer over."
            if nl
            else "Loketwacht therefore closes this without knowing whether it was mended. You will hear no more of it.",
        ),
        facts=tuple(facts),
        link=link,
    )


def _told(news: IncidentNews | FlappingNews | DegradedNews, since: str, *, nl: bool) -> str:
    """What the reader heard before."""
    match news:
        case IncidentNews():
            return f"De storing begon op {since}." if nl else f"The outage began on {since}."
        case FlappingNews():
            return (
                f"Dit onderdeel viel sinds {since} telkens opnieuw uit."
                if nl
                else f"This part has been breaking again and again since {since}."
            )
        case DegradedNews():
            return f"Dit onderdeel was traag sinds {since}." if nl else f"This part has been slow since {since}."
