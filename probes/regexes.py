"""Regular expressions over pages, within a bound of time.

Python's engine cannot be interrupted and holds the interpreter while it searches, so one unlucky expression on one
unlucky page would stop the whole service. Those that can take long are searched in a process of their own, which is
ended when it does; the rest, nearly all, are searched at once. A run awaits that process in a thread, so the event loop
goes on (`may_wait` tells when). Other engines would keep to a bound by themselves, but RE2 knows no look-around and
reads `$` and what a digit or letter is otherwise, and `regex` differs in small things too: an expression would not mean
what it is documented to mean, which is what Python says.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import re
import select
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

#: A regular expression searches no further than this many characters.
SEARCHED = 1024 * 1024
#: How long one search may take.
PATIENCE_SECONDS = 0.5
#: A single repetition costs at most the square of this in steps, which is a matter of milliseconds.
_SHORT = 4 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What an expression matched: all of it, and its first group (all where it has none, None where unused)."""

    whole: str
    group: str | None


Search = Callable[[str, str], Found | None]


class TooSlowError(RuntimeError):
    """An expression took too long on this text."""


def search_at_once(pattern: str, text: str) -> Found | None:
    """The first match within the searched part of a text, found here and now, however long it takes."""
    match = re.search(pattern, text[:SEARCHED])
    if match is None:
        return None
    return Found(whole=match[0], group=match[1] if match.re.groups else match[0])


def may_wait(pattern: str, length: int) -> bool:
    """Whether a search in a text of this length may be left to the other process, and so has to be waited for."""
    unbounded, risky = _repetitions(pattern)
    return unbounded > 0 and (risky or length > _SHORT)


def search_bounded(pattern: str, text: str) -> Found | None:
    """The same within a bound of time.

    Raises:
        TooSlowError: where the bound was passed.
    """
    if not may_wait(pattern, len(text)):
        return search_at_once(pattern, text)
    return _worker().search(pattern, text[:SEARCHED])


@lru_cache(maxsize=1024)
def _repetitions(pattern: str) -> tuple[int, bool]:
    """How many repetitions without an end a pattern has, and whether they may cost more than the square of the text."""
    bare = re.sub(r"\\.", "e", pattern, flags=re.DOTALL)
    bare = re.sub(r"\[\^?\]?[^\]]*\]", "k", bare)
    unbounded = len(re.findall(r"[*+]|\{\d*,\d*\}", re.sub(r"[*+}][?+]", lambda m: m[0][0], bare)))
    return unbounded, unbounded > 1 or re.search(r"\)[*+{]|\(\?P=", bare) is not None


class _Worker:
    """The other process; started when first needed, again after it had to be ended."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def search(self, pattern: str, text: str) -> Found | None:
        with self._lock:
            try:
                answer = self._ask(pattern.encode("utf-8", "surrogatepass"), text.encode("utf-8", "surrogatepass"))
            except BaseException:
                # Also when the waiting itself was interrupted: an answer to an earlier question must never be read.
                self.end()
                raise
        return None if answer is None else Found(whole=answer[0], group=answer[1])

    def _ask(self, pattern: bytes, text: bytes) -> list[str] | None:
        process = self._process
        if process is None or process.poll() is not None:
            self.end()
            process = self._process = subprocess.Popen(  # noqa: S603 - our own file, by our own interpreter
                [sys.executable, "-I", "-S", str(Path(__file__).with_name("regex_worker.py"))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={},  # secrets in ours are none of its business
            )
            _read(process, 1, seconds=10.0)  # it is ready; starting it is not the expression's fault
        assert process.stdin is not None
        process.stdin.write(struct.pack(">II", len(pattern), len(text)) + pattern + text)
        process.stdin.flush()
        (length,) = struct.unpack(">I", _read(process, 4, seconds=PATIENCE_SECONDS))
        answer: list[str] | None = json.loads(_read(process, length, seconds=PATIENCE_SECONDS))
        return answer

    def end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(OSError):
                process.kill()
            with process:
                pass


def _read(process: subprocess.Popen[bytes], length: int, *, seconds: float) -> bytes:
    """Past Python's own buffer, which `select` knows nothing of."""
    assert process.stdout is not None
    data = b""
    # Not select(): with a thousand connections open, the number of this pipe may be beyond what it can hold.
    waiting = select.poll()
    waiting.register(process.stdout, select.POLLIN)
    while len(data) < length:
        if not waiting.poll(seconds * 1000):
            raise TooSlowError(f"took longer than {seconds:g} s")
        piece = os.read(process.stdout.fileno(), length - len(data))
        if not piece:
            raise TooSlowError("the process that searches ended")
        data += piece
    return data


@lru_cache(maxsize=1)
def _worker() -> _Worker:
    worker = _Worker()
    atexit.register(worker.end)
    return worker
