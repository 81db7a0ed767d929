"""Certificates for tests: a little authority, and what servers get from it, good and bad."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key


@dataclass(frozen=True, slots=True)
class Authority:
    """An authority and the file that makes us trust it."""

    ca: trustme.CA
    file: str

    def server(self, *names: str, until: datetime | None = None, since: datetime | None = None) -> ssl.SSLContext:
        """What a server with a certificate for these names uses."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(*names, not_after=until, not_before=since).configure_cert(context)
        return context

    def with_an_intermediate_until(self, until: datetime, directory: Path, *names: str) -> ssl.SSLContext:
        """A server whose certificate outlives the intermediate one that signed it."""
        between = self.ca.create_child_ca()
        leaf = between.issue_cert(*names)
        issuer = load_pem_private_key(self.ca.private_key_pem.bytes(), None)
        plain = x509.load_pem_x509_certificate(between.cert_pem.bytes())
        builder = (
            x509.CertificateBuilder(subject_name=plain.subject, issuer_name=plain.issuer, public_key=plain.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(LONG_AGO)
            .not_valid_after(until)
        )
        for extension in plain.extensions:
            builder = builder.add_extension(extension.value, critical=extension.critical)
        short = builder.sign(issuer, hashes.SHA256())
        chain = directory / "short-intermediate.pem"
        leaf.private_key_pem.write_to_path(str(chain))
        with chain.open("ab") as file:
            file.write(leaf.cert_chain_pems[0].bytes() + short.public_bytes(Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        return context

    def with_an_old_root_beside_it(self, directory: Path, *names: str) -> ssl.SSLContext:
        """A server that sends two ways up: to us, and to an older root whose signature on our key has expired."""
        intermediate = self.ca.create_child_ca()
        leaf = intermediate.issue_cert(*names)
        ours = x509.load_pem_x509_certificate(self.ca.cert_pem.bytes())
        old = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Oude wortel")])
        crossed = (
            x509.CertificateBuilder(subject_name=ours.subject, issuer_name=old, public_key=ours.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(LONG_AGO)
            .not_valid_after(PAST)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
        )
        chain = directory / "two-ways.pem"
        leaf.private_key_and_cert_chain_pem.write_to_path(str(chain))
        with chain.open("ab") as file:
            file.write(crossed.public_bytes(Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        return context


def authority(directory: Path, name: str = "ca.pem") -> Authority:
    ca = trustme.CA()
    path = directory / name
    ca.cert_pem.write_to_path(str(path))
    return Authority(ca, str(path))


LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)
PAST = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
