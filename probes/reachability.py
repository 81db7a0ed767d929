"""Checks of what lies under a journey, as config.toml writes them: names, ports and mail servers."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from probes.notation import Definition, Duration, Id, Regex, Title, one_or_many
from probes.records import RecordType, absolute, canonical

_PLAIN_LINE = re.compile(r"[^\x00-\x1f\x7f]+")
_KEYWORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")


def _name(value: str) -> str:
    absolute(value)
    return value


def _host(value: str) -> str:
    if not value or re.search(r"[\s/@\[\]]", value):
        raise ValueError('is not a host; write its name or address, such as "mail.example", and its port under `port`')
    return value


def _line(value: str) -> str:
    if not _PLAIN_LINE.fullmatch(value):
        raise ValueError("is not one line; its end is added by itself")
    return value


def _keyword(value: str) -> str:
    if not _KEYWORD.fullmatch(value):
        raise ValueError('is not the name of an extension, such as "SIZE" or "8BITMIME"')
    return value.upper()


def name_server(value: str) -> tuple[str, int]:
    """Address and port of a name server, written as `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53` or `[…]:5353`.

    Raises:
        ValueError: where it is none of these.
    """
    host, colon, port = value, "", "53"
    if value.startswith("["):
        host, _, rest = value[1:].partition("]")
        colon, port = rest[:1], rest[1:] if rest else "53"
    elif value.count(":") == 1:
        host, colon, port = value.partition(":")
    try:
        number = int(port) if port.isascii() and port.isdigit() and colon in ("", ":") else 0
        if not 1 <= number <= 65535:
            raise ValueError(port)
        return str(ipaddress.ip_address(host)), number
    except ValueError as error:
        raise ValueError(
            'is not the address of a name server; write it as "192.0.2.53", "192.0.2.53:5353" or "[2001:db8::53]:53"'
        ) from error


def _server(value: str) -> str:
    name_server(value)
    return value


Host = Annotated[str, AfterValidator(_host)]


def _within(deadline: int, interval: int) -> None:
    if deadline > interval:
        raise ValueError("has a deadline beyond its interval, so one run would overlap the next; lower the deadline")


class NameCheck(Definition):
    """A question to a name server, and what it must answer.

    Attributes:
        name: asked as it is, from the root; no search domain is added.
        type: which records; for anything but CNAME aliases are followed as the answer tells them.
        values: what must be answered, in any order; none: any record will do.
        match: `exactly` these values; `at-least` these; `only` these, not necessarily all (where answers change).
        server: `ip` or `ip:port`; None takes those of this machine (/etc/resolv.conf), in their order.
        authoritative: the server is the portal's own: it must answer by its own authority, and its silence is the
            portal's. Without it the server is a resolver of ours, and its trouble is ours.
        dnssec: the resolver must say that it checked the answer (the AD flag); a resolver that checks nothing is ours.
    """

    kind: Literal["name"] = "name"
    id: Id
    title: Title
    interval: Duration
    deadline: Duration
    name: Annotated[str, Field(min_length=1), AfterValidator(_name)]
    type: RecordType = "A"
    values: Annotated[tuple[str, ...], one_or_many] = ()
    match: Literal["exactly", "at-least", "only"] = "exactly"
    server: Annotated[str, AfterValidator(_server)] | None = None
    authoritative: bool = False
    dnssec: bool = False
    depends_on: tuple[Id, ...] = ()
    shadow: bool = False

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        _within(self.deadline, self.interval)
        if self.authoritative and self.server is None:
            raise ValueError("is authoritative without a server; write the address of one of the portal's own")
        if self.authoritative and self.dnssec:
            raise ValueError(
                "asks an authoritative server whether it checked DNSSEC, which only resolvers do; make two checks of it"
            )
        if self.match != "exactly" and not self.values:
            raise ValueError(f'matches "{self.match}" without values; add them')
        for value in self.values:
            try:
                canonical(self.type, value)
            except ValueError as error:
                raise ValueError(f'has a value "{value}" that {error}') from error
        return self

    @property
    def wanted(self) -> tuple[str, ...]:
        """The values in the one way of writing that answers are compared in, sorted."""
        return tuple(sorted({canonical(self.type, value) for value in self.values}))


class Said(Definition):
    """What the other side must say, somewhere in its first sixteen kilobytes; a text alone means `contains`."""

    contains: str | None = Field(default=None, min_length=1)
    matches: Regex | None = None

    @model_validator(mode="before")
    @classmethod
    def _text_alone(cls, value: Any) -> Any:
        return {"contains": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.contains is None and self.matches is None:
            raise ValueError("expects nothing; write contains or matches")
        return self


class PortCheck(Definition):
    """A connection to a port, and what is said there.

    Attributes:
        tls: begin with TLS; the certificate must be one to trust.
        server_name: to ask for (SNI) and to find in the certificate; None takes `host`.
        banner: what the other side must say by itself.
        send: one line that we say after that, ended by CR LF; None: nothing.
        answer: what must be said to it.
    """

    kind: Literal["tcp"] = "tcp"
    id: Id
    title: Title
    interval: Duration
    deadline: Duration
    host: Host
    port: int = Field(ge=1, le=65535)
    tls: bool = False
    server_name: str | None = None
    banner: Said | None = None
    send: Annotated[str, AfterValidator(_line)] | None = None
    answer: Said | None = None
    depends_on: tuple[Id, ...] = ()
    shadow: bool = False

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        _within(self.deadline, self.interval)
        if (self.send is None) != (self.answer is None):
            raise ValueError("needs send and answer together: a line that is sent, and what must be said to it")
        if self.server_name is not None and not self.tls:
            raise ValueError("has a server_name without tls")
        return self

    @property
    def starttls(self) -> None:
        """TLS, if any, begins at once."""
        return

    @property
    def down_before(self) -> None:
        """A certificate here is good or not; how long it stays so is for a certificate check."""
        return


class MailServerCheck(Definition):
    """A mail server's greeting, what it offers, and its certificate; no mail is ever sent.

    Attributes:
        security: `starttls`: offered, done, and the certificate is one to trust; `offered`: offered, no more;
            `tls`: TLS from the first byte; `none`: not looked at.
        hello: who we say we are in EHLO: a name, or our address in brackets.
        banner: what the greeting must say besides 220.
        extensions: what must be offered after EHLO (over TLS, where TLS is), such as `SIZE`.
    """

    kind: Literal["smtp"] = "smtp"
    id: Id
    title: Title
    interval: Duration
    deadline: Duration
    host: Host
    port: int = Field(default=25, ge=1, le=65535)
    security: Literal["starttls", "offered", "tls", "none"] = "starttls"
    server_name: str | None = None
    hello: str = Field(default="[127.0.0.1]", pattern=r"^[A-Za-z0-9.:\[\]-]+$")
    banner: Said | None = None
    extensions: Annotated[tuple[Annotated[str, AfterValidator(_keyword)], ...], one_or_many] = ()
    depends_on: tuple[Id, ...] = ()
    shadow: bool = False

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        _within(self.deadline, self.interval)
        if self.security == "tls" and "port" not in self.model_fields_set:
            raise ValueError('has security = "tls" without a port, and 25 begins without; write its port, mostly 465')
        return self

    @property
    def starttls(self) -> Literal["smtp"] | None:
        """How TLS begins."""
        return None if self.security == "tls" else "smtp"

    @property
    def down_before(self) -> None:
        """A certificate here is good or not; how long it stays so is for a certificate check."""
        return


ReachabilityCheck = NameCheck | PortCheck | MailServerCheck
