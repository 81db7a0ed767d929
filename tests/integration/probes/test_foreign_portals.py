"""Portals that nobody of the house wrote, walked by the journeys of docs/examples, on both engines."""

from __future__ import annotations

import asyncio
import base64
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from probes.checks import Journey
from probes.run import run
from probes.sample import FailureKind, Outcome, Sample, StepOutcome
from tests.foreign_portal import PASSWORD, foreign_portal
from tests.scripted_server import setup

pytestmark = pytest.mark.usefixtures("each_engine", "patient_search")
EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
RIGHT = {
    "django_password": PASSWORD,
    "httpbin_authorization": "Basic " + base64.b64encode(b"monitor:geheim").decode(),
}


@pytest.fixture(scope="module")
def django() -> Iterator[str]:
    with foreign_portal("django") as address:
        yield address


@pytest.fixture(scope="module")
def httpbin() -> Iterator[str]:
    with foreign_portal("httpbin") as address:
        yield address


def written(name: str) -> dict[str, Any]:
    [journey] = tomllib.loads((EXAMPLES / f"{name}.toml").read_text())["journey"]
    return dict(journey)


def walked(journey: dict[str, Any], address: str, **secrets: str) -> Sample:
    way = setup(address, secrets=RIGHT | secrets)
    return asyncio.run(run(Journey.model_validate(journey), slot_us=0, location="hier", setup=way))


@pytest.mark.parametrize("name", ["django-admin", "httpbin"])
def test_an_example_has_at_most_forty_lines(name: str) -> None:
    assert len((EXAMPLES / f"{name}.toml").read_text().splitlines()) <= 40


def test_a_group_is_added_to_a_django_admin_and_deleted_again(django: str) -> None:
    for _ in range(2):  # a group that stayed would be refused the second time, for every run of a test has the same id
        sample = walked(written("django-admin"), django)
        assert (sample.outcome, sample.failure) == (Outcome.UP, None)
        assert [step.outcome for step in sample.steps] == [StepOutcome.OK] * 6


def test_a_wrong_password_stops_at_the_login_and_leaves_nothing_to_clean_up(django: str) -> None:
    sample = walked(written("django-admin"), django, django_password="fout")
    assert sample.failure is not None
    assert (sample.outcome, sample.failure.kind, sample.failure.step) == (
        Outcome.DOWN,
        FailureKind.ASSERTION,
        "log-in",
    )
    assert [step.outcome for step in sample.steps][2:] == [StepOutcome.SKIPPED] * 4


def test_a_group_is_deleted_after_a_later_failure_too(django: str) -> None:
    journey = written("django-admin")
    journey["step"].insert(5, {"id": "look", "path": "/admin/auth/group/", "expect": {"text": "no such text"}})
    sample = walked(journey, django)
    assert sample.failure is not None
    assert (sample.outcome, sample.failure.step) == (Outcome.DOWN, "look")
    assert sample.steps[-1].outcome is StepOutcome.OK
    assert walked(written("django-admin"), django).outcome is Outcome.UP


def test_httpbin_answers_what_it_was_asked(httpbin: str) -> None:
    sample = walked(written("httpbin"), httpbin)
    assert (sample.outcome, sample.failure) == (Outcome.UP, None)
    assert [step.outcome for step in sample.steps] == [StepOutcome.OK] * 7
    assert sample.steps[-1].phases.processing_us >= 1_000_000


def test_a_password_that_is_refused_is_told_by_its_status(httpbin: str) -> None:
    sample = walked(written("httpbin"), httpbin, httpbin_authorization="Basic eDp5")
    assert sample.failure is not None
    assert (sample.failure.kind, sample.failure.step) == (FailureKind.HTTP_STATUS, "password")
    assert sample.failure.found is not None
    assert "401" in sample.failure.found


def test_a_service_that_is_unavailable_is_down_at_that_step(httpbin: str) -> None:
    journey = written("httpbin")
    journey["step"][3]["path"] = "/status/503"
    sample = walked(journey, httpbin)
    assert sample.failure is not None
    assert (sample.outcome, sample.failure.kind, sample.failure.step) == (
        Outcome.DOWN,
        FailureKind.HTTP_STATUS,
        "brotli",
    )


def test_an_answer_beyond_the_soft_limit_is_slow(httpbin: str) -> None:
    journey = written("httpbin")
    journey["step"][6]["expect"]["soft"] = "500ms"
    sample = walked(journey, httpbin)
    assert (sample.outcome, sample.steps[-1].outcome) == (Outcome.DEGRADED, StepOutcome.SLOW)
