"""The certificate that a journey refused: read over a second connection, so that its bundle can show it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from urllib.parse import urlsplit

from probes.checks import CertificateCheck
from probes.fault import Fault
from probes.har import Asked
from probes.sample import CertificateFacts, FailureKind, Sample
from probes.setup import Setup
from probes.tls import facts
from probes.trail import Trail


async def refused_certificate(sample: Sample, asked: Sequence[Asked], setup: Setup) -> CertificateFacts | None:
    """What the server of the last request shows; None where TLS is not what failed, or where nothing is shown.

    It is asked only after a failure, and never in simulated time. Nothing is sent over the connection.
    """
    kind = sample.failure.kind if sample.failure is not None else None
    if kind is not FailureKind.TLS or not asked or setup.transport is not None:
        return None
    try:
        parts = urlsplit(asked[-1].trail.urls[-1])
        check = CertificateCheck.model_validate(
            {
                "id": sample.check_id,
                "title": {"nl": sample.check_id, "en": sample.check_id},
                "interval": "2s",
                "deadline": "2s",
                "host": parts.hostname,
                "port": parts.port or 443,
            }
        )
        async with asyncio.timeout(check.deadline / 1_000_000):
            return facts(check.host, await setup.shown(check, Trail()))
    except (Fault, OSError, ValueError):  # TimeoutError is an OSError
        return None
