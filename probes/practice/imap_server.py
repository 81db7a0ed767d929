"""The door to the practice mailbox: IMAP4rev1 (RFC 3501) over TLS, as much of it as reading and throwing away needs."""

from __future__ import annotations

import asyncio
import hmac
import re
import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime

from probes.practice.mail_server import SMTP_PASSWORD, SMTP_USER
from probes.practice.mailbox import Mailbox, Stored

_MOST_LINE = 64 * 1024
_MOST_LITERAL = 4096
_MOST_CONNECTIONS = 50
_IDLE_SECONDS = 300
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LITERAL = re.compile(rb"\{(\d{1,9})\}$")
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|([^\s"]+)')
_BODY = {"BODY[]", "BODY.PEEK[]", "RFC822"}
_ITEMS = _BODY | {"UID", "FLAGS", "INTERNALDATE", "RFC822.SIZE"}


class _Unknown(Exception):  # noqa: N818 - answered with BAD
    """A command that is not understood; the text goes to the client."""


class MailDoor:
    """Listens for mail programs that read the mailbox; the account is that of the mail server."""

    def __init__(self, mailbox: Mailbox, tls: ssl.SSLContext) -> None:
        self._mailbox = mailbox
        self._tls = tls
        self._open: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    async def listen(self, host: str, port: int) -> None:
        """Raises OSError where the port is taken."""
        self._server = await asyncio.start_server(self._serve, host, port, ssl=self._tls, limit=_MOST_LINE)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            if len(self._open) <= _MOST_CONNECTIONS:
                # Whoever leaves in the middle, or says what is longer than any line, is not spoken to any more.
                with suppress(OSError, ValueError, asyncio.IncompleteReadError, TimeoutError):
                    await _Session(self._mailbox, reader, writer).talk()
        except asyncio.CancelledError:
            # The portal ends; asyncio's own stream protocol would tell of the cancelled task as of an error.
            writer.transport.abort()
        finally:
            self._open.discard(task)
            writer.close()


class _Session:
    """One connection. Numbers of messages are places in what this client was told of last."""

    def __init__(self, mailbox: Mailbox, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._mailbox = mailbox
        self._reader = reader
        self._writer = writer
        self._logged_in = False
        self._selected: list[int] | None = None
        self._deleted: set[int] = set()

    async def talk(self) -> None:
        self._say("* OK Oefenpostvak IMAP4rev1")
        verb = ""
        while verb != "LOGOUT":
            await self._writer.drain()
            async with asyncio.timeout(_IDLE_SECONDS):
                line = await self._line()
            if line is None:
                return
            tag, _, command = line.partition(" ")
            verb, _, rest = command.partition(" ")
            verb, by_uid = verb.upper(), False
            if verb == "UID":
                verb, _, rest = rest.partition(" ")
                verb, by_uid = verb.upper(), True
            try:
                self._say(f"{tag} {self._answered(verb, rest, by_uid=by_uid)}")
            except _Unknown as unknown:
                self._say(f"{tag} BAD {unknown}")

    def _say(self, *lines: str) -> None:
        self._writer.write("".join(f"{line}\r\n" for line in lines).encode())

    async def _line(self) -> str | None:
        """A command in one line, literals as quoted strings; None at the end."""
        text = b""
        while raw := await self._reader.readline():
            raw = raw.rstrip(b"\r\n")
            found = _LITERAL.search(raw)
            if found is None:
                return (text + raw).decode("utf-8", "replace")
            if int(found[1]) + len(text) > _MOST_LITERAL:
                return None
            self._say("+ verder")
            literal = await self._reader.readexactly(int(found[1]))
            text += raw[: found.start()] + b'"' + literal.replace(b"\\", rb"\\").replace(b'"', rb"\"") + b'"'
        return None

    def _answered(self, verb: str, rest: str, *, by_uid: bool) -> str:
        """Does what is asked; gives the words that end the answer."""
        match verb:
            case "CAPABILITY":
                self._say("* CAPABILITY IMAP4rev1 UIDPLUS")
            case "NOOP" | "CHECK":
                self._refresh()
            case "LOGOUT":
                self._say("* BYE tot ziens")
            case "LOGIN":
                return self._log_in(rest)
            case _ if not self._logged_in:
                return "NO log in first"
            case "LIST" | "LSUB":
                self._say('* LIST () "/" INBOX')
            case "SELECT" | "EXAMINE":
                return self._select(rest)
            case "SEARCH" | "FETCH" | "STORE" | "EXPUNGE" | "CLOSE" if self._selected is not None:
                return self._of_the_folder(verb, rest, self._selected, by_uid=by_uid)
            case _:
                raise _Unknown(f"{verb[:20]} is not known here, or needs SELECT first")
        return "OK done"

    def _log_in(self, rest: str) -> str:
        given = [word.encode() for word in _words(rest)]
        known = len(given) == 2 and hmac.compare_digest(given[0], SMTP_USER.encode())
        if not known or not hmac.compare_digest(given[1], SMTP_PASSWORD.encode()):
            return "NO [AUTHENTICATIONFAILED] this is not the account of the practice mail server"
        self._logged_in = True
        return "OK logged in"

    def _select(self, rest: str) -> str:
        if [word.upper() for word in _words(rest)] != ["INBOX"]:
            return "NO there is only INBOX"
        self._selected = [mail.uid for mail in self._mailbox.stored()]
        self._deleted.clear()
        self._say(r"* FLAGS (\Deleted)", f"* {len(self._selected)} EXISTS", "* 0 RECENT", "* OK [UIDVALIDITY 1] one")
        return "OK [READ-WRITE] selected"

    def _of_the_folder(self, verb: str, rest: str, known: list[int], *, by_uid: bool) -> str:
        match verb:
            case "SEARCH":
                if by_uid:
                    self._refresh()
                found = [mail.uid for mail in _searched(self._mailbox.stored(), rest) if mail.uid in known]
                told = found if by_uid else [known.index(uid) + 1 for uid in found]
                self._say(" ".join(["* SEARCH", *map(str, told)]))
            case "FETCH":
                numbers, _, items = rest.partition(" ")
                self._fetch(self._chosen(numbers, known, by_uid=by_uid), _items(items, by_uid=by_uid))
            case "STORE":
                numbers, _, what = rest.partition(" ")
                sign = re.fullmatch(r"([+-]?)FLAGS(?:\.SILENT)? \(?([^()]*)\)?", what, re.IGNORECASE)
                if sign is None:
                    raise _Unknown(r"STORE takes +FLAGS (\Deleted)")
                uids = {uid for _, uid in self._chosen(numbers, known, by_uid=by_uid)}
                marks = r"\deleted" in sign[2].lower()
                # Replacing the flags by none, or taking this one away, unmarks.
                if marks and sign[1] != "-":
                    self._deleted |= uids
                elif marks or not sign[1]:
                    self._deleted -= uids
            case _:
                named = rest if by_uid else "1:*"
                going = {uid for _, uid in self._chosen(named, known, by_uid=by_uid)} & self._deleted
                self._mailbox.throw_away(going)
                self._deleted -= going
                if verb == "CLOSE":
                    self._selected = None
                else:
                    self._refresh()
        return "OK done"

    def _refresh(self) -> None:
        """Tells what went and what came since the client was told last."""
        if self._selected is None:
            return
        there = [mail.uid for mail in self._mailbox.stored()]
        for place in range(len(self._selected), 0, -1):
            if self._selected[place - 1] not in there:
                del self._selected[place - 1]
                self._say(f"* {place} EXPUNGE")
        came = [uid for uid in there if uid not in set(self._selected)]
        if came:
            self._selected += came
            self._say(f"* {len(self._selected)} EXISTS")

    def _chosen(self, numbers: str, known: list[int], *, by_uid: bool) -> list[tuple[int, int]]:
        """Place and number of the messages that a set names; those that are not there are left out."""
        within = _in_set(numbers, last=(known[-1] if known else 0) if by_uid else len(known))
        return [(place, uid) for place, uid in enumerate(known, 1) if within(uid if by_uid else place)]

    def _fetch(self, chosen: list[tuple[int, int]], items: list[str]) -> None:
        there = {mail.uid: mail for mail in self._mailbox.stored()}
        for place, uid in chosen:
            mail = there.get(uid)
            if mail is None:
                continue
            raw = mail.raw()
            told = {
                "UID": f"UID {uid}",
                "FLAGS": "FLAGS (%s)" % (r"\Deleted" if uid in self._deleted else ""),
                "INTERNALDATE": f'INTERNALDATE "{_dated(mail.received_us)}"',
                "RFC822.SIZE": f"RFC822.SIZE {len(raw)}",
            }
            small = " ".join(told[item] for item in items if item in told)
            self._writer.write(f"* {place} FETCH ({small}".encode())
            for item in items:
                if item in _BODY:
                    name = "RFC822" if item == "RFC822" else "BODY[]"
                    self._writer.write(f"{' ' if small else ''}{name} {{{len(raw)}}}\r\n".encode() + raw)
            self._writer.write(b")\r\n")


def _words(text: str) -> list[str]:
    return [
        plain or re.sub(r"\\(.)", r"\1", quoted)
        for quoted, plain in ((found[1] or "", found[2] or "") for found in _WORD.finditer(text))
    ]


def _items(text: str, *, by_uid: bool) -> list[str]:
    items = text.upper().strip("()").split()
    unknown = [item for item in items if item not in _ITEMS]
    if unknown or not items:
        raise _Unknown(f"FETCH knows {', '.join(sorted(_ITEMS))}")
    return items if not by_uid or "UID" in items else ["UID", *items]


def _in_set(text: str, *, last: int) -> Callable[[int], bool]:
    if re.fullmatch(r"(?:\d{1,9}|\*)(?::(?:\d{1,9}|\*))?(?:,(?:\d{1,9}|\*)(?::(?:\d{1,9}|\*))?)*", text) is None:
        raise _Unknown("numbers are written 1, 1:3, 2,5 or 4:*")
    ranges = []
    for part in text.split(","):
        ends = sorted(last if end == "*" else int(end) for end in part.split(":"))
        ranges.append((ends[0], ends[-1]))
    return lambda number: any(low <= number <= high for low, high in ranges)


def _searched(mails: Iterable[Stored], criteria: str) -> Iterator[Stored]:
    """What fits all criteria: ALL, SINCE, BEFORE and ON; days are in UTC."""
    words = [word.upper() for word in _words(criteria)]
    days: list[tuple[str, date]] = []
    while words:
        key = words.pop(0)
        if key in ("SINCE", "BEFORE", "ON") and words:
            days.append((key, _day(words.pop(0))))
        elif key != "ALL":
            raise _Unknown("SEARCH knows ALL, SINCE, BEFORE and ON")
    for mail in mails:
        at = datetime.fromtimestamp(mail.received_us // 1_000_000, UTC).date()
        if all({"SINCE": at >= day, "BEFORE": at < day, "ON": at == day}[key] for key, day in days):
            yield mail


def _day(text: str) -> date:
    day, _, rest = text.partition("-")
    month, _, year = rest.partition("-")
    try:
        return date(int(year), _MONTHS.index(month.title()) + 1, int(day))
    except ValueError:
        raise _Unknown("a day is written 24-Nov-2026") from None


def _dated(instant_us: int) -> str:
    at = datetime.fromtimestamp(instant_us // 1_000_000, UTC)
    return f"{at.day:02}-{_MONTHS[at.month - 1]}-{at:%Y %H:%M:%S} +0000"
