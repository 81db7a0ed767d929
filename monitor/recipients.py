"""Who may be told: people by mail, programs by webhook; and what about."""

from __future__ import annotations

from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, field_validator

Language = Literal["nl", "en"]
Topic = Literal["incidents", "certificates", "monitor", "reports"]


class Recipient(BaseModel):
    """Somebody who is told.

    Attributes:
        language: of the mails.
        receives: what about; a test mail goes to everybody.
        checks: only news about these checks; empty means all.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: str = Field(max_length=254)
    language: Language = "nl"
    name: str = ""
    receives: tuple[Topic, ...] = ("incidents", "certificates", "monitor")
    checks: tuple[str, ...] = ()

    @field_validator("address")
    @classmethod
    def _an_address(cls, address: str) -> str:
        local, at, domain = address.rpartition("@")
        bad = set(address) & set(' \t\r\n<>,;:"()[]\\')
        if not at or not local or not domain or bad or "@" in local:
            raise ValueError('is not a mail address; write it bare, such as "ops@example.be"')
        return address

    @field_validator("name")
    @classmethod
    def _one_line(cls, name: str) -> str:
        if not name.isprintable():
            raise ValueError("holds characters that cannot stand in a mail header; keep it on one line")
        return name

    def wants(self, topic: Topic, check_id: str | None = None) -> bool:
        """Whether this is for them; a topic without a check concerns everybody who receives the topic."""
        return topic in self.receives and (check_id is None or not self.checks or check_id in self.checks)


#: What stands before the id of a webhook where a mail address would stand; no mail address can begin so.
WEBHOOK = "webhook:"

Channel = Literal["mail", "webhook"]


def channel_of(address: str) -> Channel:
    """By which way a message to this address leaves."""
    return "webhook" if address.startswith(WEBHOOK) else "mail"


class Addressee(Protocol):
    """Whoever may be told: a person by mail (`Recipient`), or a program by webhook."""

    @property
    def address(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def language(self) -> Language: ...

    def wants(self, topic: Topic, check_id: str | None = None) -> bool: ...
