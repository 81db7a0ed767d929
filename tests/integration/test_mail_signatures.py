"""Signed mails, after a real server took them, judged by programs that are not ours: dkimpy and OpenSSL."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric import rsa

from monitor.clock import LIVE
from monitor.dkim import DkimKey, DkimSigner
from monitor.mail_message import File
from monitor.mail_settings import MailSettings
from monitor.mail_signing import Signatures
from monitor.smtp import smtp_sender
from tests.mail_signatures import by_certificate, dkim_record, dkim_right, ed25519_key, openssl_verify
from tests.smtp_server import MAIL, Mailroom, serving

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
KEYS = [pytest.param(RSA, id="rsa"), pytest.param(ed25519_key(), id="ed25519")]
WITH_A_FILE = replace(
    MAIL, files=(File(file_name="R-2026-10.csv", media_type="text/csv", content="dag;één\n".encode()),)
)


def arrived(signs: Signatures, mail=WITH_A_FILE) -> bytes:
    """The mail as a server got it, byte for byte."""
    room = Mailroom()

    async def scene() -> None:
        async with serving(room, trustme.CA(), tls="none") as port:
            server = MailSettings(host="127.0.0.1", port=port, security="none", sender="loketwacht@example.be")
            send = smtp_sender(server, password=None, directory=Path(), written=signs.writer(LIVE.now_us))
            receipt = await send(mail)
            assert {answer.code for answer in receipt.answers} == {250}

    asyncio.run(scene())
    return room.raw[0]


def by_domain(key: DkimKey) -> Signatures:
    return Signatures(dkim=DkimSigner(domain="example.be", selector="loket2027", key=key))


@pytest.mark.dkimpy
@pytest.mark.parametrize("key", KEYS)
def test_another_program_takes_the_domain_s_signature(key):
    assert dkim_right(arrived(by_domain(key)), dkim_record(key)) == (True, ["loket2027._domainkey.example.be."])


@pytest.mark.dkimpy
@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    ("of", "made"),
    [
        (b"HERSTELD", b"STORING"),
        (b"<p>Het werkt weer", b"<p>Het werkt niet"),
        (b"\r\nSubject:", b"\r\nFrom: Iemand <anders@example.com>\r\nSubject:"),
        (b"\r\nSubject:", b"\r\nReply-To: anders@example.com\r\nSubject:"),
    ],
    ids=["subject", "text", "second sender", "reply-to"],
)
def test_a_mail_that_was_changed_on_its_way_is_found_out(key, of, made):
    mail = arrived(by_domain(key))
    assert of in mail
    assert not dkim_right(mail.replace(of, made), dkim_record(key))[0]


@pytest.mark.dkimpy
def test_another_key_is_found_out():
    assert not dkim_right(arrived(by_domain(RSA)), dkim_record(ed25519_key()))[0]


@pytest.mark.dkimpy
def test_a_server_that_folds_header_lines_and_drops_blanks_leaves_the_signature_right():
    mail = b"Received: from [127.0.0.1]\r\n\tby mail.example.be\r\n" + arrived(by_domain(RSA))
    mail = mail.replace(b"Subject: [Voorbeeldloket] ", b"Subject:   [Voorbeeldloket]\r\n ") + b"\r\n\r\n"
    assert dkim_right(mail, dkim_record(RSA))[0]


# -- by the sender -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["rsa", "ec"])
def by_sender(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Signatures, Path]:
    """Signed by a certificate of an authority below another, and the file of the one above."""
    return by_certificate(tmp_path_factory.mktemp("smime"), "rsa:2048" if request.param == "rsa" else "ec")


@pytest.mark.parametrize("program", ["smime", "cms"])
def test_openssl_takes_the_sender_s_signature_and_gives_back_what_was_signed(by_sender, tmp_path, program):
    signs, root = by_sender
    (tmp_path / "mail.eml").write_bytes(arrived(signs))
    done = openssl_verify(program, tmp_path / "mail.eml", root, tmp_path / "content")
    assert (done.returncode, "successful" in done.stderr) == (0, True), done.stderr
    content = message_from_bytes((tmp_path / "content").read_bytes(), policy=policy.default)
    assert content.get_body(("plain",)).get_content().strip() == "Het werkt weer: é."
    assert [part.get_filename() for part in content.iter_attachments()] == ["R-2026-10.csv"]


@pytest.mark.parametrize("program", ["smime", "cms"])
def test_openssl_finds_a_changed_content_out(by_sender, tmp_path, program):
    signs, root = by_sender
    mail = arrived(signs)
    assert b"<p>Het werkt weer" in mail
    (tmp_path / "mail.eml").write_bytes(mail.replace(b"<p>Het werkt weer", b"<p>Het werkt niet"))
    done = openssl_verify(program, tmp_path / "mail.eml", root, tmp_path / "content")
    assert (done.returncode, "erification failure" in done.stderr) == (4, True), done.stderr


def test_openssl_wants_the_authority_that_vouches_for_it(by_sender, tmp_path):
    (tmp_path / "mail.eml").write_bytes(arrived(by_sender[0]))
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    assert openssl_verify("cms", tmp_path / "mail.eml", tmp_path / "other.pem", tmp_path / "content").returncode != 0


def test_a_program_that_knows_no_signatures_shows_the_mail_as_ever(by_sender):
    mail = message_from_bytes(arrived(by_sender[0]), policy=policy.default)
    assert mail.get_content_type() == "multipart/signed"
    assert (mail["Message-ID"], mail["Subject"]) == (f"<{MAIL.message_id}>", MAIL.subject)
    inner, signature = mail.iter_parts()
    assert inner.get_body(("html",)).get_content().strip() == "<p>Het werkt weer: é.</p>"
    assert (signature.get_content_type(), signature.get_filename()) == ("application/pkcs7-signature", "smime.p7s")


@pytest.mark.dkimpy
def test_both_signatures_hold_together(by_sender, tmp_path):
    """The domain signs what the sender signed."""
    signs, root = by_sender
    mail = arrived(replace(signs, dkim=by_domain(RSA).dkim))
    assert dkim_right(mail, dkim_record(RSA))[0]
    (tmp_path / "mail.eml").write_bytes(mail)
    assert openssl_verify("cms", tmp_path / "mail.eml", root, tmp_path / "content").returncode == 0
