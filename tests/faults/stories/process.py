"""The monitor's own process dies, is stopped, or stands still."""

from __future__ import annotations

import signal
from time import sleep

from tests.faults.scene import Scene, Stuck
from tests.faults.stories.clocks import own_clock, set_clock
from tests.faults.stories.outages import broken_and_told, mended_and_told, until_told


def killed(scene: Scene) -> None:
    """kill -9 at random points, while an outage begins, is mailed and ends; and while it is still starting."""
    scene.start()
    for number in range(6):
        journey = scene.chance.choice(scene.journeys)
        broken = number % 2 == 0
        if broken:
            scene.world.modes[journey] = "500"
        sleep(scene.chance.uniform(0.0, 2.0))
        scene.end(signal.SIGKILL)
        sleep(scene.chance.uniform(0.0, 1.5))
        if not broken:
            scene.launch()
            sleep(scene.chance.uniform(0.0, 2.0))
            scene.end(signal.SIGKILL)
        scene.start()
        if broken:
            broken_and_told(scene, journey, seconds=45)
            mended_and_told(scene, journey)
        scene.recovered()


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
