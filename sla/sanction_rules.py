"""What a missed clause costs, as a contract writes it: scales, their bounds, and the caps over them."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated, Literal, Self

from pydantic import (
    Field,
    PlainValidator,
    model_validator,
)

from sla.contract_text import AT_LEAST_ONE, Boundary, Money, Ratio, Table, length_us, number_schema


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
    unit: Annotated[str, PlainValidator(lambda v: _unit(v)), number_schema("0.001")]
    amount: Money
    minimum: Money | None = None
    maximum: Money | None = None
    boundary: Boundary = "certain"


_MOST_COUNTED = 1000  # the shortest length of time is a millisecond, so a smaller `above` is a number


class Band(Table):
    """One step of `bands`: reached when the figure lies below a ratio, or above a length of time or number."""

    below: Ratio | None = None
    above: Annotated[int, PlainValidator(lambda v: _count_or_length(v)), number_schema("4h")] | None = None
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
    bands: Annotated[tuple[Band, ...], AT_LEAST_ONE]
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
