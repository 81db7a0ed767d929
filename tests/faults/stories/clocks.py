"""The wall's clock is set, and the nights in which summer time begins and ends. Monotonic time stays the kernel's."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.faults.scene import Scene, environment_of
from tests.faults.stories.outages import broken_and_told, mended_and_told
from tests.faults.world import now_us

_FAKETIME = tuple(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
_BRUSSELS = ZoneInfo("Europe/Brussels")


def needs_a_clock() -> str | None:
    return None if _FAKETIME else "needs Debian's package faketime"


def own_clock(scene: Scene, seconds: int) -> Path:
    """Start the monitor with a wall clock of its own, so far from the true one; the file that sets it."""
    clock = scene.folder / "clock"
    set_clock(clock, seconds)
    scene.start(**environment_of(clock, str(_FAKETIME[0])))
    return clock


def set_clock(clock: Path, seconds: int) -> None:
    beside = clock.with_suffix(".new")
    beside.write_text(f"{seconds:+d}\n", encoding="ascii")
    beside.replace(clock)


def set_back(scene: Scene) -> None:
    """The wall's clock is set back an hour in the middle of an outage."""
    _set(scene, -3600)


def set_forward(scene: Scene) -> None:
    """The wall's clock is set forward an hour in the middle of an outage."""
    _set(scene, 3600)


def _set(scene: Scene, seconds: int) -> None:
    clock = own_clock(scene, 0)
    broken_and_told(scene)
    set_clock(clock, seconds)
    scene.pause(3)
    scene.recovered()
    mended_and_told(scene)


def autumn(scene: Scene) -> None:
    """The hour that is lived twice begins while an outage lasts."""
    _night(scene, datetime(2026, 10, 25, 2, 59, 50, tzinfo=_BRUSSELS))


def spring(scene: Scene) -> None:
    """The hour that is skipped is skipped while an outage lasts."""
    _night(scene, datetime(2027, 3, 28, 1, 59, 50, tzinfo=_BRUSSELS))


def _night(scene: Scene, begins: datetime) -> None:
    """From ten seconds before the change: an outage begins at once, and ends well after it."""
    own_clock(scene, round(begins.timestamp() - now_us() / 1_000_000))
    broken_and_told(scene)
    scene.pause(10)
    mended_and_told(scene)
    scene.recovered()
