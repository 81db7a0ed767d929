"""A failing login explains the journeys behind it: one mail says so, while measuring goes on for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboards.formatting import Language
from dashboards.status_page import Frame, StatusPage
from monitor.pages import Days, Watched, status
from tests.heart import INDIENEN, INZAGE, Office
from tests.new_store import new_store

BEHIND = INDIENEN.model_copy(update={"depends_on": ("inzage",)})


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    database = new_store(tmp_path / "store.db")
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


def test_the_page_tells_the_cause_and_with_it_what_fails_along_with_it(office: Office) -> None:
    office.live("X", INZAGE)
    office.live("XX", BEHIND)
    office.live("X", INZAGE)
    [cause] = the_page(office).incidents
    assert cause.title == INZAGE.title.nl
    assert [one.title for one in cause.attached] == [BEHIND.title.nl]


def test_the_page_tells_by_itself_what_outlasts_its_cause(office: Office) -> None:
    office.live("X", INZAGE)
    office.live("XX", BEHIND)
    office.live("..", INZAGE)
    [left] = the_page(office).incidents
    assert (left.title, left.attached) == (BEHIND.title.nl, ())


def test_an_english_page_leads_to_english_incidents(office: Office) -> None:
    office.live("XX", INZAGE)
    [one] = the_page(office, "en").incidents
    assert one.href.endswith("?lang=en")


def the_page(office: Office, language: Language = "nl") -> StatusPage:
    watched = Watched(portal="Loket", checks=(BEHIND, INZAGE), location="lokaal", timezone="Europe/Brussels")
    frame = Frame(portal="Loket", generated_us=office.now_us, version="1", language=language)
    return status(office.database, watched, Days(), frame=frame, now_us=office.now_us)
