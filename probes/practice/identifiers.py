"""Ids and tokens: the same ones in the same order for the same seed, so that a replayed month is the same month."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode


class Identifiers:
    """A source of ids. `seed` must differ between runs whose ids must not meet."""

    def __init__(self, seed: str) -> None:
        self._seed = seed.encode()
        self._count = 0

    def next(self, kind: str) -> str:
        """22 characters of base64url, the style of the real portal's uuids."""
        self._count += 1
        digest = hashlib.sha256(b"%s|%s|%d" % (self._seed, kind.encode(), self._count)).digest()
        return urlsafe_b64encode(digest[:16]).decode().rstrip("=")
