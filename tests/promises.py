"""Builders for tests of promises: clauses about people, and the ledger entries they are judged by."""

from __future__ import annotations

from typing import Any

from sla.assessment import ClauseResult, Span
from sla.ledger import Entry
from sla.measurements import SampleIn, SpanIn
from tests.agreements import at, contract, judge, only, span

MONTH = span("2027-03-01 00:00", "2027-04-01 00:00")
NOTHING: list[SampleIn | SpanIn] = []


def restore(**more: Any) -> dict[str, Any]:
    return {"id": "I1", "kind": "restore-time", "scope": ["indienen"], "priority": "P1", "limit": "4h", **more}


def reaction(**more: Any) -> dict[str, Any]:
    return {**restore(**more), "kind": "reaction-time"}


def told(when: str, *, recorded: str = "", until: str = "", kind: str = "notification", **more: Any) -> Entry:
    """An entry about a case; recorded when it happened, unless told otherwise."""
    supersedes, scope = more.pop("supersedes", None), more.pop("scope", ())
    return Entry(
        kind=kind,
        recorded_us=at(recorded or when),
        by="J. Peeters",
        reason=more.pop("reason", "proef"),
        from_us=at(when),
        until_us=at(until) if until else None,
        scope=scope,
        data=more,
        supersedes=supersedes,
    )


def notified(when: str, priority: str = "P1", **more: Any) -> Entry:
    return told(when, priority=priority, **more)


def restored(when: str, about: int = 1, **more: Any) -> Entry:
    return told(when, kind="restored", notification=str(about), **more)


def reacted(when: str, about: int = 1, **more: Any) -> Entry:
    return told(when, kind="reaction", notification=str(about), **more)


def paused(when: str, until: str, about: int = 1, **more: Any) -> Entry:
    return told(when, kind="pause", until=until, notification=str(about), **more)


def release(when: str, *, recorded: str, **more: Any) -> Entry:
    return told(when, recorded=recorded, kind="release", version="2.4.0", **more)


def delivered(when: str, document: str = "stand van zaken", **more: Any) -> Entry:
    return told(when, kind="document-delivered", document=document, **more)


def result(clause: dict[str, Any], *entries: Entry, period: Span = MONTH, **version: Any) -> ClauseResult:
    """The one clause of a contract with office hours, judged by the ledger alone."""
    return only(judge(contract(clause, **version), period, NOTHING, *entries))
