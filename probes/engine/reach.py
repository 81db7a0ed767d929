"""A connection as far as a host and port, directly or through the proxy: what journeys and certificate checks share."""

from __future__ import annotations

import ssl

from probes.engine.connection import Connection, dial
from probes.engine.settings import Proxy, Way, refused_by_proxy
from probes.fault import Fault
from probes.sample import FailureKind
from probes.tls import signers_of
from probes.trail import Trail


async def reach(host: str, port: int, way: Way, trail: Trail, *, tunnel: bool) -> Connection:
    """A connection that obeys the portal's policy of addresses, its pinned addresses and its proxy.

    Args:
        tunnel: whether a proxy is asked to `CONNECT`; without it the proxy itself is at the other end.

    Raises:
        Fault: dns or connect; monitor, where the way out is at fault and not the host.
    """
    proxy = way.proxy_for(host)
    if proxy is None:
        addresses = await way.names.addresses(host, port, trail)
        return await dial(shown_host(host), port, addresses, trail, way.monotonic_us)
    try:
        addresses = await way.names.addresses(proxy.host, proxy.port, trail)
        connection = await dial(proxy.host, proxy.port, addresses, trail, way.monotonic_us)
    except Fault as fault:
        # The way out is ours, not the portal's.
        raise Fault(FailureKind.MONITOR, "proxy", expected=fault.expected, found=fault.found) from fault
    if tunnel:
        try:
            await _tunnel(connection, proxy, host, port, trail)
        except BaseException:
            await connection.aclose()
            raise
    connection.where = f"{shown_host(host)}:{port}"
    return connection


async def reach_safely(host: str, port: int, way: Way, trail: Trail) -> Connection:
    """A connection over TLS, whose certificate is verified.

    Raises:
        Fault: as `reach` does, or of kind tls.
    """
    known = way.signers.found.get((host, port)) if way.signers is not None else None
    if known is not None:
        try:
            return await _secured(host, port, way, way.context(signers=known), trail)
        except Fault as fault:
            if way.signers is None or not isinstance(fault.__cause__, ssl.SSLCertVerificationError):
                raise
            # Signed by somebody else since? All authorities tell; only they refuse a certificate.
            way.signers.found.pop((host, port), None)
    connection = await _secured(host, port, way, way.context(), trail)
    shown = connection.shown()
    if way.signers is not None and shown is not None and (signers := signers_of(shown.chain)) is not None:
        way.signers.found[host, port] = signers
    return connection


async def _secured(host: str, port: int, way: Way, context: ssl.SSLContext, trail: Trail) -> Connection:
    connection = await reach(host, port, way, trail, tunnel=True)
    try:
        await connection.secure(context, host, trail)
    except BaseException:
        await connection.aclose()
        raise
    return connection


async def _tunnel(connection: Connection, proxy: Proxy, host: str, port: int, trail: Trail) -> None:
    target = authority(host, port, always=True).encode("ascii")
    head = request_head(b"CONNECT", target, ((b"Host", target), *credentials(proxy)))
    try:
        answer = await connection.ask(head, b"", "CONNECT", trail)
    except Fault as fault:
        raise Fault(FailureKind.MONITOR, "proxy", expected=fault.expected, found=fault.found) from fault
    if not 200 <= answer.status < 300:
        raise refused_by_proxy(answer.status, f"{host}:{port}")
    connection.done()


def credentials(proxy: Proxy) -> tuple[tuple[bytes, bytes], ...]:
    """The header that tells a proxy who we are; none where it asks for nothing."""
    return () if proxy.credentials is None else ((b"Proxy-Authorization", proxy.credentials.encode("ascii")),)


def authority(host: str, port: int, *, always: bool = False) -> str:
    """`host:port`; without `always`, port 80 goes without saying."""
    shown = shown_host(host)
    return f"{shown}:{port}" if always or port != 80 else shown


def shown_host(host: str) -> str:
    """An IPv6 address in brackets; any other host as it is."""
    return f"[{host}]" if ":" in host else host


def request_head(method: bytes, target: bytes, headers: tuple[tuple[bytes, bytes], ...]) -> bytes:
    """The head of a request.

    Raises:
        Fault: monitor, where a line's end stands inside a header.
    """
    lines = [method + b" " + target + b" HTTP/1.1"]
    lines += [name + b": " + value for name, value in headers]
    head = b"\r\n".join(lines)
    breaks = len(lines) - 1
    if head.count(b"\n") != breaks or head.count(b"\r") != breaks or b"\0" in head:
        # A captured value with a line's end in it would write headers of its own.
        raise Fault(FailureKind.MONITOR, "headers", expected="one line each", found="a line's end inside a header")
    return head + b"\r\n\r\n"
