"""What is told of a check that stays slow, decided and queued in the transaction of its sample."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from monitor import slowness
from monitor.alerts import first_messages, following_messages, step_title
from monitor.incidents import IncidentRule
from monitor.news import DegradedNews, Kind
from monitor.recipients import Addressee
from monitor.slowness import Slowness
from monitor.store import incidents, outbox
from monitor.store.database import Transaction
from probes.checks import Check
from probes.sample import Failure, Outcome, Sample


def note_slowness(
    tx: Transaction,
    before: Slowness,
    check: Check,
    sample: Sample,
    rule: IncidentRule,
    recipients: Sequence[Addressee],
    *,
    incident: bool,
    muted: Callable[[], bool],
    now_us: int,
) -> None:
    """What this sample makes of the check's slowness, and the mail that follows from it.

    Args:
        incident: whether an incident of the check is open now.
        muted: asked only where there is something to tell. What outlasts it is told when it is over.
    """
    state, over = slowness.advance(before, sample, rule, interval_us=check.interval, incident=incident)
    if over is not None and over.told:
        news = _news(check, over.since_us, over.failure, rule, until_us=over.until_us)
        told = outbox.told(tx, slowness_thread(check.id, over.since_us))
        outbox.add(
            tx, following_messages(slowness_thread(check.id, over.since_us), Kind.FAST, news, told), now_us=now_us
        )
    slow = state.since_us is not None and not state.told and sample.outcome is Outcome.DEGRADED and not incident
    if slow and not muted():
        assert state.since_us is not None
        assert state.failure is not None
        news = _news(check, state.since_us, state.failure, rule)
        # Whom an outage reaches only where nobody is on it, slowness does not reach at all.
        readers = [one for one in recipients if one.wants("incidents", check.id) and not one.after]
        outbox.add(
            tx, first_messages(slowness_thread(check.id, state.since_us), Kind.DEGRADED, news, readers), now_us=now_us
        )
        state = replace(state, told=True)
    if state != before:
        incidents.save_slowness(tx, check.id, state)


def slowness_thread(check_id: str, since_us: int) -> str:
    """What the messages about one stretch of slowness share; in `Outgoing.incident_id` too."""
    return f"degraded.{check_id}.{since_us // 1_000_000}"


def _news(
    check: Check, since_us: int, failure: Failure, rule: IncidentRule, *, until_us: int | None = None
) -> DegradedNews:
    return DegradedNews(
        check_id=check.id,
        title=check.title,
        step=step_title(check, failure.step),
        since_us=since_us,
        failure=failure,
        slow=rule.degraded_after,
        among=slowness.among(rule),
        until_us=until_us,
    )
