"""One step written once and taken for each value of a small list. Works on tables as TOML gives them. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError, field_validator, model_validator

from probes.notation import Definition, Id

#: The longest list a step may be repeated over.
MOST_ROUNDS = 50


class Each(Definition):
    """A list and the name that stands for its values in templates.

    Attributes:
        of: texts; each must differ from the others by its letters and digits, since steps are named after them.
    """

    name: Id
    of: tuple[str, ...]

    @field_validator("of")
    @classmethod
    def _a_small_list(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if not 1 <= len(values) <= MOST_ROUNDS:
            raise ValueError(f"has {len(values)} values; a step is repeated over 1 to {MOST_ROUNDS} of them")
        return values

    @model_validator(mode="after")
    def _ids_differ(self) -> Each:
        seen: dict[str, str] = {}
        for value in self.of:
            word = _as_id(value)
            if not word:
                raise ValueError(f'has the value "{value}", which has no letter or digit to name a step by')
            if word in seen:
                raise ValueError(f'has "{seen[word]}" and "{value}", which would give two steps the same id')
            seen[word] = value
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One value of a list."""

    name: str
    value: str

    def step(self, table: Mapping[str, Any]) -> dict[str, Any]:
        """The step as it is taken in this round: its id ends in the value, templates know the value by its name."""
        result = dict(table)
        if isinstance(table.get("id"), str):
            result["id"] = f"{table['id']}-{_as_id(self.value)}"
        if isinstance(table.get("title"), Mapping):
            result["title"] = {
                language: f"{text} ({self.value})" if isinstance(text, str) else text
                for language, text in table["title"].items()
            }
        given = table.get("with", {})
        result["with"] = {**given, self.name: self.value} if isinstance(given, Mapping) else given
        return result


def rounds(each: object) -> tuple[Round, ...]:
    """The rounds of a table `each = { name = …, of = […] }`.

    Raises:
        ValueError: saying what is wrong with it.
    """
    try:
        found = Each.model_validate(each)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        text = first["msg"].removeprefix("Value error, ")
        raise ValueError(f"{where}: {text}" if where else text) from error
    return tuple(Round(name=found.name, value=value) for value in found.of)


def repeated(table: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A step once for each value of its `each`; as it is where it has none.

    Raises:
        ValueError: where its `each` is none.
    """
    if "each" not in table:
        yield dict(table)
        return
    bare = {key: value for key, value in table.items() if key != "each"}
    for one in rounds(table["each"]):
        yield one.step(bare)


def _as_id(value: str) -> str:
    """`Sint-Niklaas (Waas)` as `sint-niklaas-waas`."""
    plain = unicodedata.normalize("NFKD", value).encode("ascii", "ignore").decode("ascii").lower()
    return "-".join(re.findall(r"[a-z0-9]+", plain))
