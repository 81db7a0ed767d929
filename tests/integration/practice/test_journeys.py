"""The twelve journeys on the practice portal, walked by the real engine over real sockets."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from probes.sample import FailureKind, Outcome, Sample
from tests.practice_site import broken, practice_journeys, practice_site, visitor, walked

pytestmark = pytest.mark.usefixtures("each_engine")

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


def test_there_are_twelve_journeys_and_every_one_has_a_title_in_both_languages_and_asserts_at_every_step() -> None:
    journeys = practice_journeys()
    assert tuple(journeys) == JOURNEYS
    for journey in journeys.values():
        assert all(step.title is not None for step in journey.step)
        assert all(step.expect.asserts or step.always for step in journey.step)
        assert 10_000_000 <= journey.interval <= 30_000_000


async def run_once(tmp_path: Path, journey_id: str, *, tls: bool = False) -> Sample:
    async with practice_site(tmp_path) as site:
        return await walked(site, journey_id, tls=tls)


@pytest.mark.usefixtures("patient_search")
@pytest.mark.parametrize("journey_id", JOURNEYS)
def test_a_journey_finds_the_whole_portal_well(tmp_path: Path, journey_id: str) -> None:
    sample = asyncio.run(run_once(tmp_path, journey_id))
    assert (sample.outcome, sample.failure) == (Outcome.UP, None)
    assert all(step.outcome == "ok" for step in sample.steps), sample.steps


def test_the_critical_journey_works_over_tls_with_the_local_authority(tmp_path: Path) -> None:
    assert asyncio.run(run_once(tmp_path, "indienen", tls=True)).failure is None


def test_all_journeys_at_once_and_twice_do_not_disturb_each_other(tmp_path: Path) -> None:
    async def scenario() -> list[Sample]:
        async with practice_site(tmp_path) as site:
            return await asyncio.gather(*(walked(site, j) for j in JOURNEYS * 2))

    samples = asyncio.run(scenario())
    assert {(s.check_id, s.failure) for s in samples if s.outcome is Outcome.DOWN} == set()


def test_journeys_that_write_leave_no_dossier_behind(tmp_path: Path) -> None:
    async def scenario() -> str:
        async with practice_site(tmp_path) as site:
            for journey in (
                "project-aanmaken",
                "dossierstuk-opladen",
                "dossiertaks",
                "indienen",
                "melding",
                "opvolgen",
            ):
                await walked(site, journey)
            async with visitor(site, "burger") as burger:
                return (await burger.client.get("/loket/projecten?zoek=MONITORING")).text

    page = asyncio.run(scenario())
    assert page.count("<td>ingetrokken</td>") == page.count("<tr data-projectnummer") == 6


BREAKS = [
    ("status-500", "/inzage", "inzage", "inzagepagina", FailureKind.HTTP_STATUS),
    ("status-500", "/loket/indienen", "indienen", "indienen", FailureKind.HTTP_STATUS),
    ("maintenance-200", "/", "startpagina", "startpagina", FailureKind.ASSERTION),
    ("maintenance-503", "/", "startpagina", "startpagina", FailureKind.HTTP_STATUS),
    ("empty-list", "/", "inzage", "inzagepagina", FailureKind.ASSERTION),
    ("empty-list", "/proxy-omv-up", "inzage", "zoeken", FailureKind.ASSERTION),
    ("wrong-hash", "/", "dossierstuk-opladen", "downloaden", FailureKind.ASSERTION),
    ("wrong-hash", "/", "openbaar-onderzoek", "downloaden", FailureKind.ASSERTION),
    ("wrong-hash", "/cxf", "webservice", "stukken-in-loket", FailureKind.ASSERTION),
    ("lost-upload", "/", "dossierstuk-opladen", "opladen", FailureKind.ASSERTION),
    ("lost-upload", "/", "dossiertaks", "betaalbewijs", FailureKind.ASSERTION),
    ("lost-upload", "/", "melding", "stap-6", FailureKind.ASSERTION),
    ("missing-mail", "/", "indienen", "ontvangstmail", FailureKind.ASSERTION),
    ("missing-mail", "/", "melding", "ontvangstmail", FailureKind.ASSERTION),
    ("missing-mail", "/", "webservice", "adviesmail", FailureKind.ASSERTION),
    ("stale-search", "/", "project-aanmaken", "terugvinden", FailureKind.ASSERTION),
    ("stale-search", "/", "opvolgen", "zoeken", FailureKind.ASSERTION),
    ("bot-check", "/inzage", "inzage", "inzagepagina", FailureKind.BOT_CHECK),
    ("soap-fault", "/", "webservice", "geef-dossier", FailureKind.ASSERTION),
    ("idp-down", "/", "aanmelden", "aanmelddienst", FailureKind.HTTP_STATUS),
    ("redirect-loop", "/inzage", "inzage", "inzagepagina", FailureKind.REDIRECT),
    ("huge-body", "/inzage", "inzage", "inzagepagina", FailureKind.TOO_LARGE),
    ("gzip-bomb", "/inzage", "inzage", "inzagepagina", FailureKind.TOO_LARGE),
]


@pytest.mark.parametrize(("fault", "path", "journey", "step", "kind"), BREAKS)
def test_a_fault_breaks_the_step_one_would_expect(
    tmp_path: Path, fault: str, path: str, journey: str, step: str, kind: FailureKind
) -> None:
    async def scenario() -> Sample:
        async with practice_site(tmp_path) as site:
            await broken(site, fault, path=path)
            return await walked(site, journey)

    failure = asyncio.run(scenario()).failure
    assert failure is not None
    assert (failure.step, failure.kind) == (step, kind)
