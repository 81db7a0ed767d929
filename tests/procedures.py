"""Builders for tests of procedures: a ledger of findings and what follows them. Civil time is that of Brussels."""

from __future__ import annotations

from datetime import date

from sla.deadlines import Calendar, Procedure, deadlines
from sla.ledger import Entry, seal
from tests.agreements import BRUSSELS, at

CALENDAR = Calendar(timezone=BRUSSELS, holidays=frozenset({date(2026, 11, 11), date(2026, 12, 25), date(2026, 12, 28)}))


def drafted(day: str = "2026-12-01", *, supersedes: int | None = None, **data: str) -> Entry:
    return _entry("findings-drafted", day, supersedes=supersedes, recorded=day, period="2026-11", **data)


def sent(day: str, *, findings: int = 1, supersedes: int | None = None, recorded: str | None = None) -> Entry:
    return _entry("findings-sent", day, supersedes=supersedes, recorded=recorded or day, findings=str(findings))


def defence(day: str, *, position: str = "contested", findings: int = 2, time: str = "12:00") -> Entry:
    return _entry("defence", f"{day} {time}", recorded=day, findings=str(findings), position=position)


def decided(day: str, *, findings: int = 2, on: str = "findings") -> Entry:
    return _entry("decision", None, recorded=day, outcome="vermaning", **{on: str(findings)})


def _entry(kind: str, start: str | None, *, recorded: str, supersedes: int | None = None, **data: str) -> Entry:
    return Entry(
        kind=kind,
        recorded_us=at(f"{recorded} 12:00"),
        by="J. Peeters",
        reason="proef",
        from_us=None if start is None else at(start if " " in start else f"{start} 00:00"),
        data=data,
        supersedes=supersedes,
    )


def procedures(*entries: Entry, today: str) -> tuple[Procedure, ...]:
    return deadlines(seal(entries), at(f"{today} 12:30"), CALENDAR)


def procedure(*entries: Entry, today: str) -> Procedure:
    (found,) = procedures(*entries, today=today)
    return found
