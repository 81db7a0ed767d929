"""What a probe costs and how true its first byte is, beside blackbox_exporter, curl and stock httpx, in turns.

Targets and drivers have the first core, probers the last. Figures are medians over rounds that alternate between us and
them, so that a busy minute of the machine falls on all of them alike.
"""

from __future__ import annotations

import sys
import tempfile
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks import peers
from benchmarks.harness import Figure, Process, rank
from benchmarks.probers import (
    DELAY_US,
    Load,
    curl_first_bytes,
    drive_blackbox,
    engine_cost,
    first_bytes,
    run_cost,
)

_ROUNDS = 5
_LOAD = Load(number=800, at_once=32)
_JOURNEYS = Load(number=150, at_once=32)
#: How many under way, how many in all, and how often; 1,000 of 1,000 start together.
_FLIGHTS = (
    (Load(number=40, at_once=1), 3),
    (Load(number=2_000, at_once=100), 3),
    (Load(number=1_000, at_once=1_000), 4),
)
#: curl keeps no more under way.
_CURL_MOST = 300

Costs = dict[str, list[float]]


def figures() -> Iterator[Figure]:
    absent = peers.missing()
    if absent:
        print(f"probing is left out; missing: {', '.join(absent)} (see .ci/setup bench)", file=sys.stderr)
        return
    first, last = peers.cores()
    prober, driver = Process(last), Process(first)
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            with (
                peers.nginx(folder, core=first) as (http, https),
                peers.blackbox(folder, core=last) as (exporter, port),
                peers.late(folder, core=first) as late,
            ):
                sites = {"http": f"http://localhost:{http}/", "https": f"https://localhost:{https}/"}
                yield from _costs(prober, driver, sites, str(folder / "ca.pem"), exporter, port)
                yield from _biases(prober, driver, f"http://127.0.0.1:{late}/", port)
    finally:
        prober.end()
        driver.end()


def _costs(
    prober: Process, driver: Process, sites: dict[str, str], ca_file: str, exporter: peers.Running, port: int
) -> Iterator[Figure]:
    steps = tuple(f"/stap{number}.html" for number in range(1, 6))
    found: Costs = defaultdict(list)
    for _ in range(_ROUNDS):
        for scheme, url in sites.items():
            found[f"{scheme} engine"].append(prober(engine_cost, url, ca_file, _LOAD))
            if scheme == "https":
                found["rustls engine"].append(prober(engine_cost, url, ca_file, _LOAD, "rustls"))
            found[f"{scheme} run"].append(prober(run_cost, "own", url, ("/",), ca_file, _LOAD))
            before = exporter.cpu_s
            driver(drive_blackbox, port, url, _LOAD)
            found[f"{scheme} blackbox"].append((exporter.cpu_s - before) * 1000 / _LOAD.number)
            found[f"{scheme} stock"].append(prober(run_cost, "httpx", url, ("/",), ca_file, _LOAD))
            found[f"{scheme} journey"].append(prober(run_cost, "own", url, steps, ca_file, _JOURNEYS))
            found[f"{scheme} stock journey"].append(prober(run_cost, "httpx", url, steps, ca_file, _JOURNEYS))
            if scheme == "https":
                found["rustls run"].append(prober(run_cost, "own", url, ("/",), ca_file, _LOAD, "rustls"))
                found["rustls journey"].append(prober(run_cost, "own", url, steps, ca_file, _JOURNEYS, "rustls"))
    cost = {name: median(values) for name, values in found.items()}
    for scheme, limit in (("http", 0.3), ("https", 0.75)):
        yield from _compared(cost, scheme, scheme, limit)
        stock = ((_RUN, "run", "stock"), (_JOURNEY, "journey", "stock journey"))
        for name, ours, theirs in stock:
            about = f"{scheme} {name}, own engine / stock httpx: CPU ms"
            yield _ratio(about, cost[f"{scheme} {ours}"], cost[f"{scheme} {theirs}"], 1)
    yield from _compared(cost, "rustls", "https over rustls,", 0.5)


_RUN, _JOURNEY = "probe, whole run with assertions", "journey of 5 steps with a cookie"


def _compared(cost: dict[str, float], ours: str, told: str, limit: float) -> Iterator[Figure]:
    blackbox = cost["http blackbox" if ours == "http" else "https blackbox"]
    yield _ratio(f"{told} probe, engine / blackbox_exporter: CPU ms", cost[f"{ours} engine"], blackbox, limit)
    yield _ratio(f"{told} {_RUN} / blackbox_exporter: CPU ms", cost[f"{ours} run"], blackbox, 1)


def _ratio(figure: str, ours: float, peer: float, limit: float) -> Figure:
    return Figure(figure=figure, ours=ours, peer=peer, limit=limit, limits="ratio")


def _biases(prober: Process, driver: Process, url: str, port: int) -> Iterator[Figure]:
    for load, rounds in _FLIGHTS:
        found: dict[str, list[int]] = defaultdict(list)
        lateness: list[tuple[int, ...]] = []
        for _ in range(rounds):
            _lateness(url)
            found["own"] += prober(first_bytes, "own", url, load)
            lateness.append(_lateness(url))
            found["blackbox_exporter"] += driver(drive_blackbox, port, url, load)
            found["stock httpx"] += prober(first_bytes, "httpx", url, load)
            if load.at_once <= _CURL_MOST:
                found["curl"] += prober(curl_first_bytes, url, load)
        about = f"first byte, {load.at_once:,} under way"
        biases = {name: [(value - DELAY_US) / 1000 for value in values] for name, values in found.items()}
        limits = {1: (None, None), 100: (1.0, 4.0), 1_000: (2.0, None)}[load.at_once]
        for (part, number), limit in zip((("p50", 0.5), ("p99", 0.99)), limits, strict=True):
            ours = rank(biases["own"], number)
            yield Figure(figure=f"{about}, bias {part}: ms", ours=ours, limit=limit)
            for name in ("blackbox_exporter", "stock httpx", "curl"):
                if name in biases:
                    yield Figure(
                        figure=f"{about}, bias {part} / {name}: ms", ours=ours, peer=rank(biases[name], number)
                    )
        for part, at in (("p50", 1), ("p99", 2)):
            own_lateness = median(row[at] for row in lateness) / 1000
            yield Figure(figure=f"{about}, the server's own lateness {part}: ms", ours=own_lateness)


def _lateness(url: str) -> tuple[int, ...]:
    with urllib.request.urlopen(f"{url}lateness", timeout=10) as answer:  # noqa: S310 - the target of our own
        return tuple(map(int, answer.read().split()))
