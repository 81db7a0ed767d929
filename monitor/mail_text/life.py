"""What mails say about the life of an incident: how bad, where from, what fails along, flapping, who is on it."""

from __future__ import annotations

from dashboards.formatting import length
from monitor import attribution, severity
from monitor.mail_text.page import House, address_of
from monitor.news import DigestNews, FlappingNews, IncidentNews, Kind, News
from monitor.recipients import Language
from monitor.store.leaving import ToSend
from probes.checks import Title

#: Mails that ask whether somebody is on it.
ASKS = frozenset({Kind.OPENED, Kind.ONGOING, Kind.ESCALATED, Kind.WORSE, Kind.REMINDER})
_URGENT = frozenset({Kind.OPENED, Kind.ESCALATED, Kind.WORSE, Kind.FLAPPING})


def facts(news: IncidentNews, language: Language) -> tuple[tuple[str, str], ...]:
    """Rows for the table of an incident's mail; none for what was not known when it was written."""
    nl = language == "nl"
    found: list[tuple[str, str]] = []
    if news.failing or news.working:
        found.append(("Locaties" if nl else "Locations", _by_location(news, language)))
    if news.attached:
        titles = ", ".join(title.nl if nl else title.en for title in news.attached)
        found.append(("Daardoor ook" if nl else "Along with it", titles))
    if news.severity is not None:
        found.append(("Ernst" if nl else "Severity", severity.NAMES[news.severity].in_(language)))
    if news.cause is not None:
        cause = attribution.NAMES[news.cause].in_(language)
        if news.confirmed_by is None:
            found.append(("Vermoedelijke oorzaak" if nl else "Probable cause", f"{cause} ({_PROPOSAL[language]})"))
        else:
            found.append(
                (
                    "Oorzaak" if nl else "Cause",
                    f"{cause} ({'vastgesteld door' if nl else 'as found by'} {news.confirmed_by})",
                )
            )
    if news.acknowledged_by is not None:
        found.append(("Opgevolgd door" if nl else "Followed up by", news.acknowledged_by))
    return tuple(found)


def _by_location(news: IncidentNews, language: Language) -> str:
    nl = language == "nl"
    parts = []
    if news.failing:
        parts.append(f"{'mislukt' if nl else 'fails'}: {', '.join(news.failing)}")
    if news.working:
        parts.append(f"{'werkt' if nl else 'works'}: {', '.join(news.working)}")
    return "; ".join(parts)


_PROPOSAL: dict[Language, str] = {
    "nl": "voorstel van de monitor, nog niet bevestigd",
    "en": "proposed by the monitor, not confirmed yet",
}


def urgent(kind: Kind, news: News) -> bool:
    """Whether a mail is marked as important: of a new outage that is not minor, or a digest with one not over yet."""
    if isinstance(news, DigestNews):
        over = ended(news)
        return any(urgent(one.kind, one.news) for one in news.messages if one.incident_id not in over)
    return kind in _URGENT and not (isinstance(news, IncidentNews) and news.severity is severity.Severity.MINOR)


def ended(news: DigestNews) -> frozenset[str | None]:
    """The incidents whose end is among what was gathered."""
    return frozenset(one.incident_id for one in news.messages if one.kind in (Kind.RECOVERED, Kind.UNMEASURED))


def acknowledge(house: House, incident_id: str, message: ToSend) -> tuple[str, str] | None:
    """The link by which somebody says to be on an incident: words and address; None where there can be none."""
    if house.acknowledge is None:
        return None
    words = "Ik volg dit op" if message.language == "nl" else "I am on it"
    return words, address_of(house, house.acknowledge(incident_id, message.created_us), message)


def flapping_word(kind: Kind, news: FlappingNews, language: Language) -> str:
    if kind is Kind.STEADY and news.down_since_us is not None:
        return "NIET MEER WISSELEND" if language == "nl" else "NO LONGER FLAPPING"
    if kind is Kind.STEADY:
        return "STABIEL" if language == "nl" else "STEADY"
    if kind is Kind.ESCALATED:
        return "ESCALATIE" if language == "nl" else "ESCALATED"
    return "WISSELEND" if language == "nl" else "FLAPPING"


def flapping_headline(kind: Kind, news: FlappingNews, language: Language) -> str:
    title = news.title.nl if language == "nl" else news.title.en
    if kind is Kind.STEADY and news.down_since_us is not None:
        return f"{title} blijft nu buiten werking" if language == "nl" else f"{title} stays down now"
    if kind is Kind.STEADY:
        return f"{title} werkt weer stabiel" if language == "nl" else f"{title} works steadily again"
    if kind is Kind.ESCALATED:
        return (
            f"Niemand volgt op: {title} valt telkens opnieuw uit"
            if language == "nl"
            else f"Nobody is on it: {title} breaks again and again"
        )
    return f"{title} valt telkens opnieuw uit" if language == "nl" else f"{title} breaks again and again"


def flapping_sentences(
    kind: Kind,
    news: FlappingNews,
    language: Language,
    since: str,
    until: str,
    told: str | None = None,
    down: str | None = None,
) -> tuple[str, ...]:
    """The sentences of these mails.

    Args:
        since, until: instants in words.
        told: when it was first told, in words; None where nobody was there to be told.
        down: where it is over because it stays down: since when, in words.
    """
    nl, within, steady = language == "nl", length(news.within_us, language), length(news.steady_us, language)
    if kind is Kind.STEADY and down is not None:
        return (
            f"Dit onderdeel viel telkens opnieuw uit, maar werkt nu niet sinds {down}, zonder onderbreking. Van nu af "
            "meldt Loketwacht elke storing weer apart, ook deze."
            if nl
            else f"This part was breaking again and again, but has not worked since {down}, without a break. From now "
            "on Loketwacht reports each outage by itself again, this one too.",
        )
    if kind is Kind.STEADY:
        return (
            f"Sinds {until} was er geen nieuwe storing meer. Van nu af meldt Loketwacht elke storing weer apart."
            if nl
            else f"Nothing broke again since {until}. From now on Loketwacht reports each outage by itself again.",
        )
    why: tuple[str, ...] = ()
    if kind is Kind.ESCALATED:
        why = (nobody(told, language),)
    elif kind is Kind.ONGOING:
        began = "Dat begon buiten uw diensturen." if nl else "That began outside your hours."
        why = (late(news.hit, began, language),)
    return (
        f"Er waren {news.openings} storingen binnen {within}; de laatste werd vastgesteld op {since}."
        if nl
        else f"There were {news.openings} outages within {within}; the last was confirmed on {since}.",
        *why,
        f"U krijgt geen mail meer per storing, tot dit onderdeel {steady} lang onafgebroken werkt of uitvalt. "
        "Het meten gaat door en elke storing telt mee in de cijfers."
        if nl
        else f"You get no more mails for each outage until this part works, or fails, without a break for {steady}. "
        "Measuring goes on, and every outage counts in the figures.",
    )


def late(hit: tuple[Title, ...], otherwise: str, language: Language) -> str:
    """Why somebody hears of it only now: what they follow fails along with it, by title; none of it: as it is said."""
    titles = ", ".join(title.nl if language == "nl" else title.en for title in hit)
    if not hit:
        return otherwise
    if language == "nl":
        return f"Daardoor werkt ook niet wat u volgt: {titles}."
    return f"Because of it, what you follow does not work either: {titles}."


def nobody(told: str | None, language: Language) -> str:
    """That nobody has said to be on it since it was told; None: nobody was there to be told."""
    if told is None:
        if language == "nl":
            return "Er was niemand van dienst om het aan te melden."
        return "Nobody was on duty to be told."
    if language == "nl":
        return f"Het is gemeld op {told}, en niemand liet weten dat hij of zij het opvolgt."
    return f"It was reported on {told}, and nobody has said that they are on it."
