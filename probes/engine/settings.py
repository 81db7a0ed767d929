"""How connections are made, whichever engine makes them."""

from __future__ import annotations

import errno
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from probes.engine.names import Names
from probes.errors import quoted
from probes.fault import Fault
from probes.sample import FailureKind

#: Bytes of an answer's head beyond which it is no HTTP; stock httpx has the same.
HEAD_LIMIT = 100 * 1024
#: How long one of several addresses of a name may take before the next is tried.
NEXT_ADDRESS_SECONDS = 3.0
#: Too many open files (process, machine), no memory, no buffers: nothing of it is the portal's doing.
OUR_OWN_ERRORS = frozenset({errno.ENFILE, errno.EMFILE, errno.ENOMEM, errno.ENOBUFS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """The way out where there is no direct one: `CONNECT` for https, the absolute address for http.

    Attributes:
        credentials: value of Proxy-Authorization; None where the proxy asks for none.
        bypassed: host names that are asked directly.
    """

    host: str
    port: int
    credentials: str | None = None
    bypassed: frozenset[str] = frozenset()


class Trusted(Protocol):
    """Whom we trust and who we are; with `signers` only those of all authorities, see `probes.tls.trust`."""

    def __call__(self, *, signers: frozenset[bytes] | None = None) -> ssl.SSLContext: ...


@dataclass(slots=True)
class Signers:
    """By host and port, who signed the chain that was trusted there last."""

    found: dict[tuple[str, int], frozenset[bytes]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Everything an engine needs to connect.

    Attributes:
        context: shared by all runs, for making one costs 36 ms.
        monotonic_us: microseconds on the monotonic clock.
        signers: where TLS is cheaper with few authorities, who they are; None where their number costs nothing.
    """

    context: Trusted
    names: Names
    monotonic_us: Callable[[], int]
    proxy: Proxy | None = None
    signers: Signers | None = None

    def proxy_for(self, host: str) -> Proxy | None:
        """The proxy on the way to a host; None where it is asked directly."""
        return self.proxy if self.proxy is not None and host not in self.proxy.bypassed else None


def refused_by_proxy(status: int, where: str) -> Fault:
    """What a proxy's refusal means: with 502 to 504 it did not reach the portal, with anything else not our request."""
    if status in (502, 503, 504):
        return Fault(FailureKind.CONNECT, where, expected="a connection", found=quoted(f"proxy: {status}"))
    return Fault(FailureKind.MONITOR, "proxy", expected="a connection", found=quoted(f"proxy: {status}"))
