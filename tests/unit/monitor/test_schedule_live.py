"""The same schedule on the machine's own clock, for a second."""

import asyncio
import time

from monitor.clock import LIVE
from monitor.schedule import LagMeter, Schedule
from tests.time_machine import a_check


def test_on_the_real_clock_slots_are_run_on_time():
    runs = []

    async def start(check, slot_us):
        runs.append((slot_us, LIVE.now_us()))

    async def life():
        schedule = Schedule(
            [a_check("start", every="200ms"), a_check("aanmelden", every="200ms")],
            clock=LIVE,
            start=start,
            on_missed=lambda missed: None,
            on_jump=lambda jump: None,
        )
        schedule.start()
        await asyncio.sleep(1.1)
        await schedule.stop()

    asyncio.run(life())
    assert 8 <= len(runs) <= 14
    assert all(0 <= begun - slot < 200_000 for slot, begun in runs)


def test_a_blocked_loop_is_seen_as_lag_by_the_run_that_suffered_from_it():
    async def life():
        with LagMeter(LIVE, tick_us=10_000).watch() as lag:
            await asyncio.sleep(0.03)
            time.sleep(0.15)  # noqa: ASYNC251 - blocking the loop is what is tested
            await asyncio.sleep(0)
        return lag.worst_us

    assert 100_000 < asyncio.run(life()) < 2_000_000
