"""How many mails one person gets: warnings wait for quiet hours, and what comes too fast is told in one digest. Pure.

Nothing is dropped: what may not go now goes later, together with all else that waits for the same address.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import Field, model_validator

from monitor.hours import Hours, quiet_until_us, quiet_us
from monitor.news import WARNINGS, Kind
from monitor.recipients import Addressee
from probes.checks import Definition, Duration

_MINUTE_US = 60_000_000
HOUR_US = 60 * _MINUTE_US
#: How far back it counts what an address got: the rest after many, as many before it, and as long after it.
LOOK_BACK_US = 3 * HOUR_US

#: Mails that are no alerts: somebody asked for them, or they carry files. They neither wait nor are they gathered.
BY_THEMSELVES = frozenset({Kind.REPORT, Kind.TEST, Kind.DIGEST})


class DigestRule(Definition):
    """When mails to one address are gathered instead of sent one by one.

    Attributes:
        after: so many within `within` go by themselves; what comes then is gathered. 0: never gathered.
        every: a digest goes out at most so often.
        hourly: no address gets more mails than this in an hour; what is left goes in one digest after it. 0: no limit.
    """

    after: int = Field(default=10, ge=0, le=1000)
    within: Duration = 10 * _MINUTE_US
    every: Duration = 2 * _MINUTE_US
    hourly: int = Field(default=60, ge=0, le=10_000)

    @model_validator(mode="after")
    def _in_an_hour(self) -> DigestRule:
        if self.within > HOUR_US or self.every > HOUR_US:
            raise ValueError('looks back an hour and no further; keep within and every at "1h" or less')
        if 0 < self.hourly <= self.after:
            raise ValueError("has hourly at or below after, so that the hour would be full before a digest could go")
        return self

    def rest_until_us(self, sent_us: Sequence[int], now_us: int) -> int | None:
        """Until when an address gets nothing more; None: it may.

        Args:
            sent_us: when it got mails in the last `LOOK_BACK_US`, ascending.
        """
        hour = _in_the_hour(sent_us, now_us)
        if self.hourly and len(hour) >= self.hourly:
            return hour[-self.hourly] + HOUR_US
        last_us = self._last_of_many_us(sent_us, now_us)
        return last_us + self.every if last_us is not None and last_us + self.every > now_us else None

    def gathers(self, sent_us: Sequence[int], now_us: int) -> bool:
        """Whether all that waits for an address, now that it may have a mail, goes as one."""
        if self.hourly and len(_in_the_hour(sent_us, now_us)) >= self.hourly - 1:
            return True
        last_us = self._last_of_many_us(sent_us, now_us)
        # However long the rest was: what came meanwhile is what it was for.
        return last_us is not None and now_us < last_us + self.every + self.within

    def _last_of_many_us(self, sent_us: Sequence[int], now_us: int) -> int | None:
        """When the newest mail went, where it and those within `within` before it are as many as go by themselves."""
        past = [one for one in sent_us if one <= now_us]
        if not self.after or not past:
            return None
        return past[-1] if sum(one > past[-1] - self.within for one in past) >= self.after else None


def _in_the_hour(sent_us: Sequence[int], now_us: int) -> list[int]:
    return [one for one in sent_us if now_us - HOUR_US < one <= now_us]


@dataclass(frozen=True, slots=True, kw_only=True)
class Courtesy:
    """What is asked of every mail before it goes to an address.

    Attributes:
        people: by address; whoever is no longer in the configuration has neither quiet hours nor digests.
        hours: by name.
    """

    rule: DigestRule = field(default_factory=lambda: DigestRule(after=0, hourly=0))
    people: Mapping[str, Addressee] = field(default_factory=dict)
    hours: Mapping[str, Hours] = field(default_factory=dict)

    def rest_until_us(self, kind: Kind, address: str, sent_us: Sequence[int], now_us: int) -> int | None:
        """Until when a mail of this kind to this address waits; None: it may go."""
        who = self.people.get(address)
        if who is None or kind in BY_THEMSELVES:
            return None
        until_us = quiet_until_us(who, self.hours, now_us) if kind in WARNINGS else None
        return until_us if until_us is not None else self.rule.rest_until_us(sent_us, now_us)

    def kept_us(self, kind: Kind, address: str, start_us: int, end_us: int) -> int:
        """For how long between two instants a mail of this kind to this address had to wait for quiet hours."""
        who = self.people.get(address)
        if who is None or kind not in WARNINGS:
            return 0
        return quiet_us(who, self.hours, start_us, end_us)

    def gathers(self, kind: Kind, address: str, sent_us: Sequence[int], now_us: int) -> bool:
        """Whether a mail of this kind to this address goes in one digest with all others that wait for it."""
        return address in self.people and kind not in BY_THEMSELVES and self.rule.gathers(sent_us, now_us)


PLAIN = Courtesy()
