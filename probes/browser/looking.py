"""Looking at a page until it is as it should be, or until nothing more is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from probes.assertions import Finding
from probes.browser.definition import BrowserExpect
from probes.browser.page import Visit
from probes.fault import Fault
from probes.judging import Judge, first_fault, is_bot_check
from probes.response import Response
from probes.sample import FailureKind

_POLL_SECONDS = 0.1
#: What no waiting mends: the page is there, and it is not the one.
_NOT_WAITED_FOR = (FailureKind.HTTP_STATUS, FailureKind.RATE_LIMITED)


async def judged(
    expect: BrowserExpect, visit: Visit, judge: Judge, *, until_us: int, monotonic_us: Callable[[], int]
) -> tuple[Response, tuple[Finding, ...], Fault | None]:
    """The page when all held, or as it was at the end; every assertion, and the first that fails; None where none does.

    Raises:
        Fault: of kind timeout, where there was no page to look at.
    """
    started = monotonic_us()
    while True:
        response = await visit.response()
        if response is not None:
            response = replace(response, duration_us=monotonic_us() - started)
            found = (*await judge.findings(expect, response), *await _seen(expect, visit))
            fault = first_fault(expect, response, found)
            settled = fault is None or fault.kind in _NOT_WAITED_FOR or is_bot_check(response)
            if settled or monotonic_us() >= until_us:
                return response, found, fault
        elif monotonic_us() >= until_us:
            raise Fault(FailureKind.TIMEOUT, "page", expected="a page that stays", found="none to look at")
        await asyncio.sleep(_POLL_SECONDS)


async def _seen(expect: BrowserExpect, visit: Visit) -> Sequence[Finding]:
    words = {True: "visible", False: "hidden"}
    found = []
    for selectors, wanted in ((expect.visible, True), (expect.hidden, False)):
        for selector in selectors:
            visible = await visit.is_visible(selector)
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
