"""Mails that should be signed and are not, or soon will not be: what is to tell of it. Pure.

No such mail is held back, and none says by itself that its signature is missing: whoever forges mails would write the
same, and readers would learn to believe it. What is missing is told in a mail of its own, the first while the signature
still holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from cryptography.hazmat.primitives import hashes

from monitor.mail_signing import Signatures
from monitor.news import SignatureNews
from monitor.smime import SmimeSigner

_DAY_US = 86_400_000_000
#: How long before the end of a certificate it is told; 0: it has ended.
THRESHOLDS_US = (14 * _DAY_US, 3 * _DAY_US, 0)


def usable(signatures: Signatures, now_us: int) -> dict[Literal["dkim", "smime"], bool]:
    """Whether mails can be signed now, for each signature that the configuration asks for."""
    found: dict[Literal["dkim", "smime"], bool] = {}
    if signatures.dkim is not None:
        found["dkim"] = True
    if signatures.smime is not None:
        found["smime"] = signatures.smime.valid_at(now_us)
    for wrong in signatures.wrong:
        found[wrong.by] = False
    return found


def signature_news(signatures: Signatures, now_us: int) -> Iterator[tuple[str, SignatureNews]]:
    """What people should hear now, each with the name of its thread; the same thread as long as it is the same news.

    A certificate is told once for each threshold, a key that cannot sign once a day of UTC.
    """
    for wrong in signatures.wrong:
        news = SignatureNews(by=wrong.by, name=wrong.name, why="key", setting=wrong.setting, what=wrong.what)
        yield f"signature.{wrong.by}.key.{now_us // _DAY_US}", news
    if signatures.smime is not None:
        yield from _of_certificate(signatures.smime, now_us)


def _of_certificate(smime: SmimeSigner, now_us: int) -> Iterator[tuple[str, SignatureNews]]:
    crossed = [threshold for threshold in THRESHOLDS_US if smime.until_us - now_us < threshold]
    early = now_us < smime.since_us
    if not crossed and not early:
        return
    fingerprint = smime.certificate.fingerprint(hashes.SHA256()).hex()
    why: Literal["not-yet", "ends", "ended"] = "not-yet" if early else "ends" if smime.valid_at(now_us) else "ended"
    yield (
        f"signature.smime.{fingerprint[:16]}.{why if early else min(crossed) // 1_000_000}",
        SignatureNews(
            by="smime",
            name=smime.sender,
            why=why,
            from_us=smime.since_us,
            until_us=smime.until_us,
            fingerprint_sha256=fingerprint,
            subject=smime.certificate.subject.rfc4514_string(),
            issuer=smime.certificate.issuer.rfc4514_string(),
        ),
    )
