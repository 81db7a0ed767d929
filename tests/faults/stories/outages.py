"""What many stories have in common: an outage of the portal that is to be told, whatever else breaks.

A story starts the monitor, breaks something and mends it, and leaves `scene.recovered_s`; what became of samples, mails
and the report is reckoned afterwards.
"""

from __future__ import annotations

from tests.faults.scene import Scene


def broken_and_told(scene: Scene, journey: str = "j01", *, seconds: float = 30) -> None:
    scene.break_it(journey)
    until_told(scene, "STORING", journey, seconds=seconds)


def mended_and_told(scene: Scene, journey: str = "j01", *, seconds: float = 60) -> None:
    scene.mend(journey)
    until_told(scene, "HERSTELD", journey, seconds=seconds)


def until_told(scene: Scene, word: str, journey: str = "j01", *, seconds: float = 30) -> None:
    scene.until(lambda: scene.told(word, journey), seconds=seconds, what=f'"{word}" is mailed about {journey}')


def quietly_broken(scene: Scene, journey: str = "j01") -> None:
    """An outage that begins and ends while no mail can leave; nobody hears of it yet."""
    scene.break_it(journey)
    scene.until(lambda: scene.waiting() > 0, seconds=30, what="the news lies in the outbox")
    scene.pause(5)
    scene.mend(journey)
    scene.until(lambda: scene.waiting() > 1, seconds=30, what="the recovery lies in the outbox too")
