"""Who may see the pages: everybody who reaches them, or only who shows a token or comes through a trusted proxy."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Annotated

from pydantic import AfterValidator, Field

from probes.checks import Definition


def _address(text: str) -> str:
    return str(ip_address(text))


def on_this_machine(host: str) -> bool:
    """Whether only this machine reaches what listens on a host."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class TrustedProxy(Definition):
    """A proxy before the pages that lets in only whom it knows, and says who that is.

    Attributes:
        header: where it says so. The proxy must take away what its visitors put there themselves.
        addresses: its own; the header counts from nowhere else.
    """

    header: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9-]*$", max_length=60)
    addresses: tuple[Annotated[str, AfterValidator(_address)], ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What a visitor must show.

    Attributes:
        token: its value; None: there is none.
        public: the status page, without details, is for everybody.
    """

    token: str | None = field(default=None, repr=False)
    proxy: TrustedProxy | None = None
    public: bool = False

    @property
    def closed(self) -> bool:
        return self.token is not None or self.proxy is not None

    def lets_in(self, *, client: str | None, headers: Mapping[str, str]) -> bool:
        """Whether this visitor may see everything.

        Args:
            client: address the connection comes from; None where it has none.
            headers: of the request, names in lower case.
        """
        if not self.closed:
            return True
        if self.proxy is not None and client in self.proxy.addresses and headers.get(self.proxy.header.lower()):
            return True
        return self.token is not None and _same(shown_token(headers.get("authorization", "")), self.token)


def shown_token(authorization: str) -> str:
    """What a visitor shows: a bearer token, or the password a browser asks for; its user name does not matter."""
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(rest, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _same(shown: str, wanted: str) -> bool:
    """Whether they are equal; how long it takes tells neither a length nor a first character."""
    return hmac.compare_digest(hashlib.sha256(shown.encode()).digest(), hashlib.sha256(wanted.encode()).digest())
