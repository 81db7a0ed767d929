"""Laws of the schedule under any behaviour of the clocks."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.schedule import grid, slots_between
from monitor.simulation import Simulation
from tests.time_machine import HOUR, MINUTE, MONDAY, SECOND, Diary, a_check, a_schedule

waits = st.integers(1, 15 * 60)
leaps = st.integers(1 * SECOND, 2 * HOUR)
steps = st.one_of(leaps, leaps.map(lambda shift: -shift))
durations = st.sampled_from([0, 1, 70, 200])


def lived(days, *, run_seconds=0):
    """A schedule of one check each minute that waits and is shaken in turn, and then is left alone for an hour."""
    simulation, diary = Simulation(start_us=MONDAY, seed=1), Diary()

    async def run(check, slot):
        await asyncio.sleep(run_seconds)

    async def life():
        schedule = a_schedule(simulation, [a_check("start")], diary, run=run)
        schedule.start()
        for wait, shift in days:
            await asyncio.sleep(wait)
            simulation.step(shift)
        await asyncio.sleep(3600 + run_seconds)
        schedule.replace([])
        await asyncio.sleep(run_seconds + 1)
        await schedule.stop()

    simulation.run(life())
    return diary


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(waits, steps), max_size=5))
def test_no_slot_is_run_twice_and_nothing_stalls_whatever_the_clock_does(days):
    diary = lived(days)
    slots = diary.slots("start")
    assert len(slots) == len(set(slots))
    assert len(slots) >= 60


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(waits, leaps), max_size=5), durations)
def test_every_slot_is_either_run_or_told_as_missed_however_often_the_machine_sleeps(days, run_seconds):
    diary = lived(days, run_seconds=run_seconds)
    run = set(diary.slots("start"))
    of = grid("start", MINUTE)
    missed = [slot for one in diary.missed for slot in slots_between(of, one.from_us, one.until_us)]
    assert len(missed) == sum(one.count for one in diary.missed) == len(set(missed))
    assert not run & set(missed)
    seen = run | set(missed)
    assert seen == set(slots_between(of, min(seen), max(seen) + 1))
