"""The mails about an own trouble that lasts while measuring goes on, and about its end."""

from __future__ import annotations

from dataclasses import dataclass

from dashboards.formatting import length
from monitor.mail_text.page import Draft, House, status_page, when
from monitor.news import Kind, Trouble, TroubleNews
from monitor.recipients import Language
from monitor.store.leaving import ToSend


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """In one language: what is wrong, the same once it is well, what that means, what to do, what it is about."""

    wrong: str
    well: str
    means: str
    do: str
    about: str


#: In Dutch and in English.
_WORDS: dict[Trouble, dict[Language, _Words]] = {
    Trouble.STORE_DAMAGED: {
        "nl": _Words(
            wrong="De opslag is beschadigd",
            well="De opslag is weer heel",
            means=(
                "Bij de dagelijkse controle bleek het bestand van de opslag beschadigd. Het meten gaat door zolang "
                "het kan, maar wat nu geschreven wordt, kan verloren gaan."
            ),
            do=(
                "Stop de monitor, bewaar het bestand, zet de laatste reservekopie terug met “loketwacht db restore "
                "FILE” en kijk na met “loketwacht verify”."
            ),
            about="Bestand",
        ),
        "en": _Words(
            wrong="The store is damaged",
            well="The store is whole again",
            means=(
                "The daily check found the store's file damaged. Measuring goes on as long as it can, but what is "
                "written now may be lost."
            ),
            do=(
                "Stop the monitor, keep the file, put the last backup in its place with “loketwacht db restore FILE” "
                "and check with “loketwacht verify”."
            ),
            about="File",
        ),
    },
    Trouble.REFERENCE_SILENT: {
        "nl": _Words(
            wrong="Een referentie antwoordt niet",
            well="De referenties antwoorden weer",
            means=(
                "Andere referenties antwoorden wel: het ligt niet aan ons netwerk. Zwijgt meer dan de helft, dan telt "
                "elke storing van het portaal als niet gemeten, en wordt niemand gewekt."
            ),
            do="Kies een ander adres in “urls” van [references], en kijk na met “loketwacht config check”.",
            about="Referentie",
        ),
        "en": _Words(
            wrong="A reference does not answer",
            well="The references answer again",
            means=(
                "Other references do answer: it is not our network. Once more than half of them are silent, every "
                "outage of the portal counts as not measured, and nobody is woken."
            ),
            do="Choose another address in “urls” of [references], and check with “loketwacht config check”.",
            about="Reference",
        ),
    },
    Trouble.RESOLVER_SILENT: {
        "nl": _Words(
            wrong="Onze naamserver antwoordt niet",
            well="Onze naamserver antwoordt weer",
            means=(
                "Onze eigen naamserver antwoordt voor geen enkele van de bewaakte namen. Runs die daardoor mislukken, "
                "tellen als niet gemeten, nooit als storing."
            ),
            do=(
                "Kijk na wat /etc/resolv.conf op de machine van de monitor noemt, en of die naamservers te bereiken "
                "zijn."
            ),
            about="Namen",
        ),
        "en": _Words(
            wrong="Our name server does not answer",
            well="Our name server answers again",
            means=(
                "Our own name server answers for none of the watched names. Runs that fail for it count as not "
                "measured, never as an outage."
            ),
            do=(
                "See what /etc/resolv.conf names on the monitor's machine, and whether those name servers can be "
                "reached."
            ),
            about="Names",
        ),
    },
    Trouble.CLOCK_WRONG: {
        "nl": _Words(
            wrong="De klok van de monitor klopt niet",
            well="De klok van de monitor klopt weer",
            means=(
                "De klok en de nieuwste meting in de opslag spreken elkaar tegen: een van beide is of was verkeerd. "
                "Metingen met een tijdstip dat nog moet komen, tonen we nergens als de stand van nu."
            ),
            do=(
                "Kijk na of de klok van de machine gelijk gezet wordt (timedatectl), en lees ClockWrong in "
                "docs/runbooks.md voor wat met verkeerd gedateerde metingen moet gebeuren."
            ),
            about="Nieuwste meting",
        ),
        "en": _Words(
            wrong="The monitor's clock is wrong",
            well="The monitor's clock is right again",
            means=(
                "The clock and the newest sample in the store contradict each other: one of them is or was wrong. "
                "Samples of instants that are yet to come are nowhere shown as how things stand."
            ),
            do=(
                "See whether the machine's clock is set (timedatectl), and read ClockWrong in docs/runbooks.md for "
                "what to do about samples with wrong dates."
            ),
            about="Newest sample",
        ),
    },
}


def trouble(message: ToSend, news: TroubleNews, house: House) -> Draft:
    language, nl = message.language, message.language == "nl"
    words = _WORDS[news.what][language]
    facts = [
        (words.about, ", ".join(news.subjects)),
        # SQLite's own words help whoever mends it; of the others the rest of the mail says as much.
        *((("Gevonden" if nl else "Found", news.said),) if news.what is Trouble.STORE_DAMAGED else ()),
        ("Sinds" if nl else "Since", when(news.since_us, house, language, seconds=True)),
    ]
    if message.kind is Kind.TROUBLE_OVER and news.until_us is not None:
        lasted = length(news.until_us - news.since_us, language)
        facts.append(("Tot" if nl else "Until", when(news.until_us, house, language, seconds=True)))
        return Draft(
            word="MONITOR",
            subject=f"MONITOR: {words.well[:1].lower()}{words.well[1:]}",
            headline=words.well,
            tone="good",
            sentences=(f"Het duurde {lasted}." if nl else f"It lasted {lasted}.",),
            facts=tuple(facts),
            link=status_page(house, message),
        )
    return Draft(
        word="MONITOR",
        subject=f"MONITOR: {words.wrong[:1].lower()}{words.wrong[1:]}",
        headline=words.wrong,
        tone="warn",
        sentences=(words.means, words.do),
        facts=tuple(facts),
        link=status_page(house, message),
    )
