"""Mail over a real SMTP server: encryption, authentication, and every way in which a server says no."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
import trustme
import uvloop
from pydantic import ValidationError

from monitor.mail_message import MailMessage, Receipt
from monitor.mail_settings import MailSettings, RelaySettings
from monitor.smtp import smtp_sender
from tests.smtp_server import MAIL, PASSWORD, USER, Mailroom, serving


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority, tmp_path) -> str:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return str(tmp_path / "ca.pem")


def posted(
    room: Mailroom,
    authority: trustme.CA,
    ca_file: str | None,
    *,
    security: str = "starttls",
    server: str | None = None,
    password: str = PASSWORD,
    name: str = "127.0.0.1",
    timeout: str = "5s",
    mail: MailMessage = MAIL,
) -> Receipt:
    async def scene() -> Receipt:
        async with serving(room, authority, tls=server or security, name=name) as port:
            settings = MailSettings.model_validate(
                {
                    "host": "127.0.0.1",
                    "port": port,
                    "security": security,
                    "username": USER if security == "starttls" else None,
                    "password": "smtp" if security == "starttls" else None,
                    "sender": "loketwacht@example.be",
                    "timeout": timeout,
                    "ca_file": ca_file,
                }
            )
            send = smtp_sender(settings, password=password if security == "starttls" else None, directory=Path())
            return await send(mail)

    return asyncio.run(scene())


def codes(receipt: Receipt) -> dict[str, int]:
    return {answer.address: answer.code for answer in receipt.answers}


BOTH = {"a@example.be": 250, "b@example.be": 250}
NO_ANSWER = {"a@example.be": 0, "b@example.be": 0}


@pytest.mark.parametrize("security", ["starttls", "tls", "none"])
def test_a_mail_arrives_over_each_kind_of_connection(authority, ca_file, security):
    room = Mailroom()
    assert codes(posted(room, authority, ca_file, security=security)) == BOTH
    assert room.recipients == [["a@example.be", "b@example.be"]]


def test_a_mail_arrives_with_its_headers_and_both_forms(authority, ca_file):
    room = Mailroom()
    posted(room, authority, ca_file)
    [mail] = room.mails
    headers = {name: mail[name] for name in ("Message-ID", "In-Reply-To", "References", "List-Id", "Date")}
    assert headers == {
        "Message-ID": "<incident.x.1@monitor.example>",
        "In-Reply-To": "<incident.x@monitor.example>",
        "References": "<incident.x@monitor.example>",
        "List-Id": "<loketwacht.example.be>",
        "Date": "Wed, 18 Nov 2026 11:06:40 +0000",
    }
    assert (mail["Auto-Submitted"], mail["X-Auto-Response-Suppress"], mail["Importance"]) == (
        "auto-generated",
        "All",
        None,
    )
    assert mail["From"] == "Loketwacht – wacht <loketwacht@example.be>"
    assert mail.get_body(("plain",)).get_content().strip() == "Het werkt weer: é."
    assert mail.get_body(("html",)).get_content().strip() == "<p>Het werkt weer: é.</p>"


def test_long_ids_of_a_thread_arrive_as_they_are(authority, ca_file):
    """RFC 2047 section 5: an id that is written as an encoded word is none, and mails would stand apart."""
    room, first, second = Mailroom(), f"incident.{'x' * 70}@monitor.example", f"incident.{'y' * 70}.1@monitor.example"
    posted(room, authority, ca_file, mail=replace(MAIL, in_reply_to=first, references=(first, second)))
    assert f"\r\nIn-Reply-To: <{first}>\r\nReferences: <{first}>\r\n <{second}>\r\n".encode() in room.raw[0]


def test_words_in_another_encoding_are_kept_as_far_as_they_can_be_read():
    """A server that answers in Latin-1; what it says is stored, and a lone surrogate could not be."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hier\r\n")
        while line := await reader.readline():
            writer.write(b"550 bo\xeete inconnue\r\n" if line.upper().startswith(b"RCPT") else b"250 ok\r\n")
        writer.close()
        over.set()

    over = asyncio.Event()

    async def scene() -> Receipt:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            settings = RelaySettings(host="127.0.0.1", port=port, security="none", timeout="5s")
            receipt = await smtp_sender(settings, password=None, directory=Path())(MAIL)
            await over.wait()
            return receipt

    assert {(answer.code, answer.text) for answer in asyncio.run(scene()).answers} == {(550, "bo\ufffdte inconnue")}


def test_a_mail_is_ascii_in_lines_that_no_server_has_to_write_anew(authority, ca_file):
    subject = "[Voorbeeldloket] STORING: Aanvraag indienen - indienen-20261123T100000Z"
    long = replace(MAIL, subject=subject, html="é" * 5000)
    room = Mailroom()
    posted(room, authority, ca_file, mail=long)
    [raw] = room.raw
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) < 100
    assert f"\r\nSubject: {subject}\r\n".encode() in raw
    assert room.mails[0].get_body(("html",)).get_content().strip() == long.html


def test_the_refusal_of_one_recipient_is_told_beside_the_other_s_success(authority, ca_file):
    """T7: each recipient is asked for by himself, and has an answer of his own."""
    room = Mailroom(rcpt={"a@example.be": "550 no such user"})
    receipt = posted(room, authority, ca_file)
    assert codes(receipt) == {"a@example.be": 550, "b@example.be": 250}
    assert room.recipients == [["b@example.be"]]


def test_the_refusal_of_all_recipients_is_told_for_each(authority, ca_file):
    room = Mailroom(rcpt={"a@example.be": "550 no such user", "b@example.be": "450 later"})
    receipt = posted(room, authority, ca_file)
    assert codes(receipt) == {"a@example.be": 550, "b@example.be": 450}
    assert room.mails == []


@pytest.mark.parametrize(
    ("said", "code"), [("451 greylisted", 451), ("554 looks like spam", 0), ("554 5.6.0 not a mail", 554)]
)
def test_an_answer_after_the_text_counts_for_all(authority, ca_file, said, code):
    receipt = posted(Mailroom(data=said), authority, ca_file)
    assert codes(receipt) == {"a@example.be": code, "b@example.be": code}


def test_a_server_that_hangs_is_no_answer_in_time(authority, ca_file):
    receipt = posted(Mailroom(hang="data"), authority, ca_file, timeout="500ms")
    assert codes(receipt) == NO_ANSWER
    assert receipt.answers[0].text.endswith("no answer within 0.5 s") or "imed out" in receipt.answers[0].text


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_a_server_that_never_says_goodbye_to_the_encryption_keeps_no_connection(authority, ca_file, loop):
    """A closing TLS connection waits for the other side's goodbye, half a minute; mails would pile them up."""
    context, gone = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), threading.Event()
    authority.issue_cert("127.0.0.1").configure_cert(context)

    def serve(listening: socket.socket) -> None:
        accepted, _ = listening.accept()
        with context.wrap_socket(accepted, server_side=True, suppress_ragged_eofs=False) as encrypted:
            encrypted.settimeout(20)
            encrypted.sendall(b"220 hier\r\n")
            lines = encrypted.makefile("rb")
            while line := lines.readline():  # until the sender's goodbye to the encryption, which is not answered
                command = line[:4].upper().strip()
                encrypted.sendall({b"DATA": b"354 go on\r\n", b"QUIT": b"221 bye\r\n"}.get(command, b"250 ok\r\n"))
                while command == b"DATA" and lines.readline() != b".\r\n":
                    pass
                if command == b"DATA":
                    encrypted.sendall(b"250 taken\r\n")
            with suppress(ConnectionResetError), socket.socket(fileno=encrypted.detach()) as bare:
                bare.settimeout(20)
                assert bare.recv(1) == b""
            gone.set()

    async def scene(port: int) -> Receipt:
        settings = RelaySettings(host="127.0.0.1", port=port, security="tls", timeout="5s", ca_file=ca_file)
        receipt = await smtp_sender(settings, password=None, directory=Path())(MAIL)
        assert await asyncio.to_thread(gone.wait, 10)
        return receipt

    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = threading.Thread(target=serve, args=[listening], daemon=True)
        server.start()
        with asyncio.Runner(loop_factory=loop) as runner:
            assert codes(runner.run(scene(listening.getsockname()[1]))) == BOTH
        server.join(20)


def test_a_connection_that_breaks_after_the_text_is_no_answer(authority, ca_file):
    """The server has it, but did not say so: it is sent again, with the same Message-ID."""
    room = Mailroom(hang="drop")
    assert codes(posted(room, authority, ca_file)) == NO_ANSWER
    assert len(room.mails) == 1


def test_a_wrong_password_is_our_trouble_and_not_a_refusal_of_the_readers(authority, ca_file):
    receipt = posted(Mailroom(), authority, ca_file, password="falsch")
    assert codes(receipt) == NO_ANSWER
    assert receipt.answers[0].text.startswith("535")
    assert "falsch" not in repr(receipt)


def test_a_certificate_nobody_vouches_for_gets_no_mail(authority):
    room = Mailroom()
    receipt = posted(room, authority, None)
    assert codes(receipt) == NO_ANSWER
    assert "certificate" in receipt.answers[0].text.lower()
    assert room.mails == []


def test_a_certificate_for_another_name_gets_no_mail(authority, ca_file):
    assert codes(posted(Mailroom(), authority, ca_file, name="elders.example")) == NO_ANSWER


def test_a_server_without_starttls_gets_neither_password_nor_mail(authority, ca_file):
    room = Mailroom()
    assert codes(posted(room, authority, ca_file, server="none")) == NO_ANSWER
    assert room.mails == []


def test_a_server_that_is_not_there_is_no_answer():
    settings = MailSettings(host="127.0.0.1", port=1, security="none", sender="m@example.be")
    receipt = asyncio.run(smtp_sender(settings, password=None, directory=Path())(MAIL))
    assert codes(receipt) == NO_ANSWER


def test_a_subject_cannot_forge_a_header(authority, ca_file):
    """T47: what a portal answered can never become a header of its own."""
    forged = MailMessage(
        **{name: getattr(MAIL, name) for name in MAIL.__slots__ if name != "subject"},
        subject="x\r\nBcc: evil@example.com",
    )
    with pytest.raises(ValueError, match="linefeed or carriage return"):
        posted(Mailroom(), authority, ca_file, mail=forged)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"host": "smtp.example.be", "security": "none"}, "in the clear to another machine"),
        ({"host": "127.0.0.1", "username": "u"}, "needs both username and password"),
        ({"host": "127.0.0.1", "sender": "a b"}, "pattern"),
        ({"host": "127.0.0.1", "paswoord": "x"}, "Extra inputs"),
    ],
)
def test_settings_that_would_harm_are_refused(changed, told):
    with pytest.raises(ValidationError, match=told):
        MailSettings.model_validate({"sender": "m@example.be"} | changed)
