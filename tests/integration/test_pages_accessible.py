"""The pages in a real browser: axe finds nothing, nothing overflows, and the refreshing script does its work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from dashboards.status_page import CONTENT_SECURITY_POLICY, STATIC, State, render_status
from tests.accessible import VIEWS, barriers, blank_page, needs_chromium, opened_browser, too_wide
from tests.status_pages import a_busy_page, a_frame, a_quiet_page, all_pages

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    yield from opened_browser()


class Site:
    """Answers the browser in the web server's place, with its security headers; every other host is a failure."""

    def __init__(self, html: str) -> None:
        self.html = html
        self.status = 200
        self.strange: list[str] = []
        self.asked: list[str | None] = []

    def answer(self, route: Route) -> None:
        address = route.request.url
        if not address.startswith("http://status.localhost/"):
            self.strange.append(address)
            route.abort()
            return
        name = address.partition("?")[0].rpartition("/")[2]
        if "/static/" in address:
            kind, content = STATIC[name]
            route.fulfill(content_type=kind, body=content)
            return
        self.asked.append(route.request.headers.get("if-none-match"))
        headers = {
            "content-type": "text/html; charset=utf-8",
            "content-security-policy": CONTENT_SECURITY_POLICY,
            "etag": f'"{len(self.asked)}"',
        }
        route.fulfill(status=self.status, headers=headers, body=self.html)


def visit(browser: Browser, site: Site, *, scheme: str = "light", width: int = 1200, timed: bool = False) -> Page:
    page = blank_page(browser, scheme=scheme, width=width)
    page.route("**/*", site.answer)
    if timed:
        page.clock.install()
    page.on("console", lambda message: site.strange.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: site.strange.append(str(error)))
    page.goto("http://status.localhost/")
    return page


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("language", ["nl", "en"])
def test_axe_finds_no_violation_and_nothing_overflows(browser: Browser, view: str, language: str) -> None:
    scheme, width = VIEWS[view]
    for name, html in all_pages(language).items():  # type: ignore[arg-type]
        site = Site(html)
        page = visit(browser, site, scheme=scheme, width=width)
        assert barriers(page) == [], name
        assert too_wide(page) == [], name
        assert site.strange == [], name
        page.context.close()


def test_the_script_puts_a_newer_page_in_place_and_announces_the_change(browser: Browser) -> None:
    site = Site(render_status(a_quiet_page()))
    page = visit(browser, site, timed=True)
    assert page.locator("#announce").inner_text() == ""
    page.locator("#days-indienen summary").click()
    site.html = render_status(a_busy_page())
    page.clock.run_for(16_000)
    expect(page.locator("#announce")).to_have_text("Storing: Ondertekenen en indienen")
    assert page.title() == "Storing: Ondertekenen en indienen · Oefenloket"
    assert page.locator("#days-indienen").get_attribute("open") is not None
    assert site.strange == []
    page.context.close()


def test_the_second_question_carries_the_etag_of_the_first_answer(browser: Browser) -> None:
    site = Site(render_status(a_quiet_page()))
    page = visit(browser, site, timed=True)
    for seconds in (16, 16):
        with page.expect_response("http://status.localhost/"):
            page.clock.run_for(seconds * 1000)
    assert site.asked == [None, None, '"2"']
    page.context.close()


def test_a_paused_page_asks_no_more(browser: Browser) -> None:
    site = Site(render_status(a_quiet_page()))
    page = visit(browser, site, timed=True)
    page.get_by_role("button", name="Automatisch vernieuwen pauzeren").click()
    page.clock.run_for(60_000)
    assert len(site.asked) == 1
    assert page.get_by_role("button", name="Automatisch vernieuwen hervatten").is_visible()
    page.context.close()


def test_a_server_that_fails_is_said_and_what_was_known_stays(browser: Browser) -> None:
    site = Site(render_status(a_quiet_page()))
    page = visit(browser, site, timed=True)
    site.status = 500
    page.clock.run_for(16_000)
    expect(page.locator("#announce")).to_contain_text("Vernieuwen lukt niet")
    assert page.locator("h1").inner_text() == "Alles werkt"
    page.context.close()


def test_without_script_the_page_is_complete_and_shows_no_dead_button(browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.route("**/*", Site(render_status(a_busy_page())).answer)
    page.goto("http://status.localhost/")
    assert page.locator("h1").inner_text() == "Storing: Ondertekenen en indienen"
    assert not page.locator("#pause").is_visible()
    page.locator("#days-indienen summary").click()
    assert page.locator("#days-indienen table").is_visible()
    context.close()


def test_a_page_that_never_refreshes_has_no_script(browser: Browser) -> None:
    quiet = replace(a_quiet_page(), frame=a_frame(refresh_seconds=0))
    site = Site(render_status(quiet))
    page = visit(browser, site)
    assert page.locator("script").count() == 0
    assert quiet.journeys[0].now is State.UP
    page.context.close()
