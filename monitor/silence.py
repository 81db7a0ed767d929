"""Whether anybody looks at a check now, and what an open incident may say of itself where nobody does."""

from __future__ import annotations

from monitor import pauses
from monitor.incidents import Incident, Recovering
from monitor.news import Paused, Unseen
from monitor.store import incidents, samples
from monitor.store.database import Transaction
from probes.checks import Check


def speaks_for_us(check: Check) -> int:
    """How long a run of a check says how things are: two of its intervals and the length of one run. Microseconds."""
    return 2 * check.interval + check.deadline


def is_heard_of(tx: Transaction, check: Check, now_us: int) -> bool:
    """Whether some location has measured a check so lately that it says how things are now.

    A run that could not be measured says nothing; nor does a sample of a clock that was ahead.
    """
    heard = samples.words(tx, check.id, now_us - speaks_for_us(check))
    return any(slot_us <= now_us for slot_us, _ in heard)


def unseen(tx: Transaction, incident: Incident, check: Check, now_us: int) -> Unseen | None:
    """Since when an open incident was not seen, and who paused its check; None where it is seen, or is over."""
    if incident.until_us is not None or incident.last_bad_us >= now_us - speaks_for_us(check):
        return None
    if is_heard_of(tx, check, now_us):  # by one location, which decides nothing alone
        return None
    state = incidents.load(tx, check.id)
    return Unseen(
        last_bad_us=incident.last_bad_us,
        good_us=state.last_us if isinstance(state, Recovering) else None,
        paused=_paused(tx, check.id, now_us),
    )


def _paused(tx: Transaction, check_id: str, now_us: int) -> Paused | None:
    """The pause that keeps a check from being measured longest."""
    resting = [one for one in pauses.in_force(tx, now_us) if one.check_id in (None, check_id)]
    if not resting:
        return None
    rest = max(resting, key=lambda one: one.until_us)
    return Paused(since_us=rest.since_us, until_us=rest.until_us, by=rest.by, why=rest.why)
