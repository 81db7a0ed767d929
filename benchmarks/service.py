"""The whole service at 100 probes a second, beside blackbox_exporter in the same minute; its memory."""

from __future__ import annotations

import re
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks import peers
from benchmarks.harness import Figure, Process
from benchmarks.probers import Load, drive_blackbox

_CHECKS, _INTERVAL_S = 1_000, 10
_RATE = _CHECKS // _INTERVAL_S
_MEASURED_S = 20

_CONFIG = """
[monitor]
location = "bench"
data_dir = "var"
timezone = "Europe/Brussels"
[portal]
name = "Proef"
base_url = "{site}"
ca_file = "{ca_file}"
contact = "https://a.example"
ip = "4"
[mail]
host = "127.0.0.1"
port = 1
security = "none"
sender = "bench@a.example"
sender_name = "Bench"
list_id = "bench.a.example"
[[recipient]]
address = "bench@a.example"
receives = ["incidents"]
[pages]
host = "127.0.0.1"
port = {pages}
public_url = "http://127.0.0.1:{pages}"
[metrics]
host = "127.0.0.1"
port = {metrics}
"""
_JOURNEY = """
[[journey]]
id = "p-{number}"
title = {{ nl = "P", en = "P" }}
interval = "{interval}s"
deadline = "5s"
[[journey.step]]
id = "s"
path = "/"
expect = {{ status = 200, text = "Welkom aan het loket" }}
"""


def figures() -> Iterator[Figure]:
    absent = peers.missing()
    if absent:
        print(f"the whole service is left out; missing: {', '.join(absent)} (see .ci/setup bench)", file=sys.stderr)
        return
    first, last = peers.cores()
    driver = Process(first)
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            with (
                peers.nginx(folder, core=first) as (http, https),
                peers.blackbox(folder, core=last) as (exporter, port),
            ):
                for scheme, site in (("http", f"http://localhost:{http}/"), ("https", f"https://localhost:{https}/")):
                    yield from _beside(scheme, site, folder, driver, exporter, port, last)
    finally:
        driver.end()


def _beside(
    scheme: str, site: str, folder: Path, driver: Process, exporter: peers.Running, port: int, core: int
) -> Iterator[Figure]:
    home = folder / scheme
    home.mkdir()
    pages, metrics = peers.free_ports(2)
    config = _CONFIG.format(site=site, ca_file=folder / "ca.pem", pages=pages, metrics=metrics)
    config += "".join(_JOURNEY.format(number=number, interval=_INTERVAL_S) for number in range(_CHECKS))
    (home / "config.toml").write_text(config, encoding="utf-8")
    command = [sys.executable, "-m", "monitor", "run", "--config", str(home / "config.toml")]
    with peers.running(command, core=core, log=home / "service.log") as service:
        _until_ready(metrics, home / "service.log")
        time.sleep(_INTERVAL_S + 2)  # every check has run once
        runs = _runs(metrics)
        ours, theirs = service.whole_cpu_s, exporter.cpu_s
        with ThreadPoolExecutor(1) as beside:
            load = Load(number=_RATE * _MEASURED_S, at_once=0)
            driven = beside.submit(driver, drive_blackbox, port, site, load, 1_000_000 // _RATE)
            time.sleep(_MEASURED_S)
            ours = service.whole_cpu_s - ours
            runs = _runs(metrics) - runs
            driven.result()
        theirs = exporter.cpu_s - theirs
        resident, whole = service.resident_mb, service.whole_resident_mb
    if runs < _RATE * _MEASURED_S * 0.95:
        raise AssertionError(f"{runs} of {_RATE * _MEASURED_S} runs were up")
    yield Figure(
        figure=f"{scheme}, whole service at {_RATE} runs a second / blackbox_exporter: CPU ms a run",
        ours=ours * 1000 / runs,
        peer=theirs * 1000 / load.number,
        limit=1,
        limits="ratio",
    )
    if scheme == "http":
        yield Figure(figure=f"whole service with {_CHECKS:,} checks, memory: MB", ours=resident, limit=120)
        yield Figure(figure=f"whole service with {_CHECKS:,} checks, memory with its helpers: MB", ours=whole)


def _until_ready(port: int, log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            if _read(port, "/readyz") is not None:
                return
        except OSError:
            if time.monotonic() > deadline:
                raise RuntimeError(f"the service did not start: {log.read_text(errors='replace')[-500:]}") from None
            time.sleep(0.2)


def _runs(port: int) -> int:
    """How many runs were up so far."""
    told = re.findall(r'^journey_runs_total\{.*outcome="up".*\} ([0-9.e+]+)$', _read(port, "/metrics"), re.MULTILINE)
    return round(sum(map(float, told)))


def _read(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
        return str(answer.read(), "utf-8")
