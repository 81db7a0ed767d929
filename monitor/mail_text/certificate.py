"""The mail about a certificate that ends soon."""

from __future__ import annotations

from monitor.mail_text.page import Draft, House, in_, status_page, when
from monitor.news import CertificateNews
from monitor.store.leaving import ToSend

_DAY_US = 86_400_000_000


def certificate(message: ToSend, news: CertificateNews, house: House) -> Draft:
    nl = message.language == "nl"
    left = max(0, news.not_after_us - message.created_us) // _DAY_US
    days = (f"{left} dag" if left == 1 else f"{left} dagen") if nl else (f"{left} day" if left == 1 else f"{left} days")
    ends = when(news.not_after_us, house, message.language)
    return Draft(
        word="CERTIFICAAT" if nl else "CERTIFICATE",
        subject=f"{'CERTIFICAAT' if nl else 'CERTIFICATE'}: {news.host} {'nog' if nl else '-'} {days}"
        + ("" if nl else " left"),
        headline=f"Het certificaat van {news.host} is nog {days} geldig"
        if nl
        else f"The certificate of {news.host} is valid for another {days}",
        tone="warn",
        sentences=(
            f"Het certificaat van {news.host} vervalt op {ends}. Wordt het niet tijdig vervangen, dan weigeren "
            "browsers de pagina's."
            if nl
            else f"The certificate of {news.host} expires on {ends}. Unless it is replaced in time, browsers will "
            "refuse the pages.",
        ),
        facts=(
            ("Onderdeel" if nl else "Part", in_(news.title, message.language)),
            ("Vervalt" if nl else "Expires", when(news.not_after_us, house, message.language, seconds=True)),
            ("Op naam van" if nl else "Subject", news.subject),
            ("Uitgegeven door" if nl else "Issued by", news.issuer),
            ("Vingerafdruk (SHA-256)" if nl else "Fingerprint (SHA-256)", news.fingerprint_sha256),
        ),
        link=status_page(house, message),
    )
