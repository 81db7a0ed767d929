"""The mails about announced maintenance: it begins, its times change, it is over."""

from __future__ import annotations

from monitor.mail_text.page import Draft, House, in_, status_page, when
from monitor.news import Kind, MaintenanceNews
from monitor.store.leaving import ToSend


def maintenance(message: ToSend, news: MaintenanceNews, house: House) -> Draft:
    language, nl = message.language, message.language == "nl"
    start, end = (when(at_us, house, language) for at_us in (news.from_us, news.until_us))
    titles = ", ".join(in_(title, language) for title in news.titles)
    parts = titles or ("alles" if nl else "everything")
    about = f" van {titles}" if nl and titles else f" of {titles}" if titles else ""
    facts = [
        ("Onderdelen" if nl else "Parts", parts),
        ("Begin" if nl else "Start", start),
        ("Einde" if nl else "End", end),
        ("Reden" if nl else "Reason", news.reason),
        ("Aangekondigd door" if nl else "Announced by", news.by),
        ("Aangekondigd op" if nl else "Announced on", when(news.announced_us, house, language)),
        ("Registernummer" if nl else "Ledger entry", str(news.entry)),
    ]
    if message.kind is not Kind.MAINTENANCE_OVER:
        facts += [("Volgens contract" if nl else "By contract", in_(text, language)) for text in news.excluded]
    match message.kind:
        case Kind.MAINTENANCE_OVER:
            word, headline = _over(news, nl=nl)
            sentences = _how_it_ended(news, end, about, house, message)
            tone = "warn" if news.failing else "good"
            if news.failing:
                facts.append(
                    ("Werkt niet" if nl else "Not working", ", ".join(in_(title, language) for title in news.failing))
                )
        case Kind.MAINTENANCE_CHANGED:
            word = "ONDERHOUD GEWIJZIGD" if nl else "MAINTENANCE CHANGED"
            headline = "Het onderhoud is gewijzigd" if nl else "The maintenance was changed"
            sentences, tone = _how_it_changed(news, start, end, about, house, message), "plain"
        case _:
            word = "ONDERHOUD" if nl else "MAINTENANCE"
            headline = "Het aangekondigde onderhoud is begonnen" if nl else "The announced maintenance has begun"
            sentences = (
                f"Het onderhoud{about} loopt tot {end}." if nl else f"The maintenance{about} lasts until {end}.",
                "Tot dan wordt geen nieuwe storing van deze onderdelen gemeld. Het meten gaat door."
                if nl
                else "Until then no new outage of these parts is reported. Measuring goes on.",
            )
            tone = "plain"
    return Draft(
        word=word,
        subject=f"{word}: {parts}",
        headline=headline,
        tone=tone,  # type: ignore[arg-type]
        sentences=sentences,
        facts=tuple(facts),
        link=status_page(house, message),
    )


def _over(news: MaintenanceNews, *, nl: bool) -> tuple[str, str]:
    if news.cancelled_by is not None:
        return (
            ("ONDERHOUD GEANNULEERD", "Het onderhoud is geannuleerd")
            if nl
            else ("MAINTENANCE CANCELLED", "The maintenance was cancelled")
        )
    if news.failing:
        return (
            ("ONDERHOUD VOORBIJ", "Het onderhoud is voorbij, en niet alles werkt")
            if nl
            else ("MAINTENANCE OVER", "The maintenance is over, and not everything works")
        )
    return ("ONDERHOUD VOORBIJ", "Het onderhoud is voorbij") if nl else ("MAINTENANCE OVER", "The maintenance is over")


def _how_it_ended(news: MaintenanceNews, end: str, about: str, house: House, message: ToSend) -> tuple[str, ...]:
    language, nl = message.language, message.language == "nl"
    if news.cancelled_by is not None:
        why = f": {news.cancelled_why}" if news.cancelled_why else ""
        first = (
            f"{news.cancelled_by} annuleerde het onderhoud{about}{why}"
            if nl
            else f"{news.cancelled_by} cancelled the maintenance{about}{why}"
        )
        first = first if first.endswith(".") else f"{first}."
    else:
        first = f"Het onderhoud{about} liep tot {end}." if nl else f"The maintenance{about} lasted until {end}."
    failing = ", ".join(in_(title, language) for title in news.failing)
    if failing:
        second = f"Dit werkt nog niet: {failing}." if nl else f"This does not work yet: {failing}."
    else:
        second = "Geen van deze onderdelen heeft een open storing." if nl else "None of these parts has an open outage."
    third = "Storingen worden weer gemeld zoals altijd." if nl else "Outages are reported again as usual."
    return first, second, third


def _how_it_changed(
    news: MaintenanceNews, start: str, end: str, about: str, house: House, message: ToSend
) -> tuple[str, ...]:
    language, nl = message.language, message.language == "nl"
    before = when(news.until_before_us, house, language) if news.until_before_us is not None else None
    first = (
        f"{news.by} kondigde het onderhoud{about} opnieuw aan: van {start} tot {end}."
        if nl
        else f"{news.by} announced the maintenance{about} anew: from {start} to {end}."
    )
    if before is None:
        return (first,)
    return (first, f"Eerder was het einde {before}." if nl else f"Its end had been {before}.")
