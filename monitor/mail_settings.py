"""Settings of outgoing mail: the servers that may take it, as whom we write, and how it is signed."""

from __future__ import annotations

import ipaddress
import re
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from probes.checks import Duration

#: Labels of a name, joined by dots.
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*")


class RelaySettings(BaseModel):
    """A mail server that is asked to take our mails.

    Attributes:
        security: `starttls` (required, not merely offered), `tls` from the first byte, or `none`, which only a server
            on this machine itself may have.
        username: None: the server wants no authentication.
        password: name of the secret that holds it, never the password itself.
        timeout: total for one mail at this server, in microseconds.
        ca_file: certificates to trust in addition to the system's; relative to the config file.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str | None = None
    password: str | None = None
    timeout: Duration = 30_000_000
    ca_file: str | None = None

    @property
    def called(self) -> str:
        """What names it in logs, metrics and answers."""
        return f"{self.host}:{self.port}"

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if self.security == "none" and not _is_here(self.host):
            raise ValueError(
                'security = "none" would send mails and passwords in the clear to another machine; '
                'write security = "starttls" or "tls"'
            )
        if (self.username is None) != (self.password is None):
            raise ValueError("needs both username and password, or neither; password names a secret")
        return self


class DkimSettings(BaseModel):
    """A signature by a domain over each mail (DKIM, RFC 6376 and 8463).

    Attributes:
        domain: whose signature it is; the sender's domain or one above it.
        selector: where below `_domainkey.` of the domain the public key is published.
        key: name of the secret that holds the private key, RSA or Ed25519, as PEM.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    domain: str = Field(max_length=253)
    selector: str = Field(max_length=63)
    key: str

    @field_validator("domain", "selector")
    @classmethod
    def _a_name(cls, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise ValueError("is no name in DNS: letters, digits and hyphens, joined by dots")
        return name


class SmimeSettings(BaseModel):
    """A signature by the sender over the content of each mail (S/MIME, RFC 8551), which mail programs show.

    Attributes:
        certificate: PEM file: the sender's certificate, then those between it and its authority; relative to the
            config file.
        key: name of the secret that holds the private key, RSA or EC, as PEM.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    certificate: str
    key: str


class MailSettings(RelaySettings):
    """The mail server that is asked first, those that are asked after it, and as whom we write.

    Attributes:
        sender: address in From and on the envelope, where bounces come back.
        list_id: List-Id of all mails, for filters; None: no such header.
        message_id_host: right-hand side of Message-IDs; None takes the domain of `sender`.
        relay: further servers, in this order, for whoever the ones before did not take the mail for.
    """

    sender: str = Field(pattern=r"^[^@\s<>,;]+@[^@\s<>,;]+$")
    sender_name: str = "Loketwacht"
    list_id: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._-]+$")
    message_id_host: str | None = Field(default=None, pattern=r"^[A-Za-z0-9.-]+$")
    relay: tuple[RelaySettings, ...] = Field(default=(), max_length=3)
    dkim: DkimSettings | None = None
    smime: SmimeSettings | None = None

    @property
    def id_host(self) -> str:
        return self.message_id_host or self.sender_domain

    @property
    def sender_domain(self) -> str:
        return self.sender.rpartition("@")[2]

    @property
    def servers(self) -> tuple[RelaySettings, ...]:
        """All that may take a mail, in the order in which they are asked."""
        return (self, *self.relay)

    @property
    def longest_us(self) -> int:
        """How long one attempt can take where every server in turn uses up its time."""
        return sum(server.timeout for server in self.servers)


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
