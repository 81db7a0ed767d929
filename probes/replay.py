"""A request as one line for a shell, so that anybody can ask the portal the same again with curl. Pure.

It is made from what was redacted: whoever replays it puts his own values where `***` stands.
"""

from __future__ import annotations

import ipaddress
import shlex
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from probes.har import HEAD_LIMIT, head_of, sent_text
from probes.redaction import MASK, Redactor
from probes.trail import Trail

#: What curl makes by itself.
_ITS_OWN = frozenset({"host", "content-length", "transfer-encoding", "connection"})
_PORTS = {"http": 80, "https": 443}


class Lacking(StrEnum):
    """What a line lacks to be the very request."""

    SECRETS = "secrets"  # `***` stands for them
    BODY = "body"  # what was sent is no text, or too long
    AUTHORITY = "authority"  # the portal's own certificate authority, known to the monitor by a file


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A line for a POSIX shell, and what it lacks."""

    line: str
    lacks: tuple[Lacking, ...]


def replay(trail: Trail, redact: Redactor, *, proxy: str | None, own_authority: bool = False) -> Replay | None:
    """The last request of a step; None where none was sent, or where it is too long for a line.

    Args:
        proxy: that was on the way; the address that answered is then the proxy's.
        own_authority: the portal's certificates are checked against a file of its own.
    """
    request, cut = redact.capped(trail.request, HEAD_LIMIT)
    if not trail.urls or cut:
        return None
    head = head_of(request)
    method, url, _ = head.first
    words = ["curl", "--disable", "--globoff", "--path-as-is", "--http1.1", "--compressed", "--include"]
    words += ["--max-time", "60"]
    words += ["--head"] if method == "HEAD" else ["--request", method]
    if proxy is not None:
        words += ["--proxy", proxy]
    elif pinned := _pinned(url, trail):
        words += ["--resolve", pinned]
    names = {name.lower() for name, _ in head.headers}
    for name, value in head.headers:
        if name.lower() not in _ITS_OWN:
            # An empty header is written with a semicolon: with a colon curl would take it away.
            words += ["--header", f"{name}: {value}" if value else f"{name};"]
    lacks: list[Lacking] = []
    piped = ""
    if trail.sent:
        if "content-type" not in names:
            words += ["--header", "Content-Type:"]
        told = sent_text(trail.sent, redact)
        if told is None or told[1] or not _one_kind_of_line_end(trail.sent):
            lacks.append(Lacking.BODY)
        elif b"\r\n" in trail.sent:
            # A carriage return cannot be written inside quotes of every shell.
            piped = f"printf -- {shlex.quote(_for_printf(told[0]))} | "
            words += ["--data-binary", "@-"]
        else:
            words += ["--data-raw", told[0]]
    line = f"{piped}{shlex.join([*words, url])}"
    if MASK in line:
        lacks.insert(0, Lacking.SECRETS)
    if own_authority and url.startswith("https:"):
        lacks.append(Lacking.AUTHORITY)
    return Replay(line=line, lacks=tuple(lacks))


def _pinned(url: str, trail: Trail) -> str | None:
    """`name:port:address`, so that the very server is asked that answered, or the last that did not."""
    parts = urlsplit(url)
    host, address = parts.hostname or "", trail.addresses[-1] if trail.addresses else ""
    if not address or not host or _is_address(host):
        return None
    return f"{host}:{parts.port or _PORTS.get(parts.scheme, 0)}:{f'[{address}]' if ':' in address else address}"


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _one_kind_of_line_end(sent: bytes) -> bool:
    """Whether lines all end in CR LF, or none does and no other control character is in the way."""
    rest = sent.replace(b"\r\n", b"")
    if b"\r\n" in sent and b"\n" in rest:
        return False
    return not any((byte < 0x20 and byte not in b"\t\n") or byte == 0x7F for byte in rest)


def _for_printf(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "%%").replace("\n", "\\r\\n")
