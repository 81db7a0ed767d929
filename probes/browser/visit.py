"""One run of a browser journey, in the process that was started for it. Nothing is raised: all is told as values."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from playwright.async_api import Browser, BrowserContext, ProxySettings, async_playwright
from playwright.async_api import Error as PlaywrightError

from probes.assertions import seconds
from probes.browser.channel import Line, PutOff
from probes.browser.exchange import Job, Visited
from probes.browser.faults import browser_trouble
from probes.browser.page import Visit
from probes.browser.reach import reach, resolver_rules
from probes.browser.walk import Walk
from probes.fault import Fault
from probes.redaction import Redactor
from probes.sample import FailureKind, StepOutcome, StepResult

_VIEW = {"width": 1280, "height": 900}


async def visit(job: Job, line: Line, *, monotonic_us: Callable[[], int]) -> Visited:
    """Starts the browser, walks the journey, and leaves the ending to whoever keeps this process."""
    try:
        async with asyncio.timeout(job.start_us / 1_000_000):
            walking = await _started(job, line, monotonic_us)
    except TimeoutError:
        return _unmeasured(job, browser_trouble(f"the browser did not start within {seconds(job.start_us)}"))
    except PlaywrightError as error:
        return _unmeasured(job, browser_trouble(error.message))
    except Fault as fault:
        return _unmeasured(job, fault)
    except Exception as error:
        return _unmeasured(job, browser_trouble(f"{type(error).__name__} at its start"))
    return await walking.all_steps()


async def _started(job: Job, line: Line, monotonic_us: Callable[[], int]) -> Walk:
    of = reach(job.journey, job.portal)
    arguments = [
        "--disable-gpu",
        "--disable-dev-shm-usage",
        f"--host-resolver-rules={resolver_rules(of, job.addresses)}",
    ]
    playwright = await async_playwright().start()
    browser = await playwright.chromium.launch(
        executable_path=job.executable,
        chromium_sandbox=job.sandbox,
        args=arguments if job.portal.proxy else [*arguments, "--no-proxy-server"],
        proxy=_proxy(job),
        timeout=job.start_us / 1_000,
    )
    context = await _fresh_profile(browser, job)

    def put_off(status: int, retry_after: str, host: str) -> None:
        line.tell(PutOff(status=status, retry_after=retry_after, host=host))

    page = Visit(await context.new_page(), context, of=of, max_body=job.portal.max_body, put_off=put_off)
    await page.begin()
    return Walk(job=job, line=line, browser=browser, context=context, page=page, monotonic_us=monotonic_us)


async def _fresh_profile(browser: Browser, job: Job) -> BrowserContext:
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
    return context


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


def _unmeasured(job: Job, fault: Fault) -> Visited:
    steps = tuple(StepResult(step=step.id, outcome=StepOutcome.SKIPPED) for step in job.journey.step)
    failure = Redactor(job.never_told).failure(fault.failure(None))
    return Visited(steps=steps, failure=failure, evidence=(), duration_us=0)
