"""The web service for a municipality's own software: SOAP 1.1, document style."""

from __future__ import annotations

import hmac

import parsel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from probes.practice.dossiers import Project
from probes.practice.people import ADVIESVERLENER, SERVICE_KEY
from probes.practice.world import World

PATH = "/cxf/omgeving/ws/GeefDossierDienst/v1"
_MOST_BYTES = 1024 * 1024
_XML = "text/xml; charset=utf-8"


class _Fault(Exception):  # noqa: N818 - SOAP's own word
    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class WebService:
    """Operations: GeefDossier, MeldGebeurtenis, VraagAdvies. The key goes in the SOAP header, element Sleutel."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        return [Route(PATH, self.describe, methods=["GET"]), Route(PATH, self.call, methods=["POST"])]

    async def describe(self, request: Request) -> Response:
        address = f"{request.url.scheme}://{request.url.netloc}{PATH}"
        return Response(self._world.pages.render("wsdl.xml.j2", address=address), media_type=_XML)

    async def call(self, request: Request) -> Response:
        if self._world.suffers("soap-fault", request):
            # A fault under status 200, as some services really answer.
            return self._fault("soap:Server", "Interne fout bij het verwerken van de vraag", status=200)
        try:
            return await self._answer(request)
        except _Fault as fault:
            return self._fault(fault.code, fault.text, status=500)

    def _fault(self, code: str, text: str, *, status: int) -> Response:
        body = self._world.pages.render("soap_fault.xml.j2", code=code, text=text)
        return Response(body, status_code=status, media_type=_XML)

    async def _answer(self, request: Request) -> Response:
        body = await request.body()
        if len(body) > _MOST_BYTES:
            raise _Fault("soap:Client", "De vraag is te groot")
        try:
            # parsel parses without network and without expanding entities.
            envelope = parsel.Selector(body=body, type="xml", encoding="utf-8")
        except ValueError as error:
            raise _Fault("soap:Client", "De vraag is geen XML") from error
        key = _text(envelope, "//*[local-name()='Header']/*[local-name()='Sleutel']")
        if not hmac.compare_digest(key.encode(), SERVICE_KEY.encode()):
            raise _Fault("soap:Client", "Onbekende sleutel")
        operation = envelope.xpath("local-name(//*[local-name()='Body']/*[1])").get() or ""
        number = _text(envelope, "//*[local-name()='Body']//*[local-name()='projectnummer']")
        project = self._world.dossiers.find(number)
        if project is None or not project.public:
            raise _Fault("soap:Client", "Er is geen ingediend project met dit nummer")
        match operation:
            case "GeefDossier":
                return self._dossier(request, project)
            case "MeldGebeurtenis":
                return self._event(envelope, project)
            case "VraagAdvies":
                return await self._advice(request, envelope, project)
            case _:
                raise _Fault("soap:Client", "Onbekende bewerking")

    def _dossier(self, request: Request, project: Project) -> Response:
        wrong = self._world.suffers("wrong-hash", request)
        documents = () if self._world.suffers("empty-list", request) else tuple(project.documents)
        body = self._world.pages.render("soap_dossier.xml.j2", project=project, documents=documents, wrong=wrong)
        return Response(body, media_type=_XML)

    def _event(self, envelope: parsel.Selector, project: Project) -> Response:
        kind = _text(envelope, "//*[local-name()='Body']//*[local-name()='soort']")
        text = _text(envelope, "//*[local-name()='Body']//*[local-name()='omschrijving']")
        if kind not in ("beslissing", "advies", "andere") or not text:
            raise _Fault("soap:Client", "soort is beslissing, advies of andere, en omschrijving is niet leeg")
        event = self._world.dossiers.record(project, kind=kind, text=text[:500])
        return self._done("MeldGebeurtenisAntwoord", event.uuid)

    async def _advice(self, request: Request, envelope: parsel.Selector, project: Project) -> Response:
        question = _text(envelope, "//*[local-name()='Body']//*[local-name()='vraag']")
        if not question:
            raise _Fault("soap:Client", "vraag is leeg")
        event = self._world.dossiers.record(project, kind="advies", text=f"Advies gevraagd: {question[:500]}")
        if not self._world.suffers("missing-mail", request):
            text = f"Er is een adviesvraag over {project.number} ({project.name}):\n\n{question[:2000]}\n"
            subject = f"Adviesvraag {project.number} {event.uuid}"
            await self._world.mail(to=ADVIESVERLENER, subject=subject, text=text)
        return self._done("VraagAdviesAntwoord", event.uuid)

    def _done(self, element: str, event_uuid: str) -> Response:
        body = self._world.pages.render("soap_gebeurtenis.xml.j2", element=element, uuid=event_uuid)
        return Response(body, media_type=_XML)


def _text(envelope: parsel.Selector, path: str) -> str:
    return (envelope.xpath(f"string({path})").get() or "").strip()
