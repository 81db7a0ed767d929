"""The exposition is written by hand, for speed: it is what prometheus_client would have written, byte for byte."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.core import Metric as Theirs
from prometheus_client.exposition import choose_encoder
from prometheus_client.samples import Exemplar as TheirExemplar

from monitor.catalogue import BUCKETS, Metric
from monitor.exposition import Distribution, Exemplar, Family, Text, media_type

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
ACCEPTS = ("", "text/plain;version=0.0.4", "application/openmetrics-text", OPENMETRICS, "text/plain;version=1.0.0")
BOUNDS = (*map(repr, BUCKETS), "+Inf")

words = st.text(st.characters(codec="utf-8"), max_size=12)
instants = st.floats(0, 4e9)
labels = st.lists(words, min_size=2, max_size=2).map(tuple)
exemplars = st.builds(Exemplar, words, st.floats(0, 100), instants)
distributions = st.builds(
    Distribution,
    st.lists(st.integers(0, 2_000_000), min_size=len(BOUNDS), max_size=len(BOUNDS)).map(tuple),
    st.floats(0, allow_infinity=False),
    st.dictionaries(st.integers(0, len(BUCKETS)), exemplars, max_size=3),
)
_NAMES = {"gauge": "probe_success", "counter": "journey_runs_total", "histogram": "journey_duration_seconds"}


@st.composite
def families(draw: st.DrawFn) -> Family:
    kind = draw(st.sampled_from(sorted(_NAMES)))
    metric = Metric(_NAMES[kind], kind, ("journey", "location"), draw(words))  # type: ignore[arg-type]
    if kind == "histogram":
        return Family(metric, (), tuple(draw(st.dictionaries(labels, distributions, max_size=3)).items()))
    return Family(metric, tuple(draw(st.dictionaries(labels, st.floats() | st.integers(0, 10**9))).items()))


@given(st.lists(families(), max_size=4), st.sampled_from(ACCEPTS))
def test_a_page_is_byte_for_byte_what_prometheus_client_writes(told: list[Family], accept: str) -> None:
    page, kind = theirs(told, accept)
    assert media_type(accept) == kind
    text = Text()
    assert "".join(text.pieces(told, kind)).encode() == page
    assert "".join(text.pieces(told, kind)).encode() == page  # and again, from what it remembers


@pytest.mark.parametrize("accept", ACCEPTS)
def test_a_long_page_comes_in_pieces_and_is_the_same(accept: str) -> None:
    metric = Metric("journey_state", "gauge", ("journey", "location"), "Help.")
    told = [Family(metric, [((f"{at}", "lokaal"), at * 1.5) for at in range(2_000)])]
    page, kind = theirs(told, accept)
    pieces = list(Text().pieces(told, kind))
    assert "".join(pieces).encode() == page
    assert max(piece.count("\n") for piece in pieces) <= 251


def test_series_that_came_and_went_are_not_remembered_for_ever() -> None:
    metric = Metric("journey_state", "gauge", ("journey",), "Help.")
    text = Text()
    for at in range(5_000):
        "".join(text.pieces([Family(metric, [((f"{at}",), 1.0)])], ""))
    assert len(text._names["journey_state"]) < 300


@dataclass(frozen=True, eq=False)
class Collected:
    told: list[Family]

    def collect(self) -> Iterable[Theirs]:
        return map(reference, self.told)


def theirs(told: list[Family], accept: str) -> tuple[bytes, str]:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Collected(told))
    encoder, kind = choose_encoder(accept)
    return encoder(registry), kind


def reference(family: Family) -> Theirs:
    metric = family.metric
    if metric.kind == "histogram":
        histogram = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
        for names, found in family.distributions:
            buckets = [
                (bound, float(count), TheirExemplar({"run_id": one.run_id}, one.value, one.timestamp))
                if (one := found.exemplars.get(at))
                else (bound, float(count))
                for at, (bound, count) in enumerate(zip(BOUNDS, accumulate(found.counts), strict=True))
            ]
            histogram.add_metric(names, buckets, found.total)  # type: ignore[arg-type]
        return histogram
    made = (GaugeMetricFamily if metric.kind == "gauge" else CounterMetricFamily)(
        metric.name, metric.help, labels=metric.labels
    )
    for names, value in family.values:
        made.add_metric(names, value)
    return made
