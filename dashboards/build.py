"""Writes the Grafana dashboards: `python -m dashboards.build`. With `--check`: are the committed files up to date?"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dashboards.board import ANNOTATIONS, text_of
from dashboards.boards.certificates import CERTIFICATES
from dashboards.boards.journey import JOURNEY
from dashboards.boards.monitor import MONITOR
from dashboards.boards.overview import OVERVIEW
from dashboards.boards.sla import SLA
from dashboards.panels import selected

FOLDER = Path(__file__).parent / "grafana"
#: File name (without .json) -> dashboard.
BOARDS = {"overview": OVERVIEW, "journey": JOURNEY, "sla": SLA, "certificates": CERTIFICATES, "monitor": MONITOR}


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """One PromQL expression of a dashboard, with Grafana's variables (`$job`, `$__range`, ...) still in it.

    Attributes:
        legend: names the labels its answer must have, as `{{label}}`; empty where none is shown.
        instant: asked for one moment only; otherwise over the time range.
    """

    board: str
    panel: str
    ref: str
    expr: str
    legend: str
    instant: bool


def expressions() -> tuple[Expression, ...]:
    """Every expression of every dashboard, those of the annotations too."""
    found = [
        Expression(
            board=name,
            panel=panel.title,
            ref=chr(ord("A") + number),
            expr=selected(query.expr),
            legend=query.legend,
            instant=query.instant or query.table,
        )
        for name, board in BOARDS.items()
        for panel in board.panels()
        for number, query in enumerate(panel.queries)
    ]
    found.extend(
        Expression(board="annotations", panel=str(a["name"]), ref="A", expr=str(a["expr"]), legend="", instant=False)
        for a in ANNOTATIONS
    )
    return tuple(found)


def filled_in(expr: str, values: Mapping[str, str] | None = None) -> str:
    """The expression as Grafana would send it: variables match everything unless `values` says otherwise."""
    known = {
        "__rate_interval": "2m",
        "__interval": "1m",
        "__range": "6h",
        "job": ".+",
        "journey": ".+",
        "step": ".+",
        "contract": ".+",
        "clause": ".+",
        **(values or {}),
    }
    for name in sorted(known, key=len, reverse=True):
        expr = expr.replace("$" + name, known[name])
    return expr


def stale(folder: Path = FOLDER) -> tuple[str, ...]:
    """Names of files in `folder` that differ from what would be written, are missing, or belong to no dashboard."""
    wanted = {f"{name}.json": text_of(board) for name, board in BOARDS.items()}
    there = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    return tuple(sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name)))


def write(folder: Path = FOLDER) -> None:
    """Write every dashboard into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, board in BOARDS.items():
        (folder / f"{name}.json").write_text(text_of(board), encoding="utf-8")


def main(arguments: Sequence[str]) -> int:
    """0 fine, 1 stale files with `--check`, 2 usage."""
    if list(arguments) not in ([], ["--check"]):
        print("usage: python -m dashboards.build [--check]", file=sys.stderr)
        return 2
    if not arguments:
        write()
        return 0
    old = stale()
    for name in old:
        print(f"dashboards/grafana/{name} is not what the generator writes: run python -m dashboards.build")
    return 1 if old else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
