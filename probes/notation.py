"""How a definition is written: lengths of time, ids, texts with templates, and expressions that must parse.

Pydantic refuses what is wrong when the file is read, so nobody checks it again. Lengths of time are written as
`"250ms"`, `"10s"`, `"5m"`, `"2h"`, `"1d"` and held as integer microseconds.
"""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

import jmespath
import parsel
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

UNITS_US = {"ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}
_PLACEHOLDER = re.compile(r"\{\{.*?\}\}")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")


def duration_us(value: object) -> object:
    """`"1.5s"` as 1 500 000 microseconds. Anything else is left for pydantic to refuse."""
    if isinstance(value, str):
        match = _DURATION.fullmatch(value.strip())
        if match is None:
            raise ValueError('is not a length of time; write a number and a unit, such as "30s", "5m" or "250ms"')
        number, unit = match.groups()
        whole, _, fraction = number.partition(".")
        scale = UNITS_US[unit]
        return int(whole) * scale + (int(fraction) * scale // 10 ** len(fraction) if fraction else 0)
    if isinstance(value, int | float):
        raise ValueError('needs a unit: write it as text, such as "30s", "5m" or "250ms"')
    return value


def _sample(template: str) -> str:
    """The text with something harmless in the place of each `{{ name }}`, for checking what is around it."""
    return _PLACEHOLDER.sub("x", template)


def _compiles(pattern: str) -> str:
    try:
        re.compile(_sample(pattern))
    except re.error as error:
        raise ValueError(f"is not a regular expression: {error}") from error
    return pattern


def _selects(selector: str) -> str:
    try:
        parsel.csstranslator.HTMLTranslator().css_to_xpath(_sample(selector))
    except Exception as error:
        raise ValueError(f"is not a CSS selector: {error}") from error
    return selector


def _queries(expression: str) -> str:
    try:
        jmespath.compile(_sample(expression))
    except Exception as error:
        raise ValueError(f"is not a JMESPath expression: {error}") from error
    return expression


def http_url(value: str) -> str:
    """The address of a site. Raises ValueError where it is none, or holds more than that."""
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError('is not the address of a site; write it as "https://loket.example"')
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("holds more than scheme, host, port and path; credentials belong to secrets")
    return value


Duration = Annotated[int, BeforeValidator(duration_us), Field(gt=0)]
BaseUrl = Annotated[str, AfterValidator(http_url)]
Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=60)]
Regex = Annotated[str, BeforeValidator(lambda v: _compiles(v) if isinstance(v, str) else v)]
Css = Annotated[str, BeforeValidator(lambda v: _selects(v) if isinstance(v, str) else v)]
JmesPath = Annotated[str, BeforeValidator(lambda v: _queries(v) if isinstance(v, str) else v)]


def _many(value: object) -> object:
    return value if isinstance(value, list | tuple) else (value,)


one_or_many = BeforeValidator(_many)
Texts = Annotated[tuple[str, ...], one_or_many]


class Definition(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Title(Definition):
    """A name for people, in both languages of the house."""

    nl: str = Field(min_length=1)
    en: str = Field(min_length=1)
