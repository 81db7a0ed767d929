"""Steps that several journeys share, and steps repeated over a list, put in their place; each keeps its line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from monitor.toml_file import Document, Loc, Origins, Problem
from probes.loops import repeated, rounds


def known_fragments(items: list[Any], origins: Origins, problems: list[Problem]) -> dict[str, Fragment]:
    """The fragments by id; what is wrong with one is added to the problems."""
    return dict(_by_id(items, origins, problems))


def put_steps(
    kind: str, journeys: list[Any], known: Mapping[str, Fragment], origins: Origins, problems: list[Problem]
) -> None:
    """Replaces the steps of each journey by all that are taken, in their order.

    Args:
        kind: name of the list in the tree, such as `journey`.
        journeys: tables as read; those that are none are left for later checks to refuse.
        problems: what is wrong is added here.
    """
    for number, journey in enumerate(journeys):
        if isinstance(journey, dict) and isinstance(journey.get("step"), list):
            document, base = origins.moved[(kind, number)]
            taken: list[Any] = []
            for step in _taken(journey["step"], document, (*base, "step"), known, problems):
                origins.moved[(kind, number, "step", len(taken))] = (step.document, step.loc)
                taken.append(step.table)
            journeys[number] = {**journey, "step": taken}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    """A step as it is taken, and where it is written."""

    table: Any
    document: Document
    loc: Loc


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """Steps with an id, and where they are written."""

    steps: tuple[Any, ...]
    document: Document
    loc: Loc


def _by_id(items: list[Any], origins: Origins, problems: list[Problem]) -> Iterator[tuple[str, Fragment]]:
    seen: set[str] = set()
    for index, item in enumerate(items):
        if not isinstance(item, dict) or set(item) != {"id", "step"} or not isinstance(item["step"], list):
            problems.append(
                origins.problem(("fragment", index), "is not a fragment", "It has an id and a list of steps.")
            )
        elif item["id"] in seen:
            problems.append(
                origins.problem(("fragment", index, "id"), f'"{item["id"]}" is there twice', "Give each its own id.")
            )
        else:
            seen.add(item["id"])
            document, loc = origins.moved[("fragment", index)]
            yield item["id"], Fragment(steps=tuple(item["step"]), document=document, loc=(*loc, "step"))


def _taken(
    steps: list[Any], document: Document, base: Loc, known: Mapping[str, Fragment], problems: list[Problem]
) -> Iterator[_Taken]:
    for index, step in enumerate(steps):
        place: Loc = (*base, index)
        if not isinstance(step, dict) or "use" not in step:
            yield from _rounds(step, document, place, problems)
        elif not set(step) <= {"use", "each", "with"}:
            mend = "Beside use it may have each and with. Put other keys in a step of their own."
            problems.append(document.problem((*place, "use"), "a step with use has nothing else", mend))
        elif step["use"] not in known:
            names = ", ".join(sorted(known)) or "none"
            problems.append(
                document.problem((*place, "use"), f'there is no fragment "{step["use"]}"', f"Known fragments: {names}.")
            )
        else:
            yield from _used(step, document, place, known[step["use"]], problems)


def _used(
    step: dict[str, Any], document: Document, place: Loc, fragment: Fragment, problems: list[Problem]
) -> Iterator[_Taken]:
    """A fragment's steps, once for each value of `each`: all of them with the first value, then with the second."""
    given = step.get("with", {})
    if not isinstance(given, Mapping):
        problems.append(document.problem((*place, "with"), "is not a table", 'Write with = { name = "value" }.'))
        return
    try:
        turns = rounds(step["each"]) if "each" in step else (None,)
    except ValueError as error:
        problems.append(document.problem((*place, "each"), str(error), _EACH))
        return
    for turn in turns:
        for position, part in enumerate(fragment.steps):
            for taken in _rounds(part, fragment.document, (*fragment.loc, position), problems):
                table = taken.table
                if isinstance(table, dict) and given and isinstance(table.get("with", {}), Mapping):
                    table = {**table, "with": {**table.get("with", {}), **given}}
                if isinstance(table, dict) and turn is not None:
                    table = turn.step(table)
                yield _Taken(table=table, document=taken.document, loc=taken.loc)


_EACH = 'Write each = { name = "gemeente", of = ["Gent", "Brugge"] }.'


def _rounds(step: Any, document: Document, place: Loc, problems: list[Problem]) -> Iterator[_Taken]:
    if not isinstance(step, dict):
        yield _Taken(table=step, document=document, loc=place)
        return
    try:
        tables = tuple(repeated(step))
    except ValueError as error:
        problems.append(document.problem((*place, "each"), str(error), _EACH))
        return
    for table in tables:
        yield _Taken(table=table, document=document, loc=place)
