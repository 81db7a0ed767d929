"""A failing login explains the journeys behind it: one mail says so, while measuring goes on for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.store.database import Database
from tests.heart import INDIENEN, INZAGE, Office

BEHIND = INDIENEN.model_copy(update={"depends_on": ("inzage",)})


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    database = Database.open(f"sqlite:///{tmp_path / 'store.db'}")
    yield Office(database=database)
    database.close()


def test_only_the_cause_is_mailed_while_both_fail(office: Office) -> None:
    office.live("X", INZAGE)
    office.live("XX", BEHIND)
    assert len(office.open_incidents()) == 2
    assert [s.partition(": ")[2].partition(" - ")[0] for s in office.subjects] == ["Dossier inzien"]


def test_a_first_failure_of_the_cause_is_explanation_enough(office: Office) -> None:
    office.live("x", INZAGE)
    office.live("X", BEHIND)
    assert office.subjects == []


def test_what_outlasts_its_explanation_is_told(office: Office) -> None:
    office.live("X", INZAGE)
    office.live("X", BEHIND)
    office.live("..", INZAGE)
    office.live("X", BEHIND)
    assert office.words() == ["STORING", "HERSTELD", "STORING"]


def test_who_was_not_told_of_it_is_not_told_of_its_end(office: Office) -> None:
    office.live("X", INZAGE)
    office.live("X..", BEHIND)
    assert (office.words(), len(office.open_incidents())) == (["STORING"], 1)
