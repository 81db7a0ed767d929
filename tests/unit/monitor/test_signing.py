"""Signed PDFs: PAdES by a key file or a device, stamped where an authority is configured, and broken by one byte."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pyhanko.keys import load_cert_from_pemder
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import PdfSignatureStatus
from pyhanko_certvalidator import ValidationContext
from pypdf import PdfWriter

from monitor.seal_settings import SignatureSettings, TimestampSettings, TokenSettings
from monitor.signing import Signing, SigningError, sign
from tests import signing_key
from tests.timestamp_authority import Authority, authority

HSM = Path("/usr/lib/softhsm/libsofthsm2.so")


def _page() -> bytes:
    """A PDF of one empty page."""
    writer, body = PdfWriter(), io.BytesIO()
    writer.add_blank_page(width=595, height=842)
    writer.write(body)
    return body.getvalue()


PAGE = _page()


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    with authority(tmp_path_factory.mktemp("tsa")) as found:
        yield found


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    signing_key.make(folder)
    return folder


@pytest.fixture
def signing(keys: Path) -> Signing:
    return Signing(settings=SignatureSettings(key_file="key.p12"), directory=keys, secret=signing_key.SECRET)


def status(body: bytes, keys: Path, tsa: Authority | None = None) -> PdfSignatureStatus:
    def trust(path: Path) -> ValidationContext:
        return ValidationContext(trust_roots=[load_cert_from_pemder(str(path))])

    [found] = PdfFileReader(io.BytesIO(body)).embedded_signatures
    return validate_pdf_signature(found, trust(keys / "cert.pem"), trust(tsa.ca) if tsa else None)


def test_a_signed_pdf_begins_with_the_unsigned_bytes_and_holds(signing: Signing, keys: Path) -> None:
    signed = sign(PAGE, signing)
    assert signed.startswith(PAGE)
    assert status(signed, keys).bottom_line


def test_one_flipped_byte_breaks_it(signing: Signing, keys: Path) -> None:
    signed = bytearray(sign(PAGE, signing))
    signed[PAGE.index(b"595")] ^= 1
    assert not status(bytes(signed), keys).intact


def test_the_signature_is_stamped_where_an_authority_is_configured(
    signing: Signing, keys: Path, tsa: Authority
) -> None:
    stamping = TimestampSettings.model_validate({"url": tsa.url, "ca": str(tsa.ca), "timeout": "60s"})
    found = status(sign(PAGE, replace(signing, timestamp=stamping)), keys, tsa)
    assert found.timestamp_validity is not None
    assert found.timestamp_validity.valid
    assert found.timestamp_validity.trusted


def test_without_an_answer_of_the_authority_nothing_is_signed(signing: Signing, tsa: Authority) -> None:
    tsa.down = True
    try:
        with pytest.raises(SigningError, match="no timestamp for the signature"):
            sign(PAGE, replace(signing, timestamp=TimestampSettings(url=tsa.url, ca=str(tsa.ca))))
    finally:
        tsa.down = False


def test_a_wrong_secret_is_told_without_it(signing: Signing) -> None:
    with pytest.raises(SigningError, match="cannot be opened") as told:
        sign(PAGE, replace(signing, secret="verkeerd"))
    assert "verkeerd" not in str(told.value) + repr(signing)


@pytest.mark.skipif(not HSM.exists(), reason="Debian's softhsm2 is not installed")
def test_a_device_signs_and_keeps_its_key(keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tokens").mkdir()
    (tmp_path / "hsm.conf").write_text(f"directories.tokendir = {tmp_path / 'tokens'}\nobjectstore.backend = file\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "hsm.conf"))
    key = "openssl pkcs8 -topk8 -nocrypt -in key.pem -out key8.pem"
    token = "softhsm2-util --init-token --free --label zegel --pin 1234 --so-pin 4321"
    taken = "softhsm2-util --import key8.pem --token zegel --label loket --id 01 --pin 1234"
    for words in (key, token, taken):
        subprocess.run(words.split(), cwd=keys, check=True, capture_output=True)
    _store_certificate(keys / "cert.pem")
    settings = SignatureSettings(pkcs11=TokenSettings(module=str(HSM), token="zegel", certificate="loket"))
    signed = sign(PAGE, Signing(settings=settings, directory=tmp_path, secret="1234"))
    assert status(signed, keys).bottom_line
    with pytest.raises(SigningError, match="the token zegel cannot be opened"):
        sign(PAGE, Signing(settings=settings, directory=tmp_path, secret="9999"))


def _store_certificate(path: Path) -> None:
    import pkcs11
    from pkcs11.util.x509 import decode_x509_certificate

    facts = decode_x509_certificate(load_cert_from_pemder(str(path)).dump())
    facts |= {pkcs11.Attribute.TOKEN: True, pkcs11.Attribute.LABEL: "loket", pkcs11.Attribute.ID: b"\x01"}
    with pkcs11.lib(str(HSM)).get_token(token_label="zegel").open(rw=True, user_pin="1234") as session:
        session.create_object(facts)
