"""The practice portal's own certificate authority, made at first start and kept in the state directory."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from probes.practice.calendar import instant

_DAY_US = 86_400_000_000
_CA_DAYS = 3650
_LEAF_DAYS = 397
_RENEW_BEFORE_DAYS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """TLS server contexts of the portal, each ready for use, and the file whose certificate clients must trust.

    `mail` shows the same certificate as `good`, but is a context of its own: faults of the portal's TLS are not mail's.
    """

    ca_file: Path
    good: ssl.SSLContext
    expired: ssl.SSLContext
    wrong_host: ssl.SSLContext
    mail: ssl.SSLContext


def certificates(state_dir: Path, *, now_us: int) -> Certificates:
    """The certificates in this directory; made where they are missing, unreadable, or near the end of their validity.

    The authority's certificate stays the same as long as it lives, so that clients need to trust it only once.
    Keys are readable by their owner only.
    """
    state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    ca_file, ca_key_file = state_dir / "ca.pem", state_dir / "ca-key.pem"
    ca = _load(ca_file, ca_key_file, now_us=now_us)
    if ca is None:
        ca = _make_ca(now_us)
        _save(ca_file, ca_key_file, *ca)
    leaves = {
        "leaf": (("127.0.0.1", "::1", "localhost"), now_us, _LEAF_DAYS),
        "expired": (("127.0.0.1", "::1", "localhost"), now_us - 30 * _DAY_US, 29),
        "wrong-host": (("ander-loket.example",), now_us, _LEAF_DAYS),
    }
    contexts = {}
    for name, (hosts, from_us, days) in leaves.items():
        # Made anew at every start: they cost nothing, and so they always fit the authority and today.
        certificate, key = _make_leaf(*ca, hosts=hosts, from_us=from_us, days=days)
        _save(state_dir / f"{name}.pem", state_dir / f"{name}-key.pem", certificate, key)
        contexts[name] = _context(state_dir / f"{name}.pem", state_dir / f"{name}-key.pem")
    return Certificates(
        ca_file=ca_file,
        good=contexts["leaf"],
        expired=contexts["expired"],
        wrong_host=contexts["wrong-host"],
        mail=_context(state_dir / "leaf.pem", state_dir / "leaf-key.pem"),
    )


def _context(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    # A resumed session shows no certificate, which would hide the one that is wrong on purpose.
    context.num_tickets = 0
    context.options |= ssl.OP_NO_TICKET
    return context


_Pair = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def _load(certificate_file: Path, key_file: Path, *, now_us: int) -> _Pair | None:
    try:
        certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
    except (OSError, ValueError):
        return None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        return None
    soon = instant(now_us + _RENEW_BEFORE_DAYS * _DAY_US)
    return (certificate, key) if certificate.not_valid_before_utc <= soon < certificate.not_valid_after_utc else None


def _save(
    certificate_file: Path, key_file: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
) -> None:
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    key_file.touch(mode=0o600)
    key_file.chmod(0o600)
    key_file.write_bytes(secret)
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        (
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Oefenportaal (alleen voor deze machine)"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        )
    )


def _builder(subject: x509.Name, issuer: x509.Name, *, from_us: int, days: int) -> x509.CertificateBuilder:
    begin = instant(from_us - 3_600_000_000).replace(microsecond=0)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=days))
    )


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _make_ca(now_us: int) -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("Oefenportaal CA")
    builder = _builder(name, name, from_us=now_us, days=_CA_DAYS).public_key(key.public_key())
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_key_usage(authority=True), critical=True)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return builder.add_extension(identifier, critical=False).sign(key, hashes.SHA256()), key


def _make_leaf(
    ca: x509.Certificate, ca_key: ec.EllipticCurvePrivateKey, *, hosts: Sequence[str], from_us: int, days: int
) -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(_name(hosts[-1]), ca.subject, from_us=from_us, days=days).public_key(key.public_key())
    extensions: tuple[tuple[x509.ExtensionType, bool], ...] = (
        (x509.SubjectAlternativeName([_general_name(h) for h in hosts]), False),
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_key_usage(authority=False), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), False),
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(ca_key, hashes.SHA256()), key


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
