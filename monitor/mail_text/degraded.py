"""The mails about a check that works, but slowly; and that it is fast again."""

from __future__ import annotations

from dashboards.formatting import length
from monitor.mail_text.page import Draft, House, in_, status_page, when
from monitor.news import DegradedNews, Kind
from monitor.store.leaving import ToSend
from probes.sentences import phrase, sentence, subject


def degraded(message: ToSend, news: DegradedNews, house: House) -> Draft:
    language, nl = message.language, message.language == "nl"
    title = in_(news.title, language)
    facts = [
        ("Onderdeel" if nl else "Part", title),
        ("Begin" if nl else "Start", when(news.since_us, house, language, seconds=True)),
    ]
    if message.kind is Kind.FAST and news.until_us is not None:
        until, lasted = when(news.until_us, house, language), length(news.until_us - news.since_us, language)
        facts.append(("Einde" if nl else "End", when(news.until_us, house, language, seconds=True)))
        facts.append(("Duur" if nl else "Duration", lasted))
        return Draft(
            word="WEER SNEL" if nl else "FAST AGAIN",
            subject=f"{'WEER SNEL' if nl else 'FAST AGAIN'}: {title}",
            headline=f"{title} is weer snel genoeg" if nl else f"{title} is fast enough again",
            tone="good",
            sentences=(
                f"{title} blijft sinds {until} weer binnen de grenzen. De traagheid duurde {lasted}."
                if nl
                else f"{title} has been within its limits again since {until}. It was slow for {lasted}.",
            ),
            facts=tuple(facts),
            link=status_page(house, message),
        )
    step = in_(news.step, language) if news.step else None
    if step is not None:
        facts.append(("Stap" if nl else "Step", step))
    if news.failure.subject:
        facts.append(("Bekeken" if nl else "Looked at", subject(news.failure, language)))
    if news.failure.expected is not None:
        facts.append(("Verwacht" if nl else "Expected", phrase(news.failure.expected, language)))
        facts.append(("Gevonden" if nl else "Found", phrase(news.failure.found, language)))
    facts.append(("Trage metingen" if nl else "Slow samples", _how_many(news, nl=nl)))
    return Draft(
        word="TRAAG" if nl else "SLOW",
        subject=f"{'TRAAG' if nl else 'SLOW'}: {title}",
        headline=f"{title} werkt, maar traag" if nl else f"{title} works, but slowly",
        tone="warn",
        sentences=(
            f"{title} is sinds {when(news.since_us, house, language)} trager dan de ingestelde grens."
            if nl
            else f"{title} has been slower than its limit since {when(news.since_us, house, language)}.",
            sentence(news.failure, language, step),
            "Dit is een waarschuwing, geen storing. U hoort het als het weer snel is."
            if nl
            else "This is a warning, not an outage. You will hear when it is fast again.",
        ),
        facts=tuple(facts),
        link=status_page(house, message),
    )


def _how_many(news: DegradedNews, *, nl: bool) -> str:
    if news.slow == news.among:
        return f"{news.slow} na elkaar" if nl else f"{news.slow} in a row"
    return f"{news.slow} van de laatste {news.among}" if nl else f"{news.slow} of the last {news.among}"
