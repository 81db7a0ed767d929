"""The text Prometheus reads: classic or OpenMetrics, as prometheus_client writes it byte for byte, but far cheaper.

The names and labels before a number are written once a series and kept; a scrape formats only numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from prometheus_client.exposition import choose_encoder
from prometheus_client.utils import floatToGoString

from monitor.catalogue import BUCKETS, Metric

Labels = tuple[str, ...]

#: Series written in one piece: short enough that whoever waits for the interpreter hardly notices.
PIECE = 250
#: Python writes what lies between these as Go does.
_PLAIN = 1_000_000
_BOUNDS = (*(repr(bound) for bound in BUCKETS), "+Inf")
_WHOLE = tuple(f" {number}.0" for number in range(10_000))


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One run that fell into a bucket: its id, its seconds, and when it began as Unix time."""

    run_id: str
    value: float
    timestamp: float


@dataclass(frozen=True, slots=True)
class Distribution:
    """One histogram as a scraper reads it: counts and exemplars by bucket, and the sum."""

    counts: tuple[int, ...]
    total: float
    exemplars: Mapping[int, Exemplar]


@dataclass(frozen=True, slots=True)
class Family:
    """One metric with its series; a histogram has `distributions`, every other metric `values`."""

    metric: Metric
    values: Sequence[tuple[Labels, float]] = ()
    distributions: Sequence[tuple[Labels, Distribution]] = ()


class HistogramNames(NamedTuple):
    """What stands around the numbers of one histogram: before and after each bound, before the count and the sum."""

    before: str
    after: str
    number: str
    total: str


def media_type(accept: str) -> str:
    """What a scraper that sends this `Accept` is answered with: OpenMetrics where it asks for that, else classic."""
    return choose_encoder(accept)[1]


class Text:
    """Writes families as text and remembers what stands before each number."""

    def __init__(self) -> None:
        self._names: dict[str, dict[Labels, str]] = {}
        self._lines: dict[str, dict[Labels, HistogramNames]] = {}

    def pieces(self, families: Iterable[Family], media_type: str) -> Iterator[str]:
        """The page in pieces of about `PIECE` lines. Exemplars stand in OpenMetrics only."""
        openmetrics = media_type.startswith("application/openmetrics-text")
        waiting: list[str] = []
        for family in families:
            waiting.append(_head(family.metric, openmetrics=openmetrics))
            if family.metric.kind == "histogram":
                lines = self._histograms(family, openmetrics=openmetrics)
            else:
                lines = self._numbers(family)
            for line in lines:
                waiting.append(line)
                if len(waiting) >= PIECE:
                    yield "".join(waiting)
                    waiting.clear()
        if openmetrics:
            waiting.append("# EOF\n")
        yield "".join(waiting)

    def _numbers(self, family: Family) -> Iterator[str]:
        names = self._names.setdefault(family.metric.name, {})
        if len(names) > 2 * len(family.values) + PIECE:
            names.clear()  # most of them are of series that are gone
        for labels, value in family.values:
            name = names.get(labels)
            if name is None:
                name = names[labels] = _name(family.metric.name, family.metric.labels, labels)
            yield f"{name}{_number(value)}\n"

    def _histograms(self, family: Family, *, openmetrics: bool) -> Iterator[str]:
        known = self._lines.setdefault(family.metric.name, {})
        if len(known) > 2 * len(family.distributions) + PIECE:
            known.clear()
        for labels, found in family.distributions:
            names = known.get(labels)
            if names is None:
                names = known[labels] = _histogram_names(family.metric, labels)
            exemplars = found.exemplars if openmetrics else {}
            before, after, number, total = names
            for at, count in enumerate(accumulate(found.counts)):
                behind = _exemplar(exemplars[at]) if at in exemplars else ""
                yield f"{before}{_BOUNDS[at]}{after}{_count(count)}{behind}\n"
            yield f"{number}{_count(count)}\n"
            yield f"{total}{_number(found.total)}\n"


def _head(metric: Metric, *, openmetrics: bool) -> str:
    name = metric.name.removesuffix("_total") if openmetrics and metric.kind == "counter" else metric.name
    help_ = metric.help.replace("\\", r"\\").replace("\n", r"\n")
    if openmetrics:
        help_ = help_.replace('"', r"\"")
    return f"# HELP {name} {help_}\n# TYPE {name} {metric.kind}\n"


def _name(name: str, labels: Sequence[str], values: Sequence[str]) -> str:
    pairs = ",".join(f'{label}="{_escaped(value)}"' for label, value in sorted(zip(labels, values, strict=True)))
    return f"{name}{{{pairs}}}" if pairs else name


def _histogram_names(metric: Metric, labels: Labels) -> HistogramNames:
    pairs = sorted(zip(metric.labels, labels, strict=True))
    before = "".join(f'{label}="{_escaped(value)}",' for label, value in pairs if label < "le")
    after = "".join(f',{label}="{_escaped(value)}"' for label, value in pairs if label > "le")
    count, total = (_name(f"{metric.name}_{part}", metric.labels, labels) for part in ("count", "sum"))
    return HistogramNames(f'{metric.name}_bucket{{{before}le="', f'"{after}}}', count, total)


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _number(value: float) -> str:
    if -_PLAIN < value < _PLAIN:
        return f" {float(value)!r}"
    return f" {floatToGoString(value)}"  # type: ignore[no-untyped-call]


def _count(count: int) -> str:
    return _WHOLE[count] if count < len(_WHOLE) else _number(count)


def _exemplar(of: Exemplar) -> str:
    return f' # {{run_id="{_escaped(of.run_id)}"}}{_number(of.value)} {of.timestamp}'
