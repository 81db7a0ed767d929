"""The practice mailbox: every mail that reached it, readable as JSON and by mail programs."""

from __future__ import annotations

import email
import email.policy
import hashlib
from collections.abc import Callable, Set
from dataclasses import dataclass
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


#: How much of the portal's own mail is kept. The journeys make some every few seconds, and what came over SMTP, which
#: a newcomer waits for, must not drown in it.
_OWN_KEPT = 100
#: A larger mail that came over SMTP is described, but not kept as it came.
_MOST_WHOLE_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A mail as a mail program reads it.

    Attributes:
        uid: its number, never given to another.
    """

    uid: int
    received_us: int
    whole: bytes | EmailMessage

    def raw(self) -> bytes:
        """All of it, with lines that end as they do on the wire."""
        if isinstance(self.whole, bytes):
            return self.whole
        return self.whole.as_bytes(policy=email.policy.SMTP)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    mail: dict[str, object]
    own: bool
    stored: Stored | None


class Mailbox:
    """All mail of this run, oldest first. Bounded: beyond `max_mails` that came over SMTP, the oldest are forgotten;
    of the portal's own mail only the newest hundred stay.

    Args:
        now_us: microseconds since the epoch, UTC.
    """

    def __init__(self, *, max_mails: int, now_us: Callable[[], int]) -> None:
        self._most = {False: max_mails, True: min(max_mails, _OWN_KEPT)}
        self._now_us = now_us
        self._kept: list[_Kept] = []
        self._came = 0

    async def deliver(self, message: EmailMessage) -> None:
        """Takes a mail of the portal itself, for the recipients its To header names."""
        to = message["To"]
        recipients = tuple(a.addr_spec for a in to.addresses) if to is not None else ()
        self._keep(described(message, recipients), message, own=True)

    def deliver_bytes(self, content: bytes, recipients: tuple[str, ...]) -> None:
        """Takes what came over SMTP, for the recipients of its envelope."""
        message = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        whole = content if len(content) <= _MOST_WHOLE_BYTES else None
        self._keep(described(message, recipients), whole, own=False)

    def _keep(self, mail: dict[str, object], whole: bytes | EmailMessage | None, *, own: bool) -> None:
        self._came += 1
        stored = None if whole is None else Stored(uid=self._came, received_us=self._now_us(), whole=whole)
        kept = _Kept(mail=mail, own=own, stored=stored)
        self._kept.append(kept)
        if sum(k.own == kept.own for k in self._kept) > self._most[kept.own]:
            del self._kept[next(i for i, k in enumerate(self._kept) if k.own == kept.own)]

    def mails(
        self, *, to: str | None = None, subject: str | None = None, own: bool | None = None
    ) -> tuple[dict[str, object], ...]:
        """Those to this address, with this in their subject, and from the portal itself or not; None asks for all."""
        return tuple(
            k.mail
            for k in self._kept
            if (to is None or to in _addresses(k.mail))
            and (subject is None or subject in str(k.mail["subject"]))
            and (own is None or k.own == own)
        )

    def stored(self) -> tuple[Stored, ...]:
        """What a mail program reads, in the order in which it came."""
        return tuple(k.stored for k in self._kept if k.stored is not None)

    def throw_away(self, uids: Set[int]) -> None:
        self._kept = [k for k in self._kept if k.stored is None or k.stored.uid not in uids]

    def empty(self) -> int:
        """Throws all mail away; says how many there were."""
        thrown = len(self._kept)
        self._kept.clear()
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
