"""What breaks below HTTP, met by a plain client over real sockets."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from probes.practice import RunningPractice
from tests.practice_site import broken, practice_site, visitor

Scenario = Callable[[RunningPractice], Awaitable[Any]]


def on_a_site(tmp_path: Path, scenario: Scenario) -> Any:
    async def lived() -> Any:
        async with practice_site(tmp_path) as site:
            return await scenario(site)

    return asyncio.run(lived())


async def control_answers(site: RunningPractice) -> bool:
    async with visitor(site) as somebody:
        return (await somebody.client.get("/_practice/faults")).status_code == 200


async def over_tls(site: RunningPractice) -> httpx.Response:
    trust = ssl.create_default_context(cafile=str(site.ca_file))
    async with httpx.AsyncClient(verify=trust, trust_env=False) as client:
        return await client.get(f"{site.https_url}/")


def test_a_refused_visitor_gets_a_reset_and_the_control_api_still_answers(tmp_path: Path) -> None:
    async def scenario(site: RunningPractice) -> bool:
        await broken(site, "refuse")
        async with visitor(site) as somebody:
            with pytest.raises(httpx.NetworkError):
                await somebody.client.get("/")
        return await control_answers(site)

    assert on_a_site(tmp_path, scenario)


def test_while_everything_is_refused_nobody_listens_on_https_and_afterwards_somebody_does(tmp_path: Path) -> None:
    async def scenario(site: RunningPractice) -> int:
        await broken(site, "refuse")
        await asyncio.sleep(0.2)
        with pytest.raises(httpx.ConnectError):
            await over_tls(site)
        site.portal.faults.clear()
        await asyncio.sleep(0.2)
        return (await over_tls(site)).status_code

    assert on_a_site(tmp_path, scenario) == 200


def test_a_reset_breaks_the_answer_in_the_middle(tmp_path: Path) -> None:
    async def scenario(site: RunningPractice) -> int:
        await broken(site, "reset", path="/inzage")
        async with visitor(site) as somebody:
            with pytest.raises((httpx.NetworkError, httpx.RemoteProtocolError)):
                await somebody.client.get("/inzage")
            return (await somebody.client.get("/")).status_code

    assert on_a_site(tmp_path, scenario) == 200


def test_a_hanging_portal_accepts_and_never_answers(tmp_path: Path) -> None:
    async def scenario(site: RunningPractice) -> bool:
        await broken(site, "hang")
        async with visitor(site) as somebody:
            with pytest.raises(httpx.ReadTimeout):
                await somebody.client.get("/", timeout=httpx.Timeout(20, read=0.3))
        return await control_answers(site)

    assert on_a_site(tmp_path, scenario)


def test_a_hang_ends_with_its_fault(tmp_path: Path) -> None:
    async def scenario(site: RunningPractice) -> None:
        await broken(site, "hang", seconds=2)
        async with visitor(site) as somebody:
            with pytest.raises((httpx.NetworkError, httpx.RemoteProtocolError)):
                await somebody.client.get("/")

    on_a_site(tmp_path, scenario)


def test_a_delayed_answer_comes_after_its_time(tmp_path: Path) -> None:
    async def scenario(site: RunningPractice) -> float:
        await broken(site, "delay", delay_ms=300)
        async with visitor(site) as somebody:
            return (await somebody.client.get("/")).elapsed.total_seconds()

    assert on_a_site(tmp_path, scenario) >= 0.3


def test_a_dripping_answer_begins_at_once_and_takes_its_time(tmp_path: Path) -> None:
    async def scenario(site: RunningPractice) -> tuple[int, float]:
        await broken(site, "drip", path="/static", bytes_per_second=20_000)
        async with visitor(site) as somebody, somebody.client.stream("GET", "/static/oefenloket.css") as answer:
            begun = asyncio.get_running_loop().time()
            size = len(await answer.aread())
            return size, asyncio.get_running_loop().time() - begun

    size, took = on_a_site(tmp_path, scenario)
    assert took >= 0.8 * size / 20_000


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("expired-certificate", "certificate has expired"), ("wrong-host-certificate", "IP address mismatch")],
)
def test_a_bad_certificate_is_shown_until_it_is_mended(tmp_path: Path, fault: str, reason: str) -> None:
    async def scenario(site: RunningPractice) -> int:
        await broken(site, fault, path="/loket")
        with pytest.raises(httpx.ConnectError, match=reason):
            await over_tls(site)
        site.portal.faults.clear()
        return (await over_tls(site)).status_code

    assert on_a_site(tmp_path, scenario) == 200


def test_references_stay_well_while_the_portal_is_broken_and_break_only_when_asked_for(tmp_path: Path) -> None:
    async def scenario(site: RunningPractice) -> list[str]:
        await broken(site, "refuse")
        await broken(site, "status-500")
        async with httpx.AsyncClient(trust_env=False) as client:
            texts = [(await client.get(url)).text for url in site.reference_urls]
            await broken(site, "refuse", path="@reference")
            for url in site.reference_urls:
                with pytest.raises(httpx.NetworkError):
                    await client.get(url)
        return texts

    assert on_a_site(tmp_path, scenario) == ["ok\n"] * 3


def test_stopping_does_not_wait_for_a_visitor_who_hangs_on(tmp_path: Path) -> None:
    async def lived() -> float:
        async with practice_site(tmp_path) as site:
            await broken(site, "hang")
            _, writer = await asyncio.open_connection(site.host, site.http_port)
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            smtp_reader, smtp_writer = await asyncio.open_connection(site.host, site.smtp_port)
            await smtp_reader.readline()
            begun = asyncio.get_running_loop().time()
        took = asyncio.get_running_loop().time() - begun
        writer.close()
        smtp_writer.close()
        return took

    assert asyncio.run(lived()) < 20  # the hanging answer itself would never end
