"""The heart, on one page: run a check, find out whose fault it is, decide, save all of it in one transaction, tell.

Sample, incident, state and outgoing mail stand or fall together. Mail is sent afterwards (`monitor.delivery`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from monitor import clean_up, quiet, sealing, telling
from monitor.alerts import certificate_messages, own_messages
from monitor.clock import Clock
from monitor.flap_telling import note_flapping
from monitor.incidents import MONITOR, Event, Opened, OwnTrouble, Resolved, advance, advance_own
from monitor.judging import judge
from monitor.missed import Cause, MissedSlots
from monitor.news import Kind
from monitor.observer import Observer
from monitor.slow_telling import note_slowness
from monitor.store import events, handed_in, incidents, outbox, samples
from monitor.store.database import Database, InStore, StoreDamaged, StoreRefused, StoreUnavailable, Transaction
from monitor.store.events import Event as Happened
from monitor.store.handed_in import HandedIn
from monitor.telling import Alerting as Alerting
from monitor.votes import heard, is_overtaken
from monitor.waiting import BATCH, GivenUp, Waiting
from monitor.waiting import Finding as Finding
from probes.checks import CertificateCheck, Check
from probes.sample import Failure, FailureKind, Outcome, Sample

log = logging.getLogger(__name__)

#: Runs a check once for a slot. The target's faults are in the sample; nothing is raised but cancellation.
Measure = Callable[[Check, int], Awaitable[Sample]]

#: Asks the reference targets afresh: True where they answer, so that a failure is the target's own.
AskReferences = Callable[[], Awaitable[bool]]

_RETRY_AFTER_US = 2_000_000
#: What a finding's consequences may fail with, that trying again does not mend: the store does not take them, or holds
#: what this version cannot read or does not foresee.
_REFUSED = (StoreRefused, ValueError, LookupError, TypeError, AttributeError, AssertionError)


async def run_check(
    check: Check,
    slot_us: int,
    *,
    measure: Measure,
    references: AskReferences | None,
    alerting: Alerting,
    recorder: Recorder,
    clock: Clock,
    observer: Observer,
    spares: Callable[[], bool] = lambda: False,
) -> Sample:
    """Measure a check for one slot, and see to everything that follows from it.

    Args:
        references: None asks nobody, so every failure counts.
        spares: asked after a failure: whether the portal asked not to be asked again at once.
    """
    sample = await _measured(check, slot_us, measure=measure, rerun=alerting.rule.rerun, spares=spares, clock=clock)
    if sample.outcome is Outcome.DOWN and references is not None:
        sample = await _attributed(sample, references, observer)
    observer.sample(sample)
    await recorder.record(Finding(check=check, sample=sample, alerting=alerting))
    return sample


async def _measured(
    check: Check, slot_us: int, *, measure: Measure, rerun: bool, spares: Callable[[], bool], clock: Clock
) -> Sample:
    """One run; where it failed, a second one at once, if there is time for it before the next slot is due."""
    began_us = clock.monotonic_us()
    first = await measure(check, slot_us)
    spent_us = clock.monotonic_us() - began_us
    if first.outcome is not Outcome.DOWN or not rerun or spares() or spent_us + check.deadline > check.interval:
        return first
    second = await measure(check, slot_us)
    match second.outcome:
        case Outcome.UP | Outcome.DEGRADED:
            # What proves the failure that was not confirmed is kept with the sample that was.
            return replace(_both_proven(first, second), blip=first.failure, attempts=2)
        case Outcome.DOWN:
            return replace(second, attempts=2)
        case Outcome.UNKNOWN:
            return replace(_both_proven(first, second), attempts=2)


def _both_proven(first: Sample, second: Sample) -> Sample:
    return replace(second, evidence=first.evidence + second.evidence, bundles=first.bundles + second.bundles)


async def _attributed(sample: Sample, references: AskReferences, observer: Observer) -> Sample:
    """The sample, or an unknown one where the references failed too: then the fault is on our side."""
    try:
        answered = await references()
    except Exception as error:
        log.exception("the references could not be asked", extra={"check": sample.check_id})
        failure = Failure(kind=FailureKind.MONITOR, subject="references", found=type(error).__name__)
        return replace(sample, outcome=Outcome.UNKNOWN, failure=failure)
    observer.references_asked(own_fault=not answered)
    if answered:
        return sample
    found = sample.failure.kind.value if sample.failure else None
    failure = Failure(kind=FailureKind.REFERENCE, subject="references", expected="an answer", found=found)
    return replace(sample, outcome=Outcome.UNKNOWN, failure=failure)


class Recorder:
    """Saves findings and events in the order they came, and keeps in memory what the store cannot take yet.

    While the store is locked, full or away, measuring goes on: only the run that happens to try waits for its answer,
    and nobody tries again for two seconds after a failure. `drain` should also be called from time to time, for nothing
    else tries again where no further run ends. What came while the store was busy is saved in one transaction.

    Args:
        capacity, capacity_bytes: how much may wait; beyond it evidence is given up, and then the oldest.
        hands_in: what is found is only stored, and handed in to the monitor where something may follow from it.
        gather_us: how long a good sample of a check that is well may wait for others to be saved with. Whatever may
            have consequences is saved at once, with all that waits; so is a check's first sample. 0: nothing waits.
    """

    def __init__(
        self,
        *,
        database: Database,
        in_store: InStore,
        clock: Clock,
        observer: Observer,
        capacity: int = 50_000,
        capacity_bytes: int = 256 * 1024 * 1024,
        gather_us: int = 0,
        hands_in: bool = False,
    ) -> None:
        self._database = database
        self._in_store = in_store
        self._clock = clock
        self._observer = observer
        self._gather_us = gather_us
        self._follow: Follow = _hand_in if hands_in else _save_finding
        self._gathering: asyncio.TimerHandle | None = None
        self._well: set[str] = set()
        self._waiting = Waiting(most=capacity, most_bytes=capacity_bytes)
        self._draining: asyncio.Task[bool] | None = None
        self._not_before_us: int | None = None

    @property
    def waiting(self) -> int:
        """How many findings and events the store has not taken yet."""
        return len(self._waiting)

    @property
    def behind(self) -> int:
        """How many of them wait because the store did not take what it was given last."""
        return len(self._waiting) if self._not_before_us is not None else 0

    @property
    def behind_bytes(self) -> int:
        """How many bytes of memory those take, as reckoned."""
        return self._waiting.bytes if self._not_before_us is not None else 0

    async def record(self, what: Finding | Happened) -> None:
        """Save a finding or an event, after those that came before it."""
        if not self._take(what):
            return
        if self._may_wait(what):
            if self._gathering is None:
                self._gathering = asyncio.get_running_loop().call_later(self._gather_us / 1_000_000, self._gathered)
            return
        await self.drain()

    def keep(self, event: Happened) -> None:
        """Save an event, after what came before it, without making its teller wait."""
        if self._take(event):
            self._begin().add_done_callback(_complain)

    def take_back(self, what: Finding | Happened) -> None:
        """Put what waited in a process before this one behind what waits; `drain` saves it."""
        self._tell(self._waiting.add(what))

    def held(self) -> Mapping[int, Finding | Happened]:
        """All that waits, by numbers that tell the order in which it came."""
        return self._waiting.held()

    async def drain(self) -> bool:
        """Save what waits. True where nothing is left; False where the store does not take it."""
        # Whoever waits here may be cancelled; what is being written is not, or nobody would know whether it was.
        return await asyncio.shield(self._begin())

    def _take(self, what: Finding | Happened) -> bool:
        """Whether somebody should begin to save now: not where that is under way, or failed a moment ago."""
        self._tell(self._waiting.add(what))
        if self._draining is not None:
            return False
        resting = self._not_before_us is not None and self._clock.monotonic_us() < self._not_before_us
        if resting:
            self._observer.samples_waiting(len(self._waiting), self._waiting.bytes)
        return not resting

    def _tell(self, gone: GivenUp) -> None:
        room = {"waiting": len(self._waiting), "bytes": self._waiting.bytes}
        if gone.evidence:
            self._observer.evidence_given_up(gone.evidence)
            log.error("evidence was given up: too much waits for the store", extra={"samples": gone.evidence, **room})
        if gone.samples or gone.events:
            self._observer.samples_lost(gone.samples)
            log.error("samples were lost: too many wait for the store", extra={**gone._asdict(), **room})

    def _may_wait(self, what: Finding | Happened) -> bool:
        if not self._gather_us or isinstance(what, Happened):
            return False
        return what.check.id in self._well and quiet.says_nothing_new(what.check, what.sample)

    def _gathered(self) -> None:
        self._gathering = None
        self._begin().add_done_callback(_complain)

    def _begin(self) -> asyncio.Task[bool]:
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None
        if self._draining is None:
            self._draining = asyncio.get_running_loop().create_task(self._drain())
        return self._draining

    async def _drain(self) -> bool:
        try:
            while self._waiting:
                try:
                    await self._save(self._waiting.take())
                except BaseException:
                    self._waiting.put_back()
                    raise
                self._waiting.saved()
            self._not_before_us = None
        except (StoreUnavailable, StoreDamaged) as error:
            self._not_before_us = self._clock.monotonic_us() + _RETRY_AFTER_US
            self._observer.store_failed()
            log.warning("the store is not available", extra={"error": str(error), "waiting": len(self._waiting)})
            return False
        finally:
            self._draining = None
            self._observer.samples_waiting(len(self._waiting), self._waiting.bytes)
        return True

    async def _save(self, batch: tuple[Finding | Happened, ...]) -> None:
        now_us = self._clock.now_us()
        try:
            saved = await self._in_store(lambda: _save_batch(self._database, batch, self._follow, now_us=now_us))
        except _REFUSED as error:
            if len(batch) > 1:
                # One of them is refused; it must not cost the others their place.
                for one in batch:
                    await self._save((one,))
                return
            await self._save_refused(batch[0], error)
            return
        self._well.difference_update(what.check.id for what in batch if isinstance(what, Finding))
        self._well |= saved.well
        for check_id, since_us in saved.changed:
            self._observer.incident(check_id, since_us)
        if saved.too_late:
            self._observer.samples_lost(saved.too_late)
            log.error("samples came when their day was sealed; they count as missed", extra={"count": saved.too_late})

    async def _save_refused(self, what: Finding | Happened, error: Exception) -> None:
        # A defect of ours, a second process at the same checks, or what only a newer version can read. The measurement
        # itself must not be lost to it, nor those behind it.
        self._observer.store_failed()
        if isinstance(what, Happened):
            log.error("the store refused an event", extra={"kind": what.kind, "error": str(error)})
            return
        log.error(
            "the store refused a finding",
            extra={"check": what.check.id, "error": str(error)},
            exc_info=None if isinstance(error, StoreRefused) else error,
        )
        if not await self._in_store(lambda: _save_bare(self._database, what.sample)):
            self._observer.samples_lost(1)


def _complain(draining: asyncio.Task[bool]) -> None:
    if not draining.cancelled() and (error := draining.exception()) is not None:
        log.error("what waits for the store could not be saved", exc_info=error)


def save(database: Database, *batch: Finding | Happened, now_us: int) -> tuple[tuple[str, int | None], ...]:
    """Store findings and events with all their consequences in one transaction.

    Returns:
        The checks whose incident opened (with since when) or ended (with None).
    """
    return _save_batch(database, batch, _save_finding, now_us=now_us).changed


def take_in(
    database: Database, checks: Mapping[str, Check], alerting: Alerting, *, now_us: int
) -> tuple[tuple[str, int | None], ...] | None:
    """Draw the consequences of what outposts handed in, oldest first; those of a check that is no more are dropped.

    Returns:
        As `save`; None where nothing was handed in. Many wait where the monitor was away: ask again until it is None.

    Raises:
        StoreUnavailable: nothing is lost; it is there the next time.
    """
    with database.read() as tx:
        waiting = handed_in.waiting(tx, BATCH)
    if not waiting:
        return None
    try:
        return _take_in(database, waiting, checks, alerting, now_us=now_us)
    except _REFUSED:
        changed: list[tuple[str, int | None]] = []
        for one in waiting:
            # One of them is refused; its measurement is stored, and it must not stop the others.
            try:
                changed.extend(_take_in(database, (one,), checks, alerting, now_us=now_us))
            except _REFUSED as error:
                log.error("the store refused what an outpost found", extra={"check": one.check_id, "error": str(error)})
                with database.begin() as tx:
                    handed_in.drop(tx, (one,))
        return tuple(changed)


def _take_in(
    database: Database,
    waiting: Sequence[HandedIn],
    checks: Mapping[str, Check],
    alerting: Alerting,
    *,
    now_us: int,
) -> tuple[tuple[str, int | None], ...]:
    changed: list[tuple[str, int | None]] = []
    with database.begin() as tx:
        ourselves = _Ourselves(tx)
        for one in waiting:
            check, sample = checks.get(one.check_id), samples.read(tx, one.check_id, one.location, one.slot_us)
            if check is not None and not check.shadow and sample is not None:
                finding = Finding(check=check, sample=sample, alerting=alerting)
                changed.extend(_draw_consequences(tx, finding, ourselves, now_us=now_us))
        handed_in.drop(tx, waiting)
        ourselves.save()
    return tuple(changed)


class _Saved(NamedTuple):
    """The checks whose incident opened or ended, as `save` returns them; those whose sample had no consequences; and
    how many samples came when their day was sealed."""

    changed: tuple[tuple[str, int | None], ...]
    well: frozenset[str]
    too_late: int


def _save_batch(database: Database, batch: Sequence[Finding | Happened], follow: Follow, *, now_us: int) -> _Saved:
    changed: list[tuple[str, int | None]] = []
    with database.begin() as tx:
        kept = _without_too_late(tx, batch, now_us=now_us)
        findings = [what for what in kept if isinstance(what, Finding)]
        ourselves = _Ourselves(tx)
        undecided = handed_in.checks(tx) if follow is _hand_in else frozenset[str]()
        stored = quiet.store(tx, findings, ourselves.now, undecided=undecided)
        well = frozenset(findings[place].check.id for place in stored)
        for what in kept:
            if isinstance(what, Happened):
                events.add_once(tx, what)
            elif what.check.id not in well:
                changed.extend(follow(tx, what, ourselves, now_us))
        ourselves.save()
    return _Saved(tuple(changed), well, len(batch) - len(kept))


def _without_too_late(
    tx: Transaction, batch: Sequence[Finding | Happened], *, now_us: int
) -> Sequence[Finding | Happened]:
    """All but the findings of days that are sealed: an outpost that was cut off for days may still hold some. They are
    told as missed."""
    settled_us = sealing.settled_until(now_us)
    old = [what.sample for what in batch if isinstance(what, Finding) and what.sample.slot_us < settled_us]
    if not old:
        return batch
    sealed = sealing.closed(tx, {sealing.day_of(one.slot_us) for one in old})
    late = {samples.key(one) for one in old if sealing.day_of(one.slot_us) in sealed} - samples.present(tx, old)
    kept: list[Finding | Happened] = []
    for what in batch:
        if isinstance(what, Happened) or samples.key(what.sample) not in late:
            kept.append(what)
        else:
            events.add(tx, _missed(what).event(what.sample.location, now_us=now_us))
    return kept


def _missed(finding: Finding) -> MissedSlots:
    slot_us, check = finding.sample.slot_us, finding.check
    return MissedSlots(
        check_id=check.id, from_us=slot_us, until_us=slot_us + check.interval, count=1, cause=Cause.SEALED
    )


class _Ourselves:
    """What the monitor knows about its own measuring, read and written once a transaction: it may be long."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._before = self.now = incidents.load_own(tx)

    def save(self) -> None:
        if self.now != self._before:
            incidents.save_own(self._tx, self.now)


#: What is done with a finding from which something may follow; the changes, as `save` returns them.
Follow = Callable[[Transaction, Finding, _Ourselves, int], Iterable[tuple[str, int | None]]]


def _save_finding(
    tx: Transaction, finding: Finding, ourselves: _Ourselves, now_us: int
) -> Iterable[tuple[str, int | None]]:
    """A finding with all its consequences.

    Nothing at all happens for a slot that has its sample already. A check in shadow has its sample, and what it made at
    the portal, written down; no more.
    """
    if not _store(tx, finding, now_us=now_us) or finding.check.shadow:
        return ()
    return _draw_consequences(tx, finding, ourselves, now_us=now_us)


def _hand_in(
    tx: Transaction, finding: Finding, _ourselves: _Ourselves, now_us: int
) -> Iterable[tuple[str, int | None]]:
    """A finding as an outpost leaves it: stored, for the monitor to draw the consequences."""
    if _store(tx, finding, now_us=now_us) and not finding.check.shadow:
        handed_in.add(tx, finding.sample)
    return ()


def _store(tx: Transaction, finding: Finding, *, now_us: int) -> bool:
    if not samples.add(tx, finding.sample):
        return False
    clean_up.note_sample(tx, finding.check, finding.sample, now_us=now_us)
    return True


def _draw_consequences(
    tx: Transaction, finding: Finding, ourselves: _Ourselves, *, now_us: int
) -> Iterator[tuple[str, int | None]]:
    sample, check, alerting = finding.sample, finding.check, finding.alerting
    said = heard(tx, check, sample, alerting.rule, alerting.places)
    happened = _move(tx, check, said, alerting, now_us=now_us) if said is not None else ()
    if isinstance(check, CertificateCheck):
        warnings = certificate_messages(check, sample, alerting.recipients, now_us=now_us)
        outbox.add(tx, warnings, now_us=now_us)
    own = _about_ourselves(tx, finding, ourselves, now_us=now_us)
    for check_id, events_of in ((check.id, happened), (MONITOR, own)):
        for event in events_of:
            if isinstance(event, Opened | Resolved):
                yield check_id, event.since_us if isinstance(event, Opened) else None


def _move(tx: Transaction, check: Check, said: Sample, alerting: Alerting, *, now_us: int) -> tuple[Event, ...]:
    """What a sample, or what all locations say together, makes of the check's incident; people are told of it."""
    before, slow = incidents.load_with_slowness(tx, check.id)
    if len(alerting.places.get(check.id, ())) > 1 and is_overtaken(tx, said, before, now_us=now_us):
        return ()
    state, happened = advance(before, said, alerting.rule, interval_us=check.interval)
    if state != before:
        incidents.save(tx, check.id, state)
    for event in happened:
        incidents.record(tx, check.id, event)
    judge(tx, check, said, happened, alerting.rule)
    note_flapping(tx, check, happened, alerting.rule, now_us=now_us)
    about = {event.incident_id for event in happened}
    if state.kind == "ongoing":  # a first good sample is no moment to alarm or to remind anybody
        about.add(state.incident_id)
    for incident_id in sorted(about):
        telling.tell(tx, incident_id, check, alerting, now_us=now_us)
    note_slowness(
        tx,
        slow,
        check,
        said,
        alerting.rule,
        alerting.recipients,
        incident=state.kind in ("ongoing", "recovering"),
        muted=lambda: telling.muted(tx, check, now_us, alerting.dependants),
        now_us=now_us,
    )
    return happened


def _about_ourselves(tx: Transaction, finding: Finding, ourselves: _Ourselves, *, now_us: int) -> tuple[Event, ...]:
    """What this sample says about the monitor: one mail when it cannot measure, one when it can again."""
    rule, interval_us = finding.alerting.rule, finding.check.interval
    ourselves.now, happened = advance_own(ourselves.now, finding.sample, rule, interval_us=interval_us)
    return _tell_own(tx, ourselves.now, happened, finding.alerting, now_us=now_us)


def note_stopped(
    database: Database, checks: Sequence[Check], alerting: Alerting, *, location: str, now_us: int
) -> tuple[Event, ...]:
    """Checks that gave no sample at all for too long are the monitor's own trouble: one incident and one mail for all.

    It ends as soon as each of them was measured again. Nothing is stored as a sample: nothing was measured.
    """
    failure = Failure(kind=FailureKind.MONITOR, subject="measuring", found="no run for three of its intervals")
    stopped = [(check.id, location, check.interval, failure) for check in checks]
    return note_ourselves(database, stopped, alerting, now_us=now_us)


def note_ourselves(
    database: Database,
    known: Iterable[tuple[str, str, int, Failure | None]],
    alerting: Alerting,
    *,
    now_us: int,
) -> tuple[Event, ...]:
    """What is known about our own measuring without any sample.

    Args:
        known: name, location, interval, and why it is not measured; None: it is again.
    """
    at_once = alerting.rule.model_copy(update={"unknown_after": 1})
    with database.begin() as tx:
        own = before = incidents.load_own(tx)
        happened: tuple[Event, ...] = ()
        for name, location, interval_us, failure in known:
            seen = Sample(
                run_id="",
                check_id=name,
                location=location,
                slot_us=now_us,
                started_us=now_us,
                duration_us=0,
                outcome=Outcome.UP if failure is None else Outcome.UNKNOWN,
                failure=failure,
            )
            own, more = advance_own(own, seen, at_once, interval_us=interval_us)
            happened += more
        if own != before:
            incidents.save_own(tx, own)
        return _tell_own(tx, own, happened, alerting, now_us=now_us)


def _tell_own(
    tx: Transaction, own: OwnTrouble, happened: tuple[Event, ...], alerting: Alerting, *, now_us: int
) -> tuple[Event, ...]:
    for event in happened:
        incidents.record(tx, MONITOR, event)
        incident = incidents.get(tx, event.incident_id)
        if incident is None or not isinstance(event, Opened | Resolved):
            continue
        told = outbox.told(tx, incident.id)
        if isinstance(event, Resolved) and told.opened_us is None:
            continue
        kind = Kind.MONITOR if isinstance(event, Opened) else Kind.MEASURING
        titles = telling.own_titles(own, alerting)
        outbox.add(tx, own_messages(kind, incident, told, titles, alerting.recipients), now_us=now_us)
    return happened


def _save_bare(database: Database, sample: Sample) -> bool:
    """The measurement alone, whatever became of its consequences; the last resort is without steps and evidence."""
    for kept in (sample, replace(sample, steps=(), evidence=(), certificate=None, reached=None)):
        try:
            with database.begin() as tx:
                samples.add(tx, kept)
        except StoreRefused:
            continue
        return True
    return False
