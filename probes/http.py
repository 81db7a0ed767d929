"""One step's request with all its redirects: phases, caps, cookies and hosts kept.

What is behind it is a transport of httpx: one of the two engines, or one in this process for simulated time.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

import httpcore
import httpx

from probes.cookies import Cookies
from probes.decoding import decoder
from probes.engine.address import Address, address
from probes.engine.exchange import Reply, Request, asked_of
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
_LENGTHS = frozenset({"content-length", "transfer-encoding"})
#: Methods whose requests tell that they carry nothing: RFC 9110, 8.6.
_TELL_LENGTH = frozenset({"POST", "PUT", "PATCH"})


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
        self._exchange = transport.exchange if isinstance(transport, OwnTransport) else partial(asked_of, transport)
        self._headers = {name.lower(): _encoded(name, value) for name, value in headers}
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

    async def ask(self, ask: Ask, trail: Trail, *, since_us: int, allowed: frozenset[str] = frozenset()) -> Response:
        """The last answer, after redirects. `trail` is kept up to date on the way.

        Args:
            since_us: when what is asked began, on the monotonic clock: the answer's duration counts from there.
            allowed: hosts that may be asked besides.

        Raises:
            Fault: for whatever keeps an answer from coming; texts in it are not redacted.
        """
        try:
            return await self._ask(ask, trail, self._allowed | allowed if allowed else self._allowed, since_us)
        except Fault:
            raise
        except Exception as error:
            where = host_of(trail.urls[-1]) if trail.urls else ""
            raise classified(error, where, trail.waiting_for) from error

    async def _ask(self, ask: Ask, trail: Trail, allowed: frozenset[str], since_us: int) -> Response:
        method, body, headers = ask.method, ask.body, ask.headers
        to = address(ask.url)
        origin = to.origin
        seen: set[tuple[str, str, tuple[tuple[str, str], ...]]] = set()
        while True:
            _refuse_stranger(to, allowed)
            seen.add((method, to.text, self.cookies))
            status, told, content = await self._one(method, to, headers, body, trail)
            target = _target(told) if status in _REDIRECTS and ask.follow_redirects else None
            if target is None:
                return Response(
                    status=status,
                    headers=told,
                    url=to.text,
                    body=content,
                    cookies=self.cookies,
                    duration_us=self._monotonic_us() - since_us,
                )
            method_before = method
            if (status == 303 and method != "HEAD") or (status in (301, 302) and method == "POST"):
                method = "GET"
            if method != method_before:
                # RFC 9110, 15.4: the content and what describes it stay behind when the method changes.
                body = b""
                headers = tuple((k, v) for k, v in headers if not k.lower().startswith("content-"))
            to = address(target, to.text)
            if to.origin != origin:
                headers = tuple(
                    (k, v)
                    for k, v in headers
                    if k.lower() not in _PRIVATE_HEADERS and not any(text in v for text in ask.private)
                )
            if (method, to.text, self.cookies) in seen:
                raise Fault(FailureKind.REDIRECT, "redirects", expected="an end", found=f"a loop back to {to.text}")
            if len(seen) > self._max_redirects:
                raise Fault(
                    FailureKind.REDIRECT,
                    "redirects",
                    expected=f"at most {self._max_redirects}",
                    found=f"one more, to {to.text}",
                )

    def _request(
        self, method: str, to: Address, headers: tuple[tuple[str, str], ...], body: bytes, trail: Trail
    ) -> Request:
        own = {name.lower() for name, _ in headers}
        lines = [] if "host" in own else [(b"Host", to.authority)]
        length = () if own & _LENGTHS else ((b"Content-Length", b"%d" % len(body)),)
        if not body and method in _TELL_LENGTH:
            lines += length
        if own.isdisjoint(self._headers):
            lines += self._headers.values()
        else:
            lines += [line for name, line in self._headers.items() if name not in own]
        lines += [_encoded(name, value) for name, value in headers]
        if body:
            lines += length
        if "cookie" not in own and len(self._jar):
            cookies = self._jar.header(host=to.host, path=to.path, secure=to.scheme == "https", now_us=self._now_us())
            if cookies:
                lines.append((b"Cookie", cookies.encode("latin-1")))  # byte by byte as they came
        return Request(method=method, address=to, headers=tuple(lines), body=body, trail=trail)

    async def _one(
        self, method: str, to: Address, headers: tuple[tuple[str, str], ...], body: bytes, trail: Trail
    ) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
        request = self._request(method, to, headers, body, trail)
        trail.begin(to.text, _head(f"{method} {to.text} HTTP/1.1", request.headers), body)
        before, started = trail.phases, self._monotonic_us()
        try:
            reply = await self._exchange(request)
        finally:
            spent, other = self._monotonic_us() - started, trail.phases
            network = other.resolve_us + other.connect_us + other.tls_us
            network -= before.resolve_us + before.connect_us + before.tls_us
            processing = spent - network
            if trail.sent_us:
                # Stamped where it happened: how late the run came to read them is the event loop's time.
                processing = (trail.first_byte_us or self._monotonic_us()) - trail.sent_us
            trail.add(processing_us=max(0, processing))
        told = tuple([(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in reply.headers])
        for name, value in told:
            if name == "set-cookie":
                self._jar.take(value, host=to.host, path=to.path, now_us=self._now_us())
        by_name = _by_name(told)
        trail.status = reply.status
        trail.response_head = _head(
            f"HTTP/{reply.version} {reply.status} {reply.reason.decode('latin-1')}".rstrip(), reply.headers
        )
        trail.http_version = reply.version
        announced = by_name.get("content-length", "")
        trail.content_length = int(announced[:20]) if announced.isdecimal() else -1
        trail.last_modified = by_name.get("last-modified", "")
        trail.waiting_for = "the rest of the answer"
        complete = False
        started = trail.first_byte_us or self._monotonic_us()
        try:
            redirects = reply.status in _REDIRECTS and "location" in by_name
            content = await self._content(reply, by_name, method, trail, passing=redirects)
            complete = True
        finally:
            ended = trail.last_byte_us if complete and trail.last_byte_us else self._monotonic_us()
            trail.add(transfer_us=max(0, ended - started))
            await reply.aclose()
        return reply.status, told, content

    async def _content(
        self, reply: Reply, by_name: Mapping[str, str], method: str, trail: Trail, *, passing: bool
    ) -> bytes:
        cap = self._max_body
        announced = by_name.get("content-length", "")
        if method != "HEAD" and announced.isdecimal() and int(announced[:20]) > cap and not passing:
            raise Fault(
                FailureKind.TOO_LARGE, "body", expected=f"at most {cap} bytes", found=f"{announced} bytes announced"
            )
        decoding = decoder(by_name.get("content-encoding", ""), cap)
        decoded = bytearray()
        received = 0
        async for part in reply.body():
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


def host_of(url: str) -> str:
    """`name:port` of an address, as lists of allowed hosts write it.

    Raises:
        Fault: of kind redirect, where it is no address that can be asked.
    """
    to = address(url)
    return f"{to.host}:{to.port}"


def _refuse_stranger(to: Address, allowed: frozenset[str]) -> None:
    if to.host not in allowed and f"{to.host}:{to.port}" not in allowed:
        raise Fault(
            FailureKind.REDIRECT,
            "host",
            expected=f"one of {', '.join(sorted(allowed))}",
            found=f"{to.host}:{to.port} ({to.text})",
        )


def _encoded(name: str, value: str) -> tuple[bytes, bytes]:
    return name.encode("ascii"), value.encode("ascii")


def _by_name(told: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Headers that are told more than once as one list (RFC 9110, 5.3)."""
    found: dict[str, str] = {}
    for name, value in told:
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _target(told: tuple[tuple[str, str], ...]) -> str | None:
    """Where a redirect leads; some write it in UTF-8 instead of escaping what is not ASCII."""
    location = _by_name(told).get("location")
    if location is None or location.isascii():
        return location
    with contextlib.suppress(UnicodeDecodeError):
        return location.encode("latin-1").decode("utf-8")
    return location


def _head(first: str, headers: tuple[tuple[bytes, bytes], ...]) -> str:
    return "\n".join((first, b"\n".join([name + b": " + value for name, value in headers]).decode("latin-1")))
