"""One step's request with all its redirects: phases, caps, cookies and hosts kept. The only place that knows httpx.

What is behind it is a transport: the network's (`NetworkTransport`), or one in this process for simulated time.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache

import httpcore
import httpx

from probes.decoding import decoder
from probes.errors import quoted, refusal, words
from probes.fault import Fault
from probes.response import Response
from probes.sample import FailureKind, Phases
from probes.tls import earliest_not_after_us, shown

Transport = httpx.AsyncBaseTransport

#: How long one of several addresses of a name may take before the next is tried.
_NEXT_ADDRESS_SECONDS = 3.0
#: A redirect's own body is read this far, so that its connection can be used again; a longer one costs the connection.
_REDIRECT_BODY = 64 * 1024
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PRIVATE_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})
_PORTS = {"http": 80, "https": 443}


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


@dataclass(slots=True, kw_only=True)
class Trail:
    """What happened so far, kept up to date while it happens: a deadline may cut in anywhere. Not redacted."""

    urls: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    phases: Phases = field(default_factory=Phases)
    request: str = ""
    response_head: str = ""
    status: int = 0
    body: bytes = b""
    waiting_for: str = ""
    http_version: str = ""
    content_length: int = -1
    last_modified: str = ""
    tls_version: str = ""
    tls_cipher: str = ""
    certificate_not_after_us: int | None = None

    def add(self, **phases: int) -> None:
        self.phases += Phases(**phases)


class _Backend(httpcore.AsyncNetworkBackend):
    """Resolves by itself, so that the phase can be told, and connects to exactly the addresses it resolved."""

    def __init__(self, monotonic_us: Callable[[], int]) -> None:
        self._inner = httpcore.AnyIOBackend()
        self._monotonic_us = monotonic_us
        self.trail = Trail()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        trail = self.trail
        addresses = await self._addresses(host, port)
        started = self._monotonic_us()
        trail.waiting_for = f"a connection to {host}:{port}"
        try:
            for address, later in zip(addresses, [*[True] * (len(addresses) - 1), False], strict=True):
                trail.addresses.append(address)
                try:
                    return await self._inner.connect_tcp(
                        address, port, _NEXT_ADDRESS_SECONDS if later else None, local_address, socket_options
                    )
                except (httpcore.ConnectError, httpcore.ConnectTimeout):
                    if not later:
                        raise
        finally:
            trail.add(connect_us=self._monotonic_us() - started)
        raise AssertionError("a name always has an address here")  # pragma: no cover

    async def _addresses(self, host: str, port: int) -> tuple[str, ...]:
        bare = host.strip("[]")
        try:
            return (str(ipaddress.ip_address(bare)),)
        except ValueError:
            pass
        started = self._monotonic_us()
        self.trail.waiting_for = f"the address of {bare}"
        try:
            found = await asyncio.get_running_loop().getaddrinfo(bare, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise Fault(FailureKind.DNS, bare, expected="an address", found=words(error)) from error
        finally:
            self.trail.add(resolve_us=self._monotonic_us() - started)
        return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))

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


class NetworkTransport(httpx.AsyncBaseTransport):
    """HTTP/1.1 over TCP and TLS for one run: its connections are opened by it and closed with it."""

    def __init__(self, context: ssl.SSLContext, monotonic_us: Callable[[], int]) -> None:
        # At DEBUG it would write every header into the log, cookies and credentials included.
        logging.getLogger("httpcore").setLevel(logging.INFO)
        self._backend = _Backend(monotonic_us)
        self._monotonic_us = monotonic_us
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context, max_connections=4, max_keepalive_connections=4, network_backend=self._backend
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

        answer = await self._pool.handle_async_request(
            httpcore.Request(
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
        )
        _note_connection(answer.extensions.get("network_stream"), trail)
        return httpx.Response(
            status_code=answer.status,
            headers=answer.headers,
            stream=_Body(answer.stream),  # type: ignore[arg-type]
            extensions=answer.extensions,
        )

    async def aclose(self) -> None:
        await self._pool.aclose()


def _note_connection(stream: httpcore.AsyncNetworkStream | None, trail: Trail) -> None:
    address = stream.get_extra_info("server_addr") if stream is not None else None
    if address is not None and trail.addresses[-1:] != [address[0]]:
        trail.addresses.append(address[0])  # a connection of an earlier step
    connection = stream.get_extra_info("ssl_object") if stream is not None else None
    if connection is not None:
        handshake = shown(connection)
        trail.tls_version, trail.tls_cipher = handshake.tls_version, handshake.cipher
        trail.certificate_not_after_us = earliest_not_after_us(handshake.chain)


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
        monotonic_us: Callable[[], int],
    ) -> None:
        # The transport is used directly: httpx's client would follow or refuse redirects by ideas of its own.
        self._transport = transport
        self._headers = headers
        self._jar = httpx.Cookies()
        self._allowed = allowed
        self._max_body = max_body
        self._max_redirects = max_redirects
        self._monotonic_us = monotonic_us

    async def aclose(self) -> None:
        """Closes every connection. Never raises for what the other side does then."""
        with contextlib.suppress(httpx.HTTPError, httpcore.NetworkError, OSError):
            await self._transport.aclose()

    @property
    def cookies(self) -> tuple[tuple[str, str], ...]:
        """The jar as (name, value)."""
        return tuple((cookie.name, cookie.value or "") for cookie in self._jar.jar)

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
            raise classified(error, trail) from error

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
                    duration_us=self._monotonic_us() - started,
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
        if "cookie" not in own:
            self._jar.set_cookie_header(request)
        trail.urls.append(str(url))
        trail.request = _request_head(request)
        trail.response_head, trail.status, trail.body = "", 0, b""
        trail.waiting_for = "an answer"
        before, started = trail.phases, self._monotonic_us()
        try:
            response = await self._transport.handle_async_request(request)
        finally:
            spent, other = self._monotonic_us() - started, trail.phases
            network = other.resolve_us + other.connect_us + other.tls_us
            network -= before.resolve_us + before.connect_us + before.tls_us
            trail.add(processing_us=max(0, spent - network))
        response.request = request
        self._jar.extract_cookies(response)
        trail.status = response.status_code
        trail.response_head = _response_head(response)
        trail.http_version = response.extensions.get("http_version", b"HTTP/1.1").decode("ascii", "replace")[5:]
        announced = response.headers.get("content-length", "")
        trail.content_length = int(announced[:20]) if announced.isdecimal() else -1
        trail.last_modified = response.headers.get("last-modified", "")
        trail.waiting_for = "the rest of the answer"
        started = self._monotonic_us()
        try:
            redirects = response.status_code in _REDIRECTS and "location" in response.headers
            content = await self._content(response, method, trail, passing=redirects)
        finally:
            trail.add(transfer_us=self._monotonic_us() - started)
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


def classified(error: Exception, trail: Trail) -> Fault:
    """Which kind of trouble an exception of the transport is. What nobody foresaw is the monitor's own fault."""
    where = host_of(trail.urls[-1]) if trail.urls else ""
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in chain:
        chain.append(link)
        link = link.__cause__ or link.__context__
    fault = next((link for link in chain if isinstance(link, Fault)), None)
    if fault is not None:
        return fault
    for link in chain:
        if isinstance(link, ssl.SSLCertVerificationError):
            return Fault(FailureKind.TLS, where, expected="a valid certificate", found=refusal(link))
    for link in chain:
        if isinstance(link, ssl.SSLError):
            return Fault(FailureKind.TLS, where, expected="a TLS connection", found=words(link))
    if trail.waiting_for == "the TLS handshake":
        return Fault(FailureKind.TLS, where, expected="a TLS connection", found=next(map(words, reversed(chain))))
    match error:
        case httpcore.ConnectError() | httpx.ConnectError() | httpcore.ConnectTimeout() | httpx.ConnectTimeout():
            own = next((link for link in chain if isinstance(link, OSError) and link.errno in _OWN), None)
            if own is not None:
                return Fault(FailureKind.MONITOR, where, found=words(own))
            return Fault(FailureKind.CONNECT, where, expected="a connection", found=_connect_words(chain))
        case httpcore.TimeoutException() | httpx.TimeoutException():
            return Fault(FailureKind.TIMEOUT, where, found="no answer in time")
        case httpcore.RemoteProtocolError() | httpx.RemoteProtocolError() | httpcore.ReadError() | httpx.ReadError():
            return Fault(FailureKind.PROTOCOL, where, expected="a complete HTTP answer", found=_protocol_words(error))
        case httpcore.WriteError() | httpx.WriteError() | httpx.CloseError():
            return Fault(FailureKind.PROTOCOL, where, expected="a complete HTTP answer", found="connection broken")
        case _:
            return Fault(FailureKind.MONITOR, where, found=quoted(f"{type(error).__name__}: {error}"))


# Too many open files (process, machine), no memory: nothing of it is the portal's doing.
_OWN = frozenset({23, 24, 12, 105})


def _connect_words(chain: list[BaseException]) -> str:
    found = [words(link) for link in chain if isinstance(link, OSError)]
    return found[-1] if found else words(chain[0])


def _protocol_words(error: Exception) -> str:
    text = str(error)
    if "without sending a response" in text:
        return "the connection closed before an answer"
    if "without sending complete message" in text or "incomplete" in text:
        return "the connection closed in the middle of the answer"
    if isinstance(error, httpcore.ReadError | httpx.ReadError):
        return "the connection broke"
    return f"no HTTP: {quoted(text)}" if text else "no HTTP"
