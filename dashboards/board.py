"""A whole dashboard in Grafana's classic JSON: the choices at its top, its panels line by line, its annotations."""

from __future__ import annotations

import json
from dataclasses import dataclass

from dashboards.panels import DATASOURCE, Json, Panel, selected

SCHEMA_VERSION = 39


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
