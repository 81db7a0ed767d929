"""The few lines of SMTP that say who is there and lead to TLS (RFC 3207): banner, EHLO, STARTTLS. No mail is ever sent.

What we said is kept in the trail's `request`, what was answered in its `body`.
"""

from __future__ import annotations

import asyncio
import contextlib

from probes.engine.connection import Connection
from probes.errors import printable, quoted
from probes.fault import Fault
from probes.sample import FailureKind
from probes.trail import Trail

#: Who we say we are where nothing else is configured: an address, for we may have no name.
HELLO = "[127.0.0.1]"
#: Beyond this a reply is none: RFC 5321 (4.5.3.1.5) allows 512 bytes a line, servers in use say somewhat more.
_LINE_LIMIT = 2048
_LINES_LIMIT = 100
_GOODBYE_SECONDS = 1.0


async def ask_for_tls(connection: Connection, trail: Trail) -> None:
    """As far as the moment at which TLS begins.

    Raises:
        Fault: protocol, where the other side speaks no SMTP, refuses us or offers no STARTTLS.
    """
    await greeting(connection, trail)
    await begin_tls(connection, await extensions(connection, trail), trail)


async def greeting(connection: Connection, trail: Trail) -> tuple[str, ...]:
    """What the server says first.

    Raises:
        Fault: protocol, where that is no welcome.
    """
    return await _expect(connection, 220, trail)


async def extensions(connection: Connection, trail: Trail, hello: str = HELLO) -> tuple[str, ...]:
    """What the server offers who says EHLO: keywords in upper case.

    Raises:
        Fault: protocol, where it refuses us.
    """
    _say(connection, f"EHLO {hello}", trail)
    lines = await _expect(connection, 250, trail)
    return tuple(words[0].upper() for line in lines[1:] if (words := line.split()))


async def begin_tls(connection: Connection, offered: tuple[str, ...], trail: Trail) -> None:
    """STARTTLS; the handshake is next.

    Raises:
        Fault: protocol, where it is not offered or refused.
    """
    require_starttls(connection, offered)
    _say(connection, "STARTTLS", trail)
    await _expect(connection, 220, trail)


def require_starttls(connection: Connection, offered: tuple[str, ...]) -> None:
    """
    Raises:
        Fault: protocol, where it is not offered.
    """
    if "STARTTLS" not in offered:
        raise Fault(FailureKind.PROTOCOL, connection.where, expected="STARTTLS", found="no STARTTLS offered")


async def say_goodbye(connection: Connection, trail: Trail) -> None:
    """QUIT, and a moment for the answer; without one we leave all the same."""
    with contextlib.suppress(Fault, TimeoutError):
        _say(connection, "QUIT", trail)
        async with asyncio.timeout(_GOODBYE_SECONDS):
            await _expect(connection, 221, trail)


def _say(connection: Connection, line: str, trail: Trail) -> None:
    trail.request += f"{line}\n"
    connection.say(f"{line}\r\n".encode("ascii"))


async def _expect(connection: Connection, code: int, trail: Trail) -> tuple[str, ...]:
    """The texts of a reply's lines, without the code."""
    trail.waiting_for = "an SMTP answer"
    texts: list[str] = []
    while True:
        heard = await connection.line(_LINE_LIMIT)
        trail.body += heard + b"\n"
        line = heard.decode("ascii", "replace")
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
