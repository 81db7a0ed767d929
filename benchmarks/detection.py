"""How long from the portal's first failing answer until the mail server has taken the mail about it.

The monitor, a portal, three references and a mail server on this machine; journeys every thirty seconds, re-run at once
after a failure, as config.toml has it. Waiting for a journey's next turn is no part of it: an interval is chosen, not
measured.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.harness import Figure, rank
from tests.certificates import authority
from tests.faults.scene import READERS, Scene
from tests.faults.world import World

_INTERVAL_S = 30.0


def figures() -> Iterator[Figure]:
    for what, waits in (
        ("12 journeys", _waits(12, 12)),
        ("1,000 journeys", _waits(1_000, 40)),
        ("300 journeys that fail at once", _waits(300, 300, apart=False)),
    ):
        what = f"first failing answer to mail taken, {what}"
        yield Figure(figure=f"{what}, median: s", ours=rank(waits, 0.5))
        yield Figure(figure=f"{what}, p99: s", ours=rank(waits, 0.99))


def _waits(number: int, outages: int, *, apart: bool = True) -> list[float]:
    """Seconds per outage. Each journey that fails does so once, from its next visit on.

    Args:
        apart: they begin to fail some seconds after each other; else all do at the same moment.
    """
    with tempfile.TemporaryDirectory() as name, World(authority(Path(name))) as world:
        journeys = tuple(f"j{i:04}" for i in range(number))
        scene = Scene(
            world=world,
            folder=Path(name) / "place",
            chance=random.Random(7),  # noqa: S311 - which journeys fail, not a secret
            journeys=journeys,
            interval_s=_INTERVAL_S,
        )
        with scene:
            scene.launch()
            scene.until(lambda: len({s.journey for s in world.served}) == number, seconds=120, what="all were visited")
            failing = scene.chance.sample(journeys, outages)
            for journey in failing:
                world.modes[journey] = "500"
                time.sleep(_INTERVAL_S * 2 / outages * apart)
            scene.until(lambda: all(scene.told("STORING", j) for j in failing), seconds=120, what="all were told")
            scene.end()
        return [_waited(world, journey) for journey in failing]


def _waited(world: World, journey: str) -> float:
    first_us = min(visit.at_us for visit in world.served if visit.journey == journey and not visit.well)
    taken_us = [a.at_us for a in world.post.arrived if "STORING" in a.subject and f"Reis {journey}" in a.subject]
    return (sorted(taken_us)[len(READERS) - 1] - first_us) / 1_000_000
