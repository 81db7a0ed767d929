"""What a browser run may reach, what it tells and keeps, and that its own trouble is never the portal's."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from pathlib import Path
from typing import Any

import pytest

from benchmarks.browser_leaks import FAILURES, leaks, measured
from probes.browser.definition import ChromiumSettings
from probes.browser.keeper import descendants
from probes.sample import FailureKind, Outcome, Sample
from tests.in_a_browser import browsed, in_chromium, one_page

pytestmark = in_chromium
MARKER = {"name": "X-Monitoring", "value": "loketwacht"}


class Site:
    """Serves pages by path and remembers what it was asked, as (path, headers)."""

    def __init__(self, pages: dict[str, str]) -> None:
        self.pages = pages
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.base_url = ""

    async def __aenter__(self) -> Site:
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.base_url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        path = first.split()[1]
        self.asked.append((path, {k.lower(): v for k, _, v in (line.partition(": ") for line in lines if line)}))
        page = self.pages.get(path)
        if page is None:
            await reader.read()
        elif page.startswith("http"):
            writer.write(f"HTTP/1.1 302 Found\r\nLocation: {page}\r\nContent-Length: 0\r\n\r\n".encode())
        else:
            head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(page.encode())}\r\n"
            writer.write(f"{head}Connection: close\r\n\r\n{page}".encode())
        await writer.drain()
        writer.close()


def seen(pages: dict[str, str], **changes: Any) -> tuple[Sample, Site]:
    """A run of one step on a site of these pages."""

    async def scenario() -> tuple[Sample, Site]:
        async with Site({"/favicon.ico": "", **pages}) as site:
            return await browsed(site.base_url, one_page(**changes), marker=MARKER), site

    return asyncio.run(scenario())


def test_the_portal_is_told_who_asks_on_every_request() -> None:
    _, site = seen({"/": "<h1>Dag</h1><script src='/s.js'></script>", "/s.js": "1"})
    told = {path: headers for path, headers in site.asked if path != "/favicon.ico"}
    assert set(told) == {"/", "/s.js"}
    for headers in told.values():
        assert headers["x-loketwacht-run"]
        assert headers["traceparent"].startswith("00-")
        assert headers["x-monitoring"] == "loketwacht"
        assert "HeadlessChrome/" in headers["user-agent"]
        assert "(+https://loketwacht.example/wie)" in headers["user-agent"]


def test_other_hosts_are_kept_out_counted_and_told_also_behind_a_redirect() -> None:
    async def scenario() -> tuple[Sample, Sample, Site]:
        async with Site({"/": "<h1>elders</h1>"}) as stranger:
            strange = stranger.base_url
            page = f"<h1>Dag</h1><img src='{strange}/beeld'><img src='/omleiding'>"
            pages = {"/": page, "/omleiding": f"{strange}/om", "/weg": f"{strange}/", "/favicon.ico": ""}
            async with Site(pages) as site:
                inside = await browsed(site.base_url, one_page())
                return inside, await browsed(site.base_url, one_page(goto="/weg")), stranger

    inside, outside, stranger = asyncio.run(scenario())
    assert stranger.asked == []
    assert (inside.outcome, inside.steps[0].blocked_requests) == (Outcome.UP, 1)
    assert outside.failure is not None
    assert outside.failure.kind is FailureKind.REDIRECT


def our_own_name() -> str:
    """A real name that leads to an address that is not public: this machine's."""
    name = socket.gethostname().lower()
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)}
    except OSError:
        found = set()
    if found != {"127.0.0.1"}:
        pytest.skip("this machine's own name does not lead to 127.0.0.1")
    return name


@pytest.mark.parametrize("private", [False, True], ids=["not named", "named private"])
def test_a_name_that_leads_behind_our_own_firewall_is_reached_only_where_it_is_named(*, private: bool) -> None:
    """The portal's own name: whoever rules its name server must not point us at machines of ours."""
    name = our_own_name()

    async def scenario() -> tuple[Sample, Site]:
        async with Site({"/": "<h1>Dag</h1>", "/favicon.ico": ""}) as site:
            inside = site.base_url.replace("127.0.0.1", name)
            return await browsed(inside, one_page(), private_hosts=(name,) if private else ()), site

    sample, site = asyncio.run(scenario())
    assert ("/" in [path for path, _ in site.asked]) is private
    assert sample.outcome is (Outcome.UP if private else Outcome.DOWN)
    if not private:
        assert sample.failure is not None
        assert (sample.failure.kind, sample.failure.found) == (FailureKind.DNS, "127.0.0.1")
        assert sample.steps[0].failure == sample.failure


def test_a_page_s_parts_do_not_come_from_behind_our_firewall_either() -> None:
    name = our_own_name()

    async def scenario() -> tuple[Sample, Site]:
        async with Site({"/beeld": "x"}) as behind:
            part = behind.base_url.replace("127.0.0.1", name)
            async with Site({"/": f"<h1>Dag</h1><img src='{part}/beeld'>", "/favicon.ico": ""}) as site:
                return await browsed(site.base_url, one_page(), allow_hosts=(part.removeprefix("http://"),)), behind

    sample, behind = asyncio.run(scenario())
    assert (sample.outcome, behind.asked) == (Outcome.UP, [])


def test_what_goes_wrong_beside_a_page_is_told_and_does_not_fail_it() -> None:
    sample, _ = seen({"/": "<h1>Dag</h1><script>console.error('stuk'); throw new Error('ook')</script>"})
    assert (sample.outcome, sample.steps[0].console_errors) == (Outcome.UP, 2)


def test_an_element_that_comes_late_is_waited_for_and_one_that_never_comes_is_named() -> None:
    late = "<div id=p></div><script>setTimeout(() => { p.innerHTML = '<h1>Dag</h1>' }, 250)</script>"
    assert seen({"/": late}, wait="8s")[0].outcome is Outcome.UP
    failure = seen({"/": "<title>Leeg</title>"}, click="#knop")[0].failure
    assert failure is not None
    assert (failure.kind, failure.subject) == (FailureKind.ASSERTION, "css #knop")
    assert failure.found == "no element, on the page “Leeg”"


def test_a_page_whose_script_never_ends_is_a_timeout_of_the_portal() -> None:
    failure = seen({"/": "<h1>Dag</h1><script>for(;;){}</script>"}, deadline="1s")[0].failure
    assert failure is not None
    assert failure.kind is FailureKind.TIMEOUT


def test_a_browser_that_is_missing_or_does_not_start_is_unknown() -> None:
    """T42: neither up nor down."""

    async def scenario(executable: str) -> Sample:
        async with Site({"/": "<h1>Dag</h1>"}) as site:
            return await browsed(site.base_url, one_page(), settings=ChromiumSettings(executable=executable))

    for executable in ("/nergens/chromium", "/bin/false"):
        sample = asyncio.run(scenario(executable))
        assert sample.failure is not None
        assert (sample.outcome, sample.failure.kind) == (Outcome.UNKNOWN, FailureKind.MONITOR)


def pages_of_browsers() -> list[int]:
    """The processes that draw pages, of the browsers that come from this process."""
    commands = {pid: Path(f"/proc/{pid}/cmdline") for pid in sorted(descendants(os.getpid()))}
    return [pid for pid, path in commands.items() if path.exists() and b"--type=renderer" in path.read_bytes()]


@pytest.mark.parametrize("which", ["browser", "page"])
def test_a_browser_that_is_killed_in_the_middle_is_unknown(which: str) -> None:
    """T42: as when memory runs out, for the whole browser or the process of one page."""

    async def scenario() -> Sample:
        async with Site({"/": "<h1>Dag</h1><img src='/af'>", "/af": "", "/favicon.ico": ""}) as site:
            journey = one_page(expect={"visible": "#er-niet"}).model_copy(update={"wait": 8_000_000})
            running = asyncio.ensure_future(browsed(site.base_url, journey))
            for _ in range(400):  # another process tells nobody how far it is
                await asyncio.sleep(0.05)
                if "/af" in [path for path, _ in site.asked]:
                    break
            await asyncio.sleep(0.5)
            for pid in pages_of_browsers():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid if which == "page" else os.getsid(pid), signal.SIGKILL)
            return await running

    sample = asyncio.run(scenario())
    assert sample.failure is not None
    assert (sample.outcome, sample.failure.kind) == (Outcome.UNKNOWN, FailureKind.MONITOR)


def test_nothing_is_left_behind_by_runs_that_fail_in_every_way() -> None:
    """T41: no process, no file, no folder, whether a run failed, hung, was killed or was cancelled."""
    before, after, ended = asyncio.run(measured(len(FAILURES)))
    assert leaks(before, after) == []
    assert after.chromium == after.folders == 0
    assert ended == {
        ("assertion", "down assertion"): 1,
        ("status", "down http-status"): 1,
        ("timeout", "down timeout"): 1,
        ("browser killed", "unknown monitor"): 1,
        ("cancelled", "cancelled"): 1,
        ("busy script", "down timeout"): 1,
    }
