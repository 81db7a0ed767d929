"""The house's own engine: HTTP/1.1 over one connection per origin, for one run."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx

from probes.engine.connection import Connection, dial
from probes.engine.settings import Proxy, Way, refused_by_proxy
from probes.fault import Fault
from probes.sample import FailureKind
from probes.tls import note_handshake
from probes.trail import Trail

_PORTS = {"http": 80, "https": 443}
#: Methods that may be sent again where the connection closed before any byte of an answer: RFC 9110, 9.2.2.
_AGAIN = frozenset({"GET", "HEAD", "PUT", "DELETE"})

Origin = tuple[str, str, int]


class OwnTransport(httpx.AsyncBaseTransport):
    """For one run: its connections are opened by it and closed with it; nothing is kept for the next run."""

    def __init__(self, way: Way) -> None:
        self._way = way
        self._connections: dict[Origin, Connection] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        trail: Trail = request.extensions.get("trail") or Trail()
        url = request.url
        origin = (url.scheme, url.host, url.port or _PORTS[url.scheme])
        proxy = self._way.proxy_for(url.host)
        body = await request.aread()
        target = url.raw_path
        extra: tuple[tuple[bytes, bytes], ...] = ()
        if proxy is not None and url.scheme == "http":
            target = f"http://{_authority(url.host, origin[2])}".encode("ascii") + target
            extra = _credentials(proxy)
        head = _head(request.method.encode("ascii"), target, (*request.headers.raw, *extra))
        connection = self._connections.get(origin)
        if connection is not None and connection.usable:
            try:
                answer = await connection.ask(head, body, request.method, trail)
            except Fault as fault:
                # The other side may close an idle connection at the very moment we send: no visitor would notice.
                if fault.kind is not FailureKind.PROTOCOL or connection.heard or request.method not in _AGAIN:
                    raise
                connection = None
        else:
            connection = None
        if connection is None:
            connection = await self._connected(origin, proxy, trail)
            answer = await connection.ask(head, body, request.method, trail)
        _note(connection, trail)
        return httpx.Response(
            answer.status,
            headers=answer.headers,
            stream=_Body(connection),
            extensions={"http_version": b"HTTP/" + answer.version.encode("ascii"), "reason_phrase": answer.reason},
        )

    async def _connected(self, origin: Origin, proxy: Proxy | None, trail: Trail) -> Connection:
        scheme, host, port = origin
        old = self._connections.pop(origin, None)
        if old is not None:
            await old.aclose()
        way = self._way
        if proxy is None:
            addresses = await way.names.addresses(host, port, trail)
            connection = await dial(_shown(host), port, addresses, trail, way.monotonic_us)
        else:
            try:
                addresses = await way.names.addresses(proxy.host, proxy.port, trail)
                connection = await dial(proxy.host, proxy.port, addresses, trail, way.monotonic_us)
            except Fault as fault:
                # The way out is ours, not the portal's.
                raise Fault(FailureKind.MONITOR, "proxy", expected=fault.expected, found=fault.found) from fault
        self._connections[origin] = connection
        if scheme == "https":
            if proxy is not None:
                await self._tunnel(connection, proxy, host, port, trail)
            connection.where = f"{_shown(host)}:{port}"
            await connection.secure(way.context(), host, trail)
        else:
            connection.where = f"{_shown(host)}:{port}"
        return connection

    async def _tunnel(self, connection: Connection, proxy: Proxy, host: str, port: int, trail: Trail) -> None:
        target = _authority(host, port, always=True).encode("ascii")
        head = _head(b"CONNECT", target, ((b"Host", target), *_credentials(proxy)))
        try:
            answer = await connection.ask(head, b"", "CONNECT", trail)
        except Fault as fault:
            raise Fault(FailureKind.MONITOR, "proxy", expected=fault.expected, found=fault.found) from fault
        if not 200 <= answer.status < 300:
            raise refused_by_proxy(answer.status, f"{host}:{port}")
        connection.done()

    async def aclose(self) -> None:
        for connection in self._connections.values():
            await connection.aclose()
        self._connections.clear()


class _Body(httpx.AsyncByteStream):
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._connection.body()

    async def aclose(self) -> None:
        self._connection.done()


def _credentials(proxy: Proxy) -> tuple[tuple[bytes, bytes], ...]:
    return () if proxy.credentials is None else ((b"Proxy-Authorization", proxy.credentials.encode("ascii")),)


def _authority(host: str, port: int, *, always: bool = False) -> str:
    shown = _shown(host)
    return f"{shown}:{port}" if always or port != 80 else shown


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _head(method: bytes, target: bytes, headers: tuple[tuple[bytes, bytes], ...]) -> bytes:
    lines = [method + b" " + target + b" HTTP/1.1"]
    lines += [name + b": " + value for name, value in headers]
    head = b"\r\n".join(lines)
    breaks = len(lines) - 1
    if head.count(b"\n") != breaks or head.count(b"\r") != breaks or b"\0" in head:
        # A captured value with a line's end in it would write headers of its own.
        raise Fault(FailureKind.MONITOR, "headers", expected="one line each", found="a line's end inside a header")
    return head + b"\r\n\r\n"


def _note(connection: Connection, trail: Trail) -> None:
    if connection.address and trail.addresses[-1:] != [connection.address]:
        trail.addresses.append(connection.address)  # a connection of an earlier step
    note_handshake(connection.shown(), trail)
