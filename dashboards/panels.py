"""Grafana's classic dashboard JSON from small values: only what our dashboards use, with the defaults we want."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Json = Mapping[str, object]

#: Every query goes to the data source chosen on the dashboard.
DATASOURCE: Json = {"type": "prometheus", "uid": "${datasource}"}
SCHEMA_VERSION = 39
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


PLAIN = (Step("text"),)
ZERO_IS_GOOD = (Step("green"), Step("red", 1))
YES_IS_GOOD = (Word(1, "Yes", "green"), Word(0, "No", "red"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel. `options` and `custom` are merged over the defaults of its type.

    Attributes:
        unit: Grafana's unit id; `none` for states.
        width: in 24ths of the dashboard.
        no_value: shown when the query answers nothing; an empty panel must never look like a good one.
        interval: shortest step of the query, e.g. `1m`; empty for the data source's own.
        links: title -> address, offered on every series.
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
    thresholds: tuple[Step, ...] = PLAIN
    words: tuple[Word, ...] = ()
    no_value: str = "No data"
    decimals: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    interval: str = ""
    links: Mapping[str, str] = field(default_factory=dict)
    options: Json = field(default_factory=dict)
    custom: Json = field(default_factory=dict)
    repeat: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    column_units: Mapping[str, str] = field(default_factory=dict)

    def json(self, number: int, *, x: int, y: int, height: int) -> Json:
        defaults: dict[str, object] = {
            "color": {"mode": "palette-classic" if self.thresholds == PLAIN and not self.words else "thresholds"},
            "custom": {**_CUSTOM.get(self.kind, {}), **self.custom},
            "links": [{"title": title, "url": url} for title, url in self.links.items()],
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
            "options": {**_OPTIONS[self.kind], **self.options},
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


_LEGEND: Json = {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": True}
_REDUCE: Json = {"calcs": ["lastNotNull"], "fields": "", "values": False}
_OPTIONS: Mapping[str, Json] = {
    "stat": {
        "colorMode": "background_solid",
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "reduceOptions": _REDUCE,
        "textMode": "value_and_name",
        "wideLayout": True,
    },
    "bargauge": {
        "displayMode": "basic",
        "minVizHeight": 16,
        "minVizWidth": 8,
        "namePlacement": "left",
        "orientation": "horizontal",
        "reduceOptions": _REDUCE,
        "showUnfilled": True,
        "sizing": "auto",
        "valueMode": "color",
    },
    "timeseries": {"legend": _LEGEND, "tooltip": {"mode": "multi", "sort": "desc"}},
    "state-timeline": {
        "alignValue": "left",
        "legend": _LEGEND,
        "mergeValues": True,
        "rowHeight": 0.85,
        "showValue": "auto",
        "tooltip": {"mode": "single", "sort": "none"},
    },
    "table": {"cellHeight": "sm", "showHeader": True},
}
_CUSTOM: Mapping[str, Json] = {
    "timeseries": {
        "drawStyle": "line",
        "fillOpacity": 8,
        "lineInterpolation": "linear",
        "lineWidth": 2,
        "showPoints": "never",
        "spanNulls": False,
        "stacking": {"group": "A", "mode": "none"},
        "thresholdsStyle": {"mode": "off"},
    },
    "state-timeline": {"fillOpacity": 80, "lineWidth": 0},
    "table": {"align": "auto", "cellOptions": {"type": "auto"}, "inspect": False},
}
STACKED: Json = {"fillOpacity": 60, "lineWidth": 0, "stacking": {"group": "A", "mode": "normal"}}
BARS: Json = {**STACKED, "drawStyle": "bars", "fillOpacity": 90}
NO_NAME: Json = {"textMode": "value"}
QUIET: Json = {"textMode": "value", "colorMode": "value"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A choice at the top of the dashboard, filled by `label_values(...)`."""

    name: str
    label: str
    query: str
    multi: bool = True

    def json(self) -> Json:
        query = selected(self.query)
        everything: Json = {"allValue": ".+", "current": {"selected": True, "text": ["All"], "value": ["$__all"]}}
        return {
            **(everything if self.multi else {}),
            "datasource": DATASOURCE,
            "definition": query,
            "hide": 0,
            "includeAll": self.multi,
            "label": self.label,
            "multi": self.multi,
            "name": self.name,
            "query": {"query": query, "refId": "StandardVariableQuery"},
            "refresh": 2,
            "sort": 1,
            "type": "query",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Panels beside each other, `height` grid units tall; an optional heading above them."""

    height: int
    panels: tuple[Panel, ...]
    heading: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A whole dashboard. `uid` never changes once shipped: links and bookmarks rest on it."""

    uid: str
    title: str
    description: str
    variables: tuple[Variable, ...]
    lines: tuple[Line, ...]
    since: str = "now-24h"

    def panels(self) -> tuple[Panel, ...]:
        return tuple(panel for line in self.lines for panel in line.panels)

    def json(self) -> Json:
        panels: list[Json] = []
        y = 0
        for line in self.lines:
            if line.heading:
                place = {"h": 1, "w": 24, "x": 0, "y": y}
                panels.append(
                    {
                        "collapsed": False,
                        "gridPos": place,
                        "id": len(panels) + 1,
                        "panels": [],
                        "title": line.heading,
                        "type": "row",
                    }
                )
                y += 1
            x = 0
            for panel in line.panels:
                panels.append(panel.json(len(panels) + 1, x=x, y=y, height=line.height))
                x += panel.width
            if x > 24:
                raise ValueError(f"{self.uid}: the panels of one line are {x} wide, but a dashboard is 24")
            y += line.height
        return {
            "annotations": {"list": [_GRAFANA_ANNOTATIONS, *ANNOTATIONS]},
            "description": self.description,
            "editable": False,
            "fiscalYearStartMonth": 0,
            "graphTooltip": 1,
            "links": [
                {
                    "asDropdown": False,
                    "icon": "external link",
                    "includeVars": False,
                    "keepTime": True,
                    "tags": ["loketwacht"],
                    "targetBlank": False,
                    "title": "Loketwacht",
                    "tooltip": "The other dashboards of Loketwacht",
                    "type": "dashboards",
                    "url": "",
                }
            ],
            "panels": panels,
            "refresh": "1m",
            "schemaVersion": SCHEMA_VERSION,
            "tags": ["loketwacht"],
            "templating": {"list": [_DATASOURCE_VARIABLE, *(v.json() for v in self.variables)]},
            "time": {"from": self.since, "to": "now"},
            "timepicker": {},
            "timezone": "Europe/Brussels",
            "title": self.title,
            "uid": self.uid,
            "version": 1,
            "weekStart": "monday",
        }


_DATASOURCE_VARIABLE: Json = {
    "current": {},
    "hide": 0,
    "includeAll": False,
    "label": "Data source",
    "multi": False,
    "name": "datasource",
    "options": [],
    "query": "prometheus",
    "refresh": 1,
    "regex": "",
    "type": "datasource",
}
_GRAFANA_ANNOTATIONS: Json = {
    "builtIn": 1,
    "datasource": {"type": "grafana", "uid": "-- Grafana --"},
    "enable": True,
    "hide": True,
    "iconColor": "rgba(0, 211, 255, 1)",
    "name": "Annotations & Alerts",
    "type": "dashboard",
}


def _annotation(name: str, expr: str, *, title: str, text: str, color: str, shown: bool) -> Json:
    return {
        "datasource": DATASOURCE,
        "enable": shown,
        "expr": selected(expr),
        "hide": False,
        "iconColor": color,
        "name": name,
        "step": "60s",
        "tagKeys": "journey,severity",
        "textFormat": text,
        "titleFormat": title,
        "useValueForTime": False,
    }


ANNOTATIONS: tuple[Json, ...] = (
    _annotation(
        "Alerts",
        'ALERTS{JOB, alertstate="firing"}',
        title="{{alertname}}",
        text="{{journey}} {{severity}}",
        color="red",
        shown=True,
    ),
    _annotation(
        "Incidents",
        "journey_incident_open{JOB} == 1",
        title="Incident",
        text="{{journey}}",
        color="orange",
        shown=False,
    ),
)


def text_of(board: Board) -> str:
    """The file as it is committed: stable, readable in a diff, with a newline at its end."""
    return json.dumps(board.json(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"
