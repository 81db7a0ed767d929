"""The two listeners: pages and JSON API on one, metrics and health on the other. Nothing here decides.

All of it only reads, but for what people say about incidents (`monitor.acknowledge_web`)."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboards.formatting import Language
from dashboards.status_page import (
    CONTENT_SECURITY_POLICY,
    STATIC,
    AccessibilityPage,
    ErrorPage,
    Frame,
    Links,
    render_accessibility,
    render_error,
    render_incident,
    render_sla,
    render_status,
)
from monitor import evidence_pages, pages
from monitor.access import Gate
from monitor.acknowledge_web import Acknowledging, acknowledge_routes, carries_permission
from monitor.clock import Clock
from monitor.metrics import Metrics
from monitor.month import MonthToDate, sla_page
from monitor.pages import Days, Watched
from monitor.signed_links import Signer
from monitor.store import incidents, ledger, reports
from monitor.store.database import Database, StoreError
from monitor.visitor_connection import USUAL, Limits, VisitorConnection
from probes.sentences import sentence
from sla.contract import Contract
from sla.deadlines import Procedure, calendar_of, deadlines

_SECURITY = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_PROOF_TYPES = {"json": "application/json", "har": "application/json", "png": "image/png", "zip": "application/zip"}
_TYPES = {".html": "text/html; charset=utf-8", ".pdf": "application/pdf", ".json": "application/json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the pages need: where to read, and the words for it.

    Attributes:
        months: the running month of each contract, by contract; empty until it was first assessed.
        notice: a sentence above every page per language; empty for none.
        signer: of the links by which incidents are acknowledged.
        write_token: what programs must show to acknowledge; None: nobody can by the API.
    """

    database: Database
    watched: Watched
    clock: Clock
    days: Days
    months: Mapping[str, MonthToDate]
    version: str
    notice: tuple[str, str] = ("", "")
    signer: Signer | None = None
    write_token: str | None = field(default=None, repr=False)

    @property
    def acknowledging(self) -> Acknowledging:
        return Acknowledging(
            database=self.database,
            watched=self.watched,
            clock=self.clock,
            signer=self.signer,
            token=self.write_token,
        )


def pages_app(shown: Callable[[], Shown]) -> ASGIApp:
    """Status, incident and SLA pages, their JSON, and the files of issued reports.

    Args:
        shown: asked at every request, so that a reloaded configuration shows at once.
    """

    def frame(request: Request) -> Frame:
        now = shown()
        language = _language(request)
        suffix = "?lang=en" if language == "en" else ""
        other = "?lang=nl" if language == "en" else "?lang=en"
        return Frame(
            portal=now.watched.portal,
            generated_us=now.clock.now_us(),
            version=now.version,
            language=language,
            timezone=now.watched.timezone,
            notice=now.notice[1] if language == "en" else now.notice[0],
            links=Links(
                status=f"/{suffix}",
                sla=f"/sla{suffix}" if now.months else None,
                accessibility=f"/toegankelijkheid{suffix}",
                json="/api/v1/status",
                other_language=f"{request.url.path}{other}",
            ),
        )

    async def status(request: Request) -> Response:
        now, framed = shown(), frame(request)
        page = await run_in_threadpool(
            lambda: pages.status(now.database, now.watched, now.days, frame=framed, now_us=framed.generated_us)
        )
        known = request.scope.get(_KNOWN, True)
        return _html(request, render_status(page if known else pages.without_details(page)))

    async def incident(request: Request) -> Response:
        now = shown()
        framed = replace(frame(request), refresh_seconds=0)
        name = request.path_params["name"]
        page = await run_in_threadpool(lambda: pages.incident(now.database, now.watched, name, frame=framed))
        if page is None:
            raise HTTPException(404)
        return _html(request, render_incident(page))

    async def sla(request: Request) -> Response:
        now = shown()
        name: str = request.path_params.get("contract") or next(iter(now.months), "")
        if name not in now.months:
            raise HTTPException(404)
        month = now.months[name]
        issued = await run_in_threadpool(lambda: _issued(now.database, name))
        found = await run_in_threadpool(
            lambda: _procedures(now.database, month.assessment.contract, now.clock.now_us())
        )
        page = replace(sla_page(month, issued, frame=frame(request)), procedures=found)
        return _html(request, render_sla(page))

    async def accessibility(request: Request) -> Response:
        framed = replace(frame(request), refresh_seconds=0)
        return _html(
            request, render_accessibility(AccessibilityPage(frame=framed, organisation=shown().watched.portal))
        )

    async def static(request: Request) -> Response:
        found = STATIC.get(request.path_params["name"])
        if found is None:
            raise HTTPException(404)
        content_type, body = found
        return _cached(request, body, content_type, "public, max-age=86400")

    async def report_file(request: Request) -> Response:
        now = shown()
        contract, period, file = (request.path_params[key] for key in ("contract", "period", "file"))
        issued = await run_in_threadpool(lambda: _issued(now.database, contract))
        for one in issued:
            # Only files that a report names are served, whatever the path says.
            for path in (Path(p) for p in one.files.values()):
                if one.period == period and path.name == file and path.is_file():
                    body = await run_in_threadpool(path.read_bytes)
                    kind = _TYPES.get(path.suffix, "application/octet-stream")
                    response = _cached(request, body, kind, "no-cache")
                    if path.suffix == ".html":
                        # A report is one self-contained file with its own styles; it runs nothing and loads nothing.
                        response.headers["content-security-policy"] = (
                            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; sandbox"
                        )
                    return response
        raise HTTPException(404)

    async def evidence_file(request: Request) -> Response:
        now = shown()
        name, form = request.path_params["name"], request.path_params["form"]
        body = await run_in_threadpool(lambda: evidence_pages.file_of(now.database, name, form))
        if body is None:
            raise HTTPException(404)
        response = _cached(request, body, _PROOF_TYPES[form], "private, no-cache")
        # To be kept, never to be shown by the browser: it holds what strangers wrote. A picture of it runs nothing.
        how = "inline" if form == "png" else "attachment"
        response.headers["content-disposition"] = f'{how}; filename="{name[:16]}.{form}"'
        response.headers["content-security-policy"] = "default-src 'none'; sandbox"
        return response

    async def api_status(request: Request) -> Response:
        now, framed = shown(), frame(request)
        page = await run_in_threadpool(
            lambda: pages.status(now.database, now.watched, now.days, frame=framed, now_us=framed.generated_us)
        )
        body = {
            "portal": now.watched.portal,
            "generated_us": framed.generated_us,
            "journeys": [
                {
                    "id": j.id,
                    "title": j.title,
                    "state": j.now.value,
                    "sentence": j.sentence,
                    "last_run_us": j.last_run_us,
                    "last_duration_us": j.last_duration_us,
                    "availability": None if j.availability is None else f"{float(j.availability):.6f}",
                    "locations": [{"location": p.name, "state": p.now.value, "last_run_us": p.at_us} for p in j.places],
                }
                for j in page.journeys
            ],
            "incidents": [
                {"id": i.id, "title": i.title, "since_us": i.since_us, "step": i.step, "sentence": i.sentence}
                for root in page.incidents
                for i in (root, *root.attached)
            ],
        }
        return JSONResponse(body)

    async def api_incidents(request: Request) -> Response:
        now = shown()
        language = _language(request)

        def read() -> list[dict[str, Any]]:
            with now.database.read() as tx:
                found = incidents.read(tx, limit=500)
            return [
                {
                    "id": i.id,
                    "journey": i.check_id,
                    "since_us": i.since_us,
                    "until_us": i.until_us,
                    "step": i.failure.step,
                    "failure": i.failure.kind.value,
                    "sentence": sentence(i.failure, language),
                }
                for i in found
            ]

        return JSONResponse({"incidents": await run_in_threadpool(read)})

    async def api_evidence(request: Request) -> Response:
        now, check = shown(), request.query_params.get("check")
        return JSONResponse({"bundles": await run_in_threadpool(evidence_pages.listed, now.database, check)})

    async def api_sla(request: Request) -> Response:
        return JSONResponse({"contracts": [month.json for month in shown().months.values()]})

    async def failed(request: Request, error: Exception) -> Response:
        code = error.status_code if isinstance(error, HTTPException) else 503 if isinstance(error, StoreError) else 500
        if request.url.path.startswith("/api/"):
            return JSONResponse({"error": {404: "not found"}.get(code, "not available")}, status_code=code)
        body = render_error(ErrorPage(frame=replace(frame(request), refresh_seconds=0), status=code))
        return Response(body, status_code=code, media_type="text/html; charset=utf-8")

    app = Starlette(
        routes=[
            Route("/", status),
            Route("/incident/{name}", incident),
            Route("/sla", sla),
            Route("/sla/{contract}", sla),
            Route("/toegankelijkheid", accessibility),
            Route("/static/{name:path}", static),
            Route("/reports/{contract}/{period}/{file}", report_file),
            Route("/evidence/{name:str}.{form:str}", evidence_file),
            Route("/api/v1/status", api_status),
            Route("/api/v1/incidents", api_incidents),
            Route("/api/v1/evidence", api_evidence),
            Route("/api/v1/sla", api_sla),
            *acknowledge_routes(
                lambda: shown().acknowledging, lambda request: replace(frame(request), refresh_seconds=0)
            ),
        ],
        exception_handlers={HTTPException: failed, StoreError: failed, Exception: failed},
    )
    return _secured(_guarded(app, lambda: shown().watched.gate))


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Whether the monitor does its work; `problems` says what does not, and is empty when all is well."""

    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not self.problems


def metrics_app(metrics: Metrics, *, health: Callable[[], Awaitable[Health]], ready: Callable[[], bool]) -> ASGIApp:
    """`/metrics`, `/probe` (one check, as blackbox_exporter tells it), `/healthz` and `/readyz` (has it begun?)."""

    async def exposition(request: Request) -> Response:
        body, kind = await run_in_threadpool(metrics.exposition, request.headers.get("accept", ""))
        return Response(body, headers={"content-type": kind, "cache-control": "no-store"})

    async def probe(request: Request) -> Response:
        target, module = (request.query_params.get(name, "") for name in ("target", "module"))
        if not target:
            return PlainTextResponse("Target parameter is missing: name a journey or another check.\n", 400)
        if module not in ("", "journey"):
            return PlainTextResponse("Unknown module: there is only module=journey.\n", 400)
        if not metrics.known(target):
            return PlainTextResponse("Unknown target: no check of this name is configured.\n", 404)
        found = await run_in_threadpool(metrics.probe, target, request.headers.get("accept", ""))
        if found is None:
            return PlainTextResponse("This check has not been run yet.\n", 503)
        return Response(found[0], headers={"content-type": found[1], "cache-control": "no-store"})

    async def healthz(_: Request) -> Response:
        found = await health()
        body = {"ok": found.ok, "problems": list(found.problems)}
        return JSONResponse(body, status_code=200 if found.ok else 503)

    async def readyz(_: Request) -> Response:
        begun = ready()
        return JSONResponse({"ready": begun}, status_code=200 if begun else 503)

    routes = [
        Route("/metrics", exposition),
        Route("/probe", probe),
        Route("/healthz", healthz),
        Route("/readyz", readyz),
    ]
    return _secured(Starlette(routes=routes))


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 takes a free one.

    Raises:
        OSError: the address is taken or is not this machine's; the message says which and what to do.
    """
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        why = f"{host} port {port} cannot be listened on ({os.strerror(error.errno or 0)}); is another monitor running?"
        raise OSError(why) from error


class Server(uvicorn.Server):
    """A uvicorn server on a socket that listens already; it leaves signals to the service.

    Args:
        limits: how long a visitor may keep a connection.
    """

    def __init__(self, app: ASGIApp, listener: socket.socket, limits: Limits = USUAL) -> None:
        bounded = type("Bounded", (VisitorConnection,), {"limits": limits})
        super().__init__(
            uvicorn.Config(
                app, http=bounded, lifespan="off", log_config=None, access_log=False, server_header=False,
                timeout_graceful_shutdown=2, timeout_keep_alive=limits.quiet_us // 1_000_000 + 1, proxy_headers=False,
            )
        )  # fmt: skip
        self._listener = listener
        #: Where it can be reached.
        self.port = int(listener.getsockname()[1])

    async def until_asked_to_exit(self) -> None:
        """Answer requests until `should_exit` is set."""
        await self.serve(sockets=[self._listener])

    def install_signal_handlers(self) -> None:
        return

    def capture_signals(self) -> Any:
        return nullcontext()


def _language(request: Request) -> Language:
    asked = request.query_params.get("lang")
    return "en" if asked == "en" else "nl"


def _issued(database: Database, contract: str) -> tuple[reports.Issued, ...]:
    with database.read() as tx:
        return reports.read(tx, contract=contract)


def _procedures(database: Database, contract: Contract, now_us: int) -> tuple[Procedure, ...]:
    """The contract's findings that were sent, newest first; a draft is shown to nobody."""
    with database.read() as tx:
        entries = tuple(ledger.read(tx, kinds=("findings-drafted", "findings-sent", "defence", "decision")))
    found = deadlines(entries, now_us, calendar_of(contract))
    return tuple(one for one in reversed(found) if one.sent is not None and one.contract in ("", contract.contract))


def _html(request: Request, body: str) -> Response:
    return _cached(request, body.encode(), "text/html; charset=utf-8", "no-cache")


def _cached(request: Request, body: bytes, content_type: str, control: str) -> Response:
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"etag": etag, "cache-control": control, "content-type": content_type}
    if etag in (tag.strip() for tag in request.headers.get("if-none-match", "").split(",")):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers)


#: In a request's scope: whether this visitor may see everything.
_KNOWN = "loketwacht.known"


def _guarded(app: ASGIApp, gate: Callable[[], Gate]) -> ASGIApp:
    """Lets in only whom the gate lets in; others see the status page without details, where that is public."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        now = gate()
        own = scope["type"] == "http" and carries_permission(scope["method"], scope["path"])
        if scope["type"] != "http" or not now.closed or own:
            await app(scope, receive, send)
            return
        request = Request(scope)
        known = now.lets_in(client=request.client.host if request.client else None, headers=request.headers)
        path = scope["path"]
        if not known and not (path.startswith("/static/") or (now.public and path in ("/", "/toegankelijkheid"))):
            ask = {"www-authenticate": 'Basic realm="Loketwacht", charset="UTF-8"', "cache-control": "no-store"}
            await PlainTextResponse("Niet toegelaten. / Not admitted.\n", 401, headers=ask)(scope, receive, send)
            return

        async def for_one_alone(message: Message) -> None:
            # A cache between us must not show one visitor what another may see.
            if message["type"] == "http.response.start" and not path.startswith("/static/"):
                kept = [pair for pair in message["headers"] if pair[0] != b"cache-control"]
                message["headers"] = [*kept, (b"cache-control", b"private, no-cache"), (b"vary", b"authorization")]
            await send(message)

        await app({**scope, _KNOWN: known}, receive, for_one_alone)

    return guarded


def _secured(app: ASGIApp) -> ASGIApp:
    extra = [(name.encode(), value.encode()) for name, value in _SECURITY.items()]

    async def secured(scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                there = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(pair for pair in extra if pair[0] not in there)]
            await send(message)

        await app(scope, receive, with_headers)

    return secured
