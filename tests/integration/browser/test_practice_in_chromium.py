"""The twelve journeys of the practice portal in a real Chromium: the verdicts of plain HTTP, healthy and broken."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from probes.sample import FailureKind, Outcome, Sample
from tests.in_a_browser import browsed, browser_journeys, in_chromium
from tests.practice_site import broken, practice_journeys, practice_site, walked

pytestmark = in_chromium

JOURNEYS = (
    "startpagina",
    "aanmelden",
    "project-aanmaken",
    "dossierstuk-opladen",
    "dossiertaks",
    "indienen",
    "melding",
    "opvolgen",
    "inzage",
    "openbaar-onderzoek",
    "beroep",
    "webservice",
)


def test_they_are_the_same_twelve_and_every_step_has_a_title_and_looks_at_something() -> None:
    assert tuple(browser_journeys()) == tuple(practice_journeys()) == JOURNEYS
    for journey in browser_journeys().values():
        assert all(step.title is not None and step.expect.asserts for step in journey.step)


@pytest.mark.parametrize("journey_id", JOURNEYS)
def test_a_journey_finds_the_whole_portal_well(tmp_path: Path, journey_id: str) -> None:
    async def scenario() -> Sample:
        async with practice_site(tmp_path) as site:
            return await browsed(site.base_url, browser_journeys()[journey_id])

    sample = asyncio.run(scenario())
    assert (sample.outcome, sample.failure) == (Outcome.UP, None)
    assert {step.outcome.value for step in sample.steps} == {"ok"}
    pages = [step for step in sample.steps if step.lcp_us is not None]
    assert pages or journey_id == "webservice"
    assert all(step.phases.processing_us > 0 for step in pages)


BREAKS = [
    ("status-500", "/inzage", "inzage", "inzagepagina", FailureKind.HTTP_STATUS),
    ("maintenance-503", "/", "startpagina", "startpagina", FailureKind.HTTP_STATUS),
    ("wrong-hash", "/", "openbaar-onderzoek", "downloaden", FailureKind.ASSERTION),
    ("stale-search", "/", "opvolgen", "zoeken", FailureKind.ASSERTION),
    ("bot-check", "/inzage", "inzage", "inzagepagina", FailureKind.BOT_CHECK),
    ("soap-fault", "/", "webservice", "geef-dossier", FailureKind.ASSERTION),
    ("redirect-loop", "/inzage", "inzage", "inzagepagina", FailureKind.REDIRECT),
]


@pytest.mark.parametrize(("fault", "path", "journey", "step", "kind"), BREAKS)
def test_a_fault_is_told_as_over_plain_http(
    tmp_path: Path, fault: str, path: str, journey: str, step: str, kind: FailureKind
) -> None:
    async def scenario() -> tuple[Sample, Sample]:
        async with practice_site(tmp_path) as site:
            await broken(site, fault, path=path)
            # What is never to come is not worth a long wait.
            impatient = browser_journeys()[journey].model_copy(update={"wait": 2_000_000})
            return await browsed(site.base_url, impatient), await walked(site, journey)

    seen, asked = asyncio.run(scenario())
    assert seen.failure is not None
    assert asked.failure is not None
    assert (seen.outcome, seen.failure.step, seen.failure.kind) == (asked.outcome, step, kind)
    assert asked.failure.kind is kind


def test_the_portal_s_own_authority_is_trusted_and_a_stranger_s_is_not(tmp_path: Path) -> None:
    async def scenario() -> tuple[Sample, Sample]:
        async with practice_site(tmp_path) as site:
            journey = browser_journeys()["startpagina"]
            trusting = await browsed(site.https_url, journey, ca_file=site.ca_file)
            return trusting, await browsed(site.https_url, journey)

    trusting, doubting = asyncio.run(scenario())
    assert (trusting.outcome, trusting.steps[0].tls_version) == (Outcome.UP, "TLSv1.3")
    assert doubting.failure is not None
    assert (doubting.failure.kind, doubting.failure.found) == (FailureKind.TLS, "from an unknown authority")
