"""Builders for tests of agreements: a contract of one clause, samples drawn as a picture, civil time in Brussels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sla.assess import assess
from sla.assessment import Assessment, ClauseResult, Span
from sla.contract import Contract, parse_contract
from sla.ledger import Entry, seal
from sla.measurements import Outcome, SampleIn, SpanIn, State
from sla.period import instant_us

BRUSSELS = "Europe/Brussels"
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
PICTURE: dict[str, Outcome] = {".": "up", "~": "degraded", "x": "down", "X": "down", "?": "unknown"}


def at(text: str, *, fold: int = 0, zone: str = BRUSSELS) -> int:
    """`2026-11-12 10:32` in civil time of Brussels."""
    return instant_us(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold))


def span(start: str, end: str) -> Span:
    return Span(start_us=at(start), end_us=at(end))


def clause(**more: Any) -> dict[str, Any]:
    return {"id": "B1", "kind": "availability", "scope": ["indienen"], "target": "0.99", **more}


def contract(*clauses: dict[str, Any], timezone: str = BRUSSELS, **more: Any) -> Contract:
    """One version over 2020-2040 with office hours, all hours and no time as windows; other keys are the version's."""
    version = {
        "number": 1,
        "valid_from": date(2020, 1, 1),
        "valid_until": date(2040, 12, 31),
        "monthly_fee": "100000.00",
        "windows": {
            "dienst": {"weekly": ["mon-fri 07:30-19:00"], "holidays": "closed"},
            "altijd": {"weekly": ["mon-sun 00:00-24:00"], "holidays": "open"},
            "nacht": {"weekly": ["mon-sun 02:00-03:00"], "holidays": "open"},
            "nooit": {"weekly": [], "holidays": "open"},
        },
        "clause": list(clauses) or [clause()],
        **more,
    }
    return parse_contract({**NAMES, "timezone": timezone, "version": [version]})


NAMES = {"contract": "PROEF", "authority": "Voorbeeldbestuur", "supplier": "Voorbeeld NV"}


def samples(
    picture: str, start: str, *, every_s: int = 60, journey: str = "indienen", location: str = ""
) -> Iterator[SampleIn]:
    """One sample a character: `.` up, `~` degraded, `x` down, `X` down after a re-run, `?` unknown, blank none."""
    first = at(start)
    for i, mark in enumerate(picture):
        if mark != " ":
            yield SampleIn(
                journey=journey,
                due_us=first + i * every_s * SECOND,
                interval_us=every_s * SECOND,
                outcome=PICTURE[mark],
                duration_us=800_000,
                location=location,
                failure="http-status verzenden" if mark in "xX" else "",
                attempts=2 if mark == "X" else 1,
            )


def spans(*parts: tuple[str, str, State], journey: str = "indienen") -> list[SpanIn]:
    return [SpanIn(journey=journey, start_us=at(a), end_us=at(b), state=state) for a, b, state in parts]


def all_up_but(period: Span, *bad: tuple[str, str, State], journey: str = "indienen") -> list[SpanIn]:
    """Up all through the period, except for the spans given in order."""
    found, since = [], period.start_us
    for a, b, state in bad:
        if since < at(a):
            found.append(SpanIn(journey=journey, start_us=since, end_us=at(a), state="up"))
        found.append(SpanIn(journey=journey, start_us=at(a), end_us=at(b), state=state))
        since = at(b)
    if since < period.end_us:
        found.append(SpanIn(journey=journey, start_us=since, end_us=period.end_us, state="up"))
    return found


def entry(kind: str, start: str, end: str, *, recorded: str, scope: Sequence[str] = (), **data: str) -> Entry:
    return Entry(
        kind=kind,
        recorded_us=at(recorded),
        by="J. Peeters",
        reason="proef",
        from_us=at(start),
        until_us=at(end),
        scope=tuple(scope),
        data=data,
    )


def judge(agreed: Contract, period: Span, measured: Iterable[SampleIn | SpanIn], *entries: Entry) -> Assessment:
    found = list(measured)
    return assess(
        agreed,
        period=period,
        samples=[m for m in found if isinstance(m, SampleIn)],
        spans=[m for m in found if isinstance(m, SpanIn)],
        ledger=seal(entries),
    )


def only(found: Assessment) -> ClauseResult:
    (result,) = found.clauses
    return result


def euros(text: str) -> Decimal:
    return Decimal(text)
