"""How late checks start on the service's schedule, beside APScheduler with a job for each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import uvloop
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from benchmarks import peers
from benchmarks.harness import Figure, Process, rank
from monitor.clock import LIVE
from monitor.schedule import Schedule, grid, next_slot
from probes.checks import Check, Journey

#: How many checks, and how often each.
_SIZES = ((100, 10_000_000), (1_000, 10_000_000), (10_000, 30_000_000))
_SETTLING_S = 5
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: Milliseconds that each check started after its slot, and the share of one core that this took.
Lags = tuple[list[float], float]


def figures() -> Iterator[Figure]:
    first, last = peers.cores()
    ours, theirs = Process(last), Process(first)
    try:
        for number, interval_us in _SIZES:
            with ThreadPoolExecutor(2) as both:
                our_turn = both.submit(ours, _on_our_schedule, number, interval_us)
                their_turn = both.submit(theirs, _on_jobs, number, interval_us)
            (lags, share), (peer_lags, peer_share) = our_turn.result(), their_turn.result()
            about = f"schedule, {number:,} checks at {interval_us // 1_000_000} s"
            strict = number == 10_000
            for part, at, limit in (("p50", 0.5, None), ("p99", 0.99, 5.0)):
                yield Figure(
                    figure=f"{about}, start lag {part} / APScheduler per job: ms",
                    ours=rank(lags, at),
                    peer=rank(peer_lags, at),
                    limit=limit if strict else None,
                )
            yield Figure(
                figure=f"{about}, share of one core / APScheduler per job: %",
                ours=share * 100,
                peer=peer_share * 100,
                limit=3 if strict else None,
            )
    finally:
        ours.end()
        theirs.end()


def _on_our_schedule(number: int, interval_us: int) -> Lags:
    return uvloop.run(_ours(number, interval_us))


def _on_jobs(number: int, interval_us: int) -> Lags:
    return uvloop.run(_jobs(number, interval_us))


async def _ours(number: int, interval_us: int) -> Lags:
    written = {"title": {"nl": "P", "en": "P"}, "interval": f"{interval_us // 1_000_000}s", "deadline": "5s"}
    one = Journey.model_validate({**written, "id": "p", "step": [{"id": "s", "path": "/", "expect": {"status": 200}}]})
    checks = [one.model_copy(update={"id": f"p-{at}"}) for at in range(number)]
    lags: list[float] = []

    async def start(_: Check, slot_us: int) -> None:
        lags.append((LIVE.now_us() - slot_us) / 1000)

    schedule = Schedule(checks, clock=LIVE, start=start, on_missed=lambda missed: None, on_jump=lambda jump: None)
    schedule.start()
    return await _interval(lags, number, interval_us, schedule.stop)


async def _jobs(number: int, interval_us: int) -> Lags:
    lags: list[float] = []
    scheduler = AsyncIOScheduler(timezone=UTC)
    begin_us = LIVE.now_us() + 1_000_000

    def job(first_us: int) -> Callable[[], Awaitable[None]]:
        async def start() -> None:
            lags.append((LIVE.now_us() - first_us) % interval_us / 1000)

        return start

    for at in range(number):
        first_us = next_slot(grid(f"p-{at}", interval_us), begin_us)
        first = _EPOCH + timedelta(microseconds=first_us)
        trigger = IntervalTrigger(seconds=interval_us // 1_000_000, start_date=first, timezone=UTC)
        scheduler.add_job(job(first_us), trigger, misfire_grace_time=None)
    scheduler.start()

    async def stop() -> None:
        scheduler.shutdown(wait=False)

    return await _interval(lags, number, interval_us, stop)


async def _interval(lags: list[float], number: int, interval_us: int, stop: Callable[[], Awaitable[None]]) -> Lags:
    """One whole interval, in which every check is due once."""
    await asyncio.sleep(_SETTLING_S)  # what was due just before the start is behind us
    lags.clear()
    cpu = time.process_time()
    await asyncio.sleep(interval_us / 1_000_000)
    share = (time.process_time() - cpu) / (interval_us / 1_000_000)
    await stop()
    if len(lags) < number * 0.97:
        raise AssertionError(f"{len(lags)} of {number} checks were started")
    return lags, share
