"""A mail ready to be sent, and what the server said about it. No library of mail transport here."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

_FOLDED_AT_ONCE = re.compile(rb"^([A-Za-z-]+:)\r\n(?=[ \t])", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """An attachment with its content."""

    file_name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    address: str
    name: str = ""

    def header(self) -> Address:
        return Address(display_name=self.name, addr_spec=self.address)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailMessage:
    """One mail.

    Attributes:
        message_id: without angle brackets; the same whenever it is sent again, so that a mail program joins doubles.
        to: whom it names in its header.
        recipients: addresses it goes to this time: those of `to` that did not accept it yet.
        in_reply_to: message id of the first mail of the thread; None for the first itself.
        references: message ids of the thread, oldest first.
        date_us: when the news was written, not when it left at last.
        urgent: for the first mail of an incident only.
        event: what it is about, for filters.
    """

    message_id: str
    sender: Mailbox
    to: tuple[Mailbox, ...]
    recipients: tuple[str, ...]
    subject: str
    text: str
    html: str
    date_us: int
    event: str
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    urgent: bool = False
    list_id: str | None = None
    files: tuple[File, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of one recipient.

    Attributes:
        code: the server's about this recipient, e.g. 250, 450, 550; 0 where none came, because no server answered or
            because what it said was about us.
        text: the server's words, or why none came; one line, capped.
        server: who said so, `host:port`; empty where nobody did, or several.
        of_mail: it holds for the whole mail (nobody answered, or the text itself was refused), and is said neither of
            this recipient alone nor, by a server that can be used, of us.
    """

    address: str
    code: int
    text: str
    server: str = ""
    of_mail: bool = False

    @property
    def accepted(self) -> bool:
        return 200 <= self.code < 300

    @property
    def refused(self) -> bool:
        """For good: asking again will not help."""
        return 500 <= self.code < 600

    @property
    def said(self) -> str:
        """As it is kept: code, words, and who said so."""
        return f"{self.code} {self.text}" + (f" ({self.server})" if self.server else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of every recipient of one attempt.

    Attributes:
        answers: one for each recipient.
        tried: what every mail server that was asked said, in the order in which they were; empty for other ways out.
    """

    answers: tuple[Answer, ...]
    tried: tuple[Answer, ...] = ()


#: Sends one mail and tells what became of each recipient. A server that fails is an answer, never an exception.
SendMail = Callable[[MailMessage], Awaitable[Receipt]]


def email_message(mail: MailMessage) -> EmailMessage:
    """The mail as the standard library writes it, with text, HTML and attachments; `wire` adds what joins it to others.

    Raises:
        ValueError: a header holds a line break; nothing that came from a portal may forge one.
    """
    message = EmailMessage()
    message["From"] = mail.sender.header()
    message["To"] = [mailbox.header() for mailbox in mail.to]
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(datetime.fromtimestamp(mail.date_us // 1_000_000, UTC))
    message["Message-ID"] = f"<{mail.message_id}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message["X-Loketwacht-Event"] = mail.event
    if mail.list_id is not None:
        message["List-Id"] = f"<{mail.list_id}>"
    if mail.urgent:
        message["X-Priority"] = "1"
        message["Importance"] = "High"
    # Only ASCII and short lines: no server on the way has reason to write it anew, which would break its signatures.
    message.set_content(mail.text, cte="quoted-printable")
    message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    for file in mail.files:
        main, _, sub = file.media_type.partition("/")
        message.add_attachment(file.content, maintype=main, subtype=sub, filename=file.file_name)
    return message


def wire(mail: MailMessage) -> bytes:
    """The mail as it is sent: lines end with CR LF, and everything is ASCII unless an address is not.

    Raises:
        ValueError: as for `email_message`.
    """
    addresses = (mail.sender.address, *(mailbox.address for mailbox in mail.to))
    ascii_only = all(address.isascii() for address in addresses)
    content = email_message(mail).as_bytes(policy=policy.SMTP if ascii_only else policy.SMTPUTF8)
    head, empty, body = content.partition(b"\r\n\r\n")
    # The library folds a field whose first word is long directly behind its name; programs show the blank then.
    head = _FOLDED_AT_ONCE.sub(rb"\1", head)
    return b"\r\n".join((head, *_thread(mail))) + empty + body


def _thread(mail: MailMessage) -> Iterator[bytes]:
    """What joins a mail to its thread, an id a line: the library writes a long one as an encoded word, which no program
    takes for an id (RFC 2047 section 5)."""
    if mail.in_reply_to is not None:
        yield f"In-Reply-To: <{mail.in_reply_to}>".encode()
        yield ("References: " + "\r\n ".join(f"<{one}>" for one in mail.references)).encode()
