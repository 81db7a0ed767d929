"""The same schedule on the machine's own clock."""

import asyncio
import time

from monitor.clock import LIVE
from monitor.schedule import LagMeter, Schedule, grid
from tests.time_machine import a_check


def test_on_the_real_clock_slots_are_run_on_time():
    runs, enough = [], asyncio.Event()

    async def start(check, slot_us):
        runs.append((check.id, slot_us, LIVE.now_us()))
        if len(runs) == 10:
            enough.set()

    async def life():
        schedule = Schedule(
            [a_check("start", every="200ms"), a_check("aanmelden", every="200ms")],
            clock=LIVE,
            start=start,
            on_missed=lambda missed: None,
            on_jump=lambda jump: None,
        )
        schedule.start()
        async with asyncio.timeout(60):
            await enough.wait()
        await schedule.stop()

    asyncio.run(life())
    slots = [(name, slot_us) for name, slot_us, _ in runs]
    assert len(slots) == len(set(slots))
    assert {slot_us % 200_000 for name, slot_us in slots if name == "start"} == {grid("start", 200_000).phase_us}
    late_us = [begun_us - slot_us for _, slot_us, begun_us in runs]
    assert min(late_us) >= 0  # never early; and on time where the machine lets it
    assert min(late_us) < 200_000


def test_a_blocked_loop_is_seen_as_lag_by_the_run_that_suffered_from_it():
    async def life():
        with LagMeter(LIVE, tick_us=10_000).watch() as lag:
            await asyncio.sleep(0.03)
            time.sleep(0.15)  # noqa: ASYNC251 - blocking the loop is what is tested
            await asyncio.sleep(0)
        return lag.worst_us

    assert asyncio.run(life()) > 100_000
