"""Incidents, for ever; and the state that decides about the next one, so that a restart forgets nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, assert_never

from pydantic import TypeAdapter
from sqlalchemy import Row, bindparam, insert, or_, select, update

from monitor.attribution import Cause
from monitor.flapping import CALM, FLAPPING, Flapping
from monitor.incidents import HEALTHY, MONITOR, OWN, STATE, Event, Failed, Incident, Opened, OwnTrouble, Resolved, State
from monitor.severity import Severity
from monitor.slowness import SLOWNESS, SWIFT, Slowness
from monitor.store.database import Transaction
from monitor.store.rows import text_of, value_of, value_text
from monitor.store.tables import incident, incident_state
from probes.sample import Failure

_FAILURE = TypeAdapter(Failure)

# Built once, for it runs twice with every sample.
_STATE_OF = select(incident_state.c.state).where(incident_state.c.check_id == bindparam("name"))
_STATES_OF = select(incident_state.c.check_id, incident_state.c.state).where(
    or_(incident_state.c.check_id == bindparam("name"), incident_state.c.check_id == bindparam("slow"))
)
_STATES_OF_MANY = select(incident_state.c.check_id, incident_state.c.state).where(
    incident_state.c.check_id.in_(bindparam("names", expanding=True))
)
_OPEN_STATES = (
    select(incident_state.c.check_id, incident_state.c.state)
    .join(incident, incident.c.check_id == incident_state.c.check_id)
    .where(incident.c.until_us.is_(None))
)


def load(tx: Transaction, check_id: str) -> State:
    """The state of a check; healthy where it was never measured."""
    text = _text(tx, check_id)
    return STATE.validate_json(text) if text else HEALTHY


def failing(tx: Transaction, check_ids: Sequence[str]) -> frozenset[str]:
    """Which of these checks are not healthy: also what failed but not yet often enough, or was seen good too rarely."""
    rows = tx.execute(_STATES_OF_MANY, {"names": tuple(check_ids)})
    return frozenset(row.check_id for row in rows if STATE.validate_json(row.state) != HEALTHY)


def unwell(tx: Transaction, check_ids: Sequence[str]) -> frozenset[str]:
    """Which of these checks are not healthy, or not as swift as ever."""
    kept = {name: name for name in check_ids} | {_slowness_of(name): name for name in check_ids}
    rows = tx.execute(_STATES_OF_MANY, {"names": tuple(kept)})
    return frozenset(
        kept[row.check_id]
        for row in rows
        if (
            STATE.validate_json(row.state) != HEALTHY
            if row.check_id == kept[row.check_id]
            else SLOWNESS.validate_json(row.state) != SWIFT
        )
    )


def save(tx: Transaction, check_id: str, state: State) -> None:
    _put(tx, check_id, text_of(STATE.dump_python(state, mode="json")))


def load_own(tx: Transaction) -> OwnTrouble:
    """What the monitor knows about its own measuring."""
    text = _text(tx, MONITOR)
    return OWN.validate_json(text) if text else OwnTrouble()


def save_own(tx: Transaction, own: OwnTrouble) -> None:
    _put(tx, MONITOR, text_of(OWN.dump_python(own, mode="json")))


def load_flapping(tx: Transaction, check_id: str) -> Flapping:
    """How often a check broke and recovered lately."""
    text = _text(tx, _flapping_of(check_id))
    return FLAPPING.validate_json(text) if text else CALM


def save_flapping(tx: Transaction, check_id: str, state: Flapping) -> None:
    _put(tx, _flapping_of(check_id), text_of(FLAPPING.dump_python(state, mode="json")))


def flapping(tx: Transaction) -> dict[str, Flapping]:
    """The checks that were flapping when they were last moved, with what is remembered of them."""
    known = {name: FLAPPING.validate_json(text) for name, text in _all_under(tx, _flapping_of(""))}
    return {name: state for name, state in known.items() if state.since_us is not None}


def load_with_slowness(tx: Transaction, check_id: str) -> tuple[State, Slowness]:
    """As `load`, with how slow the check is; together, for every sample asks for both."""
    rows = tx.execute(_STATES_OF, {"name": check_id, "slow": _slowness_of(check_id)})
    known = {row.check_id: row.state for row in rows}
    text, slow = known.get(check_id), known.get(_slowness_of(check_id))
    return (
        STATE.validate_json(text) if text else HEALTHY,
        SLOWNESS.validate_json(slow) if slow else SWIFT,
    )


def save_slowness(tx: Transaction, check_id: str, state: Slowness) -> None:
    _put(tx, _slowness_of(check_id), text_of(SLOWNESS.dump_python(state, mode="json")))


def slow(tx: Transaction) -> dict[str, Slowness]:
    """The checks of which it was told that they are slow, with what is remembered of them."""
    known = {name: SLOWNESS.validate_json(text) for name, text in _all_under(tx, _slowness_of(""))}
    return {name: state for name, state in known.items() if state.since_us is not None and state.told}


def load_threshold(tx: Transaction, about: str) -> int:
    """The threshold of a rolling budget that people know to be crossed; 0: none."""
    return int(_text(tx, _threshold_of(about)) or 0)


def save_threshold(tx: Transaction, about: str, percent: int) -> None:
    _put(tx, _threshold_of(about), str(percent))


def _all_under(tx: Transaction, prefix: str) -> tuple[tuple[str, str], ...]:
    """Check and state of all that is kept under a prefix."""
    rows = tx.execute(
        select(incident_state.c.check_id, incident_state.c.state).where(incident_state.c.check_id.startswith(prefix))
    )
    return tuple((row.check_id.removeprefix(prefix), row.state) for row in rows)


def _slowness_of(check_id: str) -> str:
    return f"slow:{check_id}"


def _threshold_of(about: str) -> str:
    return f"threshold:{about}"


def _flapping_of(check_id: str) -> str:
    return f"flapping:{check_id}"  # no id of a check holds a colon


def record(tx: Transaction, check_id: str, event: Event) -> None:
    """Write down what happened to an incident of a check.

    Raises:
        StoreRefused: at an opening, where the check already has an open one.
    """
    match event:
        case Opened():
            tx.execute(
                insert(incident),
                {
                    "id": event.incident_id,
                    "check_id": check_id,
                    "since_us": event.since_us,
                    "confirmed_us": event.confirmed_us,
                    "last_bad_us": event.confirmed_us,
                    "until_us": None,
                    "failure": value_text(_FAILURE, event.failure),
                    "reminders": 0,
                },
            )
        case Failed():
            _set(tx, event.incident_id, last_bad_us=event.last_bad_us)
        case Resolved():
            _set(tx, event.incident_id, until_us=event.until_us)
        case _:
            assert_never(event)


def set_reminders(tx: Transaction, incident_id: str, reminders: int) -> None:
    """Note how many reminder instants of an incident have been dealt with."""
    _set(tx, incident_id, reminders=reminders)


def judge(tx: Transaction, incident_id: str, severity: Severity, cause: Cause) -> None:
    """Keep how bad an incident is and what cause is proposed, as they are found at its opening."""
    _set(tx, incident_id, severity=severity.value, cause=cause.value)


def worsen(tx: Transaction, incident_id: str, severity: Severity, failure: Failure, *, since_us: int) -> None:
    """Keep that an incident is worse since a slot, and what failed in it."""
    worse = value_text(_FAILURE, failure)
    _set(tx, incident_id, severity=severity.value, worse_us=since_us, worse_failure=worse)


def get(tx: Transaction, incident_id: str) -> Incident | None:
    row = tx.execute(select(incident).where(incident.c.id == incident_id)).first()
    return _incident(row) if row else None


def open_of(tx: Transaction, check_id: str) -> Incident | None:
    """The open incident of a check; None where there is none."""
    row = tx.execute(select(incident).where(incident.c.check_id == check_id, incident.c.until_us.is_(None))).first()
    return _incident(row) if row else None


def open_states(tx: Transaction) -> dict[str, str]:
    """Of each check whose incident is open the state as it is stored, the monitor's own among them."""
    return {row.check_id: row.state for row in tx.execute(_OPEN_STATES)}


def read(
    tx: Transaction,
    *,
    check_id: str | None = None,
    check_ids: Sequence[str] | None = None,
    only_open: bool = False,
    start_us: int | None = None,
    end_us: int | None = None,
    limit: int | None = None,
) -> tuple[Incident, ...]:
    """Incidents, newest first.

    Args:
        check_id, check_ids: only those of this check, or of these, with one question for all of them; None: of any.
        start_us, end_us: only those that touch [start, end); an open one has no end.
    """
    query = select(incident).order_by(incident.c.since_us.desc(), incident.c.id)
    if check_id is not None:
        query = query.where(incident.c.check_id == check_id)
    if check_ids is not None:
        query = query.where(incident.c.check_id.in_(check_ids))
    if only_open:
        query = query.where(incident.c.until_us.is_(None))
    if start_us is not None:
        query = query.where(incident.c.until_us.is_(None) | (incident.c.until_us > start_us))
    if end_us is not None:
        query = query.where(incident.c.since_us < end_us)
    return tuple(_incident(row) for row in tx.execute(query.limit(limit)))


def _text(tx: Transaction, check_id: str) -> str | None:
    return tx.execute(_STATE_OF, {"name": check_id}).scalar()


def _put(tx: Transaction, check_id: str, state: str) -> None:
    changed = tx.execute(update(incident_state).where(incident_state.c.check_id == check_id).values(state=state))
    if changed.rowcount == 0:
        tx.execute(insert(incident_state), {"check_id": check_id, "state": state})


def _set(tx: Transaction, incident_id: str, **values: int | str | None) -> None:
    tx.execute(update(incident).where(incident.c.id == incident_id).values(**values))


def _incident(row: Row[Any]) -> Incident:
    return Incident(
        id=row.id,
        check_id=row.check_id,
        since_us=row.since_us,
        confirmed_us=row.confirmed_us,
        last_bad_us=row.last_bad_us,
        failure=value_of(_FAILURE, row.failure),
        until_us=row.until_us,
        reminders=row.reminders,
        severity=Severity(row.severity) if row.severity is not None else None,
        worse_us=row.worse_us,
        worse_failure=value_of(_FAILURE, row.worse_failure) if row.worse_failure is not None else None,
        cause=Cause(row.cause) if row.cause is not None else None,
    )
