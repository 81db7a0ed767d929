"""A contract as its file writes it: versions, windows, maintenance rules, clauses and sanctions. Refuses nonsense.

Attribute names are the keys of the file. Lengths of time are held in microseconds, ratios as exact fractions, money as
Decimal euros; the text of an amount or window is kept for the report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
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

from sla.commitment import COUNTS, Commitment, CountsTime
from sla.contract_text import (
    AT_LEAST_ONE,
    Ahead,
    Allowance,
    Amount,
    Closed,
    Euros,
    Length,
    Name,
    Percentile,
    Ratio,
    Table,
    Weekly,
)
from sla.named_sanctions import amounts, never_in_force, with_named_sanctions
from sla.period import zone
from sla.promise_clauses import MaintenanceClause, PromiseClause
from sla.sanction_rules import SCALES, Cap, PointsTable, SanctionRule


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


Clause = (
    AvailabilityClause | OutageDurationClause | OutageCountClause | ResponseTimeClause | CoverageClause | PromiseClause
)


_KINDS = {*COUNTS, "coverage"}


def _at_its_key(error: ErrorDetails) -> InitErrorDetails:
    """The same problem without the names of the alternatives that pydantic tried, which are no keys of the file."""
    found = error["loc"]
    place = tuple(p for i, p in enumerate(found) if not _is_tag(found[:i], p))
    return InitErrorDetails(type=error["type"], loc=place, input=error["input"], ctx=error.get("ctx", {}))


def _is_tag(before: tuple[int | str, ...], part: int | str) -> bool:
    if before[-1:] == ("sanction",) or before[-2:-1] == ("sanctions",):
        return part in SCALES
    return before[-2:-1] == ("clause",) and part in _KINDS


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
        points: what service points cost; None where no sanction gives any.
        sanctions: sanctions with a name, such as those of the law, which clauses refer to by it.
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
    points: PointsTable | None = None
    sanctions: dict[Name, SanctionRule] = Field(default_factory=dict)
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
        data, problems = with_named_sanctions(data)
        problems += _unknown_windows(data)
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
        promised = [c.id for c in self.clause if isinstance(c, MaintenanceClause)]
        if promised and self.maintenance is None:
            raise ValueError(
                f"clause {promised[0]} is about maintenance; write what was agreed in [version.maintenance]"
            )
        for clause in self.clause:
            if clause.sanction and (never := never_in_force(clause.sanction, self.valid_from, self.valid_until)):
                raise ValueError(f"the sanction of clause {clause.id} {never}; mend its dates, or name another")
        for where, amount in self._amounts():
            if amount.basis == "contract-value" and self.contract_value is None:
                raise ValueError(f'{where} needs contract_value; add it, or write the amount in euros ("EUR 250")')
            if amount.basis in ("monthly-fee", "yearly-fee") and self.monthly_fee is None:
                raise ValueError(f'{where} needs monthly_fee; add it, or write the amount in euros ("EUR 250")')
        return self

    def _amounts(self) -> list[tuple[str, Amount]]:
        tables: list[tuple[str, Table | None]] = [("cap", self.cap), ("points", self.points)]
        tables += [(f'the sanction "{name}"', rule) for name, rule in self.sanctions.items()]
        tables += [(f"the sanction of clause {c.id}", c.sanction) for c in self.clause]
        return [(where, amount) for where, table in tables for amount in amounts(table)]


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
