"""Stored samples and ledger entries, handed to the SLA engine in its own words."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from monitor.store import days, events, ledger, places, samples
from monitor.store.database import Transaction
from monitor.store.events import Event
from probes.checks import Check
from sla.assess import assess, journeys_needed
from sla.assessment import Assessment, Span
from sla.contract import Contract
from sla.ledger import Sealed
from sla.measurements import SampleIn, SampleRun
from sla.plan import data_span, durations_asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervals:
    """How far apart the slots of each check were, and since when: the grid may change with the configuration.

    Attributes:
        changes: per check (since_us, interval_us), ascending.
        shadows: per check that ever was in shadow (since_us, whether it is), ascending.
    """

    changes: Mapping[str, tuple[tuple[int, int], ...]]
    shadows: Mapping[str, tuple[tuple[int, bool], ...]] = field(default_factory=dict)

    def at(self, check_id: str, slot_us: int) -> int:
        """The interval in force at a slot; for slots before the first known one, that first one."""
        known = self.changes[check_id]
        index = bisect_right(known, slot_us, key=lambda change: change[0]) - 1
        return known[max(index, 0)][1]

    def edges(self, check_id: str, start_us: int, end_us: int) -> list[int]:
        """The span's own edges, and where the interval changes between them, or what counts does."""
        inner = {at for at, _ in (*self.changes[check_id], *self.shadows.get(check_id, ()))}
        return [start_us, *sorted(at for at in inner if start_us < at < end_us), end_us]

    def in_shadow(self, check_id: str, start_us: int, end_us: int) -> Iterator[tuple[int, int]]:
        """The parts of [start, end) in which the check was in shadow."""
        marks = (*self.shadows.get(check_id, ()), (end_us, False))
        for (since_us, shadow), (until_us, _) in pairwise(marks):
            if shadow and max(since_us, start_us) < min(until_us, end_us):
                yield max(since_us, start_us), min(until_us, end_us)

    def counts(self, check_id: str, slot_us: int) -> bool:
        """Whether what was due then may count: not where the check was in shadow."""
        known = self.shadows.get(check_id, ())
        index = bisect_right(known, slot_us, key=lambda change: change[0]) - 1
        return index < 0 or not known[index][1]


def note_intervals(tx: Transaction, checks: Sequence[Check], now_us: int) -> None:
    """Write down the interval of every check whose interval is not the one last written, and who is in shadow.

    What was measured in shadow stays out of every contract, also after its release: so both ends are written down.
    """
    known, shadows = _changes(tx, now_us + 1), _shadows(tx, now_us + 1)
    for check in checks:
        before = known.get(check.id)
        if before is None or before[-1][1] != check.interval:
            events.add(
                tx, Event(at_us=now_us, kind="interval", check_id=check.id, data={"interval_us": check.interval})
            )
        in_shadow = bool(shadows[check.id]) and shadows[check.id][-1][1]
        if check.shadow != in_shadow:
            events.add(tx, Event(at_us=now_us, kind="shadow", check_id=check.id, data={"shadow": check.shadow}))


def _changes(tx: Transaction, until_us: int) -> dict[str, list[tuple[int, int]]]:
    found: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for event in events.read(tx, 0, until_us, kinds=("interval",)):
        found[str(event.check_id)].append((event.at_us, int(event.data["interval_us"] or 0)))
    return dict(found)


def _shadows(tx: Transaction, until_us: int) -> defaultdict[str, list[tuple[int, bool]]]:
    found: defaultdict[str, list[tuple[int, bool]]] = defaultdict(list)
    for event in events.read(tx, 0, until_us, kinds=("shadow",)):
        found[str(event.check_id)].append((event.at_us, bool(event.data["shadow"])))
    return found


def intervals(tx: Transaction, until_us: int) -> Intervals:
    return Intervals(
        changes={name: tuple(changes) for name, changes in _changes(tx, until_us).items()},
        shadows={name: tuple(changes) for name, changes in _shadows(tx, until_us).items()},
    )


def assess_stored(
    tx: Transaction,
    contract: Contract,
    period: Span,
    *,
    as_of_us: int | None = None,
    until_us: int | None = None,
    ready_made: bool = False,
) -> Assessment:
    """What the engine says of the stored samples and ledger.

    Args:
        as_of_us: ledger entries recorded later are not known yet; None takes all.
        until_us: samples due later are left out; None takes all of the period.
        ready_made: from folded days where there are some. What is issued rests on the samples alone, so False.
    """
    entries = tuple(ledger.read(tx))
    return assess(
        contract,
        period=period,
        samples=stored_runs(tx, contract, period, entries, until_us=until_us, ready_made=ready_made),
        ledger=entries,
        as_of_us=as_of_us,
    )


def stored_samples(
    tx: Transaction, contract: Contract, period: Span, entries: Sequence[Sealed], *, until_us: int | None = None
) -> Iterator[SampleIn]:
    """The stored samples that an assessment of this period looks at, journey by journey.

    Args:
        entries: the ledger; it names the third parties whose own samples are needed too.
        until_us: samples due later are left out; None takes all of the period.
    """
    needed = data_span(contract, period)
    end_us = needed.end_us if until_us is None else min(needed.end_us, until_us)
    # Also what the contract does not promise but an exclusion names: a third party's own measurements.
    return samples_of(tx, journeys_needed(contract, entries), steps_asked(contract), needed.start_us, end_us)


def stored_runs(
    tx: Transaction,
    contract: Contract,
    period: Span,
    entries: Sequence[Sealed],
    *,
    until_us: int | None = None,
    ready_made: bool,
) -> Iterator[SampleIn | SampleRun]:
    """As `stored_samples`, with equal samples together: the same answer in a fraction of the time."""
    needed = data_span(contract, period)
    end_us = needed.end_us if until_us is None else min(needed.end_us, until_us)
    asked = steps_asked(contract)
    timed = {name for name, _ in durations_asked(contract)}
    known = intervals(tx, end_us)
    for name in journeys_needed(contract, entries):
        if any(journey == name for journey, _ in asked):  # a step's own durations stand in the samples alone
            yield from samples_of(tx, (name,), asked, needed.start_us, end_us)
        else:
            yield from runs_of(tx, name, known, needed.start_us, end_us, durations=name in timed, ready_made=ready_made)


def runs_of(
    tx: Transaction, name: str, known: Intervals, start_us: int, end_us: int, *, durations: bool, ready_made: bool
) -> Iterator[SampleRun]:
    """The samples of a check due in [start, end) as runs, by location and slot.

    Args:
        durations: with how long each of them took.
        ready_made: from folded days where there are some (`store.days`).
    """
    if name not in known.changes:
        return
    edges = known.edges(name, start_us, end_us)
    for location in places.locations(tx, name):
        for since_us, until_us in pairwise(edges):
            if not known.counts(name, since_us):
                continue
            interval_us = known.at(name, since_us)
            here = days.read(tx, name, location, since_us, until_us, durations=durations, ready_made=ready_made)
            for run in here:
                first = SampleIn(
                    journey=name,
                    due_us=run.first_us,
                    interval_us=interval_us,
                    outcome=run.outcome.value,
                    location=location,
                    failure=run.failure_kind.value if run.failure_kind else "",
                    attempts=run.attempts,
                )
                yield SampleRun(first=first, step_us=run.step_us, count=run.number, durations_us=run.durations_us)


def steps_asked(contract: Contract) -> frozenset[tuple[str, str]]:
    """Each journey and step whose own response times a clause speaks of."""
    return frozenset((name, step) for name, step in durations_asked(contract) if step is not None)


def samples_of(
    tx: Transaction, names: Iterable[str], steps: Collection[tuple[str, str]], start_us: int, end_us: int
) -> Iterator[SampleIn]:
    """The samples of these checks due in [start, end), by check, location and slot, as the engine takes them.

    Args:
        names: those of which no interval is known were never measured and have none.
        steps: (check, step) whose durations go along.
    """
    known = intervals(tx, end_us)
    for name in names:
        if name not in known.changes:
            continue
        durations: defaultdict[int, dict[str, int]] = defaultdict(dict)
        for step in sorted(step for journey, step in steps if journey == name):
            for one in samples.stream_step(tx, name, step, start_us, end_us):
                durations[one.slot_us][step] = one.duration_us
        for measured in samples.stream(tx, (name,), start_us, end_us):
            if not known.counts(name, measured.slot_us):
                continue
            yield SampleIn(
                journey=name,
                due_us=measured.slot_us,
                interval_us=known.at(name, measured.slot_us),
                outcome=measured.outcome.value,
                duration_us=measured.duration_us,
                location=measured.location,
                failure=measured.failure_kind.value if measured.failure_kind else "",
                attempts=measured.attempts,
                step_durations=durations.get(measured.slot_us, {}),
            )
