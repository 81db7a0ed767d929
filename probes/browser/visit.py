"""One run of a browser journey, in the process that was started for it. Nothing is raised: all is told as values."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from urllib.parse import urljoin, urlsplit

from playwright.async_api import Browser, FilePayload, ProxySettings, async_playwright
from playwright.async_api import Error as PlaywrightError

from probes.asking import ask_of, trace_parent
from probes.assertions import Finding, seconds, slowness
from probes.bodies import file_bytes
from probes.browser.definition import BrowserExpect, BrowserStep
from probes.browser.exchange import Job, Picture, Visited
from probes.browser.faults import browser_trouble
from probes.browser.page import NO_FIGURES, PageFigures, Visit
from probes.browser.picture import picture
from probes.browser.reach import reach, resolver_rules
from probes.evidence import BODY_LIMIT
from probes.fault import Fault
from probes.judging import Judge, first_fault, is_bot_check
from probes.redaction import Redactor
from probes.regexes import TooSlowError
from probes.response import Response
from probes.sample import Evidence, Failure, FailureKind, StepOutcome, StepResult
from probes.templates import Into
from probes.values import Values, filled

#: Budget of an `always` step that names none.
CLEAN_UP_US = 10_000_000
_POLL_SECONDS = 0.1
_ACTIONS = ("goto", "fill", "select", "check", "upload", "click", "press", "request")
_VIEW = {"width": 1280, "height": 900}


async def visit(job: Job, *, monotonic_us: Callable[[], int]) -> Visited:
    """Starts the browser, walks the journey, and leaves the ending to whoever keeps this process."""
    redact = Redactor(job.secrets.values())
    try:
        async with asyncio.timeout(job.start_us / 1_000_000):
            walking = await _started(job, redact, monotonic_us)
    except TimeoutError:
        return _unmeasured(job, browser_trouble(f"the browser did not start within {seconds(job.start_us)}"), redact)
    except PlaywrightError as error:
        return _unmeasured(job, browser_trouble(error.message), redact)
    except Fault as fault:
        return _unmeasured(job, fault, redact)
    except Exception as error:
        return _unmeasured(job, browser_trouble(f"{type(error).__name__} at its start"), redact)
    return await walking.all_steps()


async def _started(job: Job, redact: Redactor, monotonic_us: Callable[[], int]) -> _Walk:
    portal, of = job.portal, reach(job.journey, job.portal)
    playwright = await async_playwright().start()
    arguments = [
        "--disable-gpu",
        "--disable-dev-shm-usage",
        f"--host-resolver-rules={resolver_rules(of, portal.addresses)}",
    ]
    browser = await playwright.chromium.launch(
        executable_path=job.executable,
        chromium_sandbox=job.sandbox,
        args=arguments if portal.proxy else [*arguments, "--no-proxy-server"],
        proxy=_proxy(job),
        timeout=job.start_us / 1_000,
    )
    major = browser.version.partition(".")[0]
    context = await browser.new_context(
        # The browser's own words, headless included, and ours behind them: nothing is disguised.
        user_agent=(
            f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/{major}.0.0.0 "
            f"Safari/537.36 {job.contact}"
        ),
        locale="nl-BE",
        viewport={"width": _VIEW["width"], "height": _VIEW["height"]},
        service_workers="block",
        accept_downloads=False,
    )
    page = Visit(await context.new_page(), context, of=of, max_body=portal.max_body)
    await page.begin()
    return _Walk(job=job, browser=browser, page=page, redact=redact, monotonic_us=monotonic_us)


def _proxy(job: Job) -> ProxySettings | None:
    portal = job.portal
    if portal.proxy is None:
        return None
    settings: ProxySettings = {"server": portal.proxy, "bypass": ",".join(portal.no_proxy)}
    if portal.proxy_credentials is not None:
        if portal.proxy_credentials not in job.secrets:
            raise Fault(
                FailureKind.MONITOR, "secret", expected=f"a value for {portal.proxy_credentials}", found="nothing"
            )
        user, _, password = job.secrets[portal.proxy_credentials].partition(":")
        settings |= {"username": user, "password": password}
    return settings


def _unmeasured(job: Job, fault: Fault, redact: Redactor) -> Visited:
    steps = tuple(StepResult(step=step.id, outcome=StepOutcome.SKIPPED) for step in job.journey.step)
    return Visited(steps=steps, failure=_clean(fault.failure(None), redact), evidence=(), duration_us=0)


def _clean(failure: Failure, redact: Redactor) -> Failure:
    return replace(
        failure,
        subject=redact.short(failure.subject) or "",
        expected=redact.short(failure.expected),
        found=redact.short(failure.found),
    )


class _Walk:
    """One run under way."""

    def __init__(
        self, *, job: Job, browser: Browser, page: Visit, redact: Redactor, monotonic_us: Callable[[], int]
    ) -> None:
        self._job = job
        self._journey = job.journey
        self._base_url = job.journey.base_url or job.portal.base_url
        self._browser = browser
        self._page = page
        self._redact = redact
        self._monotonic_us = monotonic_us
        self._judge = Judge(simulated=False)
        secrets = {name: job.secrets[name] for name in job.journey.secrets if name in job.secrets}
        self._values = Values(run_id=job.run_id, run_time=job.run_time, secrets=secrets, base_url=self._base_url)
        self._evidence: list[Evidence] = []
        self._pictures: list[Picture] = []
        self._secret_fields: set[str] = set()
        self._limit: asyncio.Timeout | None = None
        browser.on("disconnected", lambda _: self._at_once())
        page.page.on("crash", lambda _: self._at_once())

    def _at_once(self) -> None:
        """The browser is gone, or its page: nothing is left to wait for."""
        if self._limit is not None:
            with contextlib.suppress(RuntimeError):  # between two steps
                self._limit.reschedule(0)

    async def all_steps(self) -> Visited:
        results: list[StepResult] = []
        failure: Failure | None = None
        slow: Failure | None = None
        began_us = self._monotonic_us()
        left_us = self._journey.deadline
        for step in self._journey.step:
            if step.always:
                results.append(await self._clean_up(step))
                continue
            if failure is not None:
                results.append(StepResult(step=step.id, outcome=StepOutcome.SKIPPED))
                continue
            of_step = step.deadline is not None and step.deadline < left_us
            result = await self._step(step, step.deadline if of_step and step.deadline else left_us, of_step=of_step)
            left_us = max(1, left_us - result.duration_us)
            results.append(result)
            if result.outcome is StepOutcome.FAILED:
                failure = result.failure
            elif result.outcome is StepOutcome.SLOW:
                slow = slow or result.failure
        if failure is None and sum(r.assertions for r in results) == 0:
            # Nothing was looked at, so nothing was found to work.
            failure = Failure(kind=FailureKind.MONITOR, subject="assertions", expected="at least 1", found="0")
        return Visited(
            steps=tuple(results),
            failure=failure or slow,
            evidence=tuple(self._evidence),
            duration_us=self._monotonic_us() - began_us,
            pictures=tuple(self._pictures) if failure is not None else (),
        )

    async def _clean_up(self, step: BrowserStep) -> StepResult:
        try:
            self._fill_in(step)
        except Fault:
            # What was to be cleaned up was never made: the value that names it is missing.
            return StepResult(step=step.id, outcome=StepOutcome.SKIPPED)
        return await self._step(step, step.deadline or min(CLEAN_UP_US, self._journey.deadline), of_step=True)

    async def _step(self, step: BrowserStep, deadline_us: int, *, of_step: bool) -> StepResult:
        page = self._page
        page.new_step({"x-loketwacht-run": self._job.run_id, "traceparent": trace_parent(self._job.run_id, step.id)})
        started = self._monotonic_us()
        response: Response | None = None
        found: tuple[Finding, ...] = ()
        fault: Fault | None = None
        slow: Finding | None = None
        self._limit = asyncio.timeout(deadline_us / 1_000_000)
        try:
            async with self._limit:
                ready, expect = self._fill_in(step)
                await self._act(ready)
                response, found, fault = await self._judged(expect, until_us=started + deadline_us)
                if fault is None and response is not None:
                    response = replace(response, duration_us=self._monotonic_us() - started)
                    await self._judge.capture(step.capture, response, self._values)
                    soft = slowness(expect, response)
                    slow = soft if soft is not None and not soft.ok else None
        except TimeoutError as error:
            whose = "step" if of_step else "journey"
            waited = f"still waiting for {page.waiting_for}" if page.waiting_for else "not done"
            fault = Fault(
                FailureKind.TIMEOUT,
                f"deadline of the {whose}",
                expected=f"done within {seconds(deadline_us)}",
                found=waited,
            )
            fault.__cause__ = error
        except Fault as error:
            fault = error
        except TooSlowError:
            # The expression is ours: the portal is not to blame for it.
            fault = Fault(FailureKind.MONITOR, "regex", expected="an answer in time", found="none")
        except PlaywrightError as error:
            fault = browser_trouble(error.message)
        except Exception as error:
            # The edge of a step: a bug of ours must not keep the clean-up from running.
            fault = Fault(FailureKind.MONITOR, "step", found=type(error).__name__)
        duration = self._monotonic_us() - started
        fault = self._whose(fault, response)
        self._limit = None
        measurable = page.opened and step.request is None and not page.crashed
        if fault is not None and fault.kind in (FailureKind.TIMEOUT, FailureKind.MONITOR):
            measurable = False  # such a page gives no figures either, and would be waited for
        figures = await page.figures() if measurable else NO_FIGURES
        if (fault is not None and not step.always) or step.screenshot:
            await self._keep_picture(step)
        return await self._told(step, duration, response, figures, found, fault, slow)

    def _whose(self, fault: Fault | None, response: Response | None) -> Fault | None:
        """A browser that is gone can blame nobody; a robot check in the portal's place is told as what it is."""
        if fault is None:
            return None
        if self._page.crashed:
            return browser_trouble("the page's process crashed")
        if not self._browser.is_connected():
            return browser_trouble("the browser ended in the middle of the run")
        if response is not None and is_bot_check(response):
            found = "a robot check in the page's place"
            return Fault(FailureKind.BOT_CHECK, fault.subject, expected=fault.expected, found=found)
        return fault

    async def _told(
        self,
        step: BrowserStep,
        duration: int,
        response: Response | None,
        figures: PageFigures,
        found: tuple[Finding, ...],
        fault: Fault | None,
        slow: Finding | None,
    ) -> StepResult:
        page = self._page
        outcome, failure = StepOutcome.OK, None
        if fault is not None:
            outcome, failure = StepOutcome.FAILED, _clean(fault.failure(step.id), self._redact)
            self._evidence.append(self._proof(step, response))
        elif slow is not None:
            fault = Fault(slow.kind, slow.subject, expected=slow.expected, found=slow.found)
            outcome, failure = StepOutcome.SLOW, _clean(fault.failure(step.id), self._redact)
        address, tls_version = await page.address() if page.opened else ("", "")
        return StepResult(
            step=step.id,
            outcome=outcome,
            duration_us=duration,
            phases=figures.phases,
            status=response.status if response is not None else page.main.status if page.main is not None else 0,
            body_bytes=len(response.body) if response is not None else 0,
            urls=tuple(self._redact.short(url, 2000) or "" for url in page.urls),
            assertions=len(found),
            failure=failure,
            address=address,
            http_version=figures.http_version,
            tls_version=tls_version,
            lcp_us=figures.lcp_us,
            console_errors=len(page.beside.console),
            failed_requests=len(page.beside.failed),
            blocked_requests=len(page.beside.blocked),
        )

    def _fill_in(self, step: BrowserStep) -> tuple[BrowserStep, BrowserExpect]:
        """The step with every template filled in, and what it expects.

        Raises:
            Fault: of kind monitor, where a value is not there.
        """
        fill = self._values.fill

        def css(selector: str) -> str:
            return fill(selector, Into.CSS)

        for upload in (one for files in step.upload.values() for one in files):
            content = file_bytes(run_id=self._job.run_id, part=upload.name, size=upload.size)
            facts = {"sha256": hashlib.sha256(content).hexdigest(), "size": str(upload.size)}
            self._values.keep_files({upload.name: facts})
        if step.request is not None:
            ask_of(step.request.as_step(step.id), self._values, base_url=self._base_url, last=None)
        ready = step.model_copy(
            update={
                "goto": None if step.goto is None else urljoin(self._base_url, fill(step.goto)),
                "fill": {css(selector): fill(text) for selector, text in step.fill.items()},
                "select": {css(selector): fill(text) for selector, text in step.select.items()},
                "check": tuple(map(css, step.check)),
                "upload": {css(selector): files for selector, files in step.upload.items()},
                "click": None if step.click is None else css(step.click),
            }
        )
        self._secret_fields |= {css(selector) for selector, text in step.fill.items() if "secret." in text}
        expect = filled(step.expect, fill)
        assert isinstance(expect, BrowserExpect)
        seen = {"visible": tuple(map(css, expect.visible)), "hidden": tuple(map(css, expect.hidden))}
        return ready, expect.model_copy(update=seen)

    async def _act(self, step: BrowserStep) -> None:
        visit, page = self._page, self._page.page
        limit = self._journey.wait / 1_000
        if step.request is not None:
            await visit.fetch(ask_of(step.request.as_step(step.id), self._values, base_url=self._base_url, last=None))
            return
        if step.goto is not None:
            if urlsplit(step.goto).scheme not in ("http", "https"):
                raise Fault(FailureKind.MONITOR, "goto", expected="an http or https address", found=step.goto)
            await visit.goto(step.goto)
        for selector, text in step.fill.items():
            await visit.act(selector, "fill", partial(page.fill, selector, text, timeout=limit))
        for selector, text in step.select.items():
            await visit.act(selector, "select", partial(page.select_option, selector, text, timeout=limit))
        for selector in step.check:
            await visit.act(selector, "check", partial(page.check, selector, timeout=limit))
        for selector, files in step.upload.items():
            given = [self._file(one.name, one.file_name, one.content_type, one.size) for one in files]
            await visit.act(selector, "upload", partial(page.set_input_files, selector, given, timeout=limit))
        if step.click is not None:
            await visit.act(step.click, "click", partial(page.click, step.click, timeout=limit, no_wait_after=True))
            await visit.after()
        if step.press is not None:
            await visit.act("*:focus", "press", partial(page.keyboard.press, step.press))
            await visit.after()

    def _file(self, name: str, file_name: str, content_type: str, size: int) -> FilePayload:
        return {
            "name": self._values.fill(file_name),
            "mimeType": content_type,
            "buffer": file_bytes(run_id=self._job.run_id, part=name, size=size),
        }

    async def _judged(
        self, expect: BrowserExpect, *, until_us: int
    ) -> tuple[Response | None, tuple[Finding, ...], Fault | None]:
        """Looks until all holds, or the time to wait is over; a bit of the deadline is kept to tell what was seen."""
        started = self._monotonic_us()
        until_us = min(started + self._journey.wait, until_us - 200_000)
        while True:
            response = await self._page.response()
            if response is not None:
                response = replace(response, duration_us=self._monotonic_us() - started)
                found = (*await self._judge.findings(expect, response), *await self._seen(expect))
                fault = first_fault(expect, response, found)
                settled = fault is None or fault.kind is FailureKind.HTTP_STATUS or is_bot_check(response)
                if settled or self._monotonic_us() >= until_us:
                    return response, found, fault
            elif self._monotonic_us() >= until_us:
                raise Fault(FailureKind.TIMEOUT, "page", expected="a page that stays", found="none to look at")
            await asyncio.sleep(_POLL_SECONDS)

    async def _seen(self, expect: BrowserExpect) -> Sequence[Finding]:
        found = []
        for selectors, wanted in ((expect.visible, True), (expect.hidden, False)):
            for selector in selectors:
                visible = await self._page.is_visible(selector)
                words = {True: "visible", False: "hidden"}
                found.append(
                    Finding(
                        ok=visible is wanted,
                        kind=FailureKind.ASSERTION,
                        subject=f"css {selector}",
                        expected=words[wanted],
                        found=words[visible],
                    )
                )
        return found

    async def _keep_picture(self, step: BrowserStep) -> None:
        taken = await picture(self._page.page, self._job.secrets.values(), self._secret_fields)
        if taken is not None:
            self._pictures.append(Picture(step=step.id, png=taken))

    def _proof(self, step: BrowserStep, response: Response | None) -> Evidence:
        redact, beside = self._redact, self._page.beside
        done = [name for name in _ACTIONS if getattr(step, name)]
        lines = [f"browser step: {', '.join(done) or 'look'}", *(f"asked: {url}" for url in self._page.urls)]
        lines += [f"console error: {text}" for text in beside.console]
        lines += [f"could not be loaded: {text}" for text in beside.failed]
        lines += [f"kept out: {host}" for host in beside.blocked]
        head = "\n".join(f"{name}: {value}" for name, value in response.headers) if response is not None else ""
        body, truncated = redact.capped(response.text if response is not None else "", BODY_LIMIT)
        return Evidence(
            step=step.id,
            request=redact.capped("\n".join(lines), 16 * 1024)[0],
            response_head=redact.capped(f"{response.status}\n{head}", 16 * 1024)[0] if response is not None else "",
            body=body,
            body_truncated=truncated,
            body_sha256=hashlib.sha256(response.body).hexdigest() if response is not None else None,
        )
