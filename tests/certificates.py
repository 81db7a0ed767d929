"""Certificates for tests: a little authority, and what servers get from it, good and bad."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import trustme


@dataclass(frozen=True, slots=True)
class Authority:
    """An authority and the file that makes us trust it."""

    ca: trustme.CA
    file: str

    def server(self, *names: str, until: datetime | None = None, since: datetime | None = None) -> ssl.SSLContext:
        """What a server with a certificate for these names uses."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(*names, not_after=until, not_before=since).configure_cert(context)
        return context


def authority(directory: Path, name: str = "ca.pem") -> Authority:
    ca = trustme.CA()
    path = directory / name
    ca.cert_pem.write_to_path(str(path))
    return Authority(ca, str(path))


LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)
PAST = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
