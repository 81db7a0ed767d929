"""What the pages of a run asked and what came of it, told once the run has failed: the stuff of its HTTP archive."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from playwright.async_api import BrowserContext, Request
from playwright.async_api import Error as PlaywrightError

from probes.browser.exchange import Loaded
from probes.sample import Phases

#: The newest so many requests are told.
MOST = 200
#: Characters of a body that are held; what is kept of it in the end is shorter, and is redacted before it is cut.
_HELD = 64 * 1024
_LARGEST_READ = 1024 * 1024
_WORTH_READING = frozenset({"document", "fetch", "xhr", "eventsource"})
_TEXT = ("text/", "application/json", "application/xml", "application/xhtml", "application/problem", "+json", "+xml")
_SECONDS = 3.0
_AT_ONCE = 8


@dataclass(slots=True)
class _Asked:
    request: Request
    step: str
    at_us: int
    is_page: bool
    size: int = -1
    body: str = ""
    failure: str | None = "no answer so far"


class Loading:
    """Keeps track of a run's requests; what costs the browser something is asked only once it is told.

    But for the bodies of documents and data: a browser lets go of them as soon as the next page is opened.
    """

    def __init__(self, now_us: Callable[[], int], is_ours: Callable[[Request], bool]) -> None:
        """Args:
        now_us: microseconds since the run's first step.
        is_ours: what the browser is asked for our own ends, which is no part of the visit.
        """
        self._now_us = now_us
        self._is_ours = is_ours
        self._asked: deque[_Asked] = deque(maxlen=MOST)
        self._reading: set[asyncio.Task[None]] = set()
        self.total = 0
        self.step = ""

    def watch(self, context: BrowserContext) -> None:
        """Begins with every page of a context."""
        context.on("request", self._on_request)
        context.on("requestfinished", self._on_finished)
        context.on("requestfailed", self._on_failed)

    def _on_request(self, request: Request) -> None:
        if not self._is_ours(request):
            self.total += 1
            self._asked.append(_Asked(request, self.step, self._now_us(), _is_page(request)))

    def _on_failed(self, request: Request) -> None:
        if (asked := self._of(request)) is not None:
            asked.failure = request.failure or "no reason given"

    def _on_finished(self, request: Request) -> None:
        if (asked := self._of(request)) is not None:
            asked.failure = None
            if request.resource_type in _WORTH_READING:
                reading = asyncio.get_running_loop().create_task(_read(asked))
                self._reading.add(reading)
                reading.add_done_callback(self._reading.discard)

    def _of(self, request: Request) -> _Asked | None:
        # The newest first: that is nearly always the one.
        return next((asked for asked in reversed(self._asked) if asked.request == request), None)

    async def told(self) -> tuple[Loaded, ...]:
        """The newest requests in their order. What the browser does not tell in time stands without it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_SECONDS):
                await asyncio.gather(*self._reading, return_exceptions=True)
        gate, until = asyncio.Semaphore(_AT_ONCE), asyncio.get_running_loop().time() + _SECONDS

        async def one(asked: _Asked) -> Loaded:
            async with gate:
                try:
                    async with asyncio.timeout_at(until):
                        return await _told(asked)
                except (PlaywrightError, TimeoutError):
                    return _bare(asked)

        return tuple(await asyncio.gather(*map(one, tuple(self._asked))))


def _is_page(request: Request) -> bool:
    with contextlib.suppress(PlaywrightError):  # a service worker's request has no frame
        return request.is_navigation_request() and request.frame.parent_frame is None
    return False


async def _read(asked: _Asked) -> None:
    with contextlib.suppress(PlaywrightError):
        answer = await asked.request.response()
        if answer is None or 300 <= answer.status < 400 or not _is_text(answer.headers.get("content-type", "")):
            return
        announced = answer.headers.get("content-length", "")
        if announced.isdigit() and int(announced) > _LARGEST_READ:
            asked.size = int(announced)
            return
        body = await answer.body()
        asked.size, asked.body = len(body), body[: _HELD * 4].decode("utf-8", "replace")[:_HELD]


def _is_text(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    return any(media_type.startswith(kind) or media_type.endswith(kind) for kind in _TEXT)


def _bare(asked: _Asked) -> Loaded:
    """What is known without asking the browser."""
    request = asked.request
    sent, size = _sent(request)
    return Loaded(
        step=asked.step,
        at_us=asked.at_us,
        sort=request.resource_type,
        is_page=asked.is_page,
        method=request.method,
        url=request.url,
        request_headers=tuple(request.headers.items()),
        sent=sent,
        sent_size=size,
        body=asked.body,
        size=asked.size,
        failure=asked.failure,
    )


async def _told(asked: _Asked) -> Loaded:
    request, bare = asked.request, _bare(asked)
    # Nobody answers for what never came to be sent, nor for what is still under way.
    if asked.failure is not None and request.timing["responseStart"] < 0:
        return bare
    answer = await request.response()
    if answer is None:
        return bare
    sent = await request.headers_array()
    came = await answer.headers_array()
    server = await answer.server_addr()
    timing = request.timing
    size = bare.size
    if size < 0 and asked.failure is None:
        size = (await request.sizes())["responseBodySize"]
    return Loaded(
        step=bare.step,
        at_us=bare.at_us,
        sort=bare.sort,
        is_page=bare.is_page,
        method=bare.method,
        url=bare.url,
        version=await answer.http_version(),
        request_headers=tuple((one["name"], one["value"]) for one in sent if not one["name"].startswith(":")),
        sent=bare.sent,
        sent_size=bare.sent_size,
        status=answer.status,
        status_text=answer.status_text,
        response_headers=tuple((one["name"], one["value"]) for one in came if not one["name"].startswith(":")),
        body=bare.body,
        size=size,
        phases=Phases(
            resolve_us=_between(timing["domainLookupStart"], timing["domainLookupEnd"]),
            connect_us=_between(timing["connectStart"], timing["secureConnectionStart"])
            or _between(timing["connectStart"], timing["connectEnd"]),
            tls_us=_between(timing["secureConnectionStart"], timing["connectEnd"]),
            processing_us=_between(timing["requestStart"], timing["responseStart"]),
            transfer_us=_between(timing["responseStart"], timing["responseEnd"]),
        ),
        address=server["ipAddress"].strip("[]") if server else "",
        connected=timing["connectStart"] >= 0,
        failure=bare.failure,
    )


def _sent(request: Request) -> tuple[str | None, int]:
    """What a request carried, as text where it is some, and how many bytes."""
    try:
        carried = request.post_data_buffer
    except PlaywrightError:
        return None, 0
    if not carried:
        return "", 0
    try:
        return carried.decode("utf-8")[:_HELD], len(carried)
    except UnicodeDecodeError:
        return None, len(carried)


def _between(start: float, end: float) -> int:
    """Microseconds between two marks in milliseconds; 0 where one of them did not come."""
    return max(0, round((end - start) * 1_000)) if start >= 0 and end >= 0 else 0
