"""One run of a browser journey, in the process that was started for it. Nothing is raised: all is told as values."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from playwright.async_api import Browser, BrowserContext, FilePayload, ProxySettings, async_playwright
from playwright.async_api import Error as PlaywrightError

from probes.asking import ask_of, trace_parent
from probes.assertions import Finding, seconds, slowness
from probes.bodies import file_bytes
from probes.browser.channel import Followed, Line, PutOff
from probes.browser.definition import BrowserExpect, BrowserStep
from probes.browser.exchange import Aside, Job, LeftOut, Seen, Shot, Visited, Why
from probes.browser.faults import browser_trouble
from probes.browser.fields import fields_masked
from probes.browser.loading import Loading
from probes.browser.page import NO_FIGURES, PageFigures, Visit
from probes.browser.picture import picture
from probes.browser.reach import reach, resolver_rules
from probes.browser.trace import cleaned
from probes.evidence import BODY_LIMIT
from probes.fault import Fault
from probes.har import HEAD_LIMIT
from probes.judging import Judge, first_fault, is_bot_check
from probes.making import Making
from probes.redaction import Redactor
from probes.regexes import TooSlowError
from probes.response import Response
from probes.sample import Evidence, Failure, FailureKind, FileKind, StepOutcome, StepResult
from probes.templates import Into
from probes.values import Values, filled

#: Budget of an `always` step that names none.
CLEAN_UP_US = 10_000_000
_POLL_SECONDS = 0.1
_ACTIONS = ("goto", "fill", "select", "check", "upload", "click", "press", "request")
_VIEW = {"width": 1280, "height": 900}
#: A run keeps so many pictures, the newest ones; a journey may ask for one of each step.
_MOST_PICTURES = 4
_TRACE_SECONDS = 4.0
#: What no waiting mends: the page is there, and it is not the one.
_NOT_WAITED_FOR = (FailureKind.HTTP_STATUS, FailureKind.RATE_LIMITED)
#: Failures after which there is no page to look at, or none that answers.
_SILENT = (FailureKind.TIMEOUT, FailureKind.MONITOR)


async def visit(job: Job, line: Line, *, monotonic_us: Callable[[], int]) -> Visited:
    """Starts the browser, walks the journey, and leaves the ending to whoever keeps this process."""
    redact = Redactor(_secrets(job))
    try:
        async with asyncio.timeout(job.start_us / 1_000_000):
            walking = await _started(job, line, monotonic_us)
    except TimeoutError:
        return _unmeasured(job, browser_trouble(f"the browser did not start within {seconds(job.start_us)}"), redact)
    except PlaywrightError as error:
        return _unmeasured(job, browser_trouble(error.message), redact)
    except Fault as fault:
        return _unmeasured(job, fault, redact)
    except Exception as error:
        return _unmeasured(job, browser_trouble(f"{type(error).__name__} at its start"), redact)
    return await walking.all_steps()


def _secrets(job: Job) -> tuple[str, ...]:
    """All that must never be told. The browser is given a proxy's password by itself, so it is one by itself too."""
    credentials = job.secrets.get(job.portal.proxy_credentials or "", "")
    return tuple(filter(None, (*job.secrets.values(), credentials.partition(":")[2])))


async def _started(job: Job, line: Line, monotonic_us: Callable[[], int]) -> _Walk:
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
    if job.trace != "none":
        await context.tracing.start(snapshots=job.trace == "pages", screenshots=False, sources=False)

    def put_off(status: int, retry_after: str, host: str) -> None:
        line.tell(PutOff(status=status, retry_after=retry_after, host=host))

    page = Visit(await context.new_page(), context, of=of, max_body=portal.max_body, put_off=put_off)
    await page.begin()
    return _Walk(job=job, line=line, browser=browser, context=context, page=page, monotonic_us=monotonic_us)


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
        self,
        *,
        job: Job,
        line: Line,
        browser: Browser,
        context: BrowserContext,
        page: Visit,
        monotonic_us: Callable[[], int],
    ) -> None:
        self._job = job
        self._line = line
        self._journey = job.journey
        self._base_url = job.journey.base_url or job.portal.base_url
        self._browser = browser
        self._context = context
        self._page = page
        self._redactor: tuple[tuple[str, ...], Redactor] | None = None
        self._monotonic_us = monotonic_us
        self._began_us = monotonic_us()
        #: What was not the portal's time: turns that were waited for, pictures, our own questions to the page.
        self._ours_us = 0
        self._judge = Judge(simulated=False)
        self._evidence: list[Evidence] = []
        self._asides: list[Aside] = []
        self._pictures: list[Shot] = []
        self._left_out: list[LeftOut] = []
        self._secret_fields: set[str] = set()
        self._limit: asyncio.Timeout | None = None
        self._values = Values(
            run_id=job.run_id,
            run_time=job.run_time,
            secrets={name: job.secrets[name] for name in job.journey.secrets if name in job.secrets},
            base_url=self._base_url,
        )
        for name, value in job.given:
            self._values.keep(name, value)
        self._making = Making(
            self._journey,
            keep=line.keep if job.listing else None,
            values=self._values,
            redact=lambda: self._redact,
            patience_us=job.patience_us,
        )
        self._loading = Loading(lambda: monotonic_us() - self._began_us, page.is_ours)
        self._loading.watch(context)
        browser.on("disconnected", lambda _: self._at_once())
        page.page.on("crash", lambda _: self._at_once())

    @property
    def _redact(self) -> Redactor:
        """Every secret we know is redacted, not only this journey's, and what came up in the run."""
        found = self._values.found_secret
        if self._redactor is None or self._redactor[0] != found:
            self._redactor = found, Redactor((*_secrets(self._job), *found))
        return self._redactor[1]

    def _at_once(self) -> None:
        """The browser is gone, or its page: nothing is left to wait for."""
        if self._limit is not None:
            with contextlib.suppress(RuntimeError):  # between two steps
                self._limit.reschedule(0)

    async def all_steps(self) -> Visited:
        results: list[StepResult] = []
        failure: Failure | None = None
        slow: Failure | None = None
        self._began_us = self._monotonic_us()
        left_us = self._journey.deadline
        for step in self._journey.step:
            if step.always:
                results.append(await self._clean_up(step))
                continue
            if failure is not None:
                results.append(StepResult(step=step.id, outcome=StepOutcome.SKIPPED))
                continue
            of_step = step.deadline is not None and step.deadline < left_us
            result = await self._noted(step, step.deadline if of_step and step.deadline else left_us, of_step=of_step)
            left_us = max(1, left_us - result.duration_us)
            results.append(result)
            if result.outcome is StepOutcome.FAILED:
                failure = result.failure
            elif result.outcome is StepOutcome.SLOW:
                slow = slow or result.failure
        if failure is None and sum(r.assertions for r in results) == 0:
            # Nothing was looked at, so nothing was found to work.
            failure = Failure(kind=FailureKind.MONITOR, subject="assertions", expected="at least 1", found="0")
        duration_us = max(0, self._monotonic_us() - self._began_us - self._ours_us)
        return Visited(
            steps=tuple(results),
            failure=failure or slow,
            evidence=tuple(self._evidence),
            duration_us=duration_us,
            # A clean-up that failed after all went well has its proof too.
            seen=await self._seen_beside() if failure is not None or self._evidence else None,
            hidden=self._values.found_secret,
        )

    async def _seen_beside(self) -> Seen:
        """What a failed run leaves: what its pages asked, what went wrong beside, its pictures and its trace."""
        loaded = await self._loading.told()
        shots = self._pictures[-_MOST_PICTURES:]
        if self._job.trace != "none":
            trace = await self._trace()
            if trace is None:
                self._left_out.append(LeftOut(kind=FileKind.TRACE, step="", why=Why.UNAVAILABLE))
            else:
                content = base64.b64encode(trace).decode("ascii")
                shots.append(Shot(kind=FileKind.TRACE, step="", content=content))
        return Seen(
            loaded=loaded,
            asked=self._loading.total,
            asides=tuple(self._asides),
            shots=tuple(shots),
            left_out=tuple(self._left_out),
        )

    async def _trace(self) -> bytes | None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "trace.zip"
            try:
                async with asyncio.timeout(_TRACE_SECONDS):
                    await self._context.tracing.stop(path=path)
            except (PlaywrightError, TimeoutError):
                return None
            return cleaned(path, self._redact)

    async def _noted(self, step: BrowserStep, deadline_us: int, *, of_step: bool) -> StepResult:
        """A step in its turn, and what it makes or takes away put on the list."""
        refused = await self._making.before(step)
        if refused is not None:
            return StepResult(step=step.id, outcome=StepOutcome.FAILED, failure=refused)
        try:
            if step.asks:
                self._ours_us += await self._line.turn()
            result = await self._step(step, deadline_us, of_step=of_step)
            # What a page asks follows at once, as redirects do; it is made up for before the next step.
            self._line.tell(Followed(requests=max(0, self._page.requests_since() - step.asks)))
        except Fault as fault:  # of the turn; a step raises none
            result = StepResult(step=step.id, outcome=StepOutcome.FAILED, failure=fault.failure(step.id))
        await self._making.after(step, result)
        return result

    async def _clean_up(self, step: BrowserStep) -> StepResult:
        try:
            self._fill_in(step)
        except Fault:
            # What was to be cleaned up was never made: the value that names it is missing.
            return StepResult(step=step.id, outcome=StepOutcome.SKIPPED)
        return await self._noted(step, step.deadline or min(CLEAN_UP_US, self._journey.deadline), of_step=True)

    async def _step(self, step: BrowserStep, deadline_us: int, *, of_step: bool) -> StepResult:
        page = self._page
        self._loading.step = step.id
        page.new_step(self._headers(step))
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
                elif response is not None and step.creates is not None:
                    # Whatever is wrong with the page: what was made must be found again.
                    with contextlib.suppress(Fault):
                        await self._judge.capture(step.capture, response, self._values)
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
        looked_us = self._monotonic_us()
        measurable = page.opened and step.request is None and not page.crashed
        if fault is not None and fault.kind in _SILENT:
            measurable = False  # such a page gives no figures either, and would be waited for
        figures = await page.figures() if measurable else NO_FIGURES
        if fault is not None or step.screenshot:
            await self._keep_picture(step)
        result = await self._told(step, duration, response, figures, found, fault, slow)
        self._ours_us += self._monotonic_us() - looked_us
        return result

    def _headers(self, step: BrowserStep) -> dict[str, str]:
        """By which the portal's owner knows us on every request, beside the User-Agent."""
        marker = self._job.portal.marker
        own = {} if marker is None else {marker.name.lower(): marker.value}
        run_id = self._job.run_id
        return {"x-loketwacht-run": run_id, "traceparent": trace_parent(run_id, step.id)} | own

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
        if (aside := self._aside(step)) is not None:
            self._asides.append(aside)
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
            first_paint_us=figures.first_paint_us,
            content_loaded_us=figures.content_loaded_us,
            loaded_us=figures.loaded_us,
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
                settled = fault is None or fault.kind in _NOT_WAITED_FOR or is_bot_check(response)
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
        if self._page.crashed or not self._browser.is_connected():
            return
        taken = await picture(self._page.page, self._redact, self._secret_fields)
        if taken is None:
            self._left_out.append(LeftOut(kind=FileKind.PICTURE, step=step.id, why=Why.UNAVAILABLE))
        else:
            self._pictures.append(Shot(kind=FileKind.PICTURE, step=step.id, content=taken))

    def _aside(self, step: BrowserStep) -> Aside | None:
        """What went wrong beside a step; None where nothing did."""
        beside = self._page.beside
        if not (beside.console or beside.failed or beside.blocked):
            return None

        def told(texts: Sequence[str]) -> tuple[str, ...]:
            return tuple(self._redact.short(text, 500) or "" for text in dict.fromkeys(texts))

        return Aside(
            step=step.id, console=told(beside.console), failed=told(beside.failed), blocked=told(beside.blocked)
        )

    def _proof(self, step: BrowserStep, response: Response | None) -> Evidence:
        redact = self._redact
        done = [name for name in _ACTIONS if getattr(step, name)]
        lines = [f"browser step: {', '.join(done) or 'look'}", *(f"asked: {url}" for url in self._page.urls)]
        head = "\n".join(f"{name}: {value}" for name, value in response.headers) if response is not None else ""
        body, truncated = redact.capped(fields_masked(response.text) if response is not None else "", BODY_LIMIT)
        return Evidence(
            step=step.id,
            request=redact.capped("\n".join(lines), HEAD_LIMIT)[0],
            response_head=redact.capped(f"{response.status}\n{head}", HEAD_LIMIT)[0] if response is not None else "",
            body=body,
            body_truncated=truncated,
            body_sha256=hashlib.sha256(response.body).hexdigest() if response is not None else None,
        )
