"""The same walk in simulated time: deadlines are exact and nothing is waited for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx

from monitor.simulation import SimulatedLoop
from probes.checks import Journey
from probes.references import references_up
from probes.run import run
from probes.sample import FailureKind, Outcome, Sample
from probes.setup import Setup
from tests.scripted_server import journey, setup, step


class Dripping(httpx.AsyncByteStream):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            yield b"x"
            await asyncio.sleep(1)


async def portal(request: httpx.Request) -> httpx.Response:
    if request.url.path == "/hangt":
        await asyncio.sleep(3600)
    if request.url.path == "/druppelt":
        return httpx.Response(200, stream=Dripping())
    await asyncio.sleep(0.25)
    return httpx.Response(200, text="goed")


def simulated(what: Journey) -> tuple[Sample, float]:
    loop = SimulatedLoop()

    def now() -> int:
        return loop.elapsed_us

    way = setup("http://loket.example", transport=lambda: httpx.MockTransport(portal))
    way = replace(way, now_us=now, monotonic_us=now)
    started = time.monotonic()
    try:
        return loop.run_until_complete(run(what, slot_us=0, location="hier", setup=way)), time.monotonic() - started
    finally:
        loop.close()


def test_durations_are_those_of_simulated_time() -> None:
    sample, _ = simulated(journey(step("/"), step("/", name="twee")))
    assert (sample.outcome, sample.duration_us) == (Outcome.UP, 500_000)
    assert sample.steps[0].phases.processing_us == 250_000


def test_a_deadline_ends_a_hanging_and_a_dripping_answer_to_the_microsecond() -> None:
    """T22, T24"""
    for path in ("/hangt", "/druppelt"):
        sample, took = simulated(journey(step("/"), step(path, name="twee"), deadline="30s"))
        assert sample.failure is not None
        assert (sample.failure.kind, sample.duration_us) == (FailureKind.TIMEOUT, 30_000_000)
        assert took < 5


def test_references_live_in_simulated_time_too() -> None:
    loop = SimulatedLoop()
    way: Setup = setup("http://loket.example", transport=lambda: httpx.MockTransport(portal))
    way = replace(way, monotonic_us=lambda: loop.elapsed_us)
    asked = references_up(["http://a.example/", "http://b.example/hangt"], deadline_us=2_000_000, setup=way)
    assert loop.run_until_complete(asked) == (True, False)
    assert loop.elapsed_us == 2_000_000
    loop.close()


def test_waiting_until_something_holds_takes_exactly_its_tries() -> None:
    waiting = step("/", expect={"text": "klaar"}, until={"interval": "2s", "within": "10s"})
    sample, took = simulated(journey(waiting, deadline="20s"))
    assert sample.failure is not None
    assert sample.failure.found == "“goed”, after 5 attempts in 9.25 s"
    assert (sample.steps[0].duration_us, sample.steps[0].phases.processing_us) == (9_250_000, 1_250_000)
    assert took < 5
