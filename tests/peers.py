"""Histories of other systems, put through our own interchange: text in, assessment as plain data out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sla.assess import assess
from sla.assessment import Span
from sla.contract import parse_contract
from sla.interchange import assessment_json, read_ledger, read_measurements
from tests.agreements import NAMES

DATA = Path(__file__).parent / "cases" / "data"


def case_file(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DATA / f"{name}.json").read_text("utf-8"))
    return found


def rfc3339(second: float) -> str:
    return datetime.fromtimestamp(second, tz=UTC).isoformat()


def state_lines(states: Iterable[tuple[float, float, str]]) -> list[str]:
    """States as (from, to, state) in seconds since the epoch."""
    return [
        json.dumps({"journey": "peer", "from": rfc3339(a), "to": rfc3339(b), "state": state})
        for a, b, state in states
        if b > a
    ]


def exclusion_lines(windows: Iterable[tuple[float, float]]) -> list[str]:
    return [
        json.dumps(
            {
                "kind": "exclusion",
                "from": rfc3339(a),
                "to": rfc3339(b),
                "recorded_at": rfc3339(a),
                "by": "peer",
                "reason": "downtime that was set in the other system",
            }
        )
        for a, b in windows
        if b > a
    ]


def assessed(
    lines: Sequence[str],
    *,
    start: float,
    end: float,
    exclusions: Sequence[str] = (),
    timezone: str = "UTC",
    weekly: Sequence[str] | None = None,
    **clause: Any,
) -> dict[str, Any]:
    """The assessment of one clause over [start, end) in seconds since the epoch, as a program would receive it."""
    first = {"number": 1, "valid_from": date(1969, 1, 1), "valid_until": date(2045, 12, 31)}
    window = {} if weekly is None else {"window": "w"}
    agreed = parse_contract(
        {
            **NAMES,
            "timezone": timezone,
            "version": [
                {
                    **first,
                    "windows": {} if weekly is None else {"w": {"weekly": list(weekly), "holidays": "open"}},
                    "clause": [
                        {
                            "id": "B1",
                            "kind": "availability",
                            "scope": ["peer"],
                            **({} if "limit" in clause else {"target": "0.99"}),
                            "period": "year",
                            **window,
                            **clause,
                        }
                    ],
                }
            ],
        }
    )
    measured = read_measurements(lines, "peer.jsonl")
    ledger = read_ledger(exclusions, "ledger.jsonl")
    assert (measured.problems, ledger.problems) == ((), ())
    found = assess(
        agreed,
        period=Span(start_us=round(start * 1_000_000), end_us=round(end * 1_000_000)),
        samples=measured.samples,
        spans=measured.spans,
        ledger=ledger.entries,
    )
    plain: dict[str, Any] = json.loads(json.dumps(assessment_json(found)))
    return plain


def seconds(found: dict[str, Any]) -> dict[str, float]:
    (clause,) = found["clauses"]
    counted: dict[str, float] = clause["seconds"]
    return counted
