"""What a run needs besides its check: the portal, secrets, clocks and the way out."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from urllib.parse import urlsplit

from probes.browser.running import Browsers
from probes.checks import CertificateCheck, MailServerCheck, NameCheck, Portal, ReachabilityCheck
from probes.created import Keep
from probes.engine.certificates import handshake
from probes.engine.names import Names, Remembered
from probes.engine.settings import Proxy, Signers, Way
from probes.fault import Fault
from probes.guest import Guest
from probes.http import Transport, way_out
from probes.mailboxes import Mailbox
from probes.names import Server, look_up, of_this_machine
from probes.ports import Outside, try_mail_server, try_port
from probes.reading import Reading
from probes.sample import FailureKind
from probes.tls import Handshake, Identity, trust
from probes.trail import Trail


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
        portal: paths in it are absolute already.
        secrets: by name; never empty text. A name that a journey uses and that is not here makes its run unknown.
        now_us, monotonic_us: wall clock and monotonic clock in microseconds.
        transport: makes the way out for one run; None is the network. With one of its own no threads, sockets or
            real time are used, so that a run lives in simulated time.
        certificate: shows the certificate of a check; None asks the network, which simulated time does not have.
        remembered: addresses of names, kept from run to run only as far as `portal.dns_cache` allows.
        signers: who signed what was trusted before, for rustls (`reach_safely`).
        browsers: whose turn it is to have a browser, and which one.
        guest: keeps order among runs, so that no host is asked too much.
        created: writes down what runs make at the portal; None: nobody does, and only a run itself takes it away.
        name_servers: those of this machine, for name checks that name none.
        mailboxes: of ours, by name, for steps that wait for a mail.
        version: ours, for the User-Agent.
        config_sha256: of the configuration these runs come from; empty where there is none.
    """

    portal: Portal
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    now_us: Callable[[], int]
    monotonic_us: Callable[[], int]
    new_id: Callable[[], str]
    transport: Callable[[], Transport] | None = None
    certificate: Callable[[CertificateCheck], Awaitable[Handshake]] | None = None
    remembered: Remembered = field(default_factory=Remembered, repr=False)
    signers: Signers = field(default_factory=Signers, repr=False)
    browsers: Browsers = field(default_factory=Browsers, repr=False)
    guest: Guest = field(default_factory=Guest, repr=False)
    created: Keep | None = None
    name_servers: Callable[[], tuple[Server, ...]] = of_this_machine
    mailboxes: Mapping[str, Mailbox] = field(default_factory=dict)
    version: str = field(default_factory=installed_version)
    config_sha256: str = ""

    @property
    def user_agent(self) -> str:
        """Tells the portal's owner who asks and where to complain."""
        return f"Loketwacht/{self.version} (+{self.portal.contact})"

    def way_out(self) -> Transport:
        """A fresh transport, without connections of an earlier run.

        Raises:
            OSError: where the certificates cannot be read.
            Fault: of kind monitor, where a secret it needs is missing.
        """
        if self.transport is not None:
            return self.transport()
        return way_out(self.portal.engine, self.way())

    def way(self, *, http: bool = True) -> Way:
        """What an engine needs to connect by the rules of the portal."""
        portal = self.portal
        return Way(
            context=partial(self._trusted, http=http),
            names=Names(
                monotonic_us=self.monotonic_us,
                family=portal.ip,
                pinned=portal.addresses,
                remember_us=portal.dns_cache or 0,
                remembered=self.remembered,
                private=self._private(),
            ),
            monotonic_us=self.monotonic_us,
            proxy=self._proxy(),
            signers=self.signers if portal.tls == "rustls" else None,
        )

    def _private(self) -> frozenset[str]:
        """Names that may lead behind our own firewall: those the configuration names so, and our own proxy."""
        portal = self.portal
        proxy = urlsplit(portal.proxy).hostname if portal.proxy else None
        return frozenset(name.lower() for name in (*portal.private_hosts, *([proxy] if proxy else [])))

    def _trusted(
        self, *, verify: bool = True, http: bool = True, signers: frozenset[bytes] | None = None
    ) -> ssl.SSLContext:
        portal = self.portal
        identity = None
        if portal.client_certificate is not None:
            password = None if portal.client_key_password is None else self._secret(portal.client_key_password)
            identity = Identity(certificate=portal.client_certificate, key=portal.client_key, password=password)
        return trust(portal.ca_file, identity, verify=verify, http=http, library=portal.tls, signers=signers)

    def _proxy(self) -> Proxy | None:
        portal = self.portal
        if portal.proxy is None:
            return None
        parts = urlsplit(portal.proxy)
        credentials = None
        if portal.proxy_credentials is not None:
            credentials = "Basic " + base64.b64encode(self._secret(portal.proxy_credentials).encode()).decode("ascii")
        return Proxy(
            host=parts.hostname or "",
            port=parts.port or 80,
            credentials=credentials,
            bypassed=frozenset(map(str.lower, portal.no_proxy)),
        )

    def proxy_of(self, host: str) -> str | None:
        """The proxy on the way to a host, without credentials; None where it is asked directly."""
        portal = self.portal
        return portal.proxy if host.lower() not in map(str.lower, portal.no_proxy) else None

    def _secret(self, name: str) -> str:
        try:
            return self.secrets[name]
        except KeyError:
            raise Fault(FailureKind.MONITOR, "secret", expected=f"a value for {name}", found="nothing") from None

    async def shown(self, check: CertificateCheck, trail: Trail) -> Handshake:
        """What the server of a certificate check shows; the trail tells what is being waited for."""
        if self.certificate is not None:
            return await self.certificate(check)
        http = check.starttls is None
        return await handshake(check, self.way(http=http), partial(self._trusted, verify=False, http=http), trail)

    async def ask(self, check: ReachabilityCheck, reading: Reading) -> None:
        """Asks a name server, port or mail server; the reading tells how far it came.

        Raises:
            Fault: what is wrong; of kind monitor, where the fault is ours.
            OSError: where the certificates cannot be read.
        """
        if isinstance(check, NameCheck):
            await look_up(
                check,
                servers=self.name_servers,
                family=self.portal.ip,
                monotonic_us=self.monotonic_us,
                reading=reading,
            )
            return
        outside = Outside(
            way=self.way(http=False),
            unverified=partial(self._trusted, verify=False, http=False),
            now_us=self.now_us,
        )
        if isinstance(check, MailServerCheck):
            await try_mail_server(check, outside, reading)
        else:
            await try_port(check, outside, reading)
