"""A visit in a real Chromium becomes a journey that walks the portal by itself, and holds no secret of the visit."""

from __future__ import annotations

import asyncio
import tomllib
from pathlib import Path

from playwright.async_api import async_playwright

from monitor.clock import monotonic_us, new_id, wall_us
from probes.checks import Journey, Portal
from probes.practice import PRACTICE_SECRETS
from probes.recorded import recording
from probes.run import run
from probes.sample import Outcome, Sample
from probes.setup import Setup
from probes.writing import Written, written
from tests.in_a_browser import in_chromium
from tests.practice_site import practice_site

TOKEN = PRACTICE_SECRETS["burger_token"]


async def a_visit(base_url: str, archive: Path) -> None:
    """Somebody logs in, makes a project and withdraws it, while the browser records."""
    async with async_playwright() as library:
        browser = await library.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        context = await browser.new_context(record_har_path=archive, record_har_content="embed")
        page = await context.new_page()
        await page.goto(f"{base_url}/aanmelden")
        await page.fill("#token", TOKEN)
        await page.click("#btn-aanmelden")
        await page.goto(f"{base_url}/loket/projecten/nieuw")
        await page.fill("[name=projectnaam]", "MONITORING opgenomen")
        await page.fill("[name=omschrijving]", "Wordt ingetrokken")
        await page.select_option("[name=gemeente]", "Oefendorp")
        await page.fill("[name=adres]", "Meetstraat 1")
        await page.select_option("[name=procedure]", "vereenvoudigd")
        await page.click("#btn-aanmaken")
        await page.click("#intrek-form button")
        await context.close()
        await browser.close()


async def visited_and_walked(folder: Path) -> tuple[Written, Journey, Sample]:
    async with practice_site(folder) as site:
        archive = folder / "visit.har"
        await a_visit(site.base_url, archive)
        made = written(recording(archive.read_text(encoding="utf-8")), journey="bezoek", title="Bezoek")
        journey = Journey.model_validate(tomllib.loads(made.text)["journey"][0])
        setup = Setup(
            portal=Portal(name="Oefenloket", base_url=site.base_url, contact="mailto:test@example.org"),
            secrets=dict.fromkeys(made.secrets, TOKEN),
            now_us=wall_us,
            monotonic_us=monotonic_us,
            new_id=new_id,
        )
        return made, journey, await run(journey, slot_us=0, location="hier", setup=setup)


@in_chromium
def test_a_recorded_visit_walks_by_itself_and_holds_no_secret(tmp_path: Path) -> None:
    made, journey, sample = asyncio.run(visited_and_walked(tmp_path))
    assert sample.failure is None, made.text
    assert sample.outcome is Outcome.UP
    assert made.secrets == ("token",)
    assert TOKEN not in made.text
    assert [step.id for step in journey.step] == ["aanmelden", "post-sleutel", "nieuw", "post-nieuw", "post-intrekken"]
    # Forms are sent as forms, so what changes with every visit is the page's own, and not what was recorded.
    assert [getattr(step, "submit", None) is not None for step in journey.step] == [False, True, False, True, True]
    assert "csrf" not in made.text.lower()
