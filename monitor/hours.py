"""Hours of the week that people name in the configuration: when somebody is on duty, when warnings may wait. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Self

from pydantic import field_validator, model_validator

from monitor.recipients import Addressee, Recipient
from monitor.toml_file import Origins, Problem
from probes.checks import Definition
from sla.contract_text import DAYS, Weekly
from sla.intervals import IntervalSet, Span
from sla.service_hours import weekly_time

_DAY_US = 86_400_000_000
#: Beyond this nobody waits for the next hours to begin: a holiday between two weekends is shorter.
_HORIZON_US = 15 * _DAY_US
_PAST_MIDNIGHT = re.compile(r"(?P<days>[a-z]{3}(?:-[a-z]{3})?) (?P<start>\d\d:\d\d)-(?P<end>\d\d:\d\d)")


class HoursSettings(Definition):
    """Hours of the week under a name. Exactly one of `weekly` and `outside`.

    Attributes:
        weekly: such as `mon-fri 08:00-18:00`; one that ends before it begins goes on past midnight.
        outside: all time that the named hours leave, their holidays included.
        holidays: local dates on which `weekly` does not hold.
    """

    weekly: tuple[Weekly, ...] | None = None
    outside: str | None = None
    holidays: tuple[date, ...] = ()

    @field_validator("weekly", mode="before")
    @classmethod
    def _past_midnight(cls, spans: object) -> object:
        if not isinstance(spans, list | tuple):
            return spans
        return tuple(part for span in spans for part in (_split(span) if isinstance(span, str) else (span,)))

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.weekly is None) == (self.outside is None):
            raise ValueError('needs weekly = ["mon-fri 08:00-18:00"], or outside = "<other hours>", one of the two')
        if self.outside is not None and self.holidays:
            raise ValueError("follows the hours it lies outside of; leave holidays to those")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Hours of the week in civil time.

    Attributes:
        timezone: of the wall clock they are read by, unless somebody has one of their own.
        outside: all time but that of `settings`.
    """

    settings: HoursSettings
    timezone: str
    outside: bool = False

    def hold(self, at_us: int, timezone: str | None = None) -> bool:
        """Whether an instant lies in them."""
        return bool(self._from(at_us, at_us + 1, timezone))

    def end_us(self, at_us: int, timezone: str | None = None) -> int:
        """When the hours that hold at an instant end; where they never do, as far ahead as anybody looks."""
        ahead = self._from(at_us, at_us + _HORIZON_US, timezone)
        return ahead.spans[0].end_us if ahead and ahead.spans[0].start_us == at_us else at_us

    def held_us(self, start_us: int, end_us: int, timezone: str | None = None) -> int:
        """How long they held between two instants."""
        return self._from(start_us, end_us, timezone).length_us if start_us < end_us else 0

    def _from(self, start_us: int, end_us: int, timezone: str | None) -> IntervalSet:
        whole = Span(start_us=start_us, end_us=end_us)
        closed = frozenset(self.settings.holidays)
        weekly = weekly_time(self.settings.weekly or (), whole, timezone or self.timezone, closed=closed)
        return IntervalSet.of((whole,)) - weekly if self.outside else weekly


def named_hours(settings: Mapping[str, HoursSettings], timezone: str) -> dict[str, Hours]:
    """The hours of a configuration that passed `hours_problems`, by name."""
    return {
        name: Hours(settings=settings[one.outside or name], timezone=timezone, outside=one.outside is not None)
        for name, one in settings.items()
    }


def on_duty(who: Addressee, hours: Mapping[str, Hours], at_us: int) -> bool:
    """Whether somebody is told of outages at an instant; always, where no hours are named for them."""
    return who.duty is None or hours[who.duty].hold(at_us, who.timezone)


def quiet_until_us(who: Addressee, hours: Mapping[str, Hours], at_us: int) -> int | None:
    """Until when warnings to somebody wait; None: they need not."""
    if who.quiet is None or not hours[who.quiet].hold(at_us, who.timezone):
        return None
    return hours[who.quiet].end_us(at_us, who.timezone)


def quiet_us(who: Addressee, hours: Mapping[str, Hours], start_us: int, end_us: int) -> int:
    """For how long between two instants warnings to somebody had to wait."""
    return hours[who.quiet].held_us(start_us, end_us, who.timezone) if who.quiet is not None else 0


def hours_problems(
    settings: Mapping[str, HoursSettings], recipients: tuple[Recipient, ...], origins: Origins
) -> Iterator[Problem]:
    """What names hours that are not there."""
    known = f"Known: {', '.join(sorted(settings))}." if settings else "Add [hours.NAME] with weekly = [...]."
    for name, one in settings.items():
        other = settings.get(one.outside) if one.outside is not None else one
        if other is None:
            yield origins.problem(("hours", name, "outside"), f'there are no hours "{one.outside}"', known)
        elif one.outside is not None and other.outside is not None:
            mend = f'Name the hours that "{one.outside}" itself lies outside of.'
            yield origins.problem(("hours", name, "outside"), f'"{one.outside}" names other hours itself', mend)
    for index, recipient in enumerate(recipients):
        for key, value in (("duty", recipient.duty), ("quiet", recipient.quiet)):
            if value is not None and value not in settings:
                yield origins.problem(("recipient", index, key), f'there are no hours "{value}"', known)


def _split(span: str) -> tuple[str, ...]:
    """`mon-sun 22:00-07:00` as its evenings and its mornings; anything else as it stands."""
    found = _PAST_MIDNIGHT.fullmatch(span.strip())
    if found is None or found["end"] > found["start"] or not set(found["days"].split("-")) <= set(DAYS):
        return (span,)
    evening = f"{found['days']} {found['start']}-24:00"
    if found["end"] == "00:00":
        return (evening,)
    after = "-".join(DAYS[(DAYS.index(day) + 1) % 7] for day in found["days"].split("-"))
    return evening, f"{after} 00:00-{found['end']}"
