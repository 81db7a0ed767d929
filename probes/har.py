"""What a run asked and what was answered, as HTTP Archive 1.2: the form in which browsers show and exchange it. Pure.

Every text goes through the redactor before it is taken apart: headers are known by their names at the start of a line.
Times of a request are its phases; what is not known of an answer is -1 or empty, as the format says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from probes.redaction import MASK, Redactor
from probes.sample import Evidence, Phases
from probes.trail import Exchange, Trail

#: Characters of a request's or an answer's head that are kept.
HEAD_LIMIT = 16 * 1024
#: Characters of what a request carried that are kept.
SENT_LIMIT = 16 * 1024

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FORM = "application/x-www-form-urlencoded"


class Asked(NamedTuple):
    """What a step asked. Not redacted.

    Attributes:
        since_us: from the start of the run until the step's.
        trail: its body may have been let go meanwhile; `size` is how long it was.
    """

    step: str
    since_us: int
    trail: Trail
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A request's or an answer's head, redacted and taken apart."""

    first: tuple[str, str, str]
    headers: tuple[tuple[str, str], ...]

    def value(self, name: str) -> str:
        """Of the first header of that name; empty without one."""
        return next((value for key, value in self.headers if key.lower() == name), "")


def head_of(text: str) -> Head:
    """A head taken apart; `text` is redacted already."""
    first, *lines = text.split("\n")
    words = first.split(" ", 2)
    pairs = (line.partition(":") for line in lines if line)
    return Head(
        first=(words[0], words[1] if len(words) > 1 else "", words[2] if len(words) > 2 else ""),
        headers=tuple((name, value.strip()) for name, _, value in pairs),
    )


def instant(at_us: int) -> str:
    """As HAR writes it: ISO 8601 with the zone, in microseconds."""
    return (_EPOCH + timedelta(microseconds=at_us)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def archive(
    asked: Sequence[Asked],
    *,
    started_us: int,
    redact: Redactor,
    creator: str,
    version: str,
    kept: Mapping[str, Evidence],
    body_limit: int,
    most: int,
) -> dict[str, Any]:
    """The `log` object of an archive: a page for each step, an entry for each request.

    Args:
        started_us: the instant at which the run began.
        kept: the evidence of the steps that failed, whose last answers are told with the body that is in it.
        body_limit: characters that are kept of every other body.
        most: entries that are kept, the newest ones.
    """
    entries: list[dict[str, Any]] = []
    pages: list[dict[str, Any]] = []
    for one in asked:
        at_us = started_us + one.since_us
        pages.append({"startedDateTime": instant(at_us), "id": one.step, "title": one.step, "pageTimings": {}})
        exchanges = one.trail.exchanges
        for place, exchange in enumerate(exchanges):
            newest = place == len(exchanges) - 1
            entry = entry_of(one.step, at_us, exchange, redact)
            if newest and one.trail.status:
                entry["response"]["bodySize"] = one.trail.content_length
                entry["serverIPAddress"] = one.trail.addresses[-1] if one.trail.addresses else ""
            size = one.size if newest else len(exchange.body)
            if newest and one.step in kept:
                body, cut = kept[one.step].body, kept[one.step].body_truncated
            else:
                body, cut = redact.capped(body_text(exchange.body), body_limit)
                cut = cut or len(exchange.body) < size
            entry["response"]["content"] |= content_of(body, size, cut=cut)
            entries.append({name: value for name, value in entry.items() if value != ""})
            at_us += _total_us(exchange.hop.phases)
    return log_of(pages, entries, total=len(entries), most=most, creator=creator, version=version)


def log_of(
    pages: list[dict[str, Any]], entries: list[dict[str, Any]], *, total: int, most: int, creator: str, version: str
) -> dict[str, Any]:
    """The newest of these entries as an archive; `total` are all there were."""
    log: dict[str, Any] = {
        "version": "1.2",
        "creator": {"name": creator, "version": version},
        "pages": pages,
        "entries": entries[-most:],
    }
    if total > len(log["entries"]):
        log["comment"] = f"the first {total - len(log['entries'])} of {total} requests were left out"
    return log


def _total_us(phases: Phases) -> int:
    return (
        phases.resolve_us
        + phases.connect_us
        + phases.tls_us
        + max(0, phases.processing_us)
        + max(0, phases.transfer_us)
    )


def entry_of(step: str, at_us: int, exchange: Exchange, redact: Redactor) -> dict[str, Any]:
    """One request and its answer, all but the answer's body."""
    phases, attempts = exchange.hop.phases, exchange.hop.attempts
    entry: dict[str, Any] = {
        "pageref": step,
        "startedDateTime": instant(at_us),
        "time": _total_us(phases) / 1000,
        "request": _request(exchange, redact),
        "response": _response(exchange, redact),
        "cache": {},
        "timings": _timings(phases, connected=bool(attempts)),
    }
    if attempts:
        entry["_attempts"] = [{"address": one.address, "refusal": one.refusal} for one in attempts]
        if attempts[-1].refusal is None:
            entry["serverIPAddress"] = attempts[-1].address
    return entry


def _timings(phases: Phases, *, connected: bool) -> dict[str, float]:
    """In milliseconds. What did not happen on this request is -1; `connect` includes `ssl`, as the format has it."""
    return {
        "blocked": -1,
        "dns": phases.resolve_us / 1000 if connected or phases.resolve_us else -1,
        "connect": (phases.connect_us + phases.tls_us) / 1000 if connected else -1,
        "ssl": phases.tls_us / 1000 if phases.tls_us else -1,
        "send": 0,
        "wait": max(0, phases.processing_us) / 1000,
        "receive": max(0, phases.transfer_us) / 1000,
    }


def _request(exchange: Exchange, redact: Redactor) -> dict[str, Any]:
    head = head_of(redact.capped(exchange.request, HEAD_LIMIT)[0])
    url = redact.capped(exchange.url, HEAD_LIMIT)[0]
    request: dict[str, Any] = {
        "method": head.first[0],
        "url": url,
        "httpVersion": head.first[2],
        "cookies": [
            {"name": name.strip(), "value": value}
            for name, _, value in (pair.partition("=") for pair in head.value("cookie").split(";"))
            if name.strip()
        ],
        "headers": _named(head),
        "queryString": [
            {"name": name, "value": value} for name, value in parse_qsl(_query(url), keep_blank_values=True)
        ],
        "headersSize": -1,
        "bodySize": len(exchange.sent),
    }
    if exchange.sent:
        request["postData"] = _posted(exchange.sent, head.value("content-type"), redact)
    return request


def _query(url: str) -> str:
    """What stands behind the question mark, of whatever a browser asked for: also of what is no proper address."""
    return url.partition("#")[0].partition("?")[2]


def sent_text(sent: bytes, redact: Redactor) -> tuple[str, bool] | None:
    """What a request carried, redacted, and whether it was cut; None where it is no text."""
    try:
        text = sent.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return redact.capped(one_line_end(text), SENT_LIMIT)


def body_text(body: bytes) -> str:
    """Bytes as text, whatever they are; line ends as one character."""
    return one_line_end(body.decode("utf-8", errors="replace"))


def one_line_end(text: str) -> str:
    """The text with line feeds alone: the redactor takes control characters out, and carriage returns with them."""
    return text.replace("\r\n", "\n")


def _posted(sent: bytes, content_type: str, redact: Redactor) -> dict[str, Any]:
    """`params` and `text` exclude each other; a form is told as its fields."""
    told = sent_text(sent, redact)
    posted: dict[str, Any] = {"mimeType": content_type}
    if told is None:
        return posted | {"text": "", "comment": f"{len(sent)} bytes that are no text were left out"}
    text, cut = told
    if content_type.partition(";")[0].strip().lower() == _FORM and not cut:
        return posted | {"params": [{"name": n, "value": v} for n, v in parse_qsl(text, keep_blank_values=True)]}
    return posted | {"text": text} | ({"comment": f"cut: {len(sent)} bytes were sent"} if cut else {})


def _response(exchange: Exchange, redact: Redactor) -> dict[str, Any]:
    head = head_of(redact.capped(exchange.response_head, HEAD_LIMIT)[0])
    version, status, reason = head.first
    cookies = (value.partition(";")[0].partition("=") for key, value in head.headers if key.lower() == "set-cookie")
    return {
        "status": int(status) if status.isdecimal() else 0,
        "statusText": reason,
        "httpVersion": version,
        "cookies": [{"name": name.strip(), "value": MASK} for name, _, _ in cookies if name.strip()],
        "headers": _named(head),
        "content": {"mimeType": head.value("content-type")},
        "redirectURL": head.value("location"),
        "headersSize": -1,
        "bodySize": -1,
    }


def content_of(body: str, size: int, *, cut: bool) -> dict[str, Any]:
    """What an answer held; `body` is redacted, and `size` bytes long before it was cut."""
    content: dict[str, Any] = {"size": size}
    if body:
        content["text"] = body
    if cut:
        content["comment"] = f"cut after {len(body)} characters" if body else "left out"
    return content


def _named(head: Head) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in head.headers]
