"""A location at work: when its checks are due, what is asked then, whose fault it was, and how it reaches the store.

The monitor has one, and so has each outpost. What follows from what is found is decided by the monitor alone.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from monitor import composition
from monitor.check_run import Alerting, Recorder, note_stopped, run_check
from monitor.clean_up import CleanUp
from monitor.clock import AHEAD_US, Clock
from monitor.config import Loaded
from monitor.doubt import Processor, Waits, believed, resolved
from monitor.footing import Footing
from monitor.incidents import MONITOR, Opened
from monitor.metrics import Metrics
from monitor.missed import MISSED, Cause, MissedSlots
from monitor.pausing import Rests
from monitor.schedule import ClockJump, Schedule
from monitor.spooling import LOOK_S, Spooling
from monitor.stillness import Stillness
from monitor.store import events, evidence, samples
from monitor.store.database import Database, InStore, StoreError, StoreThread, Transaction
from monitor.store.events import Event
from monitor.store.spool import Spool
from probes.browser.running import Budget
from probes.checks import Check
from probes.guest import Guest
from probes.references import ours_to_blame, references_up
from probes.run import run
from probes.sample import Sample
from probes.setup import Setup

log = logging.getLogger(__name__)

_SECOND_US = 1_000_000
_DAY_US = 86_400 * _SECOND_US
_STILL_US = 60 * _SECOND_US  # a schedule that has not moved for so long is dead
_FOR_EVER_US = 2**62
_STEADY_US = 3_600 * _SECOND_US
_GRACE_US = 1_500_000
_RESTS_S = 2.0
_FOOTING_S = 30.0
_STILLNESS_S = 15.0
#: A killed process loses what it gathered, so no longer than this; at a hundred runs a second it is most of the gain.
_GATHER_US = 250_000


class Measuring:
    """What goes on at one location. `configured` says what is in force; `prepare` and `start` begin it.

    Args:
        location: part of every sample's key.
        outpost: what is found is handed in to the monitor; otherwise this is the monitor, and decides.
        spool: a file on this machine in which what waits for the store outlives this process.
    """

    def __init__(
        self,
        location: str,
        *,
        database: Database,
        in_store: InStore,
        clock: Clock,
        metrics: Metrics,
        outpost: bool = False,
        spool: Path | None = None,
    ) -> None:
        self.location = location
        self._database = database
        self._in_store = in_store
        self._clock = clock
        self._metrics = metrics
        self._processor = Processor()
        self._waits = Waits(self._processor, clock.monotonic_us)
        self._stillness = Stillness(clock)
        self._jumped_us: int | None = None
        self._guest = Guest()
        self._kept = Budget(0)
        self.recorder = Recorder(
            database=database,
            in_store=in_store,
            clock=clock,
            observer=metrics,
            gather_us=_GATHER_US,
            hands_in=outpost,
        )
        self._spool = Spool(spool) if spool is not None else None
        self._in_spool = StoreThread()
        self._spooling = (
            Spooling(self._spool, self.recorder, in_spool=self._in_spool, metrics=metrics) if self._spool else None
        )
        self.rests = Rests(database=database, in_store=in_store, clock=clock)
        self.clean_up = CleanUp(
            database=database,
            in_store=in_store,
            clock=clock,
            rests=lambda check_id: self.rests.cause(check_id) is not None,
        )
        self._footing = Footing(
            settings=lambda: self._settings,
            setup=lambda: self.setup,
            location=location,
            tells=not outpost,
            database=database,
            in_store=in_store,
            clock=clock,
            metrics=metrics,
        )

    def configured(self, loaded: Loaded, alerting: Alerting) -> None:
        """A configuration came into force; where measuring goes on already, `follow` takes its checks over.

        Everything is made of it first: where that fails, nothing has changed.
        """
        settings = loaded.config
        setup = composition.probe_setup(loaded, self._clock)
        checks = settings.checks_at(self.location)
        stop_file = settings.monitor.stop_file
        stop = loaded.path(stop_file) if stop_file is not None else None
        references, contracts = settings.references, {one.contract.contract for one in loaded.contracts}
        urls, names = references.urls, references.names
        setup.guest.go_on_from(self._guest)
        self._guest = setup.guest
        setup.browsers.budget.go_on_from(self._kept)
        self._kept = setup.browsers.budget
        self.setup: Setup = replace(setup, created=self.clean_up.keep)
        self.checks = checks
        self._settings = settings
        self._alerting = alerting
        self.rests.configured(stop)
        self.clean_up.configured(settings.checks, setup, settings.addressees)
        self._metrics.configured(checks, location=self.location, sha256=loaded.sha256, now_us=self._clock.now_us())
        self._metrics.keep_only(contracts=contracts, references=urls, names=names)

    # -- beginning and ending ----------------------------------------------------------------------------------------

    async def prepare(self) -> None:
        """Find out what was measured, or told as missed, before; and what rests now.

        Raises:
            StoreUnavailable: also where it does not take what waited for it when a process before this one ended.
        """
        if self._spooling is not None:
            await self._spooling.take_back({check.id: check for check in self.checks}, lambda: self._alerting)
        await self.rests.look()
        done, used, told = await self._in_store(self._before)
        self._schedule = Schedule(
            self.checks,
            clock=self._clock,
            start=self._start,
            on_missed=self._missed,
            on_jump=self._jumped,
            done=done,
            used=used,
            told=told,
        )

    def _before(self) -> tuple[Mapping[str, int], Mapping[str, int], Mapping[str, list[tuple[int, int]]]]:
        now_us = self._clock.now_us()
        with self._database.read() as tx:
            self._kept.was_kept(evidence.kept_bytes(tx, now_us - now_us % _DAY_US), now_us)
            # What a clock that was ahead has dated says nothing of the slots until then: they are still to be run.
            until_us = self._clock.now_us() + AHEAD_US
            last = samples.last(tx, [check.id for check in self.checks], self.location)
            used = {name: sample.slot_us for name, sample in last.items() if sample.slot_us >= until_us}
            last = {name: sample for name, sample in last.items() if name not in used}
            last |= samples.last(tx, list(used), self.location, before_us=until_us)
            for sample in last.values():
                self._metrics.newest(sample)
            done = {check_id: sample.slot_us for check_id, sample in last.items()}
            return done, used, self._told(tx, min(done.values(), default=self._clock.now_us()))

    def _told(self, tx: Transaction, since_us: int) -> Mapping[str, list[tuple[int, int]]]:
        told: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        for event in events.read(tx, since_us, _FOR_EVER_US, kinds=(MISSED,)):
            if event.data.get("location", self.location) == self.location:
                told[str(event.check_id)].append((int(event.data["from_us"] or 0), int(event.data["until_us"] or 0)))
        return told

    def start(self) -> None:
        self._schedule.start()

    def follow(self) -> None:
        """Go on with the checks of the configuration in force."""
        self._schedule.replace(self.checks)

    async def stop(self) -> None:
        """End, giving runs under way a moment; what was found is stored, if the store takes it."""
        await self._schedule.stop(grace_us=_GRACE_US)
        await self.recorder.drain()
        if self._spooling is not None:
            try:
                await self._spooling.look(all_of_it=True)
            except StoreError as error:
                log.error(
                    "what waits for the store is lost", extra={"samples": self.recorder.waiting, "error": str(error)}
                )

    def close(self) -> None:
        """When nothing goes on any more."""
        self._in_spool.close()
        if self._spool is not None:
            self._spool.close()

    def loops(self) -> Iterator[tuple[float, Callable[[], Awaitable[None]]]]:
        """What goes on beside the runs, and every how many seconds."""
        yield _RESTS_S, self._look_what_rests
        yield _FOOTING_S, self._look_at_footing
        yield _STILLNESS_S, self._tell_stillness
        if self._spooling is not None:
            yield LOOK_S, self._spooling.look

    # -- a run -------------------------------------------------------------------------------------------------------

    async def _start(self, check: Check, slot_us: int) -> None:
        if (rest := self.rests.cause(check.id)) is not None:
            self._missed_one(check, slot_us, rest)
            return
        hindrance = await self.clean_up.hindrance(check)
        if hindrance is not None:
            self._missed_one(check, slot_us, Cause(hindrance.value))
            return
        await run_check(
            check,
            slot_us,
            measure=self._measure,
            references=self._ask_references if self._settings.references.urls else None,
            alerting=self._alerting,
            recorder=self.recorder,
            clock=self._clock,
            observer=self._metrics,
            spares=lambda: self._guest.spares(check.id, self._clock.monotonic_us()),
        )
        self._stillness.heard(check.id)

    def _missed_one(self, check: Check, slot_us: int, cause: Cause) -> None:
        self._stillness.heard(check.id)  # it rests on purpose, and says so
        until_us = slot_us + check.interval
        self._missed(MissedSlots(check_id=check.id, from_us=slot_us, until_us=until_us, count=1, cause=cause))

    async def _measure(self, check: Check, slot_us: int) -> Sample:
        settings = self._settings
        with self._schedule.lag.watch() as watch:
            begun = self._waits.begin()
            sample = await run(check, slot_us=slot_us, location=self.location, setup=self.setup)
        most_us = settings.monitor.max_lag
        waited_us = self._waits.since(begun, most_us=most_us)
        sample = believed(sample, lag_us=watch.worst_us, max_lag_us=most_us, waited_us=waited_us)
        return await resolved(sample, settings.references.names, deadline_us=settings.references.deadline)

    async def _ask_references(self) -> bool:
        settings = self._settings.references
        answers = await references_up(settings.urls, deadline_us=settings.deadline, setup=self.setup)
        for url, up in zip(settings.urls, answers, strict=True):
            self._metrics.set("monitor_reference_up", float(up), url)
        return not ours_to_blame(answers)

    def _missed(self, missed: MissedSlots) -> None:
        self._metrics.add("journey_missed_runs_total", missed.count, missed.check_id, missed.cause.value)
        self.recorder.keep(missed.event(self.location, now_us=self._clock.now_us()))

    def _jumped(self, jump: ClockJump) -> None:
        self._jumped_us = self._clock.monotonic_us()
        direction = "forward" if jump.shift_us > 0 else "backward"
        self._metrics.add("monitor_clock_jumps_total", 1, direction)
        log.warning("the wall clock jumped", extra={"shift_us": jump.shift_us})
        data: dict[str, str | int | bool | None] = {"shift_us": jump.shift_us, "location": self.location}
        self.recorder.keep(Event(at_us=jump.at_us, kind="clock-jump", data=data))

    # -- beside the runs ---------------------------------------------------------------------------------------------

    async def _look_what_rests(self) -> None:
        self._metrics.rests(stopped=self.rests.stopped, paused=self.rests.figures(self.checks))
        await self.rests.look()
        self._metrics.rests(stopped=self.rests.stopped, paused=self.rests.figures(self.checks))

    async def _look_at_footing(self) -> None:
        """What we stand on ourselves: the resolver each time, the references and the clock now and then."""
        for look in (self._footing.ask_resolver, self._footing.ask_references, self._footing.look_at_clock):
            await look()

    async def _tell_stillness(self) -> None:
        """Checks that are not measured at all, though the process runs: one alarm, however many they are."""
        # What is in shadow alarms nobody, and its samples would never end the alarm.
        still = self._stillness.still([check for check in self.checks if not check.shadow])
        self._metrics.set("monitor_checks_still", len(still))
        if not still:
            return
        now_us = self._clock.now_us()
        happened = await self._in_store(
            lambda: note_stopped(self._database, still, self._alerting, location=self.location, now_us=now_us)
        )
        for event in happened:
            if isinstance(event, Opened):
                log.error("checks are not measured any more", extra={"checks": ", ".join(one.id for one in still)})
                self._metrics.incident(MONITOR, event.since_us)

    def note_figures(self) -> None:
        """How measuring goes, for whoever scrapes."""
        self._metrics.set("monitor_loop_lag_seconds", self._schedule.lag.recent_us / _SECOND_US)
        self._metrics.set("monitor_runs_in_flight", self._schedule.running)
        self._metrics.set("monitor_cpu_pressure_ratio", self._processor.pressure())
        advanced_us = self._clock.now_us() - self.still_us
        self._metrics.set("monitor_scheduler_last_advance_timestamp_seconds", advanced_us / _SECOND_US)
        if (size := self._database.size_bytes()) is not None:
            self._metrics.set("monitor_db_size_bytes", size)
        self._metrics.samples_waiting(self.recorder.behind, self.recorder.behind_bytes)

    @property
    def clock_is_steady(self) -> bool:
        """Whether the wall clock has not jumped for an hour: what it says may be written down for good."""
        return self._jumped_us is None or self._clock.monotonic_us() - self._jumped_us >= _STEADY_US

    @property
    def still_us(self) -> int:
        """For how long the schedule has not moved, by the monotonic clock."""
        return self._clock.monotonic_us() - self._schedule.last_advance_monotonic_us

    @property
    def goes_on(self) -> bool:
        return self.still_us <= _STILL_US

    def problems(self) -> tuple[str, ...]:
        """Why measuring does not go on; nothing where it does."""
        return () if self.goes_on else (f"the schedule has not moved for {self.still_us // _SECOND_US} s",)
