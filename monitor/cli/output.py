"""How the command line speaks: exit codes, streams, tables."""

from __future__ import annotations

import json
import sys
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console


class Exit(IntEnum):
    FINE = 0
    BAD_NEWS = 1
    USAGE = 2
    CONFIG = 3
    FAILED = 4
    INTERRUPTED = 130


class CommandError(Exception):
    """A command could not do what was asked; the message says why and how to mend it."""

    def __init__(self, message: str, code: Exit = Exit.FAILED) -> None:
        super().__init__(message)
        self.code = code


ConfigPath = Annotated[Path, Parameter(name=["--config", "-c"], help="The configuration file.")]
Json = Annotated[bool, Parameter(name="--json", negative="", help="Answer as JSON on standard output.")]

DEFAULT_CONFIG = Path("config.toml")


def people() -> Console:
    """Where people read; tables and colours only on a terminal, and no colours under NO_COLOR."""
    console = Console(stderr=True, highlight=False)
    return console if console.is_terminal else Console(stderr=True, highlight=False, width=160)


def say(text: str) -> None:
    """A line for people."""
    print(text, file=sys.stderr)


def plugin_line(text: str) -> str:
    """A text as a plugin host may read it: a bar would begin the figures, a line break the long text."""
    return " ".join(text.replace("|", "/").split())


def answer(value: Any) -> None:
    """A value for programs."""
    print(json.dumps(value, ensure_ascii=False, indent=2))
