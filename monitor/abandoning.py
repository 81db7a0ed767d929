"""What is followed no longer: checks that were taken out of the configuration or put in shadow, and slowness.

Nothing would ever see it end. It is closed, and whoever waits for its end is told that nobody knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from monitor.alerts import flapping_thread, following_messages
from monitor.flapping import CALM
from monitor.incidents import DRILL, HEALTHY, MONITOR, Incident, IncidentRule, Resolved
from monitor.news import DegradedNews, FlappingNews, IncidentNews, Kind
from monitor.slow_telling import slowness_thread
from monitor.slowness import SWIFT
from monitor.store import events, incidents, outbox
from monitor.store.database import Transaction
from monitor.store.events import Event
from probes.checks import Check


def abandon(tx: Transaction, checks: Sequence[Check], rule: IncidentRule, *, now_us: int) -> tuple[Incident, ...]:
    """Close what is open and followed no longer, with a last message to those who were told of it.

    The monitor's own incident is none of a check, and a drill ends its own: they are left alone.

    Args:
        checks: all that are configured; those in shadow are followed no more than those that are gone.
        rule: that is configured; it may ask no longer whether checks are slow.

    Returns:
        The incidents that were closed.
    """
    followed = {check.id for check in checks if not check.shadow} | {MONITOR, DRILL}
    shadows = {check.id for check in checks if check.shadow}
    closed = tuple(one for one in incidents.read(tx, only_open=True) if one.check_id not in followed)
    for incident in closed:
        ended = Resolved(
            incident_id=incident.id,
            since_us=incident.since_us,
            until_us=max(now_us, incident.last_bad_us),
            last_bad_us=incident.last_bad_us,
        )
        incidents.record(tx, incident.check_id, ended)
        incidents.save(tx, incident.check_id, HEALTHY)
        data: dict[str, str | int | bool | None] = {"incident": incident.id}
        events.add(tx, Event(at_us=now_us, kind="incident-abandoned", check_id=incident.check_id, data=data))
        _tell(tx, incident.id, f"incident.{incident.id}", shadow=incident.check_id in shadows, now_us=now_us)
    for check_id, flapping in incidents.flapping(tx).items():
        if check_id not in followed:
            incidents.save_flapping(tx, check_id, CALM)
            thread = flapping_thread(check_id, flapping.since_us or 0)
            _tell(tx, thread, thread, shadow=check_id in shadows, now_us=now_us)
    for check_id, slowness in incidents.slow(tx).items():
        gone = check_id not in followed
        if gone or not rule.degraded_after:
            incidents.save_slowness(tx, check_id, SWIFT)
            thread = slowness_thread(check_id, slowness.since_us or 0)
            _tell(tx, thread, thread, shadow=check_id in shadows, unwatched=not gone, now_us=now_us)
    return closed


def _tell(tx: Transaction, about: str, thread: str, *, shadow: bool, unwatched: bool = False, now_us: int) -> None:
    """Queue the last message of a thread to those who were told; its title is that of what they were told."""
    told = outbox.told(tx, about)
    last = outbox.last_said(tx, about)
    if told.opened_us is None or told.recovered or last is None:
        return
    news = last[1]
    if isinstance(news, IncidentNews):
        news = replace(news, until_us=now_us, shadow=shadow, number=0, effects=(), unseen=None)
    elif isinstance(news, FlappingNews):
        news = replace(news, until_us=now_us, shadow=shadow)
    elif isinstance(news, DegradedNews):
        news = replace(news, until_us=now_us, shadow=shadow, unwatched=unwatched)
    else:
        return
    outbox.add(tx, following_messages(thread, Kind.UNMEASURED, news, told, about=about), now_us=now_us)
