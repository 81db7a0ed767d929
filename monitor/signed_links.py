"""Addresses that carry their own permission: an HMAC over what they allow and until when.

The key is a file of the monitor's own. Whoever removes it takes every link back; the next one is made with a new key.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

_BYTES = 32


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs and checks what a link allows."""

    key: bytes = field(repr=False)

    def signature(self, purpose: str, subject: str, until_us: int) -> str:
        signed = f"{purpose}\n{subject}\n{until_us}".encode()
        return hmac.new(self.key, signed, hashlib.sha256).hexdigest()

    def allows(self, purpose: str, subject: str, until_us: int, signature: str, *, now_us: int) -> bool:
        """Whether this signature is ours, and not over."""
        wanted = self.signature(purpose, subject, until_us)
        return hmac.compare_digest(wanted.encode(), signature.encode()) and now_us < until_us


def signer_of(path: Path) -> Signer:
    """The signer whose key is in this file; it is made, for our eyes only, where there is none.

    Raises:
        OSError: the file can be neither read nor made, or holds no whole key.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        # Written whole beside its place: of two processes that begin together, both then read the same key.
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        beside.unlink(missing_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(beside, path)
        beside.unlink()
    key = path.read_bytes()
    if len(key) != _BYTES:
        raise OSError(f"{path} holds no key of {_BYTES} bytes; remove it, and a new one is made")
    return Signer(key)
