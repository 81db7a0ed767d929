"""A request and its answer as both engines have them, and how transports of httpx come to speak of the same."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

import httpx

from probes.engine.address import Address
from probes.trail import Trail

Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked.

    Attributes:
        headers: all of them, as they go on the wire; `Host` and what tells the body's length included.
        trail: kept up to date on the way.
    """

    method: str
    address: Address
    headers: Headers
    body: bytes = b""
    trail: Trail


class Reply(Protocol):
    """An answer whose head is in.

    Attributes:
        version: such as `1.1`.
        headers: as they came.
    """

    @property
    def status(self) -> int: ...
    @property
    def reason(self) -> bytes: ...
    @property
    def version(self) -> str: ...
    @property
    def headers(self) -> Headers: ...

    def body(self) -> AsyncIterator[bytes]:
        """The body as sent, content codings not undone, in pieces as they come."""

    async def aclose(self) -> None:
        """The body is read, or given up."""


class _Told:
    """The answer of a transport of httpx."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self.status = response.status_code
        self.headers: Headers = tuple(response.headers.raw)
        self.reason: bytes = response.extensions.get("reason_phrase", b"")
        self.version: str = response.extensions.get("http_version", b"HTTP/1.1").decode("ascii", "replace")[5:]

    def body(self) -> AsyncIterator[bytes]:
        # As it came over the wire: httpx would decode without a cap.
        assert isinstance(self._response.stream, httpx.AsyncByteStream)
        return aiter(self._response.stream)

    async def aclose(self) -> None:
        await self._response.aclose()


async def asked_of(transport: httpx.AsyncBaseTransport, request: Request) -> Reply:
    """Has a transport of httpx ask."""
    asked = httpx.Request(
        request.method,
        request.address.text,
        headers=list(request.headers),
        content=request.body or None,
        extensions={"trail": request.trail},
    )
    response = await transport.handle_async_request(asked)
    response.request = asked
    return _Told(response)
