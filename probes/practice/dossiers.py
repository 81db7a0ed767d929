"""What the portal keeps: projects with their documents and events, objections and appeals. All in memory, bounded."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum

from probes.practice.calendar import end_of_day_us, local_date
from probes.practice.identifiers import Identifiers
from probes.practice.people import ARCHITECT, BURGER, Person


class Procedure(StrEnum):
    GEWOON = "gewoon"
    VEREENVOUDIGD = "vereenvoudigd"
    MELDING = "melding"


#: Dossier tax per procedure, in euros (the amounts of 2017's practice).
TAX_EUR = {Procedure.GEWOON: 500, Procedure.VEREENVOUDIGD: 100, Procedure.MELDING: 0}
PROCEDURE_TEXT = {
    Procedure.GEWOON: "Gewone procedure",
    Procedure.VEREENVOUDIGD: "Vereenvoudigde procedure",
    Procedure.MELDING: "Melding",
}


class State(StrEnum):
    DRAFT = "in opmaak"
    SUBMITTED = "ingediend"
    INQUIRY = "openbaar onderzoek"
    DECIDED = "beslist"
    WITHDRAWN = "ingetrokken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An invented municipality, with the middle of its invented territory in Lambert 72 (EPSG:31370), in metres."""

    name: str
    x: int
    y: int


PLACES = (
    Place(name="Oefendorp", x=104_000, y=194_000),
    Place(name="Proefbeke", x=152_500, y=211_000),
    Place(name="Testerzele", x=121_300, y=178_400),
    Place(name="Voorbeeldegem", x=218_700, y=183_900),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A file of a dossier. `content` is None once the portal had to forget it."""

    uuid: str
    name: str
    kind: str
    media_type: str
    size: int
    sha256: str
    md5_base64: str
    uploaded_us: int
    content: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to a project. `kind` is advies, beslissing or andere."""

    uuid: str
    kind: str
    text: str
    at_us: int
    documents: tuple[Document, ...] = ()


@dataclass(slots=True, kw_only=True)
class Objection:
    """A bezwaar in a public inquiry, or a beroep against a decision (`capacity` is then in which capacity)."""

    id: str
    project: str
    person: Person
    text: str
    made_us: int
    capacity: str | None = None
    signed: bool = False
    submitted_us: int | None = None
    withdrawn: bool = False


@dataclass(slots=True, kw_only=True)
class Project:
    """One dossier. `sentinel` ones are always there, and their terms move along with the clock."""

    number: str
    uuid: str
    phase_uuid: str
    name: str
    description: str
    place: Place
    address: str
    procedure: Procedure
    owner: Person
    architect: Person | None
    created_us: int
    state: State = State.DRAFT
    sentinel: bool = False
    documents: list[Document] = field(default_factory=list)
    proof: Document | None = None
    signed: list[str] = field(default_factory=list)
    submitted_us: int | None = None
    inquiry_end_us: int | None = None
    events: list[Event] = field(default_factory=list)

    @property
    def signers(self) -> tuple[Person, ...]:
        """Who must sign: the applicant, and the architect where one takes part."""
        return (self.owner,) if self.architect is None else (self.owner, self.architect)

    @property
    def open_acts(self) -> tuple[str, ...]:
        """What is still to be done before the dossier can be submitted."""
        acts = []
        if not self.documents:
            acts.append("Laad minstens één dossierstuk op.")
        if TAX_EUR[self.procedure] and self.proof is None:
            acts.append("Laad het betaalbewijs van de dossiertaks op.")
        acts += [f"{p.name} moet nog ondertekenen." for p in self.signers if p.key not in self.signed]
        return tuple(acts)

    @property
    def public(self) -> bool:
        return self.state in (State.SUBMITTED, State.INQUIRY, State.DECIDED)

    def all_documents(self) -> Iterator[Document]:
        yield from self.documents
        if self.proof is not None:
            yield self.proof
        for event in self.events:
            yield from event.documents


_EVENTS_KEPT = 200
_INQUIRY_DAYS = 30

OPEN_INQUIRY = "OMV_2099000001"
DECIDED = "OMV_2099000002"
DECIDED_LONG_AGO = "OMV_2099000003"
FOR_THE_SERVICE = "OMV_2099000004"
CLOSED_INQUIRY = "OMV_2099000005"
#: Days from today to the last day of the terms of the sentinel projects, so that they are the same every day.
_INQUIRY_SHIFT_DAYS = {OPEN_INQUIRY: 19, CLOSED_INQUIRY: -1}
_APPEAL_SHIFT_DAYS = {DECIDED: 20, DECIDED_LONG_AGO: -15}


class Dossiers:
    """All projects, objections and appeals of this run.

    Args:
        now_us: microseconds since the epoch, UTC.
        max_dossiers: the oldest projects beyond this are forgotten; sentinels stay.
        max_stored_bytes: of content; the oldest uploads beyond this lose theirs.
    """

    def __init__(
        self, *, now_us: Callable[[], int], ids: Identifiers, max_dossiers: int, max_stored_bytes: int
    ) -> None:
        self._now_us = now_us
        self._ids = ids
        self._max_dossiers = max_dossiers
        self._max_stored_bytes = max_stored_bytes
        self._projects: dict[str, Project] = {}
        self._objections: dict[str, Objection] = {}
        self._last_number = 0
        for make in (_open_inquiry, _decided, _decided_long_ago, _for_the_service, _closed_inquiry):
            make(self)

    def create(
        self,
        *,
        name: str,
        description: str,
        place: Place,
        address: str,
        procedure: Procedure,
        owner: Person,
        architect: Person | None,
        sentinel: bool = False,
    ) -> Project:
        now = self._now_us()
        self._last_number = self._last_number % 999_999 + 1
        project = Project(
            number=f"OMV_2099{self._last_number:06d}",
            uuid=self._ids.next("project"),
            phase_uuid=self._ids.next("projectfase"),
            name=name,
            description=description,
            place=place,
            address=address,
            procedure=procedure,
            owner=owner,
            architect=architect,
            created_us=now,
            sentinel=sentinel,
        )
        self._projects[project.number] = project
        self.record(project, kind="andere", text="Project aangemaakt")
        self._forget_oldest()
        return project

    def _forget_oldest(self) -> None:
        for number in [n for n, p in self._projects.items() if not p.sentinel]:
            if len(self._projects) <= self._max_dossiers:
                return
            del self._projects[number]

    def record(self, project: Project, *, kind: str, text: str, documents: tuple[Document, ...] = ()) -> Event:
        event = Event(
            uuid=self._ids.next("gebeurtenis"), kind=kind, text=text, at_us=self._now_us(), documents=documents
        )
        project.events.append(event)
        if len(project.events) > _EVENTS_KEPT:
            # Events with documents are what visitors come for; only others are forgotten.
            project.events.remove(next((e for e in project.events if not e.documents), project.events[0]))
        return event

    def document(self, *, name: str, kind: str, media_type: str, content: bytes) -> Document:
        """A document that is not part of any project yet."""
        return Document(
            uuid=self._ids.next("bestand"),
            name=name,
            kind=kind,
            media_type=media_type,
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            md5_base64=b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode(),
            uploaded_us=self._now_us(),
            content=content,
        )

    def make_room(self) -> None:
        """Lets the oldest uploads lose their content while all together are beyond the bound."""
        projects = [p for p in self._projects.values() if not p.sentinel]
        stored = sum(d.size for p in projects for d in p.all_documents() if d.content is not None)
        for project in projects:
            if stored <= self._max_stored_bytes:
                return
            stored -= sum(d.size for d in project.all_documents() if d.content is not None)
            _forget_content(project)

    def submit(self, project: Project) -> None:
        """Seals the dossier. An ordinary procedure goes straight into its public inquiry of 30 days."""
        now = self._now_us()
        project.submitted_us = now
        project.state = State.SUBMITTED
        self.record(project, kind="andere", text="Dossier ingediend")
        if project.procedure is Procedure.GEWOON:
            project.inquiry_end_us = self._end_of_day_in(_INQUIRY_DAYS)
            project.state = State.INQUIRY
            self.record(project, kind="andere", text="Openbaar onderzoek gestart")

    def withdraw(self, project: Project) -> None:
        project.state = State.WITHDRAWN
        self.record(project, kind="andere", text="Dossier ingetrokken")
        _forget_content(project)

    def find(self, number: str) -> Project | None:
        """By project number, with or without `OMV_`."""
        return self._projects.get(number if number.startswith("OMV_") else f"OMV_{number}")

    def by_uuid(self, uuid: str) -> Project | None:
        """By the uuid of the project or of its phase."""
        return next((p for p in self._projects.values() if uuid in (p.uuid, p.phase_uuid)), None)

    def newest_first(self) -> Iterable[Project]:
        return reversed(self._projects.values())

    def inquiry_end_us(self, project: Project) -> int | None:
        """The instant at which the public inquiry closes (24 o'clock of its last day); None where there is none."""
        shift = _INQUIRY_SHIFT_DAYS.get(project.number) if project.sentinel else None
        return project.inquiry_end_us if shift is None else self._end_of_day_in(shift)

    def appeal_end_us(self, project: Project) -> int | None:
        """The instant at which the 30 days for an appeal are over; None where nothing was decided."""
        shift = _APPEAL_SHIFT_DAYS.get(project.number) if project.sentinel else None
        return None if shift is None else self._end_of_day_in(shift)

    def _end_of_day_in(self, days: int) -> int:
        return end_of_day_us(local_date(self._now_us()) + timedelta(days=days))

    def object(self, *, project: Project, person: Person, text: str, capacity: str | None) -> Objection:
        """A bezwaar (no capacity) or a beroep (with one), not yet submitted."""
        objection = Objection(
            id=self._ids.next("bezwaar"),
            project=project.number,
            person=person,
            text=text,
            made_us=self._now_us(),
            capacity=capacity,
        )
        self._objections[objection.id] = objection
        while len(self._objections) > self._max_dossiers:
            del self._objections[next(iter(self._objections))]
        return objection

    def objection(self, objection_id: str) -> Objection | None:
        return self._objections.get(objection_id)


def _forget_content(project: Project) -> None:
    project.documents = [replace(d, content=None) for d in project.documents]
    project.proof = None if project.proof is None else replace(project.proof, content=None)


def _sentinel(dossiers: Dossiers, *, name: str, place: int, state: State, architect: Person | None = None) -> Project:
    project = dossiers.create(
        name=name,
        description="Vast voorbeelddossier van het oefenportaal.",
        place=PLACES[place],
        address=f"Voorbeeldstraat {10 + place}",
        procedure=Procedure.GEWOON,
        owner=BURGER,
        architect=architect,
        sentinel=True,
    )
    project.signed = [p.key for p in project.signers]
    project.submitted_us = project.created_us
    project.state = state
    plan = dossiers.document(
        name="plan-bestaande-toestand.pdf", kind="plan", media_type="application/pdf", content=_pdf(f"Plan {name}")
    )
    project.documents.append(plan)
    return project


def _open_inquiry(dossiers: Dossiers) -> None:
    project = _sentinel(dossiers, name="Verbouwen van een rijwoning", place=0, state=State.INQUIRY, architect=ARCHITECT)
    notice = dossiers.document(
        name="bekendmaking-openbaar-onderzoek.pdf",
        kind="bekendmaking",
        media_type="application/pdf",
        content=_pdf("Bekendmaking openbaar onderzoek"),
    )
    dossiers.record(project, kind="andere", text="Openbaar onderzoek gestart", documents=(notice,))


def _decided_project(dossiers: Dossiers, name: str, place: int) -> None:
    project = _sentinel(dossiers, name=name, place=place, state=State.DECIDED)
    decision = dossiers.document(
        name="beslissing.pdf", kind="beslissing", media_type="application/pdf", content=_pdf("Beslissing: vergund")
    )
    dossiers.record(project, kind="beslissing", text="Vergunning verleend", documents=(decision,))


def _decided(dossiers: Dossiers) -> None:
    _decided_project(dossiers, "Bouwen van een meergezinswoning", 1)


def _decided_long_ago(dossiers: Dossiers) -> None:
    _decided_project(dossiers, "Plaatsen van een tuinhuis", 2)


def _for_the_service(dossiers: Dossiers) -> None:
    project = _sentinel(dossiers, name="Exploiteren van een schrijnwerkerij", place=0, state=State.SUBMITTED)
    note = dossiers.document(
        name="exploitatienota.pdf", kind="nota", media_type="application/pdf", content=_pdf("Exploitatienota")
    )
    project.documents.append(note)


def _closed_inquiry(dossiers: Dossiers) -> None:
    _sentinel(dossiers, name="Slopen van een loods", place=3, state=State.SUBMITTED)


def _pdf(text: str) -> bytes:
    """A one-page PDF that says this, and that it is for practice only."""
    lines = f"BT /F1 20 Tf 60 760 Td (OEFENDOCUMENT) Tj 0 -34 Td /F1 14 Tf ({text}) Tj ET"
    bodies = (
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        " /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        f"<< /Length {len(lines)} >>\nstream\n{lines}\nendstream",
    )
    out = "%PDF-1.4\n"
    offsets = []
    for index, body in enumerate(bodies, start=1):
        offsets.append(len(out))
        out += f"{index} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    trailer = f"trailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF\n"
    return (out + f"xref\n0 5\n0000000000 65535 f \n{table}" + trailer).encode("latin-1")
