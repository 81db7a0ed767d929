"""What is to be measured: journeys with their steps, certificates, names and ports, as config.toml writes them.

These are the values the engine walks. What a step, an expectation, a notation and a check of reachability is, stands
in the modules named so; this one is their door.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator, model_validator

from probes.browser.definition import BrowserJourney
from probes.created import taken_away_wrongly
from probes.expectations import Capture, CssExpectation, Expect, HeaderExpectation, JsonExpectation
from probes.loops import repeated
from probes.notation import UNITS_US, BaseUrl, Definition, Duration, Id, Title, duration_us, http_url
from probes.reachability import MailServerCheck, NameCheck, PortCheck, ReachabilityCheck
from probes.steps import AnyStep, MailStep, Part, Step
from probes.tls import TlsLibrary
from probes.totp import Totp

__all__ = [
    "BrowserJourney",
    "Capture",
    "CertificateCheck",
    "Check",
    "CssExpectation",
    "Definition",
    "Duration",
    "Expect",
    "HeaderExpectation",
    "Id",
    "Journey",
    "JsonExpectation",
    "MailServerCheck",
    "NameCheck",
    "Part",
    "PortCheck",
    "Portal",
    "ReachabilityCheck",
    "Step",
    "Title",
    "duration_us",
]


_USED_HEADERS = frozenset(
    {
        "accept",
        "accept-encoding",
        "accept-language",
        "authorization",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "cookie",
        "expect",
        "host",
        "proxy-authorization",
        "te",
        "traceparent",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "x-loketwacht-run",
    }
)


def _proxy_url(value: str) -> str:
    if not value.startswith("http://") or urlsplit(http_url(value)).path not in ("", "/"):
        raise ValueError('is not the address of a proxy; write it as "http://proxy.example:3128"')
    return value


def _ip_address(value: str) -> str:
    return str(ipaddress.ip_address(value))


class Journey(Definition):
    """A visitor's path through the portal. Every run starts on fresh connections with an empty cookie jar.

    Attributes:
        interval: from one due instant to the next.
        deadline: total for one run, `always` steps excepted.
        base_url: None takes the portal's.
        secrets: names of the secrets the steps may use as `{{ secret.<name> }}`.
        totp: one-time passwords the steps may use as `{{ totp.<name> }}`, by name.
        depends_on: ids of journeys whose failure explains this one's.
        shadow: measured, stored and shown, but it opens no incident and counts for no contract until this is removed.
        max_created_per_day: objects it may make in 24 hours, re-runs included; None: as many as it comes to.
        max_failed_logins: after so many refused logins in a row, nobody logs in with that account for an hour or more.
    """

    kind: Literal["journey"] = "journey"
    id: Id
    title: Title
    interval: Duration
    deadline: Duration
    base_url: BaseUrl | None = None
    secrets: tuple[str, ...] = ()
    totp: dict[Id, Totp] = Field(default_factory=dict)
    depends_on: tuple[Id, ...] = ()
    shadow: bool = False
    max_created_per_day: int | None = Field(default=None, ge=1)
    max_failed_logins: int = Field(default=3, ge=1, le=100)
    step: tuple[AnyStep, ...] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _with_every_round(cls, table: Any) -> Any:
        """A file's steps are repeated when it is read, so that their places are known; others are here."""
        steps = table.get("step") if isinstance(table, Mapping) else None
        if not isinstance(steps, list | tuple) or not any(isinstance(s, Mapping) and "each" in s for s in steps):
            return table
        taken = [repeated(step) if isinstance(step, Mapping) else (step,) for step in steps]
        return {**table, "step": [step for rounds in taken for step in rounds]}

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        ids = [s.id for s in self.step]
        for twice in sorted({i for i in ids if ids.count(i) > 1}):
            raise ValueError(f'has two steps with the id "{twice}"; give each its own')
        if not any(s.expect.asserts or isinstance(s, MailStep) for s in self.step if not s.always):
            raise ValueError("asserts nothing, so it would be up whatever the portal answers; add an expect to a step")
        if self.deadline > self.interval:
            raise ValueError(
                "has a deadline beyond its interval, so one run would overlap the next; lower the deadline"
            )
        return self

    @model_validator(mode="after")
    def _takes_away_what_it_makes(self) -> Self:
        makes = {s.id: s.creates for s in self.step if isinstance(s, Step) and s.creates is not None}
        wrong = taken_away_wrongly(makes, {s.id: s.always and s.expect.asserts for s in self.step})
        if wrong is not None:
            raise ValueError(wrong)
        return self


class CertificateCheck(Definition):
    """A TLS handshake and the certificate it shows.

    Attributes:
        starttls: the protocol that is spoken before TLS begins; None begins with TLS.
        warn: thresholds before the end of validity, each told once per certificate.
        down_before: below this remaining validity the check is down; an expired certificate always is.
    """

    kind: Literal["certificate"] = "certificate"
    id: Id
    title: Title
    interval: Duration
    deadline: Duration
    host: str
    port: int = Field(default=443, ge=1, le=65535)
    starttls: Literal["smtp"] | None = None
    server_name: str | None = None
    warn: tuple[Duration, ...] = (30 * UNITS_US["d"], 14 * UNITS_US["d"], 7 * UNITS_US["d"], 3 * UNITS_US["d"])
    down_before: Duration | None = None
    depends_on: tuple[Id, ...] = ()
    shadow: bool = False

    @model_validator(mode="after")
    def _port_of_its_protocol(self) -> Self:
        if self.starttls is not None and "port" not in self.model_fields_set:
            raise ValueError("has starttls without a port, and 443 speaks none; write its port, 25 or 587")
        return self


Check = Journey | CertificateCheck | BrowserJourney | ReachabilityCheck


class Marker(Definition):
    """A header on every request, by which the portal can keep our visits apart."""

    name: str = Field(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
    value: str = Field(pattern=r"^[!-~]+( [!-~]+)*$")

    @field_validator("name")
    @classmethod
    def _of_no_other_use(cls, name: str) -> str:
        if name.lower() in _USED_HEADERS:
            raise ValueError("is a header with a use of its own; choose another name")
        return name


class Portal(Definition):
    """The portal all journeys visit, and how we introduce ourselves to it.

    Attributes:
        ca_file: certificates to trust in addition to the system's; a path relative to the config file, or None.
        allow_hosts: hosts (`name` or `name:port`) that journeys and redirects may reach besides the base URL's own.
        private_hosts: names that may lead to an address that is not public (private, link-local, loopback); an address
            that the configuration writes itself may always be asked, and so may `localhost`.
        max_body: cap on a body in bytes, on the wire and after decoding.
        contact: where the portal's owner can ask about our requests; sent in the User-Agent.
        marker: a header of your own on every request, beside `X-Loketwacht-Run` and `traceparent`; None sends none.
        engine: what carries the requests: the house's own engine, or stock httpx.
        tls: whose TLS the own engine speaks: Python's OpenSSL, or rustls (extra `rustls`).
        ip: which of a name's addresses are tried, in which order; `any` leaves the order to the system.
        addresses: name to the one address it has for us, to probe one node behind a load balancer. Host, SNI and the
            name in the certificate stay those of the name.
        dns_cache: how long an answer of the name server is used again; None asks each time.
        proxy: `http://host:port`; CONNECT for https, absolute addresses for http. None goes directly.
        no_proxy: names of hosts that are asked directly all the same.
        proxy_credentials: name of the secret that holds `user:password`.
        max_concurrent: runs that may be at one host at the same moment; None sets no limit.
        max_rate: requests of journeys to one host in a minute, evenly spread; None sets no limit.
        max_retry_after: a host that answers 429 with `Retry-After` is left alone so long at most.
        client_certificate, client_key: paths of PEM files; a key of None is in the certificate's file.
        client_key_password: name of the secret that opens the key.
    """

    name: str
    base_url: BaseUrl
    ca_file: str | None = None
    allow_hosts: tuple[str, ...] = ()
    private_hosts: tuple[str, ...] = ()
    max_body: int = Field(default=8 * 1024 * 1024, ge=1024)
    max_redirects: int = Field(default=10, ge=0, le=50)
    contact: str
    marker: Marker | None = None
    engine: Literal["own", "httpx"] = "own"
    tls: TlsLibrary = "openssl"
    ip: Literal["any", "4", "6", "4-then-6", "6-then-4"] = "any"
    addresses: dict[str, Annotated[str, AfterValidator(_ip_address)]] = Field(default_factory=dict)
    dns_cache: Duration | None = None
    proxy: Annotated[str, AfterValidator(_proxy_url)] | None = None
    no_proxy: tuple[str, ...] = ()
    proxy_credentials: str | None = None
    max_concurrent: int | None = Field(default=None, ge=1)
    max_rate: int | None = Field(default=None, ge=6, le=60_000)
    max_retry_after: Duration = 5 * UNITS_US["m"]
    client_certificate: str | None = None
    client_key: str | None = None
    client_key_password: str | None = None

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if self.tls == "rustls" and self.engine != "own":
            raise ValueError('has tls = "rustls", which only engine = "own" can speak; drop one of the two')
        if self.tls == "rustls" and find_spec("rtls") is None:
            raise ValueError('has tls = "rustls", which is not installed; run: pip install "loketwacht[rustls]"')
        if self.proxy is None and (self.no_proxy or self.proxy_credentials is not None):
            raise ValueError("has no_proxy or proxy_credentials without a proxy")
        if self.client_certificate is None and (self.client_key is not None or self.client_key_password is not None):
            raise ValueError("has a client_key or client_key_password without a client_certificate")
        return self
