"""Addresses as a request needs them: taken apart once, however often they are asked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import httpx

from probes.fault import Fault
from probes.sample import FailureKind

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """An absolute address with http or https, without credentials and fragment.

    Attributes:
        text: the whole of it, as it is told.
        host: in lower case, an IPv6 address without brackets.
        port: the scheme's own where none is written.
        authority: what the header `Host` says.
        target: path and query as they go on the wire; `path` alone, for cookies.
    """

    text: str
    scheme: str
    host: str
    port: int
    authority: bytes
    target: bytes
    path: str

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port


@lru_cache(maxsize=512)
def address(target: str, base: str | None = None) -> Address:
    """An address; a relative one beside that of the page it stands on.

    Raises:
        Fault: of kind redirect, where it is none that can be asked.
    """
    try:
        url = httpx.URL(target)
        if base is not None and url.is_relative_url:
            url = httpx.URL(base).join(url)
        if url.scheme not in _PORTS:
            raise Fault(FailureKind.REDIRECT, "redirect", expected="an address with http or https", found=str(url))
        if not url.host:
            raise Fault(FailureKind.REDIRECT, "redirect", expected="an address with a host", found=str(url))
        if url.userinfo or url.fragment:
            # Credentials inside an address would be sent along; a portal has no business to hand us any.
            url = url.copy_with(userinfo=b"", fragment=None)
    except (httpx.InvalidURL, ValueError, UnicodeError) as error:
        raise Fault(FailureKind.REDIRECT, "redirect", expected="an address", found=target) from error
    return Address(
        text=str(url),
        scheme=url.scheme,
        host=url.host,
        port=url.port or _PORTS[url.scheme],
        authority=url.netloc,
        target=url.raw_path,
        path=url.raw_path.partition(b"?")[0].decode("ascii"),
    )
