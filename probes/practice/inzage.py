"""The public counter: a page to look around, and the JSON behind it in the shapes of the real one."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from probes.practice.calendar import iso
from probes.practice.dossiers import PLACES, PROCEDURE_TEXT, Document, Event, Project
from probes.practice.loket import file_response
from probes.practice.world import Refused, World, parsed_json

BASE = "/proxy-omv-up/rs/v1/inzage"
_MOST_SIZE = 100
_MOST_QUERY_BYTES = 64 * 1024


class Inzage:
    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        return [
            Route("/inzage", self.page),
            Route("/inzage/{number}", self.project_page),
            Route(BASE + "/projecten/zoeken", self.search, methods=["POST"]),
            Route(BASE + "/projecten/header", self.header),
            Route(BASE + "/projecten/{uuid}/project-overzicht", self.overview),
            Route(BASE + "/projecten/{uuid}/procedure", self.procedure),
            Route(BASE + "/projectfasen/{uuid}/openbare-onderzoeken", self.inquiries),
            Route(BASE + "/projectfasen/{uuid}/{kind}-gebeurtenissen", self.events),
            Route(BASE + "/gebeurtenissen/{uuid}", self.event),
            Route(BASE + "/bestanden/{uuid}/download", self.download),
        ]

    def _visible(self, request: Request) -> list[Project]:
        if self._world.suffers("empty-list", request):
            return []
        projects = [p for p in self._world.dossiers.newest_first() if p.public]
        stale = self._world.faults.hit("stale-search", request.url.path)
        return projects if stale is None else [p for p in projects if p.created_us < stale.since_us or p.sentinel]

    def _by_uuid(self, request: Request) -> Project:
        project = self._world.dossiers.by_uuid(request.path_params["uuid"])
        if project is None or not project.public:
            raise Refused(404, "Er is geen openbaar project met deze uuid.")
        return project

    async def page(self, request: Request) -> Response:
        place = request.query_params.get("gemeente", "")
        found = [p for p in self._visible(request) if place in ("", p.place.name)]
        # Sentinels are the oldest and must stay in sight, however much is submitted meanwhile.
        shown = sorted(found, key=lambda p: (not p.sentinel, p.number))[:50]
        return self._world.page(request, "inzage.html.j2", projects=shown, total=len(found), places=PLACES, place=place)

    async def project_page(self, request: Request) -> Response:
        project = self._world.dossiers.find(request.path_params["number"])
        if project is None or not project.public:
            raise Refused(404, "Er is geen openbaar project met dit nummer.")
        return self._world.page(
            request,
            "inzage_project.html.j2",
            project=project,
            procedure=PROCEDURE_TEXT[project.procedure],
            inquiry_end_us=self._world.dossiers.inquiry_end_us(project),
            base=BASE,
        )

    async def search(self, request: Request) -> Response:
        filters = await _filters(request)
        found = [p for p in self._visible(request) if all(_matches(p, f) for f in filters)]
        descending = request.query_params.get("sort", "").lower().endswith(",desc")
        found.sort(key=lambda p: p.number, reverse=descending)
        return _spring_page(request, [_summary(p) for p in found])

    async def header(self, request: Request) -> Response:
        project = self._world.dossiers.find(request.query_params.get("projectnummer", ""))
        if project is None or not project.public:
            raise Refused(404, "Er is geen openbaar project met dit nummer.")
        return JSONResponse(
            {
                "uuid": project.uuid,
                "projectnummer": project.number,
                "projectnaam": project.name,
                "toestand": project.state.value,
                "beroepOfBezwaar": self._world.dossiers.inquiry_end_us(project) is not None,
            }
        )

    async def overview(self, request: Request) -> Response:
        project = self._by_uuid(request)
        return JSONResponse(_summary(project) | {"projectfasen": [{"uuid": project.phase_uuid, "volgnummer": 1}]})

    async def procedure(self, request: Request) -> Response:
        project = self._by_uuid(request)
        submitted = None if project.submitted_us is None else iso(project.submitted_us)
        return JSONResponse({"procedure": PROCEDURE_TEXT[project.procedure], "datumIndiening": submitted})

    async def inquiries(self, request: Request) -> Response:
        project = self._by_uuid(request)
        end_us = self._world.dossiers.inquiry_end_us(project)
        inquiries: list[dict[str, object]] = []
        if end_us is not None and not self._world.suffers("empty-list", request):
            uuid = project.phase_uuid
            running = self._world.now_us() < end_us
            inquiries.append({"uuid": uuid, "einde": iso(end_us), "lopend": running, "bezwaarMogelijk": running})
        return _spring_page(request, inquiries)

    async def events(self, request: Request) -> Response:
        project = self._by_uuid(request)
        kind = request.path_params["kind"]
        empty = self._world.suffers("empty-list", request)
        return _spring_page(request, [] if empty else [_event(e) for e in project.events if e.kind == kind])

    async def event(self, request: Request) -> Response:
        uuid = request.path_params["uuid"]
        found = next(
            (e for p in self._world.dossiers.newest_first() if p.public for e in p.events if e.uuid == uuid), None
        )
        if found is None:
            raise Refused(404, "Deze gebeurtenis bestaat niet.")
        return JSONResponse(_event(found) | {"bestanden": [_file(d) for d in found.documents]})

    async def download(self, request: Request) -> Response:
        """Only what an event shows is public; the other documents of a dossier are not."""
        uuid = request.path_params["uuid"]
        found = next(
            (
                d
                for p in self._world.dossiers.newest_first()
                if p.public
                for e in p.events
                for d in e.documents
                if d.uuid == uuid
            ),
            None,
        )
        return file_response(self._world, request, found)


async def _filters(request: Request) -> list[dict[str, object]]:
    """The filters of a search. Raises Refused for what is not one."""
    body = await request.body()
    if len(body) > _MOST_QUERY_BYTES:
        raise Refused(413, "Deze zoekvraag is te groot.")
    try:
        query = parsed_json(body or b"{}")
    except ValueError as error:
        raise Refused(400, "Deze zoekvraag is geen JSON.") from error
    filters = query.get("filters", []) if isinstance(query, dict) else None
    if not isinstance(filters, list) or not all(isinstance(f, dict) for f in filters):
        raise Refused(400, 'Een zoekvraag is een object met een lijst "filters".')
    return filters


def _matches(project: Project, wanted: dict[str, object]) -> bool:
    match wanted:
        case {
            "type": "BOUNDING_BOX",
            "minX": int() | float() as min_x,
            "minY": int() | float() as min_y,
            "maxX": int() | float() as max_x,
            "maxY": int() | float() as max_y,
        }:
            return min_x <= project.place.x <= max_x and min_y <= project.place.y <= max_y
        case {"type": "GEMEENTE", "waarde": str(name)}:
            return project.place.name == name
        case {"type": "PROJECTNUMMER", "waarde": str(number)}:
            return project.number.endswith(number.removeprefix("OMV_"))
        case {"type": "PROJECTNAAM", "waarde": str(text)}:
            return text.lower() in project.name.lower()
        case _:
            raise Refused(
                400, "Een filter is BOUNDING_BOX (minX, minY, maxX, maxY), GEMEENTE, PROJECTNUMMER of PROJECTNAAM."
            )


def _spring_page(request: Request, rows: Sequence[dict[str, object]]) -> Response:
    page, size = _whole(request, "page", 0, 1_000_000), max(1, _whole(request, "size", 10, _MOST_SIZE))
    content = rows[page * size : (page + 1) * size]
    pages = -(-len(rows) // size)
    return JSONResponse(
        {
            "content": list(content),
            "totalElements": len(rows),
            "totalPages": pages,
            "number": page,
            "size": size,
            "numberOfElements": len(content),
            "first": page == 0,
            "last": page + 1 >= pages,
            "empty": not content,
        }
    )


def _whole(request: Request, name: str, default: int, most: int) -> int:
    text = request.query_params.get(name, str(default))
    if not text.isdecimal() or len(text) > 7:
        raise Refused(400, f"{name} is geen geheel getal.")
    return min(int(text), most)


def _summary(project: Project) -> dict[str, object]:
    return {
        "uuid": project.uuid,
        "projectnummer": project.number,
        "projectnaam": project.name,
        "toestand": project.state.value,
        "gemeente": project.place.name,
        "procedure": PROCEDURE_TEXT[project.procedure],
        "locatie": {"x": project.place.x, "y": project.place.y, "crs": "EPSG:31370"},
    }


def _event(event: Event) -> dict[str, object]:
    return {
        "uuid": event.uuid,
        "soort": event.kind,
        "omschrijving": event.text,
        "datum": iso(event.at_us),
        "aantalBestanden": len(event.documents),
    }


def _file(document: Document) -> dict[str, object]:
    return {
        "uuid": document.uuid,
        "bestandsnaam": document.name,
        "mimeType": document.media_type,
        "grootte": document.size,
        "hash": document.md5_base64,
        # Not in the real counter: so that a prober can hold a whole download against a strong hash.
        "sha256": document.sha256,
        "veiligheidscategorie": "PUBLIEK_DOWNLOAD",
        "datumOpladen": iso(document.uploaded_us),
    }
