"""Stock httpx: the engine to fall back on, and the reference that ours is held against."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

import httpcore
import httpx

from probes.engine.settings import NEXT_ADDRESS_SECONDS, Way, refused_by_proxy
from probes.errors import words
from probes.fault import Fault
from probes.sample import FailureKind
from probes.tls import note_handshake, read_handshake
from probes.trail import Trail


class _Backend(httpcore.AsyncNetworkBackend):
    """Resolves by itself, so that the phase can be told, and connects to exactly the addresses it resolved."""

    def __init__(self, way: Way) -> None:
        self._inner = httpcore.AnyIOBackend()
        self._way = way
        self._monotonic_us = way.monotonic_us
        self.trail = Trail()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        proxy = self._way.proxy
        try:
            addresses = await self._way.names.addresses(host, port, self.trail)
            return await self._to_one_of(addresses, host, port, local_address, socket_options)
        except Exception as error:
            if proxy is not None and (host, port) == (proxy.host, proxy.port):
                # The way out is ours, not the portal's.
                found = error.found if isinstance(error, Fault) else words(error.__cause__ or error)
                raise Fault(FailureKind.MONITOR, "proxy", expected="a connection", found=found) from error
            raise

    async def _to_one_of(
        self,
        addresses: tuple[str, ...],
        host: str,
        port: int,
        local_address: str | None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None,
    ) -> httpcore.AsyncNetworkStream:
        trail, started = self.trail, self._monotonic_us()
        trail.waiting_for = f"a connection to {host}:{port}"
        try:
            for address, later in zip(addresses, [*[True] * (len(addresses) - 1), False], strict=True):
                try:
                    with trail.trying(address):
                        return await self._inner.connect_tcp(
                            address, port, NEXT_ADDRESS_SECONDS if later else None, local_address, socket_options
                        )
                except (httpcore.ConnectError, httpcore.ConnectTimeout):
                    if not later:
                        raise
        finally:
            trail.add(connect_us=self._monotonic_us() - started)
        raise AssertionError("a name always has an address here")  # pragma: no cover

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class _Body(httpx.AsyncByteStream):
    def __init__(self, stream: AsyncIterator[bytes]) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            yield part

    async def aclose(self) -> None:
        close = getattr(self._stream, "aclose", None)
        if close is not None:
            await close()


class StockTransport(httpx.AsyncBaseTransport):
    """HTTP/1.1 over TCP and TLS for one run: its connections are opened by it and closed with it."""

    def __init__(self, way: Way) -> None:
        # At DEBUG it would write every header into the log, cookies and credentials included.
        logging.getLogger("httpcore").setLevel(logging.INFO)
        self._way = way
        self._backend = _Backend(way)
        self._monotonic_us = way.monotonic_us
        self._direct = httpcore.AsyncConnectionPool(
            ssl_context=way.context(), max_connections=4, max_keepalive_connections=4, network_backend=self._backend
        )
        self._proxied: httpcore.AsyncConnectionPool | None = None
        if way.proxy is not None:
            credentials = way.proxy.credentials
            self._proxied = httpcore.AsyncHTTPProxy(
                proxy_url=httpcore.URL(scheme="http", host=way.proxy.host, port=way.proxy.port, target="/"),
                proxy_headers=[("Proxy-Authorization", credentials)] if credentials is not None else None,
                ssl_context=way.context(),
                max_connections=4,
                max_keepalive_connections=4,
                network_backend=self._backend,
            )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        trail = request.extensions.get("trail", Trail())
        self._backend.trail = trail
        tls_started = 0

        async def trace(event: str, info: dict[str, object]) -> None:
            nonlocal tls_started
            if event == "connection.start_tls.started":
                tls_started = self._monotonic_us()
                trail.waiting_for = "the TLS handshake"
            elif event.startswith("connection.start_tls."):
                trail.add(tls_us=self._monotonic_us() - tls_started)
            elif event == "http11.send_request_headers.started":
                trail.waiting_for = "the request to be taken"
            elif event == "http11.receive_response_headers.started":
                trail.waiting_for = "an answer"

        pool = self._proxied if self._way.proxy_for(request.url.host) is not None else self._direct
        asked = self._asked(request, trace)
        try:
            answer = await (pool or self._direct).handle_async_request(asked)
        except httpcore.ProxyError as error:
            status = str(error).partition(" ")[0]
            raise refused_by_proxy(int(status) if status.isdecimal() else 0, request.url.host) from error
        _note_connection(answer.extensions.get("network_stream"), trail)
        return httpx.Response(
            status_code=answer.status,
            headers=answer.headers,
            stream=_Body(answer.stream),  # type: ignore[arg-type]
            extensions=answer.extensions,
        )

    @staticmethod
    def _asked(request: httpx.Request, trace: Callable[[str, dict[str, object]], Awaitable[None]]) -> httpcore.Request:
        return httpcore.Request(
            method=request.method,
            url=httpcore.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions={"trace": trace},
        )

    async def aclose(self) -> None:
        await self._direct.aclose()
        if self._proxied is not None:
            await self._proxied.aclose()


def _note_connection(stream: httpcore.AsyncNetworkStream | None, trail: Trail) -> None:
    address = stream.get_extra_info("server_addr") if stream is not None else None
    if address is not None and trail.addresses[-1:] != [address[0]]:
        trail.addresses.append(address[0])  # a connection of an earlier step
    connection = stream.get_extra_info("ssl_object") if stream is not None else None
    note_handshake(read_handshake(connection) if connection is not None else None, trail)
