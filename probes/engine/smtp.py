"""The few lines of SMTP that lead to TLS (RFC 3207): banner, EHLO, STARTTLS. No mail is ever sent."""

from __future__ import annotations

import asyncio
import contextlib

from probes.engine.connection import Connection
from probes.errors import printable, quoted
from probes.fault import Fault
from probes.sample import FailureKind
from probes.trail import Trail

#: Beyond this a reply is none: RFC 5321 (4.5.3.1.5) allows 512 bytes a line, servers in use say somewhat more.
_LINE_LIMIT = 2048
_LINES_LIMIT = 100
_GOODBYE_SECONDS = 1.0


async def ask_for_tls(connection: Connection, trail: Trail) -> None:
    """As far as the moment at which TLS begins.

    Raises:
        Fault: protocol, where the other side speaks no SMTP, refuses us or offers no STARTTLS.
    """
    trail.waiting_for = "an SMTP answer"
    await _expect(connection, 220)
    connection.say(b"EHLO [127.0.0.1]\r\n")
    offered = await _expect(connection, 250)
    if not any(line.upper().split()[:1] == ["STARTTLS"] for line in offered[1:]):
        raise Fault(FailureKind.PROTOCOL, connection.where, expected="STARTTLS", found="no STARTTLS offered")
    connection.say(b"STARTTLS\r\n")
    await _expect(connection, 220)


async def say_goodbye(connection: Connection) -> None:
    """QUIT, and a moment for the answer; without one we leave all the same."""
    with contextlib.suppress(Fault, TimeoutError):
        connection.say(b"QUIT\r\n")
        async with asyncio.timeout(_GOODBYE_SECONDS):
            await _expect(connection, 221)


async def _expect(connection: Connection, code: int) -> tuple[str, ...]:
    """The texts of a reply's lines, without the code."""
    texts: list[str] = []
    while True:
        line = (await connection.line(_LINE_LIMIT)).decode("ascii", "replace")
        number, mark, text = line[:3], line[3:4], line[4:]
        if not (number.isdecimal() and mark in ("", " ", "-")) or len(texts) == _LINES_LIMIT:
            raise Fault(FailureKind.PROTOCOL, connection.where, expected="an SMTP answer", found="no SMTP")
        texts.append(text)
        if mark == "-":
            continue
        if int(number) != code:
            found = quoted(printable(line)[:200])
            raise Fault(FailureKind.PROTOCOL, connection.where, expected=f"SMTP {code}", found=found)
        return tuple(texts)
