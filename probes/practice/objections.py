"""Objecting in a public inquiry (bezwaar), and appealing against a decision (beroep), each within its term."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from probes.practice.calendar import last_day_text
from probes.practice.dossiers import Objection, Project
from probes.practice.people import Person
from probes.practice.world import Refused, World

CAPACITIES = ("aanvrager", "betrokken publiek", "adviesinstantie")


class Objections:
    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        return [
            Route("/loket/projecten/{number}/bezwaar", self.object, methods=["GET", "POST"]),
            Route("/loket/projecten/{number}/beroep", self.appeal, methods=["GET", "POST"]),
            Route("/loket/bezwaren/{id}", self.objection),
            Route("/loket/bezwaren/{id}/ondertekenen", self.sign, methods=["POST"]),
            Route("/loket/bezwaren/{id}/indienen", self.submit, methods=["POST"]),
            Route("/loket/bezwaren/{id}/intrekken", self.withdraw, methods=["POST"]),
        ]

    def _term_open(self, project: Project, *, appeal: bool) -> int:
        """The instant at which the term ends. Raises Refused outside it: at 24 o'clock of the last day it is over."""
        dossiers = self._world.dossiers
        end_us = dossiers.appeal_end_us(project) if appeal else dossiers.inquiry_end_us(project)
        if end_us is None:
            what = "is geen beslissing" if appeal else "loopt geen openbaar onderzoek"
            raise Refused(409, f"Voor dit project {what}.")
        if self._world.now_us() >= end_us:
            what = "De beroepstermijn" if appeal else "Het openbaar onderzoek"
            raise Refused(409, f"{what} is afgelopen. De laatste dag was {last_day_text(end_us)}.")
        return end_us

    async def object(self, request: Request) -> Response:
        session, person = self._world.visitor(request)
        project = self._world.project(request.path_params["number"], person)
        end_us = self._term_open(project, appeal=False)
        if request.method == "GET":
            return self._world.page(request, "bezwaar_nieuw.html.j2", project=project, end_us=end_us)
        form = await self._world.form(request, session)
        # The term may have ended while the visitor was writing.
        self._term_open(project, appeal=False)
        objection = self._world.dossiers.object(
            project=project, person=person, text=form.needed("bezwaar-tekst", "Uw bezwaar"), capacity=None
        )
        objection.submitted_us = self._world.now_us()
        return RedirectResponse(f"/loket/bezwaren/{objection.id}", status_code=303)

    async def appeal(self, request: Request) -> Response:
        session, person = self._world.visitor(request)
        project = self._world.project(request.path_params["number"], person)
        end_us = self._term_open(project, appeal=True)
        if request.method == "GET":
            return self._world.page(
                request, "beroep_nieuw.html.j2", project=project, end_us=end_us, capacities=CAPACITIES
            )
        form = await self._world.form(request, session)
        capacity = form.field("hoedanigheid")
        if capacity not in CAPACITIES:
            raise Refused(422, "Kies in welke hoedanigheid u beroep instelt.")
        text = form.needed("beroep-tekst", "Motivering")
        objection = self._world.dossiers.object(project=project, person=person, text=text, capacity=capacity)
        return RedirectResponse(f"/loket/bezwaren/{objection.id}", status_code=303)

    def _own(self, request: Request) -> tuple[Objection, Person]:
        _, person = self._world.visitor(request)
        objection = self._world.dossiers.objection(request.path_params["id"])
        if objection is None or objection.person.key != person.key:
            raise Refused(404, "Dit bezwaar of beroep bestaat niet, of is niet van u.")
        return objection, person

    async def objection(self, request: Request) -> Response:
        objection, _ = self._own(request)
        return self._world.page(request, "bezwaar.html.j2", objection=objection)

    async def _changed(self, request: Request) -> Objection:
        session, _ = self._world.visitor(request)
        objection, _ = self._own(request)
        await self._world.form(request, session)
        return objection

    async def sign(self, request: Request) -> Response:
        objection = await self._changed(request)
        objection.signed = True
        return RedirectResponse(f"/loket/bezwaren/{objection.id}", status_code=303)

    async def submit(self, request: Request) -> Response:
        objection = await self._changed(request)
        project = self._world.dossiers.find(objection.project)
        if project is None or objection.submitted_us is not None or objection.withdrawn:
            raise Refused(409, "Dit beroep kan niet meer ingediend worden.")
        if not objection.signed:
            raise Refused(409, "Onderteken het beroep voor u het indient.")
        self._term_open(project, appeal=True)
        objection.submitted_us = self._world.now_us()
        return RedirectResponse(f"/loket/bezwaren/{objection.id}", status_code=303)

    async def withdraw(self, request: Request) -> Response:
        objection = await self._changed(request)
        objection.withdrawn = True
        return RedirectResponse(f"/loket/bezwaren/{objection.id}", status_code=303)
