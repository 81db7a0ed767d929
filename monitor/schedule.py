"""When checks are due, and the one scheduler that starts them.

Slots, not jobs: a slot is the absolute instant `k x interval + phase`, where the phase follows from the check's id. A
restart, a reload or another machine finds the same grid, so what was not measured is what is missing from it.
APScheduler turns the wheel: one job says every second how far ahead may be looked, and within that a single timer
stands at the next slot of all. With a job for each group of checks, it took a tenth of the service's computing time.
Which slot it is, what was missed and what a clock did meanwhile is decided here.
"""

from __future__ import annotations

import asyncio
import hashlib
import heapq
import logging
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from monitor.clock import Clock
from monitor.missed import Cause, MissedSlots, untold
from probes.checks import Check

log = logging.getLogger(__name__)

#: Phases are multiples of this, so that checks share wake-ups where they can.
WHEEL_US = 25_000
#: A difference between the wall clock and the monotonic one beyond this is a jump; below it clocks are being slewed.
JUMP_US = 500_000
#: A slot this young that nobody ran yet is still run when the service starts.
START_GRACE_US = 10_000_000
#: If there are many of those, they begin one after the other within this.
START_SPREAD_US = 5_000_000
#: A slot that nobody has begun this long after it was due means that the scheduler does not do its work.
STUCK_US = 5_000_000
#: Distance between a slot that was already run and the same slot after the clock went back over it.
_RELIVED_US = 1_000
_LAG_WINDOW_US = 10_000_000
_WHEEL = "wheel"  # the one job
#: The wheel is turned this many times before what was looked ahead is over, so that a late turn delays nothing.
_AHEAD = 3
_EARLY_US = 1_000
_AT_ONCE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """The slots of a check: every `interval_us`, shifted by `phase_us` (0 <= phase_us < interval_us)."""

    interval_us: int
    phase_us: int

    def __post_init__(self) -> None:
        if self.interval_us < 1 or not 0 <= self.phase_us < self.interval_us:
            raise ValueError(f"interval {self.interval_us} us and phase {self.phase_us} us make no grid")


def grid(check_id: str, interval_us: int) -> Grid:
    """The same for the same id and interval, for ever; different ids spread evenly over the interval."""
    places = max(1, interval_us // WHEEL_US)
    place = int.from_bytes(hashlib.sha256(check_id.encode()).digest()[:8]) % places
    return Grid(interval_us=interval_us, phase_us=place * WHEEL_US if places > 1 else 0)


def slot_at(of: Grid, now_us: int) -> int:
    """The latest slot that is not after `now_us`."""
    return now_us - (now_us - of.phase_us) % of.interval_us


def next_slot(of: Grid, after_us: int) -> int:
    """The first slot after `after_us`."""
    return slot_at(of, after_us) + of.interval_us


def slots_between(of: Grid, from_us: int, until_us: int) -> range:
    """The slots in [from_us, until_us), in order."""
    first = next_slot(of, from_us - 1)
    return range(first, max(first, until_us), of.interval_us)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockJump:
    """The wall clock moved against the monotonic one.

    Attributes:
        at_us: the wall clock after the jump.
        shift_us: how far; positive is forward, and sleep of the machine looks the same.
    """

    at_us: int
    shift_us: int


class Watch:
    """How late the event loop was since this watch began. Also counts sleep of the machine as lateness."""

    def __init__(self, meter: LagMeter) -> None:
        self._meter = meter
        self._offset_us = meter.wall_offset_us()
        self.seen_us = 0

    @property
    def worst_us(self) -> int:
        """The worst lateness until now, in microseconds."""
        slept_us = self._meter.wall_offset_us() - self._offset_us
        return max(self.seen_us, self._meter.overdue_us(), slept_us if slept_us > JUMP_US else 0)


class LagMeter:
    """Measures how late the event loop is, because a late loop sees slow answers and timeouts that never were.

    It ticks only while somebody watches, so an idle or simulated loop is not kept awake by it.
    """

    def __init__(self, clock: Clock, *, tick_us: int = 100_000) -> None:
        self._clock = clock
        self._tick_us = tick_us
        self._watches: set[Watch] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._expected_us = 0
        self._recent: deque[tuple[int, int]] = deque()

    @contextmanager
    def watch(self) -> Iterator[Watch]:
        """Watch during a run; ask `worst_us` of what this yields, inside or afterwards."""
        watch = Watch(self)
        if self._timer is None:
            self._arm()
        self._watches.add(watch)
        try:
            yield watch
        finally:
            watch.seen_us = watch.worst_us
            self._watches.discard(watch)
            if not self._watches and self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def wall_offset_us(self) -> int:
        return self._clock.now_us() - self._clock.monotonic_us()

    def overdue_us(self) -> int:
        """How long ago the next tick should have been; 0 while it is not due."""
        return max(0, self._clock.monotonic_us() - self._expected_us) if self._timer is not None else 0

    def note(self, lag_us: int) -> None:
        """Take in a lateness that somebody else's timer found."""
        now_us = self._clock.monotonic_us()
        self._recent.append((now_us, lag_us))
        while self._recent and self._recent[0][0] < now_us - _LAG_WINDOW_US:
            self._recent.popleft()
        for watch in self._watches:
            watch.seen_us = max(watch.seen_us, lag_us)

    @property
    def recent_us(self) -> int:
        """The worst lateness of the last ten seconds."""
        since_us = self._clock.monotonic_us() - _LAG_WINDOW_US
        return max((lag_us for at_us, lag_us in self._recent if at_us >= since_us), default=0)

    def _arm(self) -> None:
        self._expected_us = self._clock.monotonic_us() + self._tick_us
        self._timer = asyncio.get_running_loop().call_later(self._tick_us / 1_000_000, self._tick)

    def _tick(self) -> None:
        self.note(self.overdue_us())
        self._arm()


class _ClockZone(tzinfo):
    """UTC by our own clock.

    APScheduler 3 takes no clock: it asks `datetime.now(its time zone)`, and Python hands that question to the zone.
    Answering it from `Clock` lets the unchanged scheduler live on simulated time. Instants given to it carry this very
    zone, so it never converts any.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._epoch = datetime(1970, 1, 1, tzinfo=self)

    def instant(self, us: int) -> datetime:
        return self._epoch + timedelta(microseconds=us)

    def microseconds(self, instant: datetime) -> int:
        return (instant - self._epoch) // timedelta(microseconds=1)

    def fromutc(self, _: datetime, /) -> datetime:
        return self.instant(self._clock.now_us())

    def utcoffset(self, _: datetime | None, /) -> timedelta:
        return timedelta(0)

    def dst(self, _: datetime | None, /) -> timedelta:
        return timedelta(0)

    def tzname(self, _: datetime | None, /) -> str:
        return "UTC"


class _Steadily(BaseTrigger):
    """Due again after a fixed time, however late it came."""

    def __init__(self, every_us: int) -> None:
        self._every = timedelta(microseconds=every_us)

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        return now + self._every


@dataclass(slots=True, kw_only=True)
class _Due:
    """Where one check stands. `next_us`: its first slot not yet dealt with. `ran_us`: the latest slot ever begun.
    `used_us`: until where slots may hold samples of a clock that was ahead.
    """

    check: Check
    grid: Grid
    next_us: int
    ran_us: int
    used_us: int = 0


Start = Callable[[Check, int], Awaitable[None]]


class Schedule:
    """Starts every check at its slots, never two runs of one check at a time, and tells what could not be run.

    A clock set back does not stall the schedule, and no slot is run twice: a slot that was already run before the clock
    went back is run under a number one millisecond further, off the grid, until the clock has caught up.

    Args:
        start: runs one check for one slot (its instant in microseconds); awaited in a task of its own, so a check that
            hangs delays no other.
        on_missed, on_jump: told at once, from the event loop; must not block.
        done: the latest slot of each check that is already stored, from before a restart. What was due since then is
            told as missed with cause `off`.
        told: spans of slots of each check that were told as missed already, by a process that ended before it stored
            what ran beside them.
        used: the latest slot of each check that is stored from a clock that was ahead: until then each slot is to be
            run, and under another number.
        lag: the meter to feed; by default one of its own.
        guard_us: how often the clocks are compared and the wheel is turned.
    """

    def __init__(
        self,
        checks: Sequence[Check],
        *,
        clock: Clock,
        start: Start,
        on_missed: Callable[[MissedSlots], None],
        on_jump: Callable[[ClockJump], None],
        done: Mapping[str, int] | None = None,
        told: Mapping[str, Sequence[tuple[int, int]]] | None = None,
        used: Mapping[str, int] | None = None,
        lag: LagMeter | None = None,
        guard_us: int = 1_000_000,
    ) -> None:
        self.lag = lag or LagMeter(clock)
        self._checks = tuple(checks)
        self._clock = clock
        self._start_check = start
        self._on_missed = on_missed
        self._on_jump = on_jump
        self._done = dict(done or {})
        self._told = dict(told or {})
        self._used = dict(used or {})
        self._guard_us = guard_us
        self._zone = _ClockZone(clock)
        # Any: the library has no types.
        self._scheduler: Any = AsyncIOScheduler(  # type: ignore[no-untyped-call]
            timezone=self._zone, job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        )
        self._due: dict[str, _Due] = {}
        self._groups: dict[Grid, list[_Due]] = {}
        #: When each group is due next, the first on top; the number tells apart those of one instant.
        self._wheel: list[tuple[int, int, Grid]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._ahead_us = 0  # how far ahead may be looked, by the monotonic clock
        self._running: dict[str, asyncio.Task[None]] = {}
        self._offset_us = 0
        self._leap = (0, 0)  # wall clock before and after the last jump forward
        self._relived = 0  # how often the clock went back since the start
        self._guard: asyncio.TimerHandle | None = None
        self._guard_due_us = 0
        self._last_advance_us = clock.monotonic_us()

    def start(self) -> None:
        """Begin; needs a running event loop."""
        # One line for every wake-up tells nobody anything; what matters is told by the callbacks.
        logging.getLogger("apscheduler").setLevel(logging.WARNING)
        self._offset_us = self.lag.wall_offset_us()
        now_us = self._clock.now_us()
        self._scheduler.add_job(self._turn, _Steadily(self._guard_us), id=_WHEEL)
        self._ahead_us = self._clock.monotonic_us() + _AHEAD * self._guard_us
        self._take(tuple(self._first(check, now_us) for check in self._checks), gently=True)
        self._scheduler.start()
        self._last_advance_us = self._clock.monotonic_us()
        self._arm_guard()

    async def stop(self, *, grace_us: int = 0) -> None:
        """Start nothing more; give runs under way `grace_us`, then cancel them.

        What that leaves unmeasured the next start runs, if it comes at once, or tells as missed: see `done`.
        """
        if self._guard is not None:
            self._guard.cancel()
            self._guard = None
            self._disarm()
            self._scheduler.pause()
            await asyncio.sleep(0)  # a turn of the wheel under way ends first: cut off, it would be told as a failure
            self._disarm()
            self._scheduler.shutdown(wait=False)
        running = set(self._running.values())
        if running and grace_us:
            _, running = await asyncio.wait(running, timeout=grace_us / 1_000_000)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await asyncio.sleep(0)  # the scheduler closes itself in the loop's next round

    def replace(self, checks: Sequence[Check]) -> None:
        """Go on with other checks. Those that keep id and interval keep their place; runs under way end undisturbed."""
        now_us = self._clock.now_us()
        self._take(tuple(self._kept(check, now_us) for check in checks))

    @property
    def last_advance_monotonic_us(self) -> int:
        """When it was last seen that no due slot waits; stands still when the scheduler does. Monotonic clock."""
        return self._last_advance_us

    @property
    def running(self) -> int:
        """How many runs are under way."""
        return len(self._running)

    # -- what is due -------------------------------------------------------------------------------------------------

    def _first(self, check: Check, now_us: int) -> _Due:
        of = grid(check.id, check.interval)
        current_us = slot_at(of, now_us)
        ran_us = self._done.get(check.id, current_us - of.interval_us)
        fresh = current_us > max(ran_us, now_us - START_GRACE_US)
        next_us = current_us if fresh else current_us + of.interval_us
        due = _Due(check=check, grid=of, next_us=next_us, ran_us=ran_us, used_us=self._used.get(check.id, 0))
        if check.id in self._done:
            self._missed(due, ran_us + 1, next_us, Cause.OFF)
        # The clock stands before what is stored: those slots were run once already.
        self._relived = max(self._relived, int(max(self._done.get(check.id, 0), due.used_us) > now_us))
        return due

    def _kept(self, check: Check, now_us: int) -> _Due:
        of = grid(check.id, check.interval)
        before = self._due.get(check.id)
        if before is not None and before.grid == of:
            return replace(before, check=check)
        ran_us = before.ran_us if before is not None else slot_at(of, now_us)
        used_us = before.used_us if before is not None else 0
        return _Due(check=check, grid=of, next_us=next_slot(of, now_us), ran_us=ran_us, used_us=used_us)

    def _take(self, dues: tuple[_Due, ...], *, gently: bool = False) -> None:
        if len({due.check.id for due in dues}) != len(dues):
            raise ValueError("two checks have the same id")
        self._due = {due.check.id: due for due in dues}
        groups: defaultdict[Grid, list[_Due]] = defaultdict(list)
        for due in dues:
            groups[due.grid].append(due)
        self._groups = dict(groups)
        self._set_wheel(gently=gently)

    # -- waking up ---------------------------------------------------------------------------------------------------

    async def _turn(self) -> None:
        """Look further ahead. Nobody else does: a scheduler that stands still starts nothing, and that is seen."""
        self._ahead_us = self._clock.monotonic_us() + _AHEAD * self._guard_us
        self._arm()

    def _set_wheel(self, *, gently: bool = False) -> None:
        """When each group is due next. Gently: many that are late begin one after the other."""
        now_us = self._clock.now_us()
        wheel = [
            (min(due.next_us for due in members), number, of)
            for number, (of, members) in enumerate(self._groups.items())
        ]
        if gently:
            late = sorted((next_slot(of, now_us), number, of) for at_us, number, of in wheel if at_us <= now_us)
            wheel = [one for one in wheel if one[0] > now_us]
            turns = _spread([next_us for next_us, _, _ in late], now_us)
            wheel += [(at_us, number, of) for at_us, (_, number, of) in zip(turns, late, strict=True)]
        heapq.heapify(wheel)
        self._wheel = wheel
        self._arm()

    def _arm(self, *, least_us: int = 0) -> None:
        """Set the timer to the next slot of all, where it may be looked so far ahead."""
        self._disarm()
        if not self._wheel:
            return
        left_us = max(least_us, self._wheel[0][0] - self._clock.now_us())
        if self._clock.monotonic_us() + left_us <= self._ahead_us:
            self._timer = asyncio.get_running_loop().call_later(left_us / 1_000_000, self._fire)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _fire(self) -> None:
        self._compare_clocks()
        now_us = self._clock.now_us()
        early = not self._wheel or self._wheel[0][0] > now_us
        while self._wheel and self._wheel[0][0] <= now_us:
            _, number, of = self._wheel[0]
            heapq.heapreplace(self._wheel, (next_slot(of, now_us), number, of))
            for due in self._groups[of]:
                self._begin(due, now_us)
        # A timer that counts milliseconds may be a little early, and would be so again at once.
        self._arm(least_us=_EARLY_US if early else 0)

    def _begin(self, due: _Due, now_us: int) -> None:
        slot_us = slot_at(due.grid, now_us)
        if slot_us < due.next_us:
            return
        before_us, after_us = self._leap
        leapt = due.next_us < after_us and before_us < slot_us
        self._missed(due, due.next_us, slot_us, Cause.CLOCK_JUMP if leapt else Cause.LATE)
        due.next_us = slot_us + due.grid.interval_us
        check = due.check
        if check.id in self._running:
            self._missed(due, slot_us, due.next_us, Cause.BUSY)
            return
        key_us = slot_us if slot_us > max(due.ran_us, due.used_us) else slot_us + self._relived * _RELIVED_US
        due.ran_us = max(due.ran_us, slot_us)
        self._running[check.id] = asyncio.create_task(self._run(check, key_us), name=f"check {check.id}")

    async def _run(self, check: Check, slot_us: int) -> None:
        try:
            await self._start_check(check, slot_us)
        except Exception:
            log.exception("a run raised, so its slot is unmeasured", extra={"check": check.id})
            until_us = slot_us + check.interval
            self._tell_missed(
                MissedSlots(check_id=check.id, from_us=slot_us, until_us=until_us, count=1, cause=Cause.ERROR)
            )
        finally:
            del self._running[check.id]

    def _missed(self, due: _Due, from_us: int, until_us: int, cause: Cause) -> None:
        # Slots up to `ran_us` were begun once, before the clock went back: nothing of them is missing.
        slots = slots_between(due.grid, max(from_us, due.ran_us + 1), until_us)
        if slots:
            missed = MissedSlots(
                check_id=due.check.id,
                from_us=slots[0],
                until_us=slots[-1] + due.grid.interval_us,
                count=len(slots),
                cause=cause,
            )
            before = self._told.get(due.check.id, ()) if cause is Cause.OFF else ()
            for part in untold(missed, before):
                self._tell_missed(part)

    def _tell_missed(self, missed: MissedSlots) -> None:
        try:
            self._on_missed(missed)
        except Exception:
            log.exception("missed slots could not be told: %s", missed)

    # -- clocks ------------------------------------------------------------------------------------------------------

    def _arm_guard(self) -> None:
        self._guard_due_us = self._clock.monotonic_us() + self._guard_us
        self._guard = asyncio.get_running_loop().call_later(self._guard_us / 1_000_000, self._tick)

    def _tick(self) -> None:
        self.lag.note(max(0, self._clock.monotonic_us() - self._guard_due_us))
        self._compare_clocks()
        stuck_us = self._clock.now_us() - STUCK_US
        if all(due.next_us > stuck_us for due in self._due.values()):
            self._last_advance_us = self._clock.monotonic_us()
        else:
            self._scheduler.wakeup()
        self._arm_guard()

    def _compare_clocks(self) -> None:
        offset_us = self.lag.wall_offset_us()
        shift_us = offset_us - self._offset_us
        self._offset_us = offset_us  # followed every time, so that slewing never adds up to a jump
        if abs(shift_us) <= JUMP_US:
            return
        now_us = self._clock.now_us()
        if shift_us > 0:
            self._leap = (now_us - shift_us, now_us)
        else:
            self._relived += 1
            for due in self._due.values():
                due.next_us = next_slot(due.grid, now_us)
        self._set_wheel()
        # The scheduler's own timer was set by the old wall clock; without this it would wait the whole step out.
        self._scheduler.modify_job(_WHEEL, next_run_time=self._zone.instant(now_us))
        try:
            self._on_jump(ClockJump(at_us=now_us, shift_us=shift_us))
        except Exception:
            log.exception("a clock jump of %d us could not be told", shift_us)


def _spread(next_slots: Sequence[int], now_us: int) -> Iterator[int]:
    """When those begin that are late at the start, in the order of their next slots: a few now, the rest one by one.

    A thousand runs at once would be late themselves, and what they measured worth nothing. None is put off beyond its
    next slot, or the one it is late for would be lost.
    """
    step_us = min(WHEEL_US, START_SPREAD_US // max(1, len(next_slots)))
    for place, next_us in enumerate(next_slots):
        yield max(now_us, min(now_us + max(0, place - _AT_ONCE) * step_us, next_us - WHEEL_US))
