"""PDFs signed by the house (PAdES, B-B; B-T where a timestamp authority is configured).

pyHanko is loaded when the first PDF is signed, not before: it is an extra that the rest works without. The signature
is added behind the unsigned bytes, which stay as they were; so the file keeps PDF/A-3 and PDF/UA.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitor import outbound
from monitor.seal_settings import SignatureSettings, TimestampSettings

FIELD = "Handtekening"
INSTALL = "pip install 'loketwacht[seal]'"


class SigningError(Exception):
    """The PDF cannot be signed; the message says why and how to mend it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """What a signature is made with; plain values, so that another process can do it.

    Attributes:
        secret: opens the key file or the device; None where it needs none. Never shown or logged.
        directory: relative paths begin here.
        timestamp: who stamps the signature; None stamps none.
    """

    settings: SignatureSettings
    directory: Path
    secret: str | None = None
    timestamp: TimestampSettings | None = None

    def __repr__(self) -> str:
        return f"Signing({self.settings!r})"


def sign(body: bytes, signing: Signing) -> bytes:
    """The PDF with a signature that certifies it: any later change breaks it.

    Raises:
        SigningError: pyHanko is not installed, the key does not open, or the timestamp authority gives no answer.
    """
    try:
        signers = importlib.import_module("pyhanko.sign.signers")
        fields = importlib.import_module("pyhanko.sign.fields")
        writer = importlib.import_module("pyhanko.pdf_utils.incremental_writer")
    except ImportError as error:
        raise SigningError(f"signing needs pyHanko; install it with: {INSTALL}") from error
    settings = signing.settings
    metadata = signers.PdfSignatureMetadata(
        field_name=FIELD,
        md_algorithm="sha256",
        subfilter=fields.SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=fields.MDPPerm.NO_CHANGES,
        reason=settings.reason or None,
        location=settings.location or None,
    )
    # PDF/A forbids hidden fields and PDF/UA wants visible ones to be tagged; one outside the page is neither.
    field = fields.SigFieldSpec(
        sig_field_name=FIELD,
        readable_field_name="Elektronische handtekening / Electronic signature",
        invis_sig_settings=fields.InvisSigSettings(box_out_of_bounds=True, set_hidden_flag=False),
    )
    made = io.BytesIO()
    with _signer(signing, signers) as signer:
        try:
            signers.PdfSigner(
                metadata, signer=signer, timestamper=_timestamper(signing.timestamp), new_field_spec=field
            ).sign_pdf(writer.IncrementalPdfFileWriter(io.BytesIO(body)), output=made)
        except outbound.OutboundError as error:
            raise SigningError(f"no timestamp for the signature: {error}") from error
        except Exception as error:
            raise SigningError(f"the PDF cannot be signed: {error or type(error).__name__}") from error
    return made.getvalue()


@contextlib.contextmanager
def _signer(signing: Signing, signers: Any) -> Iterator[Any]:
    settings = signing.settings
    if settings.key_file is not None:
        path = signing.directory / settings.key_file
        passphrase = None if signing.secret is None else signing.secret.encode()
        # pyHanko logs the failure with its traceback and gives None.
        logging.getLogger("pyhanko.sign.signers.pdf_cms").setLevel(logging.CRITICAL)
        signer = signers.SimpleSigner.load_pkcs12(str(path), passphrase=passphrase)
        if signer is None:
            raise SigningError(f"{path} cannot be opened: it is no PKCS#12 file, or the secret is not its own")
        yield signer
        return
    device = settings.pkcs11
    assert device is not None
    try:
        pkcs11 = importlib.import_module("pyhanko.sign.pkcs11")
        wanted = importlib.import_module("pyhanko.config.pkcs11").TokenCriteria(label=device.token)
        session = pkcs11.open_pkcs11_session(device.module, token_criteria=wanted, user_pin=signing.secret)
    except ImportError as error:
        raise SigningError(f"signing by a device needs python-pkcs11; install it with: {INSTALL}") from error
    except Exception as error:
        raise SigningError(f"the token {device.token} cannot be opened: {error or type(error).__name__}") from error
    with session:
        yield pkcs11.PKCS11Signer(session, cert_label=device.certificate, key_label=device.certificate)


def _timestamper(settings: TimestampSettings | None) -> Any:
    """What asks the authority, through our own door to the outside."""
    if settings is None:
        return None
    timestamps = importlib.import_module("pyhanko.sign.timestamps")
    tsp = importlib.import_module("asn1crypto.tsp")

    async def answer(request: Any) -> Any:
        found = await outbound.post(
            settings.url,
            request.dump(),
            headers={"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"},
            timeout_us=settings.timeout,
        )
        if found.status != 200:
            raise outbound.OutboundError(f"{settings.url} answered with status {found.status}")
        return tsp.TimeStampResp.load(found.body)

    return type("Authority", (timestamps.TimeStamper,), {"async_request_tsa_response": lambda _, req: answer(req)})()
