"""The mail about allowed downtime that is spent: how much, what is left, what further downtime costs."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

from dashboards.formatting import day, length, local, month_name
from monitor.mail_text.page import Draft, House, address_of, in_, when
from monitor.news import BudgetNews
from monitor.recipients import Language
from monitor.store.leaving import ToSend
from sla.period import next_first


def budget(message: ToSend, news: BudgetNews, house: House) -> Draft:
    language, nl = message.language, message.language == "nl"
    period = _period(news, language)
    left_us = news.allowed_us - news.spent_us
    left, spent, allowed = (length(us, language, days=False) for us in (abs(left_us), news.spent_us, news.allowed_us))
    gone = left_us <= 0
    beyond = (f", {left} te veel" if nl else f", {left} too much") if left_us < 0 else ""
    if gone:
        headline = (
            f"Bepaling {news.clause}: toegelaten uitval opgebruikt"
            if nl
            else f"Clause {news.clause}: allowed downtime used up"
        )
        first = (
            f"In {period} laat bepaling {news.clause} van contract {news.contract} {allowed} uitval toe. "
            f"Er is {spent} gemeten{beyond}."
            if nl
            else f"In {period}, clause {news.clause} of contract {news.contract} allows {allowed} of "
            f"downtime. {spent} was measured{beyond}."
        )
    else:
        headline = (
            f"Bepaling {news.clause}: {news.threshold} % van de toegelaten uitval opgebruikt"
            if nl
            else f"Clause {news.clause}: {news.threshold} % of the allowed downtime spent"
        )
        first = (
            f"In {period} laat bepaling {news.clause} van contract {news.contract} {allowed} uitval toe. "
            f"Daarvan is {spent} opgebruikt; er rest nog {left}."
            if nl
            else f"In {period}, clause {news.clause} of contract {news.contract} allows {allowed} of "
            f"downtime. {spent} of it is spent; {left} is left."
        )
    sentences = [first, in_(news.step, language), _gone(message, news, house)]
    if not news.enough_measured:
        sentences.append(
            f"Er is tot nu maar {_percent(news.measured, language)} van de diensttijd gemeten, minder dan het contract "
            "vraagt: voorlopig is deze bepaling niet te beoordelen."
            if nl
            else f"So far only {_percent(news.measured, language)} of the service time was measured, less than the "
            "contract asks for: as it stands this clause is undecided."
        )
    sentences.append(
        "Dit is een tussenstand; het rapport over de hele periode telt."
        + ("" if news.best_efforts else " Bedragen zijn een berekend voorstel; een mens beslist.")
        if nl
        else "This is how it stands so far; the report on the whole period counts."
        + ("" if news.best_efforts else " Amounts are a computed proposal; a person decides.")
    )
    facts = [
        ("Contract", news.contract),
        ("Bepaling" if nl else "Clause", f"{news.clause}: {news.text}" if news.text else news.clause),
        ("Periode" if nl else "Period", period),
        ("Toegelaten" if nl else "Allowed", allowed),
        ("Opgebruikt" if nl else "Spent", spent),
        ("Te veel" if gone and nl else "Too much" if gone else "Rest" if nl else "Left", left),
        ("Gemeten" if nl else "Measured", _share(news.measured, language)),
    ]
    subject = f"{news.clause} {news.threshold} % - {news.contract}"
    return Draft(
        word="UITVALBUDGET" if nl else "DOWNTIME BUDGET",
        subject=f"{'UITVALBUDGET' if nl else 'DOWNTIME BUDGET'}: {subject}",
        headline=headline,
        tone="bad" if gone and not news.best_efforts else "warn",
        sentences=tuple(sentences),
        facts=tuple(facts),
        link=(
            "Bekijk de afspraken" if nl else "View the agreements",
            address_of(house, f"/sla/{quote(news.contract, safe='')}", message),
        ),
    )


def _period(news: BudgetNews, language: Language) -> str:
    """The month by its name; otherwise first and last day. In the contract's time zone."""
    first = local(news.from_us, news.timezone).date()
    last = local(news.until_us - 1, news.timezone).date()
    if first.day == 1 and last == next_first("month", first) - timedelta(days=1):
        return month_name(news.from_us, news.timezone, language)
    with_year = first.year != last.year
    start, end = day(first, language, year=with_year), day(last, language)
    return f"de periode {start} tot en met {end}" if language == "nl" else f"the period {start} to {end}"


def _gone(message: ToSend, news: BudgetNews, house: House) -> str:
    nl = message.language == "nl"
    if news.gone_us is None:
        return (
            "In het huidige tempo raakt niet alles op in deze periode."
            if nl
            else "At the present pace it will not all be used up in this period."
        )
    at = when(news.gone_us, house, message.language)
    if news.gone_us <= message.created_us:
        return f"Alles is opgebruikt sinds {at}." if nl else f"All of it has been used up since {at}."
    return (
        f"In het huidige tempo is alles opgebruikt op {at}."
        if nl
        else f"At the present pace it will all be used up on {at}."
    )


def _percent(measured: str, language: Language) -> str:
    return f"{measured.replace('.', ',') if language == 'nl' else measured} %"


def _share(measured: str, language: Language) -> str:
    what = "van de diensttijd tot nu" if language == "nl" else "of the service time so far"
    return f"{_percent(measured, language)} {what}"
