"""The store's file is locked, its disk is full, read-only, or without power, or it is damaged."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from time import sleep

from tests.faults import disks
from tests.faults.scene import HERE, Scene, Stuck, Unplayable
from tests.faults.stories.outages import broken_and_told, mended_and_told, until_told
from tests.faults.world import now_us


def needs_mounts() -> str | None:
    inside = os.environ.get("LOKETWACHT_FAULTS_INSIDE") == "1"
    return None if inside else "needs a mount namespace: run it as root, or where users may make namespaces"


def locked(scene: Scene) -> None:
    """Another process holds the store's write lock for thirty seconds, through the beginning of an outage."""
    scene.start()
    with closing(sqlite3.connect(scene.database, isolation_level=None, timeout=20)) as other:
        other.execute("BEGIN IMMEDIATE")
        scene.break_it("j01")
        sleep(30)
        other.execute("ROLLBACK")
    _told_after_all(scene)


def disk_full(scene: Scene) -> None:
    """Not a byte is left on the disk of the store for twelve seconds."""
    disks.small(scene.data)
    scene.start()
    scene.break_it("j01")
    ballast = scene.data / "ballast"
    disks.fill(ballast)
    _pause_unwell(scene)
    ballast.unlink()
    _told_after_all(scene)


def unwritable(scene: Scene) -> None:
    """Every write to the store's file fails for twelve seconds, and then succeeds again (a quota, a disk far away)."""
    scene.start()
    scene.break_it("j01")
    _limit(scene, "1")
    _pause_unwell(scene)
    _limit(scene, "unlimited")
    _told_after_all(scene)


def turns_read_only(scene: Scene) -> None:
    """The kernel takes the file system for broken and writes to it no more; a start on it is refused meanwhile.

    Nothing brings such a file system back but unmounting it, so the process ends in between.
    """
    disk = disks.Ext4.made(scene.folder / "disk", scene.data)
    if disk is None:
        scene.stood_in = "a limit on the process stood in: no loop device for an ext4"
        return unwritable(scene)
    scene.start()
    scene.break_it("j01")
    # A run that was answered just now, and waits a quarter of a second for others to be stored with, finds no disk.
    kept_until_us = now_us() - round(500_000 * scene.pace)
    disk.turn_read_only()
    _pause_unwell(scene)
    scene.end(kept_until_us=kept_until_us)
    with scene.unwatched():
        disk.unmount()
        disk.mount(read_only=True)
    scene.refused(because="may be read-only")
    with scene.unwatched():
        disk.unmount()
        disk.mount()
    scene.start()
    _told_after_all(scene)
    return None


def power_cut(scene: Scene) -> None:
    """The power goes at random points, three times: what was not flushed to the disk is gone."""
    disk = disks.Ext4.made(scene.folder / "disk", scene.data)
    if disk is None:
        raise Unplayable("needs a loop device and mkfs.ext4: no other disk loses what was not flushed")
    scene.start()
    for number in range(3):
        if number == 1:
            scene.break_it("j01")
        sleep(scene.chance.uniform(0.5, 3.0))
        with scene.unwatched():
            disk.cut_power()
        scene.end(signal.SIGKILL)
        with scene.unwatched():
            disk.unmount()
            disk.mount()
        scene.start()
    _told_after_all(scene)


def damaged(scene: Scene) -> None:
    """The file is damaged in three ways: each start is refused and explained, and what it explains brings it back."""
    scene.start()
    broken_and_told(scene)
    mended_and_told(scene)
    scene.end()
    backup = scene.folder / "backup.db"
    _command(scene, "db", "backup", str(backup))
    whole = scene.database.read_bytes()
    for damage in (_head, _inside, _cut_short):
        broken = damage(scene, whole)
        scene.database.write_bytes(broken)
        scene.refused(because="db restore")
        if scene.database.read_bytes() != broken:
            raise Stuck("the damaged file was written to")
    _command(scene, "db", "restore", str(backup))
    scene.start()
    scene.recovered()


def _head(scene: Scene, whole: bytes) -> bytes:
    return whole[:100] + scene.chance.randbytes(4096) + whole[4196:]


def _inside(_: Scene, whole: bytes) -> bytes:
    """The page where the samples' table begins is all zeros, as of a block that was never written."""
    at, size = _page_of(whole, "sample")
    return whole[:at] + bytes(size) + whole[at + size :]


def _cut_short(_: Scene, whole: bytes) -> bytes:
    return whole[: len(whole) // 8192 * 4096]


def _page_of(whole: bytes, table: str) -> tuple[int, int]:
    """Where the first page of a table begins in the file, and how long it is."""
    with closing(sqlite3.connect(":memory:")) as store:
        # A database in memory has no journal beside it, so two bytes of the head say that this one has none.
        store.deserialize(whole[:18] + b"\1\1" + whole[20:])
        (number,) = store.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    size = int.from_bytes(whole[16:18], "big")
    return (number - 1) * size, size


def _command(scene: Scene, *words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "monitor", *words, "--config", "config.toml"],
        cwd=scene.folder,
        env={**os.environ, "PYTHONPATH": str(HERE), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode != 0:
        raise Stuck(f"`loketwacht {' '.join(words)}` ended with code {done.returncode}: {done.stderr[-500:]}")


def _pause_unwell(scene: Scene) -> None:
    """Twelve seconds in which nothing can be stored: the process goes on, and says that it is not well."""
    scene.pause(12)
    assert scene.process is not None
    if scene.process.poll() is not None:
        raise Stuck("it ended when its store could not be written; the portal is watched by nobody then")
    if not scene.problems():
        raise Stuck("its store could not be written, and /healthz said that all is well")


def _limit(scene: Scene, size: str) -> None:
    assert scene.process is not None
    subprocess.run(["prlimit", f"--pid={scene.process.pid}", f"--fsize={size}:unlimited"], check=True)


def _told_after_all(scene: Scene) -> None:
    scene.recovered()
    until_told(scene, "STORING")
    mended_and_told(scene)
