"""One monitor, the real process with a real store, in a world of ours; and what is asked of it while it lives."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from threading import Event, Lock, Thread
from time import monotonic, sleep

from tests.faults.starvation import Allowance, Starvation
from tests.faults.world import World, now_us

HERE = Path(__file__).parents[2]
LOCATION = "hier"
READERS = ("wacht@loket.example", "tweede@loket.example", "derde@loket.example")


class Stuck(Exception):  # noqa: N818 - it is a verdict on the monitor, not an error of ours
    """Something that had to happen did not, in the time it had."""


class Unplayable(Exception):  # noqa: N818 - it is a verdict on the machine
    """This machine lacks what the story breaks things with; the message says what."""


@dataclass(frozen=True, slots=True)
class Life:
    """From one start of the process to when it was asked to end, and its end.

    Attributes:
        kept_until_us: since when nothing could be stored any more, to the end; None where something always could.
    """

    began_us: int
    asked_us: int
    ended_us: int
    killed: bool
    kept_until_us: int | None = None


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory of the process over one life, in MB: when it had all it needs, at its most, and in the end."""

    before: float
    highest: float
    after: float

    @property
    def growth(self) -> float:
        """How far it rose, as a share of what it was."""
        return self.highest / self.before - 1


@dataclass
class Scene:
    """A place with a configuration, the process that runs there, and what was seen of its store.

    Attributes:
        pace: everything that is timed, intervals and deadlines too, takes so many times as long; for a starved machine.
        journeys: names of the journeys; each visits the page of its name.
        over_https: those of them that go to the portal's encrypted door.
        stood_in: what stood in for the real thing, where this machine lacks that; empty where nothing did.
        memories: of each life that lasted long enough to tell.
        seen: per (check, slot) the run that was found in the store at any time: acknowledged for ever.
        outages: journeys that were broken long enough for an incident; each must have one, and mails.
    """

    world: World
    folder: Path
    chance: random.Random
    journeys: tuple[str, ...]
    starvation: Starvation = field(default_factory=Starvation)
    pace: float = 1.0
    interval_s: float = 1.5
    more: str = ""
    portal_host: str = "127.0.0.1"
    over_https: tuple[str, ...] = ()
    stood_in: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    seen: dict[tuple[str, int], str] = field(default_factory=dict)
    outages: set[str] = field(default_factory=set)
    lives: list[Life] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = None
    recovered_s: float = 0.0
    memories: list[Memory] = field(default_factory=list)
    _resident: list[float] = field(default_factory=list)
    _looking: Lock = field(default_factory=Lock)

    @property
    def data(self) -> Path:
        return self.folder / "var"

    @property
    def database(self) -> Path:
        return self.data / "loketwacht.db"

    def __enter__(self) -> Scene:
        self.data.mkdir(parents=True, exist_ok=True)
        (self.folder / "config.toml").write_text(self._config(), encoding="utf-8")
        (self.folder / "contract.toml").write_text(contract_text(self.journeys), encoding="utf-8")
        self._over = Event()
        self._watching = Thread(target=self._watch, daemon=True)
        self._watching.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._watching.join(10)
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)

    # -- the process ---------------------------------------------------------------------------------------------------

    def start(self, **environment: str) -> None:
        """Start the monitor and wait until each journey has a sample of this life."""
        self.launch(**environment)
        self.fresh(seconds=60)
        self._resident.clear()  # from here on it has all it needs, and should stay as it is

    def launch(self, **environment: str) -> None:
        self._began_us = now_us()
        with (self.folder / "run.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "monitor", "run", "--config", "config.toml"],
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": str(HERE), "NO_COLOR": "1", **self.environment, **environment},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def end(self, how: signal.Signals = signal.SIGTERM, *, kept_until_us: int | None = None) -> int:
        """End it; its exit code. What it had in its hands when it was killed it need not know of."""
        assert self.process is not None
        asked_us = now_us()
        self.signal(how)
        allowed = Allowance(40, self.starvation)
        while self.process.poll() is None:
            if allowed.is_over():
                self.process.kill()
                self.process.wait(10)
                raise Stuck(f"it did not end within {allowed} of being asked to")
            sleep(0.02)
        self._weigh()
        self.lives.append(Life(self._began_us, asked_us, now_us(), how is signal.SIGKILL, kept_until_us))
        return self.process.returncode

    def refused(self, *, because: str, seconds: float = 40) -> None:
        """Start it where it must not start: it ends by itself, with a code, and says so."""
        log = self.folder / "run.log"
        before = len(log.read_bytes())
        self.launch()
        assert self.process is not None
        allowed = Allowance(seconds, self.starvation)
        while (code := self.process.poll()) is None:
            if allowed.is_over():
                raise Stuck(f"it goes on after {allowed} where it had to refuse ({because})")
            sleep(0.02)
        self.process = None
        said = log.read_bytes()[before:].decode(errors="replace")
        if code == 0 or because not in said:
            raise Stuck(f'it refused with code {code}, and did not say "{because}": {said[-500:]}')

    def signal(self, which: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(which)

    def _resident_mb(self) -> float:
        """Resident memory of the process itself; the portal's answers come from ours."""
        assert self.process is not None
        with suppress(OSError):
            for line in Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii").splitlines():
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) / 1024
        return 0.0

    def _weigh(self) -> None:
        """Note the memory of the life that ended; one too short to tell is left out."""
        found = [mb for mb in self._resident if mb]
        edge = max(1, len(found) // 5)
        if len(found) >= 2 * edge and edge > 1:
            self.memories.append(Memory(median(found[:edge]), max(found), median(found[-edge:])))
        self._resident.clear()

    # -- waiting -------------------------------------------------------------------------------------------------------

    def until(self, holds: Callable[[], bool], *, seconds: float, what: str) -> None:
        allowed = Allowance(seconds * self.pace, self.starvation)
        while not holds():
            if self.process is not None and self.process.poll() is not None:
                raise Stuck(f"the process ended with code {self.process.returncode} while we waited: {what}")
            if allowed.is_over():
                raise Stuck(f"not within {allowed}: {what}")
            sleep(0.05)

    def pause(self, seconds: float) -> None:
        """Let the fault last."""
        sleep(seconds * self.pace)

    def fresh(self, *, seconds: float) -> None:
        """Wait until every journey has been visited well from now on, and that visit is in the store."""
        since_us = now_us()

        def stored() -> bool:
            wanted = {s.journey: s.run_id for s in self.world.served if s.well and s.at_us >= since_us}
            known = set(self.seen.values())
            late = {s.journey for s in self.world.served if s.at_us >= since_us and s.run_id in known and s.well}
            return wanted.keys() >= set(self.sound) and late >= set(self.sound)

        self.until(stored, seconds=seconds, what="every journey is measured again")

    @property
    def sound(self) -> list[str]:
        """Journeys that are served well now."""
        return [name for name in self.journeys if self.world.modes.get(name, "ok") == "ok"]

    def break_it(self, journey: str) -> None:
        """The portal fails this journey, until every reader has heard of it or `mend` comes first."""
        self.world.modes[journey] = "500"
        self.outages.add(journey)

    def mend(self, journey: str) -> None:
        self.world.modes.pop(journey, None)

    def told(self, word: str, journey: str) -> bool:
        """Whether a mail with this word in its subject about this journey came to every reader who can be reached."""
        reached = {a.recipient for a in self.world.post.arrived if word in a.subject and f"Reis {journey}" in a.subject}
        return reached >= {r for r in READERS if r not in self.world.post.rcpt}

    def recovered(self, *, seconds: float = 60) -> None:
        """From now, the end of the fault: how long until all is measured, stored and told again."""
        began = monotonic()
        self.fresh(seconds=seconds)
        self.until(lambda: not self.waiting(), seconds=max(1.0, seconds - (monotonic() - began)), what="no mail waits")
        self.recovered_s = max(self.recovered_s, monotonic() - began)

    def waiting(self) -> int:
        """How many mails wait in the outbox; one where it cannot be read."""
        with suppress(sqlite3.Error), closing(self._look()) as store:
            return int(store.execute("SELECT count(*) FROM message WHERE state = 'pending'").fetchone()[0])
        return 1

    def problems(self) -> list[str]:
        """What the process says of its own health, to whoever asks."""
        said = (self.folder / "run.log").read_text(encoding="utf-8", errors="replace")
        address = said.rpartition("health ")[2].split()[0]
        try:
            with urllib.request.urlopen(address, timeout=10 * self.pace) as answer:
                found = json.load(answer)
        except urllib.error.HTTPError as error:
            found = json.load(error)
        return list(found["problems"])

    # -- looking -------------------------------------------------------------------------------------------------------

    def _look(self) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=1)

    def _watch(self) -> None:
        """Notes what is in the store, again and again, as somebody beside it would."""
        while not self._over.wait(0.25):
            with self._looking:
                self.note()

    @contextmanager
    def unwatched(self) -> Iterator[None]:
        """Nobody of us has the store open meanwhile, so that its disk can be taken away."""
        with self._looking:
            yield

    def note(self) -> None:
        with suppress(sqlite3.Error), closing(self._look()) as store:
            rows = store.execute("SELECT check_id, slot_us, run_id FROM sample_detail").fetchall()
            for check_id, slot_us, run_id in rows:
                self.seen.setdefault((check_id, slot_us), run_id)
        if self.process is not None and self.process.poll() is None:
            self._resident.append(self._resident_mb())

    # -- the place -----------------------------------------------------------------------------------------------------

    def _config(self) -> str:
        world = self.world
        head = _HEAD.format(
            location=LOCATION,
            host=self.portal_host,
            portal=world.portal_port,
            references=world.references_port,
            smtp=world.smtp_port,
            ca=world.authority.file,
            lag=_milliseconds(0.3 * self.pace),
            reference=_milliseconds(0.5 * self.pace),
        )
        people = "".join(f'[[recipient]]\naddress = "{reader}"\n' for reader in READERS)
        interval, deadline = (_milliseconds(self.interval_s * self.pace * part) for part in (1, 0.6))
        https = f'base_url = "https://127.0.0.1:{world.https_port}"\n'
        walks = "".join(
            _JOURNEY.format(
                name=name, interval=interval, deadline=deadline, base=https if name in self.over_https else ""
            )
            for name in self.journeys
        )
        return head + people + walks + self.more


def _milliseconds(seconds: float) -> str:
    return f"{round(seconds * 1000)}ms"


def contract_text(journeys: Iterable[str]) -> str:
    """A contract by which all these journeys are to be available at all times."""
    return _CONTRACT.format(names=", ".join(f'"{name}"' for name in journeys))


def environment_of(clock: Path, library: str) -> Mapping[str, str]:
    """A process with these has the wall clock that stands in the file; its monotonic clock stays the kernel's."""
    return {
        "LD_PRELOAD": library,
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


_HEAD = """
[monitor]
location = "{location}"
data_dir = "var"
max_lag = "{lag}"

[portal]
name = "Proefloket"
base_url = "http://{host}:{portal}"
contact = "mailto:proef@loket.example"
ca_file = "{ca}"
private_hosts = ["{host}"]

[references]
urls = [
  "http://{host}:{references}/een", "http://{host}:{references}/twee", "http://{host}:{references}/drie",
]
deadline = "{reference}"

[incidents]
open_after = 2
close_after = 2

[pages]
port = 0

[metrics]
port = 0

[mail]
host = "127.0.0.1"
port = {smtp}
security = "none"
sender = "loketwacht@loket.example"
timeout = "8s"

# Each mail is counted by itself.
[digest]
after = 0
hourly = 0

[[contract]]
file = "contract.toml"
automatic_reports = false

"""

_JOURNEY = """
[[journey]]
id = "{name}"
title = {{ nl = "Reis {name}", en = "Journey {name}" }}
interval = "{interval}"
deadline = "{deadline}"
{base}
[[journey.step]]
id = "kijken"
path = "/{name}"
expect.status = 200
expect.text = ["goed"]
"""

_CONTRACT = """
contract = "PROEF"
authority = "Proefbestuur"
supplier = "Proef NV"
timezone = "Europe/Brussels"

[[version]]
number = 1
valid_from = 2020-01-01
valid_until = 2040-12-31

[version.windows.altijd]
weekly = ["mon-sun 00:00-24:00"]
holidays = "open"

[[version.clause]]
id = "B1"
kind = "availability"
article = "art. 1"
text = "Elke reis is beschikbaar."
scope = [{names}]
window = "altijd"
period = "month"
target = "0.99"
obligation = "result"
"""
