"""The mail about an outage that was told as minor and is worse by now."""

from __future__ import annotations

from monitor import severity
from monitor.mail_text.page import House, when
from monitor.news import IncidentNews
from monitor.recipients import Language


def word(language: Language) -> str:
    return "ERNSTIGER" if language == "nl" else "WORSE"


def headline(title: str, language: Language) -> str:
    return f"De storing van {title} is ernstiger" if language == "nl" else f"The outage of {title} got worse"


def sentences(title: str, since: str, news: IncidentNews, house: House, language: Language) -> tuple[str, ...]:
    """Since when it fails, and since when it is how bad; what failed then is said beside it."""
    nl = language == "nl"
    bad = severity.NAMES[news.severity or severity.Severity.MAJOR].in_(language)
    minor = severity.NAMES[severity.Severity.MINOR].in_(language)
    worse = when(news.worse_us if news.worse_us is not None else news.confirmed_us, house, language)
    return (
        f"{title} werkt niet sinds {since}." if nl else f"{title} has not been working since {since}.",
        f"De storing was gemeld als {minor} en is sinds {worse} {bad}."
        if nl
        else f"The outage was told as {minor}, and has been {bad} since {worse}.",
    )
