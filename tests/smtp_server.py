"""A real SMTP server on loopback (aiosmtpd) that refuses, hangs or breaks as a test says."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from monitor.mail_message import Mailbox, MailMessage

USER, PASSWORD = "loketwacht", "geheim wachtwoord"

#: A mail of the kind the monitor sends, to two people.
MAIL = MailMessage(
    message_id="incident.x.1@monitor.example",
    sender=Mailbox(address="loketwacht@example.be", name="Loketwacht – wacht"),
    to=(Mailbox(address="a@example.be", name="An"), Mailbox(address="b@example.be")),
    recipients=("a@example.be", "b@example.be"),
    subject="[Voorbeeldloket] HERSTELD: Aanvraag indienen - x",
    text="Het werkt weer: é.\n",
    html="<p>Het werkt weer: é.</p>",
    date_us=1_795_000_000_000_000,
    event="recovered",
    in_reply_to="incident.x@monitor.example",
    references=("incident.x@monitor.example",),
    list_id="loketwacht.example.be",
)


@dataclass
class Mailroom:
    """What the server took, and what it shall say.

    Attributes:
        rcpt: the answer to RCPT TO of an address, e.g. `550 no such user`; 250 to all others.
        data: the answer after DATA; None takes the mail.
        hang: `data` never answers after DATA; `drop` breaks the connection there, having taken the mail.
    """

    rcpt: dict[str, str] = field(default_factory=dict)
    data: str | None = None
    hang: str | None = None
    mails: list[EmailMessage] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if address in self.rcpt:
            return self.rcpt[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.hang == "data":
            await asyncio.sleep(3600)
        if self.data is not None:
            return self.data
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        self.raw.append(envelope.content)
        self.recipients.append(list(envelope.rcpt_tos))
        if self.hang == "drop":
            server.transport.abort()
        return "250 taken"


def _authenticate(server: Any, session: Any, envelope: Any, mechanism: str, login: Any) -> AuthResult:
    known = isinstance(login, LoginPassword) and (login.login, login.password) == (USER.encode(), PASSWORD.encode())
    # A refusal must say that it is not handled yet, or the client waits for an answer for ever.
    return AuthResult(success=known, handled=known)


@asynccontextmanager
async def serving(
    room: Mailroom, authority: trustme.CA, *, tls: str = "starttls", name: str = "127.0.0.1"
) -> AsyncIterator[int]:
    """A server on a free port of 127.0.0.1, with STARTTLS and AUTH, or TLS from the first byte, or neither."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)

    spoken: list[SMTP] = []

    def protocol() -> SMTP:
        if tls == "starttls":
            one = SMTP(
                room,
                tls_context=context,
                require_starttls=True,
                auth_required=True,
                authenticator=_authenticate,
                hostname="localhost",
            )
        else:
            one = SMTP(room, hostname="localhost", auth_require_tls=False, authenticator=_authenticate)
        spoken.append(one)
        return one

    loop = asyncio.get_running_loop()
    server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=context if tls == "tls" else None)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        # What is still open when the loop ends would be told as a leak of whichever test comes then.
        for one in spoken:
            if isinstance(one.transport, asyncio.WriteTransport):
                one.transport.abort()
        for _ in range(3):  # to the encryption, from there to the socket, which is closed in the next round
            await asyncio.sleep(0)
