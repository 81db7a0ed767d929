"""Looks into PromQL: which series an expression selects, and inside which functions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import promql_parser as promql

from dashboards.build import filled_in


@dataclass(frozen=True, slots=True)
class Selected:
    """One selector: the metric, label -> matched value, and the functions around it, innermost first."""

    metric: str
    matchers: dict[str, str]
    functions: tuple[str, ...]


def selected_in(expr: str) -> tuple[Selected, ...]:
    """Every selector of the expression; ValueError where it is not PromQL."""
    return tuple(_walk(promql.parse(filled_in(expr)), ()))


def _walk(node: object, functions: tuple[str, ...]) -> Iterator[Selected]:
    match node:
        case promql.VectorSelector():
            yield Selected(node.name, {m.name: m.value for m in node.matchers.matchers}, functions)
        case promql.MatrixSelector():
            yield from _walk(node.vector_selector, functions)
        case promql.Call():
            for argument in node.args:
                yield from _walk(argument, (node.func.name, *functions))
        case promql.AggregateExpr() | promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
            yield from _walk(node.expr, functions)
        case promql.BinaryExpr():
            yield from _walk(node.lhs, functions)
            yield from _walk(node.rhs, functions)
        case _:
            assert isinstance(node, promql.NumberLiteral | promql.StringLiteral), type(node)
