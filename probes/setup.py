"""What a run needs besides its check: the portal, secrets, clocks and the way out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version

from probes.checks import CertificateCheck, Portal
from probes.http import NetworkTransport, Transport
from probes.tls import Shown, handshake, trust


def installed_version() -> str:
    """Ours, as installed; `0` when run from a bare source tree."""
    try:
        return version("loketwacht")
    except PackageNotFoundError:
        return "0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """Everything runs of one configuration have in common.

    Attributes:
        portal: `ca_file` in it is an absolute path already.
        secrets: by name; never empty text. A name that a journey uses and that is not here makes its run unknown.
        now_us, monotonic_us: wall clock and monotonic clock in microseconds.
        transport: makes the way out for one run; None is the network. With one of its own no threads, sockets or
            real time are used, so that a run lives in simulated time.
        certificate: shows the certificate of a check; None asks the network, which simulated time does not have.
        version: ours, for the User-Agent.
    """

    portal: Portal
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    now_us: Callable[[], int]
    monotonic_us: Callable[[], int]
    new_id: Callable[[], str]
    transport: Callable[[], Transport] | None = None
    certificate: Callable[[CertificateCheck], Awaitable[Shown]] | None = None
    version: str = field(default_factory=installed_version)

    @property
    def user_agent(self) -> str:
        """Tells the portal's owner who asks and where to complain."""
        return f"Loketwacht/{self.version} (+{self.portal.contact})"

    def way_out(self) -> Transport:
        """A fresh transport, without connections of an earlier run. Raises OSError where `ca_file` cannot be read."""
        if self.transport is not None:
            return self.transport()
        return NetworkTransport(trust(self.portal.ca_file), self.monotonic_us)

    async def shown(self, check: CertificateCheck) -> Shown:
        """What the server of a certificate check shows."""
        if self.certificate is not None:
            return await self.certificate(check)
        return await handshake(check, trust(self.portal.ca_file))
