"""A small IMAP4rev1 server on loopback, written from RFC 3501: one account, one folder, and what can be wrong in it."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime

#: When mail arrives that does not say otherwise.
NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
USER, PASSWORD = "monitor@oefen.example", 'ge"heim\\wachtwoord'


@dataclass
class Folder:
    """What lies in the mailbox, and how the server behaves.

    Attributes:
        trouble: `hang` never greets, `refuse` refuses the login, `drop` breaks the connection at a search, `garbage`
            greets with noise, `inject` sends more than its answer before TLS, `keep` refuses to expunge.
        said: every command that came, without what it was about.
    """

    mails: dict[int, tuple[datetime, bytes]] = field(default_factory=dict)
    deleted: set[int] = field(default_factory=set)
    trouble: str | None = None
    said: list[str] = field(default_factory=list)
    uidplus: bool = True
    _last: int = 0

    def arrive(self, message: EmailMessage | bytes, *, received: datetime | None = None) -> int:
        self._last += 1
        raw = message if isinstance(message, bytes) else message.as_bytes()
        self.mails[self._last] = (received or NOW, raw)
        return self._last


def a_mail(*, to: str, subject: str, text: str = "", html: str = "") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Loket <niet-antwoorden@loket.example>"
    message["To"] = to
    message["Subject"] = subject
    message["Date"] = format_datetime(datetime(2026, 11, 1, tzinfo=UTC))
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    return message


class _Session:
    def __init__(self, folder: Folder, context: ssl.SSLContext, *, starttls: bool) -> None:
        self._folder = folder
        self._context = context
        self._starttls = starttls

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._talk(reader, writer)
        writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        folder = self._folder
        if folder.trouble == "hang":
            await reader.read()
            return
        writer.write(b"\x16\x03 noise\r\n" if folder.trouble == "garbage" else b"* OK IMAP4rev1 ready\r\n")
        while line := await reader.readline():
            text = line.rstrip(b"\r\n")
            while (literal := re.search(rb"\{(\d+)\}$", text)) is not None:
                writer.write(b"+ go on\r\n")
                quoted = (await reader.readexactly(int(literal[1]))).replace(b"\\", rb"\\").replace(b'"', rb"\"")
                text = text[: literal.start()] + b'"' + quoted + b'"' + (await reader.readline()).rstrip(b"\r\n")
            tag, _, command = text.partition(b" ")
            verb = b" ".join(command.split(b" ")[: 2 if command.upper().startswith(b"UID ") else 1]).decode().upper()
            folder.said.append(verb)
            if verb == "STARTTLS":
                more = b"* OK injected\r\n" if folder.trouble == "inject" else b""
                writer.write(tag + b" OK begin\r\n" + more)
                await writer.drain()
                await writer.start_tls(self._context)
            elif verb == "LOGIN":
                known = (
                    command[6:].decode()
                    == f'"{USER}" "{PASSWORD.replace(chr(92), chr(92) * 2).replace(chr(34), chr(92) + chr(34))}"'
                )
                good = known and folder.trouble != "refuse"
                writer.write(
                    tag + (b" OK in\r\n" if good else b" NO [AUTHENTICATIONFAILED] wrong name or password\r\n")
                )
            elif verb == "LOGOUT":
                return
            elif verb == "UID SEARCH" and folder.trouble == "drop":
                writer.transport.abort()
                return
            else:
                writer.write(self._answer(verb, command) + tag + self._end(verb))
            await writer.drain()

    def _end(self, verb: str) -> bytes:
        refused = verb == "UID EXPUNGE" and not self._folder.uidplus
        refused |= verb.endswith("EXPUNGE") and self._folder.trouble == "keep"
        return b" BAD no\r\n" if refused else b" OK done\r\n"

    def _answer(self, verb: str, command: bytes) -> bytes:
        folder = self._folder
        match verb:
            case "UID SEARCH":
                _, _, criterion, day = command.decode().split(" ")
                edge = datetime.strptime(day, "%d-%b-%Y").replace(tzinfo=UTC)
                hits = [u for u, (at, _) in folder.mails.items() if (at >= edge) == (criterion == "SINCE")]
                return b"* SEARCH " + b" ".join(b"%d" % uid for uid in hits) + b"\r\n"
            case "UID FETCH":
                wanted = [int(number) for number in command.split(b" ")[2].split(b",")]
                return b"".join(self._fetched(uid, command) for uid in wanted if uid in folder.mails)
            case "UID STORE":
                folder.deleted |= {int(number) for number in command.split(b" ")[2].split(b",")}
            case "UID EXPUNGE" | "EXPUNGE" if not self._end(verb).startswith(b" BAD"):
                for uid in folder.deleted & set(folder.mails):
                    del folder.mails[uid]
        return b""

    def _fetched(self, uid: int, command: bytes) -> bytes:
        at, raw = self._folder.mails[uid]
        zoned = at + timedelta(hours=1)
        date = zoned.strftime("%d-%b-%Y %H:%M:%S +0100").encode()
        head = b'* %d FETCH (UID %d INTERNALDATE "%s" RFC822.SIZE %d' % (uid, uid, date, len(raw))
        body = b" BODY[] {%d}\r\n" % len(raw) + raw if b"BODY" in command else b""
        return head + body + b")\r\n"


@asynccontextmanager
async def serving(folder: Folder, context: ssl.SSLContext, *, starttls: bool = False) -> AsyncIterator[int]:
    """The server on a free port; TLS from the first byte unless `starttls`."""

    lines: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        lines.add(task)
        task.add_done_callback(lines.discard)
        await _Session(folder, context, starttls=starttls).serve(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=None if starttls else context, limit=8 << 20)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(lines):
            task.cancel()
        await asyncio.gather(*lines, return_exceptions=True)
