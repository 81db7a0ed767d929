"""The monitor's side of browser runs: whose turn it is, one process per run, and its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import pickle
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path

from probes.browser.channel import SAID, Attendance, Done
from probes.browser.definition import BrowserJourney, ChromiumSettings
from probes.browser.exchange import Job, Visited
from probes.browser.faults import browser_trouble
from probes.checks import Portal
from probes.fault import Fault
from probes.sample import StepOutcome, StepResult
from probes.steps import CLEAN_UP_US

log = logging.getLogger(__name__)

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
#: Beyond the deadlines of all steps: for pictures and the trace, for what is told at the end, for closing the browser.
_GRACE_US = 30_000_000
_DAY_US = 86_400_000_000
#: What a run tells is some hundred kilobytes with its pictures and its trace; a line longer than this is not read.
_ANSWER_LIMIT = 48 * 1024 * 1024
#: What of our environment a browser may see: where programs are, no secrets, no proxies.
_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONPATH", "VIRTUAL_ENV", "COVERAGE_PROCESS_START")


class Budget:
    """Bytes that may be kept in a day of UTC; what a run wants to keep is taken whole or not at all."""

    def __init__(self, per_day: int) -> None:
        self._per_day = per_day
        self._day = 0
        self._spent = 0

    def takes(self, size: int, now_us: int) -> bool:
        self._turn(now_us)
        if self._spent + size > self._per_day:
            return False
        self._spent += size
        return True

    def was_kept(self, size: int, now_us: int) -> None:
        """So many bytes of this day are kept already, by whoever ran before."""
        self._turn(now_us)
        self._spent += size

    def go_on_from(self, other: Budget) -> None:
        """Begin where another one stands: a new configuration gives no new day."""
        self._day, self._spent = other._day, other._spent

    def _turn(self, now_us: int) -> None:
        day = now_us // _DAY_US
        if day != self._day:
            self._day, self._spent = day, 0


class Browsers:
    """Browser runs: so many at once, in turn."""

    def __init__(self, settings: ChromiumSettings | None = None) -> None:
        self._settings = settings or ChromiumSettings()
        self._turns = asyncio.Semaphore(self._settings.concurrency)
        self._told_sandbox = False
        self.budget = Budget(self._settings.kept_per_day)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """A place among the runs that go on at the same moment. Waiting for it is never the portal's time."""
        async with self._turns:
            yield

    def executable(self) -> str | None:
        """The browser's path; None where there is none."""
        if self._settings.executable is not None:
            return shutil.which(self._settings.executable)
        return next(filter(None, map(shutil.which, _NAMES)), None)

    async def visit(
        self,
        journey: BrowserJourney,
        *,
        portal: Portal,
        secrets: Mapping[str, str],
        run_id: str,
        run_time: str,
        contact: str,
        attendance: Attendance,
        given: tuple[tuple[str, str], ...] = (),
    ) -> Visited:
        """Walks a journey once, in a browser that starts for it and ends with it.

        Whatever is wrong with the browser makes a failure of kind monitor; nothing is raised but cancellation.

        Args:
            attendance: answers what the run asks of the monitor meanwhile.
            given: values by name, as if earlier steps had captured them.
        """
        try:
            executable = self.executable()
            if executable is None:
                raise browser_trouble("no Chromium was found; install it, or name it in [chromium] executable")
            if find_spec("playwright") is None:
                raise browser_trouble("Playwright is not installed; install loketwacht[browser]")
            job = Job(
                journey=journey,
                portal=portal,
                run_id=run_id,
                run_time=run_time,
                contact=contact,
                executable=executable,
                sandbox=self._sandbox(),
                start_us=self._settings.start,
                secrets=dict(secrets),
                given=given,
                listing=attendance.keep is not None,
                patience_us=_patience_us(journey, attendance, self._settings.start),
                trace=self._settings.trace,
            )
            with tempfile.TemporaryDirectory(prefix="loketwacht-browser-", ignore_cleanup_errors=True) as home:
                await _trust(portal, journey, Path(home))
                return await _in_a_process(job, Path(home), attendance)
        except Fault as fault:
            return _nothing(journey, fault)

    def _sandbox(self) -> bool:
        if self._settings.sandbox is not None:
            return self._settings.sandbox
        as_root = os.geteuid() == 0
        if as_root and not self._told_sandbox:
            self._told_sandbox = True
            log.warning(
                "Chromium refuses its sandbox as root and runs without; let the service run as a user of its own"
            )
        return not as_root


def _patience_us(journey: BrowserJourney, attendance: Attendance, start_us: int) -> int:
    """After so long a run is over for certain, its start, its clean-up and its turns included."""
    clean_up_us = sum(step.deadline or CLEAN_UP_US for step in journey.step if step.always)
    turns_us = attendance.guest.patience_us * sum(step.asks for step in journey.step)
    return start_us + journey.deadline + clean_up_us + turns_us + _GRACE_US


async def _in_a_process(job: Job, home: Path, attendance: Attendance) -> Visited:
    limit_s = job.patience_us / 1_000_000
    keeper, worker = Path(__file__).with_name("keeper.py"), ("-m", "probes.browser.worker")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", str(keeper), f"{limit_s:.3f}", str(os.getpid()), sys.executable, *worker),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=_environment(home),
        start_new_session=True,
        limit=_ANSWER_LIMIT,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    told = pickle.dumps(job)
    try:
        with contextlib.suppress(ConnectionError):
            process.stdin.write(len(told).to_bytes(8, "big") + told)
            await process.stdin.drain()
        return await _attended(process.stdin, process.stdout, attendance)
    except ValueError as error:
        # Of a line that is no word of ours, or longer than any of them.
        raise browser_trouble("the browser's process ended without an answer") from error
    finally:
        process.stdin.close()
        await _ended(process)


async def _attended(tells: asyncio.StreamWriter, hears: asyncio.StreamReader, attendance: Attendance) -> Visited:
    """Answers what the run's process asks until it says how the run went.

    Raises:
        ValueError: it says something else, or nothing any more.
    """
    while True:
        said = SAID.validate_json(await hears.readline())
        if isinstance(said, Done):
            return said.visited
        answer = await attendance.heard(said)
        with contextlib.suppress(ConnectionError):
            tells.write(answer)
            await tells.drain()


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Waits for the keeper to end what it kept; one that does not is ended too. Also where we are cancelled."""
    _signal(process, signal.SIGTERM)
    waiting = asyncio.ensure_future(process.wait())
    try:
        await asyncio.wait_for(asyncio.shield(waiting), 15)
    except TimeoutError:
        log.error("a browser run could not be ended", extra={"pid": process.pid})
        _signal(process, signal.SIGKILL)
        await waiting


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    # Not the process's own method: that one may reap it, behind the back of whoever waits for it.
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)


def _environment(home: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    return kept | {"HOME": str(home), "TMPDIR": str(home), "XDG_RUNTIME_DIR": str(home), "PYTHONDONTWRITEBYTECODE": "1"}


async def _trust(portal: Portal, journey: BrowserJourney, home: Path) -> None:
    """Puts the portal's own authorities where Chromium looks for them: an NSS database in the run's own home."""
    https = (journey.base_url or portal.base_url).startswith("https://")
    if portal.ca_file is None or not https:
        return
    certutil = shutil.which("certutil")
    if certutil is None:
        raise browser_trouble("certutil is not installed, so the browser cannot trust ca_file; install libnss3-tools")
    try:
        bundle = await asyncio.to_thread(Path(portal.ca_file).read_text, encoding="ascii")
    except (OSError, ValueError) as error:
        raise browser_trouble("ca_file cannot be read") from error
    certificates = bundle.split("-----BEGIN CERTIFICATE-----")[1:]
    database = home / ".pki" / "nssdb"
    database.mkdir(parents=True)
    commands = [["-N", "--empty-password"]]
    for number, certificate in enumerate(certificates):
        path = home / f"ca-{number}.pem"
        path.write_text(f"-----BEGIN CERTIFICATE-----{certificate}", encoding="ascii")
        commands.append(["-A", "-t", "C,,", "-n", f"loketwacht-{number}", "-i", str(path)])
    for command in commands:
        made = await asyncio.create_subprocess_exec(
            certutil,
            *("-d", f"sql:{database}", *command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        if await made.wait() != 0:
            raise browser_trouble("certutil refused ca_file")


def _nothing(journey: BrowserJourney, fault: Fault) -> Visited:
    """Nothing was measured."""
    steps = tuple(StepResult(step=step.id, outcome=StepOutcome.SKIPPED) for step in journey.step)
    return Visited(steps=steps, failure=fault.failure(None), evidence=(), duration_us=0)
