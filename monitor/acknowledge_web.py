"""The ways by which somebody acknowledges an incident over HTTP: the signed link of a mail, and the API with a token.

Everything else on this listener only reads. A link is good for one incident and one thing, and only POST does it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from dashboards.acknowledge_page import FORM_SECURITY_POLICY, AcknowledgePage, render_acknowledge
from dashboards.status_page import Frame
from monitor import acknowledging, pages
from monitor.acknowledging import AlreadyError, NotSaidError, Said
from monitor.attribution import Cause
from monitor.clock import Clock
from monitor.incident_life import remark
from monitor.pages import Watched
from monitor.signed_links import Signer
from monitor.store import incidents
from monitor.store.database import Database, Transaction
from sla.period import instant_text

_LONGEST = 16_384
#: How long a link stays good: longer than a mail may wait in the outbox, and over a weekend.
GOOD_US = 7 * 24 * 3_600_000_000
_PATH = "/opvolgen/"
_API = "/api/v1/incidents/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledging:
    """What these ways need.

    Attributes:
        signer: None: no link is valid.
        token: what programs must show to write; None: the API only reads.
    """

    database: Database
    watched: Watched
    clock: Clock
    signer: Signer | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)


def path_of(signer: Signer, incident_id: str, written_us: int) -> str:
    """The path that a mail written then carries."""
    until_us = written_us + GOOD_US
    return f"{_PATH}{incident_id}/{until_us}/{signer.signature('acknowledge', incident_id, until_us)}"


def carries_permission(method: str, path: str) -> bool:
    """Whether a request is let in by what it carries itself, whoever may see the pages."""
    return path.startswith(_PATH) or (method == "POST" and path.startswith(_API))


def acknowledge_routes(now: Callable[[], Acknowledging], frame: Callable[[Request], Frame]) -> list[Route]:
    """The routes; `now` is asked at every request."""

    async def link(request: Request) -> Response:
        known = now()
        name, until_us, signature = (request.path_params[key] for key in ("name", "until_us", "signature"))
        framed = frame(request)
        now_us = known.clock.now_us()
        signer = known.signer
        if signer is None or not signer.allows("acknowledge", name, until_us, signature, now_us=now_us):
            return _page(AcknowledgePage(frame=framed), 403)
        missing = False
        if request.method == "POST":
            fields = parse_qs((await _body(request)).decode("utf-8", "replace"))
            by, note = (fields.get(key, [""])[0] for key in ("by", "note"))
            try:
                await run_in_threadpool(
                    lambda: _written(
                        known, lambda tx: acknowledging.acknowledge(tx, name, by=by, note=note.strip(), now_us=now_us)
                    )
                )
            except AlreadyError:
                pass
            except NotSaidError:
                missing = True
            if not missing:
                # Whoever reloads what they see sends nothing again.
                language = "?lang=en" if framed.language == "en" else ""
                return RedirectResponse(request.url.path + language, 303)
        page = await run_in_threadpool(lambda: _asked(known, name, framed, missing=missing))
        return _page(page, 404 if not page.title else 400 if missing else 200)

    async def api(request: Request) -> Response:
        known = now()
        if known.token is None:
            return JSONResponse({"error": "writing is not configured"}, 403)
        scheme, _, shown = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not _same(shown.strip(), known.token):
            return JSONResponse({"error": "not admitted"}, 401, headers={"www-authenticate": "Bearer"})
        name, what = request.path_params["name"], request.path_params["what"]
        try:
            told = json.loads(await _body(request))
            if not isinstance(told, dict) or not all(isinstance(value, str) for value in told.values()):
                raise ValueError
        except ValueError:
            return JSONResponse({"error": "send a JSON object of texts"}, 400)
        try:
            said = await run_in_threadpool(lambda: _written(known, lambda tx: _do(tx, what, name, told, known.clock)))
        except AlreadyError as error:
            return JSONResponse({"error": str(error)}, 409)
        except NotSaidError as error:
            return JSONResponse({"error": str(error)}, 400)
        body = {"incident": name, "by": said.by, "text": said.text, "at": instant_text(said.at_us)}
        return JSONResponse(body | ({"cause": said.cause.value} if said.cause else {}), 201)

    return [
        Route(_PATH + "{name}/{until_us:int}/{signature}", link, methods=["GET", "POST"]),
        Route(_API + "{name}/{what}", api, methods=["POST"]),
    ]


def _do(tx: Transaction, what: str, name: str, told: dict[str, str], clock: Clock) -> Said:
    by, now_us = told.get("by", ""), clock.now_us()
    match what:
        case "acknowledge":
            return acknowledging.acknowledge(tx, name, by=by, note=told.get("note", ""), now_us=now_us)
        case "note":
            return acknowledging.note(tx, name, by=by, text=told.get("note", ""), now_us=now_us)
        case "cause" if told.get("cause") in set(Cause):
            cause = Cause(told["cause"])
            return acknowledging.attribute(tx, name, cause, by=by, reason=told.get("reason", ""), now_us=now_us)
        case "cause":
            raise NotSaidError(f"cause is one of {', '.join(Cause)}")
        case _:
            raise NotSaidError("an incident takes acknowledge, note or cause")


def _written(known: Acknowledging, do: Callable[[Transaction], Said]) -> Said:
    with known.database.begin() as tx:
        return do(tx)


def _asked(known: Acknowledging, name: str, frame: Frame, *, missing: bool) -> AcknowledgePage:
    with known.database.read() as tx:
        found = incidents.get(tx, name)
        if found is None:
            return AcknowledgePage(frame=frame)
        said = acknowledging.about(tx, found).acknowledged
    return AcknowledgePage(
        frame=frame,
        title=known.watched.title(found.check_id, frame.language),
        since_us=found.since_us,
        until_us=found.until_us,
        sentence=pages.said_of(found, known.watched, frame.language),
        href=f"/incident/{name}" + ("?lang=en" if frame.language == "en" else ""),
        acknowledged=remark(said) if said else None,
        name_missing=missing,
    )


def _page(page: AcknowledgePage, status: int) -> Response:
    headers: dict[str, Any] = {"cache-control": "no-store", "content-security-policy": FORM_SECURITY_POLICY}
    return Response(render_acknowledge(page), status, headers, "text/html; charset=utf-8")


async def _body(request: Request) -> bytes:
    """What was sent; nothing where it is longer than anybody would write."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > _LONGEST:
            return b""
    return body


def _same(shown: str, wanted: str) -> bool:
    return hmac.compare_digest(hashlib.sha256(shown.encode()).digest(), hashlib.sha256(wanted.encode()).digest())
