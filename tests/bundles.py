"""Samples of failing runs with a real bundle, for tests of what keeps, seals, shows and exports it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from probes.bundle import with_bundle
from probes.evidence import evidence
from probes.har import Asked
from probes.redaction import Redactor
from probes.sample import Sample
from probes.trail import Trail
from tests.scripted_server import setup

REQUEST = "POST http://loket.example/loket HTTP/1.1\nHost: loket.example\nAuthorization: Bearer abc"
ANSWER = "HTTP/1.1 500 Internal Server Error\nContent-Type: text/html"


def proven(
    sample: Sample, *, request: str = REQUEST, sent: bytes = b"a=1", answer: str = ANSWER, body: bytes = b"stuk",
    url: str = "http://loket.example/loket", hidden: Sequence[str] = (),
) -> Sample:  # fmt: skip
    """The sample with the evidence and the bundle of a step that was asked and failed."""
    trail = Trail()
    with trail.trying("127.0.0.1"):
        trail.begin(url, request, sent)
    trail.response_head, trail.status, trail.body = answer, 500, body
    redact = Redactor(hidden)
    asked = Asked(step="verzenden", since_us=0, trail=trail, size=len(body))
    kept = replace(sample, evidence=(evidence("verzenden", trail, redact),))
    return with_bundle(kept, (asked,), hidden, setup("http://loket.example"))
