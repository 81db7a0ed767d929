"""What failing browser runs leave behind: processes, memory, open files, folders, before and after many of them.

`python -m benchmarks.browser_leaks [RUNS]`: each kind of failure in turn, 200 runs unless told otherwise. Ends with 1
where anything is left. A run is bounded by its own deadline, so the whole is too.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from time import monotonic
from typing import Any

from monitor.clock import monotonic_us, new_id, wall_us
from probes.browser.definition import BrowserJourney, ChromiumSettings
from probes.browser.keeper import descendants
from probes.browser.running import Browsers
from probes.checks import Portal
from probes.run import run
from probes.sample import Sample
from probes.setup import Setup

#: Our own process may have grown by so much; the first runs fill caches, so counting begins after them.
GROWTH_KIB = 8 * 1024
_WARM_UP = 5

_NEVER_ANSWERED = frozenset({"/nooit", "/gedood", "/afgebroken"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What this process holds at one moment."""

    processes: int
    chromium: int
    memory_kib: int
    files: int
    folders: int

    @classmethod
    def now(cls) -> Counts:
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return cls(
            processes=len(descendants(os.getpid())),
            chromium=sum(_is_chromium(entry) for entry in Path("/proc").iterdir() if entry.name.isdigit()),
            memory_kib=int(status.partition("VmRSS:")[2].split()[0]),
            files=len(list(Path("/proc/self/fd").iterdir())),
            folders=len(list(Path(tempfile.gettempdir()).iterdir())),
        )


def _is_chromium(process: Path) -> bool:
    with contextlib.suppress(OSError):
        return f"HOME={tempfile.gettempdir()}/".encode() in (process / "environ").read_bytes()
    return False


def _is_page(pid: int) -> bool:
    return b"--type=renderer" in Path(f"/proc/{pid}/cmdline").read_bytes()


def _journey(path: str, deadline: str) -> BrowserJourney:
    step = {"id": "pagina", "goto": path, "expect": {"visible": "#er-niet"}}
    about = {"id": "valt", "title": {"nl": "Valt", "en": "Fails"}, "interval": "1m", "wait": "200ms"}
    return BrowserJourney.model_validate(about | {"deadline": deadline, "step": [step]})


#: name -> the page and how long it may take
FAILURES = {
    "assertion": ("/", "10s"),
    "status": ("/stuk", "10s"),
    "timeout": ("/nooit", "600ms"),
    "browser killed": ("/gedood", "20s"),
    "cancelled": ("/afgebroken", "20s"),
    "busy script": ("/druk", "600ms"),
}


class _Site:
    """Answers by path, some of them never, and tells when it was asked."""

    def __init__(self) -> None:
        self.base_url = ""
        self._asked: dict[str, asyncio.Event] = defaultdict(asyncio.Event)

    async def __aenter__(self) -> _Site:
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.base_url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def in_the_middle(self, path: str, running: asyncio.Future[Sample]) -> None:
        """Waits until that page is asked, or the run is over without."""
        self._asked[path].clear()
        asked = asyncio.ensure_future(self._asked[path].wait())
        either: set[asyncio.Future[Any]] = {asked, running}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.split()[1].decode("ascii")
            self._asked[path].set()
            if path in _NEVER_ANSWERED:
                await reader.read()  # until the other side gives up
            status = b"500 Stuk" if path == "/stuk" else b"200 OK"
            body = b"<script>for(;;){}</script>" if path == "/druk" else b"<h1>Dag</h1>"
            writer.write(b"HTTP/1.1 %b\r\nContent-Type: text/html\r\nConnection: close\r\n" % status)
            writer.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
            await writer.drain()
        writer.close()


async def _fail(setup: Setup, site: _Site, name: str) -> str:
    """One run that fails in the way of that name; how it ended."""
    path, deadline = FAILURES[name]
    running = asyncio.ensure_future(run(_journey(path, deadline), slot_us=wall_us(), location="hier", setup=setup))
    if name == "browser killed":
        await site.in_the_middle(path, running)
        _kill_browsers()
    elif name == "cancelled":
        await site.in_the_middle(path, running)
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        return "cancelled"
    sample = await running
    return f"{sample.outcome.value} {sample.failure.kind.value if sample.failure else ''}"


def _kill_browsers() -> None:
    """Ends the browsers of this process, one of which has a page open."""
    for pid in descendants(os.getpid()):
        with contextlib.suppress(OSError):
            if _is_page(pid):
                os.kill(os.getsid(pid), signal.SIGKILL)


async def measured(runs: int) -> tuple[Counts, Counts, Counter[tuple[str, str]]]:
    """Counts before and after so many failing runs, and how often each failure ended how."""
    usual, tempfile.tempdir = tempfile.tempdir, None
    with tempfile.TemporaryDirectory(prefix="browser-leaks-") as own:
        # A folder of our own tells the browsers of this process from those of others.
        tempfile.tempdir = own
        try:
            return await _measured(runs)
        finally:
            tempfile.tempdir = usual


async def _measured(runs: int) -> tuple[Counts, Counts, Counter[tuple[str, str]]]:
    ended: Counter[tuple[str, str]] = Counter()
    async with _Site() as site:
        setup = Setup(
            portal=Portal(name="Proef", base_url=site.base_url, contact="https://loketwacht.example"),
            now_us=wall_us,
            monotonic_us=monotonic_us,
            new_id=new_id,
            browsers=Browsers(ChromiumSettings(concurrency=2)),
        )
        for name in islice(cycle(FAILURES), _WARM_UP if runs > len(FAILURES) else 1):
            await _fail(setup, site, name)
        before = await _settled()
        for pair in _pairs(list(islice(cycle(FAILURES), runs))):
            together = [name for name in pair if name != "browser killed"]
            for name, how in zip(
                together, await asyncio.gather(*(_fail(setup, site, n) for n in together)), strict=True
            ):
                ended[(name, how)] += 1
            for name in set(pair) - set(together):
                ended[(name, await _fail(setup, site, name))] += 1
        return before, await _settled(), ended


def _pairs(names: list[str]) -> list[list[str]]:
    return [names[at : at + 2] for at in range(0, len(names), 2)]


async def _settled() -> Counts:
    """After what was cancelled has had the time to end."""
    for _ in range(150):
        now = Counts.now()
        if not now.processes + now.folders:
            break
        await asyncio.sleep(0.1)
    await asyncio.sleep(0.5)
    return Counts.now()


def leaks(before: Counts, after: Counts) -> list[str]:
    """What is left over, in words; nothing where nothing is."""
    left = [
        f"{name}: {getattr(before, name)} before, {getattr(after, name)} after"
        for name in ("processes", "chromium", "files", "folders")
        if getattr(after, name) > getattr(before, name)
    ]
    grown = after.memory_kib - before.memory_kib
    return left + ([f"memory: {grown} KiB more"] if grown > GROWTH_KIB else [])


def main() -> int:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    began = monotonic()
    before, after, ended = asyncio.run(measured(runs))
    print(f"{runs} failing browser runs in {monotonic() - began:.0f} s")
    for (name, how), count in sorted(ended.items()):
        print(f"  {name:<16}{how:<24}{count:>4}")
    for label, counts in (("before", before), ("after", after)):
        print(
            f"{label:<7} processes {counts.processes}, chromium {counts.chromium}, memory {counts.memory_kib} KiB, "
            f"open files {counts.files}, folders {counts.folders}"
        )
    for leak in (left := leaks(before, after)):
        print(f"LEFT BEHIND {leak}")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
