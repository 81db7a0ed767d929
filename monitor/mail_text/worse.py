"""The mail about an outage that was told as minor and is worse by now."""

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
    minor = severity.NAMES[severity.Severity.MINOR].in_(language)
    worse = when(news.worse_us if news.worse_us is not None else news.confirmed_us, house, language)
    return (
        f"De storing was gemeld als {minor} en is sinds {worse} {bad}."
        if nl
        else f"The outage was told as {minor}, and has been {bad} since {worse}."
    )
