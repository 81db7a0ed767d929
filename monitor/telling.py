"""What the heart knows about an incident when it tells people: how bad, where from, what it takes along, flapping."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError

from monitor import acknowledging, silence
from monitor.acknowledging import About
from monitor.alerts import Told, incident_messages, joining, next_kind, own_messages, reminders_passed
from monitor.attached import Dependants
from monitor.audience import failing_along
from monitor.failing import Failing
from monitor.flap_telling import end_flapping, flaps_now, is_over, tell_flapping
from monitor.hours import Hours, on_duty
from monitor.incidents import MONITOR, Incident, IncidentRule, OwnTrouble
from monitor.judging import proposal_kept, severity_kept
from monitor.muting import muted as muted
from monitor.muting import silenced
from monitor.news import FOLLOW_UPS, Kind, Outgoing
from monitor.recipients import Addressee, by_journeys, follows
from monitor.severity import Severity
from monitor.store import incidents, outbox
from monitor.store.database import Database, Transaction
from monitor.votes import Places, Verdict, newest, verdict
from monitor.worsening import milder
from probes.checks import Check, Title
from sla.effect import Effect, effects
from sla.standing import Standing

log = logging.getLogger(__name__)

#: An assessment older than this says nothing of contracts any more: other outages may have come since.
_STALE_US = 3_600_000_000

#: Told to those who were not told yet; other news goes to those who were.
_FIRST = (Kind.OPENED, Kind.ONGOING, Kind.ESCALATED)
_TOGETHER = 50  # in one transaction: enough to share its cost, few enough to let others write


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerting:
    """By what rule incidents open and close, and who hears of them.

    Attributes:
        titles: of all checks, by id.
        places: per check the locations that measure it; none said is one.
        dependants: who depends on whom; None: a check is explained by what it names itself.
        hours: by name, of those who are not always on duty.
        standings: where the clauses of all contracts stood when they were last assessed; nothing before that.
        failing: what fails besides, as far as it was read already.
    """

    rule: IncidentRule = field(default_factory=IncidentRule)
    recipients: tuple[Addressee, ...] = ()
    titles: Mapping[str, Title] = field(default_factory=dict)
    places: Places = field(default_factory=dict)
    dependants: Dependants | None = None
    hours: Mapping[str, Hours] = field(default_factory=dict)
    standings: Callable[[], Iterable[Standing]] = tuple
    failing: Failing = field(default_factory=Failing)

    def there(self, now_us: int) -> tuple[Addressee, ...]:
        """Who is on duty."""
        return tuple(who for who in self.recipients if on_duty(who, self.hours, now_us))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Word:
    """What some people are told of an incident at once.

    Attributes:
        number: of a reminder, from 1; 0 for other kinds.
        was: how bad they were told it is, where they hear that it is worse.
        hit: checks they follow, where they hear of it later for the sake of these alone.
    """

    kind: Kind
    people: tuple[Addressee, ...]
    number: int = 0
    was: Severity | None = None
    hit: tuple[str, ...] = ()


def tell(
    tx: Transaction, incident_id: str, check: Check, alerting: Alerting, *, now_us: int, said: About | None = None
) -> bool:
    """Queue what people should hear about an incident now; whether that was anything.

    Args:
        said: what people said about it, where that was read already.
    """
    incident = incidents.get(tx, incident_id)
    if incident is None:
        return False
    told = outbox.told(tx, incident_id)
    said = said or acknowledging.about(tx, incident)
    mutes = muted if told.opened_us is None else silenced
    quiet = incident.until_us is None and mutes(tx, check, now_us, alerting.dependants)
    kind = next_kind(incident, told, now_us=now_us, muted=quiet, rule=alerting.rule)
    there = alerting.there(now_us)
    news: dict[Kind, tuple[Addressee, ...]] = {}
    number = 0
    if kind is Kind.OPENED and flaps_now(tx, check.id, alerting.rule, now_us):
        return _tell_flapping(tx, check, alerting, now_us=now_us)
    loud = incident.until_us is None and not quiet
    new = (who for who in there if who.address not in told.addresses)
    along = failing_along(tx, check.id, new, alerting.dependants, now_us) if loud else ()
    if kind is Kind.OPENED:
        news[kind] = tuple(who for who in there if not who.after)
    elif kind is Kind.REMINDER and told.opened_us is not None:
        number = reminders_passed(told.opened_us, now_us, alerting.rule)
        incidents.set_reminders(tx, incident_id, number)
        if said.acknowledged is None:
            news[kind] = there
    elif kind is not None:
        news[kind] = there
    if loud:
        first = news.get(Kind.OPENED, ())
        already = frozenset(who.address for who in first)
        waiting = tuple(who for who in there if who.address not in already)
        opening = any(follows(who, check.id, along) for who in first)
        on_it = said.acknowledged is not None
        news |= joining(
            check.id,
            incident.confirmed_us,
            told,
            waiting,
            now_us=now_us,
            acknowledged=on_it,
            opening=opening,
            along=along,
        )
    words: list[_Word] = []
    if loud:
        for was, whom in milder(tx, incident).items():
            people = tuple(who for who in there if who.address in whom)
            words += [_Word(kind=Kind.WORSE, people=people, was=was)] if people else []
    for what, people in news.items():
        if what is Kind.ONGOING:
            words += [_Word(kind=what, people=some, hit=hit) for hit, some in by_journeys(people, check.id, along)]
        elif people or what not in _FIRST:
            words.append(_Word(kind=what, people=people, number=number * (what is kind)))
    queued = False
    for word in words:
        messages = incident_news(tx, word, incident, told, check, alerting, said, along=along, now_us=now_us)
        queued = bool(outbox.add(tx, messages, now_us=now_us)) or queued
    return queued


def _tell_flapping(tx: Transaction, check: Check, alerting: Alerting, *, now_us: int) -> bool:
    return tell_flapping(
        tx,
        check,
        alerting.rule,
        alerting.there(now_us),
        now_us=now_us,
        dependants=alerting.dependants,
        titles=alerting.titles,
    )


def follow_up(database: Database, checks: Sequence[Check], alerting: Alerting, *, now_us: int) -> bool:
    """Look at all that is open by the wall clock, however rarely its check runs; whether anything was queued.

    After a run that ended well, what the next one says of it is waited for: that is no moment to alarm or to remind
    anybody. Where no next one comes, it is not forgotten.
    """
    by_id = {check.id: check for check in checks}
    with database.read() as tx:
        open_now = [one for one in incidents.read(tx, only_open=True) if one.check_id in by_id]
        ours = incidents.open_of(tx, MONITOR)
        flapping = [name for name in incidents.flapping(tx) if name in by_id]
    queued = False
    for first in range(0, len(open_now), _TOGETHER):
        with database.begin() as tx:
            some = open_now[first : first + _TOGETHER]
            about = acknowledging.about_each(tx, some)
            for incident in some:
                check, said = by_id[incident.check_id], about[incident.id]
                queued = _follow_up(tx, incident, check, alerting, said, now_us=now_us) or queued
    if flapping:
        with database.begin() as tx:
            for name in flapping:
                if not silenced(tx, by_id[name], now_us, alerting.dependants):
                    queued = _tell_flapping(tx, by_id[name], alerting, now_us=now_us) or queued
    if ours is not None:
        with database.begin() as tx:
            queued = remind_of_ourselves(tx, ours, alerting, now_us=now_us) or queued
    return queued


def _follow_up(
    tx: Transaction, incident: Incident, check: Check, alerting: Alerting, said: About, *, now_us: int
) -> bool:
    try:
        kind = incidents.load(tx, check.id).kind
        due = kind == "ongoing" or (kind == "recovering" and not silence.is_heard_of(tx, check, now_us))
        return due and tell(tx, incident.id, check, alerting, now_us=now_us, said=said)
    except ValidationError:
        # A newer version may have left what this one cannot read; the others are followed up all the same.
        log.exception("an incident could not be followed up", extra={"incident": incident.id})
        return False


def remind_of_ourselves(tx: Transaction, incident: Incident, alerting: Alerting, *, now_us: int) -> bool:
    """Queue the reminder of the monitor's own open incident that is due now; whether that was anything."""
    told = outbox.told(tx, incident.id)
    if next_kind(incident, told, now_us=now_us, muted=False, rule=alerting.rule) is not Kind.REMINDER:
        return False
    assert told.opened_us is not None
    number = reminders_passed(told.opened_us, now_us, alerting.rule)
    incidents.set_reminders(tx, incident.id, number)
    if acknowledging.about(tx, incident).acknowledged is not None:
        return False
    titles = own_titles(incidents.load_own(tx), alerting)
    messages = own_messages(Kind.REMINDER, incident, told, titles, alerting.there(now_us), number=number)
    return bool(outbox.add(tx, messages, now_us=now_us))


def own_titles(own: OwnTrouble, alerting: Alerting) -> tuple[Title, ...]:
    """Of what the monitor cannot measure, each once."""
    names = dict.fromkeys(streak.check_id for streak in own.streaks)
    return tuple(alerting.titles[name] for name in names if name in alerting.titles)


def incident_news(
    tx: Transaction,
    word: _Word,
    incident: Incident,
    told: Told,
    check: Check,
    alerting: Alerting,
    said: About,
    *,
    along: Sequence[str],
    now_us: int,
) -> tuple[Outgoing, ...]:
    """The messages with one word about an incident, with all that is known about it now.

    What follows on it goes to whoever was told, also where nothing fails along with it any more.
    """
    if word.kind in FOLLOW_UPS:
        along = alerting.dependants.explained(check.id) if alerting.dependants is not None else ()
    unseen = silence.unseen(tx, incident, check, now_us)
    seen = _seen(tx, incident, check, alerting, now_us) if unseen is None else None
    confirmed = said.cause.cause if said.cause else None
    proposal = proposal_kept(incident, check, alerting.rule)
    return incident_messages(
        word.kind,
        incident,
        told,
        check,
        word.people,
        number=word.number,
        attached=_attached(tx, incident, alerting),
        cause=confirmed or proposal.cause,
        confirmed_by=said.cause.by if said.cause and confirmed else None,
        severity=severity_kept(incident, alerting.rule),
        acknowledged_by=said.acknowledged.by if said.acknowledged else None,
        # A forecast says what happens if it goes on: nothing is foretold of what is over, or not known to go on.
        effects=() if incident.until_us is not None or unseen else _effects(tx, incident, alerting, now_us),
        failing=seen.failing if seen else (),
        working=seen.working if seen else (),
        unseen=unseen,
        was=word.was,
        hit=tuple(alerting.titles[name] for name in word.hit if name in alerting.titles),
        along=along,
    )


def _seen(tx: Transaction, incident: Incident, check: Check, alerting: Alerting, now_us: int) -> Verdict | None:
    """Which locations see it; None where there is but one, or it is over."""
    locations = alerting.places.get(check.id, ())
    if len(locations) < 2 or incident.until_us is not None:
        return None
    votes = newest(tx, check.id, locations, until_us=now_us)
    as_of_us = max((one.slot_us for one in votes), default=now_us)
    return verdict(votes, quorum=alerting.rule.quorum, as_of_us=as_of_us, interval_us=check.interval)


def _effects(tx: Transaction, incident: Incident, alerting: Alerting, now_us: int) -> tuple[Effect, ...]:
    """From figures in memory: the mail waits for no assessment, and says nothing where there is no recent one."""
    try:
        known = [one for one in alerting.standings() if incident.check_id in one.scope]
        scope = {name for one in known for name in one.scope}
        failing = alerting.failing.among(tx, scope, alerting.places, now_us=now_us)
        return effects(known, incident.check_id, failing, now_us=now_us, stale_us=_STALE_US)
    except Exception:
        # An outage is told, whatever a contract holds that we did not foresee.
        log.exception("the effect on contracts could not be reckoned", extra={"incident": incident.id})
        return ()


def attached_to(tx: Transaction, incident: Incident, behind: Sequence[str]) -> tuple[Incident, ...]:
    """The incidents of the checks behind this one's that it explains: those at the same time."""
    if not behind:
        return ()
    found = incidents.read(tx, check_ids=behind, start_us=incident.since_us, end_us=incident.until_us)
    return tuple(sorted(found, key=lambda one: (one.since_us, one.id)))


def _attached(tx: Transaction, incident: Incident, alerting: Alerting) -> tuple[Title, ...]:
    """Titles of what fails along with it; also what failed but not yet often enough."""
    behind = alerting.dependants.get(incident.check_id, ()) if alerting.dependants is not None else ()
    failing = {one.check_id for one in attached_to(tx, incident, behind)}
    if behind and incident.until_us is None:
        failing |= incidents.failing(tx, behind)
    return tuple(alerting.titles[name] for name in behind if name in failing and name in alerting.titles)


def tell_steady(
    database: Database, checks: Sequence[Check], alerting: Alerting, *, now_us: int
) -> tuple[tuple[str, ...], bool]:
    """Which of these checks flap, after ending the state of all that do so no more; and whether mail was queued.

    What is followed no longer is left alone: see `monitor.abandoning`.
    """
    followed = {check.id: check for check in checks if not check.shadow}
    rule = alerting.rule
    with database.read() as tx:
        flapping = {name: state for name, state in incidents.flapping(tx).items() if name in followed}
        over = [name for name, state in flapping.items() if is_over(tx, followed[name], state, rule, now_us=now_us)]
    still = tuple(name for name, state in flapping.items() if state.holds(now_us, rule))
    queued = False
    if over:
        with database.begin() as tx:
            for name in over:
                queued = end_flapping(tx, followed[name], rule, now_us=now_us) or queued
    return still, queued
