"""What the process of a browser run and the monitor say to each other while it goes on: a line of JSON at a time.

The process tells what it asked of the portal and what it is about to make there; the monitor knows whose turn it is and
keeps the list. What the process says is checked like all it says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, BinaryIO, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from probes.browser.exchange import Visited
from probes.created import Announced, Keep, Made, Note, NotMade, NotNoted, Unclear, Undone
from probes.fault import Fault
from probes.guest import Guest
from probes.sample import FailureKind


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnWanted:
    """A step is about to ask the portal for something. Is answered."""

    said: Literal["turn"] = "turn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """So many requests to the portal followed beyond the one that had its turn."""

    requests: Annotated[int, Field(ge=0)]
    said: Literal["followed"] = "followed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PutOff:
    """The portal answered 429 or 503, and asked to be left alone for a while."""

    status: int
    retry_after: str
    host: str
    said: Literal["put-off"] = "put-off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """A line for the list of what is made at the portal; one of the five. Is answered."""

    announced: Announced | None = None
    made: Made | None = None
    unclear: Unclear | None = None
    not_made: NotMade | None = None
    undone: Undone | None = None
    said: Literal["noted"] = "noted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The run is over."""

    visited: Visited
    said: Literal["done"] = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the monitor answers.

    Attributes:
        waited_us: how long the turn was waited for.
        kind, subject, expected, found: why there is none.
        not_noted: why the list was not written; empty where it was.
    """

    waited_us: int = 0
    kind: FailureKind | None = None
    subject: str = ""
    expected: str | None = None
    found: str | None = None
    not_noted: str = ""


Said: TypeAlias = Annotated[TurnWanted | Followed | PutOff | Noted | Done, Field(discriminator="said")]
SAID: TypeAdapter[Said] = TypeAdapter(Said)
_REPLY: TypeAdapter[Reply] = TypeAdapter(Reply)
#: A pipe that is closed: nobody is there to say yes, so nothing is asked of the portal, and nothing made.
_GONE = Reply(kind=FailureKind.MONITOR, subject="monitor", found="nothing", not_noted="the monitor is gone")


class Line:
    """The process's end: speaks to the monitor, and waits for its answers."""

    def __init__(self, hears: BinaryIO, tells: BinaryIO) -> None:
        self._hears = hears
        self._tells = tells
        self._one_at_a_time = asyncio.Lock()

    async def turn(self) -> int:
        """Waits until the portal may be asked; how long that took.

        Raises:
            Fault: where no turn comes, or the portal asked to be left alone.
        """
        reply = await self._asked(TurnWanted())
        if reply.kind is not None:
            raise Fault(reply.kind, reply.subject, expected=reply.expected, found=reply.found)
        return reply.waited_us

    async def keep(self, note: Note) -> None:
        """Has a note written down (`probes.created.Keep`)."""
        match note:
            case Announced():
                noted = Noted(announced=note)
            case Made():
                noted = Noted(made=note)
            case Unclear():
                noted = Noted(unclear=note)
            case NotMade():
                noted = Noted(not_made=note)
            case Undone():
                noted = Noted(undone=note)
        reply = await self._asked(noted)
        if reply.not_noted:
            raise NotNoted(reply.not_noted)

    def tell(self, said: Followed | PutOff | Done) -> None:
        """Says something that needs no answer."""
        self._tells.write(SAID.dump_json(said) + b"\n")
        self._tells.flush()

    async def _asked(self, said: TurnWanted | Noted) -> Reply:
        async with self._one_at_a_time:
            self._tells.write(SAID.dump_json(said) + b"\n")
            self._tells.flush()
            answer = await asyncio.to_thread(self._hears.readline)
        return _REPLY.validate_json(answer) if answer else _GONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Attendance:
    """The monitor's end: what one run needs of it while it goes on.

    Attributes:
        host: the portal's, whose guest the run is.
        keep: writes down what the run makes; None: nobody does.
    """

    host: str
    check_id: str
    guest: Guest
    keep: Keep | None
    now_us: Callable[[], int]
    monotonic_us: Callable[[], int]

    async def heard(self, said: TurnWanted | Followed | PutOff | Noted) -> bytes:
        """Sees to what the process said; the line that answers it, empty where none does."""
        match said:
            case TurnWanted():
                return _line(await self._turn())
            case Followed():
                self.guest.more(self.host, said.requests, self.monotonic_us)
            case PutOff():
                hosts = frozenset({self.host, said.host})
                now_us, monotonic_us = self.now_us(), self.monotonic_us()
                self.guest.answered(hosts, self.check_id, said.status, said.retry_after, now_us, monotonic_us)
            case Noted():
                return _line(await self._noted(said))
        return b""

    async def _turn(self) -> Reply:
        try:
            return Reply(waited_us=await self.guest.turn(self.host, self.monotonic_us))
        except Fault as fault:
            return Reply(kind=fault.kind, subject=fault.subject, expected=fault.expected, found=fault.found)

    async def _noted(self, said: Noted) -> Reply:
        note = said.announced or said.made or said.unclear or said.not_made or said.undone
        if self.keep is None or note is None:
            return Reply()
        try:
            await self.keep(note)
        except NotNoted as error:
            return Reply(not_noted=str(error))
        return Reply()


def _line(reply: Reply) -> bytes:
    return _REPLY.dump_json(reply) + b"\n"
