"""TLS: whom we trust, what a handshake shows, and what is wrong with a certificate."""

from __future__ import annotations

import importlib
import os
import ssl
import warnings
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Literal, Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from probes.errors import printable
from probes.fault import Fault
from probes.sample import CertificateFacts, EarliestCertificate, FailureKind
from probes.trail import Trail

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
#: `ENCODING_DER` of the module underneath `ssl`, which does not hand it on.
_DER = 2

#: Whose TLS is spoken: Python's own, or that of the extra `rustls` (docs/performance.md tells what each costs).
TlsLibrary = Literal["openssl", "rustls"]


class Certified(Protocol):
    """A check that looks at a server's certificate; see `CertificateCheck` for what each of these means."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def server_name(self) -> str | None: ...
    @property
    def starttls(self) -> Literal["smtp"] | None: ...
    @property
    def down_before(self) -> int | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who we are to servers that ask for a client certificate.

    Attributes:
        certificate: path of a PEM file, which may hold the key as well.
        key: path of the key; None where it is in the same file.
        password: of the key; None where it has none.
    """

    certificate: str
    key: str | None = None
    password: str | None = field(default=None, repr=False)


def trust(
    ca_file: str | None,
    identity: Identity | None = None,
    *,
    verify: bool = True,
    http: bool = True,
    library: TlsLibrary = "openssl",
    signers: frozenset[bytes] | None = None,
) -> ssl.SSLContext:
    """Whom we trust: the system's certificate authorities, and those of a file; and who we are.

    Built once per content of the files: it costs 36 ms. What shakes hands with it may be many connections at a time.
    rustls sorts out its authorities anew for each of them, which for the system's takes longer than the handshake.

    Args:
        verify: false only to read a certificate that was refused; nothing is ever sent over such a connection.
        http: whether HTTP is what will be spoken; a mail server may refuse who offers it (RFC 7301, 3.2).
        library: whose TLS is spoken; `rustls` needs the extra of that name.
        signers: only those of all authorities that have one of these names (`signers_of`); None for all. No verdict
            on a chain by these signers depends on any other.

    Raises:
        ModuleNotFoundError: where that extra is not installed.
        OSError: where a file cannot be read or holds no certificate (`ssl.SSLError`).
    """
    paths = [path for path in (ca_file, identity and identity.certificate, identity and identity.key) if path]
    states = tuple((state.st_mtime_ns, state.st_size) for state in map(os.stat, paths))
    return _trust(ca_file, identity, verify, http, library, signers, states)


@lru_cache(maxsize=64)
def _trust(
    ca_file: str | None,
    identity: Identity | None,
    verify: bool,  # noqa: FBT001 - part of the cache's key
    http: bool,  # noqa: FBT001
    library: TlsLibrary,
    signers: frozenset[bytes] | None,
    states: tuple[tuple[int, int], ...],
) -> ssl.SSLContext:
    made_by: Any = ssl if library == "openssl" else importlib.import_module("rtls")
    context: ssl.SSLContext
    if verify and signers is not None:
        everybody = _trust(ca_file, identity, verify, http, library, None, states)
        context = made_by.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        for der in everybody.get_ca_certs(binary_form=True):
            if _subject(der) in signers:
                context.load_verify_locations(cadata=der)
    elif verify:
        context = made_by.create_default_context()
        if ca_file is not None:
            context.load_verify_locations(cafile=ca_file)
    else:
        context = made_by.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if identity is not None:
        # Without a password OpenSSL would ask for one on the terminal.
        context.load_cert_chain(identity.certificate, identity.key, identity.password or _no_password)
    if http:
        context.set_alpn_protocols(["http/1.1"])
    return context


@lru_cache(maxsize=256)
def signers_of(chain: tuple[bytes, ...]) -> frozenset[bytes] | None:
    """The names of who signed a chain, as DER: an authority of another name leads nowhere from it (RFC 5280, 6.1).

    None where one of its certificates cannot be read.
    """
    try:
        return frozenset(_certificate(der).issuer.public_bytes() for der in chain)
    except ValueError:
        return None


def _subject(der: bytes) -> bytes | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of old authorities that number their certificates as nobody may any more
        try:
            return x509.load_der_x509_certificate(der).subject.public_bytes()
        except ValueError:
            return None


def bios(context: ssl.SSLContext) -> tuple[ssl.MemoryBIO, ssl.MemoryBIO]:
    """What a context's handshake reads from and writes to, of the library that made it."""
    made_by: Any = ssl if type(context) is ssl.SSLContext else importlib.import_module("rtls")
    return made_by.MemoryBIO(), made_by.MemoryBIO()


def _no_password() -> str:
    raise ssl.SSLError("the client's key wants a password")


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """What a handshake showed.

    Attributes:
        chain: certificates that led to somebody we trust, or those that were sent where nothing did, DER, the leaf
            first; empty where none came. What else a server sends along, such as an old root that crossed signatures
            and has expired since, says nothing about how long a visitor gets through.
        refusal: why the chain is not to be trusted; None where it is.
    """

    chain: tuple[bytes, ...]
    tls_version: str
    cipher: str
    refusal: str | None = None


def read_handshake(connection: ssl.SSLObject | ssl.SSLSocket, refusal: str | None = None) -> Handshake:
    """Reads a finished handshake."""
    cipher = connection.cipher()
    return Handshake(
        chain=_chain(connection),
        tls_version=connection.version() or "",
        cipher=cipher[0] if cipher else "",
        refusal=refusal,
    )


def note_handshake(handshake: Handshake | None, trail: Trail) -> None:
    """Puts into a trail what the connection's handshake showed; None without TLS."""
    if handshake is not None:
        trail.tls_version, trail.tls_cipher = handshake.tls_version, handshake.cipher
        trail.chain = handshake.chain
        trail.certificate_not_after_us = earliest_not_after_us(handshake.chain)


def _chain(connection: ssl.SSLObject | ssl.SSLSocket) -> tuple[bytes, ...]:
    if connection.context.verify_mode is not ssl.CERT_NONE and (
        verified := _certificates(connection, "get_verified_chain")
    ):
        return verified
    if sent := _certificates(connection, "get_unverified_chain"):
        return sent
    leaf = connection.getpeercert(binary_form=True)
    return (leaf,) if leaf else ()


def _certificates(connection: ssl.SSLObject | ssl.SSLSocket, method: str) -> tuple[bytes, ...]:
    # Public since Python 3.13; before that only the object underneath has it.
    ask = getattr(connection, method, None)
    if ask is not None:
        return tuple(one if isinstance(one, bytes) else one.public_bytes() for one in ask() or ())
    ask = getattr(getattr(connection, "_sslobj", None), method, None)
    return tuple(certificate.public_bytes(_DER) for certificate in (ask and ask()) or ())


@lru_cache(maxsize=256)
def _certificate(der: bytes) -> x509.Certificate:
    return x509.load_der_x509_certificate(der)


def _us(instant: datetime) -> int:
    return (instant - _EPOCH) // _MICROSECOND


@lru_cache(maxsize=256)
def earliest_not_after_us(chain: tuple[bytes, ...]) -> int | None:
    """The earliest end of validity in a chain; None for an empty one or one that cannot be read. See `Handshake`."""
    try:
        return min((_us(_certificate(der).not_valid_after_utc) for der in chain), default=None)
    except ValueError:
        return None


def _earliest(chain: tuple[bytes, ...]) -> EarliestCertificate | None:
    """The certificate of a chain that ends first; None where that is the leaf, or the chain cannot be read."""
    try:
        first = min(map(_certificate, chain), key=lambda one: one.not_valid_after_utc)
    except ValueError:
        return None
    if first.not_valid_after_utc == _certificate(chain[0]).not_valid_after_utc:
        return None
    return EarliestCertificate(
        role="root" if first.subject == first.issuer else "intermediate",
        subject=printable(first.subject.rfc4514_string()),
        issuer=printable(first.issuer.rfc4514_string()),
        fingerprint_sha256=first.fingerprint(hashes.SHA256()).hex(),
    )


def facts(host: str, handshake: Handshake) -> CertificateFacts:
    """The leaf in words and numbers, and what of its chain ends before it.

    Raises:
        Fault: of kind tls, where no certificate came or it cannot be read.
    """
    try:
        leaf = _certificate(handshake.chain[0])
        earliest = earliest_not_after_us(handshake.chain)
        try:
            extension = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            names = tuple(printable(str(name.value)) for name in extension)
        except x509.ExtensionNotFound:
            names = ()
        not_after = _us(leaf.not_valid_after_utc)
        return CertificateFacts(
            host=host,
            not_before_us=_us(leaf.not_valid_before_utc),
            not_after_us=not_after,
            earliest_not_after_us=not_after if earliest is None else earliest,
            fingerprint_sha256=leaf.fingerprint(hashes.SHA256()).hex(),
            subject=printable(leaf.subject.rfc4514_string()),
            issuer=printable(leaf.issuer.rfc4514_string()),
            serial=f"{leaf.serial_number:x}",
            names=names,
            tls_version=handshake.tls_version,
            cipher=handshake.cipher,
            earliest=_earliest(handshake.chain),
        )
    except (IndexError, ValueError) as error:
        raise Fault(FailureKind.TLS, host, expected="a certificate", found=str(error) or "none") from error


def verdict(check: Certified, certificate: CertificateFacts, refusal: str | None, now_us: int) -> Fault | None:
    """What is wrong with a certificate; None where all is well."""
    left_us = certificate.not_after_us - now_us
    if left_us <= 0:
        return Fault(
            FailureKind.CERTIFICATE,
            check.host,
            expected="a valid certificate",
            found=f"expired on {day(certificate.not_after_us)}",
        )
    if now_us < certificate.not_before_us:
        found = f"valid only from {day(certificate.not_before_us)}"
        return Fault(FailureKind.CERTIFICATE, check.host, expected="a valid certificate", found=found)
    if refusal is not None:
        another = refusal in ("for another name", "for another address")
        found = f"{refusal}: {', '.join(certificate.names) or certificate.subject}" if another else refusal
        return Fault(
            FailureKind.CERTIFICATE, check.server_name or check.host, expected="a valid certificate", found=found
        )
    if check.down_before is not None and left_us < check.down_before:
        return Fault(
            FailureKind.CERTIFICATE,
            check.host,
            expected=f"at least {check.down_before // 86_400_000_000} days of validity",
            found=f"valid until {day(certificate.not_after_us)}",
        )
    return None


def day(instant_us: int) -> str:
    """`2026-11-23`, UTC."""
    return (_EPOCH + timedelta(microseconds=instant_us)).date().isoformat()
