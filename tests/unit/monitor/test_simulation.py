"""Simulated time."""

import asyncio

import pytest

from monitor.simulation import Simulation, StalledError
from tests.time_machine import HOUR, MONDAY, SECOND


def test_hours_pass_at_once_and_both_clocks_agree():
    simulation = Simulation(start_us=MONDAY, seed=1)

    async def sleep():
        await asyncio.sleep(2 * 3600)
        return simulation.clock.now_us(), simulation.clock.monotonic_us()

    assert simulation.run(sleep()) == (MONDAY + 2 * HOUR, 2 * HOUR)


def test_sleepers_wake_in_the_order_of_their_instants():
    simulation, woken = Simulation(start_us=MONDAY, seed=1), []

    async def sleeper(seconds):
        await asyncio.sleep(seconds)
        woken.append((seconds, simulation.clock.monotonic_us()))

    async def all_of_them():
        await asyncio.gather(*(sleeper(seconds) for seconds in (3, 0.25, 1)))

    simulation.run(all_of_them())
    assert woken == [(0.25, 250_000), (1, SECOND), (3, 3 * SECOND)]


def test_a_deadline_of_asyncio_holds_in_simulated_time():
    simulation = Simulation(start_us=MONDAY, seed=1)

    async def hang():
        async with asyncio.timeout(30):
            await asyncio.sleep(HOUR)

    with pytest.raises(TimeoutError):
        simulation.run(hang())
    assert simulation.clock.now_us() == MONDAY + 30 * SECOND


def test_a_step_moves_the_wall_clock_and_no_other():
    simulation = Simulation(start_us=MONDAY, seed=1)

    async def step():
        simulation.step(-HOUR)
        return simulation.clock.now_us(), simulation.clock.monotonic_us()

    assert simulation.run(step()) == (MONDAY - HOUR, 0)


def test_work_for_a_thread_is_done_at_once():
    simulation = Simulation(start_us=MONDAY, seed=1)

    async def in_a_thread():
        return await asyncio.to_thread(lambda: simulation.clock.monotonic_us())

    assert simulation.run(in_a_thread()) == 0


def test_the_same_seed_gives_the_same_ids_and_another_seed_others():
    one, same, other = (Simulation(start_us=MONDAY, seed=seed) for seed in (1, 1, 2))
    ids = [[simulation.clock.new_id() for _ in range(3)] for simulation in (one, same, other)]
    for simulation in (one, same, other):
        simulation.run(asyncio.sleep(0))
    assert ids[0] == ids[1] != ids[2]


def test_waiting_for_what_never_comes_is_said():
    async def wait():
        await asyncio.Event().wait()

    with pytest.raises(StalledError, match="nothing is due"):
        Simulation(start_us=MONDAY, seed=1).run(wait())
