"""The one door for what the monitor itself sends to other machines: small, bounded, never redirected.

Proxies and credentials of the environment are left alone: what is sent goes to the configured address and nowhere else.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import httpx

_SECOND_US = 1_000_000
MOST_BYTES = 262_144


class OutboundError(Exception):
    """Nothing came back, or nothing fit to be read; the message says what and from whom."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the other side said. `content_type` is empty where it named none."""

    status: int
    content_type: str
    body: bytes


async def post(
    url: str,
    body: bytes,
    *,
    headers: Mapping[str, str],
    timeout_us: int,
    most_bytes: int = MOST_BYTES,
    trust: ssl.SSLContext | None = None,
    method: Literal["POST", "GET"] = "POST",
    called: str | None = None,
) -> Answer:
    """Send a body to an address once.

    Args:
        called: how messages name the address; None names it whole. Given where the address itself grants access: then
            nothing of it is in a message.
        timeout_us: for everything together, from the name to the last byte.
        most_bytes: of the answer's body, as it is after decoding.
        trust: the certificates that are trusted; None trusts the system's.

    Raises:
        OutboundError: no connection, no answer in time, or an answer that is too large.
    """
    seconds = timeout_us / _SECOND_US
    name = url if called is None else called
    try:
        # httpx's own limits are per read: a body that drips would never end.
        async with asyncio.timeout(seconds):
            client = httpx.AsyncClient(follow_redirects=False, trust_env=False, timeout=seconds, verify=trust or True)
            async with client, client.stream(method, url, content=body, headers=dict(headers)) as answer:
                found = bytearray()
                async for piece in answer.aiter_bytes():
                    found += piece
                    if len(found) > most_bytes:
                        raise OutboundError(f"{name} answered with more than {most_bytes} bytes")
                kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
                return Answer(status=answer.status_code, content_type=kind, body=bytes(found))
    except TimeoutError as error:
        raise OutboundError(f"{name} gave no answer within {seconds:g} s") from error
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        if called is not None:
            # What a library says may repeat the address, and so would the trace of what caused this.
            raise OutboundError(f"{name} cannot be reached: {type(error).__name__}") from None
        raise OutboundError(f"{name} cannot be reached: {error or type(error).__name__}") from error
