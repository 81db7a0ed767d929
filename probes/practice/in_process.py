"""The way to a portal in this very process: no sockets, no real time, so that journeys walk it in simulated time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx
from starlette.types import ASGIApp, Message, Scope

#: Seconds that a request of this method to this path is on its way, besides what the portal itself takes.
Latency = Callable[[str, str], float]


class InProcessTransport(httpx.AsyncBaseTransport):
    """Calls an ASGI application as if it were reached over a network; one for each run.

    Args:
        app: what it raises as ConnectionRefusedError or ConnectionResetError becomes what httpx raises for those.
        latency: waited before each request, on the loop's own (possibly simulated) time.
    """

    def __init__(self, app: ASGIApp, *, latency: Latency) -> None:
        self._app = app
        self._latency = latency

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(self._latency(request.method, request.url.path))
        content = await request.aread()
        asked = False
        answered = asyncio.Event()
        status, headers, body = 0, (), bytearray()

        async def receive() -> Message:
            nonlocal asked
            if asked:
                await answered.wait()
                return {"type": "http.disconnect"}
            asked = True
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: Message) -> None:
            nonlocal status, headers
            if message["type"] == "http.response.start":
                status, headers = message["status"], tuple(message.get("headers", ()))
                return
            body.extend(message.get("body", b""))
            if not message.get("more_body", False):
                answered.set()

        try:
            await self._app(_scope(request), receive, send)
        except ConnectionRefusedError as error:
            raise httpx.ConnectError("connection refused") from error
        except ConnectionResetError as error:
            raise httpx.ReadError("connection reset") from error
        stream = httpx.ByteStream(b"" if request.method == "HEAD" else bytes(body))
        return httpx.Response(status, headers=headers, stream=stream)


def _scope(request: httpx.Request) -> Scope:
    url = request.url
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": url.scheme,
        "path": url.path,
        "raw_path": url.raw_path.partition(b"?")[0],
        "query_string": url.query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "server": (url.host, url.port or (443 if url.scheme == "https" else 80)),
        "client": ("127.0.0.1", 50_000),
    }
