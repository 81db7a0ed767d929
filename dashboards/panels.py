"""One panel of a dashboard in Grafana's classic JSON. `panel_kinds.py` makes those we use, `board.py` sets them out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Json = Mapping[str, object]

#: Every query goes to the data source chosen on the dashboard.
DATASOURCE: Json = {"type": "prometheus", "uid": "${datasource}"}
_SELECTORS = {
    "{JOB": '{job=~"$job"',
    "{JOURNEY": '{job=~"$job", journey=~"$journey"',
    "{CLAUSE": '{job=~"$job", contract=~"$contract", clause=~"$clause"',
    "{CONTRACT": '{job=~"$job", contract=~"$contract"',
}


def selected(expression: str) -> str:
    """The expression with `{JOB}`, `{JOURNEY}`, `{CONTRACT}` and `{CLAUSE}` spelled out as Grafana's variables."""
    for short, long in _SELECTORS.items():
        expression = expression.replace(short + "}", long + "}").replace(short + ",", long + ",")
    return " ".join(expression.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One PromQL query of a panel.

    Attributes:
        legend: how a series is called; `{{label}}` is filled in by Grafana.
        instant: only the value at the end of the time range.
        table: as rows with one column a label, always instant.
    """

    expr: str
    legend: str = ""
    instant: bool = False
    table: bool = False

    def json(self, ref: str) -> Json:
        once = self.instant or self.table
        return {
            "datasource": DATASOURCE,
            "editorMode": "code",
            "expr": selected(self.expr),
            "format": "table" if self.table else "time_series",
            "instant": once,
            "legendFormat": self.legend or "__auto",
            "range": not once,
            "refId": ref,
        }


@dataclass(frozen=True, slots=True)
class Step:
    """From `value` on (None: from the beginning) the colour applies."""

    color: str
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Word:
    """A value that is shown as a word with its colour, so that colour is never the only signal."""

    value: int
    text: str
    color: str


@dataclass(frozen=True, slots=True)
class Link:
    """Offered on every series; Grafana fills in its labels and the time range."""

    title: str
    address: str


#: Without a threshold: nothing is coloured by its value.
PLAIN = (Step("text"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel.

    Attributes:
        unit: Grafana's unit id; `none` for states.
        width: in 24ths of the dashboard.
        options, custom: how its kind is drawn, in Grafana's own words.
        no_value: shown when the query answers nothing; an empty panel must never look like a good one.
        interval: shortest step of the query, e.g. `1m`; empty for the data source's own.
        repeat: name of a variable; one panel for each of its values.
        columns: for tables: label or `Value #A` -> heading; all others are hidden.
        column_units: heading -> unit.
    """

    kind: Literal["stat", "timeseries", "state-timeline", "table", "bargauge"]
    title: str
    description: str
    queries: tuple[Query, ...]
    unit: str
    width: int
    options: Json
    custom: Json = field(default_factory=dict)
    thresholds: tuple[Step, ...] = PLAIN
    words: tuple[Word, ...] = ()
    no_value: str = "No data"
    decimals: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    interval: str = ""
    links: tuple[Link, ...] = ()
    repeat: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    column_units: Mapping[str, str] = field(default_factory=dict)

    def json(self, number: int, *, x: int, y: int, height: int) -> Json:
        defaults: dict[str, object] = {
            "color": {"mode": "palette-classic" if self.thresholds == PLAIN and not self.words else "thresholds"},
            "custom": self.custom,
            "links": [{"title": link.title, "url": link.address} for link in self.links],
            "mappings": self._mappings(),
            "noValue": self.no_value,
            "thresholds": {
                "mode": "absolute",
                "steps": [{"color": step.color, "value": step.value} for step in self.thresholds],
            },
            "unit": self.unit,
        }
        bounds = {"decimals": self.decimals, "min": self.minimum, "max": self.maximum}
        defaults.update({key: value for key, value in bounds.items() if value is not None})
        panel: dict[str, object] = {
            "datasource": DATASOURCE,
            "description": self.description,
            "fieldConfig": {"defaults": defaults, "overrides": self._overrides()},
            "gridPos": {"h": height, "w": self.width, "x": x, "y": y},
            "id": number,
            "options": self.options,
            "targets": [query.json(chr(ord("A") + i)) for i, query in enumerate(self.queries)],
            "title": self.title,
            "type": self.kind,
        }
        if self.interval:
            panel["interval"] = self.interval
        if self.repeat:
            panel.update({"repeat": self.repeat, "repeatDirection": "h", "maxPerRow": 24 // self.width})
        if self.columns:
            panel["transformations"] = self._transformations()
        return panel

    def _mappings(self) -> list[Json]:
        if not self.words:
            return []
        options = {
            str(word.value): {"color": word.color, "index": i, "text": word.text} for i, word in enumerate(self.words)
        }
        return [{"type": "value", "options": options}]

    def _overrides(self) -> list[Json]:
        return [
            {"matcher": {"id": "byName", "options": name}, "properties": [{"id": "unit", "value": unit}]}
            for name, unit in self.column_units.items()
        ]

    def _transformations(self) -> list[Json]:
        order = {name: index for index, name in enumerate(self.columns)}
        return [
            {"id": "merge", "options": {}},
            {"id": "filterFieldsByName", "options": {"include": {"names": list(self.columns)}}},
            {
                "id": "organize",
                "options": {"excludeByName": {}, "indexByName": order, "renameByName": {**self.columns}},
            },
        ]
