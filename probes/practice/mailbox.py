"""The practice mailbox: every mail that reached it, readable as JSON."""

from __future__ import annotations

import email
import email.policy
import hashlib
from email.message import EmailMessage

from probes.practice.identifiers import Identifiers


def _header(message: EmailMessage, name: str) -> str | None:
    value = message[name]
    return None if value is None else " ".join(str(value).split())


def _text(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body(preferencelist=(kind,))
    if part is None:
        return None
    content = part.get_content()
    # Lines end in CRLF on the wire; a reader of the mailbox has no use for that.
    return content.replace("\r\n", "\n") if isinstance(content, str) else None


def _attachment(part: EmailMessage) -> dict[str, object]:
    content = part.get_payload(decode=True)
    data = content if isinstance(content, bytes) else b""
    return {
        "filename": part.get_filename(),
        "content_type": part.get_content_type(),
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }


def described(message: EmailMessage, recipients: tuple[str, ...]) -> dict[str, object]:
    """A mail as the mailbox shows it. Headers that are missing are None; `to` is who it was delivered to."""
    return {
        "from": _header(message, "From"),
        "to": list(recipients),
        "subject": _header(message, "Subject"),
        "date": _header(message, "Date"),
        "message_id": _header(message, "Message-ID"),
        "in_reply_to": _header(message, "In-Reply-To"),
        "references": _header(message, "References"),
        "text": _text(message, "plain"),
        "html": _text(message, "html"),
        "attachments": [_attachment(p) for p in message.iter_attachments() if isinstance(p, EmailMessage)],
    }


class Mailbox:
    """All mail of this run, oldest first; beyond `max_mails` the oldest are forgotten."""

    def __init__(self, *, max_mails: int) -> None:
        self._max_mails = max_mails
        self._mails: list[dict[str, object]] = []

    async def deliver(self, message: EmailMessage) -> None:
        """Takes a message as it is, for the recipients its To header names."""
        to = message["To"]
        recipients = tuple(a.addr_spec for a in to.addresses) if to is not None else ()
        self._keep(described(message, recipients))

    def deliver_bytes(self, content: bytes, recipients: tuple[str, ...]) -> None:
        """Takes what came over SMTP, for the recipients of its envelope."""
        message = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self._keep(described(message, recipients))

    def _keep(self, mail: dict[str, object]) -> None:
        self._mails.append(mail)
        del self._mails[: -self._max_mails]

    def mails(self, *, to: str | None = None, subject: str | None = None) -> tuple[dict[str, object], ...]:
        """Those to this address, and with this in their subject; None asks for all."""
        return tuple(
            mail
            for mail in self._mails
            if (to is None or to in _addresses(mail)) and (subject is None or subject in str(mail["subject"]))
        )

    def empty(self) -> int:
        """Throws all mail away; says how many there were."""
        thrown = len(self._mails)
        self._mails.clear()
        return thrown


def _addresses(mail: dict[str, object]) -> list[str]:
    to = mail["to"]
    return [str(a) for a in to] if isinstance(to, list) else []


def confirmation(
    *, to: str, subject: str, text: str, ids: Identifiers, date: str, attachment: tuple[str, bytes] | None
) -> EmailMessage:
    """A mail from the portal to one person; `attachment` is a text file's name and content."""
    message = EmailMessage()
    message["From"] = "Oefenloket <niet-antwoorden@oefenloket.example>"
    message["To"] = to
    message["Subject"] = subject
    message["Date"] = date
    message["Message-ID"] = f"<{ids.next('mail')}@oefenloket.example>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    if attachment is not None:
        name, content = attachment
        message.add_attachment(content, maintype="text", subtype="plain", filename=name)
    return message
