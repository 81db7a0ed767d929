"""Good samples of checks that are well are saved together; nobody can tell by the store, and no news waits for it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.check_run import Finding, Recorder, save
from monitor.simulation import Simulation
from monitor.store import events, incidents, samples
from monitor.store.database import Database, directly
from monitor.store.events import Event
from probes.checks import Check
from probes.sample import Sample
from tests.heart import CERTIFICATE, INDIENEN, INZAGE, MINUTE, SECOND, Office, a_sample, at

GATHER_US = 250_000


@contextmanager
def an_office(path: Path) -> Iterator[Office]:
    database = Database.open(f"sqlite:///{path}", durable=False)
    try:
        yield Office(database=database)
    finally:
        database.close()


def found(office: Office, mark: str, slot_us: int, check: Check = INDIENEN) -> Finding:
    return Finding(check=check, sample=a_sample(mark, slot_us, check.id), alerting=office.alerting)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_is_saved_together_is_what_would_be_saved_one_by_one(office: Office, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    checks = [INDIENEN.model_copy(update={"id": f"dienst-{number}"}) for number in range(6)]
    office.rule = office.rule.model_copy(update={"unknown_after": 2})
    with an_office(tmp_path / "single.db") as single:
        for round_ in range(60):
            now_us = at("10:00") + round_ * MINUTE
            marks = "." * 12 + "xX??~"
            batch = [found(office, chance.choice(marks), now_us, check) for check in checks]
            if chance.random() < 0.3:  # of some there are two, and of some there is one already
                batch += [found(office, ".", now_us + SECOND, check) for check in checks[:2]]
                batch.append(found(office, ".", now_us, checks[5]))
            save(office.database, *batch, now_us=now_us)
            for finding in batch:
                save(single.database, finding, now_us=now_us)
        assert _everything(office, checks) == _everything(single, checks)
        assert len(_everything(office, checks)[1]) > 3


def _everything(office: Office, checks: list[Check]) -> tuple[object, ...]:
    with office.database.read() as tx:
        return (
            [tuple(samples.between(tx, check.id, "lokaal", 0, 2**62)) for check in checks],
            incidents.read(tx),
            [incidents.load(tx, check.id) for check in checks],
            incidents.load_own(tx),
            sorted((sent.id, sent.kind) for sent in office.queue()),
        )


def lived(office: Office, scene: Callable[[Recorder, Simulation], Awaitable[None]]) -> None:
    """A scene in simulated time with a recorder that gathers."""
    simulation = Simulation(start_us=at("10:00"), seed=1)
    recorder = Recorder(
        database=office.database,
        in_store=directly,
        clock=simulation.clock,
        observer=office.told,
        gather_us=GATHER_US,
    )
    simulation.run(scene(recorder, simulation))  # type: ignore[arg-type]


def stored(office: Office, check: Check = INDIENEN) -> int:
    with office.database.read() as tx:
        return samples.number_between(tx, check.id, "lokaal", 0, 2**62)


def test_a_good_sample_of_a_check_that_is_well_waits_a_quarter_of_a_second_and_no_longer(office: Office) -> None:

    async def scene(recorder: Recorder, time: Simulation) -> None:
        await recorder.record(found(office, ".", time.clock.now_us()))
        assert stored(office) == 1  # the first one is stored at once: nobody knew yet that the check is well
        await recorder.record(found(office, ".", time.clock.now_us() + MINUTE))
        await asyncio.sleep(0.2)
        assert (stored(office), recorder.waiting, recorder.behind) == (1, 1, 0)
        await asyncio.sleep(0.06)
        assert (stored(office), recorder.waiting) == (2, 0)

    lived(office, scene)


@pytest.mark.parametrize("mark", ["x", "X", "?", "~"])
def test_whatever_is_not_good_is_saved_at_once_with_all_that_waits(office: Office, mark: str) -> None:

    async def scene(recorder: Recorder, time: Simulation) -> None:
        for check in (INDIENEN, INZAGE):
            await recorder.record(found(office, ".", time.clock.now_us(), check))
        await recorder.record(found(office, ".", time.clock.now_us() + MINUTE, INZAGE))
        assert stored(office, INZAGE) == 1
        await recorder.record(found(office, mark, time.clock.now_us() + MINUTE))
        assert (stored(office), stored(office, INZAGE), recorder.waiting) == (2, 2, 0)

    lived(office, scene)


def test_an_outage_ends_with_the_very_sample_that_ends_it(office: Office) -> None:

    async def scene(recorder: Recorder, time: Simulation) -> None:
        for number, mark in enumerate("..X.."):
            await recorder.record(found(office, mark, time.clock.now_us() + number * MINUTE))
            await asyncio.sleep(0.3 if number < 2 else 0)
        assert recorder.waiting == 0

    lived(office, scene)
    assert office.open_incidents() == []
    assert [change[1] is None for change in office.told.incidents] == [False, True]


def test_a_certificate_is_never_kept_waiting(office: Office) -> None:

    async def scene(recorder: Recorder, time: Simulation) -> None:
        for number in range(3):
            await recorder.record(found(office, ".", time.clock.now_us() + number * MINUTE, CERTIFICATE))
            assert (stored(office, CERTIFICATE), recorder.waiting) == (number + 1, 0)

    lived(office, scene)


def test_an_orderly_end_leaves_nothing_behind(office: Office) -> None:
    """The service drains when it stops, whatever was to be waited for."""

    async def scene(recorder: Recorder, time: Simulation) -> None:
        for number in range(5):
            await recorder.record(found(office, ".", time.clock.now_us() + number * MINUTE))
        assert recorder.waiting == 4
        assert await recorder.drain()

    lived(office, scene)
    assert stored(office) == 5


def test_what_happened_is_not_kept_waiting_and_takes_along_what_is(office: Office) -> None:

    async def scene(recorder: Recorder, time: Simulation) -> None:
        for number in range(2):
            await recorder.record(found(office, ".", time.clock.now_us() + number * MINUTE))
        await recorder.record(Event(at_us=time.clock.now_us(), kind="clock-jump", data={"shift_us": 1}))
        assert recorder.waiting == 0

    lived(office, scene)
    assert stored(office) == 2
    with office.database.read() as tx:
        assert events.last(tx, "clock-jump") is not None


def test_one_that_is_refused_costs_the_others_nothing(office: Office) -> None:
    """Two recorders at one store: what the other stored meanwhile stays, and the rest is stored beside it."""

    async def scene(recorder: Recorder, time: Simulation) -> None:
        await recorder.record(found(office, ".", time.clock.now_us()))
        await recorder.record(found(office, ".", time.clock.now_us(), INZAGE))
        slot_us = time.clock.now_us() + MINUTE
        await recorder.record(found(office, ".", slot_us))
        await recorder.record(found(office, ".", slot_us, INZAGE))
        theirs: Sample = replace(a_sample(".", slot_us), run_id="theirs")
        save(office.database, Finding(check=INDIENEN, sample=theirs, alerting=office.alerting), now_us=slot_us)
        await asyncio.sleep(0.3)
        with office.database.read() as tx:
            kept = samples.read(tx, "indienen", "lokaal", slot_us)
        assert kept is not None and kept.run_id == "theirs"
        assert (stored(office, INZAGE), recorder.waiting) == (2, 0)

    lived(office, scene)
    assert office.told.lost == 0
