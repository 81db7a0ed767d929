"""The mails about a check that breaks and recovers again and again."""

from __future__ import annotations

from monitor.mail_text import life
from monitor.mail_text.page import Draft, House, in_, status_page, when
from monitor.news import FlappingNews, Kind
from monitor.store.leaving import ToSend


def flapping(message: ToSend, news: FlappingNews, house: House) -> Draft:
    language, kind = message.language, message.kind
    since = when(news.since_us, house, language)
    until = when(news.until_us if news.until_us is not None else message.created_us, house, language)
    told = when(news.told_us, house, language) if news.told_us is not None else None
    down = when(news.down_since_us, house, language) if news.down_since_us is not None else None
    word = life.flapping_word(kind, news, language)
    return Draft(
        word=word,
        subject=f"{word}: {in_(news.title, language)}",
        headline=life.flapping_headline(kind, news, language),
        tone="good" if kind is Kind.STEADY and down is None else "bad",
        sentences=life.flapping_sentences(kind, news, language, since, until, told, down),
        facts=(("Onderdeel" if language == "nl" else "Part", in_(news.title, language)),),
        link=status_page(house, message),
    )
