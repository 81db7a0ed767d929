"""What our journeys made at the portal: until it is confirmed gone, and how often more may be made. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never

from probes.created import Announced, Made, NotMade, Unclear, Undone

_MINUTE_US = 60_000_000
_HOUR_US = 60 * _MINUTE_US
DAY_US = 24 * _HOUR_US

#: How long after each failed try the next one follows; the last for ever.
RETRY_AFTER_US = (_MINUTE_US, 5 * _MINUTE_US, 15 * _MINUTE_US, _HOUR_US)
#: After so many failed tries people are told.
ALARM_AFTER = 3
#: First pause after too many refused logins; each further refusal doubles it, up to a day.
PAUSE_US = _HOUR_US


class Stage(StrEnum):
    """How far we know what became of an object."""

    ANNOUNCED = "announced"  # a step that makes it was about to be sent
    UNCLEAR = "unclear"  # that step failed; it may be there or not
    MADE = "made"  # it is there
    GONE = "gone"  # the portal showed that it is gone
    NEVER = "never"  # it was never made
    SETTLED = "settled"  # a person said so


OPEN = frozenset({Stage.ANNOUNCED, Stage.UNCLEAR, Stage.MADE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """An object at the portal that we made, or may have made.

    Attributes:
        name: its own at the portal; None while it is not known.
        values: what taking it away needs, as the steps name it.
        due_us: until then the run itself, or whoever tries now, takes care of it.
        tries: how often taking it away on its own has failed.
        trouble: why the last of them did; empty before.
        by, why: of the person who settled it.
    """

    id: str
    check_id: str
    step: str
    what: str
    run_id: str
    run_time: str
    created_us: int
    due_us: int
    stage: Stage = Stage.ANNOUNCED
    name: str | None = None
    values: tuple[tuple[str, str], ...] = ()
    tries: int = 0
    trouble: str = ""
    settled_us: int | None = None
    by: str = ""
    why: str = ""

    @property
    def open(self) -> bool:
        return self.stage in OPEN


def announced(note: Announced, *, now_us: int) -> Thing:
    return Thing(
        id=note.key,
        check_id=note.check_id,
        step=note.step,
        what=note.what,
        run_id=note.run_id,
        run_time=note.run_time,
        created_us=now_us,
        due_us=now_us + note.patience_us,
    )


def heard(thing: Thing, note: Made | Unclear | NotMade | Undone, *, now_us: int) -> Thing:
    """What a note of the run says about its object. What is over stays over; what is there is not unclear any more."""
    if not thing.open:
        return thing
    match note:
        case Made():
            return replace(thing, stage=Stage.MADE, name=note.name, values=note.values)
        case Unclear():
            return thing if thing.stage is Stage.MADE else replace(thing, stage=Stage.UNCLEAR)
        case NotMade():
            return thing if thing.stage is Stage.MADE else replace(thing, stage=Stage.NEVER, settled_us=now_us)
        case Undone():
            return replace(thing, stage=Stage.GONE, settled_us=now_us)
        case _:
            assert_never(note)


def tried(thing: Thing, trouble: str | None, *, now_us: int) -> Thing:
    """After a try to take it away on its own; `trouble` is None where the portal showed that it is gone."""
    if not thing.open:
        return thing
    if trouble is None:
        return replace(thing, stage=Stage.GONE, settled_us=now_us)
    wait_us = RETRY_AFTER_US[min(thing.tries, len(RETRY_AFTER_US) - 1)]
    return replace(thing, tries=thing.tries + 1, trouble=trouble, due_us=now_us + wait_us)


def settled(thing: Thing, *, by: str, why: str, now_us: int) -> Thing:
    """A person has seen to it."""
    return replace(thing, stage=Stage.SETTLED, by=by, why=why, settled_us=now_us) if thing.open else thing


def due(thing: Thing, *, now_us: int) -> bool:
    """Whether it is time to take it away on its own."""
    return thing.open and now_us >= thing.due_us


def orphaned(thing: Thing, *, now_us: int) -> bool:
    """Whether people must look: trying did not help, or the monitor died while it was being made.

    What is merely unclear, after a step that failed, alarms nobody by itself: an outage would be told twice.
    """
    if not thing.open:
        return False
    return thing.tries >= ALARM_AFTER or (thing.stage is Stage.ANNOUNCED and now_us >= thing.due_us)


@dataclass(frozen=True, slots=True, kw_only=True)
class Brake:
    """How one account fares at logging in, so that the monitor never locks it out.

    Attributes:
        refused: refusals in a row.
        paused_until_us: no journey logs in with it before; None where it may.
    """

    account: str
    refused: int = 0
    paused_until_us: int | None = None

    def pauses(self, now_us: int) -> bool:
        return self.paused_until_us is not None and now_us < self.paused_until_us


def after_login(brake: Brake, *, refused: int, most: int, now_us: int) -> Brake:
    """After a login, `refused` so many times in a row (0: it worked). Beyond `most` it pauses, each time for longer."""
    if refused == 0:
        return Brake(account=brake.account)
    total = brake.refused + refused
    if total < most:
        return Brake(account=brake.account, refused=total)
    pause_us = min(DAY_US, PAUSE_US << min(total - most, 10))
    return Brake(account=brake.account, refused=total, paused_until_us=now_us + pause_us)
