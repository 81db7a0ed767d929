"""One page of a run as Playwright shows it: what it asked, what came, what went wrong beside it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, ConsoleMessage, Frame, Page, Request, Route
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Response as Answer
from playwright.async_api import TimeoutError as PlaywrightTimeout

from probes.browser.faults import browser_trouble, network_fault
from probes.browser.reach import Reach, place_of
from probes.created import CANNOT_BE_USED
from probes.fault import Fault
from probes.http import Ask
from probes.response import Response
from probes.sample import FailureKind, Phases

_KEPT = 50
#: A click that opens a page asks for it within this time; one that does not, opens none.
_ASKS_WITHIN_SECONDS = 0.15
#: Never asked of the portal: the browser answers it by itself.
_DESK = "loketwacht-request"
_MEASURE = """() => new Promise(done => {
  let lcp = null;
  try {
    new PerformanceObserver(list => { for (const entry of list.getEntries()) lcp = entry.startTime; })
      .observe({type: 'largest-contentful-paint', buffered: true});
  } catch (error) {}
  const tell = () => {
    const [n] = performance.getEntriesByType('navigation');
    const [first] = performance.getEntriesByName('first-contentful-paint');
    done(n ? {lcp, first: first ? first.startTime : null, read: n.domContentLoadedEventEnd || null,
      loaded: n.loadEventEnd || null, protocol: n.nextHopProtocol, resolve: n.domainLookupEnd - n.domainLookupStart,
      connect: (n.secureConnectionStart || n.connectEnd) - n.connectStart,
      tls: n.secureConnectionStart ? n.connectEnd - n.secureConnectionStart : 0,
      processing: n.responseStart - n.requestStart, transfer: n.responseEnd - n.responseStart} : null);
  };
  requestAnimationFrame(() => setTimeout(tell, 30));
  setTimeout(tell, 500);
})"""
_FETCH = """async ({url, method, headers, body, limit}) => {
  const bytes = body === null ? undefined : Uint8Array.from(atob(body), c => c.charCodeAt(0));
  const answer = await fetch(url, {method, headers, body: bytes});
  const buffer = await answer.arrayBuffer();
  if (buffer.byteLength > limit) return {tooLarge: buffer.byteLength};
  const encoded = await new Promise(done => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result.split(',')[1] || '');
    reader.readAsDataURL(new Blob([buffer]));
  });
  return {status: answer.status, url: answer.url, headers: [...answer.headers], body: encoded};
}"""


@dataclass(slots=True)
class Beside:
    """What went wrong beside a step, without making it fail: the newest step's only. Not redacted."""

    console: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFigures:
    """As of a step; see `StepResult`."""

    phases: Phases
    lcp_us: int | None = None
    first_paint_us: int | None = None
    content_loaded_us: int | None = None
    loaded_us: int | None = None
    http_version: str = ""


NO_FIGURES = PageFigures(phases=Phases())


class Visit:
    """The one page a visitor has open."""

    def __init__(
        self,
        page: Page,
        context: BrowserContext,
        *,
        of: Reach,
        max_body: int,
        put_off: Callable[[int, str, str], None] = lambda *_: None,
    ) -> None:
        """
        Args:
            put_off: told of each answer 429 or 503 of the portal's: status, `Retry-After`, host.
        """
        self.page = page
        self._put_off = put_off
        self._own_requests = 0
        self._context = context
        self._reach = of
        self._headers: dict[str, str] = {}
        self._max_body = max_body
        self.beside = Beside()
        self.crashed = False
        self.main: Answer | None = None
        self.urls: list[str] = []
        self.waiting_for = ""
        self._asked = asyncio.Event()
        self._settled = asyncio.Event()
        self._refused: str | None = None
        self._fetched: Response | None = None
        self._requests: Page | None = None

    async def begin(self) -> None:
        await self._context.route("**/*", self._let_through)
        self._context.on("request", self._on_any_request)
        self._context.on("response", self._on_any_response)
        page = self.page
        page.on("request", self._on_request)
        page.on("response", self._on_response)
        page.on("requestfailed", self._on_failed)
        page.on("framenavigated", self._on_navigated)
        page.on("crash", self._on_crash)
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self._note(self.beside.console, str(error)))

    # -------------------------------------------------------------------------------------------- what happens

    async def _let_through(self, route: Route) -> None:
        request = route.request
        if self.is_ours(request):
            await route.fulfill(content_type="text/html", body="")
        elif not self._reach.allows(request.url):
            self._note(self.beside.blocked, place_of(request.url))
            await route.abort("blockedbyclient")
        elif self._reach.is_own(request.url):
            await route.continue_(headers={**request.headers, **self._headers})
        else:
            await route.continue_()

    def _on_request(self, request: Request) -> None:
        if self._is_page(request):
            self.urls.append(request.url)
            self.main, self._refused = None, None
            self.waiting_for = "an answer"
            self._settled.clear()
            self._asked.set()

    def _on_response(self, answer: Answer) -> None:
        if self._is_page(answer.request):
            self.main = answer
            self.waiting_for = "the end of the page"

    def _on_any_request(self, request: Request) -> None:
        self._own_requests += self._reach.is_own(request.url) and not self.is_ours(request)

    def _on_any_response(self, answer: Answer) -> None:
        if answer.status in (429, 503) and self._reach.is_own(answer.url):
            self._put_off(answer.status, answer.headers.get("retry-after", ""), urlsplit(answer.url).hostname or "")

    @staticmethod
    def is_ours(request: Request) -> bool:
        """Whether this never leaves the browser."""
        return urlsplit(request.url).path == f"/{_DESK}"

    def _on_failed(self, request: Request) -> None:
        if self._is_page(request):
            self._refused = request.failure or "no reason given"
            self._settled.set()
        elif self._reach.allows(request.url):
            self._note(self.beside.failed, f"{request.failure} {request.url}")

    def _on_navigated(self, frame: Frame) -> None:
        if frame == self.page.main_frame:
            self._settled.set()

    def _on_crash(self, _: Page) -> None:
        self.crashed = True
        self._settled.set()

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._note(self.beside.console, message.text)

    @staticmethod
    def _note(notes: list[str], text: str) -> None:
        if len(notes) < _KEPT:
            notes.append(text[:500])

    def _is_page(self, request: Request) -> bool:
        with contextlib.suppress(PlaywrightError):  # a service worker's request has no frame
            return request.is_navigation_request() and request.frame == self.page.main_frame
        return False

    # -------------------------------------------------------------------------------------------- what is done

    def new_step(self, headers: dict[str, str]) -> None:
        """Args: headers: for every request to the portal itself."""
        self._headers = headers
        self.beside = Beside()
        self.urls = []
        self._asked.clear()
        self._fetched = None
        self._refused = None
        self.waiting_for = ""

    def requests_since(self) -> int:
        """How many requests went to the portal itself since this was last asked."""
        count, self._own_requests = self._own_requests, 0
        return count

    @property
    def opened(self) -> bool:
        """Whether this step asked for a page."""
        return bool(self.urls)

    async def goto(self, url: str) -> None:
        self.waiting_for = "an answer"
        try:
            await self.page.goto(url, wait_until="load", timeout=0)
        except PlaywrightError as error:
            raise self.fault(error, url) from error

    async def after(self) -> None:
        """Waits for the page that an action opens, should it open one."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._asked.wait(), _ASKS_WITHIN_SECONDS)
        if not self._asked.is_set():
            return
        await self._settled.wait()
        if self._refused is not None:
            raise self.fault(self._refused, self.urls[-1])
        try:
            await self.page.wait_for_load_state("load", timeout=0)
        except PlaywrightError as error:
            raise self.fault(error, self.urls[-1]) from error
        self.waiting_for = ""

    async def act(self, selector: str, purpose: str, action: Callable[[], Awaitable[object]]) -> None:
        """Does something to an element; that it is not there to be used is the page's failure."""
        self.waiting_for = purpose
        try:
            await action()
        except PlaywrightTimeout as error:
            there = await self.page.locator(selector).count()
            title = " ".join((await self.page.title()).split())[:100]
            found = {0: "no element", 1: "1 element"}.get(there, f"{there} elements")
            raise Fault(
                FailureKind.ASSERTION,
                f"css {selector}",
                expected=f"{CANNOT_BE_USED} ({purpose})",
                found=f"{found}, on the page “{title}”" if title else found,
            ) from error
        except PlaywrightError as error:
            raise self.fault(error, self.page.url) from error
        self.waiting_for = ""

    async def fetch(self, ask: Ask) -> None:
        """A request by the browser, with the visitor's cookies, beside the page."""
        self.urls.append(ask.url)
        self.waiting_for = "an answer"
        question = {
            "url": ask.url,
            "method": ask.method,
            "headers": dict(ask.headers),
            "body": base64.b64encode(ask.body).decode() if ask.body else None,
            "limit": self._max_body,
        }
        try:
            told = await (await self._desk(ask.url)).evaluate(_FETCH, question)
        except PlaywrightError as error:
            raise self.fault(self._refused or error, ask.url) from error
        if "tooLarge" in told:
            raise self._too_large(told["tooLarge"])
        self._fetched = Response(
            status=told["status"],
            headers=tuple((name.lower(), value) for name, value in told["headers"]),
            url=told["url"],
            body=base64.b64decode(told["body"]),
        )
        self.urls[-1] = self._fetched.url
        self.waiting_for = ""

    async def _desk(self, url: str) -> Page:
        """An empty page of the same origin, made here: the portal's own may forbid what its scripts do not need."""
        scheme, host, *_ = urlsplit(url)
        place = f"{scheme}://{host}/{_DESK}"
        if self._requests is None:
            self._requests = await self._context.new_page()
            self._requests.on("requestfailed", self._on_request_failed)
        if self._requests.url != place:
            await self._requests.goto(place)
            # A page behind another is not drawn, and nothing can be clicked on it.
            await self.page.bring_to_front()
        return self._requests

    def _on_request_failed(self, request: Request) -> None:
        self._refused = request.failure

    def fault(self, error: PlaywrightError | str, url: str) -> Fault:
        """What Playwright's complaint means; a host that is not allowed is told as what it is."""
        message = error if isinstance(error, str) else error.message
        last = self.urls[-1] if self.urls else url
        if self.crashed:
            return browser_trouble("the page's process crashed")
        if "net::" in message and not self._reach.allows(last):
            return Fault(FailureKind.REDIRECT, "host", expected="an allowed host", found=f"{place_of(last)} ({last})")
        return network_fault(message, place_of(last))

    # -------------------------------------------------------------------------------------------- what is there

    async def response(self) -> Response | None:
        """The page as it is now, after its scripts; None while it is on its way to another."""
        if self._fetched is not None:
            return self._fetched
        answer = self.main
        if answer is None:
            return None
        try:
            headers = tuple((h["name"].lower(), h["value"]) for h in await answer.headers_array())
            cookies = tuple((c.get("name", ""), c.get("value", "")) for c in await self._context.cookies())
            bare = Response(status=answer.status, headers=headers, url=self.page.url, body=b"")
            if bare.is_html:
                body = (await self.page.content()).encode("utf-8", "replace")
                headers = tuple(
                    (name, f"{bare.media_type}; charset=utf-8" if name == "content-type" else value)
                    for name, value in headers
                )
            else:
                body = await answer.body()
        except PlaywrightError as error:
            if self.crashed or not self.page.context.browser or not self.page.context.browser.is_connected():
                raise browser_trouble(error.message) from error
            return None
        if len(body) > self._max_body:
            raise self._too_large(len(body))
        return Response(status=answer.status, headers=headers, url=self.page.url, body=body, cookies=cookies)

    def _too_large(self, size: int) -> Fault:
        return Fault(FailureKind.TOO_LARGE, "body", expected=f"at most {self._max_body} bytes", found=f"{size} bytes")

    async def is_visible(self, selector: str) -> bool:
        return await self.page.locator(selector).first.is_visible()

    async def figures(self) -> PageFigures:
        """How long the page took by its own measure; nothing where it does not tell in time."""
        try:
            async with asyncio.timeout(2):
                told = await self.page.evaluate(_MEASURE)
        except (PlaywrightError, TimeoutError):
            return NO_FIGURES
        if told is None:
            return NO_FIGURES
        phases = {f"{name}_us": _us(told[name]) for name in ("resolve", "connect", "tls", "processing", "transfer")}
        return PageFigures(
            phases=Phases(**phases),
            lcp_us=_us_or_none(told["lcp"]),
            first_paint_us=_us_or_none(told["first"]),
            content_loaded_us=_us_or_none(told["read"]),
            loaded_us=_us_or_none(told["loaded"]),
            http_version={"http/1.0": "1.0", "http/1.1": "1.1", "h2": "2", "h3": "3"}.get(told["protocol"], ""),
        )

    async def address(self) -> tuple[str, str]:
        """The IP address that answered, and the TLS version; empty where there is none."""
        try:
            server = await self.main.server_addr() if self.main is not None else None
            security = await self.main.security_details() if self.main is not None else None
        except PlaywrightError:
            return "", ""
        version = str(security["protocol"]) if security and "protocol" in security else ""
        return server["ipAddress"].strip("[]") if server else "", version.replace("TLS ", "TLSv")


def _us(milliseconds: float) -> int:
    return max(0, round(milliseconds * 1_000))


def _us_or_none(milliseconds: float | None) -> int | None:
    return None if milliseconds is None else _us(milliseconds)
