"""`python -m tests.faults`: break the real process in every way we know, and count what is lost.

Prints a row per fault and ends with 1 unless every zero that is promised is one, with 3 where one was never played.
The seed that is printed plays the same again. `--minutes` repeats everything with new seeds until they have passed
(`make soak`).
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import count
from time import monotonic

from tests.faults.faults import FAULTS
from tests.faults.playing import STARVED, Played, play_in_time
from tests.faults.starvation import Starvation
from tests.faults.table import Row, head

#: What has not begun by then is told as not played: the command is promised to end within a quarter of an hour.
_LAST_BEGINS_S = 740


def main() -> int:
    options = _options()
    if os.environ.get("LOKETWACHT_FAULTS_INSIDE") is None:
        return _inside(sys.argv[1:])
    rows = {fault.name: Row(fault=fault) for fault in FAULTS if options.only in fault.name}
    if not rows:
        print(f'no fault has "{options.only}" in its name; they are: {", ".join(f.name for f in FAULTS)}')
        return 2
    first = options.seed if options.seed is not None else random.SystemRandom().randrange(10**6)
    print(f"seed {first}; play one again with: python -m tests.faults --seed {first} --only NAME\n")
    print(head(), flush=True)
    soak = options.minutes > 0
    for played in _all(tuple(rows), first, alone=options.alone, minutes=options.minutes):
        row = rows[played.name]
        row.add(played)
        if not soak:
            print(row.line(), flush=True)
        elif played.wrong:
            print(f"seed {played.seed}: {played.name} is BROKEN", flush=True)
    if soak:
        print("\n".join(row.line() for row in rows.values() if row.times or row.not_played))
    print("\n* twice with the same Message-ID: the server may have taken what it never confirmed; never zero times.")
    paces = [row.pace for row in rows.values()]
    if max(paces) > 1.05:
        print(f"This machine was starved: intervals, deadlines and waits were up to {max(paces):.1f} times as long.")
    for row in rows.values():
        for wrong in row.wrong[:20]:
            print(f"{row.fault.name}: {wrong}")
    if any(row.wrong for row in rows.values()):
        return 1
    left_out = [row.fault.name for row in rows.values() if not row.times]
    if left_out:
        print(f"Nothing that was played is broken; not played: {', '.join(left_out)}.")
    return 3 if left_out else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description="Break the monitor and count.")
    parser.add_argument("--seed", type=int, help="plays the same again")
    parser.add_argument("--only", default="", help="only faults with this in their name")
    parser.add_argument("--alone", action="store_true", help="one at a time")
    parser.add_argument("--minutes", type=float, default=0.0, help="go on with further seeds for so long")
    return parser.parse_args()


def _inside(arguments: list[str]) -> int:
    """The same in a mount namespace of its own, so that disks and names can be broken without touching anybody's.

    Where processes may have a namespace too, none of them outlives the command, however it ends.
    """
    plain = [sys.executable, "-m", "tests.faults", *arguments]
    together = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    as_user = ["--user", "--map-root-user"]
    for options in (together, ["--mount"], [*as_user, *together], [*as_user, "--mount"]):
        way = ["unshare", *options]
        if shutil.which("unshare") and subprocess.run([*way, "true"], capture_output=True, check=False).returncode == 0:
            return subprocess.run(
                [*way, *plain], env={**os.environ, "LOKETWACHT_FAULTS_INSIDE": "1"}, check=False
            ).returncode
    return subprocess.run(plain, env={**os.environ, "LOKETWACHT_FAULTS_INSIDE": "0"}, check=False).returncode


def _all(names: tuple[str, ...], first: int, *, alone: bool, minutes: float) -> Iterator[Played]:
    """Every fault once with the first seed; with `minutes`, on and on with the next, until they have passed."""
    last = monotonic() + (minutes * 60 if minutes else _LAST_BEGINS_S)
    # Each waits most of its time, and what is broken here is never the machine's speed. Among many one more finds its
    # place, and the quarter of an hour is kept.
    at_once = 1 if alone else 2 if Starvation().calibrate() < STARVED else 3
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tests.faults.playing"])
    with ProcessPoolExecutor(at_once, mp_context=processes, max_tasks_per_child=1) as players:
        for seed in count(first):
            # A soak that ends half-way has not always played the same half.
            order = random.Random(seed).sample(names, len(names)) if minutes else names
            yield from players.map(play_in_time, order, [seed] * len(order), [last] * len(order))
            if not minutes or monotonic() >= last:
                return


if __name__ == "__main__":
    sys.exit(main())
