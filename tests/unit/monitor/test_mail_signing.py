"""Keys and certificates of mails: what is refused, with which words, and what never stops a mail."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from monitor import config
from monitor.cli import main
from monitor.composition import mail_signatures
from monitor.dkim import DkimSigner
from monitor.mail_message import wire
from monitor.mail_signing import Signatures
from monitor.smime import SmimeSigner
from monitor.toml_file import ConfigError
from monitor.unsigned import usable
from tests.mail_config import AROUND_MAIL
from tests.mail_signatures import certificate_pem, ed25519_key, pem
from tests.smtp_server import MAIL

NOW = datetime(2026, 11, 23, tzinfo=UTC)
NOW_US = int(NOW.timestamp()) * 1_000_000
SENDER = "loketwacht@example.be"
BASE = f"""
{AROUND_MAIL}
[secrets]
sleutel = {{ file = "sleutel.pem" }}
[mail]
host = "127.0.0.1"
sender = "{SENDER}"
"""
DKIM = """
[mail.dkim]
domain = "example.be"
selector = "loket"
key = "sleutel"
"""
SMIME = """
[mail.smime]
certificate = "cert.pem"
key = "sleutel"
"""


def a_certificate(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
    *,
    address: str = SENDER,
    until: datetime = NOW + timedelta(days=30),
    purpose: x509.ObjectIdentifier = ExtendedKeyUsageOID.EMAIL_PROTECTION,
    in_subject: bool = False,
) -> x509.Certificate:
    name = [x509.NameAttribute(NameOID.COMMON_NAME, "Loketwacht")]
    if in_subject:
        name.append(x509.NameAttribute(NameOID.EMAIL_ADDRESS, address))
    builder = x509.CertificateBuilder(
        subject_name=x509.Name(name), issuer_name=x509.Name(name), public_key=key.public_key()
    )
    builder = builder.serial_number(7).not_valid_before(NOW - timedelta(days=300)).not_valid_after(until)
    builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    if not in_subject:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.RFC822Name(address)]), critical=False)
    return builder.sign(key, hashes.SHA256())


def a_folder(folder: Path, more: str, secret: str, *certificates: x509.Certificate) -> Path:
    (folder / "sleutel.pem").write_text(secret)
    if certificates:
        (folder / "cert.pem").write_bytes(certificate_pem(*certificates))
    (folder / "config.toml").write_text(BASE + more)
    return folder / "config.toml"


def told(path: Path, *, now_us: int | None = NOW_US) -> str:
    """The one problem, without the line it is in."""
    with pytest.raises(ConfigError) as refused:
        config.require_mail_keys(config.load(path), path, now_us=now_us)
    [problem] = refused.value.problems
    assert problem.line > 1
    assert problem.mend
    assert "PRIVATE KEY-----\n" not in str(refused.value)
    return f"{problem.key}: {problem.what}"


EC = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())


def locked(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"geheim")).decode()


def rsa_of(bits: int) -> str:
    return pem(rsa.generate_private_key(public_exponent=65537, key_size=bits))


@pytest.mark.parametrize(
    ("secret", "because"),
    [
        pytest.param("wachtwoord", "mail.dkim.key: is no private key", id="no key"),
        pytest.param(
            "-----BEGIN PRIVATE KEY-----\nrommel\n-----END PRIVATE KEY-----\n",
            "mail.dkim.key: is no private key",
            id="broken",
        ),
        pytest.param(locked(EC), "mail.dkim.key: is protected by a password", id="locked"),
        pytest.param(pem(EC), "mail.dkim.key: is neither an RSA nor an Ed25519 key", id="another kind"),
        pytest.param(
            "-----BEGIN RSA PRIVATE KEY-----\n"
            "MIIBOgIBAAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf9Cnzj4p4WGeKLs1Pt8Qu\n"
            "KUpRKfFLfRYC9AIKjbJTWit+CqvjWYzvQwECAwEAAQJAIJLixBy2qpFoS4DSmoEm\n"
            "o3qGy0t6z09AIJtH+5OeRV1be+N4cDYJKffGzDa88vQENZiRm0GRq6a+HPGQMd2k\n"
            "TQIhAKMSvzIBnni7ot/OSie2TmJLY4SwTQAevXysE2RbFDYdAiEBCUEaRQnMnbp7\n"
            "9mxDXDf6AU0cN/RPBjb9qSHDcWZHGzUCIG2Es59z8ugGrDY+pxLQnwfotadxd+Uy\n"
            "v/Ow5T0q5gIJAiEAyS4RaI9YG8EWx/2w0T67ZUVAw8eOMB6BIUg0Xcu+3okCIBOs\n"
            "/5OiPgoTdSy7bcF9IGpSE8ZgGKzgYQVZeN97YE00\n"
            "-----END RSA PRIVATE KEY-----\n",
            "mail.dkim.key: is an RSA key of 512 bits, which receivers do not accept",
            id="too short",
        ),
    ],
)
def test_a_key_that_cannot_sign_for_the_domain_is_told_with_its_place(tmp_path, secret, because):
    assert told(a_folder(tmp_path, DKIM, secret)) == because


@pytest.mark.parametrize("key", [ed25519_key(), rsa.generate_private_key(public_exponent=65537, key_size=1024)])
def test_a_key_of_many_lines_is_read_whole_from_a_file(tmp_path, key):
    path = a_folder(tmp_path, DKIM, pem(key))
    found = config.require_mail_keys(config.load(path), path, now_us=NOW_US)
    assert found.dkim is not None
    assert pem(found.dkim.key) == pem(key)


def test_of_any_other_secret_the_first_line_counts(tmp_path):
    assert config.load(a_folder(tmp_path, "", "wachtwoord\nnog iets\n")).secrets == {"sleutel": "wachtwoord"}


@pytest.mark.parametrize(
    ("certificate", "because"),
    [
        pytest.param(
            None, 'mail.smime.certificate: "cert.pem" cannot be read: No such file or directory', id="no file"
        ),
        pytest.param(
            a_certificate(OTHER), 'mail.smime.certificate: "cert.pem" is for another key than "sleutel"', id="other key"
        ),
        pytest.param(
            a_certificate(EC, address="ander@example.be"),
            "mail.smime.certificate: is for ander@example.be and not for the sender, loketwacht@example.be",
            id="other address",
        ),
        pytest.param(
            a_certificate(EC, purpose=ExtendedKeyUsageOID.SERVER_AUTH),
            "mail.smime.certificate: may not sign mails (its key usage says so)",
            id="not for mail",
        ),
        pytest.param(
            a_certificate(EC, until=NOW - timedelta(days=1)),
            "mail.smime.certificate: has expired on 2026-11-22",
            id="expired",
        ),
    ],
)
def test_a_certificate_that_cannot_sign_for_the_sender_is_told_with_its_place(tmp_path, certificate, because):
    assert told(a_folder(tmp_path, SMIME, pem(EC), *([certificate] if certificate else []))) == because


def test_a_file_without_certificates_is_told(tmp_path):
    path = a_folder(tmp_path, SMIME, pem(EC))
    (tmp_path / "cert.pem").write_text("niets")
    assert told(path) == 'mail.smime.certificate: "cert.pem" holds no certificates'


def test_a_key_that_no_certificate_can_be_for_is_told(tmp_path):
    path = a_folder(tmp_path, SMIME, pem(ed25519_key()), a_certificate(EC))
    assert told(path) == "mail.smime.key: is neither an RSA nor an EC key"


def test_a_certificate_may_name_the_sender_in_its_subject_and_in_other_letters(tmp_path):
    path = a_folder(tmp_path, SMIME, pem(EC), a_certificate(EC, address="Loketwacht@Example.be", in_subject=True))
    found = config.require_mail_keys(config.load(path), path, now_us=NOW_US)
    assert found.smime is not None
    assert found.smime.certificate.serial_number == 7


def test_a_certificate_that_ran_out_does_not_keep_the_service_from_starting(tmp_path):
    """A signature is not worth a portal that nobody watches."""
    path = a_folder(tmp_path, SMIME, pem(EC), a_certificate(EC, until=NOW - timedelta(days=1)))
    assert config.require_mail_keys(config.load(path), path).smime is not None


def test_a_mail_leaves_unsigned_where_its_certificate_ran_out_and_the_log_says_so(caplog):
    smime = SmimeSigner(certificate=a_certificate(EC), key=EC)
    for days, signed in ((0, True), (31, False)):
        written = Signatures(smime=smime).writer(lambda days=days: NOW_US + days * 86_400_000_000)
        with caplog.at_level(logging.ERROR):
            assert (b"multipart/signed" in written(MAIL)) == signed
    assert [record.message for record in caplog.records] == ["a mail leaves unsigned: its certificate is not valid now"]


@pytest.mark.parametrize("command", [("alert", "test"), ("config", "check")], ids=" ".join)
def test_a_wrong_key_ends_a_command_before_it_begins(tmp_path, capsys, command):
    path = a_folder(tmp_path, DKIM, "wachtwoord")
    assert main((*command, "--config", str(path))) == 3
    said = capsys.readouterr().err
    line = path.read_text().splitlines().index('key = "sleutel"') + 1
    assert f"{path}:{line}:1: mail.dkim.key: is no private key" in said
    assert "wachtwoord" not in said


def test_a_certificate_that_ran_out_is_told_when_the_configuration_is_checked(tmp_path, capsys):
    gone = a_certificate(EC, until=NOW - timedelta(days=299))
    path = a_folder(tmp_path, SMIME, pem(EC), gone)
    assert main(("config", "check", "--config", str(path))) == 3
    assert "mail.smime.certificate: has expired on 2026-01-28" in capsys.readouterr().err


def test_a_wrong_key_does_not_keep_the_service_from_starting_and_the_other_signature_is_made(tmp_path, caplog):
    """A signature is not worth a portal that nobody watches."""
    path = a_folder(tmp_path, DKIM + SMIME, pem(EC), a_certificate(EC))
    signs = mail_signatures(config.load(path))
    assert [(one.by, one.name, one.setting) for one in signs.wrong] == [("dkim", "example.be", "mail.dkim.key")]
    with caplog.at_level(logging.ERROR):
        content = signs.writer(lambda: NOW_US)(MAIL)
    assert (b"multipart/signed" in content, b"DKIM-Signature" in content) == (True, False)
    assert [record.message for record in caplog.records] == [
        "a mail leaves without a signature: is neither an RSA nor an Ed25519 key"
    ]
    assert usable(signs, NOW_US) == {"smime": True, "dkim": False}


def test_a_mail_whose_signing_breaks_down_leaves_without_that_signature(caplog):
    """A key of a kind that the signer does not know, past every check: the mail is not lost by it."""
    signs = Signatures(dkim=DkimSigner(domain="example.be", selector="s", key=EC))  # type: ignore[arg-type]
    with caplog.at_level(logging.ERROR):
        content = wire(MAIL)
        assert signs.signed(content, NOW_US) == content
    assert [record.message for record in caplog.records] == ["a mail leaves without a signature: signing broke down"]
