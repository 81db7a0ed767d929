"""Logs that Nagios' own availability report was checked with: every second has the class they give it.

What they call unknown, no data and not running is unmeasured to us; time in a downtime is excluded, whatever its state.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.peers import assessed, case_file, exclusion_lines, seconds, state_lines

CASES = case_file("nagios")["cases"]
OURS = {
    "UP": "up",
    "OK": "up",
    "WARNING": "degraded",
    "DOWN": "down",
    "UNREACHABLE": "down",
    "CRITICAL": "down",
}


def states(case: dict[str, Any]) -> list[tuple[float, float, str]]:
    state, running, since = case["initial"], True, case["start"]
    found = []
    for event in [*sorted(case["events"], key=lambda e: e["t"]), {"t": case["end"], "kind": "end"}]:
        if event["kind"] == "downtime":
            continue
        until = min(max(event["t"], case["start"]), case["end"])
        if (running or case["keeps_state_while_stopped"]) and state in OURS:
            found.append((since, until, OURS[state]))
        since = max(since, until)
        if event["kind"] == "state":
            state = event["state"]
        else:
            running = event["kind"] != "monitor_stop"
    return found


def downtimes(case: dict[str, Any]) -> list[tuple[float, float]]:
    found, begun = [], {}
    for event in sorted(case["events"], key=lambda e: e["t"]):
        if event["kind"] != "downtime":
            continue
        if event["action"] == "STARTED":
            begun.setdefault(event["of"], event["t"])
        elif event["of"] in begun:
            found.append((begun.pop(event["of"]), event["t"]))
    return [*found, *((since, case["end"]) for since in begun.values())]


def theirs(case: dict[str, Any]) -> dict[str, float]:
    """Their figures in our classes. `scheduled_*` is the part of `time_*` inside a downtime."""
    expected = case["expected"]

    def outside(*names: str) -> float:
        return float(sum(expected.get(f"time_{n}", 0) - expected.get(f"scheduled_time_{n}", 0) for n in names))

    unmeasured = outside("indeterminate_nodata", "indeterminate_notrunning", "unknown")
    return {
        "service": case["end"] - case["start"] - expected.get("time_indeterminate_outside_timeperiod", 0),
        "up": outside("up", "ok"),
        "degraded": outside("warning"),
        "down": outside("down", "unreachable", "critical"),
        "excluded": sum(v for k, v in expected.items() if k.startswith("scheduled_")),
        "unmeasured": unmeasured - expected.get("scheduled_time_indeterminate", 0),
    }


@pytest.mark.parametrize("case", CASES, ids=lambda c: c["name"])
def test_every_second_has_the_class_they_give_it(case: dict[str, Any]):
    found = assessed(
        state_lines(states(case)),
        start=case["start"],
        end=case["end"],
        exclusions=exclusion_lines(downtimes(case)),
        timezone=case["zone"] or "UTC",
        weekly=case["window"],
    )
    assert seconds(found) == theirs(case)
