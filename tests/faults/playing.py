"""One fault, played from its first start to its reckoning; in a process of its own, so that no other makes it late."""

from __future__ import annotations

import random
import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from traceback import format_exc

from monitor.store.database import StoreError
from tests.certificates import authority
from tests.faults.disks import own_mounts
from tests.faults.faults import FAULTS, Fault
from tests.faults.reckoning import Evidence, Reckoning, reckon
from tests.faults.scene import LOCATION, Memory, Scene, Stuck, Unplayable
from tests.faults.starvation import Starvation
from tests.faults.stories.store import needs_mounts
from tests.faults.unmeasured import said
from tests.faults.world import World

#: Memory is flat within this. A first outage, a page or a burst of retries take some, once; and of that little stays.
_MOST_GROWTH, _MOST_LEFT = 0.4, 0.25
#: Up to this starvation the stories keep their own pace; beyond it everything takes longer, up to twice as long.
STARVED, _SLOWEST = 1.5, 2.0


@dataclass(kw_only=True)
class Played:
    """What became of one fault, played once.

    Attributes:
        by: what stood in for the real thing; empty where nothing did.
        wrong: everything that is not as promised, in words.
        not_played: why it could not be; None where it was.
        memory: of the life in which it rose furthest; None where none was long enough.
        unmeasured: instants at which a journey was due and was not measured, which the report tells.
        pace: how much slower than usual all was played.
    """

    name: str
    seed: int
    by: str = ""
    wrong: list[str] = field(default_factory=list)
    not_played: str | None = None
    lost: int = 0
    mails_lost: int = 0
    mails_doubled: int = 0
    slots: int = 0
    recovered_s: float = 0.0
    memory: Memory | None = None
    unmeasured: int = 0
    untold: int = 0
    pace: float = 1.0


def play_in_time(name: str, seed: int, last: float) -> Played:
    """Play it if it begins before `last` (monotonic seconds, which all processes share)."""
    if monotonic() >= last:
        return Played(name=name, seed=seed, not_played="no time was left")
    try:
        return play(name, seed)
    except Exception:
        # A defect of the suite's own; it must not take along what the others found.
        return Played(name=name, seed=seed, wrong=[f"the suite itself broke down: {format_exc()}"])


def play(name: str, seed: int) -> Played:
    """Play the fault of that name; whatever it takes is gone afterwards, unless something went wrong."""
    fault = next(fault for fault in FAULTS if fault.name == name)
    played = Played(name=name, seed=seed, not_played=fault.needs())
    if played.not_played is not None:
        return played
    if needs_mounts() is None:
        own_mounts()
    folder = Path(tempfile.mkdtemp(prefix="loketwacht-fault-"))
    starvation = Starvation()
    played.pace = min(_SLOWEST, max(1.0, starvation.calibrate() / STARVED))
    try:
        with World(authority(folder)) as world:
            scene = Scene(
                world=world,
                folder=folder / "place",
                chance=random.Random(f"{seed} {name}"),
                journeys=tuple(f"j{number:02}" for number in range(fault.journeys)),
                starvation=starvation,
                pace=played.pace,
                interval_s=fault.interval_s,
                portal_host=fault.host,
                over_https=fault.over_https,
            )
            scene.more = fault.more(scene)
            with scene:
                try:
                    _live(fault, scene, played)
                    _judge(fault, scene, played)
                except Unplayable as why:
                    played.not_played = str(why)
                if scene.data.is_mount():
                    subprocess.run(["umount", "--lazy", str(scene.data)], check=False)
    finally:
        if played.wrong:
            played.wrong.append(f"its log and store were kept in {folder}; seed {seed}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return played


def _live(fault: Fault, scene: Scene, played: Played) -> None:
    try:
        fault.story(scene)
        scene.until(lambda: not scene.waiting(), seconds=60, what="every mail has left")
        code = scene.end()
        if code != 0:
            played.wrong.append(f"it ended with code {code}")
    except Stuck as stuck:
        played.wrong.append(str(stuck))
    except (AssertionError, OSError, subprocess.SubprocessError, sqlite3.Error) as error:
        played.wrong.append(f"{type(error).__name__}: {error}")
    if scene.process is not None and scene.process.poll() is None:
        scene.process.kill()
        scene.process.wait(10)


def _judge(fault: Fault, scene: Scene, played: Played) -> None:
    try:
        found, told = _reckoned(fault, scene), said(scene.folder, LOCATION)
    except (StoreError, sqlite3.Error) as error:
        played.wrong.append(f"its store cannot be read: {error}")
        return
    played.by = scene.stood_in
    played.lost, played.mails_lost = len(found.lost), len(found.mails_lost)
    played.mails_doubled, played.slots = len(found.mails_doubled), len(found.slots)
    played.recovered_s = scene.recovered_s
    played.unmeasured, played.untold = told.instants, len(told.wrong)
    played.wrong += found.lost + found.mails_lost + found.slots + found.others + told.wrong
    if not fault.may_double:
        played.wrong += found.mails_doubled
    if fault.blinds and not told.instants and not scene.stood_in:
        played.wrong.append("nothing kept it from measuring, so what the report says of that was not tried")
    with suppress(ValueError):
        played.memory = max(scene.memories, key=lambda memory: memory.growth)
    for memory in scene.memories:
        if memory.growth > _MOST_GROWTH:
            played.wrong.append(f"its memory rose by {memory.growth:.0%} while it was looked at")
        if memory.after > memory.before * (1 + _MOST_LEFT):
            played.wrong.append(f"its memory stayed at {memory.after:.0f} MB, from {memory.before:.0f} MB")


def _reckoned(fault: Fault, scene: Scene) -> Reckoning:
    evidence = Evidence(
        location=LOCATION,
        seen=scene.seen,
        served=[visit for visit in scene.world.served if visit.journey in scene.journeys],
        arrived=scene.world.post.arrived,
        outages=scene.outages,
        lives=scene.lives,
        refused=set(scene.world.post.rcpt),
        refuses=fault.refuses,
        allowed_us=round(2_000_000 * scene.pace),
        late_us=round(1_000_000 * scene.pace) if fault.on_time else None,
    )
    return reckon(scene.database, scene.folder / "contract.toml", evidence)
