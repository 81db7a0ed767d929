"""Every document in a real browser: axe finds nothing in either scheme, and nothing overflows on a narrow screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Route

from sla.rendering import dossier as dossier_page
from sla.rendering import findings as findings_page
from sla.rendering import html
from sla.rendering.numbers import Language
from sla.rendering.periodic import overview_page, update_page
from tests.accessible import VIEWS, barriers, blank_page, needs_chromium, opened_browser, too_wide
from tests.dossier_story import dossier, findings
from tests.period_story import overview, restated, update
from tests.report_story import report

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    yield from opened_browser()


PAGES: dict[str, Callable[[Language], str]] = {
    "report": lambda language: html.render(report(), language),
    "restated": lambda language: html.render(restated(), language),
    "dossier": lambda language: dossier_page.render(dossier(), language),
    "findings": lambda language: findings_page.render(findings(), language),
    "quarter": lambda language: overview_page(overview("quarter"), language),
    "year": lambda language: overview_page(overview("year"), language),
    "update": lambda language: update_page(update(), language),
}
CASES: list[tuple[str, Language, str]] = [
    ("report", "nl", "narrow-light"), ("report", "nl", "dark"),
    ("restated", "nl", "light"), ("restated", "en", "narrow-dark"),
    ("dossier", "nl", "light"), ("dossier", "en", "narrow-dark"),
    ("findings", "nl", "narrow-light"), ("findings", "en", "dark"),
    ("quarter", "nl", "narrow-light"), ("quarter", "en", "dark"),
    ("year", "nl", "light"), ("year", "en", "narrow-dark"),
    ("update", "nl", "narrow-light"), ("update", "en", "narrow-dark"),
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

    page = blank_page(browser, scheme=scheme, width=width, timeout_ms=20_000)
    page.route("**/*", answer)
    page.goto("http://report.localhost/")
    assert barriers(page) == []
    assert too_wide(page) == []
    assert [url for url in strange if not url.endswith("/favicon.ico")] == []
    page.context.close()
