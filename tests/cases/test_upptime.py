"""Real histories of public sites that Upptime watched: the minutes down its users were told, day by day.

Nobody counts outages under 15 minutes there, and minutes are rounded; so a clause that counts outages of at least
15 minutes must find the same ones, and their length may differ by less than a minute.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from tests.peers import assessed, case_file, state_lines

HISTORIES = case_file("upptime")["histories"]


def second(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def minutes_down(history: dict[str, Any]) -> dict[str, float]:
    changes = [(second(t), mark) for t, mark in history["changes"]]
    lines = state_lines([(a, b, mark) for (a, mark), (b, _) in pairwise(changes)])
    day = datetime.fromtimestamp(changes[0][0], tz=UTC).replace(hour=0, minute=0, second=0)
    found = {}
    while day.timestamp() < changes[-1][0]:
        after = day + timedelta(days=1)
        rule = {"kind": "outage-count", "limit": 0, "at_least": "15m"}
        clause = assessed(lines, start=day.timestamp(), end=after.timestamp(), **rule)
        counted = {o["id"]: o["counted_seconds"] for o in clause["outages"]}
        total = sum(counted[name] for name in clause["clauses"][0]["outages"])
        if total:
            found[f"{day:%Y-%m-%d}"] = total / 60
        day = after
    return found


@pytest.mark.parametrize("history", HISTORIES, ids=lambda h: h["slug"])
def test_the_minutes_down_of_each_day_are_those_their_users_were_told(history: dict[str, Any]):
    found = minutes_down(history)
    assert found.keys() == history["peer_minutes_down"].keys()
    assert all(abs(found[day] - told) < 1 for day, told in history["peer_minutes_down"].items())
