"""What all parts of the portal share, and the few things every page does."""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime

from starlette.requests import Request
from starlette.responses import HTMLResponse

from probes.practice.calendar import instant
from probes.practice.dossiers import Document, Dossiers, Project
from probes.practice.faults import FaultBoard
from probes.practice.identifiers import Identifiers
from probes.practice.mailbox import confirmation
from probes.practice.people import Person
from probes.practice.rendering import Pages
from probes.practice.sessions import Session, Sessions

SendMail = Callable[[EmailMessage], Awaitable[None]]
_MOST_BODY_BYTES = 80 * 1024 * 1024
_MOST_FIELD = 2_000


class Refused(Exception):  # noqa: N818 - a refusal is an answer, not an error
    """The portal does not do this; shown to the visitor as a page with `#fout`."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class LoginNeeded(Exception):  # noqa: N818 - answered with a redirect
    """Only who is logged in comes here."""


def parsed_json(body: bytes) -> object:
    """Raises ValueError for what is no JSON; `NaN` and `Infinity` are none, and neither is what nests without end."""

    def refuse(constant: str) -> object:
        raise ValueError(f"{constant} is not JSON")

    try:
        return json.loads(body, parse_constant=refuse)
    except RecursionError as error:
        raise ValueError("it nests too deeply") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class SentFile:
    """A file of a form, with the field it came in."""

    field: str
    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A form as it was sent. File inputs that were left empty are not among the files."""

    fields: Mapping[str, str]
    files: tuple[SentFile, ...]

    def field(self, name: str) -> str:
        """A text field, stripped and cut; empty where it is missing."""
        return self.fields.get(name, "").strip()[:_MOST_FIELD]

    def needed(self, name: str, label: str) -> str:
        """A text field that must be filled in. Raises Refused otherwise."""
        value = self.field(name)
        if not value:
            raise Refused(422, f'Vul het veld "{label}" in.')
        return value


async def sent_form(request: Request) -> Sent:
    """Reads a form, urlencoded or multipart. Raises Refused where it is too large."""
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared) > _MOST_BODY_BYTES:
        raise Refused(413, "Wat u opstuurt is te groot. Laad hoogstens 80 MB tegelijk op.")
    fields: dict[str, str] = {}
    files: list[SentFile] = []
    async with request.form(max_files=200, max_fields=300) as form:
        for key, value in form.multi_items():
            if isinstance(value, str):
                fields.setdefault(key, value)
            elif value.filename:
                name = value.filename.replace("\\", "/").rsplit("/", maxsplit=1)[-1][:200]
                media_type = (value.content_type or "application/octet-stream")[:100]
                files.append(SentFile(field=key, name=name, media_type=media_type, content=await value.read()))
    return Sent(fields=fields, files=tuple(files))


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One portal. `now_us` is in microseconds since the epoch, UTC."""

    now_us: Callable[[], int]
    ids: Identifiers
    dossiers: Dossiers
    sessions: Sessions
    faults: FaultBoard
    pages: Pages
    send_mail: SendMail

    def page(self, request: Request, template: str, *, status: int = 200, **values: object) -> HTMLResponse:
        """A page in the portal's frame, for the visitor of this request."""
        session = self.sessions.of(request)
        person = None if session is None else session.person
        csrf = "" if session is None else session.csrf
        body = self.pages.render(template, person=person, csrf=csrf, now_us=self.now_us(), status=status, **values)
        return HTMLResponse(body, status_code=status, headers={"cache-control": "no-store"})

    def visitor(self, request: Request) -> tuple[Session, Person]:
        """Raises LoginNeeded for who is not logged in."""
        session = self.sessions.of(request)
        if session is None or session.person is None:
            raise LoginNeeded
        return session, session.person

    async def form(self, request: Request, session: Session) -> Sent:
        """The form that was sent. Raises Refused where its token is not this session's, or where it is too large."""
        sent = await sent_form(request)
        if not hmac.compare_digest(sent.field("_csrf").encode(), session.csrf.encode()):
            raise Refused(403, "Dit formulier is niet meer geldig. Ga terug, vernieuw de pagina en probeer opnieuw.")
        return sent

    def suffers(self, fault: str, request: Request) -> bool:
        """Whether this request suffers from a fault in what the portal does, rather than in how it answers."""
        return self.faults.hit(fault, request.url.path) is not None

    def uploads(self, sent: Sent, *, field_name: str, kind: str) -> tuple[Document, ...]:
        """All files that were sent under this name, or this name and something after it."""
        return tuple(
            self.dossiers.document(name=file.name, kind=kind, media_type=file.media_type, content=file.content)
            for file in sent.files
            if file.field.startswith(field_name)
        )

    async def mail(self, *, to: Person, subject: str, text: str, attachment: tuple[str, bytes] | None = None) -> None:
        date = format_datetime(instant(self.now_us()))
        await self.send_mail(
            confirmation(to=to.email, subject=subject, text=text, ids=self.ids, date=date, attachment=attachment)
        )

    def project(self, number: str, person: Person) -> Project:
        """Raises Refused where there is none, or where this person has no part in it."""
        project = self.dossiers.find(number)
        if project is None or not may_see(project, person):
            raise Refused(404, f"Er is geen project {number} dat u mag bekijken.")
        return project


def may_see(project: Project, person: Person) -> bool:
    """The applicant and the architect always; authorities and third parties once it was submitted."""
    return person.key in {p.key for p in project.signers} or project.public
