"""What proves failing samples, read from the store for the pages and the files that hold it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from dashboards.evidence import CertificateShown, EvidenceText, PageShown, PictureShown, Proof
from dashboards.formatting import Language
from monitor.store import evidence
from monitor.store.database import Database, Transaction
from monitor.store.evidence import Kept
from probes.bundle import BundleDamagedError, evidence_of, files_named, har_of
from probes.sample import FILE_FORMS, Evidence, Failure, FailureKind, FileKind, Sample
from probes.sentences import phrase, sentence

_PHASES = ("resolve", "connect", "tls", "processing", "transfer")

_PAINTS = ("first_paint", "largest_paint", "content_loaded", "loaded")

#: A step's own name in a language; None where it has none.
StepTitle = Callable[[str | None], str | None]


def shown(
    tx: Transaction, failing: Iterable[Sample], language: Language, title: StepTitle
) -> tuple[tuple[EvidenceText, ...], bool]:
    """The evidence of these samples as texts, and whether a part of it is damaged and therefore left out."""
    found: list[EvidenceText] = []
    damaged = False
    for sample in failing:
        at = (sample.check_id, sample.location, sample.slot_us)
        try:
            whole = tuple(evidence.bundles(tx, *at, sample.slot_us + 1))
            texts = [text for kept in whole for text in _of_bundle(kept, sample.started_us, language, title)]
            found += texts or [_text(piece, sample.started_us) for piece in evidence.read(tx, *at)]
        except BundleDamagedError:
            damaged = True
    return tuple(found), damaged


def file_of(database: Database, sha256: str, form: str) -> bytes | None:
    """A bundle's file: `json` is the whole, its bytes those of its name; `har` the HTTP archive in it. And the files
    that bundles name: `png` a picture, `zip` a trace.

    Returns:
        None where there is no such bundle, form, archive or file, or where it is damaged.
    """
    if form not in ("json", "har", *FILE_FORMS.values()):
        return None
    with database.read() as tx:
        try:
            if form in FILE_FORMS.values():
                return evidence.file(tx, sha256, form)
            kept = evidence.bundle(tx, sha256)
        except BundleDamagedError:
            return None
    if kept is None or form == "json":
        return None if kept is None else kept.body
    return har_of(kept.body) if kept.told["har"]["log"]["entries"] else None


def listed(database: Database, check_id: str | None) -> list[dict[str, Any]]:
    """The newest 200 bundles, for the API."""
    with database.read() as tx:
        found = evidence.listed(tx, check_id=check_id, limit=200)
    return [
        {
            "sha256": one.sha256,
            "check": one.check_id,
            "location": one.location,
            "due_us": one.slot_us,
            "outcome": one.outcome,
            "blip": one.blip,
            "size": one.size,
            "href": f"/evidence/{one.sha256}.json",
        }
        for one in found
    ]


def told_beside(kept: Kept) -> tuple[tuple[tuple[str, str], ...], ...]:
    """Of each piece of evidence in a bundle what else is told of it, as headings and texts: the line that asks the same
    again, and what only a browser sees.
    """
    told = kept.told
    steps: dict[str, Any] = told.get("browser", {}).get("steps", {})
    return tuple(tuple(_beside(about, steps.get(about["step"], {}))) for about in told["evidence"])


def _beside(about: dict[str, Any], seen: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if about["replay"]:
        yield "replay", about["replay"]["curl"]
    paints = [
        f"{name.replace('_', ' ')}: {seen[f'{name}_us'] / 1000:g} ms" for name in _PAINTS if seen.get(f"{name}_us")
    ]
    for heading, lines in (
        ("page", paints),
        ("console errors", seen.get("console")),
        ("could not be loaded", seen.get("failed")),
        ("kept out", seen.get("blocked")),
    ):
        if lines:
            yield heading, "\n".join(lines)


def _text(piece: Evidence, at_us: int, proof: Proof | None = None) -> EvidenceText:
    return EvidenceText(
        step=piece.step,
        at_us=at_us,
        request=piece.request,
        response_head=piece.response_head,
        body=piece.body,
        truncated=piece.body_truncated,
        sha256=piece.body_sha256,
        proof=proof,
    )


def _of_bundle(kept: Kept, at_us: int, language: Language, title: StepTitle) -> Iterator[EvidenceText]:
    told = kept.told
    for piece, about in zip(evidence_of(told), told["evidence"], strict=True):
        shown = _text(piece, at_us, _proof(kept, told, about, language, title))
        yield replace(shown, step=title(piece.step) or piece.step)
    if not told["evidence"]:
        # No step is to blame: a certificate, or the monitor itself.
        about = {"failure": told["failure"], "addresses": [], "certificate": told["certificate"], "replay": None}
        bare = Evidence(step="", request="", response_head="", body="", body_truncated=False, body_sha256=None)
        yield _text(bare, at_us, _proof(kept, told, about, language, title))


def _proof(kept: Kept, told: dict[str, Any], about: dict[str, Any], language: Language, title: StepTitle) -> Proof:
    # A check without steps tells its failure of the whole.
    failure = _failure(about["failure"] or (None if told["steps"] else told["failure"]))
    step: dict[str, Any] = next((one for one in told["steps"] if one["step"] == about.get("step")), {})
    replay: dict[str, Any] = about["replay"] or {"curl": "", "lacks": []}
    return Proof(
        sentence="" if failure is None else sentence(failure, language, title(failure.step)),
        expected=phrase(failure.expected, language) if failure and failure.expected is not None else None,
        found=phrase(failure.found, language) if failure and failure.found is not None else None,
        addresses=tuple(_address(one, language) for one in about["addresses"]),
        phases=tuple(_phases(step)),
        certificate=_certificate(about["certificate"] or told["certificate"]),
        curl=replay["curl"],
        lacks=tuple(replay["lacks"]),
        config_sha256=told["config_sha256"],
        run_id=told["run_id"],
        software=told["software"],
        sha256=kept.sha256,
        href=f"/evidence/{kept.sha256}.json",
        har_href=f"/evidence/{kept.sha256}.har" if told["har"]["log"]["entries"] else None,
        page=_page(told, about.get("step"), title) if "browser" in told else None,
    )


def _page(told: dict[str, Any], step: str | None, title: StepTitle) -> PageShown:
    """What only a browser sees. Pictures of steps that went well stand with the first that did not."""
    seen: dict[str, Any] = told["browser"]
    known: dict[str, Any] = seen["steps"].get(step, {})
    failing = [piece["step"] for piece in told["evidence"]]
    first = step is None or step == failing[0]
    named = files_named(told)
    pictures = (one for one in named if one.kind is FileKind.PICTURE)
    return PageShown(
        timings=tuple((name, known[f"{name}_us"]) for name in _PAINTS if known.get(f"{name}_us") is not None),
        pictures=tuple(
            PictureShown(step=title(one.step) or one.step, href=f"/evidence/{one.name}")
            for one in pictures
            if one.step == step or (first and one.step not in failing)
        ),
        console=tuple(known.get("console", ())),
        failed=tuple(known.get("failed", ())),
        blocked=tuple(known.get("blocked", ())),
        trace_href=next((f"/evidence/{one.name}" for one in named if one.kind is FileKind.TRACE), None),
        missing=tuple((one["kind"], one["why"]) for one in seen["left_out"] if one["step"] in (step, "")),
    )


def _phases(step: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """Those that took place; an answer was always waited for, be it shorter than a microsecond."""
    for name in _PHASES if step else ():
        spent_us: int = step["phases"][f"{name}_us"]
        if spent_us > 0 or (name == "processing" and step["status"]):
            yield name, spent_us


def _address(tried: str, language: Language) -> str:
    """`::1 (verbinding geweigerd)`."""
    address, opened, refusal = tried.partition(" (")
    return f"{address} ({phrase(refusal[:-1], language)})" if opened else address


def _failure(told: dict[str, Any] | None) -> Failure | None:
    if told is None:
        return None
    return Failure(
        kind=FailureKind(told["kind"]),
        step=told["step"],
        subject=told["subject"],
        expected=told["expected"],
        found=told["found"],
    )


def _certificate(told: dict[str, Any] | None) -> CertificateShown | None:
    if told is None:
        return None
    until = datetime.fromisoformat(told["not_after"]) - datetime(1970, 1, 1, tzinfo=UTC)
    return CertificateShown(
        subject=told["subject"],
        issuer=told["issuer"],
        not_after_us=until // timedelta(microseconds=1),
        fingerprint_sha256=told["fingerprint_sha256"],
        tls_version=told["tls_version"],
    )
