"""What the monitor under test sees of the world: a portal, references, a mail server, names and a clock, all ours.

The servers run in a thread of their own, so that whoever plays the faults may wait without stopping them.
"""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from threading import Thread
from typing import Any, Literal

from aiosmtpd.smtp import SMTP

from tests.certificates import LONG_AGO, PAST, Authority
from tests.scripted_server import Received, ScriptedServer, answer
from tests.smtp_server import Mailroom

#: What a visitor of a journey may meet.
Mode = Literal["ok", "500", "hang", "drip", "endless", "bomb", "loop", "headers", "cookies", "garbage"]
HOSTILE: tuple[Mode, ...] = ("hang", "drip", "endless", "bomb", "loop", "headers", "cookies", "garbage")

_BOMB = gzip.compress(bytes(64 * 1024 * 1024))
_SECOND_US = 1_000_000


def now_us() -> int:
    """The true time; the monitor's own may be another where a fault says so."""
    return time.time_ns() // 1000  # noqa: TID251 - the edge of the tests


@dataclass(frozen=True, slots=True)
class Served:
    """A visit the portal received, and whether it answered it well and whole."""

    run_id: str
    journey: str
    at_us: int
    well: bool


@dataclass(slots=True)
class Arrived:
    """A mail the server took, for one recipient."""

    message_id: str
    recipient: str
    subject: str
    at_us: int


class _Postbox(Mailroom):
    """A mailroom that also notes when each mail came, and may refuse us altogether.

    Attributes:
        sender: the answer to MAIL FROM; None takes us.
    """

    arrived: list[Arrived]
    sender: str | None

    def __init__(self) -> None:
        super().__init__()
        self.arrived = []
        self.sender = None

    async def handle_MAIL(self, server: SMTP, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if self.sender is not None:
            return self.sender
        envelope.mail_from = address
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802
        before = len(self.mails)
        said = await super().handle_DATA(server, session, envelope)
        if len(self.mails) > before:
            mail = self.mails[-1]
            self.arrived += [
                Arrived(str(mail["Message-ID"]), to, str(mail["Subject"]), now_us()) for to in envelope.rcpt_tos
            ]
        return said


@dataclass
class World:
    """Start it with `with`; every attribute may be changed while the monitor looks.

    Attributes:
        modes: per journey what its visitors meet; those not named are served well.
        references_up: False closes the door on whoever asks a reference.
        served: every visit so far.
    """

    authority: Authority
    modes: dict[str, Mode] = field(default_factory=dict)
    references_up: bool = True
    served: list[Served] = field(default_factory=list)
    post: _Postbox = field(default_factory=_Postbox)
    portal_port: int = 0
    references_port: int = 0
    smtp_port: int = 0
    https_port: int = 0

    def __enter__(self) -> World:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._do(self._open())
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def post_away(self) -> None:
        """The mail server is gone: nobody listens at its port."""
        self._do(self._post_close())

    def post_silent(self) -> None:
        """Somebody listens at its port, and says nothing."""
        self._do(self._post_close())
        self._do(self._post_open(asyncio.Protocol))

    def post_back(self) -> None:
        self._do(self._post_close())
        self._do(self._post_open())

    def certificate(self, which: Literal["good", "expired", "mismatched"]) -> None:
        """What the portal's encrypted door shows to whoever comes from now on."""
        name = "elders.example" if which == "mismatched" else "127.0.0.1"
        since, until = (LONG_AGO, PAST) if which == "expired" else (None, None)
        self.authority.ca.issue_cert(name, not_before=since, not_after=until).configure_cert(self._context)

    def _do(self, what: Coroutine[Any, Any, None]) -> None:
        waiting: Future[None] = asyncio.run_coroutine_threadsafe(what, self._loop)
        waiting.result(20)

    async def _open(self) -> None:
        self._stack = AsyncExitStack()
        portal = await self._stack.enter_async_context(ScriptedServer(self._portal))
        references = await self._stack.enter_async_context(ScriptedServer(self._reference))
        self._context = self.authority.server("127.0.0.1")
        https = await self._stack.enter_async_context(ScriptedServer(self._portal, context=self._context))
        self.portal_port, self.references_port, self.https_port = portal.port, references.port, https.port
        await self._post_open()

    async def _close(self) -> None:
        await self._post_close()
        await self._stack.aclose()

    async def _post_open(self, speaker: Callable[[], asyncio.BaseProtocol] | None = None) -> None:
        self._smtp = await self._loop.create_server(
            speaker or (lambda: SMTP(self.post, hostname="localhost")), "127.0.0.1", self.smtp_port
        )
        self.smtp_port = self._smtp.sockets[0].getsockname()[1]

    async def _post_close(self) -> None:
        self._smtp.close()
        await asyncio.sleep(0)

    async def _reference(self, _: Received, writer: asyncio.StreamWriter) -> None:
        if self.references_up:
            writer.write(answer("hier"))
        else:
            writer.transport.abort()

    async def _portal(self, received: Received, writer: asyncio.StreamWriter) -> None:
        journey = received.target.strip("/").partition("/")[0]
        mode = self.modes.get(journey, "ok")
        at_us = now_us()
        try:
            await _ANSWERS[mode](received, writer)
            await writer.drain()
        finally:
            run_id = received.headers.get("x-loketwacht-run", "")
            self.served.append(Served(run_id, journey, at_us, mode == "ok"))


async def _ok(_: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(answer("goed"))


async def _500(_: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(answer("stuk", status=500))


async def _hang(_: Received, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def _drip(_: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(600):
        writer.write(b"g")
        await writer.drain()
        await asyncio.sleep(0.1)


async def _endless(_: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    for _ in range(4096):
        writer.write(b"goed" * 16384)
        await writer.drain()


async def _bomb(_: Received, writer: asyncio.StreamWriter) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(_BOMB)}\r\n\r\n"
    writer.write(head.encode() + _BOMB)


async def _loop(received: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(answer(status=302, head=f"Location: {received.target}\r\n"))


async def _headers(_: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(answer("goed", head=f"X-Groot: {'g' * 2_000_000}\r\n"))


async def _cookies(_: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(answer("goed", head="".join(f"Set-Cookie: k{i}={'v' * 4000}\r\n" for i in range(500))))


async def _garbage(_: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x00\xff dit is geen HTTP \r\n\r\n" * 64)


_ANSWERS: dict[Mode, Any] = {
    "ok": _ok,
    "500": _500,
    "hang": _hang,
    "drip": _drip,
    "endless": _endless,
    "bomb": _bomb,
    "loop": _loop,
    "headers": _headers,
    "cookies": _cookies,
    "garbage": _garbage,
}
