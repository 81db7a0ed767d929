"""Ports and mail servers: connected to by the portal's way, listened to, and left without having changed anything."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass, replace

from probes.engine.certificates import shake
from probes.engine.connection import Connection
from probes.engine.reach import reach
from probes.engine.settings import Way
from probes.engine.smtp import begin_tls, extensions, greeting, require_starttls, say_goodbye
from probes.errors import printable, quoted, refusal
from probes.fault import Fault
from probes.reachability import MailServerCheck, PortCheck, Said
from probes.reading import Reading
from probes.regexes import TooSlowError, may_wait, search_at_once, search_bounded
from probes.sample import FailureKind
from probes.tls import facts, verdict
from probes.trail import Trail

#: What is said beyond this is not listened to.
HEARD_LIMIT = 16 * 1024
_TOLD = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What it takes to get there.

    Attributes:
        way: by which connections are made; its trust offers no HTTP.
        unverified: trusts anybody, to read a certificate that was refused.
        now_us: the wall clock.
    """

    way: Way
    unverified: Callable[[], ssl.SSLContext]
    now_us: Callable[[], int]


async def try_port(check: PortCheck, outside: Outside, reading: Reading) -> None:
    """Connects, listens, says its line, listens again.

    Raises:
        Fault: dns, connect, tls, certificate, assertion or protocol; monitor, where the fault is ours.
    """
    trail = reading.trail
    trail.request = f";; {check.host}:{check.port}\n"
    connection = await reach(check.host, check.port, outside.way, trail, tunnel=True)
    try:
        if check.tls:
            await _secure(check, connection, outside, reading)
        if check.banner is not None:
            await _hear(connection, check.banner, "banner", outside, reading)
        if check.send is not None and check.answer is not None:
            trail.request += f"{check.send}\n"
            connection.say(f"{check.send}\r\n".encode())
            await _hear(connection, check.answer, "answer", outside, reading)
    finally:
        await connection.aclose()


async def try_mail_server(check: MailServerCheck, outside: Outside, reading: Reading) -> None:
    """Banner, EHLO, TLS as the check wants it, EHLO again, QUIT.

    Raises:
        Fault: dns, connect, tls, certificate, assertion or protocol; monitor, where the fault is ours.
    """
    trail = reading.trail
    trail.request = f";; {check.host}:{check.port}\n"
    connection = await reach(check.host, check.port, outside.way, trail, tunnel=True)
    began = outside.way.monotonic_us()
    try:
        if check.security == "tls":
            await _secure(check, connection, outside, reading)
        banner = "\n".join(await greeting(connection, trail))
        if check.banner is not None and not await _said(check.banner, banner):
            raise _unsaid(check.banner, "banner", banner)
        offered = await extensions(connection, trail, check.hello)
        if check.security == "offered":
            require_starttls(connection, offered)
        if check.security == "starttls":
            await begin_tls(connection, offered, trail)
            await _secure(check, connection, outside, reading)
            # What was offered before TLS is forgotten, for anybody could have said it (RFC 3207, 4.2).
            offered = await extensions(connection, trail, check.hello)
        missing = tuple(name for name in check.extensions if name not in offered)
        if missing:
            found = ", ".join(map(quoted, offered)) or "nothing"
            raise Fault(FailureKind.ASSERTION, "EHLO", expected=", ".join(map(quoted, missing)), found=found)
        await say_goodbye(connection, trail)
    except Fault as fault:
        if fault.kind is FailureKind.ASSERTION:
            # It is a mail server, only not as it should be: it is left as one leaves a mail server.
            reading.so_far = fault
            await say_goodbye(connection, trail)
        raise
    finally:
        trail.add(processing_us=max(0, outside.way.monotonic_us() - began - trail.phases.tls_us))
        await connection.aclose()


async def _secure(
    check: PortCheck | MailServerCheck, connection: Connection, outside: Outside, reading: Reading
) -> None:
    """TLS with a certificate to trust; one that is not is read all the same, over a connection of its own."""
    try:
        await connection.secure(outside.way.context(), check.server_name or check.host, reading.trail)
        shown = connection.shown()
        assert shown is not None
    except Fault as fault:
        if not isinstance(fault.__cause__, ssl.SSLCertVerificationError):
            raise
        refused = refusal(fault.__cause__)
        shown = replace(await shake(check, outside.way, outside.unverified(), Trail()), refusal=refused)
    reading.certificate = facts(check.host, shown)
    wrong = verdict(check, reading.certificate, shown.refusal, outside.now_us())
    if wrong is not None:
        raise wrong


async def _hear(connection: Connection, wanted: Said, what: str, outside: Outside, reading: Reading) -> None:
    """Listens until what is wanted was said.

    Raises:
        Fault: assertion, where the other side ends or goes on without having said it; protocol, where it says nothing.
    """
    trail = reading.trail
    trail.waiting_for = f"the {what}"
    began = outside.way.monotonic_us()
    heard = b""
    try:
        while len(heard) < HEARD_LIMIT:
            try:
                heard = (heard + await connection.said())[:HEARD_LIMIT]
            except Fault as fault:
                if reading.so_far is None:
                    raise Fault(fault.kind, fault.subject, expected=_wanted(wanted), found=fault.found) from fault
                break
            text = heard.decode("utf-8", "replace").replace("\r\n", "\n")
            if await _said(wanted, text):
                reading.so_far = None
                return
            reading.so_far = _unsaid(wanted, what, text)
        assert reading.so_far is not None
        raise reading.so_far
    finally:
        trail.add(processing_us=outside.way.monotonic_us() - began)
        trail.body += heard.replace(b"\r\n", b"\n")


async def _said(wanted: Said, text: str) -> bool:
    if wanted.contains is not None and wanted.contains not in text:
        return False
    if wanted.matches is None:
        return True
    if not may_wait(wanted.matches, len(text)):
        return search_at_once(wanted.matches, text) is not None
    try:
        return await asyncio.to_thread(search_bounded, wanted.matches, text) is not None
    except TooSlowError as error:
        # The expression is ours: nobody else is to blame for it.
        raise Fault(FailureKind.MONITOR, "regex", expected="an answer in time", found=quoted(str(error))) from error


def _unsaid(wanted: Said, what: str, text: str) -> Fault:
    return Fault(FailureKind.ASSERTION, what, expected=_wanted(wanted), found=quoted(printable(text)[:_TOLD]))


def _wanted(wanted: Said) -> str:
    parts = (
        f"contains {quoted(wanted.contains)}" if wanted.contains is not None else "",
        f"matches {quoted(wanted.matches)}" if wanted.matches is not None else "",
    )
    return " and ".join(filter(None, parts))
