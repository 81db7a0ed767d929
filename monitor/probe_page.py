"""What `/probe` tells of one check: its newest result as blackbox_exporter tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from monitor.catalogue import CATALOGUE, Metric
from monitor.exposition import Family, Labels

#: The scraper says which check it asked for; these labels would only repeat it. blackbox_exporter has none.
_LEFT_OUT = ("journey", "location", "step")
_LAST_RUN = "journey_last_run_timestamp_seconds"


def families_of(values: Mapping[str, Mapping[Labels, float]]) -> list[Family]:
    """The families of a check from all its series by metric; none before its first run.

    The time of its last run comes along, so that the age of the result shows. Of a check measured from several places,
    the newest result is told.
    """
    runs = values.get(_LAST_RUN)
    if not runs:
        return []
    newest = max(runs, key=lambda labels: runs[labels])
    return [
        Family(_without_check(metric), found)
        for metric in CATALOGUE
        if metric.name.startswith("probe_") or metric.name == _LAST_RUN
        if (found := _at_one_place(metric, values.get(metric.name, {}), newest))
    ]


def _without_check(metric: Metric) -> Metric:
    return replace(metric, labels=tuple(label for label in metric.labels if label not in _LEFT_OUT))


def _at_one_place(metric: Metric, values: Mapping[Labels, float], key: Labels) -> list[tuple[Labels, float]]:
    kept = [at for at, label in enumerate(metric.labels) if label not in _LEFT_OUT]
    return list(
        {tuple(labels[at] for at in kept): value for labels, value in values.items() if labels[:2] == key}.items()
    )
