"""Sanctions that a version names once, such as those of the law, put in the place of their names in its clauses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from pydantic_core import InitErrorDetails

from sla.contract_text import Amount, Table
from sla.sanction_rules import Bands, PointsTable, Terms, is_rule


def with_named_sanctions(version: Any) -> tuple[Any, list[InitErrorDetails]]:
    """A version's table as a file has it, with each sanction in place of its name, and what is wrong about them."""
    clauses = version.get("clause") if isinstance(version, dict) else None
    if not isinstance(clauses, list | tuple):
        return version, []
    named = version.get("sanctions", {})
    known: Mapping[str, Any] = named if isinstance(named, dict) else {}
    problems: list[InitErrorDetails] = []
    filled = []
    for i, clause in enumerate(clauses):
        rule = clause.get("sanction") if isinstance(clause, dict) else None
        if isinstance(rule, str):
            if rule not in known:
                listed = ", ".join(sorted(map(str, known))) or "none"
                problems.append(
                    _problem(
                        i,
                        rule,
                        f'clause {clause.get("id")} names the sanction "{rule}"; known: {listed}. Add '
                        f"[version.sanctions.{rule}], or write the sanction itself here",
                    )
                )
            # A table with mistakes is told of once, at its own place in the file.
            found = known.get(rule)
            rule = {"name": rule, **found} if isinstance(found, dict) and is_rule(found) else None
            clause = {**clause, "sanction": rule}
        if isinstance(rule, dict) and rule.get("scale") == "points" and version.get("points") is None:
            problems.append(
                _problem(
                    i,
                    rule,
                    f"clause {clause.get('id')} gives points, but nothing says what they cost; add [version.points] "
                    'with each = "1% of monthly-fee", or with thresholds',
                )
            )
        if isinstance(rule, dict) and rule.get("scale") == "points" and "rolling" in str(clause.get("period", "")):
            problems.append(
                _problem(
                    i,
                    rule,
                    f"clause {clause.get('id')} gives points over rolling days, in which no repeat is counted; write "
                    'period = "month", "quarter" or "year"',
                )
            )
        filled.append(clause)
    return {**version, "clause": filled}, problems


def _problem(index: int, value: object, what: str) -> InitErrorDetails:
    where: tuple[int | str, ...] = ("clause", index, "sanction")
    return InitErrorDetails(type="value_error", loc=where, input=value, ctx={"error": ValueError(what)})


def never_in_force(rule: Terms, first: date, last: date) -> str:
    """Why a sanction is in force on no day from the first up to the last; empty where it is."""
    since, until = rule.valid_from, rule.valid_until
    if (since is None or since <= last) and (until is None or until >= first):
        return ""
    return f"is in force from {since or '…'} up to and including {until or '…'}, on no day of this version"


def amounts(table: Table | None) -> Iterator[Amount]:
    """Every amount that a cap, a sanction or a table of points names."""
    if table is None:
        return
    inner = table.bands if isinstance(table, Bands) else table.thresholds if isinstance(table, PointsTable) else ()
    for part in (table, *inner):
        yield from (value for _, value in part if isinstance(value, Amount))
