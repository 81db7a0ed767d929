"""What a browser exported as HTTP Archive 1.2, as a person's visits: each a request and the answer it ended in. Pure.

Pictures, styles, scripts and other hosts are left out and counted; redirects are folded into the request that led to
them, for a step follows them by itself.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urldefrag, urljoin, urlsplit

from probes.forms import self_posting
from probes.http import host_of
from probes.response import Response

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"})
_BESIDE = ("image/", "font/", "audio/", "video/", "text/css", "text/javascript", "application/javascript")
_BESIDE_KINDS = frozenset(
    {"image", "font", "media", "stylesheet", "script", "manifest", "ping", "websocket", "preflight", "other", "beacon"}
)
_BESIDE_ENDS = (
    ".css",
    ".js",
    ".mjs",
    ".map",
    ".png",
    ".jpg",
    ".jpeg",
    ".gif",
    ".svg",
    ".ico",
    ".webp",
    ".woff",
    ".woff2",
    ".ttf",
)


class NotAnArchiveError(ValueError):
    """The text is no HTTP Archive that a journey can be made of; the message says why and how to mend it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploaded:
    """A part of a multipart body; `size` in bytes where it is a file."""

    name: str
    text: str
    file_name: str | None
    content_type: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A request of the person, and the answer in which it ended.

    Attributes:
        url: what was asked first.
        headers: names in lower case.
        fields: of a URL-encoded body, in order; None where the body is none.
        parts: of a multipart body.
        body: of any other kind, as text.
        answer: the last one, after redirects.
        asked: every URL on the way to it.
        by_itself: pages on the way sent a form by themselves (SAML, form_post).
        duration_us: of all of it.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    fields: tuple[tuple[str, str], ...] | None = None
    parts: tuple[Uploaded, ...] = ()
    body: str = ""
    answer: Response
    asked: tuple[str, ...]
    by_itself: bool = False
    duration_us: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What is kept of an archive.

    Attributes:
        base_url: scheme and host of the portal.
        hosts: others that its pages led to, such as an identity provider.
        left_out: why, and how many requests.
    """

    base_url: str
    visits: tuple[Visit, ...]
    hosts: tuple[str, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)


def recording(text: str, *, base_url: str | None = None) -> Recording:
    """Read an archive.

    Args:
        base_url: where the portal is; None takes the host of the first page.

    Raises:
        NotAnArchiveError: not JSON, not an archive, or nothing of the portal in it.
    """
    left: Counter[str] = Counter()
    visits = [found[0] for found in map(_visit, _entries(text)) if _is_kept(found, left)]
    pages = [visit for visit in visits if visit.answer.is_html or visit.answer.status in _REDIRECTS]
    base = (base_url or _origin((pages or visits)[0].url) if visits else "").rstrip("/")
    if base_url is not None and not any(_origin(visit.url) == _origin(base) for visit in visits):
        raise NotAnArchiveError(f"holds no request to {base}; leave --base-url out, or name a host it did visit")
    home = host_of(base) if base else ""
    known, folded = {home}, list[Visit]()
    for visit in visits:
        last = folded[-1] if folded else None
        if last is not None and _leads_to(last, visit):
            known.add(host_of(visit.url))
            by_itself = last.by_itself or visit.method == "POST"
            folded[-1] = replace(
                last,
                answer=visit.answer,
                asked=(*last.asked, visit.url),
                by_itself=by_itself,
                duration_us=last.duration_us + visit.duration_us,
            )
        elif host_of(visit.url) in known:
            folded.append(visit)
        else:
            left["of other hosts"] += 1
    if not folded:
        raise NotAnArchiveError("holds no page or data of a portal; record again with the browser's network tab open")
    return Recording(base_url=base, visits=tuple(folded), hosts=tuple(sorted(known - {home})), left_out=dict(left))


def _entries(text: str) -> Iterator[Mapping[str, Any]]:
    try:
        tree = json.loads(text)
    except ValueError as error:
        raise NotAnArchiveError(f"is not JSON, or not all of it ({error}); export it once more") from None
    log = tree.get("log") if isinstance(tree, dict) else None
    entries = log.get("entries") if isinstance(log, dict) else None
    if not isinstance(entries, list):
        raise NotAnArchiveError('has no "log" with "entries"; export it with "Save all as HAR with content"')
    if not entries:
        raise NotAnArchiveError("has no requests in it; open the network tab before the visit, then export")
    for number, entry in enumerate(entries):
        request, response = (entry.get(name) if isinstance(entry, dict) else None for name in ("request", "response"))
        if not isinstance(request, dict) or not isinstance(response, dict) or not isinstance(request.get("url"), str):
            raise NotAnArchiveError(f"has an entry without request or response (log.entries[{number}]); export it anew")
        yield entry


def _visit(entry: Mapping[str, Any]) -> tuple[Visit, str]:
    request, response = entry["request"], entry["response"]
    url = urldefrag(request["url"]).url
    headers = {str(h["name"]).lower(): str(h["value"]) for h in _rows(request.get("headers"))}
    content = response.get("content") or {}
    body = str(content.get("text") or "")
    try:
        raw = base64.b64decode(body, validate=True) if content.get("encoding") == "base64" else body.encode()
    except (binascii.Error, ValueError):
        raw = b""
    kept = [(str(h["name"]).lower(), str(h["value"])) for h in _rows(response.get("headers"))]
    named = [(name, value) for name, value in kept if name != "content-type"]
    media = next((value for name, value in kept if name == "content-type"), str(content.get("mimeType") or ""))
    # The text in the archive is Unicode already, whatever the page was sent as.
    charset = "" if content.get("encoding") == "base64" else "; charset=utf-8"
    kind = media.partition(";")[0] + charset if media else ""
    posted = request.get("postData") or {}
    fields, parts, text = _posted(posted)
    visit = Visit(
        method=str(request.get("method", "GET")).upper(),
        url=url,
        headers=headers,
        fields=fields,
        parts=parts,
        body=text,
        answer=Response(
            status=int(response.get("status") or 0), headers=(*named, ("content-type", kind)), url=url, body=raw
        ),
        asked=(url,),
        duration_us=max(0, round(float(entry.get("time") or 0) * 1000)),
    )
    return visit, str(entry.get("_resourceType") or "").lower()


def _rows(value: object) -> list[Mapping[str, Any]]:
    rows = value if isinstance(value, list) else []
    return [row for row in rows if isinstance(row, dict) and "name" in row and "value" in row]


def _posted(posted: Mapping[str, Any]) -> tuple[tuple[tuple[str, str], ...] | None, tuple[Uploaded, ...], str]:
    kind = str(posted.get("mimeType") or "").partition(";")[0].strip().lower()
    text, rows = str(posted.get("text") or ""), [r for r in posted.get("params") or [] if isinstance(r, dict)]
    if kind == "application/x-www-form-urlencoded":
        if text:
            return tuple(parse_qsl(text, keep_blank_values=True)), (), ""
        return tuple((str(r.get("name", "")), str(r.get("value") or "")) for r in rows), (), ""
    if kind == "multipart/form-data":
        if not rows:
            return None, tuple(map(_part, _parts(text, str(posted.get("mimeType"))))), ""
        return None, tuple(map(_part, rows)), ""
    return None, (), text


def _part(row: Mapping[str, Any]) -> Uploaded:
    value = str(row.get("value") or "")
    named = row.get("fileName")
    return Uploaded(
        name=str(row.get("name", "")),
        text=value,
        file_name=str(named) if named else None,
        content_type=str(row.get("contentType") or "application/octet-stream").partition(";")[0],
        size=max(1, len(value.encode())),
    )


def _parts(text: str, kind: str) -> Iterator[Mapping[str, Any]]:
    """The parts of a body that the browser wrote down as text."""
    boundary = kind.partition("boundary=")[2].strip('"; ')
    for piece in text.split(f"--{boundary}")[1:-1] if boundary else ():
        head, _, value = piece.strip("\r\n").partition("\r\n\r\n")
        told = {
            name.strip(): rest.strip('"')
            for name, _, rest in (x.partition("=") for x in head.split("\r\n")[0].split(";"))
        }
        media = next(
            (line.partition(":")[2].strip() for line in head.split("\r\n") if line.lower().startswith("content-type")),
            "",
        )
        yield {"name": told.get("name", ""), "value": value, "fileName": told.get("filename"), "contentType": media}


def _is_kept(found: tuple[Visit, str], left: Counter[str]) -> bool:
    visit, kind = found
    media, path = visit.answer.media_type, urlsplit(visit.url).path.lower()
    if visit.answer.status == 0:
        left["without an answer"] += 1
    elif kind in _BESIDE_KINDS or media.startswith(_BESIDE) or path.endswith(_BESIDE_ENDS):
        left["pictures, styles, scripts and their like"] += 1
    elif visit.method not in _METHODS or not visit.url.startswith(("http://", "https://")):
        left["of a kind that a step cannot send"] += 1
    else:
        return True
    return False


def _leads_to(last: Visit, visit: Visit) -> bool:
    """Whether an answer leads to this request without the person: a redirect, or a form that sends itself."""
    if last.answer.status in _REDIRECTS:
        target = next(iter(last.answer.header("location")), "")
        return bool(target) and urldefrag(urljoin(last.answer.url, target)).url == visit.url
    form = self_posting(last.answer) if visit.method == "POST" else None
    return form is not None and form.action == visit.url


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
