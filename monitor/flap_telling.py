"""What is told of a check that breaks and recovers again and again, decided and queued in the transaction that asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from monitor import acknowledging
from monitor import flapping as flaps
from monitor.alerts import flapping_messages, flapping_thread, joining
from monitor.attached import Dependants
from monitor.audience import failing_along
from monitor.flapping import CALM, Flapping
from monitor.incidents import Event, Failed, IncidentRule, Resolved
from monitor.news import JOINING, FlappingNews, Kind
from monitor.recipients import Addressee, by_journeys
from monitor.silence import is_heard_of
from monitor.store import incidents, outbox
from monitor.store.database import Transaction
from probes.checks import Check, Title


def note_flapping(tx: Transaction, check: Check, happened: Sequence[Event], rule: IncidentRule, *, now_us: int) -> None:
    """Remember openings and ends, after they were recorded.

    What flapped, and had been the same for long before this happened, flapped no more: it is told to be over.
    """
    if all(isinstance(event, Failed) for event in happened):
        return
    before = state = incidents.load_flapping(tx, check.id)
    for event in happened:
        if isinstance(event, Failed):
            continue
        if state.since_us is not None and not state.holds(flaps.instant_of(event), rule):
            until_us = event.until_us if isinstance(event, Resolved) else state.changed_us
            _tell_end(tx, check, state, rule, until_us=until_us, now_us=now_us)
        state = flaps.advance(state, event, rule)
    if state != before:
        incidents.save_flapping(tx, check.id, state)


def flaps_now(tx: Transaction, check_id: str, rule: IncidentRule, now_us: int) -> bool:
    """Whether a check flaps now, so that its outages are not told one by one."""
    return incidents.load_flapping(tx, check_id).holds(now_us, rule)


def tell_flapping(
    tx: Transaction,
    check: Check,
    rule: IncidentRule,
    there: Sequence[Addressee],
    *,
    now_us: int,
    dependants: Dependants | None = None,
    titles: Mapping[str, Title] | None = None,
) -> bool:
    """Queue that a check flaps to whoever should hear of it now and was not told yet; whether that was anybody.

    As with an outage: at first to those on duty whom outages reach at once; to others when their duty begins, or when
    nobody has said for their `after` to be on any of the outages that made it flap.

    Args:
        there: who is on duty.
        dependants: whoever follows what fails along with it is told too; None: nobody does.
        titles: of those, by id.
    """
    state = incidents.load_flapping(tx, check.id)
    if not state.holds(now_us, rule) or state.since_us is None:
        return False
    told = outbox.told(tx, flapping_thread(check.id, state.since_us))
    behind = failing_along(
        tx, check.id, (who for who in there if who.address not in told.addresses), dependants, now_us
    )
    news: dict[Kind, tuple[Addressee, ...]] = {}
    if told.opened_us is None:
        news[Kind.FLAPPING] = tuple(who for who in there if not who.after)
    already = frozenset(who.address for who in news.get(Kind.FLAPPING, ()))
    waiting = tuple(who for who in there if who.address not in already)
    news |= joining(
        check.id,
        state.since_us if told.opened_us is None else told.opened_us,
        told,
        waiting,
        now_us=now_us,
        acknowledged=_somebody_is_on_it(tx, check.id, state, rule),
        along=behind,
    )
    queued = False
    for kind, people in news.items():
        about = replace(_news(check, state, rule), told_us=told.opened_us if kind in JOINING else None)
        parts = by_journeys(people, check.id, behind) if kind is Kind.ONGOING else (((), people),)
        for theirs, some in parts:
            hit = tuple(title for name in theirs if (title := (titles or {}).get(name)) is not None)
            messages = flapping_messages(kind, replace(about, hit=hit), told, some, along=behind)
            queued = bool(outbox.add(tx, messages, now_us=now_us)) or queued
    return queued


def _somebody_is_on_it(tx: Transaction, check_id: str, state: Flapping, rule: IncidentRule) -> bool:
    assert state.since_us is not None
    recent = incidents.read(tx, check_id=check_id, start_us=state.since_us - rule.flapping_within)
    return any(acknowledging.about(tx, one).acknowledged is not None for one in recent)


def is_over(tx: Transaction, check: Check, state: Flapping, rule: IncidentRule, *, now_us: int) -> bool:
    """Whether a check that flapped does so no more, and it is known what came of it.

    While nobody measures it, or at a first good run after an outage, that is not known yet.
    """
    if state.since_us is None or state.holds(now_us, rule) or not is_heard_of(tx, check, now_us):
        return False
    return incidents.load(tx, check.id).kind != "recovering"


def end_flapping(tx: Transaction, check: Check, rule: IncidentRule, *, now_us: int) -> bool:
    """End the state of a check that flaps no more; whether mail was queued."""
    state = incidents.load_flapping(tx, check.id)
    if not is_over(tx, check, state, rule, now_us=now_us):
        return False
    incidents.save_flapping(tx, check.id, CALM)
    return _tell_end(tx, check, state, rule, until_us=state.changed_us, now_us=now_us)


def _tell_end(
    tx: Transaction, check: Check, state: Flapping, rule: IncidentRule, *, until_us: int, now_us: int
) -> bool:
    """Queue to all who were told that a check flaps that this is over: it works, or it is down and stays so.

    That outage is told by itself as any other, maybe later and maybe to others: it is no end of what they were told.
    """
    assert state.since_us is not None
    outage = incidents.open_of(tx, check.id)
    news = replace(_news(check, state, rule, until_us=until_us), down_since_us=outage.since_us if outage else None)
    told = outbox.told(tx, flapping_thread(check.id, state.since_us))
    return bool(outbox.add(tx, flapping_messages(Kind.STEADY, news, told, ()), now_us=now_us))


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
