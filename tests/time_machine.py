"""Checks, and a schedule that keeps a diary, for tests that live in simulated time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from monitor.missed import MissedSlots
from monitor.schedule import ClockJump, Schedule
from monitor.simulation import Simulation
from probes.checks import CertificateCheck, Check, Title

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE

#: 2026-10-12 08:00:00 UTC, a Monday.
MONDAY = 1_791_792_000 * SECOND


def a_check(check_id: str, *, every: str = "1m") -> Check:
    return CertificateCheck(
        id=check_id, title=Title(nl=check_id, en=check_id), interval=every, deadline="1s", host="127.0.0.1"
    )


@dataclass
class Diary:
    """What a schedule did: (check, slot, wall clock at the start) per run, missed slots and jumps."""

    runs: list[tuple[str, int, int]] = field(default_factory=list)
    missed: list[MissedSlots] = field(default_factory=list)
    jumps: list[ClockJump] = field(default_factory=list)

    def slots(self, check_id: str) -> list[int]:
        return [slot for name, slot, _ in self.runs if name == check_id]


def a_schedule(
    simulation: Simulation,
    checks: Sequence[Check],
    diary: Diary,
    *,
    run: Callable[[Check, int], Awaitable[None]] | None = None,
    done: Mapping[str, int] | None = None,
    used: Mapping[str, int] | None = None,
) -> Schedule:
    async def start(check: Check, slot_us: int) -> None:
        diary.runs.append((check.id, slot_us, simulation.clock.now_us()))
        if run is not None:
            await run(check, slot_us)

    return Schedule(
        checks,
        clock=simulation.clock,
        start=start,
        on_missed=diary.missed.append,
        on_jump=diary.jumps.append,
        done=done,
        used=used,
    )


def live(simulation: Simulation, *steps: float | Callable[[], object], schedule: Callable[[], Schedule]) -> None:
    """Start a schedule, then take the steps in turn: a number lets that many seconds pass, a callable is called."""

    async def life() -> None:
        running = schedule()
        running.start()
        for step in steps:
            if callable(step):
                step()
            else:
                await asyncio.sleep(step)
        await running.stop()

    simulation.run(life())
