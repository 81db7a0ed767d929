"""The mail about what journeys made at the portal and could not take away."""

from __future__ import annotations

from monitor.mail_text.page import Draft, House, status_page
from monitor.news import LeftBehindNews
from monitor.recipients import Language
from monitor.store.leaving import ToSend

#: Objects that a mail names one by one.
_MOST = 20


def left_behind(message: ToSend, news: LeftBehindNews, house: House) -> Draft:
    language = message.language
    return Draft(
        word="MONITOR",
        subject=f"MONITOR: {_subject(news, language)}",
        headline=_headline(news, language),
        tone="warn",
        sentences=_sentences(language),
        facts=_facts(news, language),
        link=status_page(house, message),
    )


def _subject(news: LeftBehindNews, language: Language) -> str:
    return f"{_some(news, language)} {'niet opgeruimd' if language == 'nl' else 'not cleaned up'}"


def _headline(news: LeftBehindNews, language: Language) -> str:
    one = len(news.objects) == 1
    if language == "nl":
        return f"{_some(news, language)} van de monitor {'staat' if one else 'staan'} nog in het portaal"
    return f"{_some(news, language)} of the monitor {'is' if one else 'are'} still at the portal"


def _sentences(language: Language) -> tuple[str, ...]:
    if language == "nl":
        return (
            "De monitor maakte dit aan om te meten, en kon het daarna niet weghalen. Hij blijft het proberen.",
            "Haal het zo nodig zelf weg, en meld dat met “loketwacht cleanup confirm”. Lukt het de monitor alsnog, dan "
            "hoeft u niets te doen.",
        )
    return (
        "The monitor made this in order to measure, and could not remove it afterwards. It keeps trying.",
        "Remove it yourself where needed, and say so with “loketwacht cleanup confirm”. If the monitor succeeds "
        "after all, there is nothing you need to do.",
    )


def _facts(news: LeftBehindNews, language: Language) -> tuple[tuple[str, str], ...]:
    """Each object with its journey, the first twenty; and how many more there are."""
    shown = tuple((title.nl if language == "nl" else title.en, what) for what, title in news.objects[:_MOST])
    more = len(news.objects) - _MOST
    return shown if more <= 0 else (*shown, ("En nog" if language == "nl" else "And more", str(more)))


def _some(news: LeftBehindNews, language: Language) -> str:
    count = len(news.objects)
    if language == "nl":
        return f"{count} {'object' if count == 1 else 'objecten'}"
    return f"{count} {'object' if count == 1 else 'objects'}"
