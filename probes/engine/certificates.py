"""The certificate check on the wire: by the portal's policy of addresses, its proxy and its client certificate."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import replace

from probes.engine.reach import reach
from probes.engine.settings import Way
from probes.engine.smtp import ask_for_tls, say_goodbye
from probes.errors import refusal
from probes.fault import Fault
from probes.tls import Certified, Handshake
from probes.trail import Trail


async def handshake(check: Certified, way: Way, unverified: Callable[[], ssl.SSLContext], trail: Trail) -> Handshake:
    """What the server shows; asked a second time without verification where the first handshake refused it (T14).

    Raises:
        Fault: dns, connect, tls, or monitor for the way out, where no handshake came about at all.
    """
    try:
        return await shake(check, way, way.context(), trail)
    except Fault as fault:
        if not isinstance(fault.__cause__, ssl.SSLCertVerificationError):
            raise
        refused = refusal(fault.__cause__)
    # Only to read the certificate: nothing is sent over TLS this time, and the refusal stands.
    return replace(await shake(check, way, unverified(), trail), refusal=refused)


async def shake(check: Certified, way: Way, context: ssl.SSLContext, trail: Trail) -> Handshake:
    """One handshake on a connection of its own.

    Raises:
        Fault: dns, connect, protocol, tls, or monitor for the way out.
    """
    connection = await reach(check.host, check.port, way, trail, tunnel=True)
    try:
        if check.starttls is not None:
            await ask_for_tls(connection, trail)
        await connection.secure(context, check.server_name or check.host, trail)
        shown = connection.shown()
        assert shown is not None
        if check.starttls is not None and context.verify_mode is not ssl.CERT_NONE:
            await say_goodbye(connection, trail)
        return shown
    finally:
        await connection.aclose()
