"""The mails about an incident: it broke, it is still broken, it works again."""

from __future__ import annotations

from dashboards.formatting import length
from monitor.mail_text import life, worse
from monitor.mail_text.effect import effect_lines
from monitor.mail_text.page import Draft, House, address_of, evidence, in_, when
from monitor.news import IncidentNews, Kind
from monitor.store.leaving import ToSend
from probes.sentences import phrase, sentence, subject


def incident(message: ToSend, news: IncidentNews, house: House) -> Draft:
    nl = message.language == "nl"
    title = in_(news.title, message.language)
    since = when(news.since_us, house, message.language)
    step = in_(news.step, message.language) if news.step else None
    what = sentence(news.failure, message.language, step)
    facts: list[tuple[str, str]] = [("Onderdeel" if nl else "Part", title)]
    facts.append(("Begin" if nl else "Start", when(news.since_us, house, message.language, seconds=True)))
    if news.until_us is not None:
        facts.append(("Einde" if nl else "End", when(news.until_us, house, message.language, seconds=True)))
        facts.append(("Duur" if nl else "Duration", length(news.until_us - news.since_us, message.language)))
    if step is not None:
        facts.append(("Stap" if nl else "Step", step))
    if news.failure.subject:
        facts.append(("Bekeken" if nl else "Looked at", subject(news.failure, message.language)))
    if news.failure.expected is not None:
        facts.append(("Verwacht" if nl else "Expected", phrase(news.failure.expected, message.language)))
        facts.append(("Gevonden" if nl else "Found", phrase(news.failure.found, message.language)))
    facts += life.facts(news, message.language)
    facts.append(("Kenmerk" if nl else "Reference", news.incident_id))
    link = (
        "Bekijk de storing" if nl else "View the outage",
        address_of(house, f"/incident/{news.incident_id}", message),
    )
    more = evidence(house, news.incident_id, message)
    told = when(news.told_us, house, message.language) if news.told_us is not None else None
    contract = effect_lines(news.effects, house, message.language, now_us=message.created_us)
    facts += [("Contract", line) for line in contract[1:]]
    match message.kind:
        case Kind.RECOVERED:
            assert news.until_us is not None
            lasted = length(news.until_us - news.since_us, message.language)
            until = when(news.until_us, house, message.language)
            return Draft(
                word="HERSTELD" if nl else "RECOVERED",
                subject=f"{'HERSTELD' if nl else 'RECOVERED'}: {title} - {news.incident_id}",
                headline=f"{title} werkt weer" if nl else f"{title} works again",
                tone="good",
                sentences=(
                    f"{title} werkt weer sinds {until}. De storing duurde {lasted}."
                    if nl
                    else f"{title} has been working again since {until}. The outage lasted {lasted}.",
                    f"Wat er misging: {what}" if nl else f"What went wrong: {what}",
                ),
                facts=tuple(facts),
                link=link,
                more=more,
            )
        case Kind.REMINDER:
            so_far = length(message.created_us - news.since_us, message.language)
            facts.append(("Herinnering" if nl else "Reminder", str(news.number)))
            return Draft(
                word="HERINNERING" if nl else "REMINDER",
                subject=f"{'HERINNERING' if nl else 'REMINDER'}: {title} - {news.incident_id}",
                headline=f"{title} werkt nog altijd niet" if nl else f"{title} is still not working",
                tone="bad",
                sentences=(
                    f"{title} werkt niet sinds {since}, nu al {so_far}."
                    if nl
                    else f"{title} has not been working since {since}, for {so_far} now.",
                    what,
                    *contract[:1],
                ),
                facts=tuple(facts),
                link=link,
                more=more,
            )
        case Kind.WORSE:
            word = worse.word(message.language)
            return Draft(
                word=word,
                subject=f"{word}: {title} - {news.incident_id}",
                headline=worse.headline(title, message.language),
                tone="bad",
                sentences=(*worse.sentences(title, since, news, house, message.language), what, *contract[:1]),
                facts=tuple(facts),
                link=link,
                more=more,
            )
        case Kind.ESCALATED:
            return Draft(
                word="ESCALATIE" if nl else "ESCALATED",
                subject=f"{'ESCALATIE' if nl else 'ESCALATED'}: {title} - {news.incident_id}",
                headline=f"Niemand volgt op: {title} werkt niet" if nl else f"Nobody is on it: {title} is not working",
                tone="bad",
                sentences=(
                    f"{title} werkt niet sinds {since}." if nl else f"{title} has not been working since {since}.",
                    life.nobody(told, message.language),
                    what,
                    *contract[:1],
                ),
                facts=tuple(facts),
                link=link,
                more=more,
            )
        case Kind.ONGOING:
            return Draft(
                word="STORING" if nl else "OUTAGE",
                subject=f"{'STORING' if nl else 'OUTAGE'}: {title} - {news.incident_id}",
                headline=f"{title} werkt niet" if nl else f"{title} is not working",
                tone="bad",
                sentences=(
                    f"{title} werkt niet sinds {since}. Dat begon buiten uw diensturen en duurt nog."
                    if nl
                    else f"{title} has not been working since {since}. It began outside your hours and continues.",
                    what,
                    *contract[:1],
                ),
                facts=tuple(facts),
                link=link,
                more=more,
            )
        case _:
            return Draft(
                word="STORING" if nl else "OUTAGE",
                subject=f"{'STORING' if nl else 'OUTAGE'}: {title} - {news.incident_id}",
                headline=f"{title} werkt niet" if nl else f"{title} is not working",
                tone="bad",
                sentences=(
                    f"{title} werkt niet sinds {since}." if nl else f"{title} has not been working since {since}.",
                    what,
                    *contract[:1],
                ),
                facts=tuple(facts),
                link=link,
                more=more,
            )
