"""Every journey test walks over both engines, and must come to the same verdict."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.engines import ENGINES, Engine, chosen


@pytest.fixture(params=ENGINES)
def each_engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    token = chosen.set(request.param)
    yield request.param
    chosen.reset(token)


@pytest.fixture
def patient_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """For expressions that are found, on a machine that may have other things to do than to look for them."""
    monkeypatch.setattr("probes.regexes.PATIENCE_SECONDS", 20.0)
