"""What the pages show, read from the store: values for `dashboards/`, which only words and draws them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from heapq import merge
from itertools import islice
from typing import Literal
from zoneinfo import ZoneInfo

from dashboards.formatting import Language
from dashboards.status_page import (
    AnnouncedMaintenance,
    DayCell,
    Frame,
    IncidentPage,
    IncidentSample,
    JourneyStatus,
    MailSent,
    OpenIncident,
    PastIncident,
    Place,
    State,
    StatusPage,
    Undelivered,
)
from monitor import evidence_pages, votes
from monitor.access import Gate
from monitor.attached import dependants
from monitor.clock import AHEAD_US
from monitor.incident_life import life_of
from monitor.incidents import MONITOR, Incident, IncidentRule
from monitor.mail_text import what_of
from monitor.news import Kind
from monitor.store import incidents, ledger, outbox, samples
from monitor.store.database import Database, Transaction
from monitor.store.outbox import Queued, Settled
from monitor.store.undelivered import undelivered
from monitor.votes import Places
from probes.checks import BrowserJourney, Check, Journey
from probes.sample import Outcome, Sample
from probes.sentences import sentence
from sla.ledger import Sealed, in_force

DAYS = 90
PAST = 20
MOST_SAMPLES = 200
#: So far back the status page looks for messages that were lost, and so many it names.
_LOST_US = 30 * 86_400_000_000
_LOST = 50
_STATE = {
    Outcome.UP: State.UP,
    Outcome.DEGRADED: State.DEGRADED,
    Outcome.DOWN: State.DOWN,
    Outcome.UNKNOWN: State.UNKNOWN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What is watched, in the words people use, and who may see it.

    Attributes:
        places: per check the locations that measure it; none said is `location` alone.
    """

    portal: str
    checks: tuple[Check, ...]
    location: str
    timezone: str
    places: Places = field(default_factory=dict)
    gate: Gate = field(default_factory=Gate)
    rule: IncidentRule = field(default_factory=IncidentRule)

    def places_of(self, check_id: str) -> tuple[str, ...]:
        return self.places.get(check_id, (self.location,))

    def title(self, check_id: str, language: Language) -> str:
        for check in self.checks:
            if check.id == check_id:
                title = check.title.nl if language == "nl" else check.title.en
                if check.shadow:
                    title += " (schaduw: telt nog niet mee)" if language == "nl" else " (shadow: does not count yet)"
                return title
        if check_id == MONITOR:
            return "De monitor zelf" if language == "nl" else "The monitor itself"
        return check_id

    def step_title(self, check_id: str, step: str | None, language: Language) -> str | None:
        """The step's own name; None where it has none or no step is to blame."""
        for check in self.checks:
            if check.id == check_id and isinstance(check, BrowserJourney | Journey):
                for one in check.step:
                    if one.id == step and one.title is not None:
                        return one.title.nl if language == "nl" else one.title.en
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day of a check: as it is drawn, and how many samples stand behind it (good ones, honest ones)."""

    cell: DayCell
    good: int
    honest: int


class Days:
    """The bars of the last days. Days that are over are counted once and remembered."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], Day] = {}

    def of(
        self, tx: Transaction, watched: Watched, now_us: int, maintenance: Sequence[tuple[int, int, tuple[str, ...]]]
    ) -> dict[str, tuple[Day, ...]]:
        """Per check its last days, oldest first, today last."""
        zone = ZoneInfo(watched.timezone)
        today = _local(now_us, zone).date()
        days = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
        edges = [_midnight_us(day, zone) for day in [*days, today + timedelta(days=1)]]
        result: dict[str, tuple[Day, ...]] = {}
        for check in watched.checks:
            # A day is settled once it is over for longer than a late sample could still land in it.
            settled = [edges[i + 1] < now_us - 3_600_000_000 for i in range(DAYS)]
            first = next((i for i in range(DAYS) if (check.id, edges[i]) not in self._known), DAYS - 1)
            counted = {
                count.start_us: count for count in samples.counts(tx, (check.id,), watched.location, edges[first:])
            }
            found: list[Day] = []
            for i, date_ in enumerate(days):
                day = self._known.get((check.id, edges[i]))
                if day is None:
                    end_us = min(edges[i + 1], now_us)
                    works = any(
                        start < edges[i + 1] and end > edges[i] and (not scope or check.id in scope)
                        for start, end, scope in maintenance
                    )
                    length_us = max(0, end_us - edges[i])
                    day = _day(date_, counted.get(edges[i]), check.interval, length_us, works=works)
                    if settled[i]:
                        self._known[(check.id, edges[i])] = day
                found.append(day)
            result[check.id] = tuple(found)
        return result


def _day(day: date, count: samples.DayCount | None, interval_us: int, length_us: int, *, works: bool) -> Day:
    if count is None:
        return Day(cell=DayCell(day=day, state=State.UNKNOWN, unmeasured_us=length_us), good=0, honest=0)
    good = count.up + count.degraded
    honest = good + count.down
    # Every sample of the grid speaks for one interval.
    unmeasured_us = max(0, length_us - honest * interval_us)
    if count.down:
        state = State.DOWN
    elif count.degraded:
        state = State.DEGRADED
    elif works:
        state = State.MAINTENANCE
    else:
        state = State.UP if honest else State.UNKNOWN
    cell = DayCell(
        day=day,
        state=state,
        availability=Fraction(good, honest) if honest else None,
        down_us=min(length_us, count.down * interval_us),
        unmeasured_us=unmeasured_us,
    )
    return Day(cell=cell, good=good, honest=honest)


def announced(entries: Iterable[Sealed]) -> tuple[Sealed, ...]:
    """Maintenance that was announced and neither cancelled nor corrected, by start."""
    found = (sealed for sealed in in_force(tuple(entries)) if sealed.entry.kind == "maintenance")
    return tuple(sorted(found, key=lambda sealed: sealed.entry.from_us or 0))


def without_details(page: StatusPage) -> StatusPage:
    """The status page for everybody: how each part does and did; not what failed, nor any way further."""
    return replace(
        page,
        frame=replace(page.frame, links=replace(page.frame.links, sla=None)),
        journeys=tuple(replace(journey, sentence="", places=()) for journey in page.journeys),
        incidents=(),
        past=(),
        undelivered=(),
    )


def status(database: Database, watched: Watched, days: Days, *, frame: Frame, now_us: int) -> StatusPage:
    """The public status, now."""
    language = frame.language
    with database.read() as tx:
        works = announced(ledger.read(tx, kinds=("maintenance", "maintenance-cancelled")))
        spans = [(w.entry.from_us or 0, w.entry.until_us or 0, w.entry.scope) for w in works]
        by_check = days.of(tx, watched, now_us, spans)
        heard = {
            check.id: votes.newest(tx, check.id, watched.places_of(check.id), until_us=now_us + AHEAD_US)
            for check in watched.checks
        }
        # The visitors' view: the monitor's own trouble shows as "not measured", not as an incident of the portal.
        recent = [i for i in incidents.read(tx, limit=PAST * 2) if i.check_id != MONITOR]
        still_open = [i for i in incidents.read(tx, only_open=True) if i.check_id != MONITOR]
        lost = undelivered(tx, since_us=now_us - _LOST_US, now_us=now_us, most=_LOST)

    def told(one: Incident) -> OpenIncident:
        return OpenIncident(
            id=one.id,
            href=_href(one, language),
            title=watched.title(one.check_id, language),
            since_us=one.since_us,
            sentence=said_of(one, watched, language),
            step=one.failure.step or "",
        )

    journeys = tuple(
        _journey(check, heard[check.id], by_check[check.id], spans, watched, language, now_us)
        for check in watched.checks
    )
    return StatusPage(
        frame=frame,
        bars_of=watched.location if any(journey.places for journey in journeys) else "",
        journeys=journeys,
        incidents=tuple(
            replace(told(root), attached=tuple(map(told, along)))
            for root, along in explained(still_open, dependants(watched.checks))
        ),
        maintenance=tuple(
            AnnouncedMaintenance(
                from_us=w.entry.from_us or 0,
                until_us=w.entry.until_us or 0,
                announced_us=w.entry.recorded_us,
                reason=w.entry.reason,
                scope=tuple(watched.title(name, language) for name in w.entry.scope),
            )
            for w in works
            if (w.entry.until_us or 0) > now_us
        ),
        past=tuple(
            PastIncident(
                id=i.id,
                href=_href(i, language),
                title=watched.title(i.check_id, language),
                since_us=i.since_us,
                until_us=i.until_us,
                sentence=said_of(i, watched, language),
            )
            for i in recent
            if i.until_us is not None
        )[:PAST],
        undelivered=tuple(
            Undelivered(
                what=_about(one.kind, language),
                recipient=_shortened(one.address),
                since_us=one.written_us,
                delivery=one.why,
            )
            for one in lost
        ),
    )


def _about(kind: Kind | None, language: Language) -> str:
    if kind is None:
        return "Onbekend voor deze versie" if language == "nl" else "Unknown to this version"
    words = what_of(kind, language)
    return f"{words[0].upper()}{words[1:]}"


def _journey(
    check: Check,
    heard: tuple[Sample, ...],
    days: tuple[Day, ...],
    works: Sequence[tuple[int, int, tuple[str, ...]]],
    watched: Watched,
    language: Language,
    now_us: int,
) -> JourneyStatus:
    # A run that began in its slot may still be under way: its predecessor speaks until then.
    since_us = now_us - check.deadline - votes.INTERVALS * check.interval
    fresh = [sample for sample in heard if sample.slot_us >= since_us]
    said = votes.verdict(
        fresh,
        quorum=watched.rule.quorum,
        as_of_us=max((one.slot_us for one in fresh), default=now_us),
        interval_us=check.interval,
    )
    now = _STATE[said.outcome]
    if now is State.DOWN and any(
        start <= now_us < end and (not scope or check.id in scope) for start, end, scope in works
    ):
        now = State.MAINTENANCE
    why = ""
    if fresh and said.failure is not None:
        why = sentence(said.failure, language, watched.step_title(check.id, said.failure.step, language))
    last = max(heard, key=lambda sample: sample.slot_us, default=None)
    honest = sum(day.honest for day in days)
    return JourneyStatus(
        id=check.id,
        title=watched.title(check.id, language),
        now=now,
        days=tuple(day.cell for day in days),
        sentence=why,
        availability=Fraction(sum(day.good for day in days), honest) if honest else None,
        last_run_us=last.started_us if last else None,
        last_duration_us=last.duration_us if last else None,
        places=tuple(_places(watched.places_of(check.id), heard, since_us)),
    )


def _places(locations: tuple[str, ...], heard: tuple[Sample, ...], since_us: int) -> Iterator[Place]:
    """What each location says, in the order of the configuration; nothing where there is but one."""
    by_location = {sample.location: sample for sample in heard}
    for location in locations if len(locations) > 1 else ():
        sample = by_location.get(location)
        fresh = sample is not None and sample.slot_us >= since_us
        yield Place(
            name=location,
            now=_STATE[sample.outcome] if sample is not None and fresh else State.UNKNOWN,
            at_us=sample.started_us if sample is not None else None,
        )


def explained(
    still_open: Sequence[Incident], behind: Mapping[str, tuple[str, ...]]
) -> tuple[tuple[Incident, tuple[Incident, ...]], ...]:
    """Each open incident that no other open one explains, with those that it explains itself, oldest first.

    Whoever opens the page sees first what fails and only then what fails along with it. An incident with two causes
    stands with the first of them.

    Args:
        behind: per check the ids of all that depend on it, as `monitor.attached.dependants` gives them.
    """
    failing = {one.check_id for one in still_open}
    taken = {name for cause in failing for name in behind.get(cause, ())}
    told: set[str] = set()
    found = []
    for cause in still_open:
        if cause.check_id in taken:
            continue
        along = [one for one in still_open if one.check_id in behind.get(cause.check_id, ()) and one.id not in told]
        told.update(one.id for one in along)
        found.append((cause, tuple(sorted(along, key=lambda one: (one.since_us, one.id)))))
    return tuple(found)


def _href(incident: Incident, language: Language) -> str:
    return f"/incident/{incident.id}" + ("?lang=en" if language == "en" else "")


def said_of(incident: Incident, watched: Watched, language: Language) -> str:
    """What went wrong, with the step's own name."""
    step = watched.step_title(incident.check_id, incident.failure.step, language)
    return sentence(incident.failure, language, step)


def incident(database: Database, watched: Watched, name: str, *, frame: Frame) -> IncidentPage | None:
    """One incident with its samples and evidence; None where there is no such incident."""
    language = frame.language
    with database.read() as tx:
        found = incidents.get(tx, name)
        if found is None:
            return None
        until_us = found.until_us if found.until_us is not None else frame.generated_us
        locations = watched.places_of(found.check_id)
        stored = tuple(
            islice(
                merge(
                    *(samples.between(tx, found.check_id, one, found.since_us, until_us + 1) for one in locations),
                    key=lambda sample: sample.slot_us,
                ),
                MOST_SAMPLES,
            )
        )
        proofs, damaged = evidence_pages.shown(
            tx, _telling(stored), language, lambda step: watched.step_title(found.check_id, step, language)
        )
        mails = outbox.read(tx, incident_id=name)
        life = life_of(tx, found, watched.checks, watched.rule, lambda name: watched.title(name, language), language)
    return IncidentPage(
        frame=frame,
        id=found.id,
        title=watched.title(found.check_id, language),
        since_us=found.since_us,
        until_us=found.until_us,
        sentence=said_of(found, watched, language),
        step=watched.step_title(found.check_id, found.failure.step, language) or found.failure.step or "",
        samples=tuple(
            IncidentSample(
                at_us=s.started_us,
                state=_STATE[s.outcome],
                duration_us=s.duration_us,
                sentence=sentence(s.failure, language, watched.step_title(s.check_id, s.failure.step, language))
                if s.failure
                else "",
                place=s.location if len(locations) > 1 else "",
            )
            for s in stored
        ),
        evidence=proofs,
        damaged=damaged,
        mails=tuple(_mails(mails)),
        life=life,
    )


_DELIVERY: Mapping[Settled, Literal["waiting", "delivered", "refused", "given_up"]] = {
    Settled.PENDING: "waiting",
    Settled.SENT: "delivered",
    Settled.FAILED: "refused",
}
_MAIL: Mapping[Kind, Literal["opened", "ongoing", "escalated", "flapping", "reminder", "recovered", "report"]] = {
    Kind.OPENED: "opened",
    Kind.ONGOING: "ongoing",
    Kind.ESCALATED: "escalated",
    Kind.FLAPPING: "flapping",
    Kind.REMINDER: "reminder",
    Kind.RECOVERED: "recovered",
    Kind.MONITOR: "opened",
    Kind.MEASURING: "recovered",
}


def _mails(queued: Iterable[Queued]) -> Iterator[MailSent]:
    """Each mail for each reader, oldest first; skipped ones never existed for anybody."""
    for message in sorted(queued, key=lambda m: m.created_us):
        for reader in message.readers:
            if reader.state is not Settled.SKIPPED:
                yield MailSent(
                    kind=_MAIL.get(message.kind, "other"),
                    recipient=_shortened(reader.address),
                    at_us=reader.settled_us or message.created_us,
                    delivery="given_up" if reader.given_up else _DELIVERY[reader.state],
                )


def _shortened(address: str) -> str:
    """`o…@example.be`: whoever it is recognises it, and nobody harvests it from a public page."""
    name, at, domain = address.rpartition("@")
    return f"{name[:1]}…@{domain}" if at else address


def _telling(stored: Sequence[Sample]) -> tuple[Sample, ...]:
    """The first and the last failing sample: between them evidence repeats itself."""
    failing = [sample for sample in stored if sample.outcome is Outcome.DOWN]
    return (failing[0], failing[-1]) if len(failing) > 1 else tuple(failing)


def _local(at_us: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(at_us // 1_000_000, UTC).astimezone(zone)


def _midnight_us(day: date, zone: ZoneInfo) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC).timestamp()) * 1_000_000
