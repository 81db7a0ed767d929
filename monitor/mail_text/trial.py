"""The mail that shows whether mails arrive."""

from __future__ import annotations

from monitor.mail_text.page import Draft, House, status_page, when
from monitor.news import TestNews
from monitor.store.leaving import ToSend


def trial(message: ToSend, news: TestNews, house: House) -> Draft:
    nl = message.language == "nl"
    asked = when(news.asked_us, house, message.language, seconds=True)
    return Draft(
        word="TEST",
        subject="TEST: mails komen aan" if nl else "TEST: mails arrive",
        headline="Dit is een testmail" if nl else "This is a test mail",
        tone="plain",
        sentences=(
            f"Iemand vroeg op {asked} of mails van Loketwacht aankomen. Leest u dit, dan is het antwoord ja."
            if nl
            else f"On {asked} somebody asked whether mails of Loketwacht arrive. If you read this, they do.",
            "U hoeft niets te doen." if nl else "There is nothing you need to do.",
        ),
        link=status_page(house, message),
    )
