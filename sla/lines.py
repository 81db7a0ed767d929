"""Lines of JSON or CSV as fields, each checked as it is read; what is wrong is told with its line."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import chain
from typing import Any

from sla.period import parse_instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong with a line and how to mend it. `line` counts from 1; 0 speaks of the whole file."""

    name: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.name}:{self.line}: {self.text}" if self.line else f"{self.name}: {self.text}"


class LineError(ValueError):
    """What is wrong with one line."""


def records_of(lines: Iterable[str], name: str, problems: list[Problem]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The number and fields of each line, one by one: JSON Lines, or CSV where the first line begins with no brace.

    Args:
        problems: what is wrong with a line is added here, and the line left out.
    """
    numbered = ((i, line) for i, line in enumerate(lines, start=1) if line.strip().lstrip("\ufeff"))
    first = next(numbered, None)
    if first is None:
        return
    if not first[1].lstrip("\ufeff \t").startswith("{"):
        yield from _csv_records(first[1], numbered, name, problems)
        return
    for number, line in chain((first,), numbered):
        try:
            record = json.loads(line.lstrip("\ufeff"), parse_float=Decimal, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            problems.append(Problem(name=name, line=number, text=f"is no JSON ({error}); write one object a line"))
            continue
        if isinstance(record, dict):
            yield number, record
        else:
            problems.append(Problem(name=name, line=number, text="is no JSON object; write one object a line"))


def _no_constant(text: str) -> object:
    raise ValueError(f"{text} is no number")


def _csv_records(
    header_line: str, numbered: Iterable[tuple[int, str]], name: str, problems: list[Problem]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Empty cells are left out. A cell holds no line breaks, so that rows and lines are the same thing."""
    header = [h.strip() for h in next(csv.reader([header_line.lstrip("\ufeff")]))]
    for number, line in numbered:
        row = next(csv.reader([line]))
        if len(row) != len(header):
            text = f"has {len(row)} columns where the header has {len(header)}; quote commas inside a cell"
            problems.append(Problem(name=name, line=number, text=text))
            continue
        yield number, {key: cell for key, cell in zip(header, row, strict=True) if cell != ""}


def text_in(record: Mapping[str, Any], key: str, default: str | None = None) -> str:
    value = record.get(key, default)
    if not isinstance(value, str) or (default is None and not value):
        raise LineError(f'needs "{key}" as text' if key in record or default is None else f'"{key}" is no text')
    return value


def instant_in(record: Mapping[str, Any], key: str) -> int:
    try:
        return parse_instant(text_in(record, key))
    except LineError:
        raise
    except ValueError as error:
        raise LineError(f'"{key}": {error}') from error


def number_of(value: object, key: str) -> Decimal:
    if isinstance(value, int | str | Decimal) and not isinstance(value, bool):
        try:
            number = Decimal(value)
        except InvalidOperation:
            pass
        else:
            if number.is_finite() and 0 <= number < 10**12:
                return number
    raise LineError(f'"{key}" is {value!r}, which is no number of 0 or more')


def microseconds_in(record: Mapping[str, Any], key: str, unit_us: int) -> int:
    return round(number_of(record.get(key), key) * unit_us)


def one_of(record: Mapping[str, Any], key: str, choices: tuple[str, ...]) -> str:
    value = record.get(key)
    if value not in choices:
        raise LineError(f'"{key}" is {value!r}; write one of {", ".join(choices)}')
    return str(value)


def known_keys(record: Mapping[str, Any], keys: set[str]) -> None:
    unknown = sorted(map(str, record.keys() - keys))
    if unknown:
        raise LineError(f'has the unknown key "{unknown[0]}"; known are {", ".join(sorted(keys))}')


def seconds(us: int) -> int | float:
    """Seconds as a JSON number with up to six decimals: whole ones as integers, others as the nearest float.

    A float holds six decimals exactly enough to print them back up to some 285 years.
    """
    return us // 1_000_000 if us % 1_000_000 == 0 else float(Decimal(us) / 1_000_000)
