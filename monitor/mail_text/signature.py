"""The mail about a signature that mails should carry and do not, or soon will not."""

from __future__ import annotations

from monitor.mail_text.page import Draft, House, status_page, when
from monitor.news import SignatureNews
from monitor.store.leaving import ToSend

_DAY_US = 86_400_000_000


def signature(message: ToSend, news: SignatureNews, house: House) -> Draft:
    nl = message.language == "nl"
    if news.why == "ends" and news.until_us is not None:
        left = max(0, news.until_us - message.created_us) // _DAY_US
        days = _days(left, nl=nl)
        title = (
            (f"handtekening van mails nog {days}", f"Mails worden nog {days} ondertekend")
            if nl
            else (f"mails signed for {days} more", f"Mails are signed for {days} more")
        )
    else:
        title = (
            ("mails vertrekken zonder handtekening", "Mails vertrekken zonder handtekening")
            if nl
            else ("mails leave unsigned", "Mails leave unsigned")
        )
    return Draft(
        word="MONITOR",
        subject=f"MONITOR: {title[0]}",
        headline=title[1],
        tone="warn",
        sentences=(_what(message, news, house), _mend(news, nl=nl)),
        facts=_facts(message, news, house),
        link=status_page(house, message),
    )


def _days(left: int, *, nl: bool) -> str:
    if nl:
        return f"{left} dag" if left == 1 else f"{left} dagen"
    return f"{left} day" if left == 1 else f"{left} days"


def _what(message: ToSend, news: SignatureNews, house: House) -> str:
    nl, by = message.language == "nl", "S/MIME" if news.by == "smime" else "DKIM"
    instant = news.from_us if news.why == "not-yet" else news.until_us
    at = when(instant, house, message.language) if instant is not None else ""
    match news.why:
        case "ends":
            return (
                f"Het certificaat waarmee mails van {news.name} ondertekend zijn ({by}), vervalt op {at}. Daarna "
                "vertrekken ze zoals altijd, maar zonder handtekening."
                if nl
                else f"The certificate by which mails of {news.name} are signed ({by}) expires on {at}. After that "
                "they leave as ever, but unsigned."
            )
        case "ended":
            return (
                f"Het certificaat waarmee mails van {news.name} ondertekend werden ({by}), is op {at} vervallen. Geen "
                "mail blijft daarvoor liggen; ze vertrekken zonder handtekening."
                if nl
                else f"The certificate by which mails of {news.name} were signed ({by}) expired on {at}. No mail is "
                "held back for it; they leave unsigned."
            )
        case "not-yet":
            return (
                f"Het certificaat waarmee mails van {news.name} ondertekend worden ({by}), geldt pas vanaf {at}. Tot "
                "dan vertrekken ze zonder handtekening."
                if nl
                else f"The certificate by which mails of {news.name} are signed ({by}) is valid only from {at} on. "
                "Until then they leave unsigned."
            )
        case "key":
            return (
                f"Mails van {news.name} kunnen niet ondertekend worden ({by}): de sleutel of het certificaat "
                "deugt niet. Geen mail blijft daarvoor liggen; ze vertrekken zonder deze handtekening, en strenge "
                "ontvangers kunnen ze als ongewenst behandelen."
                if nl
                else f"Mails of {news.name} cannot be signed ({by}): its key or certificate is not right. No mail is "
                "held back for it; they leave without this signature, and strict receivers may treat them as unwanted."
            )


def _mend(news: SignatureNews, *, nl: bool) -> str:
    if news.why == "not-yet":
        return (
            "Kijk na of de klok van deze machine juist staat, en of het vorige certificaat nog terug kan."
            if nl
            else "Check that the clock of this machine is right, and whether the certificate before it can be put back."
        )
    if news.why == "key":
        return (
            "Verbeter de instelling, kijk na met “loketwacht config check”, en laat de configuratie opnieuw lezen."
            if nl
            else "Mend the setting, check with “loketwacht config check”, and have the configuration read again."
        )
    return (
        "Vraag de uitgever een nieuw certificaat voor hetzelfde adres, zet het met zijn sleutel op zijn plaats, kijk "
        "na met “loketwacht config check”, en laat de configuratie opnieuw lezen."
        if nl
        else "Ask its issuer for a new certificate for the same address, put it in place with its key, check with "
        "“loketwacht config check”, and have the configuration read again."
    )


def _facts(message: ToSend, news: SignatureNews, house: House) -> tuple[tuple[str, str], ...]:
    language, nl = message.language, message.language == "nl"
    if news.why == "key":
        return (("Instelling" if nl else "Setting", f"{news.setting}: {news.what}"),)
    dates = (
        ("Geldig vanaf" if nl else "Valid from", news.from_us),
        ("Vervalt" if nl else "Expires", news.until_us),
    )
    return (
        *((label, when(at, house, language, seconds=True)) for label, at in dates if at is not None),
        ("Op naam van" if nl else "Subject", news.subject),
        ("Uitgegeven door" if nl else "Issued by", news.issuer),
        ("Vingerafdruk (SHA-256)" if nl else "Fingerprint (SHA-256)", news.fingerprint_sha256),
    )
