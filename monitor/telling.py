"""What the heart knows about an incident when it tells people: how bad, where from, what it takes along, flapping."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from monitor import acknowledging
from monitor import flapping as flaps
from monitor.acknowledging import About
from monitor.alerts import (
    Told,
    flapping_messages,
    flapping_thread,
    incident_messages,
    joining,
    next_kind,
    reminders_passed,
)
from monitor.attribution import propose
from monitor.flapping import CALM, Flapping
from monitor.hours import Hours, on_duty
from monitor.incidents import Event, Failed, Incident, IncidentRule
from monitor.news import FlappingNews, Kind, Outgoing
from monitor.recipients import Addressee
from monitor.severity import severity_of
from monitor.store import incidents, ledger, outbox
from monitor.store.database import Database, Transaction
from monitor.votes import Places, Verdict, newest, verdict
from probes.checks import Check, Title
from sla.effect import Effect, Standing, effects

log = logging.getLogger(__name__)

#: An assessment older than this says nothing of contracts any more: other outages may have come since.
_STALE_US = 3_600_000_000

_TOGETHER = 50  # in one transaction: enough to share its cost, few enough to let others write


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerting:
    """By what rule incidents open and close, and who hears of them.

    Attributes:
        titles: of all checks, by id.
        places: per check the locations that measure it; none said is one.
        dependants: per check those that depend on it, straight or through others.
        hours: by name, of those who are not always on duty.
        standings: where the clauses of all contracts stood when they were last assessed; nothing before that.
    """

    rule: IncidentRule = field(default_factory=IncidentRule)
    recipients: tuple[Addressee, ...] = ()
    titles: Mapping[str, Title] = field(default_factory=dict)
    places: Places = field(default_factory=dict)
    dependants: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    hours: Mapping[str, Hours] = field(default_factory=dict)
    standings: Callable[[], Iterable[Standing]] = tuple

    def there(self, now_us: int) -> tuple[Addressee, ...]:
        """Who is on duty."""
        return tuple(who for who in self.recipients if on_duty(who, self.hours, now_us))


def tell(tx: Transaction, incident_id: str, check: Check, alerting: Alerting, *, now_us: int) -> bool:
    """Queue what people should hear about an incident now; whether that was anything."""
    incident = incidents.get(tx, incident_id)
    if incident is None:
        return False
    told = outbox.told(tx, incident_id)
    said = acknowledging.about(tx, incident)
    quiet = incident.until_us is None and muted(tx, check, now_us)
    kind = next_kind(incident, told, now_us=now_us, muted=quiet, rule=alerting.rule)
    there = alerting.there(now_us)
    news: dict[Kind, tuple[Addressee, ...]] = {}
    number = 0
    if kind is Kind.OPENED:
        flapping = flapping_news(tx, check, alerting, now_us=now_us)
        if flapping is not None:
            return bool(outbox.add(tx, flapping, now_us=now_us))
        news[kind] = tuple(who for who in there if not who.after)
    elif kind is Kind.REMINDER and told.opened_us is not None:
        number = reminders_passed(told.opened_us, now_us, alerting.rule)
        incidents.set_reminders(tx, incident_id, number)
        if said.acknowledged is None:
            news[kind] = there
    elif kind is not None:
        news[kind] = there
    if incident.until_us is None and not quiet:
        first = news.get(Kind.OPENED, ())
        already = frozenset(who.address for who in first)
        waiting = tuple(who for who in there if who.address not in already)
        opening = any(who.wants("incidents", check.id) for who in first)
        acknowledged = said.acknowledged is not None
        news |= joining(incident, told, waiting, now_us=now_us, acknowledged=acknowledged, opening=opening)
    queued = False
    for what, people in news.items():
        messages = incident_news(
            tx,
            what,
            incident,
            told,
            check,
            alerting,
            said,
            recipients=people,
            number=number * (what is kind),
            now_us=now_us,
        )
        queued = bool(outbox.add(tx, messages, now_us=now_us)) or queued
    return queued


def follow_up(database: Database, checks: Sequence[Check], alerting: Alerting, *, now_us: int) -> bool:
    """Look at every open incident by the wall clock, however rarely its check runs; whether anything was queued.

    What a run that ended well just now says of it is waited for: that is no moment to alarm or to remind anybody.
    """
    by_id = {check.id: check for check in checks}
    with database.read() as tx:
        open_now = [one for one in incidents.read(tx, only_open=True) if one.check_id in by_id]
    queued = False
    for first in range(0, len(open_now), _TOGETHER):
        with database.begin() as tx:
            for incident in open_now[first : first + _TOGETHER]:
                if incidents.load(tx, incident.check_id).kind == "ongoing":
                    queued = tell(tx, incident.id, by_id[incident.check_id], alerting, now_us=now_us) or queued
    return queued


def muted(tx: Transaction, check: Check, now_us: int) -> bool:
    """Whether nobody is told of an incident of this check now, unless they were told before."""
    return _in_maintenance(tx, check.id, now_us) or _explained(tx, check)


def _explained(tx: Transaction, check: Check) -> bool:
    """Whether something this check depends on is failing itself: then that is the news, and this only follows from it.

    An incident that outlasts its explanation is told when the explanation is gone.
    """
    return any(incidents.load(tx, name).kind != "healthy" for name in check.depends_on)


def _in_maintenance(tx: Transaction, check_id: str, now_us: int) -> bool:
    """Whether announced maintenance concerns a check now. It mutes mails; it never stops measuring."""
    return any(
        not sealed.entry.scope or check_id in sealed.entry.scope
        for sealed in ledger.in_force(tx, "maintenance", now_us)
    )


def incident_news(
    tx: Transaction,
    kind: Kind,
    incident: Incident,
    told: Told,
    check: Check,
    alerting: Alerting,
    said: About,
    *,
    recipients: Sequence[Addressee],
    now_us: int,
    number: int = 0,
) -> tuple[Outgoing, ...]:
    """The messages of one kind about an incident to some people, with all that is known about it now."""
    seen = _seen(tx, incident, check, alerting, now_us)
    confirmed = said.cause.cause if said.cause else None
    proposal = propose(incident.failure, check, alerting.rule.identity_providers)
    return incident_messages(
        kind,
        incident,
        told,
        check,
        recipients,
        number=number,
        attached=_attached(tx, incident, alerting),
        cause=confirmed or proposal.cause,
        confirmed_by=said.cause.by if said.cause and confirmed else None,
        severity=severity_of(check.id, incident.failure, alerting.rule.severities, alerting.rule.severity),
        acknowledged_by=said.acknowledged.by if said.acknowledged else None,
        effects=() if incident.until_us is not None else _effects(incident, alerting, now_us),
        failing=seen.failing if seen else (),
        working=seen.working if seen else (),
    )


def _seen(tx: Transaction, incident: Incident, check: Check, alerting: Alerting, now_us: int) -> Verdict | None:
    """Which locations see it; None where there is but one, or it is over."""
    locations = alerting.places.get(check.id, ())
    if len(locations) < 2 or incident.until_us is not None:
        return None
    votes = newest(tx, check.id, locations, until_us=now_us)
    as_of_us = max((one.slot_us for one in votes), default=now_us)
    return verdict(votes, quorum=alerting.rule.quorum, as_of_us=as_of_us, interval_us=check.interval)


def _effects(incident: Incident, alerting: Alerting, now_us: int) -> tuple[Effect, ...]:
    """From figures in memory: the mail waits for no assessment, and says nothing where there is no recent one."""
    try:
        return effects(
            alerting.standings(), incident.check_id, since_us=incident.since_us, now_us=now_us, stale_us=_STALE_US
        )
    except Exception:
        # An outage is told, whatever a contract holds that we did not foresee.
        log.exception("the effect on contracts could not be reckoned", extra={"incident": incident.id})
        return ()


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
