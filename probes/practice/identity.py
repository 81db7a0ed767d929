"""The mock identity provider: OpenID Connect's code flow as far as a portal needs it, at the real paths."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from probes.practice.people import Person, person_with_token
from probes.practice.world import Refused, World, sent_form

CLIENT_ID = "oefenloket"
_CODE_LIFE_US = 60_000_000
_MOST = 1_000
KEYS = {"itsme": "itsme", "eid": "eID en aangesloten kaartlezer", "token": "Oefentoken"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A request for authentication, shown to the visitor as the choice of a key."""

    redirect_uri: str
    state: str
    nonce: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a code stands for: who logged in, and the nonce of the request that asked."""

    person: Person
    nonce: str
    granted_us: int


class IdentityProvider:
    """Requests for authentication and the codes given out. A code is good once, for a minute."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._asked: dict[str, _Asked] = {}
        self._grants: dict[str, Grant] = {}

    def routes(self) -> list[Route]:
        return [
            Route("/op/.well-known/openid-configuration", self.discovery),
            Route("/op/v1/jwks", self.keys),
            Route("/op/v1/auth", self.ask),
            Route("/op/v1/auth/sleutel", self.answer, methods=["POST"]),
            Route("/op/v1/token", self.token, methods=["POST"]),
        ]

    async def discovery(self, request: Request) -> Response:
        issuer = f"{request.url.scheme}://{request.url.netloc}/op"
        return JSONResponse(
            {
                "issuer": issuer,
                "authorization_endpoint": f"{issuer}/v1/auth",
                "token_endpoint": f"{issuer}/v1/token",
                "jwks_uri": f"{issuer}/v1/jwks",
                "scopes_supported": ["openid", "profile"],
                "response_types_supported": ["code"],
                "grant_types_supported": ["authorization_code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["none"],
            }
        )

    async def keys(self, request: Request) -> Response:
        """No keys: this provider signs nothing, and says so in its discovery document."""
        return JSONResponse({"keys": []})

    async def ask(self, request: Request) -> Response:
        query = request.query_params
        missing = [k for k in ("client_id", "redirect_uri", "state", "nonce") if not query.get(k)]
        if missing or query.get("client_id") != CLIENT_ID or query.get("response_type") != "code":
            raise Refused(400, "Deze aanmeldvraag is niet volledig. Begin opnieuw op het loket.")
        try:
            target = urlsplit(query["redirect_uri"])
        except ValueError as error:
            raise Refused(400, "Deze aanmeldvraag wil terug naar een adres dat er geen is.") from error
        if target.netloc != request.url.netloc or target.path != "/aanmelden/callback":
            raise Refused(400, "Deze aanmeldvraag wil terug naar een onbekend adres.")
        asked_id = self._world.ids.next("aanmeldvraag")
        self._asked[asked_id] = _Asked(redirect_uri=query["redirect_uri"], state=query["state"], nonce=query["nonce"])
        _forget_oldest(self._asked)
        return self._world.page(request, "sleutel.html.j2", asked=asked_id, keys=KEYS, problem=None)

    async def answer(self, request: Request) -> Response:
        form = await sent_form(request)
        asked_id = form.field("aanmeldvraag")
        asked = self._asked.get(asked_id)
        if asked is None:
            raise Refused(400, "Deze aanmelding is verlopen. Begin opnieuw op het loket.")
        key = form.field("sleutel")
        person = person_with_token(form.field("token")) if key == "token" else None
        if person is None:
            problem = (
                "Dit oefentoken is niet bekend."
                if key == "token"
                else "Deze sleutel is persoonlijk en werkt niet in de oefenomgeving. Kies het oefentoken."
            )
            return self._world.page(request, "sleutel.html.j2", status=401, asked=asked_id, keys=KEYS, problem=problem)
        del self._asked[asked_id]
        code = self._world.ids.next("code")
        self._grants[code] = Grant(person=person, nonce=asked.nonce, granted_us=self._world.now_us())
        _forget_oldest(self._grants)
        back = urlencode({"code": code, "state": asked.state})
        return RedirectResponse(f"{asked.redirect_uri}?{back}", status_code=303)

    def redeem(self, code: str) -> Grant | None:
        """What this code stands for; None where it is unknown, used or too old."""
        grant = self._grants.pop(code, None)
        if grant is None or self._world.now_us() - grant.granted_us > _CODE_LIFE_US:
            return None
        return grant

    async def token(self, request: Request) -> Response:
        """The token endpoint, for who wants to look at the flow from outside; the portal itself asks in-process."""
        form = await sent_form(request)
        grant = self.redeem(form.field("code"))
        if grant is None or not hmac.compare_digest(form.field("client_id").encode(), CLIENT_ID.encode()):
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        issuer = f"{request.url.scheme}://{request.url.netloc}/op"
        claims = {
            "iss": issuer,
            "sub": grant.person.key,
            "aud": CLIENT_ID,
            "nonce": grant.nonce,
            "iat": grant.granted_us // 1_000_000,
            "exp": (grant.granted_us + _CODE_LIFE_US) // 1_000_000,
            "name": grant.person.name,
        }
        return JSONResponse(
            {
                "access_token": self._world.ids.next("toegang"),
                "token_type": "Bearer",
                "expires_in": 60,
                "id_token": f"{_segment({'alg': 'none', 'typ': 'JWT'})}.{_segment(claims)}.",
            }
        )


def _segment(value: dict[str, object]) -> str:
    return urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode().rstrip("=")


def _forget_oldest(entries: dict[str, object] | dict[str, _Asked] | dict[str, Grant]) -> None:
    while len(entries) > _MOST:
        del entries[next(iter(entries))]
