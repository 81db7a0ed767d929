"""Which names the templates of a journey may use at each step; what a configuration is checked by when it is read."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from probes.checks import Journey, Step
from probes.templates import TemplateError, key, names_used


@dataclass(frozen=True, slots=True, kw_only=True)
class WiringProblem:
    """A template that can never be filled in.

    Attributes:
        step: index of the step in the journey.
        path: where in the step, as keys and indexes of its TOML, e.g. `("expect", "css", 0, "text")`.
        name: the name that nothing provides; empty where the template itself is broken.
        message: what is wrong and how to mend it.
    """

    step: int
    path: tuple[str | int, ...]
    name: str
    message: str


def wiring_problems(journey: Journey, secrets: Collection[str] | None = None) -> tuple[WiringProblem, ...]:
    """Every template of a journey that uses a name no earlier step captures, no secret and no file provides.

    Args:
        secrets: names that exist at all; None does not check that those the journey lists exist.
    """
    return tuple(_problems(journey, secrets))


def _problems(journey: Journey, secrets: Collection[str] | None) -> Iterator[WiringProblem]:
    known = {"run.id", "run.time"}
    listed = {name for name in journey.secrets if secrets is None or name in secrets}
    known |= {f"secret.{key(name)}" for name in listed}
    forms: dict[str, int] = {}
    for index, step in enumerate(journey.step):
        files = {f"file.{key(part.name)}.{fact}" for part in step.multipart or () if part.size for fact in _FILE_FACTS}
        known |= files
        if step.form_from is not None and step.form_from not in forms:
            yield WiringProblem(
                step=index,
                path=("form_from",),
                name=step.form_from,
                message=f'no earlier step captures "{step.form_from}" with hidden; name one that does',
            )
        for path, text in _texts(step):
            try:
                used = names_used(text)
            except TemplateError as error:
                yield WiringProblem(step=index, path=path, name="", message=str(error))
                continue
            for name in sorted(used):
                if name not in known and not (name.partition(".")[0] in map(key, forms) and "." in name):
                    yield WiringProblem(step=index, path=path, name=name, message=_message(name, known, forms))
        known |= {key(name) for name, capture in step.capture.items() if capture.hidden is None}
        forms |= {name: index for name, capture in step.capture.items() if capture.hidden is not None}


_FILE_FACTS = ("sha256", "size")


def _message(name: str, known: set[str], forms: dict[str, int]) -> str:
    first = name.partition(".")[0]
    if first == "secret":
        return f'there is no secret "{name.partition(".")[2]}" here; list it under secrets and give it a value'
    if name in map(key, forms):
        return f'"{name}" holds all hidden fields of a form; use form_from, or one field as {{{{ {name}.<field> }}}}'
    there = ", ".join(sorted(known))
    return f'nothing provides "{name}" at this step; there are: {there}'


def _texts(step: Step) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every text of a step that is a template, with where it stands."""
    yield ("path",), step.path
    for table in ("query", "headers", "form"):
        for name, text in (getattr(step, table) or {}).items():
            yield (table, name), text
    if step.body is not None:
        yield ("body",), step.body
    yield from _leaves(("json",), step.json_)
    for index, part in enumerate(step.multipart or ()):
        for field in ("name", "text", "file_name"):
            if getattr(part, field) is not None:
                yield ("multipart", index, field), getattr(part, field)
    yield from _leaves(("expect",), step.expect.model_dump(by_alias=True, exclude_unset=True))


def _leaves(path: tuple[str | int, ...], value: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves((*path, str(name)), inner)
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _leaves((*path, index), inner)
