"""A contract as its file writes it: versions, windows, maintenance rules, clauses and sanctions. Refuses nonsense.

Attribute names are the keys of the file. Lengths of time are held in microseconds, ratios as exact fractions, money as
Decimal euros; the text of an amount or window is kept for the report.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    PlainSerializer,
    PlainValidator,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails, InitErrorDetails, core_schema

from sla.period import zone

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


def _text_schema(example: str, pattern: str | None = None) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "examples": [example], **({"pattern": pattern} if pattern else {})})


def _number_schema(example: str) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "number"}], "examples": [example]})


_AS_TEXT = PlainSerializer(str, return_type=str)

Ratio = Annotated[Fraction, PlainValidator(_ratio), _number_schema("0.993"), _AS_TEXT]
Percentile = Annotated[Fraction, PlainValidator(_percentile), _number_schema("95"), _AS_TEXT]
Weight = Annotated[Fraction, PlainValidator(_weight), _number_schema("3"), _AS_TEXT]
Euros = Annotated[Decimal, PlainValidator(_money), _number_schema("100000.00"), _AS_TEXT]
Length = Annotated[int, PlainValidator(length_us), _text_schema("10s", r"^\d+(\.\d+)? ?(ms|s|min|m|h|d)$")]
Money = Annotated[Amount, PlainValidator(_amount), _number_schema("1% of monthly-fee"), _AS_TEXT]
Weekly = Annotated[WeeklySpan, PlainValidator(_weekly), _text_schema("mon-fri 07:30-19:00"), _AS_TEXT]
Ahead = Annotated[Notice, PlainValidator(_notice), _text_schema("5 working days"), _AS_TEXT]
Allowance = Annotated[Budget, PlainValidator(_budget), _text_schema("8h per month"), _AS_TEXT]
Closed = Annotated[Blackout, PlainValidator(_blackout), _text_schema("month-end 2 days"), _AS_TEXT]
Every = Annotated[Recurrence, PlainValidator(_recurrence), _text_schema("month"), _AS_TEXT]
Name = Annotated[str, Field(min_length=1)]


class _AtLeastOne:
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


_AT_LEAST_ONE = _AtLeastOne()


# --- the file ------------------------------------------------------------------------------------------------------


class Table(BaseModel):
    """A table of the file: frozen, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Window(Table):
    """When a clause counts, in civil time of the contract's zone. Exactly one of `weekly` and `outside`.

    Attributes:
        weekly: spans per day of the week; empty is no time at all.
        outside: all time that the named window leaves, its holidays included.
        holidays: `closed` on holidays, or `open` as on that weekday.
        holiday_dates: this window's own holidays; None takes the version's.
    """

    weekly: tuple[Weekly, ...] | None = None
    outside: str | None = None
    holidays: Literal["closed", "open"] = "open"
    holiday_dates: tuple[date, ...] | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.weekly is None) == (self.outside is None):
            raise ValueError('needs weekly = ["mon-fri 07:30-19:00"], or outside = "<another window>", one of the two')
        if self.outside is not None and (self.holidays == "closed" or self.holiday_dates is not None):
            raise ValueError("follows the window it lies outside of; leave holidays and holiday_dates to that one")
        return self


class Maintenance(Table):
    """How far announced maintenance is excluded. A limit that is left out does not bind.

    Attributes:
        notice: from the announcement's ledger time to the start of the work.
        allowed: hours in which work is excluded; None is any hour.
        budget: excluded maintenance per calendar unit; the earliest spends it first.
        blackout: local dates on which none is excluded.
    """

    notice: Ahead | None = None
    allowed: tuple[Weekly, ...] | None = None
    budget: Allowance | None = None
    blackout: tuple[Closed, ...] = ()


class Cap(Table):
    """Ceilings on sanctions: of one clause, of all in one period, in one calendar year, over the whole contract."""

    clause: Money | None = None
    per_period: Money | None = None
    per_year: Money | None = None
    contract: Money | None = None


class PerUnit(Table):
    """So much for every started unit beyond the limit.

    Attributes:
        unit: a ratio (`"0.001"` is a tenth of a point) for clauses about ratios; a length of time (`"1h"`) for clauses
            about time; `1` for clauses that count.
        minimum, maximum: bounds of this clause's sanction in one period, once it is missed.
        boundary: which edges of an outage are sanctioned.
    """

    scale: Literal["per-unit"]
    unit: Annotated[str, PlainValidator(lambda v: _unit(v)), _number_schema("0.001")]
    amount: Money
    minimum: Money | None = None
    maximum: Money | None = None
    boundary: Boundary = "certain"


_MOST_COUNTED = 1000  # the shortest length of time is a millisecond, so a smaller `above` is a number


class Band(Table):
    """One step of `bands`: reached when the figure lies below a ratio, or above a length of time or number."""

    below: Ratio | None = None
    above: Annotated[int, PlainValidator(lambda v: _count_or_length(v)), _number_schema("4h")] | None = None
    amount: Money

    @property
    def above_is_time(self) -> bool:
        return self.above is not None and self.above >= _MOST_COUNTED

    @model_validator(mode="after")
    def _one_edge(self) -> Self:
        if (self.below is None) == (self.above is None):
            raise ValueError("needs below (for a ratio) or above (for a length of time or a number), one of the two")
        return self


class Bands(Table):
    """The amount of the worst band that was reached; bands do not add up."""

    scale: Literal["bands"]
    bands: Annotated[tuple[Band, ...], _AT_LEAST_ONE]
    minimum: Money | None = None
    maximum: Money | None = None
    boundary: Boundary = "certain"


class Fixed(Table):
    """One amount for a missed clause, however much it was missed."""

    scale: Literal["fixed"]
    amount: Money
    boundary: Boundary = "certain"


SanctionRule = Annotated[PerUnit | Bands | Fixed, Field(discriminator="scale")]


def _unit(value: object) -> str:
    text = str(value).strip() if isinstance(value, str | int | Decimal) and not isinstance(value, bool) else ""
    named = {"minute": "1m", "hour": "1h", "day": "1d"}.get(text, text)
    try:
        if named and Decimal(named) > 0:
            return named
    except InvalidOperation:
        length_us(named)
        return named
    raise ValueError('is no unit; write "0.001" (a tenth of a point), "1m", "1h", "1d" or 1')


def _count_or_length(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        if not 0 <= value < _MOST_COUNTED:
            raise ValueError(f'{value} is no number of outages; a length of time needs a unit, such as "4h"')
        return value
    return length_us(value)


class Weighted(Table):
    """Weights per journey; they need not add up to one."""

    weighted: dict[str, Weight]


_COUNTS = {"availability": "ratio", "outage-duration": "time", "response-time": "time", "outage-count": "number"}
_MEND = {
    "ratio": 'a ratio (unit = "0.001", below = "0.993")',
    "time": 'a length of time (unit = "1h", above = "4h")',
    "number": "a number (unit = 1, above = 3)",
}


def _counts(unit: str) -> str:
    if unit[-1].isalpha():
        return "time"
    return "number" if Decimal(unit) == Decimal(unit).to_integral_value() else "ratio"


class Commitment(Table):
    """What every clause says, whatever its kind.

    Attributes:
        article, text: where the contract says it, and its words.
        scope: journeys it speaks of.
        window: name of a window; None counts all time.
        period: over what it is judged.
        decimals: digits a printed percentage is cut to.
        obligation: `result` (a miss is presumed the supplier's fault) or `best-efforts` (never sanctioned by itself).
        sanction: None where a miss costs nothing.
    """

    id: Name
    article: str = ""
    text: str = ""
    scope: Annotated[tuple[Name, ...], _AT_LEAST_ONE]
    window: str | None = None
    period: Every = Recurrence("month")
    decimals: int = Field(default=2, ge=0, le=6)
    obligation: Literal["result", "best-efforts"] = "result"
    sanction: SanctionRule | None = None

    @model_validator(mode="after")
    def _once(self) -> Self:
        if len(set(self.scope)) != len(self.scope):
            raise ValueError("names a journey twice in its scope; name each once")
        return self

    @model_validator(mode="after")
    def _sanction_fits(self) -> Self:
        """A sanction speaks of what the clause counts: a ratio, a length of time, or a number."""
        kind = getattr(self, "kind", "")
        counts = _COUNTS.get(kind, "nothing")
        if self.sanction is None:
            return self
        if counts == "nothing":
            raise ValueError(f"has a sanction, but a clause of kind {kind} is never sanctioned; take it out")
        if isinstance(self.sanction, PerUnit) and _counts(self.sanction.unit) != counts:
            raise ValueError(f'is about {_MEND[counts]}, but its sanction\'s unit is "{self.sanction.unit}"')
        if isinstance(self.sanction, Bands):
            for band in self.sanction.bands:
                about = "ratio" if band.below is not None else ("time" if band.above_is_time else "number")
                if about != counts:
                    raise ValueError(f"is about {_MEND[counts]}, so each band of its sanction needs that too")
        return self


class CountsTime(Commitment):
    """How samples become outages in a clause that counts time.

    Attributes:
        combine: several journeys are down when `any` is, when `all` are, or by a weighted mean.
        boundary: which edges of an outage count.
        confirm_after: consecutive failures that confirm an outage, re-runs in one slot included; samples only.
        quorum: locations that must be down at once; None is all that measured at that moment.
        hold_intervals: a sample speaks for the time to the next, at most this many intervals.
        degraded: whether degraded time counts as `up` or `down`.
    """

    combine: Literal["any", "all"] | Weighted = "any"
    boundary: Boundary = "observed"
    confirm_after: int = Field(default=2, ge=1, le=100)
    quorum: int | None = Field(default=None, ge=1, le=100)
    hold_intervals: int = Field(default=2, ge=1, le=100)
    degraded: Literal["up", "down"] = "up"

    @model_validator(mode="after")
    def _weights_all(self) -> Self:
        if isinstance(self.combine, Weighted) and set(self.combine.weighted) != set(self.scope):
            raise ValueError("weighs other journeys than its scope names; give each journey of scope a weight")
        return self


class AvailabilityClause(CountsTime):
    """At least `target` of the time available."""

    kind: Literal["availability"]
    target: Ratio
    formula: Literal["measured", "of-service-time"] = "measured"


class OutageDurationClause(CountsTime):
    """No outage longer than `limit` inside the window."""

    kind: Literal["outage-duration"]
    limit: Length


class OutageCountClause(CountsTime):
    """At most `limit` outages of at least `at_least` inside the window."""

    kind: Literal["outage-count"]
    limit: int = Field(ge=0)
    at_least: Length = 1


class ResponseTimeClause(Commitment):
    """Percentile of the durations of successful samples in the window at most `limit`.

    Attributes:
        step: a step's durations; None takes the whole journey's.
        percentile: in percent; exact nearest rank.
    """

    kind: Literal["response-time"]
    step: str | None = None
    percentile: Percentile
    limit: Length


class CoverageClause(CountsTime):
    """At least `target` of the service time measured: a promise of the measuring party, never sanctioned."""

    kind: Literal["coverage"]
    target: Ratio


Clause = AvailabilityClause | OutageDurationClause | OutageCountClause | ResponseTimeClause | CoverageClause


_TAGS = {*_COUNTS, "coverage", "per-unit", "bands", "fixed"}


def _at_its_key(error: ErrorDetails) -> InitErrorDetails:
    """The same problem without the names of the alternatives that pydantic tried, which are no keys of the file."""
    found = error["loc"]
    place = tuple(p for i, p in enumerate(found) if not (i and p in _TAGS and found[i - 1] != "bands"))
    return InitErrorDetails(type=error["type"], loc=place, input=error["input"], ctx=error.get("ctx", {}))


def _unknown_windows(data: object) -> Iterator[InitErrorDetails]:
    if not isinstance(data, dict) or not isinstance(windows := data.get("windows", {}), dict):
        return
    clauses = data.get("clause", ())
    known = ", ".join(sorted(map(str, windows))) or "none"
    for i, clause in enumerate(clauses if isinstance(clauses, list | tuple) else ()):
        name = clause.get("window") if isinstance(clause, dict) else None
        if isinstance(name, str) and name not in windows:
            error = ValueError(f'clause {clause.get("id")} names the window "{name}"; known: {known}')
            yield InitErrorDetails(type="value_error", loc=("clause", i, "window"), input=name, ctx={"error": error})


class Version(Table):
    """What was agreed from one date to another.

    Attributes:
        valid_from, valid_until: local dates, both included.
        monthly_fee, contract_value: euros; None where no sanction needs them.
        grace_until: reports, never sanctions, up to and including this day.
        minimum_coverage: share of service time that must have been measured for any verdict but undecided.
        holidays: of the contract's own calendar.
        holidays_file: where the caller read them from, if not from here.
        cumulation: sanctions of one period add up (`sum`), or only the highest is due (`highest`).
        punish_twice: whether one failure may be sanctioned under several clauses.
    """

    number: int = Field(ge=1)
    valid_from: date
    valid_until: date
    monthly_fee: Euros | None = None
    contract_value: Euros | None = None
    grace_until: date | None = None
    minimum_coverage: Ratio | None = None
    holidays: tuple[date, ...] = ()
    holidays_file: str | None = None
    cap: Cap | None = None
    cumulation: Literal["sum", "highest"] = "sum"
    punish_twice: bool = False
    windows: dict[Name, Window] = Field(default_factory=dict)
    maintenance: Maintenance | None = None
    clause: Annotated[tuple[Annotated[Clause, Field(discriminator="kind")], ...], _AT_LEAST_ONE]

    @field_validator("clause")
    @classmethod
    def _own_ids(cls, clauses: tuple[Clause, ...]) -> tuple[Clause, ...]:
        ids = [c.id for c in clauses]
        for twice in sorted({i for i in ids if ids.count(i) > 1}):
            raise ValueError(f'has two clauses with the id "{twice}"; give each its own')
        return clauses

    @model_validator(mode="before")
    @classmethod
    def _read_holidays(cls, data: Any, info: ValidationInfo) -> Any:
        read = (info.context or {}).get("read_holidays")
        if not isinstance(data, dict) or not isinstance(name := data.get("holidays_file"), str):
            return data
        if "holidays" in data:
            raise ValueError("has both holidays and holidays_file; keep one of the two")
        if read is None:
            raise ValueError(f'needs the holidays of "{name}", and nobody reads files here; write holidays = [...]')
        return {**data, "holidays": list(read(name))}

    @model_validator(mode="wrap")
    @classmethod
    def _every_problem(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Windows that nobody knows are told together with all other problems, each at its own place in the file."""
        problems = list(_unknown_windows(data))
        try:
            found = handler(data)
        except ValidationError as error:
            problems = [_at_its_key(e) for e in error.errors()] + problems
            raise ValidationError.from_exception_data(cls.__name__, problems) from error
        if problems:
            raise ValidationError.from_exception_data(cls.__name__, problems)
        return found

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.valid_until < self.valid_from:
            raise ValueError(f"ends on {self.valid_until}, before it begins on {self.valid_from}; turn them round")
        known = ", ".join(sorted(self.windows)) or "none"
        for name, window in self.windows.items():
            other = self.windows.get(window.outside or name)
            if other is None or (window.outside is not None and other.weekly is None):
                raise ValueError(
                    f'window "{name}" lies outside "{window.outside}", which is no weekly window; known: {known}'
                )
        for where, amount in self._amounts():
            if amount.basis == "contract-value" and self.contract_value is None:
                raise ValueError(f'{where} needs contract_value; add it, or write the amount in euros ("EUR 250")')
            if amount.basis in ("monthly-fee", "yearly-fee") and self.monthly_fee is None:
                raise ValueError(f'{where} needs monthly_fee; add it, or write the amount in euros ("EUR 250")')
        return self

    def _amounts(self) -> list[tuple[str, Amount]]:
        tables = [("cap", self.cap)] + [(f"the sanction of clause {c.id}", c.sanction) for c in self.clause]
        found = []
        for where, table in tables:
            for part in (table, *(table.bands if isinstance(table, Bands) else ())):
                if part is not None:
                    found += [(where, v) for _, v in part if isinstance(v, Amount)]
        return found


class Contract(Table):
    """One agreement between an authority and its supplier, with all its versions.

    Attributes:
        contract: its name or number.
        timezone: IANA name; all dates and hours in the file are its civil time.
        version: each follows the one before without gap or overlap.
    """

    contract: Name
    authority: Name
    supplier: Name
    timezone: str = "Europe/Brussels"
    version: Annotated[tuple[Version, ...], _AT_LEAST_ONE]

    @field_validator("timezone")
    @classmethod
    def _zone(cls, name: str) -> str:
        zone(name)
        return name

    @model_validator(mode="after")
    def _follow(self) -> Self:
        for before, after in zip(self.version, self.version[1:], strict=False):
            if after.valid_from != before.valid_until + timedelta(days=1):
                raise ValueError(
                    f"version {after.number} begins on {after.valid_from}, but version {before.number} ends on "
                    f"{before.valid_until}; versions follow each other without gap or overlap"
                )
            if after.number <= before.number:
                raise ValueError(f"version {after.number} comes after version {before.number}; number them upwards")
        return self

    def journeys(self) -> tuple[str, ...]:
        """Every journey that a clause speaks of, sorted; whether they exist only the caller knows."""
        return tuple(sorted({journey for v in self.version for c in v.clause for journey in c.scope}))


def parse_contract(
    data: Mapping[str, Any], *, read_holidays: Callable[[str], Sequence[date]] | None = None
) -> Contract:
    """The contract in a TOML document read with `parse_float=Decimal`.

    Args:
        read_holidays: gives the dates in the file that `holidays_file` names; None refuses that key.

    Raises:
        pydantic.ValidationError: with every problem and how to mend it.
    """
    return Contract.model_validate(dict(data), context={"read_holidays": read_holidays})
