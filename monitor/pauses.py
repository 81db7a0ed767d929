"""Pauses: a person says that checks rest until then, and why. Kept as events; the running service looks at them.

A check that rests is not measured: its slots are told as missed, so that coverage falls and reports show it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from monitor.store import events
from monitor.store.database import Transaction
from monitor.store.events import Event

#: A pause may last so long; who needs more says so again.
MOST_US = 31 * 24 * 3_600_000_000
_KINDS = ("pause", "resume")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """One check, or with None all of them, resting in [since_us, until_us)."""

    check_id: str | None
    since_us: int
    until_us: int
    by: str
    why: str


def pause(tx: Transaction, checks: Iterable[str | None], *, until_us: int, by: str, why: str, now_us: int) -> None:
    """Checks rest from now on; None stands for all. An earlier pause of the same gives way to this one.

    Raises:
        ValueError: where nobody, no reason, or no end within 31 days from now is given.
    """
    if not by.strip() or not why.strip():
        raise ValueError("a pause names who wants it, and why")
    if not now_us < until_us <= now_us + MOST_US:
        raise ValueError("a pause ends after now, and within 31 days; it can be given again")
    for check_id in checks:
        data: dict[str, str | int | bool | None] = {"by": by, "why": why, "until_us": until_us}
        events.add(tx, Event(at_us=now_us, kind="pause", check_id=check_id, data=data))


def resume(tx: Transaction, checks: Iterable[str], *, by: str, why: str, now_us: int) -> tuple[Pause, ...]:
    """Ends pauses that are in force, and says which they were. No checks: all pauses end, that of everything too.

    Raises:
        ValueError: where nobody or no reason is given.
    """
    if not by.strip() or not why.strip():
        raise ValueError("whoever ends a pause says who they are, and why")
    chosen = set(checks)
    ended = tuple(one for one in in_force(tx, now_us) if not chosen or one.check_id in chosen)
    for one in ended:
        events.add(tx, Event(at_us=now_us, kind="resume", check_id=one.check_id, data={"by": by, "why": why}))
    return ended


def in_force(tx: Transaction, now_us: int) -> tuple[Pause, ...]:
    """The pauses of this moment: of everything first, then by check."""
    known: dict[str | None, Pause] = {}
    for event in events.read(tx, now_us - MOST_US, now_us + 1, kinds=_KINDS):
        known.pop(event.check_id, None)
        if event.kind == "pause":
            known[event.check_id] = Pause(
                check_id=event.check_id,
                since_us=event.at_us,
                until_us=int(event.data["until_us"] or 0),
                by=str(event.data["by"]),
                why=str(event.data["why"]),
            )
    valid = (one for one in known.values() if one.until_us > now_us)
    return tuple(sorted(valid, key=lambda one: (one.check_id is not None, one.check_id or "")))
