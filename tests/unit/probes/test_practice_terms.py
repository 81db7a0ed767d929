"""What the practice portal decides by the clock, with the clock in hand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError

from probes.practice import PracticePortal, PracticeSettings
from probes.practice.calendar import end_of_day_us, local_date
from tests.practice_site import Visitor

SECOND = 1_000_000
#: 2026-10-12 08:00:00 UTC. Thirty days later Brussels has gone to winter time.
MONDAY = 1_791_792_000 * SECOND
#: 2026-11-11 24:00 in Brussels, when an inquiry of 30 days that began on that Monday is over.
INQUIRY_OVER = 1_794_438_000 * SECOND


class Clock:
    def __init__(self) -> None:
        self.us = MONDAY

    def __call__(self) -> int:
        return self.us


def lived(scenario: Callable[[Visitor, Clock, PracticePortal], Awaitable[object]]) -> object:
    async def run() -> object:
        clock = Clock()
        portal = PracticePortal(now_us=clock)
        way = httpx.ASGITransport(app=portal.app)
        async with httpx.AsyncClient(transport=way, base_url="http://oefen", follow_redirects=True) as client:
            return await scenario(Visitor(client), clock, portal)

    return asyncio.run(run())


async def submitted_with_inquiry(visitor: Visitor) -> str:
    """A project of the architect under the ordinary procedure: alone to sign, and straight into its inquiry."""
    await visitor.log_in("architect")
    number = await visitor.make_project("gewoon")
    await visitor.submit_project(number)
    return number


def test_an_inquiry_ends_at_midnight_in_brussels_across_the_change_to_winter_time() -> None:
    assert end_of_day_us(local_date(MONDAY + 30 * 86_400 * SECOND)) == INQUIRY_OVER


@pytest.mark.parametrize(("before_the_end_s", "status"), [(30, 200), (0, 409), (-30, 409)])
def test_an_objection_is_taken_until_midnight_and_refused_from_then_on(before_the_end_s: int, status: int) -> None:
    async def scenario(visitor: Visitor, clock: Clock, _: PracticePortal) -> object:
        number = await submitted_with_inquiry(visitor)
        clock.us = INQUIRY_OVER - before_the_end_s * SECOND
        await visitor.log_in("derde")
        return (await visitor.client.get(f"/loket/projecten/{number}/bezwaar")).status_code

    assert lived(scenario) == status


def test_an_objection_that_was_being_written_at_midnight_is_refused() -> None:
    async def scenario(visitor: Visitor, clock: Clock, _: PracticePortal) -> object:
        number = await submitted_with_inquiry(visitor)
        clock.us = INQUIRY_OVER - SECOND
        await visitor.log_in("derde")
        page = await visitor.client.get(f"/loket/projecten/{number}/bezwaar")
        clock.us = INQUIRY_OVER
        token = page.text.rsplit('name="_csrf" value="', 1)[1].split('"')[0]
        form = {"_csrf": token, "bezwaar-tekst": "Te laat"}
        return (await visitor.client.post(f"/loket/projecten/{number}/bezwaar", data=form)).status_code

    assert lived(scenario) == 409


def test_a_session_ends_after_half_an_hour_without_a_visit() -> None:
    async def scenario(visitor: Visitor, clock: Clock, _: PracticePortal) -> object:
        await visitor.log_in("burger")
        clock.us += 1801 * SECOND
        return (await visitor.client.get("/loket")).url.path

    assert lived(scenario) == "/op/v1/auth"


def test_a_fault_mends_itself_when_its_seconds_are_over() -> None:
    async def scenario(visitor: Visitor, clock: Clock, portal: PracticePortal) -> object:
        portal.faults.add({"fault": "status-500", "seconds": 60})
        during = (await visitor.client.get("/")).status_code
        clock.us += 60 * SECOND
        return during, (await visitor.client.get("/")).status_code

    assert lived(scenario) == (500, 200)


def test_in_process_a_broken_connection_is_an_exception() -> None:
    async def scenario(visitor: Visitor, _: Clock, portal: PracticePortal) -> None:
        portal.faults.add({"fault": "refuse", "path": "/inzage"})
        with pytest.raises(ConnectionRefusedError):
            await visitor.client.get("/inzage")
        portal.faults.add({"fault": "reset", "path": "/loket"})
        with pytest.raises(ConnectionResetError):
            await visitor.client.get("/loket")

    lived(scenario)


def test_a_form_without_its_token_is_refused() -> None:
    async def scenario(visitor: Visitor, _: Clock, __: PracticePortal) -> object:
        await visitor.log_in("burger")
        form = {"projectnaam": "x", "gemeente": "Oefendorp", "adres": "y", "procedure": "melding", "_csrf": "vals"}
        return (await visitor.client.post("/loket/projecten/nieuw", data=form)).status_code

    assert lived(scenario) == 403


def test_the_session_cookie_is_out_of_reach_of_scripts_and_new_after_logging_in() -> None:
    async def scenario(visitor: Visitor, _: Clock, __: PracticePortal) -> object:
        before = (await visitor.client.get("/aanmelden", follow_redirects=False)).headers["set-cookie"]
        answer = await visitor.log_in("burger")
        after = answer.history[-1].headers["set-cookie"]
        return "HttpOnly" in before, "HttpOnly" in after, before.split(";")[0] == after.split(";")[0]

    assert lived(scenario) == (True, True, False)


def test_a_stranger_sees_no_draft_of_somebody_else() -> None:
    async def scenario(visitor: Visitor, _: Clock, __: PracticePortal) -> object:
        await visitor.log_in("burger")
        number = await visitor.make_project()
        await visitor.log_in("derde")
        return (await visitor.client.get(f"/loket/projecten/{number}")).status_code

    assert lived(scenario) == 404


def test_the_same_visits_give_the_same_portal() -> None:
    async def scenario(visitor: Visitor, _: Clock, __: PracticePortal) -> object:
        await visitor.log_in("burger")
        number = await visitor.make_project()
        return (await visitor.client.get(f"/loket/projecten/{number}")).text

    assert lived(scenario) == lived(scenario)


def test_the_oldest_dossiers_are_forgotten_and_the_known_ones_stay() -> None:
    async def scenario(visitor: Visitor, _: Clock, __: PracticePortal) -> object:
        await visitor.log_in("burger")
        first = await visitor.make_project()
        last = [await visitor.make_project() for _ in range(8)][-1]
        paths = [f"/loket/projecten/{n}" for n in (first, last, "OMV_2099000001")]
        return [(await visitor.client.get(path)).status_code for path in paths]

    async def run() -> object:
        portal = PracticePortal(now_us=Clock(), max_dossiers=10)
        way = httpx.ASGITransport(app=portal.app)
        async with httpx.AsyncClient(transport=way, base_url="http://oefen", follow_redirects=True) as client:
            return await scenario(Visitor(client), Clock(), portal)

    assert asyncio.run(run()) == [404, 200, 200]


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "localhost", "example.org", "::"])
def test_the_portal_listens_on_loopback_addresses_only(host: str) -> None:
    with pytest.raises(ValidationError, match="not a loopback address"):
        PracticeSettings(host=host, state_dir=Path("x"))
