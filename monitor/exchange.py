"""Ledger entries and samples of other hands taken into the store, whole or not at all, and given out again."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from monitor.assessing import Intervals, intervals, samples_of
from monitor.sealing import KIND as SEAL
from monitor.sealing import sealed_days
from monitor.store import events, ledger, samples
from monitor.store.database import Transaction
from monitor.store.events import Event
from probes.sample import Failure, FailureKind, Outcome, Sample, StepOutcome, StepResult
from sla.assessment import Span
from sla.interchange import Ledger, Measurements, Problem, ledger_json, sample_json
from sla.ledger import Entry, Sealed
from sla.ledger_kinds import Earlier, completed, excerpt, points_at, problems, renumbered
from sla.measurements import SampleIn
from sla.period import instant_text

#: In a file to import: the number of an entry that is in the ledger already, where `supersedes` counts in the file.
SUPERSEDES_RECORDED = "supersedes_recorded"


class ExchangeRefusedError(Exception):
    """Nothing was taken in; `problems` has every reason with its line."""

    def __init__(self, found: Iterable[Problem]) -> None:
        self.problems = tuple(found)
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """How many samples were written, and how many were there already, just the same."""

    written: int
    there: int


# -- ledger ------------------------------------------------------------------------------------------------------------


def earlier(tx: Transaction) -> Earlier:
    """What a new entry can point at."""
    found = Earlier()
    for sealed in ledger.read(tx):
        found.add(sealed.seq, sealed.entry)
    return found


def add_entry(tx: Transaction, entry: Entry, *, journeys: Collection[str]) -> Sealed:
    """Append an entry after the checks of its kind; what an answer leaves out, it takes from what it answers.

    Args:
        journeys: names that `scope` and `dependency` may use.

    Raises:
        ExchangeRefusedError: the entry would be half said.
    """
    if entry.supersedes is not None:
        answered = next((s for s in ledger.read(tx) if s.seq == entry.supersedes), None)
        entry = entry if answered is None else completed(entry, answered.entry)
    found = [*problems(entry, earlier(tx)), *_unknown(entry, journeys)]
    if found:
        raise ExchangeRefusedError(Problem(name=entry.kind, line=0, text=text) for text in found)
    return ledger.append(tx, entry)


def import_ledger(
    tx: Transaction, read: Ledger, name: str, *, now_us: int, journeys: Collection[str]
) -> tuple[Sealed, ...]:
    """Append the entries of a file in their order; what the ledger says of when it knew them is `now_us`.

    When the file says each was recorded stays in the data (`claimed_recorded_at`), and so does its line
    (`imported_from`). `supersedes` and other numbers count in the file and are written as the numbers given here.

    Raises:
        ExchangeRefusedError: with every problem; the caller's transaction must then be given up.
    """
    found = list(read.problems)
    known = earlier(tx)
    last = ledger.head(tx)
    numbers: dict[int, int] = {}
    taken: list[Entry] = []
    for place, (sealed, line) in enumerate(zip(read.entries, read.lines, strict=True), start=1):
        numbers[place] = (last.seq if last else 0) + place
        entry, wrong = _as_imported(sealed.entry, name, line, numbers, place, now_us)
        wrong += [*problems(entry, known), *_unknown(entry, journeys)]
        # After a line that could not be read the places are no longer the file's, so pointers say nothing.
        found += [Problem(name=name, line=line, text=text) for text in wrong if not read.problems]
        known.add(numbers[place], entry)
        taken.append(entry)
    if found:
        raise ExchangeRefusedError(sorted(found, key=lambda problem: problem.line))
    return tuple(ledger.append(tx, entry) for entry in taken)


def _as_imported(
    entry: Entry, name: str, line: int, numbers: Mapping[int, int], place: int, now_us: int
) -> tuple[Entry, list[str]]:
    wrong = [f"points at entry {n}, but an entry points at an earlier one" for n in points_at(entry) if n >= place]
    data = dict(entry.data)
    recorded = data.pop(SUPERSEDES_RECORDED, None)
    data["claimed_recorded_at"] = instant_text(entry.recorded_us)
    data["imported_from"] = f"{name}:{line}"
    entry = renumbered(dataclasses.replace(entry, data=data, recorded_us=now_us), numbers)
    if recorded is not None:
        if entry.supersedes is not None or not recorded.isdecimal():
            wrong.append(f'"{SUPERSEDES_RECORDED}" is the number of one entry, in the place of "supersedes"')
        else:
            entry = dataclasses.replace(entry, supersedes=int(recorded))
    return entry, wrong


def _unknown(entry: Entry, journeys: Collection[str]) -> Iterator[str]:
    named = (*entry.scope, *(() if "dependency" not in entry.data else (entry.data["dependency"],)))
    for name in named:
        if name not in journeys:
            yield f'there is no check "{name}"; known are {", ".join(sorted(journeys))}'


def ledger_lines(entries: Iterable[Sealed], period: Span | None = None) -> Iterator[dict[str, Any]]:
    """The ledger in the interchange shape: whole with its chain, or what is about a period, numbered anew from 1.

    An excerpt has no hashes, for a chain with holes proves nothing; `seq` still tells each entry's own number.
    """
    whole = tuple(entries)
    if period is None:
        yield from map(ledger_json, whole)
        return
    kept = excerpt(whole, period)
    numbers = {sealed.seq: place for place, sealed in enumerate(kept, start=1)}
    for sealed in kept:
        record = ledger_json(dataclasses.replace(sealed, entry=renumbered(sealed.entry, numbers)))
        yield {key: value for key, value in record.items() if key not in ("previous", "hash")}


# -- samples -----------------------------------------------------------------------------------------------------------


def import_samples(
    tx: Transaction, read: Measurements, name: str, *, location: str, journeys: Collection[str], now_us: int
) -> Imported:
    """Store the samples of a file, in order; one that is there already just the same is left alone.

    Args:
        location: of samples that name none.

    Raises:
        ExchangeRefusedError: with every problem; the caller's transaction must then be given up.
    """
    found = list(read.problems)
    if read.spans:
        text = "has spans; the store keeps samples (assess spans with `loketwacht sla assess`)"
        found.append(Problem(name=name, line=0, text=text))
    sealed = sealed_days(ledger.read(tx, kinds=(SEAL,)))
    written = there = 0
    taken: list[SampleIn] = []
    for given, line in zip(read.samples, read.sample_lines, strict=True):
        wrong = ""
        sample = _stored(given, location, f"import {name}:{line}")
        if given.journey not in journeys:
            wrong = f'there is no check "{given.journey}"; known are {", ".join(sorted(journeys))}'
        elif isinstance(sample, str):
            wrong = sample
        elif given.due_us > now_us:
            wrong = f"is due at {instant_text(given.due_us)}, which is still to come"
        elif (before := samples.read(tx, sample.check_id, sample.location, sample.slot_us)) is not None:
            wrong = "" if _same(before, sample) else "the slot has another sample already, and samples never change"
            there += not wrong
        elif (seal := sealed.get(given.due_us - given.due_us % (86_400 * 1_000_000))) is not None:
            wrong = f"entry {seal.seq} of the ledger seals the samples of {seal.entry.data['day']}; nothing joins them"
        else:
            samples.add(tx, sample)
            taken.append(given)
            written += 1
        if wrong:
            found.append(Problem(name=name, line=line, text=wrong))
    if found:
        raise ExchangeRefusedError(sorted(found, key=lambda problem: problem.line))
    _note_intervals(tx, taken)
    return Imported(written=written, there=there)


def samples_lines(
    tx: Transaction, names: Iterable[str], steps: Collection[tuple[str, str]], span: Span
) -> Iterator[dict[str, Any]]:
    """The stored samples of these checks due in the span, in the interchange shape, by check, location and slot.

    Args:
        steps: (check, step) whose durations go along.
    """
    yield from map(sample_json, samples_of(tx, names, steps, span.start_us, span.end_us))


def _stored(given: SampleIn, location: str, run_id: str) -> Sample | str:
    """The sample as the store keeps it, or what is wrong with it."""
    outcome = Outcome(given.outcome)
    failure = None
    if outcome is not Outcome.UP:
        kinds = {kind.value for kind in FailureKind}
        default = {Outcome.DEGRADED: "slow", Outcome.UNKNOWN: "monitor"}.get(outcome, "")
        kind = given.failure or default
        if kind not in kinds:
            return f'"failure" is "{kind}"; of a sample that is {outcome.value} write one of {", ".join(sorted(kinds))}'
        failure = Failure(kind=FailureKind(kind), subject="import")
    elif given.failure:
        return f'"failure" is "{given.failure}", but the outcome is up; leave one of the two out'
    if given.duration_us is None:
        return 'needs "duration_ms": the store keeps how long every run took'
    return Sample(
        check_id=given.journey,
        location=given.location or location,
        slot_us=given.due_us,
        started_us=given.due_us,
        duration_us=given.duration_us,
        outcome=outcome,
        run_id=run_id,
        failure=failure,
        attempts=given.attempts,
        steps=tuple(
            StepResult(step=step, outcome=StepOutcome.OK, duration_us=us) for step, us in given.step_durations.items()
        ),
    )


def _same(before: Sample, now: Sample) -> bool:
    return (before.outcome, before.duration_us, before.attempts, before.failure and before.failure.kind) == (
        now.outcome,
        now.duration_us,
        now.attempts,
        now.failure and now.failure.kind,
    )


def _note_intervals(tx: Transaction, taken: Iterable[SampleIn]) -> None:
    """Write down how far apart the samples are where the store would have said otherwise, and only for their time."""
    by_check: dict[str, list[SampleIn]] = {}
    for sample in taken:
        by_check.setdefault(sample.journey, []).append(sample)
    for check_id, given in by_check.items():
        known = intervals(tx, given[-1].due_us + given[-1].interval_us + 1)
        in_force: int | None = None
        for sample in given:
            before = _at(known, check_id, sample.due_us) if in_force is None else in_force
            if before != sample.interval_us:
                _note(tx, check_id, sample.due_us, sample.interval_us)
            in_force = sample.interval_us
        after_us = given[-1].due_us + given[-1].interval_us
        then = _at(known, check_id, after_us)
        if then is not None and then != in_force:
            _note(tx, check_id, after_us, then)


def _at(known: Intervals, check_id: str, at_us: int) -> int | None:
    """The interval in force; None where none was noted by then."""
    changes = known.changes.get(check_id)
    return known.at(check_id, at_us) if changes and changes[0][0] <= at_us else None


def _note(tx: Transaction, check_id: str, at_us: int, interval_us: int) -> None:
    events.add(tx, Event(at_us=at_us, kind="interval", check_id=check_id, data={"interval_us": interval_us}))
