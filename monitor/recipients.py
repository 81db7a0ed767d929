"""Who may be told: people by mail, programs by webhook; and what about."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from email.errors import HeaderParseError
from email.headerregistry import Address
from typing import Annotated, Literal, Protocol
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from probes.checks import Duration

Language = Literal["nl", "en"]
Topic = Literal["incidents", "certificates", "monitor", "reports", "agreements", "maintenance"]


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except Exception as error:
        raise ValueError('is not a time zone; write an IANA name such as "Europe/Brussels"') from error
    return name


#: An IANA name.
TimeZone = Annotated[str, AfterValidator(_known_zone)]


class Recipient(BaseModel):
    """Somebody who is told.

    Attributes:
        language: of the mails.
        receives: what about; a test mail goes to everybody.
        checks: only news about these checks, and about outages that take one of them along; empty means all.
        timezone: of the times in their mails, and of their hours; None: the monitor's.
        after: hears of an outage when nobody has said to be on it for so long since it was told; None: at once.
        duty: name of the hours in which they are told of outages; None: always. One that is still going on when their
            hours begin is told then.
        quiet: name of the hours in which warnings to them wait; outages never do. None: no such hours.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: str = Field(max_length=254)
    language: Language = "nl"
    name: str = ""
    receives: tuple[Topic, ...] = ("incidents", "certificates", "monitor")
    checks: tuple[str, ...] = ()
    timezone: TimeZone | None = None
    after: Duration | None = None
    duty: str | None = None
    quiet: str | None = None

    @field_validator("address")
    @classmethod
    def _an_address(cls, address: str) -> str:
        local, at, domain = address.rpartition("@")
        bad = set(address) & set(' \t\r\n<>,;:"()[]\\')
        if not at or not local or not domain or bad or "@" in local:
            raise ValueError('is not a mail address; write it bare, such as "ops@example.be"')
        try:
            Address(addr_spec=address)  # as the header of each of their mails will hold it
        except (ValueError, HeaderParseError) as error:
            raise ValueError(f'is not a mail address ({error}); write it bare, such as "ops@example.be"') from error
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
    @property
    def timezone(self) -> str | None: ...
    @property
    def after(self) -> int | None: ...
    @property
    def duty(self) -> str | None: ...
    @property
    def quiet(self) -> str | None: ...

    def wants(self, topic: Topic, check_id: str | None = None) -> bool: ...


def follows(who: Addressee, check_id: str, along: Collection[str] = ()) -> bool:
    """Whether news about the outage of a check is for somebody.

    Args:
        along: checks that fail because of it.
    """
    return who.wants("incidents", check_id) or any(who.wants("incidents", name) for name in along)


def by_journeys(
    people: Iterable[Addressee], check_id: str, along: Sequence[str]
) -> tuple[tuple[tuple[str, ...], tuple[Addressee, ...]], ...]:
    """People by those of their checks for whose sake alone they hear of it; none for whoever follows the check itself.

    Each address is in one part, however often it is configured.
    """
    parts: dict[tuple[str, ...], list[Addressee]] = {}
    seen: set[str] = set()
    for who in sorted(people, key=lambda one: not one.wants("incidents", check_id)):
        if who.address not in seen:
            seen.add(who.address)
            theirs = () if who.wants("incidents", check_id) else tuple(n for n in along if who.wants("incidents", n))
            parts.setdefault(theirs, []).append(who)
    return tuple((theirs, tuple(some)) for theirs, some in parts.items())
