"""A mailbox of ours over IMAP4rev1 (RFC 3501): as much of it as waiting for a mail and throwing it away needs."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from probes.errors import quoted, words

#: Longest line of a server; an answer to a search lists every number in one line.
_MOST_LINE = 1024 * 1024
_LITERAL = re.compile(rb"\{(\d+)\}\r?\n$")
_UID = re.compile(rb"\bUID (\d+)")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
_DATE = re.compile(rb'\bINTERNALDATE "([^"]{1,40})"')
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class MailboxTrouble(Exception):  # noqa: N818 - reads as what it is
    """Our own mailbox does not answer, refuses us, or speaks no IMAP: never the portal's fault. The text is short."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """How a mailbox is reached.

    Attributes:
        starttls: False speaks TLS from the first byte. Without TLS no password is ever sent.
        context: whom we trust.
    """

    host: str
    port: int
    starttls: bool
    user: str
    password: str = field(repr=False)
    folder: str
    context: ssl.SSLContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A message as the server lists it.

    Attributes:
        received_us: when the server took it, by the server's clock, in whole seconds.
    """

    uid: int
    received_us: int
    size: int


@asynccontextmanager
async def opened(account: Account) -> AsyncIterator[Mailbox]:
    """A mailbox that is logged in to, until the block is left. Deadlines are the caller's (`asyncio.timeout`).

    Raises:
        MailboxTrouble: where it cannot be reached, its certificate is not to be trusted, or it refuses us.
    """
    box = await _connected(account)
    try:
        await box.log_in(account)
        yield box
    finally:
        box.close()


async def _connected(account: Account) -> Mailbox:
    try:
        reader, writer = await asyncio.open_connection(
            account.host,
            account.port,
            ssl=None if account.starttls else account.context,
            server_hostname=None if account.starttls else account.host,
            limit=_MOST_LINE,
        )
    except OSError as error:
        raise MailboxTrouble(words(error)) from error
    return Mailbox(reader, writer)


@dataclass(frozen=True, slots=True)
class _Answer:
    """An untagged answer: its text without literals, and those."""

    text: bytes
    literals: tuple[bytes, ...]


class Mailbox:
    """One connection to a mailbox, spoken to in order. A cancelled command leaves it useless: close it then."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._number = 0
        self._most = 64 * 1024

    async def log_in(self, account: Account) -> None:
        greeting = await self._answer()
        if not greeting.text.upper().startswith((b"* OK", b"* PREAUTH")):
            raise MailboxTrouble(f"greeted with {quoted(_shown(greeting.text))}")
        if account.starttls:
            if greeting.text.upper().startswith(b"* PREAUTH"):
                raise MailboxTrouble("no STARTTLS: logged in before it")
            await self._command(b"STARTTLS")
            if self._reader._buffer:  # type: ignore[attr-defined] # noqa: SLF001 - nothing public tells
                # What came in the clear behind the answer could be anybody's and must not pass for the server's.
                raise MailboxTrouble("more than an answer before TLS")
            try:
                await self._writer.start_tls(account.context, server_hostname=account.host)
            except OSError as error:
                raise MailboxTrouble(words(error)) from error
        if not greeting.text.upper().startswith(b"* PREAUTH"):
            await self._command(b"LOGIN", _string(account.user), _string(account.password))
        await self._command(b"SELECT", _string(account.folder))

    def close(self) -> None:
        with suppress(Exception):
            self._writer.write(b"bye LOGOUT\r\n")
        self._writer.close()

    async def received_since(self, since_us: int) -> tuple[Listed, ...]:
        """Messages received at or after an instant, by the server's clock, oldest first."""
        # The server compares days of a zone of its own: a day more, and the exact instant is looked at here.
        found = await self._search(b"SINCE " + _day(since_us - 86_400_000_000))
        return tuple(listed for listed in await self._listed(found) if listed.received_us >= since_us)

    async def received_before(self, before_us: int) -> tuple[int, ...]:
        """Numbers of messages received on a day before that of an instant."""
        return await self._search(b"BEFORE " + _day(before_us))

    async def fetch(self, uid: int, *, most: int) -> bytes | None:
        """A message as it was received, unread as before; None where it is gone.

        Args:
            most: bytes at most.
        """
        self._most = most
        answers = await self._command(b"UID FETCH %d (UID BODY.PEEK[])" % uid)
        return next((a.literals[-1] for a in answers if a.literals and _number(_UID, a.text) == uid), None)

    async def delete(self, *uids: int) -> None:
        """Throws messages away for good. A server without UIDPLUS removes whatever else is marked as deleted too."""
        if not uids:
            return
        listed = ",".join(map(str, uids)).encode()
        await self._command(b"UID STORE " + listed + rb" +FLAGS.SILENT (\Deleted)")
        try:
            await self._command(b"UID EXPUNGE " + listed)
        except MailboxTrouble:
            await self._command(b"EXPUNGE")

    async def _search(self, criterion: bytes) -> tuple[int, ...]:
        # A server may tell of new mail only when asked to do something; NOOP is asked for that.
        await self._command(b"NOOP")
        numbers: list[int] = []
        for answer in await self._command(b"UID SEARCH " + criterion):
            if answer.text.upper().startswith(b"* SEARCH"):
                numbers += [int(word) for word in answer.text.split()[2:] if word.isdigit()]
        return tuple(sorted(numbers))

    async def _listed(self, uids: tuple[int, ...]) -> list[Listed]:
        if not uids:
            return []
        numbers = ",".join(map(str, uids)).encode()
        result = []
        for answer in await self._command(b"UID FETCH " + numbers + b" (UID INTERNALDATE RFC822.SIZE)"):
            uid, size, date = _number(_UID, answer.text), _number(_SIZE, answer.text), _DATE.search(answer.text)
            if uid is not None and size is not None and date is not None:
                result.append(Listed(uid=uid, received_us=_instant_us(date[1]), size=size))
        return sorted(result, key=lambda listed: listed.uid)

    async def _command(self, *parts: bytes) -> list[_Answer]:
        """Sends a command; gives its untagged answers. Raises MailboxTrouble where it is not answered with OK."""
        self._number += 1
        tag = b"L%d" % self._number
        try:
            await self._send(tag, parts)
            answers: list[_Answer] = []
            while not (answer := await self._answer()).text.startswith(tag + b" "):
                answers.append(answer)
        except (OSError, ValueError) as error:
            raise MailboxTrouble(words(error)) from error
        if answer.text[len(tag) + 1 :].split(b" ", 1)[0].strip().upper() != b"OK":
            # The answer, never the command: that may hold the password.
            verb = parts[0].split(b" ", 1)[0].decode()
            raise MailboxTrouble(f"{verb} refused: {quoted(_shown(answer.text[len(tag) + 1 :]))}")
        return answers

    async def _send(self, tag: bytes, parts: tuple[bytes, ...]) -> None:
        line = tag
        for part in parts:
            line += b" "
            if literal := part.startswith(b"{"):
                head, _, part = part.partition(b"\r\n")
                self._writer.write(line + head + b"\r\n")
                await self._writer.drain()
                if not (await self._answer()).text.startswith(b"+"):
                    raise MailboxTrouble("a literal was not taken")
            line = part if literal else line + part
        self._writer.write(line + b"\r\n")
        await self._writer.drain()

    async def _answer(self) -> _Answer:
        text = b""
        literals: list[bytes] = []
        while True:
            line = await self._reader.readline()
            if not line.endswith(b"\n"):
                raise MailboxTrouble("connection closed")
            found = _LITERAL.search(line)
            if found is None:
                return _Answer(text + line, tuple(literals))
            size = int(found[1])
            if size + sum(map(len, literals)) > self._most:
                raise MailboxTrouble("a message beyond the cap")
            text += line[: found.start()]
            try:
                literals.append(await self._reader.readexactly(size))
            except asyncio.IncompleteReadError as error:
                raise MailboxTrouble("connection closed") from error


def _string(text: str) -> bytes:
    """A quoted string, or a literal where one cannot hold it."""
    raw = text.encode()
    if raw.isascii() and not set(raw) & set(b"\r\n\x00"):
        return b'"' + raw.replace(b"\\", rb"\\").replace(b'"', rb"\"") + b'"'
    return b"{%d}\r\n" % len(raw) + raw


def _shown(answer: bytes) -> str:
    return answer.decode("utf-8", "replace").strip()[:200]


def _number(pattern: re.Pattern[bytes], text: bytes) -> int | None:
    found = pattern.search(text)
    return int(found[1]) if found else None


def _day(instant_us: int) -> bytes:
    day = _EPOCH + timedelta(microseconds=instant_us)
    return f"{day.day}-{_MONTHS[day.month - 1]}-{day.year}".encode()


def _instant_us(date: bytes) -> int:
    """`24-Nov-2026 02:20:03 +0100` as an instant; 0 where it is none, so that it counts as long ago."""
    try:
        return int(parsedate_to_datetime(date.decode("ascii", "replace").strip()).timestamp()) * 1_000_000
    except (ValueError, OverflowError):
        return 0
