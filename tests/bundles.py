"""Samples of failing runs with a real bundle, for tests of what keeps, seals, shows and exports it."""

from __future__ import annotations

import base64
import io
import struct
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import replace

from probes.browser.exchange import Aside, LeftOut, Loaded, Seen, Shot, Why
from probes.bundle import with_bundle
from probes.evidence import evidence
from probes.har import Asked
from probes.redaction import Redactor
from probes.sample import Evidence, FileKind, Phases, Sample, StepOutcome, StepResult
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


def a_picture(shade: int = 230, *, width: int = 128, height: int = 90) -> bytes:
    """A PNG of one shade of grey."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + bytes([shade]) * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    whole = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + whole


def a_trace(text: str = '{"type":"context-options"}\n') -> bytes:
    """A ZIP in the form of a trace."""
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w") as archive:
        archive.writestr("trace.trace", text)
    return into.getvalue()


def seen_in_a_browser(
    sample: Sample, *, picture: bytes | None = None, trace: bytes | None = None, console: Sequence[str] = ()
) -> Sample:
    """The sample with the evidence, the bundle and the files of a step that failed in a browser."""
    page = Loaded(
        step="verzenden", at_us=0, sort="document", is_page=True, method="GET", url="http://loket.example/loket",
        version="HTTP/1.1", status=200, status_text="OK", response_headers=(("Content-Type", "text/html"),),
        body="<h1>Dag</h1>", size=12, phases=Phases(processing_us=20_000), address="127.0.0.1",
    )  # fmt: skip
    script = Loaded(
        step="verzenden", at_us=30_000, sort="script", is_page=False, method="GET",
        url="http://loket.example/s.js", failure="csp",
    )  # fmt: skip
    shots = [(FileKind.PICTURE, "verzenden", picture or a_picture()), (FileKind.TRACE, "", trace or a_trace())]
    step = StepResult(
        step="verzenden", outcome=StepOutcome.FAILED, duration_us=400_000, status=200, failure=sample.failure,
        lcp_us=310_000, first_paint_us=120_000, content_loaded_us=90_000, loaded_us=350_000,
        console_errors=len(console),
    )  # fmt: skip
    proof = Evidence(
        step="verzenden", request="browser step: goto", response_head="200", body="<h1>Dag</h1>", body_truncated=False,
        body_sha256="ab" * 32,
    )  # fmt: skip
    seen = Seen(
        loaded=(page, script),
        asked=2,
        asides=(Aside(step="verzenden", console=tuple(console), failed=("csp http://loket.example/s.js",)),),
        shots=tuple(Shot(kind=kind, step=s, content=base64.b64encode(body).decode()) for kind, s, body in shots),
        left_out=(LeftOut(kind=FileKind.PICTURE, step="elders", why=Why.BUDGET),),
    )
    kept = replace(sample, steps=(step,), evidence=(proof,))
    return with_bundle(kept, (), (), setup("http://loket.example"), None, seen)
