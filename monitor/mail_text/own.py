"""The mails about the monitor's own trouble."""

from __future__ import annotations

from dashboards.formatting import length
from monitor.incidents import OUTPOST
from monitor.mail_text import outpost
from monitor.mail_text.page import Draft, House, in_, status_page, when
from monitor.news import Kind, OwnNews
from monitor.store.leaving import ToSend
from probes.sentences import sentence


def own(message: ToSend, news: OwnNews, house: House) -> Draft:
    if news.failure.subject == OUTPOST:
        return outpost.silent(message, news, house)
    nl = message.language == "nl"
    since = when(news.since_us, house, message.language)
    link = status_page(house, message)
    facts = [("Begin" if nl else "Start", when(news.since_us, house, message.language, seconds=True))]
    if message.kind is Kind.MEASURING and news.until_us is not None:
        lasted = length(news.until_us - news.since_us, message.language)
        until = when(news.until_us, house, message.language)
        facts.append(("Einde" if nl else "End", when(news.until_us, house, message.language, seconds=True)))
        facts.append(("Duur" if nl else "Duration", lasted))
        facts.append(("Kenmerk" if nl else "Reference", news.incident_id))
        return Draft(
            word="MONITOR",
            subject=f"MONITOR: {'meet weer alles' if nl else 'measures everything again'} - {news.incident_id}",
            headline="De monitor meet weer alles" if nl else "The monitor measures everything again",
            tone="good",
            sentences=(
                f"Sinds {until} kan alles weer gemeten worden. Dat lukte {lasted} lang niet volledig."
                if nl
                else f"Since {until} everything can be measured again. For {lasted} that was not so.",
                "De tijd ertussen staat in de cijfers als niet gemeten."
                if nl
                else "The time in between is in the figures as not measured.",
            ),
            facts=tuple(facts),
            link=link,
        )
    reminder = message.kind is Kind.REMINDER
    if news.checks:
        titles = ", ".join(in_(title, message.language) for title in news.checks)
        facts.append(("Niet te meten" if nl else "Not measurable", titles))
    facts.append(("Oorzaak" if nl else "Cause", sentence(news.failure, message.language)))
    facts.append(("Kenmerk" if nl else "Reference", news.incident_id))
    if reminder:
        facts.append(("Herinnering" if nl else "Reminder", str(news.number)))
    still = ("nog altijd " if nl else "still ") if reminder else ""
    so_far = length(message.created_us - news.since_us, message.language)
    lasts = (f", nu al {so_far}" if nl else f", for {so_far} now") if reminder else ""
    return Draft(
        word="MONITOR",
        subject=f"MONITOR: {f'kan {still}niet meten' if nl else f'{still}cannot measure'} - {news.incident_id}",
        headline=f"De monitor kan {still}niet meten" if nl else f"The monitor {still}cannot measure",
        tone="warn",
        sentences=(
            f"Sinds {since} lukt het meten niet{lasts}, en de fout ligt waarschijnlijk bij ons: ons netwerk, onze "
            "toegang of de monitor zelf."
            if nl
            else f"Measuring has failed since {since}{lasts}, and the fault is probably ours: our network, our access "
            "or the monitor itself.",
            "Dit zegt niets over het portaal. De tijd telt als niet gemeten, nooit als storing."
            if nl
            else "This says nothing about the portal. The time counts as not measured, never as an outage.",
        ),
        facts=tuple(facts),
        link=link,
    )
