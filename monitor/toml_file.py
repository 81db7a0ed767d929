"""Reads a TOML file into checked values, and says of every problem where it stands: file, line, column.

tomllib gives positions only for syntax errors, so tree-sitter reads the same text once more for the places of its keys.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar, get_args

import tree_sitter_toml
from pydantic import BaseModel, ValidationError
from tree_sitter import Language, Node, Parser

Loc = tuple[str | int, ...]
_TOML = Language(tree_sitter_toml.language())


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong in a file: where, what, and how to mend it. Lines and columns count from 1."""

    file: str
    line: int
    column: int
    key: str
    what: str
    mend: str = ""
    source: str = ""

    def __str__(self) -> str:
        head = f"{self.file}:{self.line}:{self.column}: {self.key + ': ' if self.key else ''}{self.what}"
        return "\n".join(
            [head, *([f"    | {self.source}"] if self.source else []), *([f"    {self.mend}"] if self.mend else [])]
        )


class ConfigError(Exception):
    """What the operator wrote cannot be: every problem at once."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__(f"{count}:\n" + "\n".join(str(p) for p in problems))


def unusable(path: Path, what: str) -> ConfigError:
    """What is wrong with a file as a whole, or with one that it names."""
    return ConfigError((Problem(file=path.name, line=1, column=1, key="", what=what),))


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A TOML file as read: its values, its text, and the place of each of its keys."""

    path: Path
    name: str
    data: dict[str, Any]
    lines: tuple[str, ...]
    places: Mapping[Loc, tuple[int, int]]

    def place(self, loc: Loc) -> tuple[int, int]:
        """Line and column of the key, or of the nearest thing around it."""
        while loc and loc not in self.places:
            loc = loc[:-1]
        return self.places.get(loc, (1, 1))

    def problem(self, loc: Loc, what: str, mend: str = "") -> Problem:
        line, column = self.place(loc)
        source = self.lines[line - 1].strip() if line <= len(self.lines) else ""
        return Problem(
            file=self.name, line=line, column=column, key=dotted(loc), what=what, mend=mend, source=_shown(source)
        )


@dataclass(slots=True)
class Origins:
    """Where parts of a merged tree came from: the longest known prefix of a path decides."""

    root: Document
    moved: dict[Loc, tuple[Document, Loc]] = field(default_factory=dict)

    def problem(self, loc: Loc, what: str, mend: str = "") -> Problem:
        for length in range(len(loc), 0, -1):
            if origin := self.moved.get(loc[:length]):
                document, base = origin
                return document.problem(base + loc[length:], what, mend)
        return self.root.problem(loc, what, mend)


def dotted(loc: Loc) -> str:
    """`("journey", 0, "step")` as `journey[1].step`; people count from one."""
    text = ""
    for part in loc:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def read(path: Path, *, name: str | None = None) -> Document:
    """Read a file and the places in it.

    Raises:
        ConfigError: it is not there, not UTF-8, or not TOML.
    """
    name = name or str(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        why = error.strerror or str(error)
        problem = Problem(
            file=name,
            line=1,
            column=1,
            key="",
            what=f"cannot be read: {why}",
            mend="Check the path and its permissions.",
        )
        raise ConfigError((problem,)) from error
    try:
        text = raw.decode("utf-8")
        data = tomllib.loads(text, parse_float=Decimal)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        problem = Problem(
            file=name, line=line, column=1, key="", what="is not UTF-8 text", mend="Save the file as UTF-8."
        )
        raise ConfigError((problem,)) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError((_syntax_problem(name, text, error),)) from error
    lines = tuple(text.splitlines())
    return Document(path=path, name=name, data=data, lines=lines, places=_places(text.encode()))


_Model = TypeVar("_Model", bound=BaseModel)


def check(model: type[_Model], data: dict[str, Any], origins: Origins) -> _Model:
    """Build a value from a merged tree.

    Raises:
        ConfigError: every problem pydantic found, each with its place.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise ConfigError(problems(error, model, origins.problem)) from error


def problems(
    error: ValidationError, model: type[BaseModel], locate: Callable[[Loc, str, str], Problem]
) -> tuple[Problem, ...]:
    """The findings of pydantic in the house's words, in the order of the file, each once."""
    found: dict[tuple[str, int, int, str], Problem] = {}
    findings = error.errors(include_url=False, include_context=False)
    for item in findings:
        if item["type"] == "too_short" and any(
            len(o["loc"]) > len(item["loc"]) and o["loc"][: len(item["loc"])] == item["loc"] for o in findings
        ):
            continue  # its items were refused, so pydantic counts none: told once is enough
        loc = tuple(part for part in item["loc"] if not (isinstance(part, str) and "[" in part and "]" in part))
        what, mend = _in_words(item["type"], item["msg"], loc, item.get("input"), model)
        problem = locate(loc, what, mend)
        found.setdefault((problem.file, problem.line, problem.column, problem.what), problem)
    return tuple(sorted(found.values(), key=lambda p: (p.file, p.line, p.column)))


def _in_words(kind: str, message: str, loc: Loc, value: object, model: type[BaseModel]) -> tuple[str, str]:
    last = str(loc[-1]) if loc else ""
    if kind == "extra_forbidden":
        names = sorted(_keys_at(model, loc[:-1]))
        close = difflib.get_close_matches(last, names, n=1)
        known = f"Known keys here: {', '.join(names)}." if names else "Remove it."
        return "unknown key", f'Did you mean "{close[0]}"? {known}' if close else known
    if kind == "missing":
        return f'the key "{last}" is missing', f'Add "{last} = …" here.'
    if kind in ("value_error", "assertion_error"):
        text = message.split(", ", 1)[1] if message.startswith(("Value error, ", "Assertion failed, ")) else message
        shown = (
            f"{_shown(repr(value))} " if isinstance(value, str | int | Decimal) and not isinstance(value, bool) else ""
        )
        return f"{shown}{text.splitlines()[0].rstrip(': ')}", ""
    shown = _shown(repr(value)) if not isinstance(value, dict | list | tuple) else f"a {_kind(value)}"
    return f"{shown} cannot be", message[:1].upper() + message[1:] + "."


def _kind(value: object) -> str:
    return "table" if isinstance(value, dict) else "list"


def _shown(text: str) -> str:
    return text if len(text) <= 110 else text[:107] + "..."


def _keys_at(model: type[BaseModel], loc: Loc) -> set[str]:
    """The keys that the table at this place may have, as they are written in TOML."""
    models = {model}
    for part in loc:
        if isinstance(part, int):
            continue
        found: set[type[BaseModel]] = set()
        for candidate in models:
            for name, info in candidate.model_fields.items():
                if part in (name, info.alias):
                    found |= set(_models_in(info.annotation))
        # A part that names no field is a key of a mapping or a tag of a union: the models stay the same.
        models = found or models
    return {info.alias or name for candidate in models for name, info in candidate.model_fields.items()}


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)


def _syntax_problem(name: str, text: str, error: tomllib.TOMLDecodeError) -> Problem:
    # tomllib tells the place only in words on Python 3.11: "... (at line 3, column 5)" or "(at end of document)".
    message = str(error)
    line, column = len(text.splitlines()) or 1, 1
    words = message.rpartition("(at line ")[2]
    if words != message and ", column " in words:
        first, _, second = words.rstrip(")").partition(", column ")
        line, column = int(first), int(second)
    what = message.partition(" (at ")[0]
    lines = text.splitlines()
    source = lines[line - 1].strip() if 0 < line <= len(lines) else ""
    return Problem(
        file=name,
        line=line,
        column=column,
        key="",
        what=f"not TOML: {what}",
        mend="Mend the syntax at this place.",
        source=_shown(source),
    )


def _places(text: bytes) -> dict[Loc, tuple[int, int]]:
    places: dict[Loc, tuple[int, int]] = {}
    counts: dict[Loc, int] = {}

    def keys(node: Node) -> list[str]:
        if node.type == "dotted_key":
            return [key for child in node.named_children for key in keys(child)]
        raw = text[node.start_byte : node.end_byte].decode()
        if node.type == "quoted_key":
            return [next(iter(tomllib.loads(f"{raw} = 0")))]
        return [raw]

    def put(loc: Loc, node: Node) -> None:
        row = node.start_point[0]
        start = node.start_byte - node.start_point[1]
        column = len(text[start : node.start_byte].decode(errors="replace"))
        places.setdefault(loc, (row + 1, column + 1))

    def anchored(parts: list[str]) -> Loc:
        # A header such as [a.b] below [[a]] speaks of the newest element of a.
        loc: Loc = ()
        for part in parts:
            loc = (*loc, part)
            if loc in counts:
                loc = (*loc, counts[loc])
        return loc

    def value(node: Node, loc: Loc) -> None:
        if node.type == "inline_table":
            for child in node.named_children:
                if child.type == "pair":
                    pair(child, loc)
        elif node.type == "array":
            items = [c for c in node.named_children if c.type != "comment"]
            for index, child in enumerate(items):
                put((*loc, index), child)
                value(child, (*loc, index))

    def pair(node: Node, base: Loc) -> None:
        named = [c for c in node.named_children if c.type != "comment"]
        if len(named) < 2:
            return
        loc = base
        for part in keys(named[0]):
            loc = (*loc, part)
            put(loc, named[0])
        value(named[1], loc)

    for node in Parser(_TOML).parse(text).root_node.named_children:
        if node.type == "pair":
            pair(node, ())
        elif node.type in ("table", "table_array_element"):
            named = [c for c in node.named_children if c.type != "comment"]
            parts = keys(named[0])
            if node.type == "table_array_element":
                parent = (*anchored(parts[:-1]), parts[-1])
                counts[parent] = counts.get(parent, -1) + 1
                base: Loc = (*parent, counts[parent])
                # Whatever stood below an older element of the same name starts counting anew.
                for stale in [k for k in counts if len(k) > len(base) and k[: len(base)] == base]:
                    del counts[stale]
                put(parent, named[0])
            else:
                base = anchored(parts)
            put(base, named[0])
            for child in named[1:]:
                if child.type == "pair":
                    pair(child, base)
    return places
