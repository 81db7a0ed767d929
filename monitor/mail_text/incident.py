"""The mails about an incident: it broke, it is still broken, it works again."""

from __future__ import annotations

from collections.abc import Iterator

from dashboards.formatting import length
from monitor.mail_text import life, unseen, worse
from monitor.mail_text.effect import effect_lines
from monitor.mail_text.page import Draft, House, Tone, address_of, evidence, in_, when
from monitor.news import IncidentNews, Kind
from monitor.store.leaving import ToSend
from probes.sentences import phrase, sentence, subject

_OUTAGE = ("STORING", "OUTAGE")
_WORDS = {
    Kind.RECOVERED: ("HERSTELD", "RECOVERED"),
    Kind.REMINDER: ("HERINNERING", "REMINDER"),
    Kind.WORSE: ("ERNSTIGER", "WORSE"),
    Kind.ESCALATED: ("ESCALATIE", "ESCALATED"),
}


def incident(message: ToSend, news: IncidentNews, house: House) -> Draft:
    nl = message.language == "nl"
    title = in_(news.title, message.language)
    step = in_(news.step, message.language) if news.step else None
    what = sentence(news.failure, message.language, step)
    contract = effect_lines(news.effects, house, message.language, now_us=message.created_us)
    facts = [*_facts(message, news, house, step), *(("Contract", line) for line in contract[1:])]
    if message.kind is Kind.REMINDER:
        facts.append(("Herinnering" if nl else "Reminder", str(news.number)))
    word = _WORDS.get(message.kind, _OUTAGE)[0 if nl else 1]
    headline, tone, sentences = _said(message, news, house, title, what, contract[:1])
    return Draft(
        word=word,
        subject=f"{word}: {title} - {news.incident_id}",
        headline=headline,
        tone=tone,
        sentences=sentences,
        facts=tuple(facts),
        link=(
            "Bekijk de storing" if nl else "View the outage",
            address_of(house, f"/incident/{news.incident_id}", message),
        ),
        more=evidence(house, news.incident_id, message),
    )


def _facts(message: ToSend, news: IncidentNews, house: House, step: str | None) -> Iterator[tuple[str, str]]:
    language, nl = message.language, message.language == "nl"
    yield "Onderdeel" if nl else "Part", in_(news.title, language)
    yield "Begin" if nl else "Start", when(news.since_us, house, language, seconds=True)
    if news.unseen is not None:
        yield "Laatst gezien" if nl else "Last seen", when(news.unseen.last_bad_us, house, language, seconds=True)
    if news.until_us is not None:
        yield "Einde" if nl else "End", when(news.until_us, house, language, seconds=True)
        yield "Duur" if nl else "Duration", length(news.until_us - news.since_us, language)
    if step is not None:
        yield "Stap" if nl else "Step", step
    if news.failure.subject:
        yield "Bekeken" if nl else "Looked at", subject(news.failure, language)
    if news.failure.expected is not None:
        yield "Verwacht" if nl else "Expected", phrase(news.failure.expected, language)
        yield "Gevonden" if nl else "Found", phrase(news.failure.found, language)
    yield from life.facts(news, language)
    yield "Kenmerk" if nl else "Reference", news.incident_id


def _said(
    message: ToSend, news: IncidentNews, house: House, title: str, what: str, contract: tuple[str, ...]
) -> tuple[str, Tone, tuple[str, ...]]:
    """Headline, tone and sentences of a message, by its kind.

    Args:
        what: went wrong, and `contract` what it does to the most pressing clause, in a sentence each.
    """
    nl = message.language == "nl"
    since = when(news.since_us, house, message.language)
    broken = f"{title} werkt niet" if nl else f"{title} is not working"
    lasts = f"{title} werkt niet sinds {since}" if nl else f"{title} has not been working since {since}"
    went_wrong = f"Wat er misging: {what}" if nl else f"What went wrong: {what}"
    if message.kind is Kind.RECOVERED and news.until_us is not None:
        lasted = length(news.until_us - news.since_us, message.language)
        until = when(news.until_us, house, message.language)
        ended = (
            f"{title} werkt weer sinds {until}. De storing duurde {lasted}."
            if nl
            else f"{title} has been working again since {until}. The outage lasted {lasted}."
        )
        return f"{title} werkt weer" if nl else f"{title} works again", "good", (ended, went_wrong)
    further = _further(message, news, house)
    if news.unseen is not None:
        known = unseen.sentences(news.unseen, title, since, house, message.language, now_us=message.created_us)
        return unseen.headline(message.kind, title, message.language), "warn", (*known, *further, went_wrong)
    match message.kind:
        case Kind.REMINDER:
            headline = f"{title} werkt nog altijd niet" if nl else f"{title} is still not working"
            so_far = length(message.created_us - news.since_us, message.language)
            return (
                headline,
                "bad",
                (f"{lasts}, {'nu al' if nl else 'for'} {so_far}{'' if nl else ' now'}.", what, *contract),
            )
        case Kind.WORSE:
            return worse.headline(title, message.language), "bad", (f"{lasts}.", *further, what, *contract)
        case Kind.ESCALATED:
            headline = f"Niemand volgt op: {broken}" if nl else f"Nobody is on it: {broken}"
            return headline, "bad", (f"{lasts}.", *further, what, *contract)
        case Kind.ONGOING:
            goes_on = (
                "Dat begon buiten uw diensturen en duurt nog." if nl else "It began outside your hours and continues."
            )
            why = life.late(news.hit, goes_on, message.language)
            return broken, "bad", (f"{lasts}. {why}", what, *contract)
        case _:
            return broken, "bad", (f"{lasts}.", what, *contract)


def _further(message: ToSend, news: IncidentNews, house: House) -> tuple[str, ...]:
    """What a message says by its kind whether or not the outage is seen to go on."""
    match message.kind:
        case Kind.WORSE:
            return (worse.since_when(news, house, message.language),)
        case Kind.ESCALATED:
            told = when(news.told_us, house, message.language) if news.told_us is not None else None
            return (life.nobody(told, message.language),)
        case Kind.ONGOING if news.unseen is not None:
            began = "Dat begon buiten uw diensturen." if message.language == "nl" else "That began outside your hours."
            return (life.late(news.hit, began, message.language),)
        case _:
            return ()
