"""The door in front of an ASGI application, where requests meet what was broken on purpose.

What belongs to the connection is raised: ConnectionRefusedError where the visitor must not get in, ConnectionResetError
where the connection breaks. A listener turns that into a TCP reset; in-process transports hand it to their client.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable

from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from probes.practice.faults import Fault, FaultBoard
from probes.practice.rendering import Pages

_CHUNK = 64 * 1024


class FaultGate:
    """Lets a request through to `app`, unless `board` says that it suffers.

    Args:
        path_of: what is compared with the path of a fault; None lets the request through unharmed.
    """

    def __init__(
        self, app: ASGIApp, *, board: FaultBoard, pages: Pages, path_of: Callable[[Scope], str | None]
    ) -> None:
        self._app = app
        self._board = board
        self._pages = pages
        self._path_of = path_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = self._path_of(scope) if scope["type"] == "http" else None
        if path is None or not self._board.active():
            await self._app(scope, receive, send)
            return
        await self._meet(path, receive)
        answer = self._instead(scope, path)
        drip = self._board.hit("drip", path)
        reset = self._board.hit("reset", path)
        if drip is None and reset is None:
            await (answer or self._app)(scope, receive, send)
            return
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await (answer or self._app)(scope, receive, keep)
        start = messages[0]
        body = b"".join(m.get("body", b"") for m in messages[1:])
        if drip is not None:
            await _drip(start, body, send, bytes_per_second=drip.values["bytes_per_second"])
            return
        await send(start)
        if len(body) > 1:
            await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        raise ConnectionResetError("the practice portal breaks this connection on purpose")

    async def _meet(self, path: str, receive: Receive) -> None:
        """What a visitor meets before the portal answers at all."""
        if self._board.hit("refuse", path) is not None:
            raise ConnectionRefusedError("the practice portal refuses this connection on purpose")
        hang = self._board.hit("hang", path)
        if hang is not None:
            await self._hang(hang, receive)
        delay = self._board.hit("delay", path)
        if delay is not None:
            await asyncio.sleep(delay.values["delay_ms"] / 1000)

    async def _hang(self, fault: Fault, receive: Receive) -> None:
        """Answers nothing until the visitor goes or the fault is mended; then the connection breaks."""
        gone = asyncio.ensure_future(departure(receive))
        try:
            while self._board.still(fault) and not gone.done():
                await asyncio.wait({gone}, timeout=0.25)
        finally:
            gone.cancel()
        raise ConnectionResetError("the practice portal never answered this request, on purpose")

    def _instead(self, scope: Scope, path: str) -> Response | None:
        """What is answered in the portal's place; None where the portal answers itself."""
        hit = self._board.hit
        if path.startswith("/op") and (fault := hit("idp-down", path)):
            return HTMLResponse(self._pages.render("idp_down.html.j2"), status_code=fault.values["status"])
        if fault := hit("status-500", path):
            return HTMLResponse(self._pages.render("interne_fout.html.j2"), status_code=fault.values["status"])
        if hit("maintenance-200", path):
            return HTMLResponse(self._pages.render("onderhoud.html.j2"))
        if fault := hit("maintenance-503", path):
            headers = {"retry-after": str(fault.values["retry_after"])}
            return HTMLResponse(self._pages.render("onderhoud.html.j2"), status_code=503, headers=headers)
        if hit("bot-check", path):
            return HTMLResponse(self._pages.render("robotcontrole.html.j2"))
        if hit("redirect-loop", path):
            query = scope["query_string"].decode("latin-1")
            return RedirectResponse(scope["path"] + (f"?{query}" if query else ""), status_code=302)
        if fault := hit("huge-body", path):
            return StreamingResponse(_filler(fault.values["bytes"]), media_type="text/html")
        if fault := hit("gzip-bomb", path):
            bomb = _gzip_bomb(fault.values["bytes"])
            return StreamingResponse(bomb, media_type="text/html", headers={"content-encoding": "gzip"})
        return None


async def reference_target(scope: Scope, receive: Receive, send: Send) -> None:
    """A target that is always well, for a monitor that wonders whether it can reach anything at all."""
    if scope["type"] == "http":
        await PlainTextResponse("ok\n", headers={"cache-control": "no-store"})(scope, receive, send)


async def departure(receive: Receive) -> None:
    """Returns when the visitor is gone. What was still coming in is thrown away."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _drip(start: Message, body: bytes, send: Send, *, bytes_per_second: int) -> None:
    await send(start)
    size = max(1, bytes_per_second // 10)
    for begin in range(0, len(body), size):
        await send({"type": "http.response.body", "body": body[begin : begin + size], "more_body": True})
        await asyncio.sleep(size / bytes_per_second)
    await send({"type": "http.response.body", "body": b""})


async def _filler(size: int) -> AsyncIterator[bytes]:
    line = b"<p>Dit is vulling van het oefenportaal.</p>\n"
    block = (line * (_CHUNK // len(line) + 1))[:_CHUNK]
    while size > 0:
        yield block[:size]
        size -= len(block)
        await asyncio.sleep(0)


async def _gzip_bomb(size: int) -> AsyncIterator[bytes]:
    squeeze = zlib.compressobj(level=6, wbits=31)
    block = bytes(1024 * 1024)
    while size > 0:
        squeezed = squeeze.compress(block[:size])
        size -= len(block)
        if squeezed:
            yield squeezed
        await asyncio.sleep(0)
    yield squeeze.flush()
