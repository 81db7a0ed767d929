"""What we say that others would have said is what they said: their own histories and figures, put through `compare`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

import pytest

from sla import compare
from sla.assessment import Span
from sla.intervals import IntervalSet
from sla.measurements import SampleIn
from tests.peers import case_file

SECOND = 1_000_000
HOUR = 3600 * SECOND


def us(second: float) -> int:
    return round(second * SECOND)


def stretch(start: float, end: float) -> Span:
    return Span(start_us=us(start), end_us=us(end))


def held(parts: Iterable[tuple[float, float, str]]) -> compare.Held:
    """States as (from, to, state) in seconds."""
    found: dict[Any, list[Span]] = {}
    for a, b, state in parts:
        found.setdefault(state, []).append(stretch(a, b))
    return {state: IntervalSet.of(spans) for state, spans in found.items()}


def rounded(ratio: Fraction, digits: str) -> Decimal:
    """A percentage, half up, as others print it."""
    exact = Decimal(ratio.numerator) * 100 / Decimal(ratio.denominator)
    return exact.quantize(Decimal(digits), rounding=ROUND_HALF_UP)


# --- Icinga DB -----------------------------------------------------------------------------------------------------

ICINGA = {0: "up", 1: "degraded", 2: "down", 3: "unknown"}
PENDING = 99


def icinga_states(case: dict[str, Any]) -> list[tuple[float, float, str]]:
    events = [e for e in case["events"] if e["type"] == "state"]
    current = [e["state"] for e in case["events"] if e["type"] == "current_state"]
    earlier = [e["state"] for e in events if e["time"] <= case["start"]]
    later = [e for e in events if e["time"] > case["start"]]
    # As their cases have it: the last state before, else what the first event says was before it, else the current one.
    first = [*earlier[-1:], *(e["previous_state"] for e in later[:1]), *current]
    if not first:
        return []
    state, since, found = first[0], case["start"], []
    for event in later:
        found.append((since, event["time"], PENDING if event["previous_state"] == PENDING else state))
        since, state = event["time"], event["state"]
    found.append((since, case["end"], state))
    return [(a, b, ICINGA[s]) for a, b, s in found if s != PENDING]


@pytest.mark.parametrize("case", case_file("icingadb")["cases"], ids=lambda c: c["name"])
def test_icinga(case: dict[str, Any]):
    downtimes = IntervalSet.of(stretch(e["start"], e["end"]) for e in case["events"] if e["type"] == "downtime")
    ratio = compare.icinga(held(icinga_states(case)), downtimes, stretch(case["start"], case["end"]))
    assert ratio is not None
    assert rounded(ratio, "0.0001") == Decimal(str(case["expected_percent"]))


# --- Nagios --------------------------------------------------------------------------------------------------------

NAGIOS = {
    "UP": "up",
    "OK": "up",
    "WARNING": "degraded",
    "DOWN": "down",
    "UNREACHABLE": "down",
    "CRITICAL": "down",
    "UNKNOWN": "unknown",
}
ROUND_THE_CLOCK = [c for c in case_file("nagios")["cases"] if c["window"] is None]


def nagios_states(case: dict[str, Any]) -> list[tuple[float, float, str]]:
    state, running, since, found = case["initial"], True, case["start"], []
    for event in [*sorted(case["events"], key=lambda e: e["t"]), {"t": case["end"], "kind": "end"}]:
        if event["kind"] == "downtime":
            continue
        until = min(max(event["t"], case["start"]), case["end"])
        if (running or case["keeps_state_while_stopped"]) and state is not None:
            found.append((since, until, NAGIOS[state]))
        since = max(since, until)
        if event["kind"] == "state":
            state = event["state"]
        else:
            running = event["kind"] != "monitor_stop"
    return found


@pytest.mark.parametrize("case", ROUND_THE_CLOCK, ids=lambda c: c["name"])
def test_nagios(case: dict[str, Any]):
    told = {k: v for k, v in case["expected"].items() if k.startswith("time_") and "indeterminate" not in k}
    good = told.get("time_up", 0) + told.get("time_ok", 0)
    ratio = compare.nagios(held(nagios_states(case)), stretch(case["start"], case["end"]))
    assert ratio == Fraction(good, sum(told.values()))


# --- Uptime Kuma ---------------------------------------------------------------------------------------------------

NOON = us(datetime.fromisoformat("2026-11-12T12:00:00Z").timestamp())


@pytest.mark.parametrize("case", case_file("uptime_kuma")["cases"], ids=lambda c: c["name"])
def test_uptime_kuma(case: dict[str, Any]):
    """A beat that is pending is, to us, a run that was not up."""
    due = [(NOON + i * 60 * SECOND, status) for i, status in enumerate(case["beats"])]
    beats = [
        SampleIn(journey="peer", due_us=at, interval_us=60 * SECOND, outcome="up" if status == "UP" else "down")
        for at, status in due
    ]
    maintenance = IntervalSet.of(Span(start_us=at, end_us=at + 1) for at, status in due if status == "MAINTENANCE")
    end = NOON + HOUR + case.get("silence_hours", 0) * HOUR
    ratio = compare.uptime_kuma(beats, maintenance, Span(start_us=end - 24 * HOUR, end_us=end))
    assert float(ratio) == case["expected"]


# --- Upptime -------------------------------------------------------------------------------------------------------

HISTORIES = {h["slug"]: h["changes"] for h in case_file("upptime")["histories"]}


@pytest.mark.parametrize("told", case_file("upptime_shares")["shares"], ids=lambda r: r["slug"])
def test_upptime(told: dict[str, str]):
    """Up from the start that they state until the first change of state that is known."""
    since, until = (us(datetime.fromisoformat(told[key]).timestamp()) for key in ("since", "at"))
    changes: list[tuple[int, Any]] = [
        (us(datetime.fromisoformat(at).timestamp()), mark) for at, mark in HISTORIES[told["slug"]] if mark != "end"
    ]
    if since < changes[0][0]:
        changes.insert(0, (since, "up"))
    ratio = compare.upptime(compare.held_states(changes, until_us=until), Span(start_us=since, end_us=until))
    assert ratio is not None
    assert rounded(ratio, "0.01") == Decimal(told["uptime_all"])
