"""What a run's pages asked, as HTTP Archive 1.2: each step a page with its timings, each request an entry. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from probes.browser.exchange import Loaded, Seen
from probes.browser.fields import fields_masked
from probes.har import content_of, entry_of, instant, log_of, one_line_end
from probes.redaction import Redactor
from probes.sample import Attempt, Hop, StepOutcome, StepResult
from probes.trail import Exchange

#: What the browser says of a request that it did not send, in words for who reads the archive.
_UNSENT = {
    "csp": "the page's own Content-Security-Policy forbids it",
    "net::ERR_BLOCKED_BY_CLIENT": "kept out: a host that is not allowed",
    "net::ERR_BLOCKED_BY_CLIENT.Inspector": "kept out: a host that is not allowed",
}


def browser_archive(
    seen: Seen,
    steps: Sequence[StepResult],
    *,
    started_us: int,
    redact: Redactor,
    creator: str,
    version: str,
    body_limit: int,
    most: int,
) -> dict[str, Any]:
    """The `log` object of an archive. Beside what the format has, entries tell `_resourceType` and, where nothing came
    of them, `_failureText`; pages tell paints as browsers' tools do.

    Args:
        started_us: the instant of the first step.
        body_limit: characters that are kept of a body; none of scripts, styles and pictures.
        most: entries that are kept, the newest ones.
    """
    began = {one.step: one.at_us for one in reversed(seen.loaded)}
    by_id = {step.step: step for step in steps}
    pages = [_page(step, started_us + at_us, by_id) for step, at_us in reversed(began.items())]
    entries = [_entry(one, started_us, redact, body_limit) for one in seen.loaded]
    return log_of(pages, entries, total=seen.asked, most=most, creator=creator, version=version)


def documents(entries: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """By step, the place of the last page's own document among the entries of an archive."""
    return {entry["pageref"]: place for place, entry in enumerate(entries) if entry.get("_isPage")}


def _page(step: str, at_us: int, steps: Mapping[str, StepResult]) -> dict[str, Any]:
    known = steps.get(step, StepResult(step=step, outcome=StepOutcome.SKIPPED))
    timings = {
        "onContentLoad": known.content_loaded_us,
        "onLoad": known.loaded_us,
        "_firstContentfulPaint": known.first_paint_us,
        "_largestContentfulPaint": known.lcp_us,
    }
    told = {name: spent_us / 1000 for name, spent_us in timings.items() if spent_us is not None}
    return {"startedDateTime": instant(at_us), "id": step, "title": step, "pageTimings": told}


def _entry(one: Loaded, started_us: int, redact: Redactor, body_limit: int) -> dict[str, Any]:
    attempts = (Attempt(address=one.address),) if one.connected and one.address else ()
    exchange = Exchange(
        url=one.url,
        request=_head(f"{one.method} {one.url} {one.version}", one.request_headers),
        sent=(one.sent or "").encode(),
        response_head=_head(f"{one.version} {one.status} {one.status_text}", one.response_headers)
        if one.status
        else "",
        body=b"",
        hop=Hop(status=one.status, phases=one.phases, attempts=attempts),
    )
    entry = entry_of(one.step, started_us + one.at_us, exchange, redact)
    entry["_resourceType"] = one.sort
    if one.is_page:
        entry["_isPage"] = True
    if one.address:
        entry["serverIPAddress"] = one.address
    entry["request"]["bodySize"] = one.sent_size
    if one.sent is None:
        left_out = f"{one.sent_size} bytes that are no text were left out"
        entry["request"]["postData"] = {"mimeType": "", "text": "", "comment": left_out}
    size = max(0, one.size)
    body, cut = redact.capped(one_line_end(fields_masked(one.body)), body_limit)
    entry["response"]["content"] |= content_of(body, size, cut=cut or (size > 0 and len(one.body.encode()) < size))
    if one.size >= 0:
        entry["response"]["bodySize"] = one.size
    if one.failure is not None:
        entry["response"]["_failureText"] = redact.short(one.failure) or ""
        entry["comment"] = _UNSENT.get(one.failure, "it came to nothing")
    return entry


def _head(first: str, headers: Sequence[tuple[str, str]]) -> str:
    """A first line and its headers; the browser may join several of one name with line ends."""
    return "\n".join((first, *(f"{name}: {line}" for name, value in headers for line in value.split("\n"))))
