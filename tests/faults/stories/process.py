"""The monitor's own process dies, is stopped, or stands still."""

from __future__ import annotations

import signal
from time import sleep

from tests.faults.scene import Scene, Stuck
from tests.faults.stories.clocks import own_clock, set_clock
from tests.faults.stories.outages import broken_and_told, mended_and_told, until_told


def killed(scene: Scene) -> None:
    """kill -9 at random points: while an outage begins and is mailed, while it ends and that is mailed, and while it is
    still starting."""
    scene.start()
    # Each by a journey of its own: what was told of one says nothing of another.
    journeys = scene.chance.sample(scene.journeys, 4)
    for begins, ends in (journeys[:2], journeys[2:]):
        _killed_as_it_begins(scene, begins)
        scene.recovered()
        _killed_while_starting(scene)
        scene.recovered()
        _killed_as_it_ends(scene, ends)
        scene.recovered()


def _killed_as_it_begins(scene: Scene, journey: str) -> None:
    scene.world.modes[journey] = "500"
    _killed_at_some_point(scene)
    scene.start()
    broken_and_told(scene, journey, seconds=45)
    mended_and_told(scene, journey)


def _killed_as_it_ends(scene: Scene, journey: str) -> None:
    broken_and_told(scene, journey, seconds=45)
    scene.mend(journey)
    # Two good samples end it, so somewhere around the second its end is noted and mailed.
    _killed_at_some_point(scene, most=3.0 * scene.interval_s * scene.pace)
    scene.start()
    until_told(scene, "HERSTELD", journey, seconds=60)


def _killed_while_starting(scene: Scene) -> None:
    _killed_at_some_point(scene)
    scene.launch()
    _killed_at_some_point(scene)
    scene.start()


def _killed_at_some_point(scene: Scene, *, most: float = 2.0) -> None:
    sleep(scene.chance.uniform(0.0, most))
    scene.end(signal.SIGKILL)
    sleep(scene.chance.uniform(0.0, 1.5))


def stopped(scene: Scene) -> None:
    """SIGTERM in the middle of runs, five times: what is under way is stored or told, and it ends in time."""
    scene.start()
    for _ in range(5):
        sleep(scene.chance.uniform(0.0, 1.0))
        if (code := scene.end()) != 0:
            raise Stuck(f"SIGTERM ended it with code {code}")
        scene.start()
    scene.recovered()


def asleep(scene: Scene) -> None:
    """The machine sleeps for ten minutes: monotonic time stands still, the wall's clock does not."""
    clock = own_clock(scene, 0)
    broken_and_told(scene)
    scene.signal(signal.SIGSTOP)
    set_clock(clock, 600)
    sleep(2)
    scene.signal(signal.SIGCONT)
    scene.mend("j01")
    scene.recovered()
    until_told(scene, "HERSTELD", seconds=60)


def frozen(scene: Scene) -> None:
    """The process alone stands still for fifteen seconds (SIGSTOP), as on a starved machine."""
    scene.start()
    broken_and_told(scene)
    scene.signal(signal.SIGSTOP)
    scene.pause(15)
    scene.signal(signal.SIGCONT)
    scene.recovered()
    mended_and_told(scene)
