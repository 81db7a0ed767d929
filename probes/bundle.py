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
from typing import Any
from urllib.parse import urlsplit

from probes.fault import Fault
from probes.har import Asked, archive, instant
from probes.redaction import Redactor
from probes.replay import replay
from probes.sample import Bundle, CertificateFacts, Evidence, Failure, Outcome, Sample, StepOutcome, StepResult
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
) -> Sample:
    """The sample of a run; where it failed, or its clean-up did, with its bundle.

    Args:
        sample: what the run found out; redacted.
        asked: by its steps, in their order; not redacted.
        hidden: values that came up in the run and grant access.
        refused: the certificate that a journey did not trust.
    """
    if sample.outcome in (Outcome.UP, Outcome.DEGRADED) and not sample.evidence:
        return sample
    redact = Redactor((*setup.secrets.values(), *hidden))
    try:
        return replace(sample, bundles=(packed(_bounded(sample, asked, setup, redact, refused)),))
    except Exception as error:
        # A second edge of the run: what it found stands without a bundle, with the evidence of its steps.
        log.error("no bundle was made", extra={"check": sample.check_id, "error": type(error).__name__})
        return sample


def _bounded(
    sample: Sample, asked: Sequence[Asked], setup: Setup, redact: Redactor, refused: CertificateFacts | None
) -> bytes:
    for bodies, entries in ((16 * 1024, 200), (0, 60), (0, 8)):
        har = archive(
            asked,
            started_us=sample.started_us,
            redact=redact,
            creator=_CREATOR,
            version=setup.version,
            kept={piece.step: piece for piece in sample.evidence},
            body_limit=bodies,
            most=entries,
        )
        body = canonical(_told(sample, asked, har, setup, redact, refused))
        if len(body) <= LIMIT:
            return body
    # Pieces of evidence have bounds of their own; so many at once come from a journey of hundreds of failing steps.
    short = _told(sample, asked, har | {"pages": [], "entries": []}, setup, redact, refused)
    return canonical(short | {"steps": [], "evidence": short["evidence"][:1], "shortened": True})


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


def _told(
    sample: Sample,
    asked: Sequence[Asked],
    har: dict[str, Any],
    setup: Setup,
    redact: Redactor,
    refused: CertificateFacts | None,
) -> dict[str, Any]:
    certificate = sample.certificate or refused
    by_step = {one.step: one.trail for one in asked}
    last = {entry["pageref"]: place for place, entry in enumerate(har["entries"])}
    failures = {step.step: step.failure for step in sample.steps}
    return {
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
            _evidence(piece, failures.get(piece.step), by_step.get(piece.step), last.get(piece.step), setup, redact)
            for piece in sample.evidence
        ],
        "certificate": None if certificate is None else _certificate(certificate),
        "har": {"log": har},
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
    if trail is not None and trail.urls:
        host = urlsplit(trail.urls[-1]).hostname or ""
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
