"""The schedule, lived in simulated time: what runs when, and what is told of what did not run."""

import asyncio
import itertools

import pytest

from monitor.missed import Cause, MissedSlots, untold
from monitor.schedule import LagMeter, grid, next_slot, slot_at
from monitor.simulation import Simulation
from tests.time_machine import HOUR, MINUTE, MONDAY, SECOND, Diary, a_check, a_schedule, live


def test_every_slot_is_run_once_on_its_instant():
    simulation, diary = Simulation(start_us=MONDAY + 1, seed=1), Diary()
    of = grid("start", 1 * MINUTE)
    live(simulation, 3600, schedule=lambda: a_schedule(simulation, [a_check("start")], diary))
    assert len(diary.runs) == 60
    assert all(begun == slot and slot_at(of, slot) == slot for _, slot, begun in diary.runs)
    assert diary.missed == []


@pytest.mark.parametrize(
    "midnight",
    [
        pytest.param(1_792_879_200 * SECOND, id="2026-10-25, 25 hours"),
        pytest.param(1_806_188_400 * SECOND, id="2027-03-28, 23 hours"),
    ],
)
def test_a_night_in_which_the_clocks_change_is_like_any_other(midnight):
    """T16, T17, T18: the schedule lives in UTC, so no slot is doubled or lost."""
    simulation, diary = Simulation(start_us=midnight + 1, seed=1), Diary()
    live(simulation, 6 * 3600, schedule=lambda: a_schedule(simulation, [a_check("start")], diary))
    slots = diary.slots("start")
    assert [b - a for a, b in itertools.pairwise(slots)] == [MINUTE] * 359


def test_the_scheduler_itself_lives_in_utc():
    """T18."""
    simulation, diary = Simulation(start_us=MONDAY, seed=1), Diary()
    zone = a_schedule(simulation, [], diary)._scheduler.timezone
    assert (zone.tzname(None), zone.utcoffset(None).total_seconds()) == ("UTC", 0)


def test_ten_minutes_of_sleep_are_told_and_one_catch_up_run_follows():
    """T19: no burst, and nothing is silent."""
    simulation, diary = Simulation(start_us=MONDAY + 1, seed=1), Diary()
    live(
        simulation,
        120,
        lambda: simulation.step(10 * MINUTE),
        2,
        schedule=lambda: a_schedule(simulation, [a_check("start")], diary),
    )
    assert [jump.shift_us for jump in diary.jumps] == [10 * MINUTE]
    assert [(missed.count, missed.cause) for missed in diary.missed] == [(9, Cause.CLOCK_JUMP)]
    assert len(diary.runs) == 3
    assert diary.missed[0].until_us == diary.runs[-1][1]


def test_a_clock_set_back_an_hour_neither_stalls_nor_repeats_a_slot():
    """T20."""
    simulation, diary = Simulation(start_us=MONDAY + 1, seed=1), Diary()
    live(
        simulation,
        2 * 3600,
        lambda: simulation.step(-HOUR),
        2 * 3600,
        schedule=lambda: a_schedule(simulation, [a_check("start")], diary),
    )
    slots = diary.slots("start")
    assert [jump.shift_us for jump in diary.jumps] == [-HOUR]
    assert len(slots) == len(set(slots)) == 240
    assert sum(slot % SECOND != grid("start", MINUTE).phase_us % SECOND for slot in slots) == 60
    assert diary.missed == []


def test_slots_that_a_clock_that_was_ahead_has_used_are_run_under_another_number():
    """T20: under their own their samples would find the place taken, and be lost."""
    simulation, diary = Simulation(start_us=MONDAY + 1, seed=1), Diary()
    first = next_slot(grid("start", MINUTE), MONDAY)
    used = {"start": first + 9 * MINUTE}
    live(simulation, 20 * 60, schedule=lambda: a_schedule(simulation, [a_check("start")], diary, used=used))
    slots = [slot for slot in diary.slots("start") if slot >= first]
    assert slots == [first + n * MINUTE + (1_000 if n < 10 else 0) for n in range(20)]


def test_a_clock_that_went_back_and_returns_misses_only_what_was_never_run():
    simulation, diary = Simulation(start_us=MONDAY + 1, seed=1), Diary()
    live(
        simulation,
        3600,
        lambda: simulation.step(-HOUR // 2),
        600,
        lambda: simulation.step(HOUR),
        60,
        schedule=lambda: a_schedule(simulation, [a_check("start")], diary),
    )
    assert [(missed.count, missed.cause) for missed in diary.missed] == [(39, Cause.CLOCK_JUMP)]


def test_a_clock_that_is_slewed_is_no_jump():
    simulation, diary = Simulation(start_us=MONDAY + 1, seed=1), Diary()
    slew = [x for _ in range(30) for x in (10, lambda: simulation.step(300_000))]
    live(simulation, *slew, schedule=lambda: a_schedule(simulation, [a_check("start")], diary))
    assert diary.jumps == []
    assert len(diary.runs) == 5


def test_a_check_that_hangs_delays_no_other_and_its_slots_are_told():
    """T21."""
    simulation, diary = Simulation(start_us=MONDAY + 1, seed=1), Diary()

    async def hang_first(check, _):
        if check.id == "c0":
            await asyncio.sleep(10_000)

    checks = [a_check(f"c{n}") for n in range(20)]
    live(simulation, 600, schedule=lambda: a_schedule(simulation, checks, diary, run=hang_first))
    due_since_start = [(name, begun - slot) for name, slot, begun in diary.runs if slot > MONDAY]
    assert max(late for _, late in due_since_start) < 1 * SECOND
    assert [sum(name == f"c{n}" for name, _ in due_since_start) for n in range(1, 20)] == [10] * 19
    busy = [missed for missed in diary.missed if missed.cause is Cause.BUSY]
    assert ({missed.check_id for missed in busy}, len(busy)) == ({"c0"}, 9)


def test_a_run_that_raises_is_told_and_the_next_slot_is_run():
    simulation, diary = Simulation(start_us=MONDAY + 1, seed=1), Diary()

    async def fail(check, slot):
        raise RuntimeError("a bug of ours")

    live(simulation, 120, schedule=lambda: a_schedule(simulation, [a_check("start")], diary, run=fail))
    assert [missed.cause for missed in diary.missed] == [Cause.ERROR, Cause.ERROR]
    assert [missed.from_us for missed in diary.missed] == diary.slots("start")


def test_a_run_cut_off_by_stopping_is_told_by_the_next_start():
    """T29: what is missing from the grid is what was not measured."""
    first, before = Simulation(start_us=MONDAY + 1, seed=1), Diary()

    async def hang(check, slot):
        await asyncio.sleep(10_000)

    live(first, 90, schedule=lambda: a_schedule(first, [a_check("start")], before, run=hang))
    [cut_off] = before.slots("start")
    second, after = Simulation(start_us=MONDAY + 2 * MINUTE, seed=1), Diary()
    done = {"start": cut_off - MINUTE}
    live(second, 1, schedule=lambda: a_schedule(second, [a_check("start")], after, done=done))
    assert [(missed.from_us, missed.count, missed.cause) for missed in after.missed] == [(cut_off, 2, Cause.OFF)]


def test_stopping_at_the_very_instant_of_a_slot_is_quiet(caplog):
    of = grid("start", MINUTE)
    simulation, diary = Simulation(start_us=slot_at(of, MONDAY) + 30 * SECOND, seed=1), Diary()
    live(simulation, 30, schedule=lambda: a_schedule(simulation, [a_check("start")], diary))
    assert caplog.records == []


def test_after_a_restart_the_grid_is_the_same_and_the_time_off_is_told():
    """T3: what was due while the monitor was off is named."""
    first, before = Simulation(start_us=MONDAY + 1, seed=1), Diary()
    live(first, 600, schedule=lambda: a_schedule(first, [a_check("start")], before))
    done = before.slots("start")[-1]
    second, after = Simulation(start_us=MONDAY + HOUR, seed=2), Diary()
    live(second, 600, schedule=lambda: a_schedule(second, [a_check("start")], after, done={"start": done}))
    assert (after.slots("start")[0] - done) % MINUTE == 0
    assert [(missed.cause, missed.from_us) for missed in after.missed] == [(Cause.OFF, done + MINUTE)]
    assert after.missed[0].until_us == after.slots("start")[0]


def test_a_quick_restart_runs_the_slot_that_nobody_ran_and_no_slot_twice():
    slot = slot_at(grid("start", MINUTE), MONDAY)
    late, both = Simulation(start_us=slot + 5 * SECOND, seed=1), Diary()
    live(late, 1, schedule=lambda: a_schedule(late, [a_check("start")], both, done={"start": slot - MINUTE}))
    again = Simulation(start_us=slot + 7 * SECOND, seed=1)
    live(again, 1, schedule=lambda: a_schedule(again, [a_check("start")], both, done={"start": slot}))
    assert both.slots("start") == [slot]
    assert both.missed == []


def test_a_reload_keeps_the_place_of_checks_that_stay_and_starts_the_new_ones():
    simulation, diary = Simulation(start_us=MONDAY + 1, seed=1), Diary()

    async def life():
        schedule = a_schedule(simulation, [a_check("stays"), a_check("goes")], diary)
        schedule.start()
        await asyncio.sleep(600)
        schedule.replace([a_check("stays"), a_check("comes", every="2m")])
        await asyncio.sleep(600)
        await schedule.stop()

    simulation.run(life())
    assert [len(diary.slots(name)) for name in ("stays", "goes", "comes")] == [20, 10, 5]
    assert diary.missed == []


def test_two_checks_of_one_name_are_refused():
    simulation, diary = Simulation(start_us=MONDAY, seed=1), Diary()
    with pytest.raises(ValueError, match="same id"):
        live(simulation, 1, schedule=lambda: a_schedule(simulation, [a_check("x"), a_check("x")], diary))


def test_the_sign_of_life_stands_still_when_the_scheduler_does():
    """T31."""
    simulation, diary = Simulation(start_us=MONDAY + 1, seed=1), Diary()

    async def life():
        schedule = a_schedule(simulation, [a_check("start")], diary)
        schedule.start()
        await asyncio.sleep(300)
        alive = simulation.clock.monotonic_us() - schedule.last_advance_monotonic_us
        schedule._scheduler.pause()
        await asyncio.sleep(300)
        dead = simulation.clock.monotonic_us() - schedule.last_advance_monotonic_us
        await schedule.stop()
        return alive, dead

    alive, dead = simulation.run(life())
    assert alive <= 1 * SECOND
    assert dead > 200 * SECOND


def test_sleep_of_the_machine_during_a_run_counts_as_lag():
    simulation = Simulation(start_us=MONDAY, seed=1)

    async def life():
        with LagMeter(simulation.clock).watch() as lag:
            await asyncio.sleep(3)
            before = lag.worst_us
            simulation.step(5 * SECOND)
        return before, lag.worst_us

    assert simulation.run(life()) == (0, 5 * SECOND)


def test_what_a_process_told_before_it_ended_is_not_told_again() -> None:
    off = MissedSlots(check_id="a", from_us=0, until_us=60, count=6, cause=Cause.OFF)
    spans = [(part.from_us, part.until_us, part.count) for part in untold(off, [(10, 30), (50, 60)])]
    assert spans == [(0, 10, 1), (30, 50, 2)]
    assert list(untold(off, [])) == [off]
    assert list(untold(off, [(0, 100)])) == []


def test_many_checks_that_are_late_at_the_start_begin_one_after_the_other():
    """A thousand runs at the same moment would make each other late; every one of them still has its slot."""
    simulation, diary = Simulation(start_us=MONDAY + 1, seed=1), Diary()
    checks = [a_check(f"check-{number}", every="10s") for number in range(1000)]
    live(simulation, 20, schedule=lambda: a_schedule(simulation, checks, diary))
    first = [next(at for name, _, at in diary.runs if name == check.id) - MONDAY for check in checks]
    for second in range(6):
        assert sum(second * SECOND <= at < (second + 1) * SECOND for at in first) <= 350
    assert max(first) < 6 * SECOND
    for check in checks:
        slots = diary.slots(check.id)
        assert [b - a for a, b in itertools.pairwise(slots)] == [10 * SECOND] * (len(slots) - 1)
        assert len(slots) >= 2
    assert diary.missed == []


def test_a_few_checks_that_are_late_at_the_start_begin_at_once():
    simulation, diary = Simulation(start_us=MONDAY + 1, seed=1), Diary()
    live(
        simulation,
        0.001,
        schedule=lambda: a_schedule(simulation, [a_check(f"x{n}", every="10s") for n in range(9)], diary),
    )
    assert {at for _, _, at in diary.runs} == {MONDAY + 1}
    assert len(diary.runs) == 9
