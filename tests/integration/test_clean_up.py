"""What journeys leave at the portal is taken away later, by a monitor that was killed too; or people are told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from monitor.clean_up import CleanUp, Hindrance, Standing, note_sample
from monitor.clock import Clock
from monitor.created import Stage, Thing
from monitor.news import Kind
from monitor.recipients import Recipient
from monitor.store import created, outbox
from monitor.store.database import Database, directly
from probes.checks import Journey
from probes.run import run
from probes.sample import Sample
from probes.setup import Setup
from tests.new_store import new_store
from tests.scripted_server import ScriptedServer, answer, journey, pages, setup, step

MINUTE = 60_000_000
OPS = Recipient(address="ops@oefen.example")


def a_journey(**more: Any) -> Journey:
    creates = {"what": "project", "id": "{{ nr }}", "undo": ["binnen", "weg"]}
    first = step("/in", name="binnen", login=True, expect={"text": "welkom"})
    making = step("/maak", name="maken", method="POST", capture={"nr": {"css": "b"}}, creates=creates)
    gone = step("/weg/{{ nr }}", name="weg", always=True, expect={"text": "ingetrokken"})
    return journey(first, making, gone, **more)


@dataclass
class Life:
    """A portal whose answers change, a store, and monitors that live beside it, one after the other."""

    database: Database
    answers: dict[str, bytes] = field(
        default_factory=lambda: {
            "/in": answer("welkom"),
            "/maak": answer("<b>OMV_1</b>"),
            "/weg/OMV_1": answer("ingetrokken"),
        }
    )
    asked: list[str] = field(default_factory=list)
    now_us: int = 1_800_000_000 * 1_000_000
    runs: int = 0
    resting: bool = False

    def monitor(self, way: Setup, check: Journey) -> CleanUp:
        clock = Clock(now_us=lambda: self.now_us, monotonic_us=lambda: self.now_us, new_id=lambda: "0" * 16)
        keeper = CleanUp(database=self.database, in_store=directly, clock=clock, rests=lambda _: self.resting)
        keeper.configured([check], way, [OPS])
        return keeper

    def with_a_monitor(self, check: Journey, act: Callable[[CleanUp, Setup], Awaitable[Any]]) -> Any:
        """What a new monitor, started for this, finds or does."""

        async def go() -> Any:
            async with ScriptedServer(pages(self.answers)) as server:
                way = setup(f"http://127.0.0.1:{server.port}")
                result = await act(self.monitor(way, check), way)
                self.asked += [request.target for request in server.requests]
                return result

        return asyncio.run(go())

    def run(self, check: Journey) -> Sample:
        async def act(keeper: CleanUp, way: Setup) -> Sample:
            self.runs += 1
            way = replace(way, created=keeper.keep, new_id=lambda: f"run-{self.runs}")
            sample = await run(check, slot_us=self.now_us, location="hier", setup=way)
            with self.database.begin() as tx:
                note_sample(tx, check, sample, now_us=self.now_us)
            return sample

        return self.with_a_monitor(check, act)  # type: ignore[no-any-return]

    def work_off(self, check: Journey, *, minutes: int = 1) -> Standing:
        self.now_us += minutes * MINUTE
        return self.with_a_monitor(check, lambda keeper, _: keeper.work_off())  # type: ignore[no-any-return]

    def hindrance(self, check: Journey) -> Hindrance | None:
        return self.with_a_monitor(check, lambda keeper, _: keeper.hindrance(check))  # type: ignore[no-any-return]

    def things(self) -> tuple[Thing, ...]:
        with self.database.read() as tx:
            return created.read(tx, only_open=False)

    def mails(self) -> int:
        with self.database.read() as tx:
            return sum(message.kind is Kind.LEFT_BEHIND for message in outbox.read(tx))


@pytest.fixture
def life(tmp_path: Path) -> Iterator[Life]:
    database = new_store(tmp_path / "loketwacht.db")
    yield Life(database=database)
    database.close()


def test_while_a_journey_rests_nothing_is_asked_to_take_away_what_it_made(life: Life) -> None:
    life.answers["/weg/OMV_1"] = answer("kapot", status=500)
    life.run(a_journey())
    asked, life.resting = len(life.asked), True
    assert len(life.work_off(a_journey(), minutes=60).open) == 1
    assert len(life.asked) == asked
    life.resting = False
    life.work_off(a_journey())
    assert len(life.asked) > asked


def test_a_run_that_takes_away_what_it_made_leaves_nothing_to_do(life: Life) -> None:
    life.run(a_journey())
    assert [thing.stage for thing in life.things()] == [Stage.GONE]
    assert life.work_off(a_journey()) == Standing()


def test_what_a_run_could_not_take_away_is_taken_away_later_by_another_monitor(life: Life) -> None:
    life.answers["/weg/OMV_1"] = answer("nu even niet")
    life.run(a_journey())
    life.answers["/weg/OMV_1"] = answer("ingetrokken")
    life.asked.clear()
    assert life.work_off(a_journey()).open == ()
    assert (life.asked, life.things()[0].stage) == (["/in", "/weg/OMV_1"], Stage.GONE)


def test_what_a_killed_monitor_may_have_made_is_told_to_people(life: Life) -> None:
    async def killed(keeper: CleanUp, way: Setup) -> None:
        async def keep_one(note: Any) -> None:
            await keeper.keep(note)
            raise asyncio.CancelledError  # the process ends here: announced, and nothing more

        with pytest.raises(asyncio.CancelledError):
            await run(a_journey(), slot_us=0, location="hier", setup=replace(way, created=keep_one))

    life.with_a_monitor(a_journey(), killed)
    assert life.work_off(a_journey()).orphans != ()
    assert life.mails() == 1


def test_after_three_failed_tries_people_are_told_once_a_day_and_trying_goes_on(life: Life) -> None:
    life.answers["/weg/OMV_1"] = answer("lukt niet")
    life.run(a_journey())
    told = [(len(life.work_off(a_journey(), minutes=20).orphans), life.mails()) for _ in range(4)]
    assert told == [(0, 0), (0, 0), (1, 1), (1, 1)]
    assert life.things()[0].trouble.startswith("Step “weg”: the text of the page does not contain")
    life.answers["/weg/OMV_1"] = answer("ingetrokken")
    assert life.work_off(a_journey(), minutes=61) == Standing()


def test_an_object_of_a_journey_that_is_gone_is_not_forgotten(life: Life) -> None:
    life.answers["/weg/OMV_1"] = answer("lukt niet")
    life.run(a_journey())
    other = a_journey().model_copy(update={"id": "een-ander"})
    for _ in range(3):
        life.work_off(other, minutes=20)
    assert (life.things()[0].trouble, life.mails()) == ("the journey that made it is no longer configured", 1)


def test_no_more_is_made_in_a_day_than_may_be(life: Life) -> None:
    check = a_journey(max_created_per_day=2)
    assert [life.run(check).outcome.value for _ in range(3)] == ["up", "up", "unknown"]
    assert life.asked.count("/maak") == 2
    assert life.hindrance(check) is Hindrance.CREATION_BUDGET
    life.now_us += 24 * 60 * MINUTE + 1
    assert life.hindrance(check) is None


def test_an_account_that_was_refused_too_often_rests_for_an_hour(life: Life) -> None:
    life.answers["/in"] = answer("verkeerd wachtwoord")
    for hindered in (None, None, None):
        assert life.hindrance(a_journey()) is hindered
        life.run(a_journey())
    assert life.hindrance(a_journey()) is Hindrance.LOGIN_PAUSED
    life.now_us += 60 * MINUTE
    assert life.hindrance(a_journey()) is None


def test_a_portal_that_is_down_is_measured_on(life: Life) -> None:
    life.answers["/in"] = answer("stuk", status=503)
    for _ in range(5):
        life.run(a_journey())
    assert life.hindrance(a_journey()) is None


def test_nothing_is_taken_away_with_an_account_that_rests(life: Life) -> None:
    life.answers["/weg/OMV_1"] = answer("lukt niet")
    life.run(a_journey())
    life.answers["/in"] = answer("verkeerd wachtwoord")
    for _ in range(3):
        life.run(a_journey())
    life.asked.clear()
    life.work_off(a_journey(), minutes=20)
    assert life.asked == []


def test_nothing_is_announced_to_a_store_that_is_gone(life: Life) -> None:
    async def act(keeper: CleanUp, way: Setup) -> Sample:
        life.database.close()
        life.database.engine.dispose()
        return await run(a_journey(), slot_us=0, location="hier", setup=replace(way, created=keeper.keep))

    (Path(str(life.database.engine.url.database))).unlink()
    sample = life.with_a_monitor(a_journey(), act)
    assert (sample.outcome.value, life.asked) == ("unknown", ["/in"])
