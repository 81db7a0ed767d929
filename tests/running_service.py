"""The real service in a process of its own, beside a practice portal, for tests that look at it from outside."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Any, TypeVar

import httpx
from prometheus_client.parser import text_string_to_metric_families

HERE = Path(__file__).parents[1]
_READY_S = 60.0
T = TypeVar("T")


def until(look: Callable[[], T], *, seconds: float, what: str) -> T:
    """What `look` finds, as soon as it finds something; real processes have clocks of their own to wait for."""
    end = monotonic() + seconds
    while True:
        try:
            if found := look():
                return found
        except httpx.TransportError:
            pass
        if monotonic() > end:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        sleep(0.05)


def free_ports(number: int) -> list[int]:
    """Ports below the ephemeral ones, in a range of this test process: nobody else is handed one by the kernel."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    found: list[int] = []
    first = 11_000 + worker * 700 + os.getpid() % 400
    for port in range(first, first + 300):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == number:
            return found
    raise AssertionError("no free ports")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A folder with a configuration like the one at the top of the repository, on free ports."""

    folder: Path
    portal: str

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    @property
    def database(self) -> Path:
        return self.folder / "var" / "loketwacht.db"


def a_place(
    folder: Path, *, journeys: Sequence[str] = (), every: str = "6s", deadline: str = "5s", more: str = ""
) -> Place:
    """Write the configuration.

    Args:
        journeys: only these; none takes all of them, and the contract with them.
        more: further TOML at the end.
    """
    http, https, smtp, imap, names, *references = free_ports(8)
    text = (HERE / "config.toml").read_text(encoding="utf-8")
    ports = {8781: http, 8782: https, 8725: smtp, 8793: imap, 8753: names, 8783: references[0], 8784: references[1]}
    ports |= {8785: references[2]}
    for old, new in ports.items():
        text = text.replace(str(old), str(new))
    text = text.replace("port = 8780", "port = 0").replace("port = 8790", "port = 0")
    text = text.replace('"probes/practice/journeys.toml"', '"journeys.toml"')
    text = text.replace('"sla/example/contract.toml"', '"contract.toml"').replace('max_lag = "2s"', 'max_lag = "20s"')
    if journeys:
        text = re.sub(r"\[\[contract\]\].*?\n\n", "", text, flags=re.DOTALL)
    head, *blocks = (HERE / "probes/practice/journeys.toml").read_text(encoding="utf-8").split("[[journey]]\n")
    wanted = [block for block in blocks if not journeys or block.partition('"')[2].partition('"')[0] in journeys]
    listed = "[[journey]]\n".join([head, *wanted])
    if journeys:
        listed = re.sub(r"\ndepends_on = .*", "", listed)
    listed = re.sub(r'interval = "\d+s"', f'interval = "{every}"', listed)
    listed = re.sub(r'\ndeadline = "\d+s"', f'\ndeadline = "{deadline}"', listed)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "journeys.toml").write_text(listed, encoding="utf-8")
    (folder / "contract.toml").write_bytes((HERE / "sla/example/contract.toml").read_bytes())
    (folder / "config.toml").write_text(f"{text}\n{more}", encoding="utf-8")
    return Place(folder=folder, portal=f"http://127.0.0.1:{http}")


@dataclass(kw_only=True)
class Running:
    """A service that runs; asked over HTTP, told with signals."""

    place: Place
    process: subprocess.Popen[bytes]
    log: Path
    pages: str = ""
    metrics: str = ""
    client: httpx.Client = field(default_factory=lambda: httpx.Client(trust_env=False, timeout=60))

    def started(self) -> bool:
        """Whether it told where it listens; AssertionError with its log where it ended instead."""
        assert self.process.poll() is None, self.said()
        pages = re.search(r"status page\s+(http://[\d.]+:\d+)/", self.said())
        metrics = re.search(r"metrics\s+(http://[\d.]+:\d+)/metrics", self.said())
        if pages and metrics:
            self.pages, self.metrics = pages[1], metrics[1]
        return bool(pages and metrics)

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def page(self, path: str = "/") -> str:
        return self.client.get(self.pages + path).text

    def exposition(self) -> str:
        return self.client.get(self.metrics + "/metrics").text

    def series(self, name: str) -> dict[str, float]:
        """The values of a metric by journey, or by its first label, or by "" where it has none."""
        return {
            sample.labels.get("journey", next(iter(sample.labels.values()), "")): sample.value
            for family in text_string_to_metric_families(self.exposition())
            for sample in family.samples
            if sample.name == name
        }

    def up(self) -> set[str]:
        return {journey for journey, value in self.series("probe_success").items() if value == 1}

    def mails(self, word: str, journey: str = "") -> list[dict[str, Any]]:
        """Mails with this word in the subject and the journey's title in the text, oldest first."""
        mails = self.client.get(f"{self.place.portal}/_practice/mail").json()
        return [mail for mail in mails if word in mail["subject"] and journey in mail["subject"] + mail["text"]]

    def break_it(self, **fault: object) -> None:
        self.client.post(f"{self.place.portal}/_practice/faults", json=fault).raise_for_status()

    def mend(self) -> None:
        self.client.delete(f"{self.place.portal}/_practice/faults").raise_for_status()

    def reload(self) -> None:
        self.process.send_signal(signal.SIGHUP)

    def end(self, how: signal.Signals = signal.SIGINT, *, seconds: float = 60.0) -> float:
        """End it with a signal; how many seconds that took."""
        began = monotonic()
        self.process.send_signal(how)
        self.process.wait(timeout=seconds)
        return monotonic() - began


@contextmanager
def running(
    place: Place, *arguments: str, environment: Mapping[str, str] | None = None, name: str = "run"
) -> Iterator[Running]:
    """`loketwacht run` with these arguments until the block is left."""
    log = place.folder / f"{name}.log"
    command = [sys.executable, "-m", "monitor", "run", "--config", "config.toml", *arguments]
    with log.open("wb") as file, _process(command, place, environment or {}, file.fileno()) as process:
        service = Running(place=place, process=process, log=log)
        until(service.started, seconds=_READY_S, what="the service tells where it listens")
        try:
            yield service
        finally:
            service.client.close()


@contextmanager
def outposted(place: Place, location: str) -> Iterator[subprocess.Popen[bytes]]:
    """`loketwacht outpost` until the block is left."""
    log = place.folder / f"outpost-{location}.log"
    command = [sys.executable, "-m", "monitor", "outpost", location, "--config", "config.toml"]
    with log.open("wb") as file, _process(command, place, {}, file.fileno()) as process:

        def started() -> bool:
            said = log.read_text(encoding="utf-8")
            assert process.poll() is None, said
            return "/healthz" in said

        until(started, seconds=_READY_S, what="the outpost tells where it listens")
        yield process


@contextmanager
def practising(place: Place) -> Iterator[None]:
    """`loketwacht practice` alone, so that it outlives the service."""
    log = place.folder / "practice.log"
    command = [sys.executable, "-m", "monitor", "practice", "--config", "config.toml"]
    with log.open("wb") as file, _process(command, place, {}, file.fileno()):
        until(lambda: b"ready" in log.read_bytes(), seconds=_READY_S, what="the practice portal is ready")
        yield


def loketwacht(place: Place, *arguments: str) -> subprocess.CompletedProcess[str]:
    """One command, run to its end."""
    command = [sys.executable, "-m", "monitor", *arguments, "--config", "config.toml"]
    return subprocess.run(
        command, cwd=place.folder, env=_environment({}), capture_output=True, text=True, timeout=300, check=False
    )


@contextmanager
def _process(
    command: Sequence[str], place: Place, environment: Mapping[str, str], log: int
) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        command, cwd=place.folder, env=_environment(environment), stdout=log, stderr=log, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(timeout=10)
                except subprocess.TimeoutExpired:
                    process.kill()


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(HERE), "NO_COLOR": "1", **more}
