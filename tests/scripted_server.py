"""A server on loopback that does exactly what a test tells it, byte by byte, and a way to send a journey to it."""

from __future__ import annotations

import asyncio
import itertools
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from probes.checks import Journey, Portal
from probes.run import run
from probes.sample import Sample
from probes.setup import Setup
from tests.engines import chosen

#: How much later than its deadline a real run may end on a machine that does a dozen things at once: far less than any
#: target of these tests goes on. That it ends to the microsecond, test_simulated_probing.py holds.
LATE_US = 5_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One request as it came over the wire; header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int


Script = Callable[[Received, asyncio.StreamWriter], Awaitable[None]]


@dataclass(slots=True)
class ScriptedServer:
    """Answers each request by a script; keeps what it received."""

    script: Script
    context: ssl.SSLContext | None = None
    host: str = "127.0.0.1"
    requests: list[Received] = field(default_factory=list)
    port: int = 0
    _connections: int = 0
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    async def __aenter__(self) -> ScriptedServer:
        self._server = await asyncio.start_server(self._serve, self.host, 0, ssl=self.context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._connections += 1
        mine = self._connections
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                method, target, _ = head[0].split(" ")
                headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:] if line)}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                received = Received(method=method, target=target, headers=headers, body=body, connection=mine)
                self.requests.append(received)
                await self.script(received, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError, ssl.SSLError):
            pass
        finally:
            self._tasks.discard(task)
            writer.transport.abort()


def answer(
    body: bytes | str = b"", *, status: int = 200, kind: str = "text/html; charset=utf-8", head: str = ""
) -> bytes:
    """A plain answer; `head` holds further header lines, each ended by CR LF."""
    raw = body.encode() if isinstance(body, str) else body
    return (
        f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(raw)}\r\n{head}\r\n".encode("latin-1")
        + raw
    )


def pages(by_path: Mapping[str, bytes]) -> Script:
    """A script that answers by path (query left out), and 404 for the rest."""

    async def script(received: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(by_path.get(received.target.partition("?")[0], answer("niets hier", status=404)))

    return script


def step(path: str = "/", *, name: str = "stap", **more: Any) -> dict[str, Any]:
    return {"id": name, "path": path, "expect": {"status": 200}, **more}


def journey(*steps: dict[str, Any], **more: Any) -> Journey:
    """A journey of these steps, as a configuration file would hold it; deadline 5 s."""
    table = {"id": "reis", "title": {"nl": "Reis", "en": "Journey"}, "interval": "60s", "deadline": "5s"}
    return Journey.model_validate({**table, "step": list(steps) or [step()], **more})


def setup(base_url: str, *, secrets: Mapping[str, str] | None = None, transport: Any = None, **portal: Any) -> Setup:
    """Real clocks, ids `run-0`, `run-1`, …, and the engine that the test walks over."""
    ids = itertools.count()
    portal = {"engine": chosen.get(), **portal}
    return Setup(
        portal=Portal(name="Proef", base_url=base_url, contact="mailto:proef@example.org", **portal),
        secrets=secrets or {},
        now_us=lambda: time.time_ns() // 1000,  # noqa: TID251 - the tests' edge
        monotonic_us=lambda: time.monotonic_ns() // 1000,
        new_id=lambda: f"run-{next(ids)}",
        transport=transport,
    )


def walked(script: Script, what: Journey, **more: Any) -> tuple[Sample, list[Received]]:
    """Runs a journey once against a server with this script."""

    async def go() -> tuple[Sample, list[Received]]:
        async with ScriptedServer(script) as server:
            way = setup(f"http://127.0.0.1:{server.port}", **more)
            return await run(what, slot_us=0, location="hier", setup=way), server.requests

    return asyncio.run(go())
