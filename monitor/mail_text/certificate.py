"""The mail about a certificate that ends soon."""

from __future__ import annotations

from monitor.mail_text.page import Draft, House, in_, status_page, when
from monitor.news import CertificateNews
from monitor.recipients import Language
from monitor.store.leaving import ToSend

_DAY_US = 86_400_000_000
_NAMES = {
    "leaf": ("certificaat", "certificate"),
    "intermediate": ("tussencertificaat", "intermediate certificate"),
    "root": ("rootcertificaat", "root certificate"),
}


def certificate(message: ToSend, news: CertificateNews, house: House) -> Draft:
    nl = message.language == "nl"
    left = max(0, news.not_after_us - message.created_us) // _DAY_US
    days = (f"{left} dag" if left == 1 else f"{left} dagen") if nl else (f"{left} day" if left == 1 else f"{left} days")
    ends = when(news.not_after_us, house, message.language)
    name, of_host = _NAMES[news.role][0 if nl else 1], f"{'van' if nl else 'of'} {news.host}"
    about = news.host if news.role == "leaf" else f"{name} {of_host}"
    return Draft(
        word="CERTIFICAAT" if nl else "CERTIFICATE",
        subject=f"{'CERTIFICAAT' if nl else 'CERTIFICATE'}: {about} {'nog' if nl else '-'} {days}"
        + ("" if nl else " left"),
        headline=f"Het {name} {of_host} is nog {days} geldig"
        if nl
        else f"The {name} {of_host} is valid for another {days}",
        tone="warn",
        sentences=(
            f"Het {name} {of_host} vervalt op {ends}. Wordt het niet tijdig vervangen, dan weigeren "
            "browsers de pagina's."
            if nl
            else f"The {name} {of_host} expires on {ends}. Unless it is replaced in time, browsers will refuse "
            "the pages.",
            *_why(news, message.language),
        ),
        facts=(
            ("Onderdeel" if nl else "Part", in_(news.title, message.language)),
            *((("Welk certificaat" if nl else "Which one", f"{name[0].upper()}{name[1:]}"),) * (news.role != "leaf")),
            ("Vervalt" if nl else "Expires", when(news.not_after_us, house, message.language, seconds=True)),
            ("Op naam van" if nl else "Subject", news.subject),
            ("Uitgegeven door" if nl else "Issued by", news.issuer),
            ("Vingerafdruk (SHA-256)" if nl else "Fingerprint (SHA-256)", news.fingerprint_sha256),
        ),
        link=status_page(house, message),
    )


def _why(news: CertificateNews, language: Language) -> tuple[str, ...]:
    """Of a certificate that is not the site's own: why it counts, and who can replace it."""
    if news.role == "leaf":
        return ()
    if language == "nl":
        return (
            f"Het certificaat van {news.host} zelf is langer geldig, maar wordt alleen via dit "
            f"{_NAMES[news.role][0]} vertrouwd. Vraag de uitgever welke keten de server nu moet sturen.",
        )
    return (
        f"The certificate of {news.host} itself lasts longer, but is only trusted by way of this "
        f"{_NAMES[news.role][1]}. Ask its issuer which chain the server should send now.",
    )
