"""The mock identity provider: OpenID Connect's code flow with PKCE at the real paths, client credentials, and SAML."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from base64 import b64decode, b64encode, urlsafe_b64encode
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from probes.practice.people import Person, person_with_token
from probes.practice.world import Refused, World, sent_form

CLIENT_ID = "oefenloket"
#: A client that asks for a token in its own name, with the password it is documented to have.
SERVICE_CLIENT = ("oefendienst", "oefen-dienstgeheim")
_CODE_LIFE_US = 60_000_000
_MOST = 1_000
SAML = "urn:oasis:names:tc:SAML:2.0:protocol"
#: The only script of the portal; its pages allow it by its hash.
SUBMITS_ITSELF = "document.forms[0].submit()"
KEYS = {"itsme": "itsme", "eid": "eID en aangesloten kaartlezer", "token": "Oefentoken"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A request for authentication, shown to the visitor as the choice of a key."""

    redirect_uri: str
    state: str
    nonce: str
    challenge: str = ""
    saml: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a code stands for: who logged in, the nonce of the request that asked, and its PKCE challenge, if any."""

    person: Person
    nonce: str
    challenge: str
    granted_us: int


class IdentityProvider:
    """Requests for authentication and the codes given out. A code is good once, for a minute."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._asked: dict[str, _Asked] = {}
        self._grants: dict[str, Grant] = {}
        self._service_tokens: dict[str, int] = {}

    def routes(self) -> list[Route]:
        return [
            Route("/op/.well-known/openid-configuration", self.discovery),
            Route("/op/v1/jwks", self.keys),
            Route("/op/v1/auth", self.ask),
            Route("/op/v1/auth/sleutel", self.answer, methods=["POST"]),
            Route("/op/v1/token", self.token, methods=["POST"]),
            Route("/op/v1/userinfo", self.who),
            Route("/op/saml/sso", self.saml_asked, methods=["POST"]),
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
                "grant_types_supported": ["authorization_code", "client_credentials"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "none"],
                "code_challenge_methods_supported": ["S256"],
                "userinfo_endpoint": f"{issuer}/v1/userinfo",
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
        challenge = query.get("code_challenge", "")
        if challenge and query.get("code_challenge_method") != "S256":
            raise Refused(400, "Deze aanmeldvraag gebruikt een onbekende manier van PKCE.")
        return self._choice(
            request,
            _Asked(redirect_uri=query["redirect_uri"], state=query["state"], nonce=query["nonce"], challenge=challenge),
        )

    async def saml_asked(self, request: Request) -> Response:
        """A SAML request over the POST binding. Nothing is signed: it is for practising the way, not the trust."""
        form = await sent_form(request)
        try:
            asked = b64decode(form.field("SAMLRequest"), validate=True).decode()
        except ValueError as error:
            raise Refused(400, "Deze aanmeldvraag is geen SAML.") from error
        found = re.search(r'ID="([\w-]{1,80})"', asked)
        if found is None:
            raise Refused(400, "Deze aanmeldvraag heeft geen kenmerk.")
        back = f"{request.url.scheme}://{request.url.netloc}/aanmelden/saml"
        return self._choice(
            request, _Asked(redirect_uri=back, state=form.field("RelayState"), nonce=found[1], saml=True)
        )

    def _choice(self, request: Request, asked: _Asked) -> Response:
        asked_id = self._world.ids.next("aanmeldvraag")
        self._asked[asked_id] = asked
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
        self._grants[code] = Grant(
            person=person, nonce=asked.nonce, challenge=asked.challenge, granted_us=self._world.now_us()
        )
        _forget_oldest(self._grants)
        if asked.saml:
            answer = f'<samlp:Response xmlns:samlp="{SAML}" ID="{code}" InResponseTo="{asked.nonce}"/>'
            fields = {"SAMLResponse": b64encode(answer.encode()).decode(), "RelayState": asked.state}
            return self_posting(self._world, request, asked.redirect_uri, fields)
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
        if form.field("grant_type") == "client_credentials":
            return self._service_token(request)
        grant = self.redeem(form.field("code"))
        if grant is not None and grant.challenge:
            proof = urlsafe_b64encode(hashlib.sha256(form.field("code_verifier").encode()).digest()).rstrip(b"=")
            if not hmac.compare_digest(proof, grant.challenge.encode()):
                grant = None
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

    def _service_token(self, request: Request) -> Response:
        """RFC 6749, 4.4 with client_secret_basic. The token is good for `/op/v1/userinfo`."""
        pair = ":".join(SERVICE_CLIENT).encode()
        given = request.headers.get("authorization", "").removeprefix("Basic ")
        if not hmac.compare_digest(given.encode(), b64encode(pair)):
            headers = {"WWW-Authenticate": 'Basic realm="oefenloket"'}
            return JSONResponse({"error": "invalid_client"}, status_code=401, headers=headers)
        token = self._world.ids.next("toegang")
        self._service_tokens[token] = self._world.now_us()
        _forget_oldest(self._service_tokens)
        return JSONResponse({"access_token": token, "token_type": "Bearer", "expires_in": 60})

    async def who(self, request: Request) -> Response:
        """Who a service's token was given to."""
        given_us = self._service_tokens.get(request.headers.get("authorization", "").removeprefix("Bearer "))
        if given_us is None or self._world.now_us() - given_us > _CODE_LIFE_US:
            headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            return JSONResponse({"error": "invalid_token"}, status_code=401, headers=headers)
        return JSONResponse({"sub": SERVICE_CLIENT[0]})


def self_posting(world: World, request: Request, action: str, fields: dict[str, str]) -> Response:
    """A page whose form sends itself, as SAML's POST binding has it."""
    return world.page(request, "vanzelf.html.j2", action=action, fields=fields, script=SUBMITS_ITSELF)


def _segment(value: dict[str, object]) -> str:
    return urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode().rstrip("=")


def _forget_oldest(entries: dict[str, _Asked] | dict[str, Grant] | dict[str, int]) -> None:
    while len(entries) > _MOST:
        del entries[next(iter(entries))]
