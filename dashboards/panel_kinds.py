"""The kinds of panel our dashboards are made of, with the looks we want. What follows from a query is derived."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Required, TypedDict, Unpack

from dashboards.panels import Json, Link, Panel, Query, Step, Word

ZERO_IS_GOOD = (Step("green"), Step("red", 1))
ONE_IS_GOOD = (Step("red"), Step("green", 1))

_LEGEND: Json = {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": True}
_REDUCE: Json = {"calcs": ["lastNotNull"], "fields": "", "values": False}
_LINES: Json = {
    "drawStyle": "line",
    "fillOpacity": 8,
    "lineInterpolation": "linear",
    "lineWidth": 2,
    "showPoints": "never",
    "spanNulls": False,
    "stacking": {"group": "A", "mode": "none"},
    "thresholdsStyle": {"mode": "off"},
}
STACKED: Json = {**_LINES, "fillOpacity": 60, "lineWidth": 0, "stacking": {"group": "A", "mode": "normal"}}
_BARS: Json = {**STACKED, "drawStyle": "bars", "fillOpacity": 90}
#: What looks back over one step of a graph is asked in steps no shorter: they might hold no run, or for a rate no two
#: scrapes.
_SHORTEST_STEPS = {"$__rate_interval": "5m", "$__interval": "1m"}


class Said(TypedDict, total=False):
    """What any kind of panel may say; see `Panel`."""

    title: Required[str]
    description: Required[str]
    width: Required[int]
    thresholds: tuple[Step, ...]
    words: tuple[Word, ...]
    no_value: str
    decimals: int
    maximum: float
    links: tuple[Link, ...]


def stat(*, expr: str, unit: str, legend: str = "", named: bool = True, **said: Unpack[Said]) -> Panel:
    """Values now as tiles, coloured where thresholds say how; `named`: each carries its legend, should there be one."""
    return Panel(
        kind="stat",
        queries=(Query(expr=expr, legend=legend, instant=True),),
        unit=unit,
        options={
            "colorMode": "background_solid" if "thresholds" in said else "value",
            "graphMode": "none",
            "justifyMode": "auto",
            "orientation": "auto",
            "reduceOptions": _REDUCE,
            "textMode": "value_and_name" if legend and named else "value",
            "wideLayout": True,
        },
        **said,
    )


def yes_or_no(*, title: str, description: str, expr: str, width: int) -> Panel:
    """Whether all is as it should be; the expression answers 1 or 0."""
    return stat(
        title=title,
        description=description,
        expr=expr,
        unit="none",
        width=width,
        thresholds=ONE_IS_GOOD,
        words=(Word(1, "Yes", "green"), Word(0, "No", "red")),
    )


def gauges(*, expr: str, legend: str, unit: str, **said: Unpack[Said]) -> Panel:
    """Values now as bars from zero."""
    return Panel(
        kind="bargauge",
        queries=(Query(expr=expr, legend=legend, instant=True),),
        unit=unit,
        minimum=0,
        options={
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
        **said,
    )


def graph(
    *,
    series: Mapping[str, str],
    unit: str,
    drawn: Json = _LINES,
    minimum: float | None = 0,
    repeat: str = "",
    **said: Unpack[Said],
) -> Panel:
    """Values over time; a threshold is drawn as a line across.

    Args:
        series: legend -> expression.
        repeat: as of `Panel`.
    """
    return Panel(
        kind="timeseries",
        queries=_over_time(series),
        unit=unit,
        minimum=minimum,
        interval=_shortest_step(series.values()),
        options={"legend": _LEGEND, "tooltip": {"mode": "multi", "sort": "desc"}},
        custom={**drawn, "thresholdsStyle": {"mode": "line"}} if "thresholds" in said else drawn,
        repeat=repeat,
        **said,
    )


def bars(*, series: Mapping[str, str], **said: Unpack[Said]) -> Panel:
    """How often something happened in each step of time; `series` as of `graph`."""
    return graph(series=series, unit="short", drawn=_BARS, **said)


def timeline(*, series: Mapping[str, str], **said: Unpack[Said]) -> Panel:
    """States over time, one row for each series; `series` as of `graph`."""
    return Panel(
        kind="state-timeline",
        queries=_over_time(series),
        unit="none",
        interval=_shortest_step(series.values()),
        options={
            "alignValue": "left",
            "legend": _LEGEND,
            "mergeValues": True,
            "rowHeight": 0.85,
            "showValue": "auto",
            "tooltip": {"mode": "single", "sort": "none"},
        },
        custom={"fillOpacity": 80, "lineWidth": 0},
        **said,
    )


def table(
    *,
    exprs: tuple[str, ...],
    columns: Mapping[str, str],
    column_units: Mapping[str, str] | None = None,
    unit: str = "none",
    **said: Unpack[Said],
) -> Panel:
    """Series as rows now; several expressions are put side by side. `columns` and `column_units` as of `Panel`."""
    return Panel(
        kind="table",
        queries=tuple(Query(expr=expr, table=True) for expr in exprs),
        unit=unit,
        options={"cellHeight": "sm", "showHeader": True},
        custom={"align": "auto", "cellOptions": {"type": "auto"}, "inspect": False},
        columns=columns,
        column_units=column_units or {},
        **said,
    )


def _over_time(series: Mapping[str, str]) -> tuple[Query, ...]:
    return tuple(Query(expr=expr, legend=legend) for legend, expr in series.items())


def _shortest_step(exprs: Iterable[str]) -> str:
    together = " ".join(exprs)
    return next((step for name, step in _SHORTEST_STEPS.items() if name in together), "")
