"""What the heart knows about an incident when it tells people: how bad, where from, what it takes along, flapping."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from monitor import flapping as flaps
from monitor.acknowledging import About
from monitor.alerts import Told, flapping_messages, flapping_thread, incident_messages
from monitor.attribution import propose
from monitor.flapping import CALM, Flapping
from monitor.incidents import Event, Failed, Incident, IncidentRule
from monitor.news import FlappingNews, Kind, Outgoing
from monitor.recipients import Addressee
from monitor.severity import severity_of
from monitor.store import incidents, outbox
from monitor.store.database import Database, Transaction
from probes.checks import Check, Title


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerting:
    """By what rule incidents open and close, and who hears of them.

    Attributes:
        titles: of all checks, by id.
        dependants: per check those that depend on it, straight or through others.
    """

    rule: IncidentRule = field(default_factory=IncidentRule)
    recipients: tuple[Addressee, ...] = ()
    titles: Mapping[str, Title] = field(default_factory=dict)
    dependants: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def incident_news(
    tx: Transaction,
    kind: Kind,
    incident: Incident,
    told: Told,
    check: Check,
    alerting: Alerting,
    said: About,
    *,
    number: int,
) -> tuple[Outgoing, ...]:
    """The messages of one kind about an incident, with all that is known about it now."""
    confirmed = said.cause.cause if said.cause else None
    proposal = propose(incident.failure, check, alerting.rule.identity_providers)
    return incident_messages(
        kind,
        incident,
        told,
        check,
        alerting.recipients,
        number=number,
        attached=_attached(tx, incident, alerting),
        cause=confirmed or proposal.cause,
        confirmed_by=said.cause.by if said.cause and confirmed else None,
        severity=severity_of(check.id, incident.failure, alerting.rule.severities, alerting.rule.severity),
    )


def attached_to(tx: Transaction, incident: Incident, behind: Sequence[str]) -> tuple[Incident, ...]:
    """The incidents of the checks behind this one's that it explains: those at the same time."""
    found = (
        one
        for name in behind
        for one in incidents.read(tx, check_id=name, start_us=incident.since_us, end_us=incident.until_us)
    )
    return tuple(sorted(found, key=lambda one: (one.since_us, one.id)))


def _attached(tx: Transaction, incident: Incident, alerting: Alerting) -> tuple[Title, ...]:
    """Titles of what fails along with it; also what failed but not yet often enough."""
    behind = alerting.dependants.get(incident.check_id, ())
    failing = {one.check_id for one in attached_to(tx, incident, behind)}
    if incident.until_us is None:
        failing |= {name for name in behind if incidents.load(tx, name).kind != "healthy"}
    return tuple(alerting.titles[name] for name in behind if name in failing and name in alerting.titles)


def note_flapping(tx: Transaction, check_id: str, happened: Sequence[Event], rule: IncidentRule) -> None:
    """Remember openings and ends."""
    if all(isinstance(event, Failed) for event in happened):
        return
    before = state = incidents.load_flapping(tx, check_id)
    for event in happened:
        state = flaps.advance(state, event, rule)
    if state != before:
        incidents.save_flapping(tx, check_id, state)


def flapping_news(tx: Transaction, check: Check, alerting: Alerting, *, now_us: int) -> tuple[Outgoing, ...] | None:
    """What is told in place of an opening where the check flaps; None where it does not. Queued twice it is one."""
    state = incidents.load_flapping(tx, check.id)
    if not state.holds(now_us, alerting.rule):
        return None
    return flapping_messages(Kind.FLAPPING, _news(check, state, alerting.rule), Told(), alerting.recipients)


def tell_steady(
    database: Database, checks: Sequence[Check], alerting: Alerting, *, now_us: int
) -> tuple[tuple[str, ...], bool]:
    """Which checks flap, after ending the state of those that do no more; and whether mail was queued.

    Who was told that a check flaps is told that it works steadily. One that stays down instead has an incident that
    nobody was told of; the next failing run tells it.
    """
    with database.read() as tx:
        flapping = incidents.flapping(tx)
    still = tuple(name for name, state in flapping.items() if state.holds(now_us, alerting.rule))
    if len(still) == len(flapping):
        return still, False
    queued = False
    with database.begin() as tx:
        for check in checks:
            state = incidents.load_flapping(tx, check.id)
            if state.since_us is None or state.holds(now_us, alerting.rule):
                continue
            incidents.save_flapping(tx, check.id, CALM)
            if incidents.open_of(tx, check.id) is None:
                news = _news(check, state, alerting.rule, until_us=state.changed_us)
                told = outbox.told(tx, flapping_thread(check.id, state.since_us))
                added = outbox.add(tx, flapping_messages(Kind.STEADY, news, told, alerting.recipients), now_us=now_us)
                queued = queued or bool(added)
    return still, queued


def _news(check: Check, state: Flapping, rule: IncidentRule, until_us: int | None = None) -> FlappingNews:
    assert state.since_us is not None
    return FlappingNews(
        check_id=check.id,
        title=check.title,
        since_us=state.since_us,
        openings=sum(one <= state.since_us for one in state.openings) if until_us is None else len(state.openings),
        within_us=rule.flapping_within,
        steady_us=rule.steady_after,
        until_us=until_us,
    )
