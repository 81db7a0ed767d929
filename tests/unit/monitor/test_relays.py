"""Several mail servers as one way out: who is asked for whom, in which order, and what all of it comes to."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from monitor.mail_message import Answer, Mailbox, MailMessage, Receipt
from monitor.relays import REST_US, by_relays

A, B, C = "a@example.be", "b@example.be", "c@example.be"
MAIL = MailMessage(
    message_id="incident.x@monitor.example",
    sender=Mailbox(address="loketwacht@example.be"),
    to=(Mailbox(address=A), Mailbox(address=B), Mailbox(address=C)),
    recipients=(A, B, C),
    subject="x",
    text="x",
    html="x",
    date_us=1_795_000_000_000_000,
    event="opened",
)


@dataclass
class Server:
    """Says to each address what the test wants, 250 to all others; `None` for all: it is not there."""

    name: str
    codes: dict[str, int] | None = field(default_factory=dict)
    after_the_text: int | None = None
    asked: list[tuple[str, ...]] = field(default_factory=list)

    async def send(self, mail: MailMessage) -> Receipt:
        self.asked.append(mail.recipients)
        return Receipt(answers=tuple(self._answer(address) for address in mail.recipients))

    def _answer(self, address: str) -> Answer:
        if self.codes is None:
            return Answer(address=address, code=0, text="refused", server=self.name, of_mail=True)
        code = self.codes.get(address, self.after_the_text or 250)
        whole = self.after_the_text is not None and address not in self.codes
        return Answer(address=address, code=code, text="said so", server=self.name, of_mail=whole)


def posted(*servers: Server, mail: MailMessage = MAIL) -> dict[str, tuple[int, str]]:
    """What became of each recipient: the code, and whose it is."""
    receipt = asyncio.run(by_relays([server.send for server in servers], monotonic_us=lambda: 0)(mail))
    return {answer.address: (answer.code, answer.server) for answer in receipt.answers}


def test_where_the_first_server_takes_the_mail_no_other_is_asked():
    first, second = Server("first:25"), Server("second:25")
    assert posted(first, second) == dict.fromkeys((A, B, C), (250, "first:25"))
    assert second.asked == []


@pytest.mark.parametrize("codes", [None, {A: 0, B: 0, C: 0}], ids=["not there", "about us"])
def test_where_the_first_has_no_use_for_us_the_second_is_asked_for_all(codes):
    first, second = Server("first:25", codes), Server("second:25")
    assert posted(first, second) == dict.fromkeys((A, B, C), (250, "second:25"))


def test_whoever_the_first_took_it_for_is_never_offered_to_the_second():
    """T7: of three, one is taken, one is put off and one refused; the second is asked for the one that is open."""
    first, second = Server("first:25", {B: 451, C: 550}), Server("second:25")
    assert posted(first, second) == {A: (250, "first:25"), B: (250, "second:25"), C: (550, "first:25")}
    assert second.asked == [(B,)]


def test_a_text_that_the_first_refuses_is_offered_to_the_second():
    first, second = Server("first:25", after_the_text=554), Server("second:25")
    assert posted(first, second) == dict.fromkeys((A, B, C), (250, "second:25"))


def test_a_text_that_every_server_refuses_for_good_is_refused():
    assert posted(Server("first:25", after_the_text=554), Server("second:25", after_the_text=552))[A][0] == 552


def test_a_relay_s_refusal_counts_only_where_no_other_left_it_open():
    """The first may know a recipient that a relay elsewhere does not: it is asked again."""
    away, strict = Server("first:25", None), Server("second:25", {A: 550})
    found = asyncio.run(by_relays([away.send, strict.send], monotonic_us=lambda: 0)(MAIL))
    [a] = [answer for answer in found.answers if answer.address == A]
    assert (a.code, a.refused) == (0, False)
    assert a.text == "first:25: refused; second:25: 550 said so"


def test_every_answer_of_every_server_is_told():
    first, second = Server("first:25", {B: 451}), Server("second:25", {B: 450})
    receipt = asyncio.run(by_relays([first.send, second.send], monotonic_us=lambda: 0)(MAIL))
    assert [(one.address, one.server, one.code) for one in receipt.tried] == [
        (A, "first:25", 250),
        (B, "first:25", 451),
        (C, "first:25", 250),
        (B, "second:25", 450),
    ]


def test_a_server_that_could_not_be_used_is_asked_last_for_a_minute():
    """A queue of mails does not wait for it each time anew."""
    first, second = Server("first:25", None), Server("second:25")
    now_us = 0
    send = by_relays([first.send, second.send], monotonic_us=lambda: now_us)
    counts = []
    for now_us in (0, REST_US - 1, REST_US + 1):  # noqa: B007
        asyncio.run(send(MAIL))
        counts.append(len(first.asked))
    assert counts == [1, 1, 2]
    assert len(second.asked) == 3


def test_a_server_at_rest_is_asked_all_the_same_where_the_others_do_not_take_it():
    first, second = Server("first:25", None), Server("second:25")
    send = by_relays([first.send, second.send], monotonic_us=lambda: 0)
    asyncio.run(send(MAIL))
    first.codes, second.codes = {}, {A: 550}
    receipt = asyncio.run(send(MAIL))
    assert {answer.address: answer.server for answer in receipt.answers} == {
        A: "first:25",
        B: "second:25",
        C: "second:25",
    }


def test_one_recipient_whom_a_server_will_not_relay_for_does_not_put_it_to_rest():
    first, second = Server("first:25", {A: 0}), Server("second:25")
    send = by_relays([first.send, second.send], monotonic_us=lambda: 0)
    for _ in range(2):
        asyncio.run(send(replace(MAIL, recipients=(A,))))
    assert len(first.asked) == 2
