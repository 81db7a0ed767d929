"""What a scrape of /metrics with 10,000 series costs, and how long it keeps the event loop from its work."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from statistics import median

import uvloop
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from benchmarks.harness import Figure, measured
from monitor.clock import LIVE
from monitor.metrics import Metrics
from probes.checks import Journey
from probes.sample import Outcome, Phases, Sample, StepOutcome, StepResult

_SERIES = 10_000
_SCRAPES = 9
#: How often the loop looks whether it is kept from its work.
_TICK_S = 0.0005


def figures() -> Iterator[Figure]:
    scrape_ms, blocked_ms, theirs_ms = measured(_scraped).answer
    about = f"/metrics with {_SERIES:,} series"
    yield Figure(figure=f"{about}, one scrape / prometheus_client: ms", ours=scrape_ms, peer=theirs_ms)
    yield Figure(figure=f"{about}, event loop blocked at worst: ms", ours=blocked_ms, limit=5)


def _scraped() -> tuple[float, float, float]:
    metrics = _filled()
    ours, theirs = [], []
    registry = _registry()
    for _ in range(_SCRAPES):
        ours.append(_ms(lambda: metrics.exposition("")))
        theirs.append(_ms(lambda: generate_latest(registry)))
    return median(ours), uvloop.run(_blocked(metrics)), median(theirs)


def _ms(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


async def _blocked(metrics: Metrics) -> float:
    """The median over scrapes of the longest wait between two ticks, beyond what was asked for."""
    worst: list[float] = []
    for _ in range(_SCRAPES):
        scrape = asyncio.ensure_future(asyncio.to_thread(metrics.exposition, ""))
        longest = 0.0
        while not scrape.done():
            before = time.perf_counter()
            await asyncio.sleep(_TICK_S)
            longest = max(longest, time.perf_counter() - before - _TICK_S)
        worst.append(longest * 1000)
    return median(worst)


def _filled() -> Metrics:
    """As many journeys of three steps as make 10,000 series."""
    metrics = Metrics(version="bench", started_us=LIVE.now_us())
    written = {"title": {"nl": "P", "en": "P"}, "interval": "30s", "deadline": "10s"}
    one = Journey.model_validate({**written, "id": "p", "step": [{"id": "s", "path": "/", "expect": {"status": 200}}]})
    number = 50
    while True:
        checks = [one.model_copy(update={"id": f"p-{at}"}) for at in range(number)]
        metrics.configured(checks, location="bench", sha256="0" * 64, now_us=LIVE.now_us())
        for check in checks:
            metrics.sample(_sample(check.id))
        series = sum(not line.startswith(b"#") for line in metrics.exposition("")[0].splitlines())
        if series >= _SERIES:
            return metrics
        number = max(number + 1, number * _SERIES // series)


def _sample(check_id: str) -> Sample:
    phases = Phases(resolve_us=300, connect_us=500, tls_us=4_000, processing_us=50_000, transfer_us=900)
    one = StepResult(step="s", outcome=StepOutcome.OK, duration_us=60_000, phases=phases, status=200, body_bytes=900)
    steps = tuple(replace(one, step=f"s-{at}") for at in range(3))
    now = LIVE.now_us()
    return Sample(
        check_id=check_id,
        location="bench",
        slot_us=now,
        started_us=now,
        duration_us=180_000,
        outcome=Outcome.UP,
        run_id=LIVE.new_id(),
        steps=steps,
    )


def _registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    gauges = [Gauge(f"m{at}", "Help.", ("journey", "location"), registry=registry) for at in range(10)]
    for gauge in gauges:
        for at in range(_SERIES // 10):
            gauge.labels(f"p-{at}", "bench").set(at / 7)
    return registry
