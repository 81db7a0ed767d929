"""A mail as a step sees it: which one is waited for, and its text as an answer that assertions and captures look at."""

from __future__ import annotations

import asyncio
import email
import email.policy
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import getaddresses

from probes.errors import printable
from probes.imap import Account, Mailbox, MailboxTrouble, opened
from probes.response import Response

log = logging.getLogger(__name__)

#: From one look into the mailbox to the next.
_LOOK_EVERY_S = 1.0
#: How far the mailbox's clock, which counts whole seconds, may be behind ours.
SKEW_US = 5_000_000
#: What our mailbox may take to let us in, and to throw a mail away.
_LOGIN_S = 10.0
_DELETE_S = 5.0
#: A mailbox that gets more mail than this during one wait is not there for monitoring.
_MOST_MAILS = 500
_TO = ("to", "cc", "delivered-to", "x-original-to", "envelope-to")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which mail is waited for; what is None does not matter.

    Attributes:
        since_us: mail that the mailbox received before this is never the one.
        to: one of the addresses it went to, in capitals or not.
        sender: part of the sender.
        subject: part of the subject, white space folded.
        text: part of its text, white space folded; of its HTML where it has no text.
    """

    since_us: int
    to: str | None = None
    sender: str | None = None
    subject: str | None = None
    text: str | None = None

    def fits(self, message: EmailMessage) -> bool:
        """Whether this mail is it, but for when it was received."""
        if self.to is not None and self.to.strip().lower() not in _addresses(message):
            return False
        if self.sender is not None and self.sender.lower() not in _folded(_header(message, "from")).lower():
            return False
        if self.subject is not None and _folded(self.subject) not in _folded(_header(message, "subject")):
            return False
        return self.text is None or _folded(self.text) in _folded(_part(message, ("plain", "html"))[0])


async def wait_for(
    wanted: Wanted,
    account: Account,
    *,
    most: int,
    remove_before_us: int | None = None,
    waiting: Callable[[str], None] = lambda _: None,
) -> EmailMessage:
    """Looks into a mailbox until the mail is there, and throws it away. The caller's deadline ends the wait.

    Args:
        most: bytes of a mail at most; a larger one is passed over.
        remove_before_us: mail received on a day before this instant's is thrown away first; None leaves all.
        waiting: told what a deadline that cuts in now would have waited for: `our mailbox`, or `a mail`.

    Raises:
        MailboxTrouble: where our mailbox, not the portal, is to blame.
    """
    waiting("our mailbox")
    stack = opened(account)
    try:
        async with asyncio.timeout(_LOGIN_S):
            box = await stack.__aenter__()
    except TimeoutError as error:
        raise MailboxTrouble("no login within 10 s") from error
    try:
        if remove_before_us is not None:
            await box.delete(*await box.received_before(remove_before_us))
        uid, message = await _found(wanted, box, most, waiting)
        await _thrown_away(box, uid)
        return message
    finally:
        await stack.__aexit__(None, None, None)


async def _found(wanted: Wanted, box: Mailbox, most: int, waiting: Callable[[str], None]) -> tuple[int, EmailMessage]:
    passed: set[int] = set()
    while True:
        waiting("our mailbox")
        for listed in (await box.received_since(wanted.since_us - SKEW_US))[-_MOST_MAILS:]:
            if listed.uid in passed:
                continue
            passed.add(listed.uid)
            raw = await box.fetch(listed.uid, most=most) if listed.size <= most else None
            message = email.message_from_bytes(raw, policy=email.policy.default) if raw is not None else None
            if isinstance(message, EmailMessage) and wanted.fits(message):
                return listed.uid, message
        waiting("a mail")
        await asyncio.sleep(_LOOK_EVERY_S)


async def _thrown_away(box: Mailbox, uid: int) -> None:
    """Shielded from the step's deadline: a mail that came at the last moment is thrown away as well."""

    async def delete() -> None:
        try:
            async with asyncio.timeout(_DELETE_S):
                await box.delete(uid)
        except (MailboxTrouble, TimeoutError) as error:
            # It came, which is what was measured; what stays behind is only untidy.
            log.warning("a mail could not be deleted", extra={"error": str(error) or "no answer in time"})

    task = asyncio.ensure_future(delete())
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        with suppress(asyncio.CancelledError):
            await task
        raise


def as_response(message: EmailMessage, *, part: str = "any", duration_us: int = 0) -> Response:
    """The mail as an answer: its headers, and as body its HTML part or its text.

    Args:
        part: `html`, `text`, or `any`: HTML where there is some.
    """
    order = {"html": ("html",), "text": ("plain",)}.get(part, ("html", "plain"))
    text, kind = _part(message, order)
    headers = [
        (name.lower(), _folded(_header(message, name)))
        for name in dict.fromkeys(key.lower() for key in message)
        if name.lower() != "content-type"
    ]
    headers.append(("content-type", f"{kind}; charset=utf-8"))
    return Response(
        status=0, headers=tuple(headers), url="", body=text.encode("utf-8", "replace"), duration_us=duration_us
    )


def head_text(message: EmailMessage) -> str:
    """The headers people look at, as text, for evidence."""
    names = ("From", "To", "Subject", "Date", "Message-ID", "Received")
    return "\n".join(f"{name}: {value}" for name in names if (value := _folded(_header(message, name))))


def _addresses(message: EmailMessage) -> set[str]:
    values = [str(value) for name in _TO for value in message.get_all(name, [])]
    return {address.lower() for _, address in getaddresses(values) if address}


def _header(message: EmailMessage, name: str) -> str:
    try:
        return printable(str(message.get(name) or ""))
    except Exception:
        return ""


def _part(message: EmailMessage, order: tuple[str, ...]) -> tuple[str, str]:
    """The text of the first part there is, and its media type; empty text where there is none."""
    try:
        found = message.get_body(preferencelist=order)
        content = found.get_content() if found is not None else ""
    except Exception:
        return "", "text/plain"
    text = content if isinstance(content, str) else ""
    return text.replace("\r\n", "\n"), found.get_content_type() if found is not None else "text/plain"


def _folded(text: str) -> str:
    return " ".join(text.split())
