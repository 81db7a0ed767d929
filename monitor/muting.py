"""Why nobody is told of a failure now: announced maintenance, a failure that explains it, or a word still awaited.

Muting ends by what was seen, never by what was not: a cause explains only while it is measured, and what it explained,
or what maintenance muted, is told once it was seen failing after that. Nothing waits for ever.
"""

from __future__ import annotations

from collections.abc import Iterator

from monitor.attached import Dependants
from monitor.incidents import DRILL, Healthy, Incident, Recovering, Suspect, last_failed_us
from monitor.silence import speaks_for_us
from monitor.store import incidents, ledger, samples
from monitor.store.database import Transaction
from probes.checks import Check
from probes.sample import Outcome

#: No longer than this does the news of a failure wait for a slow cause to be measured.
MOST_US = 5 * 60_000_000


def muted(tx: Transaction, check: Check, now_us: int, dependants: Dependants | None = None) -> bool:
    """Whether nobody is told now of what they have not been told of yet.

    Args:
        dependants: of the configuration in force; None: the check is explained by what it names itself, as if that were
            measured as often.
    """
    if silenced(tx, check, now_us, dependants):
        return True
    incident = incidents.open_of(tx, check.id)
    return incident is not None and _awaited(tx, incident, check, now_us, dependants)


def silenced(tx: Transaction, check: Check, now_us: int, dependants: Dependants | None = None) -> bool:
    """Whether maintenance or what explains it mutes all there is to tell of a check, but its end."""
    return in_maintenance(tx, check.id, now_us) or _explained(tx, check, now_us, dependants)


def in_maintenance(tx: Transaction, check_id: str, now_us: int) -> bool:
    """Whether announced maintenance concerns a check now. It mutes mails; it never stops measuring.

    It is the portal that is maintained; the drill asks a server of our own.
    """
    return check_id != DRILL and any(
        not sealed.entry.scope or check_id in sealed.entry.scope
        for sealed in ledger.in_force(tx, "maintenance", now_us)
    )


def _explained(tx: Transaction, check: Check, now_us: int, dependants: Dependants | None) -> bool:
    """Whether something this check depends on, straight or through others, was failing when this was seen last.

    Then that is the news, and this only follows from it.
    """
    causes = _causes(check, dependants)
    if not causes:
        return False
    state = incidents.load(tx, check.id)
    failed_us = last_failed_us(state)
    if isinstance(state, Healthy) or failed_us is None:
        return any(_was_failing(tx, cause, now_us, now_us) for cause in causes)
    return any(_was_failing(tx, cause, state.since_us, failed_us) for cause in causes)


def _was_failing(tx: Transaction, cause: Check, since_us: int, at_us: int) -> bool:
    """Whether a cause was failing at an instant, for something that has failed since another.

    What was not heard of for two intervals may be over: nobody looked. A failure that is no incident yet explains what
    began with it: one that comes again and again without ever becoming an incident would hide what nobody is told of.
    """
    state = incidents.load(tx, cause.id)
    heard_us = last_failed_us(state)
    if isinstance(state, Recovering):
        heard_us = max(state.last_bad_us, state.last_us)
    if isinstance(state, Suspect) and state.since_us > since_us + speaks_for_us(cause):
        return False
    return heard_us is not None and heard_us >= at_us - speaks_for_us(cause)


def _awaited(tx: Transaction, incident: Incident, check: Check, now_us: int, dependants: Dependants | None) -> bool:
    """Whether an incident that nobody was told of waits for a word that will come soon.

    That of a cause that was not measured since the failure; or its own, after whatever muted it was over. Each is
    waited for until it is overdue, the first for `MOST_US` at most.
    """
    ends_us = list(_maintenance_ends(tx, incident, now_us))
    for cause in _causes(check, dependants):
        speaks_us = speaks_for_us(cause)
        heard = samples.words(tx, cause.id, incident.since_us - speaks_us)
        if not heard:
            continue  # nobody measures it
        due_us = incident.since_us + min(cause.interval + cause.deadline, MOST_US)
        if heard[-1][0] < incident.since_us and now_us < due_us:
            return True
        began = [
            slot_us for slot_us, said in heard if said is Outcome.DOWN and slot_us <= incident.since_us + speaks_us
        ]
        if began:
            ends_us += [slot_us for slot_us, said in heard if said is not Outcome.DOWN and slot_us > began[-1]][:1]
        ended = incidents.read(tx, check_id=cause.id, start_us=incident.since_us)
        ends_us += [one.until_us for one in ended if one.until_us is not None]
    ended_us = max(ends_us, default=incident.since_us)
    return incident.last_bad_us < ended_us and now_us < ended_us + check.interval + check.deadline


def _maintenance_ends(tx: Transaction, incident: Incident, now_us: int) -> Iterator[int]:
    for sealed, until_us in ledger.ended(tx, "maintenance", incident.since_us, now_us):
        if not sealed.entry.scope or incident.check_id in sealed.entry.scope:
            yield until_us


def _causes(check: Check, dependants: Dependants | None) -> tuple[Check, ...]:
    """What may explain a check. What is in shadow alarms nobody, and so explains nothing either."""
    causes = dependants.causes(check.id) if dependants is not None else ()
    if not causes and dependants is None:
        causes = tuple(check.model_copy(update={"id": name}) for name in check.depends_on)
    return tuple(cause for cause in causes if not cause.shadow)
