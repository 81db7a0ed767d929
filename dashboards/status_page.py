"""The public pages: frozen values in, HTML out. Nothing here fetches, counts the time or decides.

Everything a page says comes in with its value; `render_*` only words it in the language of the frame. Pages work
without script and without any other host; styles and the small script are served from `STATIC`.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache, partial
from importlib.resources import files
from types import MappingProxyType
from typing import Literal

from jinja2 import Environment, PackageLoader, StrictUndefined

from dashboards import formatting
from dashboards.evidence import EvidenceText
from dashboards.formatting import Language
from dashboards.incident_life import UNTOLD, Life
from dashboards.wording import say
from sla.assessment import Verdict
from sla.deadlines import COUNTING, SOURCE, Procedure


class State(StrEnum):
    """How a part of the portal does, now or over a day; the words of a sample's outcome, and maintenance.

    Over a day the worst wins: down, then degraded, maintenance, up; unknown only where nothing honest was measured.
    """

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    MAINTENANCE = "maintenance"
    UNKNOWN = "unknown"  # not measured honestly, or not lately: never the last known state


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Addresses the pages point to. None leaves the link out.

    Attributes:
        static: folder under which `STATIC` is served, with a slash at its end.
        other_language: this very page in the other language.
    """

    status: str = "/"
    sla: str | None = "/sla"
    accessibility: str | None = "/toegankelijkheid"
    json: str | None = None
    static: str = "/static/"
    other_language: str = "?lang=en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What every page carries.

    Attributes:
        portal: name of the portal that is watched, as people call it.
        notice: a sentence above everything, such as that this is a practice environment; empty for none.
        refresh_seconds: how often the script asks for a newer page; 0 never.
    """

    portal: str
    generated_us: int
    version: str
    language: Language = "nl"
    timezone: str = "Europe/Brussels"
    notice: str = ""
    refresh_seconds: int = 15
    links: Links = Links()


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCell:
    """One calendar day of a part, in the zone of the frame.

    Attributes:
        availability: share of the measured time in which it was not down, exact; None where nothing was measured.
        down_us: time of this day it was down.
        unmeasured_us: time of this day that no honest sample speaks for.
    """

    day: date
    state: State
    availability: Fraction | None = None
    down_us: int = 0
    unmeasured_us: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One location's newest word on a part; UNKNOWN where it is too old to count."""

    name: str
    now: State
    at_us: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyStatus:
    """One part now and over its last days.

    Attributes:
        now: UNKNOWN too where the last run is too old to speak for now.
        sentence: what is wrong now, for people; empty where nothing is.
        last_run_us: None before the first run.
        availability: over all of `days`; None where nothing was measured.
        days: consecutive days, oldest first, today last; usually 90.
        places: what each location says; empty where there is but one.
    """

    id: str
    title: str
    now: State
    days: tuple[DayCell, ...]
    sentence: str = ""
    availability: Fraction | None = None
    last_run_us: int | None = None
    last_duration_us: int | None = None
    places: tuple[Place, ...] = ()

    def __post_init__(self) -> None:
        for before, after in zip(self.days, self.days[1:], strict=False):
            if after.day - before.day != timedelta(days=1):
                raise ValueError(f"{self.id}: {after.day} follows {before.day}, but days come one by one, oldest first")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIncident:
    """An incident that goes on. `href` leads to its page.

    Attributes:
        step: its id, for programs; the sentence names it for people.
        attached: incidents that go on and that this one probably explains; they are not told by themselves.
    """

    id: str
    href: str
    title: str  # of the journey
    since_us: int
    sentence: str
    step: str = ""
    attached: tuple[OpenIncident, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PastIncident:
    """An incident that is over."""

    id: str
    href: str
    title: str
    since_us: int
    until_us: int
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncedMaintenance:
    """Announced work, `from_us <= t < until_us`. An empty scope is the whole portal."""

    from_us: int
    until_us: int
    announced_us: int
    reason: str
    scope: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Undelivered:
    """A message that somebody should have and does not.

    Attributes:
        what: what it is about, in words.
        recipient: as this page's readers may see it; the caller shortens addresses.
        since_us: when it was written.
    """

    what: str
    recipient: str
    since_us: int
    delivery: Literal["waiting", "refused", "given_up", "set_aside"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusPage:
    """The whole public status. Maintenance soonest first, past incidents and undelivered messages newest first.

    Attributes:
        bars_of: the location whose measurements the bars show; empty where there is but one.
    """

    frame: Frame
    journeys: tuple[JourneyStatus, ...]
    incidents: tuple[OpenIncident, ...] = ()
    maintenance: tuple[AnnouncedMaintenance, ...] = ()
    past: tuple[PastIncident, ...] = ()
    bars_of: str = ""
    undelivered: tuple[Undelivered, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentSample:
    """One measurement of an incident; `sentence` says what went wrong and is empty where nothing did.

    Attributes:
        place: the location that measured it; empty where there is but one.
    """

    at_us: int
    state: State
    duration_us: int
    sentence: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSent:
    """One mail about the incident and what became of it.

    Attributes:
        recipient: as this page's readers may see it; the caller shortens addresses on a public page.
        at_us: when it was delivered, or else when it was written.
    """

    kind: Literal["opened", "ongoing", "escalated", "flapping", "reminder", "recovered", "report", "other"]
    recipient: str
    at_us: int
    delivery: Literal["waiting", "delivered", "refused", "given_up"]


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentPage:
    """One incident with what proves it. `until_us` is None while it goes on."""

    frame: Frame
    id: str
    title: str
    since_us: int
    until_us: int | None
    sentence: str
    step: str = ""
    samples: tuple[IncidentSample, ...] = ()
    evidence: tuple[EvidenceText, ...] = ()
    damaged: bool = False
    mails: tuple[MailSent, ...] = ()
    life: Life = UNTOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseSoFar:
    """One clause over the running month.

    Attributes:
        target: the promised ratio; None for clauses of another kind, which then tell `target_text` and `measured_text`.
        lowest, point, highest: availability so far, exact; None where nothing was measured.
        allowed_us: downtime allowed in the whole month, spent_us: used so far; None for clauses without a budget.
    """

    id: str
    title: str
    verdict: Verdict
    target: Fraction | None = None
    target_text: str = ""
    measured_text: str = ""
    lowest: Fraction | None = None
    point: Fraction | None = None
    highest: Fraction | None = None
    allowed_us: int | None = None
    spent_us: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """One file of a report; `label` such as `PDF (nl)`."""

    label: str
    href: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedReport:
    """A report that was drawn up; `title` such as `Oktober 2026, versie 1`."""

    title: str
    issued_us: int
    files: tuple[Download, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaPage:
    """A contract's running month. `month` is in words and in the page's language, such as `november 2026`.

    Attributes:
        coverage: share of the service time so far that was measured; None where there was none.
        assessed_us: up to when it was computed.
        procedures: findings that were sent, with what followed; drafts are nobody else's business yet.
    """

    frame: Frame
    contract: str
    month: str
    assessed_us: int
    clauses: tuple[ClauseSoFar, ...]
    coverage: Fraction | None = None
    reports: tuple[IssuedReport, ...] = ()
    procedures: tuple[Procedure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorPage:
    """What a visitor sees in place of a page: 404, 500, 503 or any other status."""

    frame: Frame
    status: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessibilityPage:
    """The accessibility statement that every public site must have. `contact` is an address people can write to."""

    frame: Frame
    organisation: str
    contact: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overall:
    """The state of everything in one word, one sentence and an explanation."""

    state: State
    sentence: str
    explanation: str


def overall(page: StatusPage) -> Overall:
    """What the title and the heading say. Down weighs most, then not measurable, slow, maintenance."""
    language = page.frame.language
    by_state = {state: tuple(j for j in page.journeys if j.now is state) for state in State}
    total = len(page.journeys)
    if not total:
        return Overall(state=State.UNKNOWN, sentence=say("no_journeys", language), explanation="")
    for state in (State.DOWN, State.UNKNOWN, State.DEGRADED, State.MAINTENANCE):
        those = by_state[state]
        if not those:
            continue
        if state is State.MAINTENANCE:
            key = "some_maintenance"
        elif len(those) == total > 1 and state in (State.DOWN, State.UNKNOWN):
            key = f"all_{state.value}"
        elif len(those) == 1:
            key = f"one_{state.value}"
        else:
            key = f"some_{state.value}"
        sentence = say(key, language, title=those[0].title, count=len(those), total=total)
        return Overall(state=state, sentence=sentence, explanation=say(f"overall_{state.value}", language))
    return Overall(state=State.UP, sentence=say("all_up", language), explanation=say("overall_up", language))


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRun:
    """Consecutive days that read the same, for the table: `first` to `last` inclusive."""

    first: date
    last: date
    cell: DayCell


def day_runs(days: tuple[DayCell, ...]) -> tuple[DayRun, ...]:
    """The days newest first, with equal neighbours in one row: ninety quiet days are one line."""
    runs: list[DayRun] = []
    for cell in reversed(days):
        if runs and replace(runs[-1].cell, day=cell.day) == cell:
            runs[-1] = replace(runs[-1], first=cell.day)
        else:
            runs.append(DayRun(first=cell.day, last=cell.day, cell=cell))
    return tuple(runs)


def bar_sentence(journey: JourneyStatus, language: Language) -> str:
    """The bars of a part as one sentence, for those who do not see them."""
    count = Counter(cell.state.value for cell in journey.days)
    counts = {state.value: count[state.value] for state in State}
    return say("bar_sentence", language, title=journey.title, days=len(journey.days), **counts)


def _static() -> Mapping[str, tuple[str, bytes]]:
    types = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
    folder = files("dashboards") / "static"
    return MappingProxyType(
        {
            entry.name: (types[entry.name.rpartition(".")[2]], entry.read_bytes())
            for entry in sorted(folder.iterdir(), key=lambda e: e.name)
        }
    )


#: What the pages need beside themselves: file name -> (content type, content). Served under `Links.static`.
STATIC: Mapping[str, tuple[str, bytes]] = _static()

#: Content-Security-Policy under which every page works.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; "
    "form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)


def _static_address(name: str, frame: Frame) -> str:
    """With a piece of the content's hash, so that a new version is never mixed with a cached old one."""
    return f"{frame.links.static}{name}?v={hashlib.sha256(STATIC[name][1]).hexdigest()[:10]}"


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("dashboards", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def rendered(template: str, frame: Frame, **values: object) -> str:
    """A template with these values, and with the words and formats of the frame."""
    language, timezone = frame.language, frame.timezone
    return (
        _environment()
        .get_template(template)
        .render(
            frame=frame,
            language=language,
            other="en" if language == "nl" else "nl",
            State=State,
            t=lambda key, **filled: say(key, language, **filled),
            asset=partial(_static_address, frame=frame),
            iso=formatting.iso,
            at=partial(formatting.moment, timezone=timezone, language=language),
            span=partial(formatting.span, timezone=timezone, language=language),
            day=partial(formatting.day, language=language),
            short_day=partial(formatting.short_day, language=language),
            bound=formatting.bound,
            percent=partial(formatting.percent, language=language),
            length=lambda us, **how: formatting.bound(formatting.length(us, language, **how)),
            seconds=partial(formatting.seconds, language=language),
            size=partial(formatting.size, language=language),
            **values,
        )
    )


def render_status(page: StatusPage) -> str:
    """The status page as a whole HTML document."""
    return rendered(
        "status.html.j2",
        page.frame,
        page=page,
        overall=overall(page),
        day_runs=day_runs,
        bar_sentence=partial(bar_sentence, language=page.frame.language),
    )


def render_incident(page: IncidentPage) -> str:
    """One incident with its measurements, evidence as escaped text, and the mails sent."""
    ends_us = page.frame.generated_us if page.until_us is None else page.until_us
    return rendered("incident.html.j2", page.frame, page=page, lasted_us=max(ends_us - page.since_us, 0))


def render_sla(page: SlaPage) -> str:
    """The running month of one contract, and its issued reports."""
    notes = (SOURCE.in_(page.frame.language), COUNTING.in_(page.frame.language))
    return rendered("sla.html.j2", page.frame, page=page, procedure_notes=notes)


def render_error(page: ErrorPage) -> str:
    """A page for an error status, with a way back."""
    known = page.status if page.status in (404, 500, 503) else "other"
    return rendered("error.html.j2", page.frame, page=page, key=f"error_{known}")


def render_accessibility(page: AccessibilityPage) -> str:
    """The accessibility statement."""
    return rendered("accessibility.html.j2", page.frame, page=page)
