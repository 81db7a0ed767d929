"""The counter itself: making a project, filling it, signing and submitting it, and following it."""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from probes.practice.calendar import moment_text
from probes.practice.dossiers import (
    PLACES,
    PROCEDURE_TEXT,
    TAX_EUR,
    Document,
    Place,
    Procedure,
    Project,
    State,
)
from probes.practice.people import ARCHITECT, Person
from probes.practice.world import Refused, World

_PAGE = 20
KINDS = ("plan", "foto", "nota", "andere")


class Loket:
    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        project = "/loket/projecten/{number}"
        return [
            Route("/loket", self.overview),
            Route("/loket/projecten", self.projects),
            Route("/loket/projecten/nieuw", self.new_project, methods=["GET", "POST"]),
            Route(project, self.project),
            Route(project + "/dossierstukken", self.documents, methods=["GET", "POST"]),
            Route(project + "/bestanden/{uuid}", self.download),
            Route(project + "/dossiertaks", self.tax, methods=["GET", "POST"]),
            Route(project + "/ondertekenen", self.sign, methods=["POST"]),
            # A path of its own, so that a fault can make just submitting fail.
            Route("/loket/indienen/{number}", self.submit, methods=["POST"]),
            Route(project + "/ontvangstbewijs", self.receipt),
            Route(project + "/intrekken", self.withdraw, methods=["POST"]),
        ]

    def _project(self, request: Request) -> tuple[Project, Person]:
        _, person = self._world.visitor(request)
        return self._world.project(request.path_params["number"], person), person

    def _own(self, request: Request) -> tuple[Project, Person]:
        """A project the visitor may change. Raises Refused for who only may look."""
        project, person = self._project(request)
        if person.key not in {p.key for p in project.signers} or project.sentinel:
            raise Refused(403, "U mag dit project bekijken, maar niet wijzigen.")
        return project, person

    def _draft(self, request: Request) -> tuple[Project, Person]:
        project, person = self._own(request)
        if project.state is not State.DRAFT:
            raise Refused(409, f"Dit dossier is {project.state}. De inhoud kan niet meer gewijzigd worden.")
        return project, person

    async def overview(self, request: Request) -> Response:
        _, person = self._world.visitor(request)
        own = [p for p in self._visible(request, person) if person.key in {s.key for s in p.signers}][:5]
        return self._world.page(request, "loket.html.j2", projects=own)

    def _visible(self, request: Request, person: Person) -> list[Project]:
        if self._world.suffers("empty-list", request):
            return []
        projects = [p for p in self._world.dossiers.newest_first() if _concerns(p, person)]
        stale = self._world.faults.hit("stale-search", request.url.path)
        return projects if stale is None else [p for p in projects if p.created_us < stale.since_us]

    async def projects(self, request: Request) -> Response:
        _, person = self._world.visitor(request)
        wanted = request.query_params.get("zoek", "").strip()[:200]
        number = request.query_params.get("pagina", "1")
        page = max(1, int(number)) if number.isdecimal() and len(number) < 6 else 1
        low = wanted.lower()
        found = [p for p in self._visible(request, person) if low in p.name.lower() or low in p.number.lower()]
        pages = max(1, -(-len(found) // _PAGE))
        shown = found[(page - 1) * _PAGE : page * _PAGE]
        return self._world.page(
            request, "projecten.html.j2", projects=shown, total=len(found), wanted=wanted, page=page, pages=pages
        )

    async def new_project(self, request: Request) -> Response:
        session, person = self._world.visitor(request)
        if request.method == "GET":
            return self._world.page(request, "project_nieuw.html.j2", places=PLACES, procedures=PROCEDURE_TEXT)
        form = await self._world.form(request, session)
        procedure = form.field("procedure")
        if procedure not in set(Procedure):
            raise Refused(422, "Kies een procedure.")
        project = self._world.dossiers.create(
            name=form.needed("projectnaam", "Projectnaam"),
            description=form.field("omschrijving"),
            place=place_of(form.field("gemeente")),
            address=form.needed("adres", "Adres"),
            procedure=Procedure(procedure),
            owner=person,
            # Building under the ordinary procedure needs an architect; the practice portal knows one.
            architect=ARCHITECT if procedure == Procedure.GEWOON and person is not ARCHITECT else None,
        )
        return RedirectResponse(f"/loket/projecten/{project.number}", status_code=303)

    async def project(self, request: Request) -> Response:
        project, person = self._project(request)
        events = [] if self._world.suffers("empty-list", request) else project.events[::-1][:5]
        return self._world.page(
            request,
            "project.html.j2",
            project=project,
            events=events,
            procedure=PROCEDURE_TEXT[project.procedure],
            may_change=person.key in {p.key for p in project.signers} and not project.sentinel,
            may_sign=person.key in {p.key for p in project.signers} and person.key not in project.signed,
            inquiry_end_us=self._world.dossiers.inquiry_end_us(project),
            appeal_end_us=self._world.dossiers.appeal_end_us(project),
        )

    async def documents(self, request: Request) -> Response:
        if request.method == "GET":
            project, _ = self._project(request)
            documents = [] if self._world.suffers("empty-list", request) else project.documents
            return self._world.page(
                request, "dossierstukken.html.j2", project=project, documents=documents, kinds=KINDS
            )
        session, _ = self._world.visitor(request)
        project, _ = self._draft(request)
        form = await self._world.form(request, session)
        kind = form.field("dossierstuk-type")
        if kind not in KINDS:
            raise Refused(422, "Kies de soort van het dossierstuk.")
        uploaded = self._world.uploads(form, field_name="bestand", kind=kind)
        if not uploaded:
            raise Refused(422, "Kies een bestand dat u wilt opladen.")
        if not self._world.suffers("lost-upload", request):
            project.documents.extend(uploaded)
            for document in uploaded:
                self._world.dossiers.record(project, kind="andere", text=f"Dossierstuk opgeladen: {document.name}")
            self._world.dossiers.make_room()
        return RedirectResponse(f"/loket/projecten/{project.number}/dossierstukken", status_code=303)

    async def download(self, request: Request) -> Response:
        project, _ = self._project(request)
        found = next((d for d in project.all_documents() if d.uuid == request.path_params["uuid"]), None)
        return file_response(self._world, request, found)

    async def tax(self, request: Request) -> Response:
        if request.method == "GET":
            project, _ = self._project(request)
            return self._world.page(request, "dossiertaks.html.j2", project=project, amount=TAX_EUR[project.procedure])
        session, _ = self._world.visitor(request)
        project, _ = self._draft(request)
        form = await self._world.form(request, session)
        documents = self._world.uploads(form, field_name="betaalbewijs", kind="betaalbewijs")
        if not documents:
            raise Refused(422, "Kies het betaalbewijs dat u wilt opladen.")
        if not self._world.suffers("lost-upload", request):
            project.proof = documents[0]
            self._world.dossiers.record(project, kind="andere", text="Betaalbewijs opgeladen")
            self._world.dossiers.make_room()
        return RedirectResponse(f"/loket/projecten/{project.number}/dossiertaks", status_code=303)

    async def sign(self, request: Request) -> Response:
        session, _ = self._world.visitor(request)
        project, person = self._draft(request)
        await self._world.form(request, session)
        if person.key not in project.signed:
            project.signed.append(person.key)
            self._world.dossiers.record(project, kind="andere", text=f"Ondertekend door {person.name}")
        return RedirectResponse(f"/loket/projecten/{project.number}", status_code=303)

    async def submit(self, request: Request) -> Response:
        session, _ = self._world.visitor(request)
        project, person = self._own(request)
        await self._world.form(request, session)
        if project.state is not State.DRAFT:
            raise Refused(409, f"Dit dossier is {project.state}. U kunt het niet opnieuw indienen.")
        if project.open_acts:
            raise Refused(409, "Dit dossier is nog niet volledig: " + " ".join(project.open_acts))
        await submitted(self._world, request, project, person)
        return RedirectResponse(f"/loket/projecten/{project.number}/ontvangstbewijs", status_code=303)

    async def receipt(self, request: Request) -> Response:
        project, _ = self._project(request)
        if project.submitted_us is None:
            raise Refused(404, "Dit dossier is nog niet ingediend.")
        return self._world.page(request, "ontvangstbewijs.html.j2", project=project)

    async def withdraw(self, request: Request) -> Response:
        session, _ = self._world.visitor(request)
        project, _ = self._own(request)
        await self._world.form(request, session)
        if project.state is not State.WITHDRAWN:
            self._world.dossiers.withdraw(project)
        return RedirectResponse(f"/loket/projecten/{project.number}", status_code=303)


def _concerns(project: Project, person: Person) -> bool:
    """Whose list a project is in: the applicant's and the architect's; the authorities' once it was submitted."""
    if person.key in {p.key for p in project.signers}:
        return True
    return person.key in {"behandelaar", "adviesverlener"} and project.public


def place_of(name: str) -> Place:
    """Raises Refused for a municipality that the portal does not know."""
    place = next((p for p in PLACES if p.name == name), None)
    if place is None:
        raise Refused(422, "Kies een gemeente.")
    return place


async def submitted(world: World, request: Request, project: Project, person: Person) -> None:
    """Seals the dossier and mails the confirmation, unless that mail is to be missing."""
    world.dossiers.submit(project)
    if world.suffers("missing-mail", request) or project.submitted_us is None:
        return
    moment = moment_text(project.submitted_us)
    text = (
        f"Dag {person.name}\n\nUw dossier {project.number} ({project.name}) is ingediend op {moment}.\n"
        "Het ontvangstbewijs vindt u in bijlage.\n\n"
        "Dit is een bericht van een oefenportaal. Er is geen echte aanvraag.\n"
    )
    proof = f"ONTVANGSTBEWIJS (OEFENING)\n{project.number}\n{project.name}\nIngediend op {moment}\n"
    attachment = (f"ontvangstbewijs-{project.number}.txt", proof.encode())
    await world.mail(to=person, subject=f"Ontvangstbewijs {project.number}", text=text, attachment=attachment)


def file_response(world: World, request: Request, document: Document | None) -> Response:
    """A download with its hash in a header. Raises Refused where the file is gone."""
    if document is None or document.content is None:
        raise Refused(404, "Dit bestand bestaat niet of niet meer.")
    content = document.content
    if world.suffers("wrong-hash", request):
        content = bytes([content[0] ^ 1]) + content[1:] if content else b"?"
    headers = {
        "content-disposition": f"attachment; filename*=UTF-8''{quote(document.name)}",
        "x-bestand-sha256": document.sha256,
        "cache-control": "no-store",
    }
    return Response(content, media_type=document.media_type, headers=headers)
