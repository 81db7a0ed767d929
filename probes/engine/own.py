"""The house's own engine: HTTP/1.1 over one connection per origin, for one run."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx

from probes.engine.address import address
from probes.engine.answer import Answer
from probes.engine.connection import Connection
from probes.engine.exchange import Headers, Reply, Request
from probes.engine.reach import authority, credentials, reach, reach_safely, request_head
from probes.engine.settings import Way
from probes.fault import Fault
from probes.sample import FailureKind
from probes.tls import note_handshake
from probes.trail import Trail

#: Methods that may be sent again where the connection closed before any byte of an answer: RFC 9110, 9.2.2.
_AGAIN = frozenset({"GET", "HEAD", "PUT", "DELETE"})

Origin = tuple[str, str, int]


class OwnTransport(httpx.AsyncBaseTransport):
    """For one run: its connections are opened by it and closed with it; nothing is kept for the next run."""

    def __init__(self, way: Way) -> None:
        self._way = way
        self._connections: dict[Origin, Connection] = {}

    async def exchange(self, request: Request) -> Reply:
        """Asks; returns as soon as the answer's head is in.

        Raises:
            Fault: for whatever keeps it from coming.
        """
        to, trail = request.address, request.trail
        target = to.target
        extra: Headers = ()
        proxy = self._way.proxy_for(to.host)
        if proxy is not None and to.scheme == "http":
            target = f"http://{authority(to.host, to.port)}".encode("ascii") + target
            extra = credentials(proxy)
        head = request_head(request.method.encode("ascii"), target, (*request.headers, *extra))
        connection = self._connections.get(to.origin)
        if connection is not None and connection.usable:
            try:
                answer = await connection.ask(head, request.body, request.method, trail)
            except Fault as fault:
                # The other side may close an idle connection at the very moment we send: no visitor would notice.
                if fault.kind is not FailureKind.PROTOCOL or connection.heard or request.method not in _AGAIN:
                    raise
                connection = None
        else:
            connection = None
        if connection is None:
            connection = await self._connected(to.origin, trail)
            answer = await connection.ask(head, request.body, request.method, trail)
        _note(connection, trail)
        return _Reply(answer, connection)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The same in httpx's own words, so that its clients may use this engine."""
        reply = await self.exchange(
            Request(
                method=request.method,
                address=address(str(request.url)),
                headers=tuple(request.headers.raw),
                body=await request.aread(),
                trail=request.extensions.get("trail") or Trail(),
            )
        )
        return httpx.Response(
            reply.status,
            headers=reply.headers,
            stream=_Stream(reply),
            extensions={"http_version": b"HTTP/" + reply.version.encode("ascii"), "reason_phrase": reply.reason},
        )

    async def _connected(self, origin: Origin, trail: Trail) -> Connection:
        scheme, host, port = origin
        old = self._connections.pop(origin, None)
        if old is not None:
            await old.aclose()
        if scheme == "https":
            connection = await reach_safely(host, port, self._way, trail)
        else:
            connection = await reach(host, port, self._way, trail, tunnel=False)
        self._connections[origin] = connection
        return connection

    async def aclose(self) -> None:
        for connection in self._connections.values():
            await connection.aclose()
        self._connections.clear()


class _Reply:
    def __init__(self, answer: Answer, connection: Connection) -> None:
        self.status = answer.status
        self.reason = answer.reason
        self.version = answer.version
        self.headers: Headers = tuple(answer.headers)
        self._connection = connection

    def body(self) -> AsyncIterator[bytes]:
        return self._connection.body()

    async def aclose(self) -> None:
        self._connection.done()


class _Stream(httpx.AsyncByteStream):
    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._reply.body()

    async def aclose(self) -> None:
        await self._reply.aclose()


def _note(connection: Connection, trail: Trail) -> None:
    if connection.address and trail.addresses[-1:] != [connection.address]:
        trail.addresses.append(connection.address)  # a connection of an earlier step
    note_handshake(connection.shown(), trail)
