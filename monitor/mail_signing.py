"""The keys that mails are signed with: read, held against certificate and sender, and used.

A mail is worth more than its signature. What cannot be signed (its certificate ran out, its key is none) leaves
unsigned, and the log says so each time; `monitor.unsigned` tells people.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from monitor.dkim import DkimSigner
from monitor.mail_message import MailMessage, wire
from monitor.mail_settings import DkimSettings, MailSettings, SmimeSettings
from monitor.smime import SmimeSigner
from monitor.toml_file import Loc

log = logging.getLogger(__name__)

#: RFC 8301: what verifiers must take; shorter keys they must not.
_SHORTEST_RSA = 1024


class MailKeyError(Exception):
    """A key or certificate cannot sign these mails.

    Attributes:
        loc: the setting that is wrong, below `[mail]`.
        what, mend: in the words of a `ConfigError`; never with a part of the key.
    """

    def __init__(self, loc: Loc, what: str, mend: str) -> None:
        super().__init__(what)
        self.loc = loc
        self.what = what
        self.mend = mend


@dataclass(frozen=True, slots=True, kw_only=True)
class CannotSign:
    """A signature that mails should carry, and what is wrong with its key or certificate.

    Attributes:
        name: whose signature it is: the sender's address, or the domain.
        setting, what: in the words of a `ConfigError`; never with a part of the key.
    """

    by: Literal["dkim", "smime"]
    name: str
    setting: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Signatures:
    """What signs each mail; None: nothing does.

    Attributes:
        wrong: signatures that are asked for, and that mails go without.
    """

    dkim: DkimSigner | None = None
    smime: SmimeSigner | None = None
    wrong: tuple[CannotSign, ...] = ()

    def writer(self, now_us: Callable[[], int]) -> Callable[[MailMessage], bytes]:
        """What writes mails as they are sent, signed as `signed` does it."""
        return lambda mail: self.signed(wire(mail), now_us())

    def signed(self, content: bytes, at_us: int) -> bytes:
        """A mail signed by the sender first, and by the domain over that; without what cannot sign, but never lost."""
        for wrong in self.wrong:
            log.error("a mail leaves without a signature: %s", wrong.what, extra={"setting": wrong.setting})
        if self.smime is not None and self.smime.valid_at(at_us):
            content = _or_unsigned(self.smime.signed, content)
        elif self.smime is not None:
            end = self.smime.certificate.not_valid_after_utc.isoformat()
            log.error("a mail leaves unsigned: its certificate is not valid now", extra={"until": end})
        if self.dkim is not None:
            content = _or_unsigned(partial(self.dkim.signed, now_us=at_us), content)
        return content


def _or_unsigned(sign: Callable[[bytes], bytes], content: bytes) -> bytes:
    try:
        return sign(content)
    except Exception:
        log.exception("a mail leaves without a signature: signing broke down")
        return content


def signatures(settings: MailSettings, *, secrets: Mapping[str, str], directory: Path) -> Signatures:
    """What the settings ask for, all of it.

    Args:
        directory: what `certificate` is relative to.

    Raises:
        MailKeyError: the first thing that is wrong; a certificate that is only out of date is not.
    """
    dkim, smime = settings.dkim, settings.smime
    return Signatures(
        dkim=_dkim(dkim, _secret(secrets, dkim.key, ("dkim", "key"))) if dkim else None,
        smime=_smime(smime, _secret(secrets, smime.key, ("smime", "key")), directory, settings.sender)
        if smime
        else None,
    )


def signatures_at_hand(settings: MailSettings, *, secrets: Mapping[str, str], directory: Path) -> Signatures:
    """What the settings ask for, without what is wrong: no portal goes unwatched because of a signature."""
    found = Signatures()
    asked: tuple[tuple[Literal["dkim", "smime"], str], ...] = (
        ("dkim", settings.dkim.domain if settings.dkim else ""),
        ("smime", settings.sender),
    )
    for by, name in asked:
        alone = settings.model_copy(update={"dkim": None, "smime": None, by: getattr(settings, by)})
        try:
            one = signatures(alone, secrets=secrets, directory=directory)
        except MailKeyError as error:
            wrong = CannotSign(by=by, name=name, setting=".".join(("mail", *map(str, error.loc))), what=error.what)
            found = replace(found, wrong=(*found.wrong, wrong))
        else:
            found = replace(found, dkim=one.dkim or found.dkim, smime=one.smime or found.smime)
    return found


def _secret(secrets: Mapping[str, str], name: str, loc: Loc) -> str:
    try:
        return secrets[name]
    except KeyError:
        raise MailKeyError(loc, f'there is no secret "{name}"', "Add it to [secrets].") from None


def require_now(signatures: Signatures, now_us: int) -> None:
    """Refuse what cannot sign at this instant.

    Raises:
        MailKeyError: the certificate has run out, or is not valid yet.
    """
    if signatures.smime is None or signatures.smime.valid_at(now_us):
        return
    certificate = signatures.smime.certificate
    end = certificate.not_valid_after_utc
    late = end < datetime.fromtimestamp(now_us / 1e6, UTC)
    what = f"has expired on {end:%Y-%m-%d}" if late else f"is valid from {certificate.not_valid_before_utc:%Y-%m-%d} on"
    mend = "Ask its issuer for a new one; mails leave unsigned meanwhile."
    raise MailKeyError(("smime", "certificate"), what, mend)


def _dkim(settings: DkimSettings, pem: str) -> DkimSigner:
    loc: Loc = ("dkim", "key")
    key = _private_key(pem, loc)
    if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
        raise MailKeyError(
            loc, "is neither an RSA nor an Ed25519 key", "openssl genpkey -algorithm ed25519 -out dkim.pem makes one."
        )
    if isinstance(key, RSAPrivateKey) and key.key_size < _SHORTEST_RSA:
        mend = "openssl genpkey -algorithm rsa -pkeyopt rsa_keygen_bits:2048 -out dkim.pem makes a good one."
        raise MailKeyError(loc, f"is an RSA key of {key.key_size} bits, which receivers do not accept", mend)
    return DkimSigner(domain=settings.domain, selector=settings.selector, key=key)


def _smime(settings: SmimeSettings, pem: str, directory: Path, sender: str) -> SmimeSigner:
    loc: Loc = ("smime", "certificate")
    key = _private_key(pem, ("smime", "key"))
    if not isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey):
        raise MailKeyError(
            ("smime", "key"), "is neither an RSA nor an EC key", "Take the key that the certificate is for."
        )
    path = directory / settings.certificate
    try:
        certificate, *chain = x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        mend = "Paths begin at the folder of the main configuration file."
        raise MailKeyError(loc, f'"{settings.certificate}" cannot be read: {error.strerror}', mend) from None
    except ValueError:
        mend = "Write the sender's certificate there as PEM, then those between it and its authority."
        raise MailKeyError(loc, f'"{settings.certificate}" holds no certificates', mend) from None
    if _public(key) != _public(certificate):
        mend = (
            "Take the certificate and the key that belong together; the sender's certificate comes first in the file."
        )
        raise MailKeyError(loc, f'"{settings.certificate}" is for another key than "{settings.key}"', mend)
    named = _addresses(certificate)
    if sender.lower() not in named:
        told = ", ".join(sorted(named)) or "nobody"
        mend = "Mail programs would warn of the signature: change mail.sender, or take a certificate for it."
        raise MailKeyError(loc, f"is for {told} and not for the sender, {sender}", mend)
    if not _for_mail(certificate):
        raise MailKeyError(loc, "may not sign mails (its key usage says so)", "Take a certificate for S/MIME.")
    return SmimeSigner(certificate=certificate, key=key, chain=tuple(chain), sender=sender)


def _private_key(pem: str, loc: Loc) -> object:
    try:
        return load_pem_private_key(pem.encode(), password=None)
    except TypeError:
        raise MailKeyError(
            loc, "is protected by a password", "openssl pkey -in old.pem -out key.pem takes it off."
        ) from None
    except Exception:
        # Whatever the library says of it might quote it.
        mend = 'The secret must be a private key as PEM, from "-----BEGIN PRIVATE KEY-----" on.'
        raise MailKeyError(loc, "is no private key", mend) from None


def _public(key: RSAPrivateKey | EllipticCurvePrivateKey | x509.Certificate) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _addresses(certificate: x509.Certificate) -> set[str]:
    """The mail addresses a certificate is for, in lower case."""
    found = {str(one.value) for one in certificate.subject.get_attributes_for_oid(NameOID.EMAIL_ADDRESS)}
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        found |= set(names.get_values_for_type(x509.RFC822Name))
    except x509.ExtensionNotFound:
        pass
    return {address.lower() for address in found}


def _for_mail(certificate: x509.Certificate) -> bool:
    try:
        purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        if not {ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE} & set(purposes):
            return False
    except x509.ExtensionNotFound:
        pass
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        return usage.digital_signature or usage.content_commitment
    except x509.ExtensionNotFound:
        return True
