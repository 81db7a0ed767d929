"""All that proves one failing run, in one piece: redacted, bounded, compressed, and named by the SHA-256 of its bytes.

It is built at the end of a run that failed, and of none that went well. It tells what the run itself found: that the
references failed too, and the fault is therefore ours, is told by the sample.
"""

from __future__ import annotations

import hashlib
import json
import logging
import zlib
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from probes.browser.archive import browser_archive, documents
from probes.browser.browsed import proof_files
from probes.browser.exchange import Aside, Seen
from probes.fault import Fault
from probes.har import Asked, archive, instant
from probes.redaction import Redactor
from probes.replay import replay
from probes.sample import (
    Bundle,
    CertificateFacts,
    Evidence,
    Failure,
    FileKind,
    Outcome,
    ProofFile,
    Sample,
    StepOutcome,
    StepResult,
)
from probes.setup import Setup
from probes.tls import Handshake, facts
from probes.trail import Trail

log = logging.getLogger(__name__)

#: Bytes of a bundle before it is compressed; what is beyond is left out, the newest and the failing kept longest.
LIMIT = 1024 * 1024
_FORMAT = 1
_CREATOR = "Loketwacht"


class BundleDamagedError(ValueError):
    """What was kept as a bundle is none any more, or not the one it is named."""


def with_bundle(
    sample: Sample,
    asked: Sequence[Asked],
    hidden: Sequence[str],
    setup: Setup,
    refused: CertificateFacts | None = None,
    seen: Seen | None = None,
) -> Sample:
    """The sample of a run; where it failed, or its clean-up did, with its bundle.

    Args:
        sample: what the run found out; redacted.
        asked: by its steps, in their order; not redacted.
        hidden: values that came up in the run and grant access.
        refused: the certificate that a journey did not trust.
        seen: what a run in a browser leaves; None of others.
    """
    if sample.outcome in (Outcome.UP, Outcome.DEGRADED) and not sample.evidence:
        return sample
    redact = Redactor((*setup.secrets.values(), *hidden))
    try:
        files: tuple[ProofFile, ...] = ()
        if seen is not None:
            seen, files = proof_files(seen, setup)
        bundle = packed(_bounded(_Found(sample, asked, setup, redact, refused, seen, files)))
        return replace(sample, bundles=(replace(bundle, files=files),))
    except Exception as error:
        # A second edge of the run: what it found stands without a bundle, with the evidence of its steps.
        log.error("no bundle was made", extra={"check": sample.check_id, "error": type(error).__name__})
        return sample


class _Found(NamedTuple):
    """All that a bundle is made of."""

    sample: Sample
    asked: Sequence[Asked]
    setup: Setup
    redact: Redactor
    refused: CertificateFacts | None
    seen: Seen | None
    files: tuple[ProofFile, ...]


def _bounded(found: _Found) -> bytes:
    har: dict[str, Any] = {}
    for bodies, entries in ((16 * 1024, 200), (0, 60), (0, 8)):
        har = _archive(found, bodies, entries)
        body = canonical(_told(found, har))
        if len(body) <= LIMIT:
            return body
    # Pieces of evidence have bounds of their own; so many at once come from a journey of hundreds of failing steps.
    short = _told(found, har | {"pages": [], "entries": []})
    return canonical(short | {"steps": [], "evidence": short["evidence"][:1], "shortened": True})


def _archive(found: _Found, bodies: int, entries: int) -> dict[str, Any]:
    sample, version = found.sample, found.setup.version
    if found.seen is not None:
        return browser_archive(
            found.seen,
            sample.steps,
            started_us=sample.started_us,
            redact=found.redact,
            creator=_CREATOR,
            version=version,
            body_limit=bodies,
            most=entries,
        )
    return archive(
        found.asked,
        started_us=sample.started_us,
        redact=found.redact,
        creator=_CREATOR,
        version=version,
        kept={piece.step: piece for piece in sample.evidence},
        body_limit=bodies,
        most=entries,
    )


def canonical(value: object) -> bytes:
    """JSON with sorted keys, without spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def packed(body: bytes) -> Bundle:
    """Canonical bytes under their name."""
    return Bundle(sha256=hashlib.sha256(body).hexdigest(), size=len(body), packed=zlib.compress(body, 6))


def unpacked(content: bytes) -> bytes:
    """The canonical bytes of a bundle.

    Raises:
        BundleDamagedError: these are no compressed bytes, or more than a bundle may have.
    """
    opener = zlib.decompressobj()
    try:
        body = opener.decompress(content, LIMIT * 2)
    except zlib.error as error:
        raise BundleDamagedError("it cannot be decompressed") from error
    if not opener.eof or opener.unused_data:
        raise BundleDamagedError("it is cut, or too long")
    return body


def har_of(body: bytes) -> bytes:
    """The HTTP archive alone, as a file that browsers' tools open; `body` is a bundle's canonical bytes."""
    told: dict[str, Any] = json.loads(body)
    return (json.dumps({"log": told["har"]["log"]}, ensure_ascii=False, indent=1) + "\n").encode()


def evidence_of(told: dict[str, Any]) -> tuple[Evidence, ...]:
    """The pieces of evidence in a bundle; where a request stands in the archive, they are read from there."""
    entries = told["har"]["log"]["entries"]
    return tuple(_piece(piece, entries) for piece in told["evidence"])


class FileNamed(NamedTuple):
    """A file beside a bundle, as the bundle names it.

    Attributes:
        step: empty where it is of the whole run.
        name: its SHA-256, a dot and its form.
        size: in bytes.
    """

    kind: FileKind
    step: str
    name: str
    size: int

    @property
    def sha256(self) -> str:
        return self.name.partition(".")[0]

    @property
    def form(self) -> str:
        return self.name.partition(".")[2]


def files_named(told: dict[str, Any]) -> tuple[FileNamed, ...]:
    """The files beside a bundle; none but a browser's has any."""
    named = told.get("browser", {}).get("files", ())
    return tuple(FileNamed(FileKind(one["kind"]), one["step"], one["name"], one["size"]) for one in named)


def files_named_in(body: bytes) -> tuple[FileNamed, ...]:
    """The same of a bundle's canonical bytes; reading is spared where it names none."""
    return files_named(json.loads(body)) if b'"browser":' in body else ()


def _piece(piece: dict[str, Any], entries: list[dict[str, Any]]) -> Evidence:
    texts = piece
    if piece["entry"] is not None:
        request, response = entries[piece["entry"]]["request"], entries[piece["entry"]]["response"]
        first = f"{request['method']} {request['url']} {request['httpVersion']}"
        answer = f"{response['httpVersion']} {response['status']} {response['statusText']}".rstrip()
        texts = {
            "request": "\n".join((first, *_lines(request["headers"]))),
            "response_head": "\n".join((answer, *_lines(response["headers"]))) if response["status"] else "",
            "body": response["content"].get("text", ""),
        }
    return Evidence(
        step=piece["step"],
        request=texts["request"],
        response_head=texts["response_head"],
        body=texts["body"],
        body_truncated=piece["body_truncated"],
        body_sha256=piece["body_sha256"],
        addresses=tuple(piece["addresses"]),
    )


def _lines(headers: list[dict[str, str]]) -> list[str]:
    return [f"{header['name']}: {header['value']}" for header in headers]


def _told(found: _Found, har: dict[str, Any]) -> dict[str, Any]:
    sample, setup, seen = found.sample, found.setup, found.seen
    certificate = sample.certificate or found.refused
    by_step = {one.step: one.trail for one in found.asked}
    # A browser's page is told as it was after its scripts; its document stands in the archive as it came.
    last = {entry["pageref"]: place for place, entry in enumerate(har["entries"])} if seen is None else {}
    failures = {step.step: step.failure for step in sample.steps}
    told = {
        "bundle": _FORMAT,
        "check": sample.check_id,
        "location": sample.location,
        "due": instant(sample.slot_us),
        "started": instant(sample.started_us),
        "duration_us": sample.duration_us,
        "run_id": sample.run_id,
        "outcome": sample.outcome.value,
        "failure": _failure(sample.failure),
        "software": f"{_CREATOR} {setup.version}",
        "config_sha256": setup.config_sha256,
        "steps": [_step(step) for step in sample.steps if step.outcome is not StepOutcome.SKIPPED],
        "evidence": [
            _evidence(
                piece, failures.get(piece.step), by_step.get(piece.step), last.get(piece.step), setup, found.redact
            )
            for piece in sample.evidence
        ],
        "certificate": None if certificate is None else _certificate(certificate),
        "har": {"log": har},
    }
    return told if seen is None else told | {"browser": _browser(seen, sample, found.files, har)}


def _browser(seen: Seen, sample: Sample, files: Sequence[ProofFile], har: dict[str, Any]) -> dict[str, Any]:
    """What only a browser sees, by step, and the files beside the bundle, by the SHA-256 of their bytes."""
    asides = {one.step: one for one in seen.asides}
    opened = documents(har["entries"])
    pages = {}
    for step in sample.steps:
        aside = asides.get(step.step, Aside(step=step.step))
        pages[step.step] = {
            "document": opened.get(step.step),
            "first_paint_us": step.first_paint_us,
            "largest_paint_us": step.lcp_us,
            "content_loaded_us": step.content_loaded_us,
            "loaded_us": step.loaded_us,
            "console": list(aside.console),
            "failed": list(aside.failed),
            "blocked": list(aside.blocked),
        }
    return {
        "steps": {
            step: told for step, told in pages.items() if any(value not in (None, []) for value in told.values())
        },
        "files": [
            {"kind": one.kind.value, "step": one.step, "name": f"{one.sha256}.{one.form}", "size": len(one.content)}
            for one in files
        ],
        "left_out": [{"kind": one.kind.value, "step": one.step, "why": one.why.value} for one in seen.left_out],
    }


def _evidence(
    piece: Evidence,
    failure: Failure | None,
    trail: Trail | None,
    entry: int | None,
    setup: Setup,
    redact: Redactor,
) -> dict[str, Any]:
    """A failing step. Its texts stand in the archive where it is in it, else here."""
    told: dict[str, Any] = {
        "step": piece.step,
        "failure": _failure(failure),
        "addresses": list(piece.addresses),
        "body_sha256": piece.body_sha256,
        "body_truncated": piece.body_truncated,
        "entry": entry,
        "certificate": None,
        "replay": None,
    }
    if entry is None:
        told |= {"request": piece.request, "response_head": piece.response_head, "body": piece.body}
    if trail is not None and trail.urls and (host := _host(trail.urls[-1])) is not None:
        told["certificate"] = _shown(host, trail)
        proxy = setup.proxy_of(host)
        again = replay(
            trail,
            redact,
            proxy=None if proxy is None else redact(proxy),
            own_authority=setup.portal.ca_file is not None,
        )
        if again is not None:
            told["replay"] = {"curl": again.line, "lacks": [one.value for one in again.lacks]}
    return told


def _host(url: str) -> str | None:
    """None where a page asked for what is no proper address."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return None


def _shown(host: str, trail: Trail) -> dict[str, Any] | None:
    """The certificate that the connection showed; None without TLS, or where it was refused."""
    if not trail.chain:
        return None
    shown = Handshake(chain=trail.chain, tls_version=trail.tls_version, cipher=trail.tls_cipher)
    try:
        return _certificate(facts(host, shown))
    except Fault:
        return None


def _certificate(shown: CertificateFacts) -> dict[str, Any]:
    told = asdict(shown) | {"names": list(shown.names[:50])}
    del told["earliest"]  # the format has no place for it; its end stands in `earliest_not_after`
    for name in ("not_before", "not_after", "earliest_not_after"):
        told[name] = instant(told.pop(f"{name}_us"))
    return told


def _failure(failure: Failure | None) -> dict[str, Any] | None:
    return None if failure is None else asdict(failure) | {"kind": failure.kind.value}


def _step(step: StepResult) -> dict[str, Any]:
    return {
        "step": step.step,
        "outcome": step.outcome.value,
        "duration_us": step.duration_us,
        "phases": asdict(step.phases),
        "status": step.status,
        "body_bytes": step.body_bytes,
        "assertions": step.assertions,
        "address": step.address,
        "tls_version": step.tls_version,
        "tls_cipher": step.tls_cipher,
        "failure": _failure(step.failure),
        "hops": [
            {
                "status": hop.status,
                "phases": asdict(hop.phases),
                "attempts": [asdict(attempt) for attempt in hop.attempts],
            }
            for hop in step.hops
        ],
    }
