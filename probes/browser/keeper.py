"""Keeps one browser run: starts it, and leaves nothing of it behind, however it ends.

Runs as a process of its own, so that a browser that hangs, leaks or eats the memory touches neither the monitor nor the
next run. Chromium starts its processes in sessions of their own; as their subreaper this one inherits every orphan, so
whoever descends from it can be found, ended and reaped. Standard library only, for it must start at once.

`python keeper.py SECONDS PARENT COMMAND…`: ends the command after so many seconds, on SIGTERM, or when its parent dies.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

_SET_PDEATHSIG = 1
_SET_CHILD_SUBREAPER = 36
_ENDING_SECONDS = 10.0
_SIGNALS = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT)
#: Where memory runs out the kernel ends the browser first, and not the monitor.
_OOM_SCORE = "800"


def main() -> int:
    limit, parent, command = float(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    libc.prctl(_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        return 1  # it died before it could be watched
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE, encoding="ascii")
    until = time.monotonic() + limit
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    worker = subprocess.Popen(  # noqa: S603 - what our own parent asked for
        command,
        preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS),  # there are no threads here
    )
    try:
        while worker.pid not in _reaped() and (left := until - time.monotonic()) > 0:
            got = signal.sigtimedwait(_SIGNALS, left)
            if got is not None and got.si_signo != signal.SIGCHLD:
                break
    finally:
        _end_all()
    return 0


def _reaped() -> set[int]:
    """The children that have ended since this was last asked."""
    gone: set[int] = set()
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return gone
        if pid == 0:
            return gone
        gone.add(pid)


def _end_all() -> None:
    """Ends and reaps every descendant; new ones may appear while the old ones are ended, so until none is left."""
    until = time.monotonic() + _ENDING_SECONDS
    while (left := descendants(os.getpid())) and time.monotonic() < until:
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        _reaped()
        time.sleep(0.005)


def descendants(ancestor: int) -> set[int]:
    """All processes that come from this one, ended ones that nobody reaped included."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                # The name in brackets may hold anything; what follows its last bracket is state and parent.
                parents[int(entry.name)] = int(
                    (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[1]
                )
    found: set[int] = set()
    grown = True
    while grown:
        new = {pid for pid, parent in parents.items() if parent == ancestor or parent in found} - found
        grown = bool(new)
        found |= new
    return found


if __name__ == "__main__":
    sys.exit(main())
