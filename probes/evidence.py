"""What is kept of a failing step: request, answer's head, a bounded piece of its body, all redacted when taken."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from probes.har import HEAD_LIMIT, one_line_end
from probes.redaction import Redactor
from probes.sample import Evidence
from probes.trail import Trail

#: Characters of a body that are kept.
BODY_LIMIT = 64 * 1024


def evidence(step: str, trail: Trail, redact: Redactor, text: str | None = None) -> Evidence:
    """The proof of a failing step.

    Args:
        text: the body as text where a whole answer came; otherwise what arrived is read as UTF-8.
    """
    body = text if text is not None else trail.body.decode("utf-8", errors="replace")
    clean, truncated = redact.capped(one_line_end(body), BODY_LIMIT)
    return Evidence(
        step=step,
        request=redact.capped(trail.request, HEAD_LIMIT)[0],
        response_head=redact.capped(trail.response_head, HEAD_LIMIT)[0],
        body=clean,
        body_truncated=truncated,
        body_sha256=hashlib.sha256(trail.body).hexdigest() if trail.status else None,
        addresses=tuple(_tried(trail)),
    )


def _tried(trail: Trail) -> Iterator[str]:
    """Every address, and why it was not the one: `::1 (connection refused)`."""
    refusals = {attempt.address: attempt.refusal for attempt in trail.attempts}
    for address in dict.fromkeys(trail.addresses):
        refusal = refusals.get(address)
        yield address if refusal is None else f"{address} ({refusal})"
