"""A Zabbix proxy that walks web scenarios: Debian's, unpacked and not installed, with a database of its own.

Nobody gives it its configuration: the scenarios stand in its SQLite database from the start, as a server would have put
them there, and in passive mode it waits for a server that never comes. It keeps the results, as it always does.
"""

from __future__ import annotations

import contextlib
import gzip
import os
import signal
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import peers

_HOST = 10_000
#: What a scenario has items for, as `httptestitem.type` and `httpstepitem.type` number them, with their keys and kinds.
_OF_TEST = ((2, "web.test.in[{test},,bps]", 0), (3, "web.test.fail[{test}]", 3), (4, "web.test.error[{test}]", 1))
_OF_STEP = (
    (0, "web.test.rspcode[{test},{step}]", 3),
    (1, "web.test.time[{test},{step},resp]", 0),
    (2, "web.test.in[{test},{step},bps]", 0),
)
_WEB_ITEM = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Pages that are asked one after the other, once a second; each must have that text on it."""

    name: str
    addresses: tuple[str, ...]
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy under way: the process that was started, and all it started."""

    process: peers.Running

    @property
    def poller_cpu_s(self) -> float:
        """Of the HTTP poller alone, which walks the scenarios."""
        return sum(peers.cpu_of(pid) for pid in self._pids() if b"http poller" in _title(pid))

    @property
    def whole_cpu_s(self) -> float:
        """Of all its processes: configuration, history, preprocessing and keeping house too."""
        return sum(map(peers.cpu_of, self._pids()))

    def rest(self) -> None:
        """Stand still, so that somebody else may be measured on the same core."""
        for pid in self._pids():
            os.kill(pid, signal.SIGSTOP)

    def go_on(self) -> None:
        for pid in self._pids():
            os.kill(pid, signal.SIGCONT)

    def _pids(self) -> tuple[int, ...]:
        return tuple(peers.family(self.process.pid))


def _title(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


@contextmanager
def proxy(folder: Path, scenarios: tuple[Scenario, ...], *, core: int) -> Iterator[Proxy]:
    """A proxy that walks these scenarios with one HTTP poller, until the block ends.

    Args:
        folder: its own; `authorities` in it holds the certificates it trusts.
    """
    database = folder / "proxy.db"
    with closing(sqlite3.connect(database)) as store:
        store.executescript(gzip.decompress(peers.ZABBIX_SCHEMA.read_bytes()).decode())
        store.execute("PRAGMA journal_mode = WAL")
        _configure(store, scenarios)
        store.commit()
    port = _free_port()
    settings = folder / "proxy.conf"
    settings.write_text(
        f"""ProxyMode=1
Server=127.0.0.1
Hostname=proef
ListenIP=127.0.0.1
ListenPort={port}
DBName={database}
LogFile={folder / "proxy.log"}
PidFile={folder / "proxy.pid"}
SocketDir={folder}
SSLCALocation={folder / "authorities"}
AllowRoot=1
StartPollers=0
StartPollersUnreachable=0
StartPingers=0
StartDiscoverers=0
StartTrappers=1
StartPreprocessors=1
StartDBSyncers=1
StartHistoryPollers=0
StartHTTPPollers=1
HousekeepingFrequency=0
Timeout=10
""",
        encoding="utf-8",
    )
    libraries = ":".join(str(path) for path in peers.LIBRARIES if path.exists())
    command = ["env", f"LD_LIBRARY_PATH={libraries}", str(peers.ZABBIX), "-f", "-c", str(settings)]
    with peers.running(command, core=core, log=folder / "proxy.out") as process:
        peers.until_listening(port)
        running = Proxy(process)
        deadline = time.monotonic() + 10
        while not running.poller_cpu_s and time.monotonic() < deadline:
            time.sleep(0.05)
        try:
            yield running
        finally:
            running.go_on()


def _free_port() -> int:
    """One that is free; of this program only those below 32768 may be chosen, so the system's own choice is no good."""
    for port in range(28_000, 32_000):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise OSError("no port between 28000 and 32000 is free")


def _configure(store: sqlite3.Connection, scenarios: tuple[Scenario, ...]) -> None:
    numbers = iter(range(1, 1_000_000))
    store.execute("INSERT INTO hosts (hostid, host, name, status) VALUES (?, 'loket', 'loket', 0)", (_HOST,))

    def item(key: str, kind: int) -> int:
        number = next(numbers)
        store.execute(
            "INSERT INTO items (itemid, type, hostid, name, key_, delay, value_type) VALUES (?, ?, ?, ?, ?, '1s', ?)",
            (number, _WEB_ITEM, _HOST, key, key, kind),
        )
        # Without this row the proxy does not know the item, and throws its values away.
        store.execute("INSERT INTO item_rtdata (itemid) VALUES (?)", (number,))
        return number

    for scenario in scenarios:
        test = next(numbers)
        store.execute(
            "INSERT INTO httptest (httptestid, name, delay, hostid, verify_peer, verify_host) "
            "VALUES (?, ?, '1s', ?, 1, 1)",
            (test, scenario.name, _HOST),
        )
        for code, key, kind in _OF_TEST:
            number = item(key.format(test=scenario.name), kind)
            store.execute("INSERT INTO httptestitem VALUES (?, ?, ?, ?)", (next(numbers), test, number, code))
        for position, (address, text) in enumerate(zip(scenario.addresses, scenario.texts, strict=True), start=1):
            step, name = next(numbers), f"stap {position}"
            store.execute(
                "INSERT INTO httpstep (httpstepid, httptestid, name, no, url, required, status_codes) "
                "VALUES (?, ?, ?, ?, ?, ?, '200')",
                (step, test, name, position, address, text),
            )
            for code, key, kind in _OF_STEP:
                number = item(key.format(test=scenario.name, step=name), kind)
                store.execute("INSERT INTO httpstepitem VALUES (?, ?, ?, ?)", (next(numbers), step, number, code))
