"""Disks of our own for a store, in the mount namespace that the faults are played in, and what breaks them."""

from __future__ import annotations

import ctypes
import fcntl
import os
import struct
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

_SIZE = 64 * 1024 * 1024
#: EXT4_IOC_SHUTDOWN, and its flag that leaves the journal unwritten: see fs/ext4/ioctl.c of Linux.
_SHUTDOWN, _WITHOUT_JOURNAL = 0x8004587D, 2
_UNMOUNT_S = 15
#: See unshare(2).
_CLONE_NEWNS = 0x00020000


def own_mounts() -> None:
    """From now on what this process mounts is seen by it and its children alone, and by no fault beside it.

    For processes that may mount; there is `os.unshare` only from Python 3.12 on.
    """
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "no mount namespace of its own")


def small(at: Path) -> None:
    """A disk in memory, small enough to be filled; it goes when this process's namespace does."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(at)], check=True)


def fill(file: Path) -> None:
    """Take every byte that is left, with this file."""
    with file.open("wb", buffering=0) as ballast:
        for piece in (bytes(65536), b"\0"):
            with suppress(OSError):
                while ballast.write(piece):
                    pass


@dataclass(frozen=True, slots=True)
class Ext4:
    """A real file system in a file, which the kernel can be told to take for broken."""

    image: Path
    at: Path

    @classmethod
    def made(cls, image: Path, at: Path) -> Ext4 | None:
        """Mounted at `at`; None where this machine lends us no loop device."""
        with image.open("wb") as file:
            file.truncate(_SIZE)
        disk = cls(image, at)
        try:
            subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True, capture_output=True)
            disk.mount()
        except (OSError, subprocess.CalledProcessError):
            return None
        return disk

    def mount(self, *, read_only: bool = False) -> None:
        """Its journal is replayed first, which needs a disk that can be written."""
        _mount("loop,errors=remount-ro", str(self.image), str(self.at))
        if read_only:
            _mount("remount,ro", str(self.at))

    def unmount(self) -> None:
        """As soon as nobody has a file of it open any more."""
        end = monotonic() + _UNMOUNT_S
        while True:
            done = subprocess.run(["umount", str(self.at)], capture_output=True, check=False)
            if done.returncode == 0:
                return
            if monotonic() > end:
                raise OSError(f"{self.at} stays in use: {done.stderr.decode().strip()}")
            sleep(0.05)

    def turn_read_only(self) -> None:
        """What the kernel does at the first error it finds: from now on every write is refused, open files' too."""
        _mount("remount,abort", str(self.at))

    def cut_power(self) -> None:
        """Nothing that was not flushed reaches the disk any more, and its journal is left as it is."""
        handle = os.open(self.at, os.O_RDONLY)
        try:
            fcntl.ioctl(handle, _SHUTDOWN, struct.pack("I", _WITHOUT_JOURNAL))
        finally:
            os.close(handle)


def bind(file: Path, over: str) -> None:
    """This file in the place of that one, for this namespace alone."""
    subprocess.run(["mount", "--bind", str(file), over], check=True)


def unbind(target: str) -> None:
    subprocess.run(["umount", target], check=True)


def _mount(options: str, *what: str) -> None:
    subprocess.run(["mount", "-o", options, *what], check=True, capture_output=True)
