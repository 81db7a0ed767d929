"""A folded day says what its samples say, and is gone when another sample of that day arrives; on both engines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import accumulate, count

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.store import days, samples
from monitor.store.database import Database, Transaction
from monitor.store.days import DAY_US, Run
from probes.sample import Outcome, Sample
from tests.heart import BROKEN, MINUTE, a_sample, at, samples_of
from tests.new_store import new_store

FIRST, LATER = at("00:00") - at("00:00") % DAY_US, 1 << 60
MIDDAY = FIRST + DAY_US // 2


def keep(database: Database, *found: Sample) -> None:
    with database.begin() as tx:
        for sample in found:
            samples.add(tx, sample)


def told(
    tx: Transaction, start_us: int = 0, end_us: int = LATER, check_id: str = "indienen"
) -> list[tuple[int, int, str]]:
    """Every sample one by one, from what `read` says: slot, duration, outcome."""
    return [
        (run.first_us + i * run.step_us, run.durations_us[i], run.outcome.value)
        for run in days.read(tx, check_id, "lokaal", start_us, end_us, durations=True)
        for i in range(run.number)
    ]


def sampled(
    tx: Transaction, start_us: int = 0, end_us: int = LATER, check_id: str = "indienen"
) -> list[tuple[int, int, str]]:
    found = samples.stream(tx, (check_id,), start_us, end_us)
    return [(one.slot_us, one.duration_us, one.outcome.value) for one in found]


def test_a_regular_day_is_one_run(database: Database) -> None:
    keep(database, *(a_sample(".", MIDDAY + i * MINUTE) for i in range(300)))
    with database.read() as tx:
        assert list(days.read(tx, "indienen", "lokaal", 0, LATER)) == [Run(MIDDAY, MINUTE, 300, Outcome.UP, None, 1)]


def test_a_missing_slot_and_a_failure_end_a_run(database: Database) -> None:
    keep(database, *samples_of("... ..xx."))
    with database.read() as tx:
        found = [(run.number, run.outcome.value) for run in days.read(tx, "indienen", "lokaal", 0, LATER)]
        kinds = [run.failure_kind for run in days.read(tx, "indienen", "lokaal", 0, LATER)]
    assert found == [(3, "up"), (2, "up"), (2, "down"), (1, "up")]
    assert kinds == [None, None, BROKEN.kind, None]


def test_another_sample_takes_the_folded_day_away(database: Database) -> None:
    keep(database, *samples_of("...", start="10:00"))
    assert days.fold(database, until_us=LATER) == 1
    keep(database, *samples_of("x", start="09:00"))
    with database.read() as tx:
        assert told(tx) == sampled(tx)
    assert days.fold(database, until_us=LATER) == 1


def test_a_day_that_is_not_over_is_not_folded(database: Database) -> None:
    keep(database, *samples_of("..."))
    assert days.fold(database, until_us=at("23:00")) == 0


def test_days_that_say_something_else_are_found(database: Database) -> None:
    keep(database, *samples_of("..x"))
    days.fold(database, until_us=LATER)
    with database.begin() as tx:
        assert days.first_difference(tx) is None
        tx.execute(sa.text("UPDATE sample_day SET runs = replace(runs, 'down', 'up')"))
        assert days.first_difference(tx) == ("indienen", "lokaal", FIRST)


def test_one_more_or_less_microsecond_is_found(database: Database) -> None:
    keep(database, *samples_of("..x"))
    days.fold(database, until_us=LATER)
    with database.begin() as tx:
        [taken] = tx.execute(sa.text("SELECT durations FROM sample_day")).scalars()
        altered = bytes([bytes(taken)[0] ^ 1]) + bytes(taken)[1:]
        tx.execute(sa.text("UPDATE sample_day SET durations = :to"), {"to": altered})
        assert days.first_difference(tx) is not None


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    opened = new_store(tmp_path_factory.mktemp("days") / "x.db")
    yield opened
    opened.close()


DISTANCES = st.sampled_from((MINUTE, MINUTE, MINUTE, 2 * MINUTE, 7_000_001, DAY_US // 3))
MEASURED = st.lists(st.tuples(DISTANCES, st.sampled_from("...xX?~"), st.integers(0, 1 << 33)), min_size=1, max_size=30)
_names = count()


@settings(max_examples=60)
@given(MEASURED, st.data(), st.integers(0, 3 * DAY_US), st.integers(0, 3 * DAY_US))
def test_folded_at_any_time_and_in_any_order_it_is_what_the_samples_say(
    ours: Database, measured: list[tuple[int, str, int]], data: st.DataObject, start_us: int, end_us: int
) -> None:
    name = f"c{next(_names)}"
    slots = accumulate(distance for distance, _, _ in measured)
    found = [
        replace(a_sample(mark, MIDDAY + slot, name), duration_us=taken)
        for slot, (_, mark, taken) in zip(slots, measured, strict=True)
    ]
    arriving = data.draw(st.permutations(found))
    early = data.draw(st.integers(0, len(arriving)))
    keep(ours, *arriving[:early])
    days.fold(ours, until_us=LATER)
    keep(ours, *arriving[early:])
    with ours.read() as tx:
        for since_us, until_us in ((0, LATER), (FIRST + start_us, FIRST + end_us)):
            assert told(tx, since_us, until_us, name) == sampled(tx, since_us, until_us, name)
        assert days.first_difference(tx) is None
