"""The words of the mail about what journeys made at the portal and could not take away. Pure."""

from __future__ import annotations

from monitor.alerts import Language, LeftBehindNews

#: Objects that a mail names one by one.
_MOST = 20


def subject(news: LeftBehindNews, language: Language) -> str:
    return f"{_some(news, language)} {'niet opgeruimd' if language == 'nl' else 'not cleaned up'}"


def headline(news: LeftBehindNews, language: Language) -> str:
    one = len(news.objects) == 1
    if language == "nl":
        return f"{_some(news, language)} van de monitor {'staat' if one else 'staan'} nog in het portaal"
    return f"{_some(news, language)} of the monitor {'is' if one else 'are'} still at the portal"


def sentences(language: Language) -> tuple[str, ...]:
    if language == "nl":
        return (
            "De monitor maakte dit aan om te meten, en kon het daarna niet weghalen. Hij blijft het proberen.",
            "Haal het zo nodig zelf weg, en meld dat met `loketwacht cleanup confirm`. Lukt het de monitor alsnog, dan "
            "hoeft u niets te doen.",
        )
    return (
        "The monitor made this in order to measure, and could not take it away afterwards. It keeps trying.",
        "Take it away yourself where needed, and say so with `loketwacht cleanup confirm`. If the monitor succeeds "
        "after all, there is nothing you need to do.",
    )


def facts(news: LeftBehindNews, language: Language) -> tuple[tuple[str, str], ...]:
    """Each object with its journey, the first twenty; and how many more there are."""
    shown = tuple((title.nl if language == "nl" else title.en, what) for what, title in news.objects[:_MOST])
    more = len(news.objects) - _MOST
    return shown if more <= 0 else (*shown, ("En nog" if language == "nl" else "And more", str(more)))


def _some(news: LeftBehindNews, language: Language) -> str:
    count = len(news.objects)
    if language == "nl":
        return f"{count} {'object' if count == 1 else 'objecten'}"
    return f"{count} {'object' if count == 1 else 'objects'}"
