"""One step's request with all its redirects: phases, caps, cookies and hosts kept. The only place that knows httpx.

What is behind it is a transport: one of the two engines, or one in this process for simulated time.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import httpcore
import httpx

from probes.cookies import Cookies
from probes.decoding import decoder
from probes.engine.faults import classified
from probes.engine.own import OwnTransport
from probes.engine.settings import Way
from probes.engine.stock import StockTransport
from probes.fault import Fault
from probes.response import Response
from probes.sample import FailureKind
from probes.trail import Trail

Transport = httpx.AsyncBaseTransport

#: A redirect's own body is read this far, so that its connection can be used again; a longer one costs the connection.
_REDIRECT_BODY = 64 * 1024
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PRIVATE_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})
_PORTS = {"http": 80, "https": 443}


def way_out(engine: Literal["own", "httpx"], way: Way) -> Transport:
    """A fresh transport for one run, without connections of an earlier one."""
    return OwnTransport(way) if engine == "own" else StockTransport(way)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a step sends first; redirects follow from the answers.

    Attributes:
        url: absolute.
        private: texts that must not travel to another origin; headers holding one are dropped there.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    follow_redirects: bool = True
    private: tuple[str, ...] = ()


class Visitor:
    """One visitor of the portal: a cookie jar and connections of its own, for one run.

    Attributes:
        allowed: hosts that may be asked, as `name` (any port) or `name:port`.
        max_body: cap in bytes, on the wire and after decoding.
    """

    def __init__(
        self,
        *,
        transport: Transport,
        headers: tuple[tuple[str, str], ...],
        allowed: frozenset[str],
        max_body: int,
        max_redirects: int,
        now_us: Callable[[], int],
        monotonic_us: Callable[[], int],
    ) -> None:
        # The transport is used directly: httpx's client would follow or refuse redirects by ideas of its own.
        self._transport = transport
        self._headers = headers
        self._jar = Cookies()
        self._allowed = allowed
        self._max_body = max_body
        self._max_redirects = max_redirects
        self._now_us = now_us
        self._monotonic_us = monotonic_us

    async def aclose(self) -> None:
        """Closes every connection. Never raises for what the other side does then."""
        with contextlib.suppress(httpx.HTTPError, httpcore.NetworkError, OSError):
            await self._transport.aclose()

    @property
    def cookies(self) -> tuple[tuple[str, str], ...]:
        """The jar as (name, value)."""
        return self._jar.pairs(self._now_us()) if len(self._jar) else ()

    async def ask(self, ask: Ask, trail: Trail, *, allowed: frozenset[str] = frozenset()) -> Response:
        """The last answer, after redirects. `trail` is kept up to date on the way.

        Raises:
            Fault: for whatever keeps an answer from coming; texts in it are not redacted.
        """
        try:
            return await self._ask(ask, trail, self._allowed | allowed)
        except Fault:
            raise
        except Exception as error:
            where = host_of(trail.urls[-1]) if trail.urls else ""
            raise classified(error, where, trail.waiting_for) from error

    async def _ask(self, ask: Ask, trail: Trail, allowed: frozenset[str]) -> Response:
        started = self._monotonic_us()
        method, body, headers = ask.method, ask.body, ask.headers
        url = _address(ask.url, ask.url)
        origin = _origin(url)
        seen: set[tuple[str, str, tuple[tuple[str, str], ...]]] = set()
        while True:
            _refuse_stranger(url, allowed)
            seen.add((method, str(url), self.cookies))
            response, content = await self._one(method, url, headers, body, trail)
            target = response.headers.get("location")
            if not ask.follow_redirects or response.status_code not in _REDIRECTS or target is None:
                return Response(
                    status=response.status_code,
                    headers=_headers(response),
                    url=str(url),
                    body=content,
                    cookies=self.cookies,
                    duration_us=(trail.last_byte_us or self._monotonic_us()) - started,
                )
            method_before = method
            if (response.status_code == 303 and method != "HEAD") or (
                response.status_code in (301, 302) and method == "POST"
            ):
                method = "GET"
            if method != method_before:
                # RFC 9110, 15.4: the content and what describes it stay behind when the method changes.
                body = b""
                headers = tuple((k, v) for k, v in headers if not k.lower().startswith("content-"))
            url = _address(target, url)
            if _origin(url) != origin:
                headers = tuple(
                    (k, v)
                    for k, v in headers
                    if k.lower() not in _PRIVATE_HEADERS and not any(text in v for text in ask.private)
                )
            if (method, str(url), self.cookies) in seen:
                raise Fault(FailureKind.REDIRECT, "redirects", expected="an end", found=f"a loop back to {url}")
            if len(seen) > self._max_redirects:
                raise Fault(
                    FailureKind.REDIRECT,
                    "redirects",
                    expected=f"at most {self._max_redirects}",
                    found=f"one more, to {url}",
                )

    async def _one(
        self, method: str, url: httpx.URL, headers: tuple[tuple[str, str], ...], body: bytes, trail: Trail
    ) -> tuple[httpx.Response, bytes]:
        own = {name.lower() for name, _ in headers}
        request = httpx.Request(
            method,
            url,
            headers=[(k, v) for k, v in self._headers if k.lower() not in own] + list(headers),
            content=body if body or method in ("POST", "PUT", "PATCH") else None,
            extensions={"trail": trail},
        )
        path = url.raw_path.partition(b"?")[0].decode("ascii")
        if "cookie" not in own and len(self._jar):
            cookies = self._jar.header(host=url.host, path=path, secure=url.scheme == "https", now_us=self._now_us())
            if cookies:
                request.headers.encoding = "latin-1"  # byte by byte as they came
                request.headers["Cookie"] = cookies
        trail.begin(str(url), _request_head(request), body)
        before, started = trail.phases, self._monotonic_us()
        try:
            response = await self._transport.handle_async_request(request)
        finally:
            spent, other = self._monotonic_us() - started, trail.phases
            network = other.resolve_us + other.connect_us + other.tls_us
            network -= before.resolve_us + before.connect_us + before.tls_us
            processing = spent - network
            if trail.sent_us:
                # Stamped where it happened: how late the run came to read them is the event loop's time.
                processing = (trail.first_byte_us or self._monotonic_us()) - trail.sent_us
            trail.add(processing_us=max(0, processing))
        response.request = request
        for name, value in response.headers.raw:
            if name.lower() == b"set-cookie":
                self._jar.take(value.decode("latin-1"), host=url.host, path=path, now_us=self._now_us())
        trail.status = response.status_code
        trail.response_head = _response_head(response)
        trail.http_version = response.extensions.get("http_version", b"HTTP/1.1").decode("ascii", "replace")[5:]
        announced = response.headers.get("content-length", "")
        trail.content_length = int(announced[:20]) if announced.isdecimal() else -1
        trail.last_modified = response.headers.get("last-modified", "")
        trail.waiting_for = "the rest of the answer"
        complete = False
        started = trail.first_byte_us or self._monotonic_us()
        try:
            redirects = response.status_code in _REDIRECTS and "location" in response.headers
            content = await self._content(response, method, trail, passing=redirects)
            complete = True
        finally:
            ended = trail.last_byte_us if complete and trail.last_byte_us else self._monotonic_us()
            trail.add(transfer_us=max(0, ended - started))
            await response.aclose()
        return response, content

    async def _content(self, response: httpx.Response, method: str, trail: Trail, *, passing: bool) -> bytes:
        cap = self._max_body
        announced = response.headers.get("content-length", "")
        if method != "HEAD" and announced.isdecimal() and int(announced[:20]) > cap and not passing:
            raise Fault(
                FailureKind.TOO_LARGE, "body", expected=f"at most {cap} bytes", found=f"{announced} bytes announced"
            )
        decoding = decoder(response.headers.get("content-encoding", ""), cap)
        decoded = bytearray()
        received = 0
        # As it came over the wire: httpx would decode without a cap.
        assert isinstance(response.stream, httpx.AsyncByteStream)
        async for part in response.stream:
            received += len(part)
            if passing and received > _REDIRECT_BODY:
                break
            if received > cap:
                raise Fault(FailureKind.TOO_LARGE, "body", expected=f"at most {cap} bytes", found="more on the wire")
            decoded += decoding.feed(part)
            # The trail holds what came so far; a slice of a growing buffer each time would cost its square.
            if len(trail.body) < _REDIRECT_BODY:
                trail.body = bytes(decoded[: _REDIRECT_BODY + 1])
        if not passing and received:
            decoding.end()
        trail.body = bytes(decoded)
        return trail.body


def _address(target: str, base: httpx.URL | str) -> httpx.URL:
    try:
        url = httpx.URL(target)
        if url.is_relative_url:
            url = httpx.URL(base).join(url)
        if url.scheme not in _PORTS:
            raise Fault(FailureKind.REDIRECT, "redirect", expected="an address with http or https", found=str(url))
        if not url.host:
            raise Fault(FailureKind.REDIRECT, "redirect", expected="an address with a host", found=str(url))
        # Credentials inside an address would be sent along; a portal has no business to hand us any.
        return url.copy_with(userinfo=b"", fragment=None) if url.userinfo or url.fragment else url
    except (httpx.InvalidURL, ValueError, UnicodeError) as error:
        raise Fault(FailureKind.REDIRECT, "redirect", expected="an address", found=target) from error


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    return url.scheme, url.host, url.port or _PORTS[url.scheme]


@lru_cache(maxsize=64)
def host_of(url: str) -> str:
    """`name:port` of an address, as lists of allowed hosts write it."""
    _, host, port = _origin(httpx.URL(url))
    return f"{host}:{port}"


def _refuse_stranger(url: httpx.URL, allowed: frozenset[str]) -> None:
    _, host, port = _origin(url)
    if host not in allowed and f"{host}:{port}" not in allowed:
        raise Fault(
            FailureKind.REDIRECT,
            "host",
            expected=f"one of {', '.join(sorted(allowed))}",
            found=f"{host}:{port} ({url})",
        )


def _headers(response: httpx.Response) -> tuple[tuple[str, str], ...]:
    return tuple((k.decode("latin-1").lower(), v.decode("latin-1")) for k, v in response.headers.raw)


def _request_head(request: httpx.Request) -> str:
    lines = [f"{request.method} {request.url} HTTP/1.1"]
    lines += [f"{k.decode('latin-1')}: {v.decode('latin-1')}" for k, v in request.headers.raw]
    return "\n".join(lines)


def _response_head(response: httpx.Response) -> str:
    version = response.extensions.get("http_version", b"HTTP/1.1").decode("ascii", "replace")
    reason = response.extensions.get("reason_phrase", b"").decode("latin-1")
    lines = [f"{version} {response.status_code} {reason}".rstrip()]
    lines += [f"{k.decode('latin-1')}: {v.decode('latin-1')}" for k, v in response.headers.raw]
    return "\n".join(lines)
