"""What is to be measured: journeys with their steps, and certificate checks, as config.toml writes them.

These are the values the engine walks; pydantic refuses what is wrong when the file is read, so nobody checks it again.
Lengths of time are written as `"250ms"`, `"10s"`, `"5m"`, `"2h"`, `"1d"` and held as integer microseconds.
"""

from __future__ import annotations

import ipaddress
import re
from decimal import Decimal
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

import jmespath
import parsel
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

_UNITS_US = {"ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}
_PLACEHOLDER = re.compile(r"\{\{.*?\}\}")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")


def duration_us(value: object) -> object:
    """`"1.5s"` as 1 500 000 microseconds. Anything else is left for pydantic to refuse."""
    if isinstance(value, str):
        match = _DURATION.fullmatch(value.strip())
        if match is None:
            raise ValueError('is not a length of time; write a number and a unit, such as "30s", "5m" or "250ms"')
        number, unit = match.groups()
        whole, _, fraction = number.partition(".")
        scale = _UNITS_US[unit]
        return int(whole) * scale + (int(fraction) * scale // 10 ** len(fraction) if fraction else 0)
    if isinstance(value, int | float):
        raise ValueError('needs a unit: write it as text, such as "30s", "5m" or "250ms"')
    return value


def _sample(template: str) -> str:
    """The text with something harmless in the place of each `{{ name }}`, for checking what is around it."""
    return _PLACEHOLDER.sub("x", template)


def _compiles(pattern: str) -> str:
    try:
        re.compile(_sample(pattern))
    except re.error as error:
        raise ValueError(f"is not a regular expression: {error}") from error
    return pattern


def _selects(selector: str) -> str:
    try:
        parsel.csstranslator.HTMLTranslator().css_to_xpath(_sample(selector))
    except Exception as error:
        raise ValueError(f"is not a CSS selector: {error}") from error
    return selector


def _queries(expression: str) -> str:
    try:
        jmespath.compile(_sample(expression))
    except Exception as error:
        raise ValueError(f"is not a JMESPath expression: {error}") from error
    return expression


def _http_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError('is not the address of a site; write it as "https://loket.example"')
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("holds more than scheme, host, port and path; credentials belong to secrets")
    return value


def _proxy_url(value: str) -> str:
    if not value.startswith("http://") or urlsplit(_http_url(value)).path not in ("", "/"):
        raise ValueError('is not the address of a proxy; write it as "http://proxy.example:3128"')
    return value


def _ip_address(value: str) -> str:
    return str(ipaddress.ip_address(value))


Duration = Annotated[int, BeforeValidator(duration_us), Field(gt=0)]
Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=60)]
Regex = Annotated[str, BeforeValidator(lambda v: _compiles(v) if isinstance(v, str) else v)]
BaseUrl = Annotated[str, AfterValidator(_http_url)]
Css = Annotated[str, BeforeValidator(lambda v: _selects(v) if isinstance(v, str) else v)]
JmesPath = Annotated[str, BeforeValidator(lambda v: _queries(v) if isinstance(v, str) else v)]


def _one_or_many(value: object) -> object:
    return value if isinstance(value, list | tuple) else (value,)


type_many = BeforeValidator(_one_or_many)
Texts = Annotated[tuple[str, ...], type_many]


class Definition(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Title(Definition):
    """A name for people, in both languages of the house."""

    nl: str = Field(min_length=1)
    en: str = Field(min_length=1)


class CssExpectation(Definition):
    """Elements that must be in the page. Without further conditions: at least one.

    Attributes:
        text: the whole text of the first element, white space folded.
        contains: part of that text.
        matches: regular expression searched in that text.
        attribute: look at this attribute instead of the text.
        count: exact number of elements; 0 says that there must be none.
        min_count: at least this many elements.
    """

    select: Css
    text: str | None = None
    contains: str | None = None
    matches: Regex | None = None
    attribute: str | None = None
    count: int | None = Field(default=None, ge=0)
    min_count: int | None = Field(default=None, ge=1)


class JsonExpectation(Definition):
    """A JMESPath expression over the body and what its answer must be. Without a comparison: it must not be null.

    Numbers are compared as decimals, text byte for byte.
    """

    path: JmesPath
    equals: Any = None
    contains: str | None = None
    matches: Regex | None = None
    at_least: Decimal | None = None
    at_most: Decimal | None = None
    count: int | None = Field(default=None, ge=0)


class HeaderExpectation(Definition):
    """A response header that must be there. Without further conditions any value will do; `absent` turns it round."""

    name: str
    equals: str | None = None
    contains: str | None = None
    matches: Regex | None = None
    absent: bool = False


class Expect(Definition):
    """What a step's answer must satisfy. All texts are templates.

    Attributes:
        status: one status or several; redirects that were followed do not count.
        url: regular expression that the last URL must match.
        content_type: media type without parameters, e.g. `text/html`.
        sha256: of the decoded body, as 64 hexadecimal digits.
        soft: beyond this duration the step is slow and the run degraded.
        hard: beyond this duration the step failed, even if all else is well.
    """

    status: Annotated[tuple[Annotated[int, Field(ge=100, le=599)], ...], type_many] = ()
    text: Texts = ()
    not_text: Texts = ()
    regex: Annotated[tuple[Regex, ...], type_many] = ()
    css: Annotated[tuple[CssExpectation, ...], type_many] = ()
    json_: Annotated[tuple[JsonExpectation, ...], type_many] = Field(default=(), alias="json")
    header: Annotated[tuple[HeaderExpectation, ...], type_many] = ()
    url: Regex | None = None
    content_type: str | None = None
    sha256: str | None = None
    min_bytes: int | None = Field(default=None, ge=0)
    max_bytes: int | None = Field(default=None, ge=0)
    soft: Duration | None = None
    hard: Duration | None = None

    @property
    def asserts(self) -> bool:
        """Whether this looks at the content or status at all; limits of time alone do not prove that a page works."""
        return any((self.status, self.text, self.not_text, self.regex, self.css, self.json_, self.header)) or any(
            x is not None for x in (self.url, self.content_type, self.sha256, self.min_bytes, self.max_bytes)
        )


class Capture(Definition):
    """Where a value for later steps is found. Exactly one source. Values stay text, byte for byte: `0012` stays `0012`.

    Attributes:
        css: first matching element; its text, or `attribute`.
        regex: searched in the body; the first group, or the whole match where it has none.
        json_path: JMESPath; numbers keep the digits they were written with.
        header, cookie: by name.
        url: regular expression on the last URL.
        hidden: CSS selector of a form; all its hidden fields are captured together and may be sent with
            `form_from = "<name>"`.
        body_sha256: true captures the SHA-256 of the decoded body.
    """

    css: Css | None = None
    attribute: str | None = None
    regex: Regex | None = None
    json_path: JmesPath | None = Field(default=None, alias="json")
    header: str | None = None
    cookie: str | None = None
    url: Regex | None = None
    hidden: Css | None = None
    body_sha256: bool = False

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        sources = [self.css, self.regex, self.json_path, self.header, self.cookie, self.url, self.hidden]
        if sum(s is not None for s in sources) + self.body_sha256 != 1:
            raise ValueError("needs exactly one of css, regex, json, header, cookie, url, hidden, body_sha256")
        if self.attribute is not None and self.css is None:
            raise ValueError("attribute goes with css")
        return self


class Part(Definition):
    """One part of a multipart body: a plain field (`text`), or a file made on the spot (`file_name` with `size`).

    A generated file is the same for the same run id and size, so its SHA-256 is known: `{{ file.<name>.sha256 }}`.
    """

    name: str
    text: str | None = None
    file_name: str | None = None
    content_type: str = "application/pdf"
    size: int | None = Field(default=None, ge=1, le=64 * 1024 * 1024)

    @model_validator(mode="after")
    def _field_or_file(self) -> Self:
        if (self.text is None) == (self.file_name is None):
            raise ValueError("is a field (text) or a file (file_name with size), one of the two")
        if (self.file_name is None) != (self.size is None):
            raise ValueError("a file needs both file_name and size (in bytes)")
        return self


class Step(Definition):
    """One request of a journey, with all redirects it leads to.

    Attributes:
        path: template; relative to the journey's base URL, or a whole URL on an allowed host.
        form_from: name of a capture of hidden fields that are sent before the fields of `form`.
        allow_hosts: further hosts (`name` or `name:port`) that this step's redirects may lead to.
        deadline: total, over DNS, connect, TLS, every redirect and the whole body. None: what the journey has left.
        always: runs even after a failure, for clean-up; its failure never changes the outcome. Without a deadline it
            has 10 s, but no more than the journey's. It is skipped where it names a value that was never captured.
    """

    id: Id
    title: Title | None = None
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"] = "GET"
    path: str
    query: dict[str, str] = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)
    form: dict[str, str] | None = None
    form_from: str | None = None
    json_: Any = Field(default=None, alias="json")
    multipart: tuple[Part, ...] | None = None
    body: str | None = None
    follow_redirects: bool = True
    allow_hosts: tuple[str, ...] = ()
    deadline: Duration | None = None
    expect: Expect = Expect()
    capture: dict[Id, Capture] = Field(default_factory=dict)
    always: bool = False

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        for reserved in sorted({"secret", "run", "file"} & set(self.capture)):
            raise ValueError(f'captures "{reserved}", a name that templates already use; choose another')
        bodies = [self.form is not None or self.form_from is not None, self.json_ is not None]
        bodies += [self.multipart is not None, self.body is not None]
        if sum(bodies) > 1:
            raise ValueError("has more than one body: keep one of form, json, multipart, body")
        if any(bodies) and self.method in ("GET", "HEAD"):
            raise ValueError(f'has a body, but method {self.method} sends none; write method = "POST"')
        return self


class Journey(Definition):
    """A visitor's path through the portal. Every run starts on fresh connections with an empty cookie jar.

    Attributes:
        interval: from one due instant to the next.
        deadline: total for one run, `always` steps excepted.
        base_url: None takes the portal's.
        secrets: names of the secrets the steps may use as `{{ secret.<name> }}`.
        depends_on: ids of journeys whose failure explains this one's.
    """

    kind: Literal["journey"] = "journey"
    id: Id
    title: Title
    interval: Duration
    deadline: Duration
    base_url: BaseUrl | None = None
    secrets: tuple[str, ...] = ()
    depends_on: tuple[Id, ...] = ()
    step: tuple[Step, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        ids = [s.id for s in self.step]
        for twice in sorted({i for i in ids if ids.count(i) > 1}):
            raise ValueError(f'has two steps with the id "{twice}"; give each its own')
        if not any(s.expect.asserts for s in self.step if not s.always):
            raise ValueError("asserts nothing, so it would be up whatever the portal answers; add an expect to a step")
        if self.deadline > self.interval:
            raise ValueError(
                "has a deadline beyond its interval, so one run would overlap the next; lower the deadline"
            )
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
    warn: tuple[Duration, ...] = (30 * _UNITS_US["d"], 14 * _UNITS_US["d"], 7 * _UNITS_US["d"], 3 * _UNITS_US["d"])
    down_before: Duration | None = None
    depends_on: tuple[Id, ...] = ()

    @model_validator(mode="after")
    def _port_of_its_protocol(self) -> Self:
        if self.starttls is not None and "port" not in self.model_fields_set:
            raise ValueError("has starttls without a port, and 443 speaks none; write its port, 25 or 587")
        return self


Check = Journey | CertificateCheck


class Portal(Definition):
    """The portal all journeys visit, and how we introduce ourselves to it.

    Attributes:
        ca_file: certificates to trust in addition to the system's; a path relative to the config file, or None.
        allow_hosts: hosts (`name` or `name:port`) that journeys and redirects may reach besides the base URL's own.
        max_body: cap on a body in bytes, on the wire and after decoding.
        contact: where the portal's owner can ask about our requests; sent in the User-Agent.
        engine: what carries the requests: the house's own engine, or stock httpx.
        ip: which of a name's addresses are tried, in which order; `any` leaves the order to the system.
        addresses: name to the one address it has for us, to probe one node behind a load balancer. Host, SNI and the
            name in the certificate stay those of the name.
        dns_cache: how long an answer of the name server is used again; None asks each time.
        proxy: `http://host:port`; CONNECT for https, absolute addresses for http. None goes directly.
        no_proxy: names of hosts that are asked directly all the same.
        proxy_credentials: name of the secret that holds `user:password`.
        client_certificate, client_key: paths of PEM files; a key of None is in the certificate's file.
        client_key_password: name of the secret that opens the key.
    """

    name: str
    base_url: BaseUrl
    ca_file: str | None = None
    allow_hosts: tuple[str, ...] = ()
    max_body: int = Field(default=8 * 1024 * 1024, ge=1024)
    max_redirects: int = Field(default=10, ge=0, le=50)
    contact: str
    engine: Literal["own", "httpx"] = "own"
    ip: Literal["any", "4", "6", "4-then-6", "6-then-4"] = "any"
    addresses: dict[str, Annotated[str, AfterValidator(_ip_address)]] = Field(default_factory=dict)
    dns_cache: Duration | None = None
    proxy: Annotated[str, AfterValidator(_proxy_url)] | None = None
    no_proxy: tuple[str, ...] = ()
    proxy_credentials: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None
    client_key_password: str | None = None

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if self.proxy is None and (self.no_proxy or self.proxy_credentials is not None):
            raise ValueError("has no_proxy or proxy_credentials without a proxy")
        if self.client_certificate is None and (self.client_key is not None or self.client_key_password is not None):
            raise ValueError("has a client_key or client_key_password without a client_certificate")
        return self
