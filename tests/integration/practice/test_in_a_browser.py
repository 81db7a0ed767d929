"""The same journeys by hand, in a real browser: forms, redirects, cookies and the content security policy agree."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import FilePayload, Page, async_playwright, expect

from probes.practice import PRACTICE_SECRETS, RunningPractice
from tests.practice_site import practice_site

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
PLAN: FilePayload = {"name": "plan.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4 een plan"}
FACADE: FilePayload = {"name": "gevel.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4 een gevel"}

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="chromium is not installed"),
]

Scenario = Callable[[Page, RunningPractice], Awaitable[None]]


def in_a_browser(tmp_path: Path, scenario: Scenario, *, width: int = 1200) -> None:
    async def lived() -> None:
        async with practice_site(tmp_path) as site, async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            page = await browser.new_page(base_url=site.base_url, viewport={"width": width, "height": 900})
            page.set_default_timeout(60_000)
            complaints: list[str] = []
            page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
            await scenario(page, site)
            await browser.close()
            assert complaints == []

    asyncio.run(lived())


async def log_in(page: Page, persona: str) -> None:
    await page.goto("/aanmelden")
    await page.check("#sleutel-token")
    await page.fill("#token", PRACTICE_SECRETS[f"{persona}_token"])
    await page.click("#btn-aanmelden")
    await page.wait_for_selector("#gebruiker-naam")


async def make_project(page: Page, procedure: str) -> str:
    await page.goto("/loket/projecten/nieuw")
    await page.fill("#projectnaam", "MONITORING in een browser")
    await page.fill("#adres", "Straat 1")
    await page.select_option("#procedure", procedure)
    await page.click("#btn-aanmaken")
    return (await page.inner_text("#projectnummer")).strip()


def test_a_project_is_made_filled_signed_by_two_and_submitted(tmp_path: Path) -> None:
    async def scenario(page: Page, site: RunningPractice) -> None:
        await log_in(page, "burger")
        number = await make_project(page, "gewoon")
        await page.goto(f"/loket/projecten/{number}/dossierstukken")
        await page.set_input_files("#bestand", [PLAN, FACADE])
        await page.click("#btn-opladen")
        await expect(page.locator("tr[data-bestand-uuid]")).to_have_count(2)
        await page.goto(f"/loket/projecten/{number}/dossiertaks")
        assert await page.inner_text("#taks-bedrag") == "€ 500,00"
        await page.set_input_files("#betaalbewijs", PLAN)
        await page.click("#btn-betaalbewijs")
        await expect(page.locator("#taks-status")).to_have_text("bewijs opgeladen")
        await page.goto(f"/loket/projecten/{number}")
        await page.click("#btn-ondertekenen")
        assert await page.locator("#btn-indienen").count() == 0
        await log_in(page, "architect")
        await page.goto(f"/loket/projecten/{number}")
        await page.click("#btn-ondertekenen")
        await page.click("#verplichte-acties #btn-indienen")
        assert await page.inner_text("#ontvangstbewijs #toestand") == "ingediend"
        assert site.portal.mailbox.mails(subject=f"Ontvangstbewijs {number}")

    in_a_browser(tmp_path, scenario)


def test_a_notification_goes_through_its_six_steps(tmp_path: Path) -> None:
    async def scenario(page: Page, _: RunningPractice) -> None:
        await log_in(page, "burger")
        await page.goto("/loket/meldingen/nieuw")
        await page.click("#btn-volgende")
        await page.fill("#adres", "Straat 2")
        await page.click("#btn-volgende")
        await page.fill("#projectnaam", "MONITORING melding")
        await page.click("#btn-volgende")
        await page.fill("#telefoon", "02 000 00 00")
        await page.click("#btn-volgende")
        await page.set_input_files("#bestand", PLAN)
        await page.click("#btn-volgende")
        await page.check("#akkoord")
        await page.click("#btn-indienen")
        assert await page.inner_text("#ontvangstbewijs #toestand") == "ingediend"

    in_a_browser(tmp_path, scenario)


def test_a_third_party_objects_and_appeals(tmp_path: Path) -> None:
    async def scenario(page: Page, _: RunningPractice) -> None:
        await log_in(page, "derde")
        await page.goto("/inzage")
        await page.click("#kaart-lijst a >> nth=0")
        await page.click("text=Bezwaar indienen")
        await page.fill("#bezwaar-tekst", "MONITORING bezwaar")
        await page.click("#btn-bezwaar")
        await expect(page.locator("#ontvangstbewijs #bezwaarnummer")).to_have_count(1)
        await page.goto("/inzage/OMV_2099000002")
        await page.click("text=Beroep instellen")
        await page.fill("#beroep-tekst", "MONITORING beroep")
        await page.click("#btn-beroep")
        await page.click("#btn-ondertekenen")
        await page.click("#verplichte-acties #btn-indienen")
        assert await page.inner_text("#toestand") == "ingediend"
        await page.click("#btn-intrekken")
        await expect(page.locator("#toestand")).to_have_text("ingetrokken")

    in_a_browser(tmp_path, scenario)


@pytest.mark.parametrize("width", [320, 1200])
def test_every_kind_of_page_is_accessible_and_nothing_overflows(tmp_path: Path, width: int) -> None:
    async def scenario(page: Page, site: RunningPractice) -> None:
        await log_in(page, "burger")
        number = await make_project(page, "gewoon")
        project = f"/loket/projecten/{number}"
        forms = [project, f"{project}/dossierstukken", f"{project}/dossiertaks", "/loket/meldingen/nieuw"]
        pages = ["/", "/aanmelden", "/inzage", "/inzage/OMV_2099000001", "/_practice/", "/_practice/mail.html"]
        await log_in(page, "burger")
        for path in [*forms, "/loket", "/loket/projecten", "/loket/projecten/nieuw", *pages]:
            await page.goto(path)
            found = await Axe().run(page)
            assert found.violations_count == 0, f"{path}: {found.generate_report()}"
            assert await page.evaluate("document.documentElement.scrollWidth") <= width, path

    in_a_browser(tmp_path, scenario, width=width)
