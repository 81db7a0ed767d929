"""The mail about an open outage that nobody looks at: last seen then, and not known since."""

from __future__ import annotations

from dashboards.formatting import length
from monitor.mail_text.page import House, when
from monitor.news import Kind, Unseen
from monitor.recipients import Language


def headline(kind: Kind, title: str, language: Language) -> str:
    if language == "nl":
        unknown = f"iet bekend of {title} weer werkt"
        return f"Niemand volgt op, en het is n{unknown}" if kind is Kind.ESCALATED else f"N{unknown}"
    unknown = f"t is not known whether {title} works again"
    return f"Nobody is on it, and i{unknown}" if kind is Kind.ESCALATED else f"I{unknown}"


def sentences(
    news: Unseen, title: str, since: str, house: House, language: Language, *, now_us: int
) -> tuple[str, ...]:
    """When it began and was last seen, how long nobody knows, and who paused the check where somebody did.

    Args:
        since: when it began, in words.
        now_us: when the mail was written.
    """
    nl, last = language == "nl", when(news.last_bad_us, house, language)
    silent = length(now_us - max(news.last_bad_us, news.good_us or 0), language)
    found = (
        f"De storing van {title} begon op {since} en werd voor het laatst gezien op {last}."
        if nl
        else f"The outage of {title} began on {since} and was last seen on {last}.",
        *_good(news, title, house, language),
        f"Sindsdien, al {silent}, kon geen meting nog zeggen of {title} werkt."
        if nl
        else f"Since then, for {silent}, no measurement has said whether {title} works.",
    )
    if (paused := news.paused) is None:
        return found
    began, ends = when(paused.since_us, house, language), when(paused.until_us, house, language)
    why = paused.why.rstrip(". ")
    return (
        *found,
        f"De meting is sinds {began} gepauzeerd door {paused.by}, tot {ends}: {why}."
        if nl
        else f"Measuring has been paused since {began} by {paused.by}, until {ends}: {why}.",
    )


def _good(news: Unseen, title: str, house: House, language: Language) -> tuple[str, ...]:
    if news.good_us is None:
        return ()
    good = when(news.good_us, house, language)
    return (
        f"Op {good} werkte {title}, maar te kort om te zeggen dat de storing voorbij is."
        if language == "nl"
        else f"On {good} {title} worked, but not for long enough to say that the outage is over.",
    )
