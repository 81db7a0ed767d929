"""`loketwacht incident`: what is known of one, and what people say about it, by exit codes, text and JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from monitor import acknowledging
from monitor.acknowledging import About
from monitor.attribution import Cause
from monitor.cli import main
from monitor.config import load
from monitor.store import incidents
from monitor.store.database import Database
from tests.heart import INDIENEN, Office
from tests.running_service import a_place

OUTAGE = "indienen-20261123T100000Z"


class Desk:
    """A configuration, a store with one outage that began at ten, and somebody at the command line."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        place = a_place(folder, journeys=("indienen", "startpagina"))
        text = place.config.read_text(encoding="utf-8")
        place.config.write_text(re.sub(r"\nca_file = .*", "", text), encoding="utf-8")
        self._config, self._capsys = place.config, capsys
        self.database = Database.open(load(place.config).database_url, durable=False)
        self.office = Office(database=self.database)
        self.office.live("xx")
        self.out = self.err = ""

    def says(self, *arguments: str) -> int:
        code = main(("incident", *arguments, "--config", str(self._config)))
        self.out, self.err = self._capsys.readouterr()
        return code

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def said(self) -> About:
        with self.database.read() as tx:
            incident = incidents.get(tx, OUTAGE)
            assert incident is not None
            return acknowledging.about(tx, incident)


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Desk]:
    desk = Desk(tmp_path, capsys)
    yield desk
    desk.database.close()


def test_one_can_say_to_be_on_it_and_reminders_stop(desk: Desk) -> None:
    assert desk.says("ack", OUTAGE, "--by", "Ann", "--note", "ik bel de dienst", "--json") == 0
    assert (desk.json["by"], desk.json["text"]) == ("Ann", "ik bel de dienst")
    acknowledged = desk.said().acknowledged
    assert acknowledged is not None
    assert (acknowledged.by, acknowledged.text) == ("Ann", "ik bel de dienst")
    desk.office.wait(300, INDIENEN, every=10)
    assert desk.office.words() == ["STORING"]


def test_the_second_to_say_so_is_told_who_was_first(desk: Desk) -> None:
    desk.says("ack", OUTAGE, "--by", "Ann")
    assert desk.says("ack", OUTAGE, "--by", "Bob") == 4
    assert "Ann acknowledged it already" in desk.err
    assert desk.out == ""


def test_remarks_are_kept_in_their_order(desk: Desk) -> None:
    for text in ("de leverancier zoekt", "een schijf was vol"):
        assert desk.says("note", OUTAGE, text, "--by", "Ann") == 0
    assert [one.text for one in desk.said().notes] == ["de leverancier zoekt", "een schijf was vol"]


def test_a_person_has_the_last_word_on_the_cause(desk: Desk) -> None:
    for cause in ("network", "identity-provider"):
        assert desk.says("attribute", OUTAGE, cause, "--by", "Ann", "--reason", "zij zeggen het zelf", "--json") == 0
    assert desk.json["cause"] == "identity-provider"
    said = desk.said().cause
    assert said is not None
    assert said.cause is Cause.IDENTITY_PROVIDER


def test_a_cause_that_does_not_exist_is_a_mistake_in_writing(desk: Desk) -> None:
    assert desk.says("attribute", OUTAGE, "gremlins", "--by", "Ann", "--reason", "x") == 2
    assert desk.said().cause is None


@pytest.mark.parametrize(
    "arguments",
    [
        ("ack", "bestaat-niet", "--by", "Ann"),
        ("note", "bestaat-niet", "iets", "--by", "Ann"),
        ("attribute", "bestaat-niet", "network", "--by", "Ann", "--reason", "x"),
        ("show", "bestaat-niet"),
    ],
)
def test_an_incident_that_is_not_there_is_said_so(desk: Desk, arguments: tuple[str, ...]) -> None:
    assert desk.says(*arguments) == 4
    assert "bestaat-niet" in desk.err


@pytest.mark.parametrize("arguments", [("ack", OUTAGE, "--by", " "), ("note", OUTAGE, " ", "--by", "Ann")])
def test_nobody_and_nothing_are_not_recorded(desk: Desk, arguments: tuple[str, ...]) -> None:
    assert desk.says(*arguments) == 4
    assert "Not recorded" in desk.err
    assert desk.said() == About()


def test_all_that_is_known_of_one_is_shown(desk: Desk) -> None:
    desk.says("ack", OUTAGE, "--by", "Ann")
    desk.says("note", OUTAGE, "een schijf was vol", "--by", "Bob")
    assert desk.says("show", OUTAGE, "--json") == 0
    shown = desk.json
    assert (shown["id"], shown["check"], shown["since"], shown["until"]) == (
        OUTAGE, "indienen", "2026-11-23T10:00:00Z", None,
    )  # fmt: skip
    assert (shown["severity"], shown["worse_since"], shown["proposed_cause"]) == ("major", None, "portal")
    assert (shown["acknowledged"]["by"], shown["cause"]) == ("Ann", None)
    assert [(one["by"], one["text"]) for one in shown["notes"]] == [("Bob", "een schijf was vol")]
    assert (shown["attached"], shown["explained_by"]) == ([], [])


def test_people_read_the_same_as_a_table(desk: Desk) -> None:
    desk.says("attribute", OUTAGE, "network", "--by", "Ann", "--reason", "de lijn lag uit")
    assert desk.says("show", OUTAGE) == 0
    table = " ".join((desk.out + desk.err).split())
    for words in (OUTAGE, "open", "ernstig", "het netwerk (vastgesteld door Ann: de lijn lag uit)", "nobody"):
        assert words in table


def test_all_of_them_are_listed(desk: Desk) -> None:
    assert desk.says("list", "--json") == 1
    assert OUTAGE in desk.out
