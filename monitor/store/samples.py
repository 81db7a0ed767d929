"""Samples: written once, never changed. The narrow table is what SLA arithmetic reads; details lie beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence, Set
from itertools import pairwise
from typing import Any, NamedTuple

from pydantic import TypeAdapter
from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Table,
    and_,
    bindparam,
    case,
    func,
    insert,
    literal,
    select,
    union_all,
)

from monitor.store import evidence, places
from monitor.store.database import Transaction
from monitor.store.rows import storable, text_of, value_of, value_text
from monitor.store.tables import sample as narrow
from monitor.store.tables import sample_detail as detail
from probes.sample import (
    CertificateFacts,
    Failure,
    FailureKind,
    Outcome,
    Phases,
    Reached,
    Sample,
    StepOutcome,
    StepResult,
)

_FAILURE = TypeAdapter(Failure)
_CERTIFICATE = TypeAdapter(CertificateFacts)
_REACHED = TypeAdapter(Reached)
_STEP = TypeAdapter(StepResult)

#: Fields of a step that every step has; they are stored by their place, the others by their name.
_CELLS = ("step", "outcome", "duration_us", "phases", "status", "body_bytes", "assertions")
_IN_CELLS = set(_CELLS)

# Built once, for they run with every sample.
_INSERT = insert(narrow)
_INSERT_DETAIL = insert(detail)
_THERE = select(narrow.c.slot_us).where(
    narrow.c.check_id == bindparam("check_id"),
    narrow.c.location == bindparam("location"),
    narrow.c.slot_us == bindparam("slot_us"),
)
_PRESENT = select(narrow.c.check_id, narrow.c.location, narrow.c.slot_us).where(
    # By these three the key's index is used; a list of whole keys would make SQLite read the table from end to end.
    narrow.c.check_id.in_(bindparam("check_ids", expanding=True)),
    narrow.c.location.in_(bindparam("locations", expanding=True)),
    narrow.c.slot_us.between(bindparam("first_us"), bindparam("last_us")),
)

_NEXT_LOCATION = select(func.min(narrow.c.location)).where(
    narrow.c.check_id == bindparam("check_id"), narrow.c.location > bindparam("after")
)
_WORDS = select(narrow.c.slot_us, narrow.c.outcome).where(
    narrow.c.check_id == bindparam("check_id"),
    narrow.c.location == bindparam("location"),
    narrow.c.slot_us >= bindparam("since_us"),
    narrow.c.outcome != Outcome.UNKNOWN.value,
)

#: Check, location and slot.
Key = tuple[str, str, int]


class Measured(NamedTuple):
    """A sample as SLA arithmetic needs it: no steps, no evidence."""

    check_id: str
    location: str
    slot_us: int
    started_us: int
    duration_us: int
    outcome: Outcome
    failure_kind: FailureKind | None
    attempts: int


class StepMeasured(NamedTuple):
    """How long one step took in one sample; `outcome` is the step's own."""

    slot_us: int
    duration_us: int
    outcome: StepOutcome
    sample_outcome: Outcome


class DayCount(NamedTuple):
    """How many samples of a check fell in one span of time, by outcome. `start_us` is the span's own."""

    check_id: str
    start_us: int
    up: int
    degraded: int
    down: int
    unknown: int


def add(tx: Transaction, sample: Sample) -> bool:
    """Store a sample with its evidence.

    Returns:
        False where the slot already has one: the first stays as it is, nothing is written.
    """
    if tx.execute(_THERE, _key(sample)).first() is not None:
        return False
    tx.execute(_INSERT, _narrow_row(sample))
    tx.execute(_INSERT_DETAIL, _detail_row(sample))
    evidence.add(tx, sample)
    return True


def key(sample: Sample) -> Key:
    """The place a sample has in the store: its check, location and slot."""
    return sample.check_id, sample.location, sample.slot_us


def present(tx: Transaction, wanted: Sequence[Sample]) -> Set[Key]:
    """The places among those of these samples that have a sample already."""
    keys = {key(sample) for sample in wanted}
    if not keys:
        return set()
    check_ids, locations, slots = zip(*keys, strict=True)
    asked = {"check_ids": check_ids, "locations": tuple(set(locations)), "first_us": min(slots), "last_us": max(slots)}
    return keys.intersection((row[0], row[1], row[2]) for row in tx.execute(_PRESENT, asked))


def add_many(tx: Transaction, wanted: Sequence[Sample]) -> None:
    """Store samples without evidence, whose slots have none yet (see `present`), at once.

    Raises:
        StoreRefused: a slot has one; nothing is stored.
    """
    if wanted:
        tx.execute(_INSERT, [_narrow_row(sample) for sample in wanted])
        tx.execute(_INSERT_DETAIL, [_detail_row(sample) for sample in wanted])


def _key(sample: Sample) -> dict[str, Any]:
    return {"check_id": sample.check_id, "location": sample.location, "slot_us": sample.slot_us}


def _narrow_row(sample: Sample) -> dict[str, Any]:
    return _key(sample) | {
        "started_us": sample.started_us,
        "duration_us": sample.duration_us,
        "outcome": sample.outcome.value,
        "failure_kind": sample.failure.kind.value if sample.failure else None,
        "attempts": sample.attempts,
        "lag_us": sample.lag_us,
    }


def _detail_row(sample: Sample) -> dict[str, Any]:
    return _key(sample) | {
        "run_id": storable(sample.run_id),
        "failure": value_text(_FAILURE, sample.failure) if sample.failure else None,
        "blip": value_text(_FAILURE, sample.blip) if sample.blip else None,
        "steps": text_of([_step_row(step) for step in sample.steps]),
        "certificate": value_text(_CERTIFICATE, sample.certificate) if sample.certificate else None,
        "reached": value_text(_REACHED, sample.reached) if sample.reached else None,
    }


def read(tx: Transaction, check_id: str, location: str, slot_us: int) -> Sample | None:
    """One sample whole, without its evidence (see `evidence.read`); None where the slot has none."""
    row = tx.execute(
        _whole().where(narrow.c.check_id == check_id, narrow.c.location == location, narrow.c.slot_us == slot_us)
    ).first()
    return _sample(row) if row else None


def last(
    tx: Transaction, check_ids: Sequence[str], location: str, *, before_us: int | None = None
) -> dict[str, Sample]:
    """The latest sample of each check that has one.

    Args:
        before_us: only those due before it, where it is given: what a clock that was ahead has dated is not how things
            stand now.
    """
    found: dict[str, Sample] = {}
    for check_id in check_ids:
        if recent := latest(tx, check_id, location, limit=1, before_us=before_us):
            found[check_id] = recent[0]
    return found


def newest_us(tx: Transaction, check_ids: Sequence[str], location: str) -> int | None:
    """When the newest sample of these checks was due; None where there is none."""
    query = select(func.max(narrow.c.slot_us)).where(narrow.c.location == location)
    # One by one, as the key stands in the index: the table of years is never read through.
    found = (tx.execute(query.where(narrow.c.check_id == check_id)).scalar_one() for check_id in check_ids)
    return max((at_us for at_us in found if at_us is not None), default=None)


def latest(
    tx: Transaction, check_id: str, location: str, *, limit: int, before_us: int | None = None
) -> tuple[Sample, ...]:
    """The latest samples of a check whole, newest first; only those due before `before_us` where it is given."""
    query = _whole().where(narrow.c.check_id == check_id, narrow.c.location == location)
    if before_us is not None:
        query = query.where(narrow.c.slot_us < before_us)
    return tuple(_sample(row) for row in tx.execute(query.order_by(narrow.c.slot_us.desc()).limit(limit)))


def words(tx: Transaction, check_id: str, since_us: int) -> tuple[tuple[int, Outcome], ...]:
    """Slot and outcome of what was measured of a check since an instant, at all locations, oldest first.

    What could not be measured is no word about it.
    """
    found: list[tuple[int, Outcome]] = []
    location: str | None = ""
    # One location after the other: by these the key's index is used, and a check may have years of samples.
    while (location := tx.execute(_NEXT_LOCATION, {"check_id": check_id, "after": location}).scalar()) is not None:
        rows = tx.execute(_WORDS, {"check_id": check_id, "location": location, "since_us": since_us})
        found += [(row.slot_us, Outcome(row.outcome)) for row in rows]
    return tuple(sorted(found))


def failing_since(
    tx: Transaction, check_id: str, start_us: int, end_us: int, *, slow_is_failing: bool = False
) -> tuple[int, int | None] | None:
    """The slots of the first failure since the last good sample due in [start, end), and of that good one.

    None where the last sample that tells anything was good; None as the good one where there is none in that time.
    """
    good, bad = [Outcome.UP.value], [Outcome.DOWN.value]
    (bad if slow_is_failing else good).append(Outcome.DEGRADED.value)
    places_here = places.locations(tx, check_id)

    def seen(which: ColumnElement[int], outcomes: Sequence[str], since_us: int) -> list[int]:
        queries = (
            select(which).where(*_due(narrow, check_id, here, since_us, end_us), narrow.c.outcome.in_(outcomes))
            for here in places_here
        )
        return [us for query in queries if (us := tx.execute(query).scalar()) is not None]

    last_good = max(seen(func.max(narrow.c.slot_us), good, start_us), default=None)
    first_bad = seen(func.min(narrow.c.slot_us), bad, start_us if last_good is None else last_good + 1)
    return (min(first_bad), last_good) if first_bad else None


def between(tx: Transaction, check_id: str, location: str, start_us: int, end_us: int) -> Iterator[Sample]:
    """The samples of a check due in [start, end), whole, oldest first."""
    query = _whole().where(
        narrow.c.check_id == check_id,
        narrow.c.location == location,
        narrow.c.slot_us >= start_us,
        narrow.c.slot_us < end_us,
    )
    for row in tx.execute(query.order_by(narrow.c.slot_us).execution_options(yield_per=2_000)):
        yield _sample(row)


def stream(tx: Transaction, check_ids: Sequence[str], start_us: int, end_us: int) -> Iterator[Measured]:
    """Narrow samples of these checks due in [start, end), by check, location and slot; never all in memory."""
    columns = [narrow.c[name] for name in Measured._fields]
    for check_id in check_ids:
        for location in places.locations(tx, check_id):
            query = (
                select(*columns)
                .where(*_due(narrow, check_id, location, start_us, end_us))
                .order_by(narrow.c.slot_us)
                .execution_options(yield_per=10_000)
            )
            for row in tx.execute(query):
                kind = FailureKind(row.failure_kind) if row.failure_kind else None
                outcome = Outcome(row.outcome)
                yield Measured(row[0], row[1], row[2], row[3], row[4], outcome, kind, row.attempts)


def stream_step(tx: Transaction, check_id: str, step: str, start_us: int, end_us: int) -> Iterator[StepMeasured]:
    """How long one step took in each sample due in [start, end), by location and slot; not in those that skipped it."""
    for location in places.locations(tx, check_id):
        query = (
            select(detail.c.slot_us, detail.c.steps, narrow.c.outcome)
            .join(narrow, _same_key())
            .where(*_due(detail, check_id, location, start_us, end_us))
            .order_by(detail.c.slot_us)
            .execution_options(yield_per=2_000)
        )
        for slot_us, steps, outcome in tx.execute(query):
            for row in json.loads(steps):
                if row[0] == step and row[1] != StepOutcome.SKIPPED.value:
                    yield StepMeasured(slot_us, row[2], StepOutcome(row[1]), Outcome(outcome))


def _due(table: Table, check_id: str, location: str, start_us: int, end_us: int) -> tuple[ColumnElement[bool], ...]:
    at = table.c
    return at.check_id == check_id, at.location == location, at.slot_us >= start_us, at.slot_us < end_us


def counts(tx: Transaction, check_ids: Sequence[str], location: str, edges_us: Sequence[int]) -> tuple[DayCount, ...]:
    """Samples by outcome in each span between two consecutive edges, for every check; empty spans are left out.

    The edges are the caller's: midnights of a civil calendar are not evenly spaced.
    """
    found: list[DayCount] = []
    spans = list(pairwise(edges_us))
    if not spans:
        return ()
    days = union_all(*(select(literal(a).label("start_us"), literal(b).label("end_us")) for a, b in spans)).subquery()
    number = {o: func.sum(case((narrow.c.outcome == o.value, 1), else_=0)) for o in Outcome}
    for check_id in check_ids:
        query = (
            select(days.c.start_us, *(number[o] for o in (Outcome.UP, Outcome.DEGRADED, Outcome.DOWN, Outcome.UNKNOWN)))
            .select_from(days)
            .join(
                narrow,
                and_(
                    narrow.c.check_id == check_id,
                    narrow.c.location == location,
                    narrow.c.slot_us >= days.c.start_us,
                    narrow.c.slot_us < days.c.end_us,
                ),
            )
            .group_by(days.c.start_us)
            .order_by(days.c.start_us)
        )
        found += [DayCount(check_id, *(int(value) for value in row)) for row in tx.execute(query)]
    return tuple(found)


def number_between(tx: Transaction, check_id: str, location: str, start_us: int, end_us: int) -> int:
    """How many slots in [start, end) have a sample."""
    query = select(func.count()).where(
        narrow.c.check_id == check_id,
        narrow.c.location == location,
        narrow.c.slot_us >= start_us,
        narrow.c.slot_us < end_us,
    )
    return int(tx.execute(query).scalar_one())


def _same_key() -> Any:
    return and_(
        narrow.c.check_id == detail.c.check_id,
        narrow.c.location == detail.c.location,
        narrow.c.slot_us == detail.c.slot_us,
    )


def _whole() -> Select[Any]:
    return select(
        *narrow.c,
        detail.c.run_id,
        detail.c.failure,
        detail.c.blip,
        detail.c.steps,
        detail.c.certificate,
        detail.c.reached,
    ).join(detail, _same_key())


def _sample(row: Row[Any]) -> Sample:
    return Sample(
        check_id=row.check_id,
        location=row.location,
        slot_us=row.slot_us,
        started_us=row.started_us,
        duration_us=row.duration_us,
        outcome=Outcome(row.outcome),
        run_id=row.run_id,
        failure=value_of(_FAILURE, row.failure) if row.failure else None,
        blip=value_of(_FAILURE, row.blip) if row.blip else None,
        attempts=row.attempts,
        steps=tuple(_step(cells) for cells in json.loads(row.steps)),
        certificate=value_of(_CERTIFICATE, row.certificate) if row.certificate else None,
        reached=value_of(_REACHED, row.reached) if row.reached else None,
        lag_us=row.lag_us,
    )


def _step_row(step: StepResult) -> list[object]:
    """A step as a list: id, outcome, duration, phases, status, bytes, assertions, and what else is not at its default.

    The URLs and hops of a step that went well are not kept: they say nothing that the journey's definition does not.
    """
    phases = step.phases
    cells: list[object] = [
        step.step,
        step.outcome.value,
        step.duration_us,
        [phases.resolve_us, phases.connect_us, phases.tls_us, phases.processing_us, phases.transfer_us],
        step.status,
        step.body_bytes,
        step.assertions,
    ]
    left_out = _IN_CELLS | {"urls", "hops"} if step.outcome is StepOutcome.OK else _IN_CELLS
    rest = _STEP.dump_python(step, mode="json", exclude_defaults=True, exclude=left_out)
    if rest:
        cells.append(rest)
    return cells


def _step(cells: list[Any]) -> StepResult:
    named: dict[str, Any] = dict(zip(_CELLS, cells, strict=False))
    resolve_us, connect_us, tls_us, processing_us, transfer_us = named["phases"]
    named["phases"] = Phases(
        resolve_us=resolve_us,
        connect_us=connect_us,
        tls_us=tls_us,
        processing_us=processing_us,
        transfer_us=transfer_us,
    )
    return _STEP.validate_python(named | (cells[len(_CELLS)] if len(cells) > len(_CELLS) else {}))
