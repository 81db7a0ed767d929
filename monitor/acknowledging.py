"""What people say about an incident: that they are on it, notes, and what caused it. Each is an entry in the ledger.

None of it changes a contractual figure. Who acknowledged an incident silences its reminders, nothing else: its end is
told all the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from monitor.attribution import Cause
from monitor.incidents import Incident
from monitor.store import incidents, ledger
from monitor.store.database import Transaction
from sla.ledger import Entry, Sealed

ACKNOWLEDGED, NOTE, CAUSE = KINDS = ("acknowledged", "incident-note", "incident-cause")
_LONGEST_NAME, _LONGEST_NOTE = 100, 2000


class NotSaidError(Exception):
    """It was not recorded; the message says why."""


class AlreadyError(NotSaidError):
    """Somebody acknowledged the incident before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One thing somebody said, and when."""

    by: str
    text: str
    at_us: int
    cause: Cause | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What people said about an incident.

    Attributes:
        acknowledged: who was first to say that they are on it; None: nobody.
        cause: the last confirmed one; None: there is only the proposal.
        notes: oldest first.
    """

    acknowledged: Said | None = None
    cause: Said | None = None
    notes: tuple[Said, ...] = ()


def about(tx: Transaction, incident: Incident) -> About:
    """What was said about an incident so far."""
    return about_each(tx, (incident,))[incident.id]


def about_each(tx: Transaction, incidents: Iterable[Incident]) -> dict[str, About]:
    """What was said about each of these incidents so far, by id; however many they are, the ledger is read once."""
    found = {one.id: About() for one in incidents}
    for sealed in ledger.naming(tx, "incident", found.keys(), kinds=KINDS):
        name, said = str(sealed.entry.data["incident"]), _said(sealed)
        before = found[name]
        match sealed.entry.kind:
            case "acknowledged":
                found[name] = replace(before, acknowledged=before.acknowledged or said)
            case "incident-cause":
                found[name] = replace(before, cause=said)
            case _:
                found[name] = replace(before, notes=(*before.notes, said))
    return found


def acknowledge(tx: Transaction, incident_id: str, *, by: str, note: str = "", now_us: int) -> Said:
    """Somebody is on it.

    Raises:
        AlreadyError: somebody said so before; the message tells who.
        NotSaidError: there is no such incident, or nobody gave a name.
    """
    incident = _incident(tx, incident_id)
    before = about(tx, incident).acknowledged
    if before is not None:
        raise AlreadyError(f"{before.by} acknowledged it already")
    return _append(tx, ACKNOWLEDGED, incident, by=by, text=note or "-", now_us=now_us)


def note(tx: Transaction, incident_id: str, *, by: str, text: str, now_us: int) -> Said:
    """A remark, kept for ever.

    Raises:
        NotSaidError: there is no such incident, or name or remark are empty.
    """
    return _append(tx, NOTE, _incident(tx, incident_id), by=by, text=text, now_us=now_us)


def attribute(tx: Transaction, incident_id: str, cause: Cause, *, by: str, reason: str, now_us: int) -> Said:
    """A person confirms or corrects the proposed cause; the last word counts.

    Raises:
        NotSaidError: there is no such incident, or name or reason are empty.
    """
    return _append(tx, CAUSE, _incident(tx, incident_id), by=by, text=reason, now_us=now_us, cause=cause)


def _incident(tx: Transaction, incident_id: str) -> Incident:
    found = incidents.get(tx, incident_id)
    if found is None:
        raise NotSaidError(f'there is no incident "{incident_id}"')
    return found


def _append(
    tx: Transaction, kind: str, incident: Incident, *, by: str, text: str, now_us: int, cause: Cause | None = None
) -> Said:
    by, text = _plain(by, _LONGEST_NAME, "who"), _plain(text, _LONGEST_NOTE, "the text")
    data = {"incident": incident.id} | ({"cause": cause.value} if cause else {})
    entry = Entry(kind=kind, recorded_us=now_us, by=by, reason=text, scope=(incident.check_id,), data=data)
    return _said(ledger.append(tx, entry))


def _plain(text: str, longest: int, called: str) -> str:
    """Text on one line, as it may stand in a table, a mail and a log."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if not line:
        raise NotSaidError(f"{called} is missing")
    if len(line) > longest:
        raise NotSaidError(f"{called} is longer than {longest} characters")
    return line


def _said(sealed: Sealed) -> Said:
    entry = sealed.entry
    cause = entry.data.get("cause")
    return Said(
        by=entry.by,
        text="" if entry.reason == "-" else entry.reason,
        at_us=entry.recorded_us,
        cause=Cause(cause) if cause in set(Cause) else None,
    )
