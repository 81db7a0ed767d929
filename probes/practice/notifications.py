"""The quick form for a notification (melding): six steps in one session, nothing kept in between."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from probes.practice.dossiers import PLACES, Procedure
from probes.practice.loket import place_of, submitted
from probes.practice.people import Person
from probes.practice.sessions import Session
from probes.practice.world import Refused, Sent, World

STEPS = ("Soort", "Plaats", "Omschrijving", "Contact", "Bijlage", "Ondertekenen en indienen")
SORTS = ("Ingedeelde inrichting klasse 3", "Zorgwonen", "Stedenbouwkundige handeling")
_PATH = "/loket/meldingen/nieuw"


class Notifications:
    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        return [
            Route(_PATH, self.begin),
            Route(_PATH + "/stap/{step:int}", self.step, methods=["GET", "POST"]),
        ]

    async def begin(self, request: Request) -> Response:
        session, _ = self._world.visitor(request)
        session.draft = {"stap": "1"}
        session.draft_file = None
        return RedirectResponse(f"{_PATH}/stap/1", status_code=303)

    async def step(self, request: Request) -> Response:
        session, person = self._world.visitor(request)
        step: int = request.path_params["step"]
        reached = int(session.draft.get("stap", "0"))
        if not 1 <= step <= len(STEPS):
            raise Refused(404, "Deze stap bestaat niet.")
        if step > reached:
            raise Refused(409, "De melding is onderbroken. Begin opnieuw bij stap 1.")
        if request.method == "GET":
            return self._world.page(
                request,
                "melding.html.j2",
                step=step,
                steps=STEPS,
                sorts=SORTS,
                places=PLACES,
                draft=session.draft,
                file=None if session.draft_file is None else session.draft_file[0],
            )
        form = await self._world.form(request, session)
        await self._keep(request, session, form, step=step)
        if step < len(STEPS):
            session.draft["stap"] = str(max(reached, step + 1))
            return RedirectResponse(f"{_PATH}/stap/{step + 1}", status_code=303)
        return await self._submit(request, session, person)

    async def _keep(self, request: Request, session: Session, form: Sent, *, step: int) -> None:
        """Remembers what this step asked for. Raises Refused where something is missing."""
        draft = session.draft
        match step:
            case 1:
                draft["soort"] = form.needed("soort", "Soort melding")
                if draft["soort"] not in SORTS:
                    raise Refused(422, "Kies een soort melding.")
            case 2:
                draft["gemeente"] = place_of(form.field("gemeente")).name
                draft["adres"] = form.needed("adres", "Adres")
            case 3:
                draft["projectnaam"] = form.needed("projectnaam", "Projectnaam")
                draft["omschrijving"] = form.field("omschrijving")
            case 4:
                draft["telefoon"] = form.needed("telefoon", "Telefoon")
            case 5:
                documents = self._world.uploads(form, field_name="bestand", kind="andere")
                if not documents:
                    raise Refused(422, "Kies een bestand dat u wilt opladen.")
                document = documents[0]
                if not self._world.suffers("lost-upload", request) and document.content is not None:
                    session.draft_file = (document.name, document.media_type, document.content)
            case _:
                if form.field("akkoord") != "ja":
                    raise Refused(422, "Bevestig dat u de melding ondertekent.")
                if session.draft_file is None:
                    raise Refused(409, "De bijlage is niet aangekomen. Ga terug naar stap 5.")

    async def _submit(self, request: Request, session: Session, person: Person) -> Response:
        draft, file = session.draft, session.draft_file
        assert file is not None
        project = self._world.dossiers.create(
            name=draft["projectnaam"],
            description=f"{draft['soort']}. {draft['omschrijving']}",
            place=place_of(draft["gemeente"]),
            address=draft["adres"],
            procedure=Procedure.MELDING,
            owner=person,
            architect=None,
        )
        name, media_type, content = file
        project.documents.append(
            self._world.dossiers.document(name=name, kind="andere", media_type=media_type, content=content)
        )
        project.signed.append(person.key)
        session.draft, session.draft_file = {}, None
        await submitted(self._world, request, project, person)
        return RedirectResponse(f"/loket/projecten/{project.number}/ontvangstbewijs", status_code=303)
