"""A browser is a guest too: it waits its turn, goes when it is asked to, takes away what it made, locks nobody out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from monitor.clean_up import CleanUp, Hindrance, note_sample
from monitor.clock import Clock, monotonic_us, new_id, wall_us
from monitor.created import Stage, Thing
from monitor.recipients import Recipient
from monitor.store import created
from monitor.store.database import Database, directly
from probes.browser.definition import BrowserJourney
from probes.guest import Guest
from probes.run import run
from probes.sample import FailureKind, Outcome, Sample, StepOutcome
from probes.setup import Setup
from tests.in_a_browser import LATE, a_setup, browsed, in_chromium, of_steps, one_page
from tests.new_store import new_store
from tests.scripted_server import Received, ScriptedServer, answer, pages

pytestmark = in_chromium

OPS = Recipient(address="ops@oefen.example")
NO_ICON = "<link rel=icon href='data:,'>"


def test_requests_of_a_page_follow_at_once_and_are_made_up_for_before_the_next_step() -> None:
    """Four requests of the first page, four gaps of 300 ms before the second: that wait is nobody's but ours."""
    parts = "".join(f"<script src='/{n}.js'></script>" for n in range(3))
    site = {"/": answer(f"{NO_ICON}<h1>Een</h1>{parts}"), "/twee": answer(f"{NO_ICON}<h1>Twee</h1>")}
    came: list[tuple[str, float]] = []

    async def script(received: Received, writer: asyncio.StreamWriter) -> None:
        came.append((received.target, monotonic()))
        writer.write(site.get(received.target, answer("1", kind="text/javascript")))

    async def go() -> tuple[Sample, float]:
        async with ScriptedServer(script) as server:
            journey = of_steps(
                {"id": "een", "goto": "/", "expect": {"visible": "h1"}},
                {"id": "twee", "goto": "/twee", "expect": {"visible": "h1"}},
            )
            began = monotonic()
            guest = Guest(most_a_minute=200)
            sample = await browsed(f"http://127.0.0.1:{server.port}", journey, guest=guest)
            return sample, monotonic() - began

    sample, took = asyncio.run(go())
    assert sample.outcome is Outcome.UP
    when = dict(came)
    assert set(when) == {"/", "/0.js", "/1.js", "/2.js", "/twee"}
    assert when["/twee"] - when["/"] >= 0.9
    assert sample.duration_us < (took - 0.5) * 1_000_000
    assert all(step.loaded_us is not None for step in sample.steps)


def test_a_rate_that_lets_no_page_be_asked_in_time_is_our_own_fault() -> None:
    page = answer(f"{NO_ICON}<h1>Dag</h1>" + "".join(f"<script src='/{n}.js'></script>" for n in range(8)))

    async def go() -> Sample:
        async with ScriptedServer(pages({"/": page})) as server:
            twice = of_steps(*({"id": name, "goto": "/", "expect": {"visible": "h1"}} for name in ("een", "twee")))
            return await browsed(f"http://127.0.0.1:{server.port}", twice, guest=Guest(most_a_minute=6))

    sample = asyncio.run(go())
    assert sample.failure is not None
    assert (sample.outcome, sample.failure.subject) == (Outcome.UNKNOWN, "max_rate")
    assert [step.outcome for step in sample.steps] == [StepOutcome.OK, StepOutcome.FAILED]


#: The heading shows that the answer to what the page asked for has come.
AFTER_DATA = "fetch('/data').then(() => { document.body.innerHTML = '<h1>Dag</h1>' })"


@pytest.mark.parametrize("where", ["/", "/data"], ids=["page", "data"])
def test_a_portal_that_asks_a_browser_to_come_back_later_is_left_alone(where: str) -> None:
    later = answer("te veel", status=429, head="Retry-After: 60\r\n")
    site = {"/": answer(f"{NO_ICON}<script>{AFTER_DATA}</script>"), "/data": answer("{}"), where: later}

    async def go() -> tuple[Sample, Sample, int]:
        async with ScriptedServer(pages(site)) as server:
            base_url, guest = f"http://127.0.0.1:{server.port}", Guest()
            first = await browsed(base_url, one_page(wait=LATE), guest=guest)
            asked = len(server.requests)
            return first, await browsed(base_url, one_page(), guest=guest), len(server.requests) - asked

    first, second, asked = asyncio.run(go())
    assert first.outcome is (Outcome.UNKNOWN if where == "/" else Outcome.UP)
    assert second.failure is not None
    assert (second.failure.kind, second.failure.subject) == (FailureKind.RATE_LIMITED, "Retry-After")
    assert asked == 0


def test_after_503_with_retry_after_a_browser_s_failure_is_not_confirmed_at_once() -> None:
    async def go() -> bool:
        site = {"/": answer("dicht", status=503, head="Retry-After: 60\r\n")}
        async with ScriptedServer(pages(site)) as server:
            guest = Guest()
            sample = await browsed(f"http://127.0.0.1:{server.port}", one_page(), guest=guest)
            assert sample.outcome is Outcome.DOWN
            return guest.spares(sample.check_id, monotonic_us())

    assert asyncio.run(go())


# ---------------------------------------------------------------------------------------- what must not be left behind


def a_journey(**more: Any) -> BrowserJourney:
    return of_steps(
        {
            "id": "binnen", "goto": "/in", "fill": {"#wie": "{{ secret.pas }}"}, "click": "#aan", "login": True,
            "expect": {"visible": "#welkom"},
        },
        {
            "id": "maken", "goto": "/nieuw", "click": "#maak", "capture": {"nr": {"css": "b"}},
            "expect": {"visible": "b"},
            "creates": {"what": "project", "id": "{{ nr }}", "undo": ["binnen", "weg"], "gone": [404]},
        },
        {"id": "weg", "goto": "/weg/{{ nr }}", "always": True, "expect": {"text": "ingetrokken"}},
        secrets=["pas"],
        **more,
    )  # fmt: skip


def form(action: str, fields: str = "") -> bytes:
    button = "<button id=aan>Aan</button>" if fields else "<button id=maak>Maak</button>"
    return answer(f"{NO_ICON}<form method=post action={action}>{fields}{button}</form>")


@dataclass
class Life:
    """A portal whose answers change, a store, and monitors that live beside it, one after the other."""

    database: Database
    answers: dict[str, bytes] = field(
        default_factory=lambda: {
            "/in": form("/binnen", "<input id=wie name=wie>"),
            "/binnen": answer(f"{NO_ICON}<p id=welkom>welkom</p>"),
            "/nieuw": form("/maak"),
            "/maak": answer(f"{NO_ICON}<b>OMV_1</b>"),
            "/weg/OMV_1": answer(f"{NO_ICON}ingetrokken"),
        }
    )
    asked: list[str] = field(default_factory=list)
    later_us: int = 0

    def with_a_monitor(self, check: BrowserJourney, act: Callable[[CleanUp, Setup], Awaitable[Any]]) -> Any:
        async def go() -> Any:
            async with ScriptedServer(pages(self.answers)) as server:
                way = a_setup(f"http://127.0.0.1:{server.port}", secrets={"pas": "mijn-pas"})
                clock = Clock(now_us=lambda: wall_us() + self.later_us, monotonic_us=monotonic_us, new_id=new_id)
                keeper = CleanUp(database=self.database, in_store=directly, clock=clock)
                keeper.configured([check], way, [OPS])
                result = await act(keeper, replace(way, created=keeper.keep))
                self.asked += [f"{request.method} {request.target}" for request in server.requests]
                return result

        return asyncio.run(go())

    def run(self, check: BrowserJourney) -> Sample:
        async def act(_: CleanUp, way: Setup) -> Sample:
            sample = await run(check, slot_us=wall_us(), location="hier", setup=way)
            with self.database.begin() as tx:
                note_sample(tx, check, sample, now_us=wall_us() + self.later_us)
            return sample

        return self.with_a_monitor(check, act)  # type: ignore[no-any-return]

    def hindrance(self, check: BrowserJourney) -> Hindrance | None:
        return self.with_a_monitor(check, lambda keeper, _: keeper.hindrance(check))  # type: ignore[no-any-return]

    def work_off(self, check: BrowserJourney, *, minutes: int) -> None:
        self.later_us += minutes * 60_000_000
        self.with_a_monitor(check, lambda keeper, _: keeper.work_off())

    def things(self) -> list[Thing]:
        with self.database.read() as tx:
            return list(created.read(tx, only_open=False))


@pytest.fixture
def life(tmp_path: Path) -> Iterator[Life]:
    database = new_store(tmp_path / "loketwacht.db")
    yield Life(database=database)
    database.close()


def test_what_a_browser_makes_is_listed_before_it_is_sent_and_gone_once_it_was_taken_away(life: Life) -> None:
    assert life.run(a_journey()).outcome is Outcome.UP
    [thing] = life.things()
    assert (thing.what, thing.name, thing.stage) == ("project", "OMV_1", Stage.GONE)
    assert life.asked.count("POST /maak") == 1


def test_what_stays_is_taken_away_later_in_a_browser_of_its_own(life: Life) -> None:
    life.answers["/weg/OMV_1"] = answer("kapot", status=500)
    sample = life.run(a_journey())
    assert (sample.outcome, sample.steps[-1].outcome) == (Outcome.UP, StepOutcome.FAILED)
    assert [thing.stage for thing in life.things()] == [Stage.MADE]
    life.answers["/weg/OMV_1"] = answer(f"{NO_ICON}ingetrokken")
    life.asked.clear()
    life.work_off(a_journey(), minutes=10)
    assert [thing.stage for thing in life.things()] == [Stage.GONE]
    assert [asked for asked in life.asked if "icon" not in asked] == ["GET /in", "POST /binnen", "GET /weg/OMV_1"]


def test_what_is_gone_already_counts_as_taken_away(life: Life) -> None:
    life.answers["/weg/OMV_1"] = answer("kapot", status=500)
    life.run(a_journey())
    life.answers["/weg/OMV_1"] = answer("weg", status=404)
    life.work_off(a_journey(), minutes=10)
    assert [thing.stage for thing in life.things()] == [Stage.GONE]


def test_a_form_that_is_not_there_makes_nothing_and_an_error_of_the_portal_is_unclear(life: Life) -> None:
    life.answers["/nieuw"] = answer(f"{NO_ICON}<p>gesloten</p>")
    life.run(a_journey())
    assert [thing.stage for thing in life.things()] == [Stage.NEVER]
    life.answers["/nieuw"] = form("/maak")
    life.answers["/maak"] = answer("kapot", status=500)
    life.run(a_journey())
    assert sorted(thing.stage for thing in life.things()) == [Stage.NEVER, Stage.UNCLEAR]


def test_beyond_a_day_s_budget_nothing_is_made(life: Life) -> None:
    check = a_journey(max_created_per_day=1)
    life.run(check)
    assert life.hindrance(check) is Hindrance.CREATION_BUDGET
    life.asked.clear()
    sample = life.run(check)
    assert sample.failure is not None
    assert (sample.outcome, sample.failure.subject) == (Outcome.UNKNOWN, "clean-up")
    assert "POST /maak" not in life.asked


def test_after_refused_logins_a_browser_journey_rests_and_a_missing_form_is_no_refusal(life: Life) -> None:
    check = a_journey(max_failed_logins=2, wait="1500ms")
    good = life.answers["/in"]
    life.answers["/in"] = answer(f"{NO_ICON}<h1>onderhoud</h1>")
    for _ in range(2):
        life.run(check)
    assert life.hindrance(check) is None
    life.answers |= {"/in": good, "/binnen": answer(f"{NO_ICON}<p id=fout>onbekend</p>")}
    for _ in range(2):
        assert life.run(check).outcome is Outcome.DOWN
    assert life.hindrance(check) is Hindrance.LOGIN_PAUSED
    life.later_us += 2 * 3_600_000_000
    assert life.hindrance(check) is None
