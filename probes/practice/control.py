"""What breaks and mends the portal, and shows its mailbox. Never broken itself."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from probes.practice.faults import FAULTS, BadOrder, FaultBoard
from probes.practice.mail_server import MAIL_FAULTS, SMTP_PASSWORD, SMTP_USER, MailFaultBoard
from probes.practice.mailbox import Mailbox
from probes.practice.people import PEOPLE, SERVICE_KEY
from probes.practice.world import World, parsed_json

_MOST_BYTES = 64 * 1024
_OWN_SHOWN = 20


class Control:
    def __init__(self, world: World, *, mailbox: Mailbox, mail_faults: MailFaultBoard) -> None:
        self._world = world
        self._mailbox = mailbox
        self._mail_faults = mail_faults

    def routes(self) -> list[Route]:
        return [
            Route("/_practice", self.page),
            Route("/_practice/", self.page),
            Route("/_practice/faults", self.faults, methods=["GET", "POST", "DELETE"]),
            Route("/_practice/mail", self.mail, methods=["GET", "DELETE"]),
            Route("/_practice/mail.html", self.mail_page),
            Route("/_practice/mail/faults", self.mail_faults, methods=["GET", "POST", "DELETE"]),
        ]

    async def page(self, request: Request) -> Response:
        return self._world.page(
            request,
            "oefenbord.html.j2",
            base=f"{request.url.scheme}://{request.url.netloc}",
            available=FAULTS,
            active=self._world.faults.active(),
            mail_available=MAIL_FAULTS,
            mail_active=self._mail_faults.active(),
            people=PEOPLE,
            service_key=SERVICE_KEY,
            smtp=(SMTP_USER, SMTP_PASSWORD),
        )

    async def faults(self, request: Request) -> Response:
        board: FaultBoard = self._world.faults
        match request.method:
            case "POST":
                try:
                    fault = board.add(await _order(request))
                except BadOrder as bad:
                    return JSONResponse({"problems": bad.problems, "available": list(FAULTS)}, status_code=400)
                return JSONResponse(fault.described(), status_code=201)
            case "DELETE":
                return JSONResponse({"cleared": board.clear()})
            case _:
                values = {n: {k: v.default for k, v in known.items()} for n, known in FAULTS.items() if known}
                active = [f.described() for f in board.active()]
                return JSONResponse({"available": list(FAULTS), "values": values, "active": active})

    async def mail_faults(self, request: Request) -> Response:
        match request.method:
            case "POST":
                try:
                    fault = self._mail_faults.add(await _order(request))
                except BadOrder as bad:
                    return JSONResponse({"problems": bad.problems, "available": list(MAIL_FAULTS)}, status_code=400)
                return JSONResponse(fault.described(), status_code=201)
            case "DELETE":
                return JSONResponse({"cleared": self._mail_faults.clear()})
            case _:
                active = [f.described() for f in self._mail_faults.active()]
                return JSONResponse({"available": list(MAIL_FAULTS), "active": active})

    async def mail(self, request: Request) -> Response:
        if request.method == "DELETE":
            return JSONResponse({"thrown_away": self._mailbox.empty()})
        query = request.query_params
        return JSONResponse(list(self._mailbox.mails(to=query.get("to"), subject=query.get("subject"))))

    async def mail_page(self, request: Request) -> Response:
        arrived, own = self._mailbox.mails(own=False)[::-1], self._mailbox.mails(own=True)[::-1][:_OWN_SHOWN]
        body = self._world.pages.render(
            "postvak.html.j2", arrived=arrived, own=own, person=None, csrf="", now_us=self._world.now_us()
        )
        # The mails' own inline styles may show; they sit in sandboxed frames where nothing runs and nothing is fetched.
        policy = "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
        return HTMLResponse(body, headers={"content-security-policy": policy, "cache-control": "no-store"})


async def _order(request: Request) -> object:
    """The JSON of a request. Raises BadOrder where it is none."""
    body = await request.body()
    if len(body) > _MOST_BYTES:
        raise BadOrder(["the body is larger than 64 kB"])
    try:
        return parsed_json(body)
    except ValueError as error:
        raise BadOrder([f"the body is not JSON: {error}"]) from error
