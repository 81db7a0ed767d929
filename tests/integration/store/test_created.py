"""What was made at the portal, kept on either engine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.created import Brake, Stage, Thing
from monitor.store import created
from monitor.store.database import Database, StoreRefused

THING = Thing(
    id="run-1.maken",
    check_id="indienen",
    step="maken",
    what="project",
    run_id="run-1",
    run_time="2026-11-24T12:00:00Z",
    created_us=5,
    due_us=10,
)


def test_an_object_comes_back_as_it_was_kept(database: Database) -> None:
    made = replace(THING, stage=Stage.MADE, name="OMV_1\x00", values=(("nr", "0012 é"),), tries=2, trouble="weg")
    with database.begin() as tx:
        created.add(tx, THING)
        created.save(tx, made)
    with database.read() as tx:
        assert created.get(tx, THING.id) == replace(made, name="OMV_1\ufffd")
        assert created.get(tx, "een ander") is None


def test_the_same_object_is_not_announced_twice(database: Database) -> None:
    with database.begin() as tx:
        created.add(tx, THING)
    with pytest.raises(StoreRefused), database.begin() as tx:
        created.add(tx, THING)


def test_only_one_of_two_takes_an_object_on(database: Database) -> None:
    with database.begin() as tx:
        created.add(tx, THING)
        assert created.claim(tx, THING, until_us=99)
        assert not created.claim(tx, THING, until_us=99)


def test_what_was_never_made_does_not_count_and_what_is_over_is_not_open(database: Database) -> None:
    with database.begin() as tx:
        for number, stage in enumerate(Stage):
            created.add(tx, replace(THING, id=f"r-{number}", stage=stage, created_us=number))
        created.add(tx, replace(THING, id="elders", check_id="melding"))
    with database.read() as tx:
        assert created.made_since(tx, "indienen", 0) == len(Stage) - 1
        assert created.made_since(tx, "indienen", 5) == 1
        assert [thing.id for thing in created.read(tx)] == ["r-0", "r-1", "r-2", "elders"]
        assert len(created.read(tx, only_open=False)) == len(Stage) + 1


def test_how_an_account_fares_is_kept(database: Database) -> None:
    with database.begin() as tx:
        assert created.brake(tx, "burger") == Brake(account="burger")
        for brake in (Brake(account="burger", refused=3, paused_until_us=7), Brake(account="burger", refused=4)):
            created.save_brake(tx, brake)
    with database.read() as tx:
        assert created.brakes(tx) == (Brake(account="burger", refused=4),)
