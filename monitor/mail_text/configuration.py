"""The mails about a configuration that was refused, and about the one that was taken over after that."""

from __future__ import annotations

from monitor.mail_text.page import Draft, House, status_page, when
from monitor.news import ConfigNews, Kind
from monitor.store.leaving import ToSend


def configuration(message: ToSend, news: ConfigNews, house: House) -> Draft:
    language, nl = message.language, message.language == "nl"
    at = when(news.at_us, house, language)
    if message.kind is Kind.CONFIG_TAKEN:
        return Draft(
            word="MONITOR",
            subject="MONITOR: nieuwe configuratie van kracht" if nl else "MONITOR: new configuration in force",
            headline="De nieuwe configuratie is van kracht" if nl else "The new configuration is in force",
            tone="good",
            sentences=(
                f"Sinds {at} werkt de monitor met de configuratie zoals ze nu in de bestanden staat."
                if nl
                else f"Since {at} the monitor has worked with the configuration as it now stands in the files.",
            ),
            link=status_page(house, message),
        )
    facts = [(f"{one.file}:{one.line}", f"{one.key}: {one.what}" if one.key else one.what) for one in news.mistakes]
    more = news.count - len(news.mistakes)
    if more > 0:
        facts.append(("En nog" if nl else "And more", str(more)))
    return Draft(
        word="MONITOR",
        subject="MONITOR: configuratie geweigerd" if nl else "MONITOR: configuration refused",
        headline="De nieuwe configuratie is geweigerd" if nl else "The new configuration was refused",
        tone="warn",
        sentences=(
            f"Op {at} werd gevraagd de configuratie opnieuw te lezen, en er staan fouten in. De oude blijft gelden; "
            "het meten gaat door."
            if nl
            else f"On {at} the configuration was to be read again, and there are mistakes in it. The old one stays in "
            "force; measuring goes on.",
            "Een herstart zou hiermee niet lukken. Verbeter de bestanden, kijk na met “loketwacht config check”, en "
            "laat ze opnieuw lezen (SIGHUP)."
            if nl
            else "A restart would not succeed with it. Mend the files, check with “loketwacht config check”, and have "
            "them read again (SIGHUP).",
        ),
        facts=tuple(facts),
        link=status_page(house, message),
    )
