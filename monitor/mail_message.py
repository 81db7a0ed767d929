"""A mail ready to be sent, and what the server said about it. No library of mail transport here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime


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
        code: the server's, e.g. 250, 450, 550; 0 where no server answered.
        text: the server's words, or why none came; one line, capped.
    """

    address: str
    code: int
    text: str

    @property
    def accepted(self) -> bool:
        return 200 <= self.code < 300

    @property
    def refused(self) -> bool:
        """For good: asking again will not help."""
        return 500 <= self.code < 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of every recipient of one attempt."""

    answers: tuple[Answer, ...]


#: Sends one mail and tells what became of each recipient. A server that fails is an answer, never an exception.
SendMail = Callable[[MailMessage], Awaitable[Receipt]]


def email_message(mail: MailMessage) -> EmailMessage:
    """The mail as the standard library writes it, with text, HTML and attachments.

    Raises:
        ValueError: a header holds a line break; nothing that came from a portal may forge one.
    """
    message = EmailMessage()
    message["From"] = mail.sender.header()
    message["To"] = [mailbox.header() for mailbox in mail.to]
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(datetime.fromtimestamp(mail.date_us // 1_000_000, UTC))
    message["Message-ID"] = f"<{mail.message_id}>"
    if mail.in_reply_to is not None:
        message["In-Reply-To"] = f"<{mail.in_reply_to}>"
        message["References"] = " ".join(f"<{reference}>" for reference in mail.references)
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message["X-Loketwacht-Event"] = mail.event
    if mail.list_id is not None:
        message["List-Id"] = f"<{mail.list_id}>"
    if mail.urgent:
        message["X-Priority"] = "1"
        message["Importance"] = "High"
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    for file in mail.files:
        main, _, sub = file.media_type.partition("/")
        message.add_attachment(file.content, maintype=main, subtype=sub, filename=file.file_name)
    return message
