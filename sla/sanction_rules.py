"""What a missed clause costs, as a contract writes it: scales, their bounds, and the caps over them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    GetJsonSchemaHandler,
    PlainValidator,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic_core import core_schema

from sla.contract_text import AT_LEAST_ONE, Boundary, Money, Ratio, Table, length_us, number_schema


class Cap(Table):
    """Ceilings on sanctions: of one clause, of all in one period, in one calendar year, over the whole contract."""

    clause: Money | None = None
    per_period: Money | None = None
    per_year: Money | None = None
    contract: Money | None = None


class Terms(Table):
    """What every sanction says, whatever its scale.

    Attributes:
        name: what the report calls it; a sanction under `[version.sanctions.<name>]` has that name by itself.
        source: where it comes from: the law or document, and the article.
        valid_from, valid_until: local dates, both included, on which that source was in force; None is unbounded.
            Time that is not wholly inside carries no sanction, and the report says so.
        to_confirm: shown as an assumption that somebody who answers for the contract must confirm.
        minimum, maximum: bounds of this clause's sanction in one period, once it is missed.
        cumulates: it may stand beside another sanction for the same failure, whatever `punish_twice` says.
        boundary: which edges of an outage are sanctioned.
    """

    name: str = ""
    source: str = ""
    valid_from: date | None = None
    valid_until: date | None = None
    to_confirm: bool = False
    minimum: Money | None = None
    maximum: Money | None = None
    cumulates: bool = False
    boundary: Boundary = "certain"

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.valid_from and self.valid_until and self.valid_until < self.valid_from:
            raise ValueError(f"ends on {self.valid_until}, before it begins on {self.valid_from}; turn them round")
        return self


class PerUnit(Terms):
    """So much for every started unit beyond the limit.

    Attributes:
        unit: a ratio (`"0.001"` is a tenth of a point) for clauses about ratios; a length of time (`"1h"`) for clauses
            about time; `1` for clauses that count.
    """

    scale: Literal["per-unit"]
    unit: Annotated[str, PlainValidator(lambda v: _unit(v)), number_schema("0.001")]
    amount: Money


_MOST_COUNTED = 1000  # the shortest length of time is a millisecond, so a smaller `above` is a number


class Edge(Table):
    """Where a band begins: when the figure lies below a ratio, or above a length of time or number."""

    below: Ratio | None = None
    above: Annotated[int, PlainValidator(lambda v: _count_or_length(v)), number_schema("4h")] | None = None

    @property
    def above_is_time(self) -> bool:
        return self.above is not None and self.above >= _MOST_COUNTED

    @property
    def counts(self) -> str:
        """What it is about: `ratio`, `time` or `number`."""
        return "ratio" if self.below is not None else ("time" if self.above_is_time else "number")

    @model_validator(mode="after")
    def _one_edge(self) -> Self:
        if (self.below is None) == (self.above is None):
            raise ValueError("needs below (for a ratio) or above (for a length of time or a number), one of the two")
        return self


class Band(Edge):
    """One step of `bands`."""

    amount: Money


class Bands(Terms):
    """The amount of the worst band that was reached; bands do not add up."""

    scale: Literal["bands"]
    bands: Annotated[tuple[Band, ...], AT_LEAST_ONE]


class Fixed(Terms):
    """One amount for a missed clause, however much it was missed."""

    scale: Literal["fixed"]
    amount: Money


class Daily(Terms):
    """So much for every local day on which time beyond the limit lay.

    Attributes:
        days: `calendar` days, or `working` days: Monday to Friday without the version's holidays.
        free_days: the first so many of these days of each failure cost nothing.
        minimum_per_day, maximum_per_day: bounds of `amount`.
    """

    scale: Literal["daily"]
    amount: Money
    days: Literal["calendar", "working"] = "calendar"
    free_days: int = Field(default=0, ge=0, le=366)
    minimum_per_day: Money | None = None
    maximum_per_day: Money | None = None


class PointBand(Edge):
    """One step of the bands of `points`."""

    points: int = Field(ge=1, le=1000)


class Points(Terms):
    """Points for a missed clause; `[version.points]` says what the points of a period cost together.

    Attributes:
        points: for any miss; or `bands`, of which the worst one reached counts. Exactly one of the two.
        repeat_factor: by how much they are multiplied where the clause was missed in one of the periods before too.
        repeat_within: how many periods before are looked at.
        first: a miss that is no repeat `counts`, or is only a `warning` without points.
    """

    scale: Literal["points"]
    points: int | None = Field(default=None, ge=1, le=1000)
    bands: tuple[PointBand, ...] = ()
    repeat_factor: int = Field(default=1, ge=1, le=100)
    repeat_within: int = Field(default=1, ge=1, le=24)
    first: Literal["counts", "warning"] = "counts"

    @property
    def looks_back(self) -> int:
        """How many periods before matter to this one; 0 where a repeat changes nothing."""
        return self.repeat_within if self.repeat_factor > 1 or self.first == "warning" else 0

    @model_validator(mode="after")
    def _one_measure(self) -> Self:
        if (self.points is None) == (not self.bands):
            raise ValueError('needs points = 2, or bands = [{ below = "0.99", points = 1 }, …], one of the two')
        return self


class Threshold(Table):
    """What is due from so many points on."""

    from_points: int = Field(ge=1)
    amount: Money


class PointsTable(Table):
    """What points cost: so much each, or by thresholds of which the highest one reached counts. One of the two.

    Attributes:
        each: for every point.
        free: the first so many points of a window cost nothing.
        over: the points of this period and of the ones before it, so many periods together, count towards `free` and
            `thresholds`. What the points before had brought about already is not asked again.
    """

    each: Money | None = None
    thresholds: tuple[Threshold, ...] = ()
    free: int = Field(default=0, ge=0)
    over: int = Field(default=1, ge=1, le=24)

    @model_validator(mode="after")
    def _one_price(self) -> Self:
        if (self.each is None) == (not self.thresholds):
            raise ValueError(
                'needs each = "1% of monthly-fee", or thresholds = [{ from_points = 5, amount = "EUR 1000" }, …], one '
                "of the two"
            )
        if self.free and self.thresholds:
            raise ValueError(
                "has thresholds, which say themselves from how many points on something is due; take free out"
            )
        return self


SanctionRule = Annotated[PerUnit | Bands | Fixed | Daily | Points, Field(discriminator="scale")]
SCALES = ("per-unit", "bands", "fixed", "daily", "points")
_RULE: TypeAdapter[PerUnit | Bands | Fixed | Daily | Points] = TypeAdapter(SanctionRule)


def is_rule(table: object) -> bool:
    """Whether a table of the file is a sanction without mistakes."""
    try:
        _RULE.validate_python(table)
    except ValidationError:
        return False
    return True


class _OrItsName:
    """In the published schema a sanction may be the name of one; a contract has it replaced before it is read."""

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": [{"type": "string", "description": "a name under version.sanctions"}, handler(schema)]}


SanctionOrName = Annotated[SanctionRule | None, _OrItsName()]


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
