"""The practice portal as one ASGI application."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from probes.practice.control import Control
from probes.practice.dossiers import Dossiers
from probes.practice.fault_gate import FaultGate, reference_target
from probes.practice.faults import REFERENCE, FaultBoard
from probes.practice.front_desk import FrontDesk
from probes.practice.identifiers import Identifiers
from probes.practice.identity import SUBMITS_ITSELF, IdentityProvider
from probes.practice.inzage import BASE, Inzage
from probes.practice.loket import Loket
from probes.practice.mail_server import MailFaultBoard
from probes.practice.mailbox import Mailbox
from probes.practice.notifications import Notifications
from probes.practice.objections import Objections
from probes.practice.rendering import HERE, Pages
from probes.practice.sessions import Sessions
from probes.practice.soap import WebService
from probes.practice.world import LoginNeeded, Refused, SendMail, World

_SCRIPT = b64encode(hashlib.sha256(SUBMITS_ITSELF.encode()).digest()).decode()
_CSP = (
    f"default-src 'none'; script-src 'sha256-{_SCRIPT}'; "
    "style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)


class PracticePortal:
    """A portal with its own state, faults and mailbox.

    Args:
        now_us: microseconds since the epoch, UTC.
        send_mail: where the portal's own mail goes. None: straight into `mailbox`.
        seed: of all ids and tokens; the same seed and the same visits give the same portal.
        max_dossiers, max_mails, max_stored_bytes: as in PracticeSettings.

    Attributes:
        app: the portal, to be served or called in-process. What breaks a connection is raised out of it as
            ConnectionRefusedError or ConnectionResetError.
        reference_app: a reference target; only faults with the path `@reference` touch it.
        faults, mail_faults: what is broken now.
        mailbox: what arrived over SMTP, and the portal's own mail where `send_mail` is None.
    """

    def __init__(
        self,
        *,
        now_us: Callable[[], int],
        send_mail: SendMail | None = None,
        seed: str = "oefenloket",
        max_dossiers: int = 2000,
        max_mails: int = 1000,
        max_stored_bytes: int = 256 * 1024 * 1024,
    ) -> None:
        ids = Identifiers(seed)
        self.faults = FaultBoard(now_us)
        self.mail_faults = MailFaultBoard(now_us)
        self.mailbox = Mailbox(max_mails=max_mails, now_us=now_us)
        pages = Pages()
        world = World(
            now_us=now_us,
            ids=ids,
            dossiers=Dossiers(now_us=now_us, ids=ids, max_dossiers=max_dossiers, max_stored_bytes=max_stored_bytes),
            sessions=Sessions(now_us=now_us, ids=ids),
            faults=self.faults,
            pages=pages,
            send_mail=send_mail or self.mailbox.deliver,
        )
        site = _site(world, Control(world, mailbox=self.mailbox, mail_faults=self.mail_faults))
        self.app: ASGIApp = FaultGate(site, board=self.faults, pages=pages, path_of=_breakable_path)
        self.reference_app: ASGIApp = FaultGate(
            reference_target, board=self.faults, pages=pages, path_of=lambda _scope: REFERENCE
        )


def _breakable_path(scope: Scope) -> str | None:
    path = str(scope["path"])
    return None if path == "/_practice" or path.startswith("/_practice/") else path


def _site(world: World, control: Control) -> ASGIApp:
    identity = IdentityProvider(world)
    style = (HERE / "static" / "oefenloket.css").read_bytes()

    async def stylesheet(request: Request) -> Response:
        return Response(style, media_type="text/css", headers={"cache-control": "max-age=3600"})

    async def refused(request: Request, refusal: Exception) -> Response:
        assert isinstance(refusal, Refused)
        if request.url.path.startswith(BASE):
            return JSONResponse({"status": refusal.status, "melding": refusal.text}, status_code=refusal.status)
        return world.page(request, "fout.html.j2", status=refusal.status, text=refusal.text)

    async def login_needed(request: Request, _: Exception) -> Response:
        return RedirectResponse(f"/aanmelden?doel={quote(request.url.path)}", status_code=303)

    async def unknown(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        text = "Deze pagina bestaat niet." if error.status_code == 404 else "Dit kan op deze pagina niet."
        return world.page(request, "fout.html.j2", status=error.status_code, text=text)

    desks = (
        control,
        FrontDesk(world, identity),
        identity,
        # Before the counter: its /loket/projecten/{number} would take the others' paths.
        Notifications(world),
        Objections(world),
        Loket(world),
        Inzage(world),
        WebService(world),
    )
    routes = [
        Route("/static/oefenloket.css", stylesheet),
        # For the pages that stand in for a broken portal: below /_practice nothing breaks.
        Route("/_practice/oefenloket.css", stylesheet),
        *(route for desk in desks for route in desk.routes()),
    ]
    site = Starlette(
        routes=routes, exception_handlers={Refused: refused, LoginNeeded: login_needed, HTTPException: unknown}
    )
    return _with_headers(site)


def _with_headers(app: ASGIApp) -> ASGIApp:
    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message["headers"], *_HEADERS]
                if not any(name == b"content-security-policy" for name, _ in headers):
                    headers.append((b"content-security-policy", _CSP.encode()))
                message = {**message, "headers": headers}
            await send(message)

        await app(scope, receive, send_with_headers)

    return wrapped
