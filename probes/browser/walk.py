"""A browser journey's steps in order, on one page: an end at the first failure, clean-up after it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from playwright.async_api import Browser, BrowserContext
from playwright.async_api import Error as PlaywrightError

from probes.asking import trace_parent
from probes.assertions import Finding, slowness
from probes.browser import acting, looking
from probes.browser.channel import Followed, Line
from probes.browser.definition import BrowserStep
from probes.browser.exchange import Job, Visited
from probes.browser.faults import browser_trouble
from probes.browser.loading import Loading
from probes.browser.page import NO_FIGURES, PageFigures, Visit
from probes.browser.proof import Proof
from probes.course import TimeLimit, course
from probes.fault import Fault
from probes.judging import Judge, is_bot_check
from probes.making import Making
from probes.regexes import TooSlowError
from probes.response import Response
from probes.run_redactor import RunRedactor
from probes.sample import FailureKind, StepOutcome, StepResult
from probes.values import Values

#: Kept of a step's deadline, to tell what was seen.
_TELLING_US = 200_000
#: Failures after which there is no page to look at, or none that answers.
_SILENT = (FailureKind.TIMEOUT, FailureKind.MONITOR)


@dataclass(slots=True)
class _Seen:
    """What came of a step so far: whatever ends it early, what was seen before stays.

    Attributes:
        response: the page, or what a request was answered; None where none came.
        found: every assertion.
        fault: why the step failed; None while it did not.
        slow: the limit of time that a step which did not fail was beyond.
    """

    response: Response | None = None
    found: tuple[Finding, ...] = ()
    fault: Fault | None = None
    slow: Finding | None = None


class Walk:
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
        self._page = page
        self._monotonic_us = monotonic_us
        self._began_us = monotonic_us()
        #: What was not the portal's time: turns that were waited for, pictures, our own questions to the page.
        self._ours_us = 0
        self._judge = Judge(simulated=False)
        self._limit: asyncio.Timeout | None = None
        self._values = Values(
            run_id=job.run_id,
            run_time=job.run_time,
            secrets={name: job.secrets[name] for name in job.journey.secrets if name in job.secrets},
            base_url=self._base_url,
        )
        for name, value in job.given:
            self._values.keep(name, value)
        self._redactor = RunRedactor(job.never_told, self._values)
        self._making = Making(
            self._journey,
            keep=line.keep if job.listing else None,
            values=self._values,
            redact=self._redactor,
            patience_us=job.patience_us,
            monotonic_us=monotonic_us,
        )
        self._loading = Loading(lambda: monotonic_us() - self._began_us, page.is_ours)
        self._loading.watch(context)
        self._proof = Proof(
            context=context, page=page, loading=self._loading, redact=self._redactor, traced=job.trace != "none"
        )
        browser.on("disconnected", lambda _: self._at_once())
        page.page.on("crash", lambda _: self._at_once())

    def _at_once(self) -> None:
        """The browser is gone, or its page: nothing is left to wait for."""
        if self._limit is not None:
            with contextlib.suppress(RuntimeError):  # between two steps
                self._limit.reschedule(0)

    async def all_steps(self) -> Visited:
        self._began_us = self._monotonic_us()
        done = await course(
            self._journey.step,
            deadline_us=self._journey.deadline,
            take=self._noted,
            can_be_cleaned=self._can_be_cleaned,
        )
        duration_us = max(0, self._monotonic_us() - self._began_us - self._ours_us - self._making.waited_us)
        evidence = tuple(self._proof.evidence)
        return Visited(
            steps=done.steps,
            failure=done.failed or done.slow,
            evidence=evidence,
            duration_us=duration_us,
            # A clean-up that failed after all went well has its proof too.
            seen=await self._proof.seen() if done.failed is not None or evidence else None,
            hidden=self._values.found_secret,
        )

    def _can_be_cleaned(self, step: BrowserStep) -> bool:
        try:
            acting.ready(step, self._values, base_url=self._base_url)
        except Fault:
            return False
        return True

    async def _noted(self, step: BrowserStep, limit: TimeLimit) -> StepResult:
        """A step in its turn, and what it makes or takes away put on the list."""
        refused = await self._making.before(step)
        if refused is not None:
            return StepResult(step=step.id, outcome=StepOutcome.FAILED, failure=refused)
        try:
            if step.asks:
                self._ours_us += await self._line.turn()
            result = await self._step(step, limit)
            # What a page asks follows at once, as redirects do; it is made up for before the next step.
            self._line.tell(Followed(requests=max(0, self._page.requests_since() - step.asks)))
        except Fault as fault:  # of the turn; a step raises none
            result = StepResult(step=step.id, outcome=StepOutcome.FAILED, failure=fault.failure(step.id))
        told = self._making.held_up(result)
        await self._making.after(step, result)
        return told

    async def _step(self, step: BrowserStep, limit: TimeLimit) -> StepResult:
        page = self._page
        self._loading.step = step.id
        page.new_step(self._headers(step))
        started = self._monotonic_us()
        seen = await self._tried(step, limit)
        duration = self._monotonic_us() - started
        seen.fault = self._whose(seen)
        looked_us = self._monotonic_us()
        measurable = page.opened and step.request is None and not page.crashed
        if seen.fault is not None and seen.fault.kind in _SILENT:
            measurable = False  # such a page gives no figures either, and would be waited for
        figures = await page.figures() if measurable else NO_FIGURES
        if (seen.fault is not None or step.screenshot) and not page.crashed and self._browser.is_connected():
            await self._proof.take_picture(step.id)
        result = await self._told(step, seen, figures, duration)
        self._ours_us += self._monotonic_us() - looked_us
        return result

    def _headers(self, step: BrowserStep) -> dict[str, str]:
        """By which the portal's owner knows us on every request, beside the User-Agent."""
        marker = self._job.portal.marker
        own = {} if marker is None else {marker.name.lower(): marker.value}
        run_id = self._job.run_id
        return {"x-loketwacht-run": run_id, "traceparent": trace_parent(run_id, step.id)} | own

    async def _tried(self, step: BrowserStep, limit: TimeLimit) -> _Seen:
        """What came of a step, whatever happens."""
        seen = _Seen()
        until_us = self._monotonic_us() + limit.us
        self._limit = asyncio.timeout(limit.us / 1_000_000)
        try:
            async with self._limit:
                await self._done(step, seen, until_us)
        except TimeoutError as error:
            seen.fault = limit.overrun(self._page.waiting_for)
            seen.fault.__cause__ = error
        except Fault as error:
            seen.fault = error
        except TooSlowError:
            # The expression is ours: the portal is not to blame for it.
            seen.fault = Fault(FailureKind.MONITOR, "regex", expected="an answer in time", found="none")
        except PlaywrightError as error:
            seen.fault = browser_trouble(error.message)
        except Exception as error:
            # The edge of a step: a bug of ours must not keep the clean-up from running.
            seen.fault = Fault(FailureKind.MONITOR, "step", found=type(error).__name__)
        self._limit = None
        return seen

    async def _done(self, step: BrowserStep, seen: _Seen, until_us: int) -> None:
        values, started = self._values, self._monotonic_us()
        ready, expect = acting.ready(step, values, base_url=self._base_url)
        self._proof.secret_fields |= acting.secret_fields(step, values)
        await acting.act(ready, self._page, values, base_url=self._base_url, wait_us=self._journey.wait)
        seen.response, seen.found, seen.fault = await looking.judged(
            expect,
            self._page,
            self._judge,
            until_us=min(self._monotonic_us() + self._journey.wait, until_us - _TELLING_US),
            monotonic_us=self._monotonic_us,
        )
        if seen.fault is None:
            seen.response = replace(seen.response, duration_us=self._monotonic_us() - started)
            await self._judge.capture(step.capture, seen.response, values)
            soft = slowness(expect, seen.response)
            seen.slow = soft if soft is not None and not soft.ok else None
        elif step.creates is not None:
            # Whatever is wrong with the page: what was made must be found again.
            with contextlib.suppress(Fault):
                await self._judge.capture(step.capture, seen.response, values)

    def _whose(self, seen: _Seen) -> Fault | None:
        """A browser that is gone can blame nobody; a robot check in the portal's place is told as what it is."""
        fault = seen.fault
        if fault is None:
            return None
        if self._page.crashed:
            return browser_trouble("the page's process crashed")
        if not self._browser.is_connected():
            return browser_trouble("the browser ended in the middle of the run")
        if seen.response is not None and is_bot_check(seen.response):
            found = "a robot check in the page's place"
            return Fault(FailureKind.BOT_CHECK, fault.subject, expected=fault.expected, found=found)
        return fault

    async def _told(self, step: BrowserStep, seen: _Seen, figures: PageFigures, duration_us: int) -> StepResult:
        page, response, slow, redact = self._page, seen.response, seen.slow, self._redactor()
        outcome, failure = StepOutcome.OK, None
        if seen.fault is not None:
            outcome, failure = StepOutcome.FAILED, redact.failure(seen.fault.failure(step.id))
            self._proof.failed(step, response)
        elif slow is not None:
            fault = Fault(slow.kind, slow.subject, expected=slow.expected, found=slow.found)
            outcome, failure = StepOutcome.SLOW, redact.failure(fault.failure(step.id))
        self._proof.note_aside(step.id)
        address, tls_version = await page.address() if page.opened else ("", "")
        return StepResult(
            step=step.id,
            outcome=outcome,
            duration_us=duration_us,
            phases=figures.phases,
            status=response.status if response is not None else page.main.status if page.main is not None else 0,
            body_bytes=len(response.body) if response is not None else 0,
            urls=tuple(redact.address(url) for url in page.urls),
            assertions=len(seen.found),
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
