"""Some mails at once: one that hangs holds no other, and nothing that going one by one kept is lost by it.

On both engines.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

import pytest

from monitor.alerts import test_messages as messages_to_try
from monitor.courtesy import DigestRule
from monitor.mail_message import Answer, MailMessage, Receipt
from monitor.store import outbox
from tests.heart import HOUR, INDIENEN, INZAGE, MINUTE, OPS, SECOND, Office, run

TESTS = 6


@dataclass
class Post:
    """A mail server that tells how many mails it has in hand, and lets some of them hang.

    Attributes:
        hangs: which of those that begin, from 0, are never answered until `let_go`.
        most: so many were in hand at once.
    """

    office: Office
    hangs: frozenset[int] = frozenset()
    begun: list[MailMessage] = field(default_factory=list)
    taken: list[MailMessage] = field(default_factory=list)
    in_hand: int = 0
    most: int = 0
    let_go: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, mail: MailMessage) -> Receipt:
        number = len(self.begun)
        self.begun.append(mail)
        self.in_hand += 1
        self.most = max(self.most, self.in_hand)
        for _ in range(10):  # let the others begin
            await asyncio.sleep(0)
        if number in self.hangs:
            await self.let_go.wait()
        self.in_hand -= 1
        self.taken.append(mail)
        return Receipt(answers=tuple(Answer(address=one, code=250, text="ok") for one in mail.recipients))


def played(
    office: Office,
    post: Post,
    *,
    at_once: int = 3,
    meanwhile: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Deliver what is due, with so many at once; `meanwhile` runs beside it and lets go what hangs."""

    async def scene() -> None:
        way = replace(office.delivery, at_once=at_once, send=post.take)
        work = asyncio.ensure_future(way.deliver_due())
        if meanwhile is not None:
            await meanwhile()
        post.let_go.set()
        await work

    run(asyncio.wait_for(scene(), 20))


def queue_tests(office: Office, number: int = TESTS) -> None:
    with office.database.begin() as tx:
        for asked_us in range(number):
            outbox.add(tx, messages_to_try(office.recipients, asked_us=asked_us), now_us=office.now_us)


async def until(what: Callable[[], bool]) -> None:
    while not what():  # noqa: ASYNC110 - the fixture's time limit ends it
        await asyncio.sleep(0.001)


def test_one_that_hangs_holds_no_other_not_even_to_the_same_reader(office: Office) -> None:
    queue_tests(office)
    post = Post(office, hangs=frozenset({0}))
    played(office, post, meanwhile=lambda: until(lambda: len(post.taken) == TESTS - 1))
    assert len(post.taken) == TESTS
    assert {one.state.value for one in office.queue()} == {"sent"}


def test_never_more_than_so_many_are_under_way(office: Office) -> None:
    queue_tests(office)
    post = Post(office)
    played(office, post, at_once=3)
    assert (post.most, len(post.taken)) == (3, TESTS)


def test_unless_it_is_said_they_go_one_by_one(office: Office) -> None:
    queue_tests(office)
    post = Post(office)
    played(office, post, at_once=1)
    assert (post.most, len(post.taken)) == (1, TESTS)


def test_what_follows_waits_for_what_hangs_before_it_in_its_thread(office: Office) -> None:
    """Two outages and their ends; the first opening hangs, and the other's end goes past it."""
    office.live("xx", mail=False)
    office.live("xx", INZAGE, mail=False)
    office.live("..", mail=False)
    office.live("..", INZAGE, mail=False)
    post = Post(office, hangs=frozenset({0}))
    played(office, post, meanwhile=lambda: until(lambda: len(post.taken) >= 1))
    office.now_us += MINUTE
    played(office, post)
    of_each: dict[str, list[str]] = {}
    for mail in post.taken:
        of_each.setdefault(mail.subject.rpartition(" - ")[2], []).append(mail.event)
    assert list(of_each.values()) == [["opened", "recovered"]] * 2
    assert post.taken[0].subject.rpartition(" - ")[2].startswith(INZAGE.id)
    assert INDIENEN.id in post.begun[0].subject


@pytest.mark.parametrize("at_once", [1, 3])
def test_what_is_on_its_way_counts_as_sent_for_the_digest_and_the_limit_of_an_hour(
    office: Office, at_once: int
) -> None:
    """Two go by themselves; what comes then is gathered, however many could leave at once."""
    office.digest = DigestRule(after=2, hourly=4)
    checks = [INDIENEN.model_copy(update={"id": f"j{number}"}) for number in range(TESTS)]
    for check in checks:
        office.live("xx", check, start="10:00", mail=False)
    post = Post(office)
    played(office, post, at_once=at_once)
    assert [mail.event for mail in post.taken] == ["opened"] * 2
    office.now_us += 3 * MINUTE
    played(office, post, at_once=at_once)
    assert [mail.event for mail in post.taken][2:] == ["digest"]
    assert len({mail.message_id for mail in post.begun}) == 3


def test_a_clock_that_jumps_over_the_lease_makes_nobody_send_twice_what_is_in_hand(office: Office) -> None:
    queue_tests(office)
    post = Post(office, hangs=frozenset({0}))

    async def jump() -> None:
        await until(lambda: len(post.begun) == 3)
        office.now_us += HOUR
        await until(lambda: len(post.taken) == TESTS - 1)

    played(office, post, meanwhile=jump)
    assert set(Counter(mail.message_id for mail in post.begun).values()) == {1}


def test_each_is_settled_by_its_own_answer(office: Office) -> None:
    office.recipients = (OPS, OPS.model_copy(update={"address": "weg@example.be"}))
    queue_tests(office, 4)
    post = Post(office)

    async def take(mail: MailMessage) -> Receipt:
        await post.take(mail)
        gone = {"weg@example.be"} if mail.message_id.startswith(("test.1@", "test.3@")) else set()
        return Receipt(
            answers=tuple(Answer(address=a, code=550 if a in gone else 250, text="said") for a in mail.recipients)
        )

    run(replace(office.delivery, at_once=3, send=take).deliver_due())
    lost = sorted(one.id for one in office.queue() for who in one.readers if who.state.value == "failed")
    assert lost == ["test.1", "test.3"]
    assert office.told.deliveries.count("delivered") == 6


def test_the_loop_takes_up_what_comes_while_one_hangs(office: Office) -> None:
    queue_tests(office, 1)
    post = Post(office, hangs=frozenset({0}))

    async def scene() -> None:
        wake = asyncio.Event()
        task = asyncio.ensure_future(replace(office.delivery, at_once=3, send=post.take).run(wake))
        await until(lambda: len(post.begun) == 1)
        office.now_us += SECOND
        with office.database.begin() as tx:
            outbox.add(tx, messages_to_try(office.recipients, asked_us=99), now_us=office.now_us)
        wake.set()
        await until(lambda: len(post.taken) == 1)
        post.let_go.set()
        await until(lambda: len(post.taken) == 2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    run(asyncio.wait_for(scene(), 20))
    assert [mail.message_id.partition("@")[0] for mail in post.taken] == ["test.99", "test.0"]
