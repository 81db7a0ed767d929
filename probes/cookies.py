"""The cookies of one visitor, as RFC 6265 has them. Pure: instants and answers come in as values.

A run visits a few hosts that its configuration names, so there is no list of public suffixes: a cookie for a domain
without a dot stays with the host that set it.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

#: More than these and the oldest goes; a line longer than that is none (RFC 6265bis, 5.6 has 4,096 for name and value).
MOST_COOKIES = 300
LONGEST_LINE = 8192

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f]")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_TIME = re.compile(r"(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\D|$)")
_DATE_PARTS = re.compile("[^\x09\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie:
    """One cookie.

    Attributes:
        domain: in lower case, without a dot at its beginning; `host_only` says that hosts below it do not get it.
        expires_us: instant; None lasts as long as the visit.
    """

    name: str
    value: str
    domain: str
    host_only: bool
    path: str
    secure: bool
    expires_us: int | None

    def goes_to(self, host: str, path: str, *, secure: bool) -> bool:
        """Whether a request gets it: RFC 6265, 5.4."""
        if self.host_only:
            at_home = host == self.domain
        else:
            at_home = _domain_matches(host, self.domain)
        return at_home and _path_matches(path, self.path) and (secure or not self.secure)


class Cookies:
    """The jar. Hosts are names in lower case; paths begin with `/` and carry no query."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, str], Cookie] = {}  # in the order of their making

    def __len__(self) -> int:
        return len(self._kept)

    def take(self, line: str, *, host: str, path: str, now_us: int) -> None:
        """One `Set-Cookie`. What the RFC says to ignore is ignored."""
        cookie = parsed(line, host=host, path=path, now_us=now_us)
        if cookie is None:
            return
        key = (cookie.name, cookie.domain, cookie.path)
        if cookie.expires_us is not None and cookie.expires_us <= now_us:
            self._kept.pop(key, None)
            return
        self._kept[key] = cookie
        if len(self._kept) > MOST_COOKIES:
            del self._kept[next(iter(self._kept))]

    def header(self, *, host: str, path: str, secure: bool, now_us: int) -> str:
        """The value of `Cookie` for a request; empty where there is none to send."""
        sent = [cookie for cookie in self._lasting(now_us) if cookie.goes_to(host, path, secure=secure)]
        # Longer paths first; among equals those that were there first (5.4, 2). Sorting keeps their order.
        sent.sort(key=lambda cookie: -len(cookie.path))
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in sent)

    def pairs(self, now_us: int) -> tuple[tuple[str, str], ...]:
        """Names and values of all of them."""
        return tuple([(cookie.name, cookie.value) for cookie in self._lasting(now_us)])

    def _lasting(self, now_us: int) -> list[Cookie]:
        return [c for c in self._kept.values() if c.expires_us is None or c.expires_us > now_us]


def parsed(line: str, *, host: str, path: str, now_us: int) -> Cookie | None:
    """A `Set-Cookie` of an answer from `host` to a request for `path`: RFC 6265, 5.2 and 5.3; None where it is none."""
    if len(line) > LONGEST_LINE or _CONTROL.search(line):
        return None
    pair, *attributes = line.split(";")
    name, equals, value = pair.partition("=")
    name = name.strip(" \t")
    if not equals or not name:
        return None
    cookie = Cookie(
        name=name,
        value=value.strip(" \t"),
        domain=host,
        host_only=True,
        path=_default_path(path),
        secure=False,
        expires_us=None,
    )
    domain = ""
    max_age: int | None = None
    for attribute in attributes:
        key, _, given = attribute.partition("=")
        given = given.strip(" \t")
        match key.strip(" \t").lower():
            case "domain":
                domain = given.removeprefix(".").lower()
            case "path":
                cookie = replace(cookie, path=given if given.startswith("/") else _default_path(path))
            case "secure":
                cookie = replace(cookie, secure=True)
            case "expires":
                expires_us = date_us(given)
                if expires_us is not None:
                    cookie = replace(cookie, expires_us=expires_us)
            case "max-age" if re.fullmatch(r"-?[0-9]{1,18}", given):
                max_age = int(given)
    if max_age is not None:
        cookie = replace(cookie, expires_us=now_us + max_age * 1_000_000 if max_age > 0 else 0)
    if domain and domain != host:
        if not _domain_matches(host, domain) or "." not in domain:
            return None
        cookie = replace(cookie, domain=domain, host_only=False)
    elif domain and "." in domain and not _is_address(host):
        cookie = replace(cookie, host_only=False)
    return cookie


def date_us(text: str) -> int | None:
    """A date as cookies write it, in whatever order (5.1.1); None where it is none."""
    clock: tuple[int, ...] | None = None
    day = month = year = None
    for part in _DATE_PARTS.findall(text):
        if clock is None and (found := _TIME.match(part)):
            clock = tuple(int(number) for number in found.groups())
        elif day is None and (found := re.match(r"(\d{1,2})(?:\D|$)", part)):
            day = int(found[1])
        elif month is None and part[:3].lower() in _MONTHS:
            month = _MONTHS.index(part[:3].lower()) + 1
        elif year is None and (found := re.match(r"(\d{2,4})(?:\D|$)", part)):
            year = int(found[1])
    if clock is None or day is None or month is None or year is None:
        return None
    if year < 100:
        year += 1900 if year >= 70 else 2000
    if year < 1601:
        return None
    try:
        instant = datetime(year, month, day, *clock, tzinfo=UTC)  # type: ignore[misc, arg-type]
    except ValueError:
        return None
    return (instant - _EPOCH) // timedelta(microseconds=1)


def _domain_matches(host: str, domain: str) -> bool:
    return host == domain or (host.endswith("." + domain) and not _is_address(host))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _default_path(path: str) -> str:
    """The folder of the request's path: 5.1.4."""
    return path[: path.rfind("/")] or "/" if path.startswith("/") else "/"


def _path_matches(path: str, of: str) -> bool:
    path = path or "/"
    return path == of or (path.startswith(of) and (of.endswith("/") or path[len(of)] == "/"))
