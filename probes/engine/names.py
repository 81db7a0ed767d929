"""Names looked up: by the policy the configuration writes, timed, and nothing remembered unless it says so."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from probes.engine.lookup import PORTAL
from probes.errors import words
from probes.fault import Fault
from probes.sample import FailureKind
from probes.trail import Trail

#: Which of a name's addresses are tried, and in which order. `any` leaves the order to the system.
Family = Literal["any", "4", "6", "4-then-6", "6-then-4"]
_ASKED = {"4": socket.AF_INET, "6": socket.AF_INET6}


@dataclass(slots=True)
class Remembered:
    """Addresses of names that were looked up, until when (monotonic microseconds)."""

    found: dict[tuple[str, Family], tuple[int, tuple[str, ...]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Where names lead.

    Attributes:
        pinned: name to the one address it has for us, to probe one node behind a load balancer.
        remember_us: how long an answer is used again; 0 asks each time, as a visitor's first visit does.
        private: names that may lead to an address that is not public, in lower case. Any other name that does is not
            connected to: whoever rules a name server must not be able to point us at machines behind our own firewall.
    """

    monotonic_us: Callable[[], int]
    family: Family = "any"
    pinned: Mapping[str, str] = field(default_factory=dict)
    remember_us: int = 0
    remembered: Remembered = field(default_factory=Remembered)
    private: frozenset[str] = frozenset()

    async def addresses(self, host: str, port: int, trail: Trail) -> tuple[str, ...]:
        """Every address to try, in order; the time goes to the phase `resolve`, none for an address as such.

        Raises:
            Fault: of kind dns.
        """
        bare = host.strip("[]")
        pinned = self.pinned.get(bare)
        if pinned is not None:
            return (pinned,)
        try:
            return (str(ipaddress.ip_address(bare)),)
        except ValueError:
            pass
        now = self.monotonic_us()
        if self.remember_us:
            until, known = self.remembered.found.get((bare, self.family), (0, ()))
            if now < until:
                return known
        trail.waiting_for = f"the address of {bare}"
        try:
            addresses = await self._looked_up(bare, port)
        finally:
            trail.add(resolve_us=self.monotonic_us() - now)
        if self.remember_us:
            self.remembered.found[bare, self.family] = (now + self.remember_us, addresses)
        return addresses

    async def _looked_up(self, name: str, port: int) -> tuple[str, ...]:
        family = _ASKED.get(self.family, socket.AF_UNSPEC)
        try:
            found = await PORTAL.addresses(name, port, family)
        except (OSError, UnicodeError) as error:
            raise Fault(FailureKind.DNS, name, expected="an address", found=words(error)) from error
        if name.lower() not in self.private | {"localhost"}:
            for entry in found:
                if not public(str(entry[4][0])):
                    wanted = "a public address, or the name in portal.private_hosts"
                    raise Fault(FailureKind.DNS, name, expected=wanted, found=str(entry[4][0]))
        ordered = list(dict.fromkeys((entry[0], str(entry[4][0])) for entry in found))
        if self.family in ("4-then-6", "6-then-4"):
            first = _ASKED[self.family[0]]
            ordered.sort(key=lambda entry: entry[0] != first)  # stable: the system's order within a family
        return tuple(address for _, address in ordered)


def public(address: str) -> bool:
    """Whether an address is one of the internet: not private, link-local, loopback, shared, reserved or multicast.

    An IPv4 address inside an IPv6 one (mapped, 6to4, NAT64) is looked at as what it leads to.
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            ip = inner
    return ip.is_global and not ip.is_multicast


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
