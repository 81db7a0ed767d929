"""The practice mail server: real SMTP with STARTTLS and AUTH, and what can be broken in it."""

from __future__ import annotations

import asyncio
import hmac
import socket
import ssl
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from probes.practice.faults import BadOrder
from probes.practice.mailbox import Mailbox

#: The one account of the practice mail server. It protects nothing; it is there to practise logging in.
SMTP_USER = "loketwacht"
SMTP_PASSWORD = "oefen-wachtwoord"  # noqa: S105

#: What can be broken, and what it means for a client.
MAIL_FAULTS: Mapping[str, str] = {
    "refuse": "every connection is reset before the greeting",
    "tempfail": "451 to RCPT TO: try again later",
    "permfail": "550 to RCPT TO: no such mailbox",
    "hang": "no greeting ever comes; with recipients: no answer to their RCPT TO",
}
_MAX_MAIL_BYTES = 32 * 1024 * 1024
_RESET_AT_ONCE = struct.pack("ii", 1, 0)


def reset(transport: asyncio.BaseTransport) -> None:
    """Ends a connection with a TCP reset instead of an orderly close."""
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_ONCE)
    if isinstance(transport, asyncio.Transport):
        transport.abort()
    else:
        transport.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class MailFault:
    """One thing that is broken in the mail server. No recipients: all suffer."""

    mode: str
    recipients: tuple[str, ...]
    since_us: int
    until_us: int | None

    def described(self) -> dict[str, object]:
        return {
            "mode": self.mode,
            "recipients": list(self.recipients),
            "since_us": self.since_us,
            "until_us": self.until_us,
        }


class MailFaultBoard:
    """What is broken in the mail server now."""

    def __init__(self, now_us: Callable[[], int]) -> None:
        self._now_us = now_us
        self._faults: list[MailFault] = []

    def add(self, order: object) -> MailFault:
        """Breaks something, as ordered in the words of the control API. Raises BadOrder with all that is wrong."""
        if not isinstance(order, Mapping):
            raise BadOrder(['the body is not a JSON object such as {"mode": "tempfail", "seconds": 60}'])
        problems = [f"{key} is not known; mode, recipients and seconds are" for key in sorted(set(order) - _ORDER_KEYS)]
        mode, recipients, seconds = order.get("mode"), order.get("recipients"), order.get("seconds")
        if not isinstance(mode, str) or mode not in MAIL_FAULTS:
            problems.append(f"mode is {mode!r}, which is none of {', '.join(MAIL_FAULTS)}")
        if recipients is not None and (
            not isinstance(recipients, list)
            or not recipients
            or not all(isinstance(r, str) and r.isprintable() for r in recipients)
        ):
            problems.append(f"recipients is {recipients!r}, it is a list of addresses; leave it out to break all")
        elif recipients is not None and mode == "refuse":
            problems.append("recipients does not go with refuse: the connection ends before anybody is named")
        if seconds is not None and (
            isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= 366 * 86_400
        ):
            problems.append(f"seconds is {seconds!r}, it is a number above 0 and at most a year")
        if problems:
            raise BadOrder(problems)
        now = self._now_us()
        fault = MailFault(
            mode=str(mode),
            recipients=tuple(r.lower() for r in recipients or ()),
            since_us=now,
            until_us=None if seconds is None else now + round(seconds * 1_000_000),
        )
        self._faults.append(fault)
        return fault

    def clear(self) -> int:
        """Mends everything; says how much there was to mend."""
        mended = len(self.active())
        self._faults.clear()
        return mended

    def active(self) -> tuple[MailFault, ...]:
        now = self._now_us()
        self._faults = [f for f in self._faults if f.until_us is None or now < f.until_us]
        return tuple(self._faults)

    def hit(self, mode: str, recipient: str | None) -> MailFault | None:
        """The fault of this mode that strikes this recipient; None as recipient: that strikes the whole connection."""
        for fault in self.active():
            named = recipient is not None and recipient.lower() in fault.recipients
            if fault.mode == mode and (named or not fault.recipients):
                return fault
        return None


_ORDER_KEYS = {"mode", "recipients", "seconds"}


class _Handler:
    """What aiosmtpd asks about recipients and messages."""

    def __init__(self, mailbox: Mailbox, faults: MailFaultBoard) -> None:
        self._mailbox = mailbox
        self._faults = faults

    async def handle_RCPT(  # noqa: N802 - aiosmtpd looks these names up
        self, server: SMTP, session: Session, envelope: Envelope, address: str, rcpt_options: list[str]
    ) -> str:
        while self._faults.hit("hang", address):  # noqa: ASYNC110 - its end depends on the clock
            await asyncio.sleep(0.1)
        if self._faults.hit("tempfail", address):
            return "451 4.3.0 Het oefenportaal neemt deze mail nu niet aan, probeer later opnieuw"
        if self._faults.hit("permfail", address):
            return "550 5.1.1 Het oefenportaal kent deze ontvanger niet"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.original_content or b""
        self._mailbox.deliver_bytes(content, tuple(envelope.rcpt_tos))
        return "250 2.0.0 Aangenomen"


def _authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, auth_data: Any) -> AuthResult:
    known = (
        isinstance(auth_data, LoginPassword)
        and hmac.compare_digest(auth_data.login, SMTP_USER.encode())
        and hmac.compare_digest(auth_data.password, SMTP_PASSWORD.encode())
    )
    # handled=False lets aiosmtpd answer a refusal itself; with True the client would wait for an answer for ever.
    return AuthResult(success=known, handled=known)


class _Session(Session):
    """aiosmtpd 1.4 logs a deprecation of its own at every login, because it still sets this itself."""

    login_data = None


class _Line(SMTP):
    """One connection, counted among the open ones until it is lost."""

    def __init__(self, *args: Any, open_lines: set[asyncio.BaseTransport], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._open_lines = open_lines
        self._counted: asyncio.BaseTransport | None = None

    def _create_session(self) -> Session:
        return _Session(self.loop)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self._counted is None:  # STARTTLS calls this a second time, with the transport inside TLS
            self._counted = transport
            self._open_lines.add(transport)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self._counted is not None:
            self._open_lines.discard(self._counted)
        super().connection_lost(error)


class _Silent(asyncio.Protocol):
    """A connection that is accepted and then ignored, until the fault is mended."""

    def __init__(self, faults: MailFaultBoard, *, open_lines: set[asyncio.BaseTransport]) -> None:
        self._faults = faults
        self._open_lines = open_lines
        self._waiting: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._open_lines.add(transport)
        self._waiting = asyncio.ensure_future(self._wait(transport))

    async def _wait(self, transport: asyncio.BaseTransport) -> None:
        try:
            while self._faults.hit("hang", None):  # noqa: ASYNC110 - its end depends on the clock
                await asyncio.sleep(0.1)
            reset(transport)
        finally:
            self._open_lines.discard(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting is not None:
            self._waiting.cancel()


class _Refusal(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        reset(transport)


class MailServer:
    """Makes the protocol of each connection to the mail server. `open_lines` are the connections there are now."""

    def __init__(self, *, mailbox: Mailbox, faults: MailFaultBoard, tls: ssl.SSLContext, require_auth: bool) -> None:
        self._handler = _Handler(mailbox, faults)
        self._faults = faults
        self._tls = tls
        self._require_auth = require_auth
        self.open_lines: set[asyncio.BaseTransport] = set()

    def protocol(self) -> asyncio.BaseProtocol:
        if self._faults.hit("refuse", None):
            return _Refusal()
        if self._faults.hit("hang", None):
            return _Silent(self._faults, open_lines=self.open_lines)
        return _Line(
            self._handler,
            open_lines=self.open_lines,
            data_size_limit=_MAX_MAIL_BYTES,
            enable_SMTPUTF8=True,
            hostname="oefenmail.example",
            ident="Oefenmail",
            tls_context=self._tls,
            timeout=60,
            auth_required=self._require_auth,
            auth_require_tls=True,
            authenticator=_authenticate,
            loop=asyncio.get_running_loop(),
        )
