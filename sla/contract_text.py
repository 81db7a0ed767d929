"""What a contract writes as text, read into exact values: numbers, lengths of time, money, hours, dates."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
)
from pydantic_core import core_schema

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_UNITS_US = {"ms": 1_000, "s": 1_000_000, "m": 60_000_000, "min": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}
_LENGTH = re.compile(r"(\d+(?:\.\d+)?) ?(ms|s|min|m|h|d)")
_TIME = r"([01]\d|2[0-4]):([0-5]\d)(?::([0-5]\d))?"
_WEEKLY = re.compile(rf"({'|'.join(DAYS)})(?:-({'|'.join(DAYS)}))? {_TIME}-{_TIME}")
_MONTH_DAY = r"(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"

Basis = Literal["monthly-fee", "yearly-fee", "contract-value"]
Boundary = Literal["observed", "certain", "widest"]


# --- what is written as text ---------------------------------------------------------------------------------------


def _number(value: object, what: str, example: str) -> Decimal:
    """A Decimal from text, int or Decimal. A float was rounded before we saw it, so it never decides anything."""
    if isinstance(value, str | int | Decimal) and not isinstance(value, bool):
        try:
            number = Decimal(value)
        except InvalidOperation:
            pass
        else:
            if number.is_finite():
                return number
    raise ValueError(f"is no {what}; write it as text, such as {example}")


def _ratio(value: object) -> Fraction:
    if isinstance(value, Fraction):
        return value
    number = _number(value, "ratio", '"0.993"')
    if not 0 <= number <= 1:
        raise ValueError(f'{number} lies outside 0 to 1; 99.3 % is written "0.993"')
    return Fraction(number)


def _percentile(value: object) -> Fraction:
    if isinstance(value, Fraction):
        return value
    number = _number(value, "percentile", '"95"')
    if not 0 < number <= 100:
        raise ValueError(f'{number} lies outside 0 to 100; the 95th percentile is written "95"')
    return Fraction(number)


def _money(value: object) -> Decimal:
    number = _number(value, "amount in euros", '"100000.00"')
    if number < 0:
        raise ValueError(f"{number} is less than nothing; write an amount of 0 or more")
    return number


def _weight(value: object) -> Fraction:
    if isinstance(value, Fraction):
        return value
    number = _number(value, "weight", '3 or "0.5"')
    if number <= 0:
        raise ValueError(f"{number} weighs nothing; leave the journey out of scope instead")
    return Fraction(number)


def length_us(value: object) -> int:
    """`"10s"`, `"30m"`, `"4h"`, `"2d"` in microseconds; an int is taken as microseconds already read."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and (match := _LENGTH.fullmatch(value.strip())):
        length = Decimal(match[1]) * _UNITS_US[match[2]]
        if length > 0 and length == length.to_integral_value():
            return int(length)
    raise ValueError('is no length of time; write a number and a unit, such as "10s", "30m", "4h" or "2d"')


@dataclass(frozen=True, slots=True)
class Amount:
    """Money as a contract names it: euros, or a share of a fee.

    Attributes:
        text: as written.
        euros: None where it is a share.
        share: exact share of `basis`; None where it is euros.
    """

    text: str
    euros: Decimal | None = None
    share: Fraction | None = None
    basis: Basis | None = None

    def __str__(self) -> str:
        return self.text


def _amount(value: object) -> Amount:
    if isinstance(value, Amount):
        return value
    text = str(value).strip() if isinstance(value, str | int | Decimal) and not isinstance(value, bool) else ""
    if match := re.fullmatch(r"(\d+(?:\.\d+)?) ?% of (monthly-fee|yearly-fee|contract-value)", text):
        basis: Basis = match[2]  # type: ignore[assignment]  # the pattern holds the three
        return Amount(text=text, share=Fraction(Decimal(match[1])) / 100, basis=basis)
    if match := re.fullmatch(r"(?:EUR|€) ?(\d+(?:\.\d+)?)|(\d+(?:\.\d+)?)(?: ?(?:EUR|€))?", text):
        return Amount(text=text, euros=Decimal(match[1] or match[2]))
    raise ValueError(
        'is no amount; write "1% of monthly-fee", "0.5% of yearly-fee", "2% of contract-value", "EUR 250" or "250 EUR"'
    )


@dataclass(frozen=True, slots=True)
class WeeklySpan:
    """Hours on certain days of the week.

    Attributes:
        text: as written.
        days: 0 is Monday.
        start_s, end_s: seconds after midnight on the wall's clock; 86400 is the midnight that ends the day.
    """

    text: str
    days: tuple[int, ...]
    start_s: int
    end_s: int

    def __str__(self) -> str:
        return self.text


def _weekly(value: object) -> WeeklySpan:
    if isinstance(value, WeeklySpan):
        return value
    match = _WEEKLY.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError('is no weekly span; write "mon-fri 07:30-19:00", "sun 06:00-12:00" or "mon-sun 00:00-24:00"')
    first = DAYS.index(match[1])
    last = DAYS.index(match[2]) if match[2] else first
    days = tuple((first + i) % 7 for i in range((last - first) % 7 + 1))
    start, end = (int(h) * 3600 + int(m) * 60 + int(s or 0) for h, m, s in (match.groups()[2:5], match.groups()[5:8]))
    if start > 86_400 or end > 86_400 or start == 86_400:
        raise ValueError('goes beyond midnight; a day closes at "24:00"')
    if end <= start:
        raise ValueError('ends before it begins; hours past midnight are a second span, such as "tue 00:00-02:00"')
    return WeeklySpan(match[0], days, start, end)


@dataclass(frozen=True, slots=True)
class Notice:
    """How long ahead maintenance is announced. `unit` is `hours`, `days` (of 24 h) or `working days`."""

    text: str
    count: int
    unit: Literal["hours", "days", "working days"]

    def __str__(self) -> str:
        return self.text


def _notice(value: object) -> Notice:
    if isinstance(value, Notice):
        return value
    match = re.fullmatch(r"(\d+) ?(h|hours?|days?|working days?)", value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError('is no notice; write "48h", "7 days" or "5 working days"')
    word = match[2]
    if word.startswith("h"):
        return Notice(match[0], int(match[1]), "hours")
    return Notice(match[0], int(match[1]), "working days" if word.startswith("working") else "days")


@dataclass(frozen=True, slots=True)
class Budget:
    """How much maintenance is excluded in one calendar unit."""

    text: str
    length_us: int
    unit: Literal["month", "quarter", "year"]

    def __str__(self) -> str:
        return self.text


def _budget(value: object) -> Budget:
    if isinstance(value, Budget):
        return value
    match = re.fullmatch(r"(.+?) per (month|quarter|year)", value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError('is no budget; write "8h per month", or per quarter or year')
    unit: Literal["month", "quarter", "year"] = match[2]  # type: ignore[assignment]  # the pattern holds the three
    return Budget(match[0], length_us(match[1]), unit)


@dataclass(frozen=True, slots=True)
class Blackout:
    """Local dates on which no maintenance is excluded.

    Attributes:
        last_days: the last so many days of every month; 0 where it is a range.
        first, last: (month, day), both included; a range may run over New Year.
    """

    text: str
    last_days: int = 0
    first: tuple[int, int] = (0, 0)
    last: tuple[int, int] = (0, 0)

    def __str__(self) -> str:
        return self.text

    def covers(self, day: date) -> bool:
        if self.last_days:
            return (day + timedelta(days=self.last_days)).month != day.month
        here = (day.month, day.day)
        if self.first <= self.last:
            return self.first <= here <= self.last
        return here >= self.first or here <= self.last


def _blackout(value: object) -> Blackout:
    if isinstance(value, Blackout):
        return value
    text = value.strip() if isinstance(value, str) else ""
    if (match := re.fullmatch(r"month-end (\d+) days?", text)) and 1 <= int(match[1]) <= 27:
        return Blackout(text, last_days=int(match[1]))
    if match := re.fullmatch(rf"{_MONTH_DAY}(?:\.\.{_MONTH_DAY})?", text):
        first = (int(match[1]), int(match[2]))
        return Blackout(text, first=first, last=(int(match[3]), int(match[4])) if match[3] else first)
    raise ValueError('is no blackout; write "month-end 2 days", "12-20..12-31" (month-day) or "07-11"')


@dataclass(frozen=True, slots=True)
class Recurrence:
    """The period a clause is judged over. `days` only for `rolling`: so many whole local days."""

    unit: Literal["month", "quarter", "year", "rolling"]
    days: int = 0

    def __str__(self) -> str:
        return f"rolling {self.days} days" if self.unit == "rolling" else self.unit


def _recurrence(value: object) -> Recurrence:
    if isinstance(value, Recurrence):
        return value
    if value == "month" or value == "quarter" or value == "year":
        return Recurrence(value)
    match = re.fullmatch(r"rolling (\d+) days?", value.strip()) if isinstance(value, str) else None
    if match is None or not 1 <= int(match[1]) <= 3660:
        raise ValueError('is no period; write "month", "quarter", "year" or "rolling 30 days"')
    return Recurrence("rolling", int(match[1]))


@dataclass(frozen=True, slots=True)
class DueRule:
    """How due dates come back.

    Attributes:
        every: weeks from one to the next; 1 for the other units.
        nth: which day of the unit, from 1; 0 for weeks.
        working: whether `nth` counts working days only.
    """

    text: str
    unit: Literal["week", "month", "quarter", "year"]
    every: int = 1
    nth: int = 0
    working: bool = False

    def __str__(self) -> str:
        return self.text


_UNITS: dict[str, Literal["month", "quarter", "year"]] = {"monthly": "month", "quarterly": "quarter", "yearly": "year"}
_LONGEST = {"month": 28, "quarter": 90, "year": 365}  # every unit has so many days


def _due(value: object) -> DueRule:
    if isinstance(value, DueRule):
        return value
    text = value.strip() if isinstance(value, str) else ""
    if match := re.fullmatch(r"weekly|two-weekly|every ([1-9]\d?) weeks?", text):
        return DueRule(text, "week", every=int(match[1]) if match[1] else {"weekly": 1, "two-weekly": 2}[text])
    if match := re.fullmatch(
        r"(monthly|quarterly|yearly), (?:day ([1-9]\d*)|([1-9]\d*)(?:st|nd|rd|th) (working )?day)", text
    ):
        unit, nth, working = _UNITS[match[1]], int(match[2] or match[3]), match[4] is not None
        # Some units have fewer working days than that for their holidays; the last working day is taken then.
        if nth <= (_LONGEST[unit] * 3 // 5 if working else _LONGEST[unit]):
            return DueRule(text, unit, nth=nth, working=working)
    raise ValueError(
        'is no rule of due dates; write "weekly", "two-weekly", "every 3 weeks", "monthly, 5th working day", '
        '"monthly, day 10", or quarterly or yearly likewise'
    )


def _clock_time(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = re.fullmatch(_TIME, value.strip()) if isinstance(value, str) else None
    if match is not None:
        second = int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3] or 0)
        if second <= 86_400:
            return second
    raise ValueError('is no time of the clock; write "17:00", or "24:00" for the end of the day')


def _text_schema(example: str, pattern: str | None = None) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "examples": [example], **({"pattern": pattern} if pattern else {})})


def number_schema(example: str) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "number"}], "examples": [example]})


_AS_TEXT = PlainSerializer(str, return_type=str)

Ratio = Annotated[Fraction, PlainValidator(_ratio), number_schema("0.993"), _AS_TEXT]
Percentile = Annotated[Fraction, PlainValidator(_percentile), number_schema("95"), _AS_TEXT]
Weight = Annotated[Fraction, PlainValidator(_weight), number_schema("3"), _AS_TEXT]
Euros = Annotated[Decimal, PlainValidator(_money), number_schema("100000.00"), _AS_TEXT]
Length = Annotated[int, PlainValidator(length_us), _text_schema("10s", r"^\d+(\.\d+)? ?(ms|s|min|m|h|d)$")]
Money = Annotated[Amount, PlainValidator(_amount), number_schema("1% of monthly-fee"), _AS_TEXT]
Weekly = Annotated[WeeklySpan, PlainValidator(_weekly), _text_schema("mon-fri 07:30-19:00"), _AS_TEXT]
Ahead = Annotated[Notice, PlainValidator(_notice), _text_schema("5 working days"), _AS_TEXT]
Allowance = Annotated[Budget, PlainValidator(_budget), _text_schema("8h per month"), _AS_TEXT]
Closed = Annotated[Blackout, PlainValidator(_blackout), _text_schema("month-end 2 days"), _AS_TEXT]
Every = Annotated[Recurrence, PlainValidator(_recurrence), _text_schema("month"), _AS_TEXT]
Due = Annotated[DueRule, PlainValidator(_due), _text_schema("monthly, 5th working day"), _AS_TEXT]
ClockTime = Annotated[int, PlainValidator(_clock_time), _text_schema("17:00", r"^\d\d:\d\d(:\d\d)?$")]
Name = Annotated[str, Field(min_length=1)]


class AtLeastOne:
    """Refuses an empty list; unlike `min_length` it says nothing of a list whose items were wrong."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(schema), "minItems": 1}

    @staticmethod
    def _check(items: tuple[object, ...]) -> tuple[object, ...]:
        if not items:
            raise ValueError("is empty; it needs at least one")
        return items


AT_LEAST_ONE = AtLeastOne()


class Table(BaseModel):
    """A table of the file: frozen, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)
