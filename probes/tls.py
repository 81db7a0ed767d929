"""TLS: whom we trust, what a handshake shows, and the certificate check that looks at it."""

from __future__ import annotations

import asyncio
import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from probes.checks import CertificateCheck
from probes.errors import printable, words
from probes.errors import refusal as reason
from probes.fault import Fault
from probes.sample import CertificateFacts, FailureKind

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def trust(ca_file: str | None) -> ssl.SSLContext:
    """The system's certificate authorities, and those of a file. Built once per file content: it costs 36 ms.

    Raises:
        OSError: where the file cannot be read or holds no certificate (`ssl.SSLError`).
    """
    if ca_file is None:
        return _trust(None, 0, 0)
    state = Path(ca_file).stat()
    return _trust(ca_file, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=8)
def _trust(ca_file: str | None, changed_ns: int, size: int) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    return context


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a handshake showed.

    Attributes:
        chain: certificates as sent, DER, the leaf first; empty where none came.
        refusal: why the chain is not to be trusted; None where it is.
    """

    chain: tuple[bytes, ...]
    tls_version: str
    cipher: str
    refusal: str | None = None


def shown(connection: ssl.SSLObject | ssl.SSLSocket, refusal: str | None = None) -> Shown:
    """Reads a finished handshake."""
    cipher = connection.cipher()
    return Shown(
        chain=_chain(connection),
        tls_version=connection.version() or "",
        cipher=cipher[0] if cipher else "",
        refusal=refusal,
    )


def _chain(connection: ssl.SSLObject | ssl.SSLSocket) -> tuple[bytes, ...]:
    # Public since Python 3.13; before that only the object underneath has it.
    ask = getattr(connection, "get_unverified_chain", None)
    if ask is not None:
        return tuple(ask())
    ask = getattr(getattr(connection, "_sslobj", None), "get_unverified_chain", None)
    if ask is not None:
        return tuple(ssl.PEM_cert_to_DER_cert(certificate.public_bytes()) for certificate in ask() or ())
    leaf = connection.getpeercert(binary_form=True)
    return (leaf,) if leaf else ()


@lru_cache(maxsize=256)
def _certificate(der: bytes) -> x509.Certificate:
    return x509.load_der_x509_certificate(der)


def _us(instant: datetime) -> int:
    return (instant - _EPOCH) // _MICROSECOND


def earliest_not_after_us(chain: tuple[bytes, ...]) -> int | None:
    """The earliest end of validity in a chain; None for an empty one or one that cannot be read."""
    try:
        return min((_us(_certificate(der).not_valid_after_utc) for der in chain), default=None)
    except ValueError:
        return None


def facts(host: str, handshake: Shown) -> CertificateFacts:
    """The leaf in words and numbers.

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
        )
    except (IndexError, ValueError) as error:
        raise Fault(FailureKind.TLS, host, expected="a certificate", found=str(error) or "none") from error


async def handshake(check: CertificateCheck, context: ssl.SSLContext) -> Shown:
    """What the server shows; asked a second time without verification where the first handshake refused it (T14).

    Raises:
        Fault: dns, connect or tls, where no handshake came about at all.
    """
    try:
        return await _shake(check, context)
    except ssl.SSLCertVerificationError as refused:
        open_context = ssl.create_default_context()
        open_context.check_hostname = False
        # Only to read the certificate: nothing is sent over this connection, and the refusal stands.
        open_context.verify_mode = ssl.CERT_NONE
        return await _shake(check, open_context, reason(refused))


async def _shake(check: CertificateCheck, context: ssl.SSLContext, refusal: str | None = None) -> Shown:
    where = f"{check.host}:{check.port}"
    try:
        _, writer = await asyncio.open_connection(
            check.host, check.port, ssl=context, server_hostname=check.server_name or check.host
        )
    except ssl.SSLCertVerificationError:
        raise
    except ssl.SSLError as error:
        raise Fault(FailureKind.TLS, where, expected="a TLS connection", found=words(error)) from error
    except socket.gaierror as error:
        raise Fault(FailureKind.DNS, check.host, expected="an address", found=words(error)) from error
    except (ConnectionResetError, BrokenPipeError) as error:
        raise Fault(FailureKind.TLS, where, expected="a TLS connection", found=words(error)) from error
    except OSError as error:
        raise Fault(FailureKind.CONNECT, where, expected="a connection", found=words(error)) from error
    try:
        connection = writer.get_extra_info("ssl_object")
        assert connection is not None
        return shown(connection, refusal)
    finally:
        # Without waiting for the other side's goodbye, which may never come.
        writer.transport.abort()


def verdict(check: CertificateCheck, certificate: CertificateFacts, refusal: str | None, now_us: int) -> Fault | None:
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
