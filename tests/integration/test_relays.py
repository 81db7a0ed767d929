"""Two real mail servers, one of which fails in every way SMTP knows: who gets the mail, from whom, and how often."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
import trustme

from monitor import composition, config
from monitor.alerts import test_messages as messages_to_try
from monitor.clock import monotonic_us
from monitor.delivery import Patience
from monitor.mail_message import MailMessage, Receipt, SendMail
from monitor.mail_settings import RelaySettings
from monitor.relays import by_relays
from monitor.smtp import QUIT_SECONDS, smtp_sender
from monitor.store import outbox
from tests.heart import HOUR, OPS, SECOND, Office
from tests.mail_config import AROUND_MAIL
from tests.new_store import new_store
from tests.smtp_server import MAIL, Mailroom, serving

BOTH = {"a@example.be", "b@example.be"}
AUTHORITY = trustme.CA()


def sender(port: int, room: Mailroom | None) -> SendMail:
    """What sends to a server: patiently, unless it is one that never answers."""
    timeout = "500ms" if room is None or room.hang == "data" else "20s"
    settings = {"host": "127.0.0.1", "port": port, "security": "none", "timeout": timeout}
    return smtp_sender(RelaySettings.model_validate(settings), password=None, directory=Path())


@contextmanager
def silent() -> Iterator[int]:
    """The kernel takes the connection, and nobody ever says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def posted(first: Mailroom | None, second: Mailroom) -> Receipt:
    """What becomes of the mail; None: the first server says nothing at all."""

    async def scene() -> Receipt:
        async with AsyncExitStack() as stack:
            rooms = [room for room in (first, second) if room is not None]
            ports = [await stack.enter_async_context(serving(room, AUTHORITY, tls="none")) for room in rooms]
            if first is None:
                ports.insert(0, stack.enter_context(silent()))
            senders = [sender(port, room) for port, room in zip(ports, (first, second), strict=True)]
            return await by_relays(senders, monotonic_us=lambda: 0)(MAIL)

    return asyncio.run(scene())


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(None, id="never says a word"),
        pytest.param(Mailroom(hang="data"), id="hangs in DATA"),
        pytest.param(Mailroom(data="451 4.3.0 later"), id="4xx after DATA"),
        pytest.param(Mailroom(data="554 5.7.1 looks like spam"), id="5xx after DATA"),
        pytest.param(
            Mailroom(rcpt=dict.fromkeys(BOTH, "554 5.7.1 <x>: Relay access denied")), id="nobody may relay here"
        ),
        pytest.param(Mailroom(rcpt=dict.fromkeys(BOTH, "450 4.2.0 greylisted")), id="greylists all"),
    ],
)
def test_what_the_first_does_not_take_the_second_takes_at_once(first: Mailroom | None) -> None:
    """T4: and nobody gets it twice."""
    second = Mailroom()
    receipt = posted(first, second)
    assert {answer.address: answer.code for answer in receipt.answers} == dict.fromkeys(BOTH, 250)
    assert second.recipients == [sorted(BOTH)]
    assert first is None or first.mails == []
    assert len(receipt.tried) == 4


def test_whoever_the_first_took_it_for_gets_it_from_no_other() -> None:
    """T7: partial refusal at the first, greylisting of one."""
    first, second = Mailroom(rcpt={"a@example.be": "450 4.2.0 greylisted"}), Mailroom()
    posted(first, second)
    assert (first.recipients, second.recipients) == ([["b@example.be"]], [["a@example.be"]])


def test_a_recipient_the_first_does_not_know_is_offered_to_no_other() -> None:
    first, second = Mailroom(rcpt={"a@example.be": "550 5.1.1 no such user"}), Mailroom()
    receipt = posted(first, second)
    assert {answer.address: answer.code for answer in receipt.answers} == {"a@example.be": 550, "b@example.be": 250}
    assert second.mails == []


def test_a_connection_that_breaks_behind_the_last_byte_may_double_but_never_lose_the_mail() -> None:
    """T5: nobody knows whether the first has it; both have the same Message-ID."""
    first, second = Mailroom(hang="drop"), Mailroom()
    posted(first, second)
    assert [mail["Message-ID"] for mail in (*first.mails, *second.mails)] == [f"<{MAIL.message_id}>"] * 2


def test_a_refusal_is_not_forgotten_where_the_text_hangs_behind_it() -> None:
    """T7: the one is refused for good, the other is tried again."""
    hanging = Mailroom(rcpt={"a@example.be": "550 5.1.1 no such user"}, hang="data")

    async def scene() -> Receipt:
        async with serving(hanging, AUTHORITY, tls="none") as port:
            return await sender(port, hanging)(MAIL)

    receipt = asyncio.run(scene())
    assert {answer.address: answer.code for answer in receipt.answers} == {"a@example.be": 550, "b@example.be": 0}


# -- with the outbox ---------------------------------------------------------------------------------------------------


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    database = new_store(tmp_path / "loketwacht.db")
    people = tuple(OPS.model_copy(update={"address": address}) for address in sorted(BOTH))
    yield Office(database=database, recipients=people)
    database.close()


def attempts(
    office: Office, room: Mailroom, *then: dict[str, object], apart_us: int = 60 * SECOND
) -> list[dict[str, str]]:
    """The states of the readers after each attempt at one server, which changes before each further one."""

    async def scene() -> list[dict[str, str]]:
        found = []
        async with serving(room, AUTHORITY, tls="none") as port:
            for change in ({}, *then):
                for name, value in change.items():
                    setattr(room, name, value)
                office.post = sender(port, room)
                await office.delivery.deliver_due()
                office.now_us += apart_us
                [queued] = office.queue()
                found.append({who.address: who.state.value for who in queued.readers})
        return found

    with office.database.begin() as tx:
        outbox.add(tx, messages_to_try(office.recipients, asked_us=office.now_us), now_us=office.now_us)
    return asyncio.run(scene())


@pytest.mark.parametrize(
    "trouble",
    [{"hang": "data"}, {"data": "451 4.3.0 later"}, {"data": "421 4.3.2 closing"}],
    ids=["hangs in DATA", "4xx after DATA", "421 after DATA"],
)
def test_a_text_that_was_not_taken_is_sent_again_once(office: Office, trouble: dict[str, str]) -> None:
    """T4: hanging, put off, closing."""
    room = Mailroom(**trouble)
    states = attempts(office, room, {"hang": None, "data": None}, {})
    assert states == [dict.fromkeys(BOTH, "pending"), dict.fromkeys(BOTH, "sent"), dict.fromkeys(BOTH, "sent")]
    assert room.recipients == [sorted(BOTH)]


class HangsOnce(Mailroom):
    """Never answers after the first text, keeps its Message-ID, and takes every other."""

    hung: str = ""

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        hangs, self.hang = self.hang is not None, None
        if hangs:
            self.hung = message_from_bytes(envelope.content)["Message-ID"]
            await asyncio.sleep(3600)
        return await super().handle_DATA(server, session, envelope)


def test_a_mail_that_hangs_in_data_holds_no_other(office: Office) -> None:
    """T7: of eight mails to the same people seven arrive while one still hangs; that one is tried again."""
    room = HangsOnce(hang="data")
    with office.database.begin() as tx:
        for asked_us in range(8):
            outbox.add(tx, messages_to_try(office.recipients, asked_us=asked_us), now_us=office.now_us)

    async def scene() -> None:
        async with serving(room, AUTHORITY, tls="none") as port:
            office.post = sender(port, Mailroom())  # as patient as with any server
            work = asyncio.ensure_future(
                replace(office.delivery, at_once=composition.MAILS_AT_ONCE, patience=Patience(stop_us=0)).deliver_due()
            )
            while [one.state.value for one in office.queue()].count("sent") < 7:
                assert not work.done()
                await asyncio.sleep(0.01)
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            office.now_us += 10 * 60 * SECOND
            await office.delivery.deliver_due()

    asyncio.run(asyncio.wait_for(scene(), 60))
    arrived = [mail["Message-ID"] for mail in room.mails]
    assert arrived[7:] == [room.hung]
    assert sorted(name.partition("@")[0] for name in arrived) == [f"<test.{number}" for number in range(8)]


def test_mails_that_hang_in_every_lane_hold_the_one_behind_them_for_their_time_limit_and_no_longer(
    office: Office,
) -> None:
    """T7: where one goes at once, the second leaves in the same round."""
    room = Mailroom(hang="data")
    with office.database.begin() as tx:
        for asked_us in (1, 2):
            outbox.add(tx, messages_to_try(office.recipients, asked_us=asked_us), now_us=office.now_us)

    async def scene() -> None:
        async with serving(room, AUTHORITY, tls="none") as port:
            impatient = sender(port, room)

            async def send(mail: MailMessage) -> Receipt:
                receipt = await impatient(mail)
                room.hang = None
                return receipt

            office.post = send
            await office.delivery.deliver_due()

    asyncio.run(asyncio.wait_for(scene(), 60))
    assert [one.state.value for one in sorted(office.queue(), key=lambda one: one.id)] == ["pending", "sent"]


def test_a_text_refused_for_good_is_lost_for_all_and_told_for_each(office: Office) -> None:
    """T8: 5xx after DATA."""
    assert attempts(office, Mailroom(data="554 5.6.0 no")) == [dict.fromkeys(BOTH, "failed")]
    assert office.told.deliveries == ["refused", "refused"]


def test_a_text_refused_by_policy_is_sent_again_once_somebody_mended_it(office: Office) -> None:
    """T8: SPF, DKIM, a block list, a filter: it is said of us and not of those whom the mail is for."""
    room = Mailroom(data="550 5.7.26 not accepted due to the DMARC policy of example.be")
    first, second, third = attempts(office, room, {}, {"data": None})
    assert (first, second, third) == (*[dict.fromkeys(BOTH, "pending")] * 2, dict.fromkeys(BOTH, "sent"))
    assert room.recipients == [sorted(BOTH)]
    assert office.told.deliveries == ["retry"] * 4 + ["delivered"] * 2


def test_a_text_refused_by_policy_for_days_is_given_up_as_any_other_and_told(office: Office) -> None:
    room = Mailroom(data="554 5.3.0 denied by administrator")
    states = attempts(office, room, *[{}] * 20, apart_us=4 * HOUR)
    assert states[18] == dict.fromkeys(BOTH, "pending")
    assert states[20] == dict.fromkeys(BOTH, "failed")
    assert office.told.deliveries[-2:] == ["given-up"] * 2
    [queued] = office.queue()
    assert queued.readers[0].answer.startswith("0 554 5.3.0 denied by administrator")


def test_one_full_mailbox_among_several_loses_the_mail_for_nobody(office: Office) -> None:
    """T7: some servers find out only after the text, and can say it of all of them alone."""
    room = Mailroom(data="552 5.2.2 mailbox full")
    assert attempts(office, room, {"data": None}) == [dict.fromkeys(BOTH, "pending"), dict.fromkeys(BOTH, "sent")]


def test_a_server_that_dislikes_one_text_is_the_first_for_the_next_mail_all_the_same(office: Office) -> None:
    first, second = Mailroom(data="554 5.7.1 looks like spam"), Mailroom()

    async def scene() -> None:
        async with serving(first, AUTHORITY, tls="none") as port, serving(second, AUTHORITY, tls="none") as other:
            send = by_relays([sender(port, first), sender(other, second)], monotonic_us=lambda: 0)
            await send(MAIL)
            first.data = None
            await send(MAIL)

    asyncio.run(scene())
    assert (len(first.mails), len(second.mails)) == (1, 1)


def test_after_a_connection_that_broke_behind_the_last_byte_the_same_mail_comes_again(office: Office) -> None:
    """T5: at least once, with one Message-ID."""
    room = Mailroom(hang="drop")
    assert attempts(office, room, {"hang": None})[-1] == dict.fromkeys(BOTH, "sent")
    assert len(room.mails) == 2
    assert len({mail["Message-ID"] for mail in room.mails}) == 1


def test_a_server_that_will_not_relay_for_us_is_asked_again_and_loses_nobody(office: Office) -> None:
    """T8: it counts as a try that failed, not as a refusal of the reader; somebody can mend it."""
    room = Mailroom(rcpt={"a@example.be": "550 5.7.1 Relaying denied"})
    first, second = attempts(office, room, {"rcpt": {}})
    assert first == {"a@example.be": "pending", "b@example.be": "sent"}
    assert second == dict.fromkeys(BOTH, "sent")
    assert sorted(office.told.deliveries) == ["delivered", "delivered", "retry"]


def test_each_server_s_answer_is_told_to_whoever_counts(office: Office) -> None:
    with office.database.begin() as tx:
        outbox.add(tx, messages_to_try(office.recipients, asked_us=office.now_us), now_us=office.now_us)
    names: list[str] = []

    async def scene() -> None:
        first, second = Mailroom(rcpt={"a@example.be": "451 later"}), Mailroom()
        async with serving(first, AUTHORITY, tls="none") as port, serving(second, AUTHORITY, tls="none") as other:
            names.extend(f"127.0.0.1:{at}" for at in (port, other))
            senders = [sender(port, first), sender(other, second)]
            office.post = by_relays(senders, monotonic_us=lambda: 0)
            await office.delivery.deliver_due()

    asyncio.run(scene())
    assert office.told.servers == [(names[0], 451), (names[0], 250), (names[1], 250)]
    assert {who.address: who.answer.rpartition(" (")[2] for who in office.queue()[0].readers} == {
        "a@example.be": f"{names[1]})",
        "b@example.be": f"{names[0]})",
    }


# -- in time -----------------------------------------------------------------------------------------------------------


def test_an_attempt_at_every_server_ends_within_its_lease(tmp_path: Path) -> None:
    """T5: no other process may begin while this one still asks the last server."""

    async def scene() -> tuple[int, int]:
        with silent() as first, silent() as second, silent() as third:
            ports = iter((first, second, third))
            mail = "".join(part.format(port=next(ports)) for part in CONFIG.split("|"))
            (tmp_path / "config.toml").write_text(AROUND_MAIL + mail)
            loaded = config.load(tmp_path / "config.toml")
            clock = replace(Office(database=None).clock, monotonic_us=monotonic_us)  # type: ignore[arg-type]
            began_us = monotonic_us()
            receipt = await composition.mail_sender(loaded, clock)(MAIL)
            assert {answer.code for answer in receipt.answers} == {0}
            assert [one.server for one in receipt.tried[::2]] == [f"127.0.0.1:{at}" for at in (first, second, third)]
            return monotonic_us() - began_us, composition.mail_patience(loaded).lease_us

    spent_us, lease_us = asyncio.run(scene())
    assert 900_000 <= spent_us < lease_us
    assert lease_us >= 900_000 + 3 * QUIT_SECONDS * SECOND + 5 * SECOND


CONFIG = """
[mail]
host = "127.0.0.1"
port = {port}
security = "none"
timeout = "400ms"
sender = "loketwacht@example.be"
|[[mail.relay]]
host = "127.0.0.1"
port = {port}
security = "none"
timeout = "300ms"
|[[mail.relay]]
host = "127.0.0.1"
port = {port}
security = "none"
timeout = "200ms"
"""
