"""`python -m tests.faults`: break the real process in every way we know, and count what is lost.

Prints a row per fault and ends with 1 unless every zero that is promised is one. The seed that is printed plays the
same again. `--minutes` repeats everything with new seeds until they have passed (`make soak`).
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path
from time import monotonic

from monitor.store.database import StoreError
from tests.certificates import authority
from tests.faults.faults import FAULTS, Fault
from tests.faults.reckoning import Evidence, Reckoning, reckon
from tests.faults.scene import LOCATION, Scene, Stuck
from tests.faults.world import World

_COLUMNS = "{:<34} {:>5} {:>8} {:>7} {:>9} {:>9} {:>9} {:>8}  {}"


#: Memory is flat within this; a month's assessment, a page or a burst of retries may come in between.
_GROWTH = 0.4


@dataclass(kw_only=True)
class Row:
    """What became of one fault, over all its repetitions."""

    fault: Fault
    times: int = 0
    samples: int = 0
    wrong: list[str] = field(default_factory=list)
    lost: int = 0
    mails_lost: int = 0
    mails_doubled: int = 0
    slots: int = 0
    recovered_s: float = 0.0
    growth: float = 0.0
    not_played: str | None = None

    def line(self) -> str:
        if self.not_played is not None:
            return _COLUMNS.format(self.fault.name, 0, "-", "-", "-", "-", "-", "-", f"not played: {self.not_played}")
        doubled = f"{self.mails_doubled}*" if self.fault.may_double else str(self.mails_doubled)
        return _COLUMNS.format(
            self.fault.name,
            self.times,
            self.lost,
            self.mails_lost,
            doubled,
            "yes" if self.slots == 0 else "NO",
            f"{self.recovered_s:.1f} s",
            f"{self.growth:+.0%}",
            "" if self.kept else "BROKEN",
        )

    @property
    def kept(self) -> bool:
        return not self.wrong and self.not_played is None


def main() -> int:
    options = _options()
    if os.environ.get("LOKETWACHT_FAULTS_INSIDE") is None:
        return _inside(sys.argv[1:])
    rows = [Row(fault=fault) for fault in FAULTS if options.only in fault.name]
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10**6)
    print(f"seed {seed}; play one again with: python -m tests.faults --seed {seed} --only NAME\n")
    print(_COLUMNS.format("fault", "times", "samples", "mails", "mails", "identity", "time to", "memory", ""))
    print(_COLUMNS.format("", "", "lost", "lost", "doubled", "holds", "recover", "", ""), flush=True)
    end = monotonic() + options.minutes * 60
    while True:
        # Two at a time: each waits most of its time, and what is broken here is never the machine's speed.
        with ThreadPoolExecutor(max_workers=1 if options.alone else 2) as players:
            for row in players.map(_play, rows, repeat(seed)):
                if monotonic() >= end:
                    print(row.line(), flush=True)
        if monotonic() >= end:
            break
        seed += 1
    print("\n* twice with the same Message-ID: the server may have taken what it never confirmed; never zero times.")
    for row in rows:
        for wrong in row.wrong[:20]:
            print(f"{row.fault.name}: {wrong}")
    return 0 if all(row.kept for row in rows) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description="Break the monitor and count.")
    parser.add_argument("--seed", type=int, help="plays the same again")
    parser.add_argument("--only", default="", help="only faults with this in their name")
    parser.add_argument("--alone", action="store_true", help="one at a time")
    parser.add_argument("--minutes", type=float, default=0.0, help="go on with further seeds for so long")
    return parser.parse_args()


def _inside(arguments: list[str]) -> int:
    """The same in a mount namespace of its own, so that disks and names can be broken without touching anybody's."""
    plain = [sys.executable, "-m", "tests.faults", *arguments]
    for way in (["unshare", "--mount"], ["unshare", "--user", "--map-root-user", "--mount"]):
        if shutil.which("unshare") and subprocess.run([*way, "true"], capture_output=True, check=False).returncode == 0:
            return subprocess.run(
                [*way, *plain], env={**os.environ, "LOKETWACHT_FAULTS_INSIDE": "1"}, check=False
            ).returncode
    return subprocess.run(plain, env={**os.environ, "LOKETWACHT_FAULTS_INSIDE": "0"}, check=False).returncode


def _play(row: Row, seed: int) -> Row:
    fault = row.fault
    row.not_played = fault.needs()
    if row.not_played is not None:
        return row
    folder = Path(tempfile.mkdtemp(prefix="loketwacht-fault-"))
    row.times += 1
    wrong: list[str] = []
    try:
        with World(authority(folder)) as world:
            scene = Scene(
                world=world,
                folder=folder / "place",
                chance=random.Random(f"{seed} {fault.name}"),
                journeys=tuple(f"j{number:02}" for number in range(fault.journeys)),
                interval_s=fault.interval_s,
                portal_host=fault.host,
            )
            scene.more = fault.more(scene)
            with scene:
                try:
                    fault.story(scene)
                    code = scene.end()
                    if code != 0:
                        wrong.append(f"it ended with code {code}")
                except Stuck as stuck:
                    wrong.append(str(stuck))
                except (AssertionError, OSError, subprocess.CalledProcessError, sqlite3.Error) as error:
                    wrong.append(f"{type(error).__name__}: {error}")
                if scene.process is not None and scene.process.poll() is None:
                    scene.process.kill()
                    scene.process.wait(10)
                try:
                    _count(row, scene, _reckoned(scene), wrong)
                except StoreError as error:
                    wrong.append(f"its store cannot be read: {error}")
                if scene.data.is_mount():
                    subprocess.run(["umount", str(scene.data)], check=False)
    finally:
        if wrong:
            row.wrong += [*wrong, f"its log and store were kept in {folder}; seed {seed}"]
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return row


def _reckoned(scene: Scene) -> Reckoning:
    evidence = Evidence(
        location=LOCATION,
        seen=scene.seen,
        served=[visit for visit in scene.world.served if visit.journey in scene.journeys],
        arrived=scene.world.post.arrived,
        outages=scene.outages,
        lives=scene.lives,
        refused=set(scene.world.post.rcpt),
    )
    return reckon(scene.database, scene.folder / "contract.toml", evidence)


def _count(row: Row, scene: Scene, found: Reckoning, wrong: list[str]) -> None:
    row.lost += len(found.lost)
    row.mails_lost += len(found.mails_lost)
    row.mails_doubled += len(found.mails_doubled)
    row.slots += len(found.slots)
    row.recovered_s = max(row.recovered_s, scene.recovered_s)
    wrong += found.lost + found.mails_lost + found.slots + found.others
    if not row.fault.may_double:
        wrong += found.mails_doubled
    steady = scene.memory[len(scene.memory) // 4 :]
    if steady and steady[0]:
        row.growth = max(row.growth, max(steady) / steady[0] - 1)
        if row.growth > _GROWTH:
            wrong.append(f"its memory grew by {row.growth:.0%} while it was looked at")


if __name__ == "__main__":
    sys.exit(main())
