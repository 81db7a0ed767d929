"""Sixteen histories by the authors of Icinga DB: our seconds, put into their formula, give their percentages.

They keep downtimes in the denominator and leave time without a state out of it. Without any history they say 100 %;
there we say that nothing was measured.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from tests.peers import assessed, case_file, exclusion_lines, seconds, state_lines

CASES = case_file("icingadb")["cases"]
BASE = 1_767_225_600  # their small numbers, moved to 2026: a contract has dates
PENDING = 99


def states(case: dict[str, Any]) -> list[tuple[float, float, str]]:
    """The state that held between events, as they define it; pending time is left out, so it is unmeasured."""
    events = [e for e in case["events"] if e["type"] == "state"]
    current = [e["state"] for e in case["events"] if e["type"] == "current_state"]
    before = [e for e in events if e["time"] <= case["start"]]
    if before:
        state = before[-1]["state"]
    elif events:
        state = events[0]["previous_state"]
    elif current:
        state = current[0]
    else:
        return []
    found, since = [], case["start"]
    for event in [e for e in events if e["time"] > case["start"]]:
        held = PENDING if event["previous_state"] == PENDING else state
        found.append((since, event["time"], held))
        since, state = event["time"], event["state"]
    found.append((since, case["end"], state))
    return [(BASE + a, BASE + b, "down" if s else "up") for a, b, s in found if s != PENDING]


def percent(case: dict[str, Any]) -> Decimal | None:
    downtimes = [(BASE + e["start"], BASE + e["end"]) for e in case["events"] if e["type"] == "downtime"]
    counted = seconds(
        assessed(
            state_lines(states(case)),
            start=BASE + case["start"],
            end=BASE + case["end"],
            exclusions=exclusion_lines(downtimes),
        )
    )
    known = counted["service"] - counted["unmeasured"]
    if not known:
        return None
    exact = 100 * (1 - Decimal(str(counted["down"])) / Decimal(str(known)))
    return exact.quantize(Decimal("0.0001"), rounding=ROUND_HALF_UP)


@pytest.mark.parametrize("case", CASES[1:], ids=lambda c: c["name"])
def test_our_seconds_give_their_percentage(case: dict[str, Any]):
    assert percent(case) == Decimal(str(case["expected_percent"]))


def test_no_history_is_100_percent_to_them_and_not_measured_to_us():
    assert CASES[0]["name"] == "EmptyHistory"
    assert CASES[0]["expected_percent"] == 100.0
    assert percent(CASES[0]) is None
