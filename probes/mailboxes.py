"""A step that waits for a mail, in a mailbox of ours: its settings, and the mail as the answer it sees."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from datetime import datetime

from pydantic import Field

from probes.assertions import seconds
from probes.errors import quoted, words
from probes.fault import Fault
from probes.imap import Account, MailboxTrouble
from probes.mail import Wanted, as_response, head_text, wait_for
from probes.notation import Definition, Duration
from probes.response import Response
from probes.sample import FailureKind
from probes.steps import MailStep
from probes.trail import Trail
from probes.values import Values


class Mailbox(Definition):
    """A mailbox of ours, read over IMAP (RFC 3501). Best one that only this monitor uses: it throws mail away.

    Attributes:
        starttls: true begins in the clear and goes on in TLS; otherwise TLS from the first byte. Never without.
        password: name of the secret.
        ca_file: certificates to trust in addition to the system's; None takes the portal's.
        remove_after: mail that lies there for longer is thrown away; by whole days. None leaves it.
    """

    host: str = Field(min_length=1)
    port: int = Field(default=993, ge=1, le=65535)
    starttls: bool = False
    user: str = Field(min_length=1)
    password: str
    ca_file: str | None = None
    folder: str = "INBOX"
    remove_after: Duration | None = None


async def mail_answer(
    step: MailStep,
    *,
    boxes: Mapping[str, Mailbox],
    secrets: Mapping[str, str],
    values: Values,
    most: int,
    ca_file: str | None,
    trail: Trail,
) -> Response:
    """Waits for the mail of a step, and throws it away.

    Args:
        most: bytes of a mail at most.
        ca_file: whom to trust where the mailbox does not say.

    Raises:
        Fault: of kind assertion, where the mail did not come in time; of kind monitor, where our mailbox is to blame.
    """
    box = boxes.get(step.mailbox)
    if box is None or box.password not in secrets:
        missing = f"a mailbox {step.mailbox}" if box is None else f"a value for {box.password}"
        raise Fault(FailureKind.MONITOR, "mailbox", expected=missing, found="nothing")
    wanted = _wanted(step, values)
    trail.request = "\n".join(f"{name}: {value}" for name, value in _asked(wanted))
    try:
        context = await asyncio.to_thread(_context, box.ca_file or ca_file)
    except OSError as error:
        raise Fault(FailureKind.MONITOR, "mailbox", found=words(error)) from error
    account = Account(
        host=box.host,
        port=box.port,
        starttls=box.starttls,
        user=box.user,
        password=secrets[box.password],
        folder=box.folder,
        context=context,
    )
    limit = asyncio.timeout(step.within / 1_000_000)

    def waiting(what: str) -> None:
        trail.waiting_for = what

    try:
        async with limit:
            message = await wait_for(
                wanted,
                account,
                most=most,
                remove_before_us=None if box.remove_after is None else wanted.since_us - box.remove_after,
                waiting=waiting,
            )
    except MailboxTrouble as error:
        raise Fault(FailureKind.MONITOR, "mailbox", expected="an answer of our mailbox", found=str(error)) from error
    except TimeoutError as error:
        if not limit.expired():
            raise
        if trail.waiting_for == OUR_MAILBOX:
            raise Fault(
                FailureKind.MONITOR, "mailbox", expected="an answer of our mailbox", found="no answer in time"
            ) from error
        raise Fault(
            FailureKind.ASSERTION, "mail", expected=f"received within {seconds(step.within)}", found="no such mail"
        ) from error
    response = as_response(message, part=step.part)
    trail.response_head, trail.body = head_text(message), response.body
    return response


#: What a wait says while it depends on ourselves.
OUR_MAILBOX = "our mailbox"


def _wanted(step: MailStep, values: Values) -> Wanted:
    def fill(text: str | None) -> str | None:
        return None if text is None else values.fill(text)

    began_us = int(datetime.fromisoformat(values.run_time).timestamp()) * 1_000_000
    return Wanted(
        since_us=began_us,
        to=fill(step.to),
        sender=fill(step.sender),
        subject=fill(step.subject),
        text=fill(step.text),
    )


def _asked(wanted: Wanted) -> list[tuple[str, str]]:
    named = (("To", wanted.to), ("From", wanted.sender), ("Subject", wanted.subject), ("Text", wanted.text))
    return [(name, quoted(value)) for name, value in named if value is not None]


def _context(ca_file: str | None) -> ssl.SSLContext:
    """As for the portal, but without its ALPN: this is not HTTP, and servers may refuse what says that it is."""
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    return context
