"""One-time passwords by the clock (RFC 6238), as apps on a telephone show them. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from probes.notation import Definition, Duration

_HASHES: Mapping[str, str] = {"SHA1": "sha1", "SHA256": "sha256", "SHA512": "sha512"}


class Totp(Definition):
    """How one-time passwords are made. The defaults are what nearly every site uses.

    Attributes:
        secret: name of the secret that holds the shared key, in base32 as the site shows it.
        period: how long one password is good.
    """

    secret: str
    algorithm: Literal["SHA1", "SHA256", "SHA512"] = "SHA1"
    digits: int = Field(default=6, ge=6, le=8)
    period: Duration = 30_000_000


def shared_key(secret: str) -> bytes:
    """The key behind base32 text; spaces, hyphens and missing padding are how people write it.

    Raises:
        ValueError: where it is not base32, or empty. The text itself is never told.
    """
    text = "".join(secret.split()).replace("-", "").rstrip("=").upper()
    try:
        key = base64.b32decode(text + "=" * (-len(text) % 8))
    except binascii.Error as error:
        raise ValueError("is not base32 (letters A to Z and digits 2 to 7)") from error
    if not key:
        raise ValueError("is empty")
    return key


def one_time_password(key: bytes, *, now_us: int, totp: Totp) -> str:
    """The password of the period in which an instant lies. Source: RFC 6238 over RFC 4226, 5.3."""
    counter = now_us // totp.period
    digest = hmac.new(key, counter.to_bytes(8, "big"), _HASHES[totp.algorithm]).digest()
    start = digest[-1] & 0x0F
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**totp.digits).zfill(totp.digits)


def derived(purpose: str, run_id: str) -> str:
    """43 characters that only this run uses for this purpose: state, nonce or PKCE verifier (RFC 7636, 4.1)."""
    return base64url(hashlib.sha256(f"{purpose}|{run_id}".encode()).digest())


def challenge(verifier: str) -> str:
    """PKCE's S256 challenge of a verifier (RFC 7636, 4.2)."""
    return base64url(hashlib.sha256(verifier.encode("ascii")).digest())


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")
