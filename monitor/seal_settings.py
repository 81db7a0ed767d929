"""Settings of what makes documents and ledger provable to others: timestamps and signatures. None by default."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from probes.checks import Definition, Duration

_SECOND_US = 1_000_000


class TimestampSettings(Definition):
    """A timestamp authority (RFC 3161) that stamps the ledger's head after each daily seal, and signatures.

    Attributes:
        url: where it is asked; the only thing that is sent there is a digest.
        ca: PEM file of the certificates its tokens must lead to; relative to the config file.
        timeout: of one request, everything together.
    """

    url: str = Field(pattern=r"^https?://[^\s/]+\S*$")
    ca: str
    timeout: Duration = 10 * _SECOND_US


class TokenSettings(Definition):
    """A key that never leaves its device.

    Attributes:
        module: path of the device's PKCS#11 library.
        token: label of the token; certificate: label of the certificate, and of its key.
    """

    module: str
    token: str
    certificate: str


class SignatureSettings(Definition):
    """How PDFs are signed (PAdES): by a key file or by a device; exactly one.

    Attributes:
        key_file: PKCS#12, relative to the config file.
        pkcs11: the device.
        secret: name of the secret that opens the key file or the device.
        reason, location: shown by whoever reads the signature.
    """

    key_file: str | None = None
    pkcs11: TokenSettings | None = None
    secret: str | None = None
    reason: str = "Vaststelling van de inhoud"
    location: str = ""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.key_file is None) == (self.pkcs11 is None):
            raise ValueError("needs exactly one of key_file and pkcs11")
        return self
