"""Whatever several mail servers say: nobody gets a mail twice, and nobody is lost while a server leaves it open."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from monitor.mail_message import Answer, MailMessage, Receipt
from monitor.relays import by_relays
from tests.smtp_server import MAIL

PEOPLE = ("a@example.be", "b@example.be", "c@example.be")
#: What a server says of one recipient: taken, put off, refused, about us.
_OF_ONE = st.sampled_from([250, 451, 550, 0])
#: A server: not there (0), or the text refused for the time being or for good, or an answer for each.
SERVERS = st.lists(
    st.one_of(st.sampled_from([0, 451, 554]), st.tuples(*(_OF_ONE for _ in PEOPLE))), min_size=1, max_size=4
)


def said(server: int | tuple[int, ...], address: str) -> Answer:
    code = server if isinstance(server, int) else server[PEOPLE.index(address)]
    return Answer(address=address, code=code, text="said so", of_mail=isinstance(server, int))


def sent(servers: list[int | tuple[int, ...]], times: int) -> tuple[list[Receipt], list[list[str]]]:
    """What became of as many mails in a row, and who was asked for whom in each."""
    asked: list[str] = []

    def at(number: int) -> object:
        async def send(mail: MailMessage) -> Receipt:
            asked.extend(f"{number} {address}" for address in mail.recipients)
            return Receipt(answers=tuple(said(servers[number], address) for address in mail.recipients))

        return send

    send = by_relays([at(number) for number in range(len(servers))], monotonic_us=lambda: 0)  # type: ignore[misc]
    receipts, questions = [], []
    for _ in range(times):
        receipts.append(asyncio.run(send(replace(MAIL, recipients=PEOPLE))))
        questions.append(list(asked))
        asked.clear()
    return receipts, questions


@given(SERVERS)
def test_whoever_can_be_reached_is_reached_and_by_one_server_only(servers: list[int | tuple[int, ...]]) -> None:
    for receipt, _ in zip(*sent(servers, times=2), strict=True):
        for answer in receipt.answers:
            says = [said(server, answer.address) for server in servers]
            first = says[0]
            can = any(one.accepted for one in says) and not (first.refused and not first.of_mail)
            if can:
                assert answer.accepted
            taken = [one for one in receipt.tried if one.address == answer.address and one.accepted]
            assert len(taken) == answer.accepted


@given(SERVERS)
def test_nobody_is_lost_while_a_server_leaves_it_open(servers: list[int | tuple[int, ...]]) -> None:
    """Lost is whom the first refuses, or every one of them."""
    for receipt in sent(servers, times=2)[0]:
        for answer in receipt.answers:
            says = [said(server, answer.address) for server in servers]
            by_first = says[0].refused and not says[0].of_mail
            if answer.refused:
                assert by_first or all(one.refused for one in says)
            elif by_first:
                assert answer.accepted  # the first was at rest, and another had taken it before


@given(SERVERS)
def test_no_server_is_asked_twice_in_one_attempt_and_every_recipient_has_one_answer(
    servers: list[int | tuple[int, ...]],
) -> None:
    for receipt, asked in zip(*sent(servers, times=2), strict=True):
        assert len(asked) == len(set(asked)) == len(receipt.tried)
        assert tuple(answer.address for answer in receipt.answers) == PEOPLE
