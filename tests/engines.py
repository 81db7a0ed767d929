"""Which engine carries the requests of a test: both in turn, where a test asks for `each_engine`."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Literal

Engine = Literal["own", "httpx"]
ENGINES: tuple[Engine, ...] = ("own", "httpx")

chosen: ContextVar[Engine] = ContextVar("chosen", default="own")
