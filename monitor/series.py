"""Every series with its value: the three ways it changes, and how it is read. Safe to use from several threads."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from monitor.catalogue import BUCKETS, CATALOGUE
from monitor.exposition import Distribution, Exemplar, Family, Labels

_BY_NAME = {metric.name: metric for metric in CATALOGUE}
#: OpenMetrics allows so many characters in the names and values of an exemplar's labels together.
_EXEMPLAR_LENGTH = 128


def seconds(us: int) -> float:
    """A length or an instant as Prometheus wants it."""
    return us / 1_000_000


@dataclass(slots=True)
class _Histogram:
    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    total: float = 0.0
    #: By bucket: the newest run that fell into it. OpenMetrics tells it, the classic format has no place for it.
    exemplars: dict[int, Exemplar] = field(default_factory=dict)

    def add(self, value: float, *, run_id: str, at_us: int) -> None:
        bucket = bisect_left(BUCKETS, value)
        self.counts[bucket] += 1
        self.total += value
        if 0 < len(run_id) <= _EXEMPLAR_LENGTH - len("run_id"):
            self.exemplars[bucket] = Exemplar(run_id, value, seconds(at_us))

    def read(self) -> Distribution:
        return Distribution(tuple(self.counts), self.total, dict(self.exemplars))


class Series:
    """The series of every metric of the catalogue."""

    def __init__(self) -> None:
        # By metric and by its first label, so that what concerns one check is found without looking at all the others.
        self._values: dict[str, dict[str, dict[Labels, float]]] = {metric.name: {} for metric in CATALOGUE}
        self._histograms: dict[str, dict[str, dict[Labels, _Histogram]]] = {metric.name: {} for metric in CATALOGUE}
        self._lock = threading.Lock()

    def set(self, name: str, value: float, *labels: str) -> None:
        if len(labels) != len(_BY_NAME[name].labels):
            raise ValueError(f"{name} has the labels {_BY_NAME[name].labels}, not {labels}")
        with self._lock:
            self._values[name].setdefault(_first(labels), {})[labels] = value

    def add(self, name: str, amount: float, *labels: str) -> None:
        with self._lock:
            values = self._values[name].setdefault(_first(labels), {})
            values[labels] = values.get(labels, 0.0) + amount

    def observe(self, name: str, value: float, *labels: str, run_id: str = "", at_us: int = 0) -> None:
        """One more value in a histogram; `run_id` names the run it comes from, empty for none."""
        with self._lock:
            histograms = self._histograms[name].setdefault(_first(labels), {})
            histogram = histograms.get(labels)
            if histogram is None:
                histogram = histograms[labels] = _Histogram()
            histogram.add(value, run_id=run_id, at_us=at_us)

    def drop(self, names: Iterable[str], *first_labels: str) -> None:
        """Forget the series of these metrics whose labels begin like this."""
        with self._lock:
            for name in names:
                if not first_labels:
                    self._values[name].clear()
                    continue
                values = self._values[name].get(first_labels[0], {})
                for labels in [k for k in values if k[: len(first_labels)] == first_labels]:
                    del values[labels]

    def end(self, label: str, kept: Collection[str]) -> None:
        """Forget the series of every metric whose first label this is, but for these values of it."""
        with self._lock:
            for metric in CATALOGUE:
                if metric.labels[:1] == (label,):
                    for known in (self._values[metric.name], self._histograms[metric.name]):
                        for gone in known.keys() - kept:
                            del known[gone]

    def families(self) -> Iterator[Family]:
        """Every metric as it stands now, each read at once; one that has labels and no series is left out."""
        for metric in CATALOGUE:
            with self._lock:
                values = [one for series in self._values[metric.name].values() for one in series.items()]
                histograms = self._histograms[metric.name].values()
                distributions = [(labels, found.read()) for series in histograms for labels, found in series.items()]
            if values or distributions or not metric.labels:
                yield Family(metric, values, distributions)

    def has(self, name: str, first_label: str) -> bool:
        """Whether this metric has, or had, a series whose first label this is."""
        return first_label in self._values[name]

    def beginning_with(self, first_label: str) -> Mapping[str, Mapping[Labels, float]]:
        """By metric: its series with this first label, all read at once; histograms excepted."""
        with self._lock:
            return {
                name: dict(found) for name, by_first in self._values.items() if (found := by_first.get(first_label))
            }


def _first(labels: Labels) -> str:
    return labels[0] if labels else ""
