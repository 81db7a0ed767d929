"""A contract as its file writes it: versions, windows, maintenance rules, clauses and sanctions. Refuses nonsense.

Attribute names are the keys of the file. Lengths of time are held in microseconds, ratios as exact fractions, money as
Decimal euros; the text of an amount or window is kept for the report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails, InitErrorDetails

from sla.contract_text import (
    AT_LEAST_ONE,
    Ahead,
    Allowance,
    Amount,
    Boundary,
    Closed,
    Euros,
    Every,
    Length,
    Name,
    Percentile,
    Ratio,
    Recurrence,
    Table,
    Weekly,
    Weight,
)
from sla.period import zone
from sla.sanction_rules import Bands, Cap, PerUnit, SanctionRule


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
    scope: Annotated[tuple[Name, ...], AT_LEAST_ONE]
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
    clause: Annotated[tuple[Annotated[Clause, Field(discriminator="kind")], ...], AT_LEAST_ONE]

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
    version: Annotated[tuple[Version, ...], AT_LEAST_ONE]

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
