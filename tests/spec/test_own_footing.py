"""What the monitor itself stands on, when it is broken for long: told once, again when it is well, never earlier."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from monitor import config
from monitor.footing import Footing
from monitor.metrics import Metrics
from monitor.store import events, samples
from monitor.store.database import Database, directly
from tests.heart import DAY, MINUTE, OPS, SECOND, Office, a_sample, at, run
from tests.running_service import a_place
from tests.scripted_server import ScriptedServer, answer, pages, setup

NAMES = ("een.example", "twee.example")


@dataclass
class Ground:
    """A monitor whose footing a test breaks and mends; each `Footing` is a process that was started anew."""

    office: Office
    loaded: config.Loaded
    metrics: Metrics
    dead: set[str] = field(default_factory=set)
    tells: bool = True

    def footing(self) -> Footing:
        return Footing(
            settings=lambda: self.loaded.config,
            location="lokaal",
            tells=self.tells,
            setup=lambda: setup("http://127.0.0.1:1"),
            database=self.office.database,
            in_store=directly,
            clock=self.office.clock,
            metrics=self.metrics,
            resolve=self._resolve,
        )

    async def _resolve(self, name: str) -> object:
        if name in self.dead:
            raise socket.gaierror(socket.EAI_AGAIN, "try again")
        return None

    def references(self, **settings: Any) -> None:
        references = self.loaded.config.references.model_copy(update=settings)
        self.loaded = replace(self.loaded, config=self.loaded.config.model_copy(update={"references": references}))

    def told(self) -> list[str]:
        self.office.deliver()
        return [subject.partition("MONITOR: ")[2] for subject in self.office.subjects]

    def noted(self, kind: str) -> list[bool]:
        """Each note about a trouble; whether it says that it is over."""
        with self.office.database.read() as tx:
            return [bool(one.data.get("over")) for one in events.read(tx, 0, 2**62, kinds=(kind,))]

    def gauge(self, name: str) -> str:
        exposed = self.metrics.exposition("")[0].decode()
        return next(line.rpartition(" ")[2] for line in exposed.splitlines() if line.startswith(name))


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    database = Database.open(f"sqlite:///{tmp_path / 'loketwacht.db'}", durable=False)
    loaded = config.load(a_place(tmp_path, journeys=("startpagina",)).config)
    loaded = replace(loaded, config=loaded.config.model_copy(update={"recipient": (OPS,)}))
    yield Ground(Office(database=database), loaded, Metrics(version="1", started_us=0))
    database.close()


# -- our own resolver -------------------------------------------------------------------------------------------------


def asked_for_names(ground: Ground, footing: Footing, minutes: int) -> list[str]:
    for _ in range(2 * minutes):
        run(footing.ask_resolver())
        ground.office.now_us += 30 * SECOND
    return ground.told()


def test_a_resolver_that_answers_for_no_name_is_told_after_five_minutes_and_once(ground: Ground) -> None:
    """T1: what fails for want of a name is unknown meanwhile, and somebody must hear of it."""
    ground.references(names=NAMES)
    ground.dead = set(NAMES)
    footing = ground.footing()
    assert asked_for_names(ground, footing, 5) == []
    assert asked_for_names(ground, footing, 20) == ["onze naamserver antwoordt niet"]
    assert asked_for_names(ground, ground.footing(), 20) == ["onze naamserver antwoordt niet"]  # after a restart


def test_a_resolver_that_answers_again_is_told_to_those_who_were_told(ground: Ground) -> None:
    ground.references(names=NAMES)
    ground.dead = set(NAMES)
    asked_for_names(ground, ground.footing(), 7)
    ground.dead = set()
    said = ["onze naamserver antwoordt niet", "onze naamserver antwoordt weer"]
    assert asked_for_names(ground, ground.footing(), 1) == said
    assert ground.noted("trouble-resolver-silent") == [False, True]


def test_one_name_that_is_answered_is_enough(ground: Ground) -> None:
    ground.references(names=NAMES)
    ground.dead = {NAMES[0]}
    assert asked_for_names(ground, ground.footing(), 30) == []


def test_an_outpost_shows_it_and_leaves_the_telling_to_the_monitor(ground: Ground) -> None:
    ground.references(names=NAMES)
    ground.dead, ground.tells = set(NAMES), False
    assert asked_for_names(ground, ground.footing(), 20) == []
    assert ground.gauge("monitor_resolver_up") == "0.0"


# -- the references ---------------------------------------------------------------------------------------------------


def asked_for_references(ground: Ground, minutes: int, *, alive: int, dead: int, footing: Footing | None = None) -> str:
    """Asks references of which some are there and some are not; the address of the last."""

    async def go() -> str:
        async with ScriptedServer(pages({"/": answer("ja")})) as server:
            there = tuple(f"http://127.0.0.1:{server.port}/?{number}" for number in range(alive))
            gone = tuple(f"http://127.0.0.1:1/?{number}" for number in range(dead))
            ground.references(urls=(*there, *gone))
            one = footing or ground.footing()
            for _ in range(2 * minutes):
                await one.ask_references()
                ground.office.now_us += 30 * SECOND
            return (*there, *gone)[-1]

    return run(go())


def test_a_reference_that_never_answers_while_others_do_is_told_and_shown(ground: Ground) -> None:
    """T2: once most of them are silent every outage would be called our own."""
    asked_for_references(ground, 15, alive=2, dead=1)
    assert ground.told() == []
    silent = asked_for_references(ground, 16, alive=2, dead=1)
    assert ground.told() == ["een referentie antwoordt niet"]
    assert silent in ground.office.sent[0].text
    assert ground.gauge(f'monitor_reference_up{{reference="{silent}"}}') == "0.0"


def test_a_further_silent_reference_is_told_too(ground: Ground) -> None:
    asked_for_references(ground, 20, alive=2, dead=1)
    asked_for_references(ground, 20, alive=2, dead=2)
    assert ground.told() == ["een referentie antwoordt niet"] * 2


def test_a_way_out_that_is_closed_is_the_fault_of_no_reference(ground: Ground) -> None:
    footing = ground.footing()
    asked_for_references(ground, 60, alive=0, dead=3, footing=footing)
    asked_for_references(ground, 6, alive=2, dead=1, footing=footing)  # it opens; one of them is a little later
    assert ground.told() == []


# -- the clock --------------------------------------------------------------------------------------------------------


def measured(ground: Ground, at_us: int) -> None:
    with ground.office.database.begin() as tx:
        samples.add(tx, a_sample(".", at_us, "startpagina"))


def looked_at_the_clock(ground: Ground, footing: Footing, minutes: int) -> list[str]:
    for _ in range(2 * minutes):
        run(footing.look_at_clock())
        ground.office.now_us += 30 * SECOND
    return ground.told()


def test_a_clock_that_stepped_back_behind_what_was_measured_is_told(ground: Ground) -> None:
    """T20: it was years ahead at the start, samples were dated so, and then it was set."""
    measured(ground, at("10:00") + 10 * 366 * DAY)
    assert looked_at_the_clock(ground, ground.footing(), 6) == ["de klok van de monitor klopt niet"]
    assert float(ground.gauge("monitor_store_ahead_seconds")) > 300_000_000
    assert looked_at_the_clock(ground, ground.footing(), 6) == ["de klok van de monitor klopt niet"]


def test_a_start_years_behind_the_newest_sample_is_told(ground: Ground) -> None:
    measured(ground, at("10:00") - 400 * DAY)
    assert looked_at_the_clock(ground, ground.footing(), 6) == ["de klok van de monitor klopt niet"]
    measured(ground, ground.office.now_us - MINUTE)  # a later start finds a clock and samples that agree
    said = ["de klok van de monitor klopt niet", "de klok van de monitor klopt weer"]
    assert looked_at_the_clock(ground, ground.footing(), 1) == said


@pytest.mark.parametrize("rest_us", [MINUTE, 100 * DAY, -30 * SECOND], ids=["a restart", "a rest", "a small step"])
def test_a_clock_that_agrees_with_what_was_measured_is_no_news(ground: Ground, rest_us: int) -> None:
    measured(ground, at("10:00") - rest_us)
    assert looked_at_the_clock(ground, ground.footing(), 20) == []
    assert ground.gauge("monitor_store_ahead_seconds") == "0.0"


def test_a_store_without_a_sample_says_nothing_of_the_clock(ground: Ground) -> None:
    assert looked_at_the_clock(ground, ground.footing(), 6) == []
