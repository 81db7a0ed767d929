"""Being a good guest: places, turns, and hosts that ask to be left alone."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
import pytest

from probes.checks import Journey, Portal
from probes.fault import Fault
from probes.guest import Guest, retry_after_us
from probes.run import run
from probes.sample import FailureKind, Outcome, Sample
from probes.setup import Setup

SECOND = 1_000_000
JOURNEY = Journey.model_validate(
    {
        "id": "loket",
        "title": {"nl": "Loket", "en": "Counter"},
        "interval": "1m",
        "deadline": "5s",
        "step": [{"id": "openen", "path": "/", "expect": {"status": 200}}],
    }
)


@dataclass
class Visits:
    """A portal in simulated time that answers as it is told."""

    guest: Guest
    answer: Callable[[], httpx.Response]
    now_us: int = 1_000 * SECOND
    asked: int = 0
    ids: itertools.count[int] = field(default_factory=itertools.count)

    def _answered(self, _: httpx.Request) -> httpx.Response:
        self.asked += 1
        return self.answer()

    async def one(self) -> Sample:
        setup = Setup(
            portal=Portal(name="Loket", base_url="http://loket.example", contact="https://x.example"),
            now_us=lambda: self.now_us,
            monotonic_us=lambda: self.now_us,
            new_id=lambda: str(next(self.ids)),
            transport=lambda: httpx.MockTransport(self._answered),
            guest=self.guest,
        )
        return await run(JOURNEY, slot_us=0, location="hier", setup=setup)


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("120", 120 * SECOND),
        ("Thu, 01 Jan 1970 00:01:40 GMT", 90 * SECOND),
        ("Thu, 01 Jan 1970 00:00:01 GMT", 0),
        ("-5", None),
        ("straks", None),
        ("", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_a_date(text: str, us: int | None) -> None:
    assert retry_after_us(text, 10 * SECOND) == us


def test_a_host_that_answers_429_is_left_alone_until_then_and_not_longer_than_the_cap() -> None:
    visits = Visits(
        Guest(longest_back_off_us=60 * SECOND), lambda: httpx.Response(429, headers={"Retry-After": "9999"})
    )
    first = asyncio.run(visits.one())
    visits.now_us += 59 * SECOND
    second = asyncio.run(visits.one())
    assert visits.asked == 1
    assert first.outcome is second.outcome is Outcome.UNKNOWN
    assert second.failure is not None
    assert (second.failure.kind, second.failure.subject) == (FailureKind.RATE_LIMITED, "Retry-After")
    visits.now_us += SECOND
    asyncio.run(visits.one())
    assert visits.asked == 2


def test_no_portal_ends_its_outage_by_asking_us_to_come_back_later() -> None:
    visits = Visits(Guest(), lambda: httpx.Response(503, headers={"Retry-After": "3600"}))
    assert not visits.guest.spares("loket", visits.now_us)
    assert [asyncio.run(visits.one()).outcome for _ in range(3)] == [Outcome.DOWN] * 3
    assert visits.asked == 3
    assert visits.guest.spares("loket", visits.now_us)  # so that none of them was run twice at once


def test_requests_of_one_host_keep_their_distance_and_redirects_are_made_up_for() -> None:
    guest, now_us = Guest(most_a_minute=60_000), [0]

    async def turns() -> list[int]:
        await guest.turn("a", lambda: 0)
        guest.more("a", 4, lambda: 0)
        return [guest._free_us["a"], await guest.turn("b", lambda: now_us[0])]

    assert asyncio.run(turns()) == [5_000, 0]


def test_whoever_gets_no_turn_within_half_a_minute_is_unknown() -> None:
    guest = Guest(most_a_minute=6)
    guest.more("a", 4, lambda: 0)
    with pytest.raises(Fault) as refused:
        asyncio.run(guest.turn("a", lambda: 0))
    assert (refused.value.kind, refused.value.expected) == (FailureKind.MONITOR, "a turn within 30 s")


def test_no_more_runs_than_allowed_are_at_one_host() -> None:
    guest, inside, most = Guest(most_at_once=2), [0], [0]

    async def stay() -> None:
        async with guest.place("a"):
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            await asyncio.sleep(0)
            inside[0] -= 1

    async def all_of_them() -> None:
        await asyncio.gather(*(stay() for _ in range(7)))

    asyncio.run(all_of_them())
    assert most == [2]
