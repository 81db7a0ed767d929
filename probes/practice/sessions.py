"""Who is on the line: sessions in an HttpOnly cookie, the token against forged forms, and logins under way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from probes.practice.identifiers import Identifiers
from probes.practice.people import Person

COOKIE = "oefenloket_sessie"
_IDLE_US = 30 * 60 * 1_000_000
_MOST = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginAttempt:
    """A login that went to the identity provider and is to come back with this `state`, for this `nonce`."""

    state: str
    nonce: str
    target: str


@dataclass(slots=True, kw_only=True)
class Session:
    """One visitor. `csrf` must come back with every form; `draft` holds the quick form that is being filled in."""

    id: str
    csrf: str
    seen_us: int
    person: Person | None = None
    attempt: LoginAttempt | None = None
    draft: dict[str, str] = field(default_factory=dict)
    draft_file: tuple[str, str, bytes] | None = None


class Sessions:
    """All sessions; half an hour without a visit ends one. Bounded: the longest unseen go first."""

    def __init__(self, *, now_us: Callable[[], int], ids: Identifiers) -> None:
        self._now_us = now_us
        self._ids = ids
        self._sessions: dict[str, Session] = {}

    def of(self, request: Request) -> Session | None:
        """The session that the visitor's cookie names, if it is still alive."""
        session = self._sessions.pop(request.cookies.get(COOKIE, ""), None)
        if session is None or self._now_us() - session.seen_us > _IDLE_US:
            return None
        session.seen_us = self._now_us()
        self._sessions[session.id] = session
        return session

    def start(self, response: Response, *, secure: bool, person: Person | None = None) -> Session:
        """A new session whose cookie goes out with this response. Logging in always starts one: no session fixation."""
        session = Session(
            id=self._ids.next("sessie"), csrf=self._ids.next("csrf"), seen_us=self._now_us(), person=person
        )
        self._sessions[session.id] = session
        while len(self._sessions) > _MOST:
            del self._sessions[next(iter(self._sessions))]
        response.set_cookie(COOKIE, session.id, httponly=True, samesite="lax", secure=secure, path="/")
        return session

    def end(self, session: Session, response: Response) -> None:
        self._sessions.pop(session.id, None)
        response.delete_cookie(COOKIE, path="/")
