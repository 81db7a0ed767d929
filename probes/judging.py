"""Looking at an answer: every assertion, what is to be captured, and whether it was the portal that answered at all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from probes.assertions import Finding, findings
from probes.expectations import Capture, Expect
from probes.extraction import captured
from probes.fault import Fault
from probes.regexes import may_wait, search_at_once, search_bounded
from probes.response import Response
from probes.sample import FailureKind
from probes.steps import When
from probes.values import Values

T = TypeVar("T")

#: Bodies beyond this are judged in a thread, so that other runs are not kept waiting.
_LARGE = 256 * 1024
#: A captured value is taken to be no longer than this when it is decided where to search in it.
_SHORT_VALUE = 8 * 1024
#: What only robot checks write into a page: Anubis, the practice portal's, and two well-known services'.
_BOT_CHECKS = (
    'id="bot-check"',
    "/.within.website/",
    'id="anubis_',
    "/cdn-cgi/challenge-platform/",
    "_Incapsula_Resource",
)


class Judge:
    """Looks at answers without keeping other runs waiting.

    Attributes:
        simulated: the run lives in simulated time, which has neither threads nor a bound of real time.
    """

    def __init__(self, *, simulated: bool) -> None:
        self._simulated = simulated
        # The bound is one of real time, kept by another process.
        self.search = search_at_once if simulated else search_bounded

    async def findings(self, expect: Expect, response: Response) -> tuple[Finding, ...]:
        """Every assertion of a step, executed; templates are filled in already."""
        return await self._beside(
            _patterns(expect), len(response.body), lambda: findings(expect, response, self.search)
        )

    async def capture(self, wanted: dict[str, Capture], response: Response, values: Values) -> None:
        """Keeps each value as soon as it is found: a clean-up may need what came before one that is missing.

        Raises:
            Fault: of kind capture, for the first value that is not there.
        """

        if not wanted:
            return

        def take() -> None:
            for name, capture in wanted.items():
                values.keep(name, captured(name, capture, response, self.search), secret=capture.secret)

        patterns = (capture.regex or capture.url for capture in wanted.values())
        await self._beside((pattern for pattern in patterns if pattern is not None), len(response.body), take)

    async def taken(self, when: When, values: Values) -> bool:
        """Whether a step's condition holds.

        Raises:
            Fault: of kind monitor, where a value is missing that is no capture.
        """
        patterns = (when.matches,) if when.matches is not None else ()
        return await self._beside(patterns, _SHORT_VALUE, lambda: values.holds(when, self.search))

    async def _beside(self, patterns: Iterable[str], size: int, work: Callable[[], T]) -> T:
        """Does what may take long in a thread; simulated time has none."""
        if not self._simulated and (size > _LARGE or any(may_wait(pattern, size) for pattern in patterns)):
            return await asyncio.to_thread(work)
        return work()


def _patterns(expect: Expect) -> Iterator[str]:
    yield from expect.regex
    if expect.url is not None:
        yield expect.url
    for items in (expect.css, expect.json_, expect.header, expect.xpath):
        yield from (item.matches for item in items if item.matches is not None)


def first_fault(expect: Expect, response: Response, found: tuple[Finding, ...]) -> Fault | None:
    """The first assertion that did not hold; without an expected status, an error status is a failure by itself."""
    failed = next((finding for finding in found if not finding.ok), None)
    if response.status == 429 and 429 not in expect.status:  # RFC 6585, 4: too many requests of one visitor
        return Fault(FailureKind.RATE_LIMITED, "status", expected="no 429", found="429")
    if not expect.status and response.status >= 400:
        return Fault(FailureKind.HTTP_STATUS, "status", expected="below 400", found=str(response.status))
    if failed is not None:
        return Fault(failed.kind, failed.subject, expected=failed.expected, found=failed.found)
    if not any(finding.content for finding in found) and is_bot_check(response):
        return Fault(FailureKind.BOT_CHECK, "page", found="a robot check in the page's place")
    return None


def is_bot_check(response: Response) -> bool:
    """Whether a robot check answered in the portal's place."""
    if response.header("cf-mitigated"):
        return True
    return response.is_html and any(mark in response.text for mark in _BOT_CHECKS)
