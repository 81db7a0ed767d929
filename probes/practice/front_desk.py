"""The front page, and logging in and out."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from probes.practice.identity import CLIENT_ID, SAML, IdentityProvider, self_posting
from probes.practice.sessions import LoginAttempt
from probes.practice.world import Refused, World, sent_form


class FrontDesk:
    def __init__(self, world: World, identity: IdentityProvider) -> None:
        self._world = world
        self._identity = identity

    def routes(self) -> list[Route]:
        return [
            Route("/", self.front_page),
            Route("/aanmelden", self.log_in),
            Route("/aanmelden/callback", self.came_back),
            Route("/aanmelden/saml", self.came_back_by_saml, methods=["POST"]),
            Route("/afmelden", self.log_out, methods=["POST"]),
        ]

    async def front_page(self, request: Request) -> Response:
        return self._world.page(request, "startpagina.html.j2")

    async def log_in(self, request: Request) -> Response:
        target = request.query_params.get("doel", "/loket")
        # Only pages of the counter: an address from outside must not decide where a visitor lands.
        if not target.startswith("/loket") or "//" in target or "\\" in target:
            target = "/loket"
        attempt = LoginAttempt(state=self._world.ids.next("state"), nonce=self._world.ids.next("nonce"), target=target)
        if request.query_params.get("via") == "saml":
            asked = f'<samlp:AuthnRequest xmlns:samlp="{SAML}" ID="{attempt.nonce}"/>'
            fields = {"SAMLRequest": b64encode(asked.encode()).decode(), "RelayState": attempt.state}
            page = self_posting(self._world, request, "/op/saml/sso", fields)
            session = self._world.sessions.start(page, secure=request.url.scheme == "https")
            session.attempt = attempt
            return page
        query = urlencode(
            {
                "response_type": "code",
                "client_id": CLIENT_ID,
                "redirect_uri": f"{request.url.scheme}://{request.url.netloc}/aanmelden/callback",
                "scope": "openid profile",
                "state": attempt.state,
                "nonce": attempt.nonce,
            }
        )
        response = RedirectResponse(f"/op/v1/auth?{query}", status_code=302)
        session = self._world.sessions.start(response, secure=request.url.scheme == "https")
        session.attempt = attempt
        return response

    async def came_back(self, request: Request) -> Response:
        query = request.query_params
        return self._logged_in(request, state=query.get("state", ""), code=query.get("code", ""))

    async def came_back_by_saml(self, request: Request) -> Response:
        form = await sent_form(request)
        try:
            answer = b64decode(form.field("SAMLResponse"), validate=True).decode()
        except ValueError as error:
            raise Refused(400, "Dit antwoord van de aanmelddienst is geen SAML.") from error
        found = re.search(r' ID="([^"]{1,80})"', answer)
        return self._logged_in(request, state=form.field("RelayState"), code=found[1] if found else "")

    def _logged_in(self, request: Request, *, state: str, code: str) -> Response:
        session = self._world.sessions.of(request)
        attempt = None if session is None else session.attempt
        if session is None or attempt is None or state != attempt.state:
            raise Refused(400, "Deze aanmelding hoort niet bij uw bezoek. Meld u opnieuw aan.")
        grant = self._identity.redeem(code)
        if grant is None or grant.nonce != attempt.nonce:
            raise Refused(400, "De aanmelding is mislukt of verlopen. Meld u opnieuw aan.")
        response = RedirectResponse(attempt.target, status_code=303)
        self._world.sessions.end(session, response)
        del response.headers["set-cookie"]
        self._world.sessions.start(response, secure=request.url.scheme == "https", person=grant.person)
        return response

    async def log_out(self, request: Request) -> Response:
        session, _ = self._world.visitor(request)
        await self._world.form(request, session)
        response = RedirectResponse("/", status_code=303)
        self._world.sessions.end(session, response)
        return response
