"""How values of the house become JSON text in a column, and come back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")


def text_of(value: object) -> str:
    """JSON of plain values, ASCII only, so that no engine meets a character it cannot hold."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"), sort_keys=isinstance(value, Mapping))


def storable(text: str) -> str:
    """Text that both engines can hold: PostgreSQL refuses NUL, and lone surrogates are no UTF-8 at all."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def value_text(adapter: TypeAdapter[T], value: T) -> str:
    """JSON of one of our frozen values, without what stands at its default."""
    return text_of(adapter.dump_python(value, mode="json", exclude_defaults=True))


def value_of(adapter: TypeAdapter[T], text: str) -> T:
    return adapter.validate_json(text)
