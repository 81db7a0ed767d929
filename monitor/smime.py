"""S/MIME (RFC 8551): the content of a mail signed by its sender's certificate, which mail programs check and show.

The signature is detached (`multipart/signed`): a program that knows no S/MIME shows the mail as ever, with one more
attachment. The header outside is not covered; DKIM is for that.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7Options, PKCS7SignatureBuilder

from monitor.mail_fields import name_of, split

SmimeKey = RSAPrivateKey | EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True, kw_only=True)
class SmimeSigner:
    """The sender's certificate with its key, and the certificates between it and its authority.

    Attributes:
        sender: the address it signs for.
    """

    certificate: x509.Certificate
    key: SmimeKey
    chain: tuple[x509.Certificate, ...] = ()
    sender: str = ""

    @property
    def since_us(self) -> int:
        """The first instant at which the certificate is valid."""
        return int(self.certificate.not_valid_before_utc.timestamp()) * 1_000_000

    @property
    def until_us(self) -> int:
        """The last instant at which the certificate is valid."""
        return int(self.certificate.not_valid_after_utc.timestamp()) * 1_000_000

    def valid_at(self, now_us: int) -> bool:
        return self.since_us <= now_us <= self.until_us

    def signed(self, content: bytes) -> bytes:
        """The mail with its content signed.

        Args:
            content: as it is sent: CR LF, ASCII, so that no server on the way has to write it anew.
        """
        fields, body = split(content)
        inner = b"".join(field for field in fields if name_of(field).startswith("content-")) + b"\r\n" + body
        outer = b"".join(field for field in fields if not name_of(field).startswith("content-"))
        builder = PKCS7SignatureBuilder().set_data(inner).add_signer(self.certificate, self.key, hashes.SHA256())
        for certificate in self.chain:
            builder = builder.add_certificate(certificate)
        signature = builder.sign(Encoding.DER, [PKCS7Options.DetachedSignature, PKCS7Options.Binary])
        # The boundary is made of the content's digest, so that the content cannot hold it.
        boundary = b"=_" + hashlib.sha256(inner).hexdigest()[:32].encode()
        return b"".join(
            (
                outer,
                b'Content-Type: multipart/signed; protocol="application/pkcs7-signature";\r\n',
                b' micalg=sha-256; boundary="' + boundary + b'"\r\n\r\n',
                b"This mail is signed (S/MIME).\r\n",
                b"--" + boundary + b"\r\n" + inner + b"\r\n--" + boundary + b"\r\n",
                b'Content-Type: application/pkcs7-signature; name="smime.p7s"\r\n',
                b"Content-Transfer-Encoding: base64\r\n",
                b'Content-Disposition: attachment; filename="smime.p7s"\r\n\r\n',
                base64.encodebytes(signature).replace(b"\n", b"\r\n"),
                b"--" + boundary + b"--\r\n",
            )
        )
