"""Mail out of the house: the only place that speaks SMTP."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import cast

import aiosmtplib

from monitor.mail_message import Answer, MailMessage, Receipt, SendMail, wire
from monitor.mail_settings import RelaySettings
from monitor.refusals import about_us, settles_text

#: After a server took a mail, its goodbye is waited for so long.
QUIT_SECONDS = 2


def smtp_sender(
    server: RelaySettings, *, password: str | None, directory: Path, written: Callable[[MailMessage], bytes] = wire
) -> SendMail:
    """A `SendMail` to one server, on a fresh connection for each mail.

    Args:
        password: the secret's value, where the settings name one.
        directory: what `ca_file` is relative to.
        written: what writes a mail as it is sent, signed where it shall be.
    """
    context = ssl.create_default_context()
    if server.ca_file is not None:
        context.load_verify_locations(directory / server.ca_file)

    async def send(mail: MailMessage) -> Receipt:
        # A report of some megabytes takes a second to write and sign; no run that is measured may be late by it.
        content = await asyncio.to_thread(written, mail)
        seconds = server.timeout / 1_000_000
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            timeout=seconds,
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",
            tls_context=None if server.security == "none" else context,
            username=server.username,
            password=password,
        )
        heard = _Heard(mail, server.called)
        connection: asyncio.BaseTransport | None = None
        try:
            # The library's limit is for each exchange; a server that answers one byte at a time would outlast them all.
            async with asyncio.timeout(seconds):
                await client.connect()
                connection = client.transport
                await _offer(client, mail, content, heard)
        except aiosmtplib.SMTPResponseException as error:
            # Greeting, STARTTLS, AUTH, MAIL FROM: whatever the code says, it is about us and not about a recipient,
            # and somebody can mend it; so it is tried again, never given up at once.
            heard.rest(0, f"{error.code} {error.message}", of_mail=True)
        except TimeoutError:
            heard.rest(0, f"no answer within {seconds:g} s", of_mail=True)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            heard.rest(0, f"{type(error).__name__}: {error}", of_mail=True)
        else:
            # The server has the mail; a goodbye that fails changes nothing.
            with contextlib.suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                async with asyncio.timeout(QUIT_SECONDS):
                    await client.quit()
        finally:
            connection = connection or client.transport
            client.close()
            # A closed TLS connection stays until the server says goodbye to the encryption too, for half a minute.
            if connection is not None:
                cast(asyncio.WriteTransport, connection).abort()  # uvloop's are no subclass of it
        return heard.receipt()

    return send


class _Heard:
    """What one server said about each recipient so far."""

    def __init__(self, mail: MailMessage, server: str) -> None:
        self._recipients = mail.recipients
        self._server = server
        self._answers: dict[str, Answer] = {}

    def of(self, address: str, code: int, text: str, *, of_mail: bool = False) -> None:
        # The library keeps bytes that are no UTF-8 as lone surrogates.
        line = " ".join(text.encode("utf-8", "surrogateescape").decode("utf-8", "replace").split())[:300]
        self._answers[address] = Answer(address=address, code=code, text=line, server=self._server, of_mail=of_mail)

    def rest(self, code: int, text: str, *, of_mail: bool = False) -> None:
        """What holds for everybody about whom nothing was said yet: a refusal stays, whatever breaks after it."""
        for address in self._recipients:
            if address not in self._answers:
                self.of(address, code, text, of_mail=of_mail)

    def open_readers(self) -> int:
        """For how many nothing was said yet: a text that comes now is for them."""
        return len(set(self._recipients) - self._answers.keys())

    def receipt(self) -> Receipt:
        return Receipt(answers=tuple(self._answers[address] for address in self._recipients))


async def _offer(client: aiosmtplib.SMTP, mail: MailMessage, content: bytes, heard: _Heard) -> None:
    """MAIL, RCPT for each recipient, and DATA if anybody may have it.

    One command after the other and not by the library's `sendmail`: that forgets the refusals of single recipients
    where the text is refused after them.
    """
    with contextlib.suppress(aiosmtplib.SMTPHeloError):  # an old server that knows HELO only
        await client.ehlo()
    options: list[str] = []
    encoding = "ascii"
    if not f"{mail.sender.address}{''.join(mail.recipients)}".isascii():
        if not client.supports_extension("smtputf8"):
            raise aiosmtplib.SMTPNotSupported("an address with other letters than ASCII; the server has no SMTPUTF8")
        options.append("SMTPUTF8")
        encoding = "utf-8"
    if client.supports_extension("size"):
        options.append(f"SIZE={len(content)}")
    await client.mail(mail.sender.address, options=options, encoding=encoding)
    for address in mail.recipients:
        try:
            await client.rcpt(address, encoding=encoding)
        except aiosmtplib.SMTPRecipientRefused as refusal:
            ours = 500 <= refusal.code < 600 and about_us(refusal.code, refusal.message)
            text = f"{refusal.code} {refusal.message}" if ours else refusal.message
            heard.of(address, 0 if ours else refusal.code, text)
    readers = heard.open_readers()
    if not readers:
        return
    try:
        said = await client.data(content)
    except aiosmtplib.SMTPDataError as refusal:
        if 500 <= refusal.code < 600 and not settles_text(refusal.message, readers):
            heard.rest(0, f"{refusal.code} {refusal.message}")
        else:
            heard.rest(refusal.code, refusal.message, of_mail=True)
    else:
        heard.rest(said.code, said.message)
