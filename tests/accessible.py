"""A real browser and axe, for tests of what people look at: two widths, two schemes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
#: name -> (colour scheme, width in CSS pixels)
VIEWS = {"light": ("light", 1200), "dark": ("dark", 1200), "narrow-light": ("light", 320), "narrow-dark": ("dark", 320)}

needs_chromium = [
    pytest.mark.chromium,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="chromium is not installed"),
]
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
_RULES = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    },
    "resultTypes": ["violations"],
}


def opened_browser() -> Iterator[Browser]:
    """For a fixture of a module; nothing is kept between its contexts."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        yield browser
        browser.close()


def blank_page(browser: Browser, *, scheme: str = "light", width: int = 1200, timeout_ms: int = 60_000) -> Page:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(timeout_ms)
    return page


def barriers(page: Page) -> list[tuple[str, str]]:
    """What axe finds with every fold open: (rule, the first part of the page that breaks it)."""
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    found = Axe().run(page, options=_RULES)
    return [(violation["id"], violation["nodes"][0]["html"]) for violation in found.response["violations"]]


def too_wide(page: Page) -> list[str]:
    """What makes the page scroll sideways, but for frames that scroll by themselves; empty where the page fits."""
    found: list[str] = page.evaluate(
        """() => {
          const width = window.innerWidth;
          if (document.documentElement.scrollWidth <= width) return [];
          const wide = [...document.querySelectorAll('body *')].filter(
            (e) => e.getBoundingClientRect().right > width + 1 && !e.closest('.scroll'));
          return ['the page', ...wide.map((e) => e.outerHTML.slice(0, 120))].slice(0, 4);
        }"""
    )
    return found
