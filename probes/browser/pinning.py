"""Names looked up for the browser before it starts, by the rules of all journeys, so that it never looks one up itself.

A browser that looks up names by itself goes wherever a name server sends it: behind our own firewall too, and at its
next request elsewhere than before. So each name it may reach is given one address, and no other name exists.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping

from probes.browser.definition import BrowserJourney
from probes.browser.reach import reach, split
from probes.checks import Portal
from probes.engine.connection import dial
from probes.engine.reach import shown_host
from probes.engine.settings import Way
from probes.fault import Fault
from probes.http import host_of
from probes.trail import Trail


async def pinned(journey: BrowserJourney, portal: Portal, way: Way) -> Mapping[str, str]:
    """Per name that a run may reach the one address it has; a name that has none, or a forbidden one, is left out.

    Of several addresses the first that takes a connection, as a browser would find it. What a proxy looks up is left to
    the proxy; the proxy's own name is looked up here.

    Raises:
        Fault: of kind dns, where the portal's own name leads to an address that is not public, and is not in
            `portal.private_hosts`.
    """
    own = journey.base_url or portal.base_url
    of = reach(journey, portal)
    wanted = {name: int(port) if port else 443 for name, port in map(split, sorted(of.own | of.others))}
    direct = {name: port for name, port in wanted.items() if way.proxy_for(name) is None}
    if way.proxy is not None:
        direct[way.proxy.host] = way.proxy.port
    found: dict[str, str] = {}
    refusal: Fault | None = None

    async def look(name: str, port: int) -> None:
        nonlocal refusal
        try:
            found[name] = await _address(name, port, way)
        except Fault as fault:
            if name == split(host_of(own))[0] and "private_hosts" in (fault.expected or ""):
                refusal = fault

    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(journey.deadline / 1_000_000):
            await asyncio.gather(*(look(name, port) for name, port in direct.items()))
    if refusal is not None:
        raise refusal
    return found


async def _address(name: str, port: int, way: Way) -> str:
    trail = Trail()
    addresses = await way.names.addresses(name, port, trail)
    if len(addresses) == 1:
        return addresses[0]
    try:
        connection = await dial(shown_host(name), port, addresses, trail, way.monotonic_us)
    except Fault:
        return addresses[0]  # none takes one: the browser finds that out, and says it in its own words
    await connection.aclose()
    return connection.address
