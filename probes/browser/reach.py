"""Where a browser may go: the portal and the hosts that were allowed, at two places, for neither sees everything. Pure.

Chromium itself resolves no other name, so that redirects, sockets and scripts are held too; the page's requests are
looked at one by one, so that what was kept out can be counted and told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from probes.browser.definition import BrowserJourney
from probes.checks import Portal
from probes.http import host_of

_SENT = ("http", "https", "ws", "wss")
_WEB = {"ws": "http", "wss": "https"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Hosts as `name` or `name:port`, in lower case.

    Attributes:
        own: the portal's, which are told who asks.
        others: whose parts a page may load.
    """

    own: frozenset[str]
    others: frozenset[str]

    def is_own(self, url: str) -> bool:
        return _is_in(url, self.own)

    def allows(self, url: str) -> bool:
        """Whether the browser may ask this. What needs no network (`data:`, `blob:`, `about:`) always may."""
        return urlsplit(url).scheme not in _SENT or _is_in(url, self.own | self.others)


def reach(journey: BrowserJourney, portal: Portal) -> Reach:
    base_url = journey.base_url or portal.base_url
    return Reach(
        own=frozenset({host_of(base_url), host_of(portal.base_url)}),
        others=frozenset(map(str.lower, (*portal.allow_hosts, *journey.allow_hosts))),
    )


def _is_in(url: str, hosts: frozenset[str]) -> bool:
    try:
        whole = place_of(url)
    except ValueError:
        return False
    return whole in hosts or whole.rpartition(":")[0] in hosts


def place_of(url: str) -> str:
    """`name:port` of an address; empty where it has none."""
    parts = urlsplit(url)
    if parts.scheme not in _SENT or not parts.hostname:
        return ""
    return host_of(parts._replace(scheme=_WEB.get(parts.scheme, parts.scheme)).geturl())


def split(host: str) -> tuple[str, str]:
    """The name of `name` or `name:port`, and its port; empty where it has none."""
    name, _, port = host.rpartition(":")
    return (name, port) if port.isdigit() and name else (host, "")


def resolver_rules(of: Reach, addresses: Mapping[str, str]) -> str:
    """Chromium's `--host-resolver-rules`: the first that matches holds, and no other name exists.

    Args:
        addresses: name to the one address it has; a name of `of` that is not here does not exist either.
    """
    rules = []
    for host in sorted(of.own | of.others):
        name, port = split(host)
        if (address := addresses.get(name)) is not None:
            # Chromium writes addresses of IPv6 in brackets.
            rules.append(f"MAP {_written(name, port)} {_written(address, port)}")
    reached = {split(host)[0] for host in of.own | of.others}
    # A proxy is reached though no page may ask it anything.
    rules += [
        f"MAP {_written(name, '')} {_written(addresses[name], '')}" for name in sorted(addresses.keys() - reached)
    ]
    return ", ".join([*rules, "MAP * ~NOTFOUND"])


def _written(name: str, port: str) -> str:
    name = f"[{name}]" if ":" in name and not name.startswith("[") else name
    return f"{name}:{port}" if port else name
