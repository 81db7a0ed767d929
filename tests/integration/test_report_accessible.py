"""The report in a real browser: axe finds nothing in either scheme, and nothing overflows on a narrow screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Route, sync_playwright

from sla.rendering import dossier as dossier_page
from sla.rendering import findings as findings_page
from sla.rendering import html
from sla.rendering.numbers import Language
from tests.dossier_story import dossier, findings
from tests.report_story import report

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
VIEWS = {"light": ("light", 1200), "dark": ("dark", 1200), "narrow-light": ("light", 320), "narrow-dark": ("dark", 320)}
RULES = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    },
    "resultTypes": ["violations"],
}

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="chromium is not installed"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


PAGES: dict[str, Callable[[Language], str]] = {
    "report": lambda language: html.render(report(), language),
    "dossier": lambda language: dossier_page.render(dossier(), language),
    "findings": lambda language: findings_page.render(findings(), language),
}
CASES: list[tuple[str, Language, str]] = [
    *(("report", "nl", view) for view in VIEWS), ("report", "en", "narrow-dark"),
    ("dossier", "nl", "light"), ("dossier", "en", "narrow-dark"),
    ("findings", "nl", "narrow-light"), ("findings", "en", "dark"),
]  # fmt: skip


@pytest.mark.parametrize(("document", "language", "view"), CASES)
def test_axe_finds_no_violation_nothing_overflows_and_nothing_is_fetched(
    browser: Browser, document: str, view: str, language: Language
) -> None:
    scheme, width = VIEWS[view]
    strange: list[str] = []

    def answer(route: Route) -> None:
        if route.request.url == "http://report.localhost/":
            route.fulfill(content_type="text/html; charset=utf-8", body=PAGES[document](language))
        else:
            strange.append(route.request.url)
            route.abort()

    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.route("**/*", answer)
    page.goto("http://report.localhost/")
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    found = Axe().run(page, options=RULES)
    assert [(v["id"], v["nodes"][0]["html"]) for v in found.response["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert [url for url in strange if not url.endswith("/favicon.ico")] == []
    context.close()
