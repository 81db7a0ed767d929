"""Several mail servers as one way out: whoever the first does not take the mail for is offered to the next.

Nobody is offered a mail again that a server took for him. Whether a connection that broke behind the last byte left
the mail there, nobody knows; the next server is asked then: twice with the same Message-ID is better than never.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from monitor.mail_message import Answer, MailMessage, Receipt, SendMail

log = logging.getLogger(__name__)

#: A server that could not be used at all is asked last for so long, so that a queue of mails does not wait for it each
#: time anew.
REST_US = 60_000_000


def by_relays(servers: Sequence[SendMail], *, monotonic_us: Callable[[], int]) -> SendMail:
    """A `SendMail` that asks several servers, the first one first.

    What it answers for a recipient: that a server took the mail; otherwise that the first server refused that recipient
    for good; otherwise, where all of them refused for good, that; otherwise what left it open, to be tried again.

    Args:
        servers: at least one, in the order in which they are asked.
    """
    rests_until_us = [0] * len(servers)

    async def send(mail: MailMessage) -> Receipt:
        now_us = monotonic_us()
        tried: dict[str, list[Answer]] = {address: [] for address in mail.recipients}
        settled: dict[str, Answer] = {}
        heard: list[Answer] = []
        for turn in sorted(range(len(servers)), key=lambda number: (rests_until_us[number] > now_us, number)):
            open_ = tuple(address for address in mail.recipients if address not in settled)
            if not open_:
                break
            receipt = await servers[turn](replace(mail, recipients=open_))
            heard += receipt.answers
            silent = all(answer.code == 0 and answer.of_mail for answer in receipt.answers)
            rests_until_us[turn] = monotonic_us() + REST_US if silent else now_us
            for answer in receipt.answers:
                tried[answer.address].append(answer)
                if answer.accepted or (turn == 0 and answer.refused and not answer.of_mail):
                    settled[answer.address] = answer
            if len(servers) > 1:
                _tell(mail, receipt)  # of a single one, whoever settles the mail tells
        outcome = tuple(settled.get(address) or _undecided(tried[address]) for address in mail.recipients)
        return Receipt(answers=outcome, tried=tuple(heard))

    return send


def _undecided(answers: Sequence[Answer]) -> Answer:
    """What holds where no server took it: open as long as one of them left it open, with what each of them said."""
    left_open = [answer for answer in answers if not answer.refused]
    last = (left_open or answers)[-1]
    if len(answers) == 1:
        return last
    text = "; ".join(f"{answer.server}: {answer.code or ''} {answer.text}".replace(":  ", ": ") for answer in answers)
    return replace(last, text=text, server="")


def _tell(mail: MailMessage, receipt: Receipt) -> None:
    for answer in receipt.answers:
        if not answer.accepted:
            fields = {"mail": mail.message_id, "to": answer.address, "server": answer.server, "answer": answer.said}
            log.warning("a mail server did not take a mail", extra=fields)
