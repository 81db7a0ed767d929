"""What a browser says when something fails, in the closed list of failures. Pure.

What is not known here is the monitor's: a browser has many ways of its own to fail, and none may become an outage.
"""

from __future__ import annotations

import re

from probes.errors import quoted
from probes.fault import Fault
from probes.sample import FailureKind

_CODE = re.compile(r"net::(ERR_[A-Z0-9_]+)")

_WORDS: dict[str, tuple[FailureKind, str]] = {
    "ERR_NAME_NOT_RESOLVED": (FailureKind.DNS, "the name does not exist"),
    "ERR_NAME_RESOLUTION_FAILED": (FailureKind.DNS, "no name server answered"),
    "ERR_ICANN_NAME_COLLISION": (FailureKind.DNS, "the name has no address"),
    "ERR_CONNECTION_REFUSED": (FailureKind.CONNECT, "connection refused"),
    "ERR_CONNECTION_TIMED_OUT": (FailureKind.CONNECT, "no answer in time"),
    "ERR_CONNECTION_FAILED": (FailureKind.CONNECT, "no way to the host"),
    "ERR_ADDRESS_UNREACHABLE": (FailureKind.CONNECT, "no way to the host"),
    "ERR_CERT_DATE_INVALID": (FailureKind.TLS, "expired"),
    "ERR_CERT_COMMON_NAME_INVALID": (FailureKind.TLS, "for another name"),
    "ERR_CERT_AUTHORITY_INVALID": (FailureKind.TLS, "from an unknown authority"),
    "ERR_SSL_VERSION_OR_CIPHER_MISMATCH": (FailureKind.TLS, "no cipher in common"),
    "ERR_SSL_PROTOCOL_ERROR": (FailureKind.TLS, "the other side spoke no TLS"),
    "ERR_TOO_MANY_REDIRECTS": (FailureKind.REDIRECT, "more than 20 redirects"),
    "ERR_TIMED_OUT": (FailureKind.TIMEOUT, "no answer in time"),
    "ERR_CONNECTION_RESET": (FailureKind.PROTOCOL, "connection reset"),
    "ERR_CONNECTION_CLOSED": (FailureKind.PROTOCOL, "connection reset"),
    "ERR_EMPTY_RESPONSE": (FailureKind.PROTOCOL, "the connection closed before an answer"),
    "ERR_INVALID_HTTP_RESPONSE": (FailureKind.PROTOCOL, "no HTTP"),
    "ERR_CONTENT_DECODING_FAILED": (FailureKind.BODY, "cannot be decoded"),
    "ERR_CONTENT_DECODING_INIT_FAILED": (FailureKind.BODY, "cannot be decoded"),
    "ERR_ABORTED": (FailureKind.PROTOCOL, "no page: a file to download, or an empty answer"),
}
#: Families of codes, for those that are not listed; a code of no family is ours.
_FAMILIES = (
    ("ERR_DNS_", FailureKind.DNS),
    ("ERR_CERT_", FailureKind.TLS),
    ("ERR_SSL_", FailureKind.TLS),
    ("ERR_RESPONSE_HEADERS_", FailureKind.PROTOCOL),
    ("ERR_INVALID_CHUNKED", FailureKind.PROTOCOL),
    ("ERR_INCOMPLETE_CHUNKED", FailureKind.PROTOCOL),
    ("ERR_CONTENT_LENGTH_", FailureKind.PROTOCOL),
    ("ERR_HTTP2_", FailureKind.PROTOCOL),
    ("ERR_QUIC_", FailureKind.PROTOCOL),
    ("ERR_INVALID_REDIRECT", FailureKind.REDIRECT),
    ("ERR_UNSAFE_REDIRECT", FailureKind.REDIRECT),
)


def network_fault(message: str, where: str) -> Fault:
    """What a browser's message about a page means.

    Args:
        message: holds a `net::ERR_…` code where the network was asked at all.
        where: `name:port` of the page.
    """
    found = _CODE.search(message)
    if found is None:
        return browser_trouble(message)
    code = found[1]
    if code in _WORDS:
        kind, words = _WORDS[code]
        return Fault(kind, where, expected="a page", found=words)
    for family, kind in _FAMILIES:
        if code.startswith(family):
            return Fault(kind, where, expected="a page", found=quoted(code))
    return browser_trouble(message)


def browser_trouble(message: str) -> Fault:
    """The browser's own trouble: missing, crashed, out of memory, or something nobody foresaw. Never the portal's."""
    first = next((line.strip() for line in message.splitlines() if line.strip()), "no reason given")
    return Fault(FailureKind.MONITOR, "browser", expected="a browser that works", found=quoted(first[:200]))
