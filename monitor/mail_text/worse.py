"""The mail about an outage that is worse by now than it was told to be."""

from __future__ import annotations

from monitor import severity
from monitor.mail_text.page import House, when
from monitor.news import IncidentNews
from monitor.recipients import Language


def headline(title: str, language: Language) -> str:
    return f"De storing van {title} is ernstiger" if language == "nl" else f"The outage of {title} got worse"


def since_when(news: IncidentNews, house: House, language: Language) -> str:
    """Since when it is how bad, in a sentence."""
    nl = language == "nl"
    bad = severity.NAMES[news.severity or severity.Severity.MAJOR].in_(language)
    was = severity.NAMES[news.was or severity.Severity.MINOR].in_(language)
    worse = when(news.worse_us if news.worse_us is not None else news.confirmed_us, house, language)
    return (
        f"De storing was gemeld als {was} en is sinds {worse} {bad}."
        if nl
        else f"The outage was told as {was}, and has been {bad} since {worse}."
    )
