"""Breaking and mending over HTTP: what is accepted, what is refused with reasons, and what never breaks."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.practice_site import broken, practice_site, visitor

NAMES = """delay drip status-500 maintenance-200 maintenance-503 empty-list wrong-hash lost-upload missing-mail
stale-search bot-check soap-fault idp-down expired-certificate wrong-host-certificate redirect-loop huge-body
gzip-bomb hang refuse reset""".split()  # noqa: SIM905 - a list of words reads better as words


async def statuses(tmp_path: Path, order: dict[str, Any], paths: list[str]) -> list[int]:
    async with practice_site(tmp_path) as site, visitor(site) as somebody:
        await broken(site, **order)
        return [(await somebody.client.get(path)).status_code for path in paths]


def test_all_faults_are_listed_and_accepted_with_the_words_of_the_documentation(tmp_path: Path) -> None:
    async def scenario() -> tuple[list[str], list[str]]:
        async with practice_site(tmp_path) as site, visitor(site) as somebody:
            for name in NAMES:
                await broken(site, name, path="/loket", share=1.0, seconds=120)
            listed = (await somebody.client.get("/_practice/faults")).json()
            return listed["available"], [f["fault"] for f in listed["active"]]

    assert asyncio.run(scenario()) == (NAMES, NAMES)


def test_deleting_clears_all(tmp_path: Path) -> None:
    async def scenario() -> tuple[dict[str, Any], list[Any], int]:
        async with practice_site(tmp_path) as site, visitor(site) as somebody:
            await broken(site, "status-500")
            await broken(site, "hang", path="/inzage")
            cleared = (await somebody.client.delete("/_practice/faults")).json()
            left = (await somebody.client.get("/_practice/faults")).json()["active"]
            return cleared, left, (await somebody.client.get("/inzage")).status_code

    assert asyncio.run(scenario()) == ({"cleared": 2}, [], 200)


def test_a_path_is_a_prefix(tmp_path: Path) -> None:
    order = {"fault": "status-500", "path": "/inz"}
    assert asyncio.run(statuses(tmp_path, order, ["/inzage", "/"])) == [500, 200]


def test_a_share_of_a_quarter_breaks_every_fourth_request(tmp_path: Path) -> None:
    order = {"fault": "status-500", "share": 0.25}
    assert asyncio.run(statuses(tmp_path, order, ["/"] * 8)) == [500, 200, 200, 200, 500, 200, 200, 200]


@pytest.mark.parametrize("path", ["/_practice", "/_practice/", "/_practice/faults", "/_practice/mail"])
def test_the_control_api_is_never_broken(tmp_path: Path, path: str) -> None:
    assert asyncio.run(statuses(tmp_path, {"fault": "status-500", "path": "/"}, [path])) == [200]


BAD = [
    (b"{", "not JSON"),
    (b"[]", "not a JSON object"),
    (b'{"fault": "status-501"}', "none of delay, drip, status-500"),
    (b'{"fault": "delay", "share": 1.5}', "share is 1.5"),
    (b'{"fault": "delay", "share": NaN}', "NaN is not JSON"),
    (b"[" * 50_000, "nests too deeply"),
    (b'{"fault": "delay", "path": "/\\ud800"}', "path is no path"),
    (b'{"fault": "delay", "seconds": -1}', "seconds is -1"),
    (b'{"fault": "delay", "seconds": true}', "seconds is True, not a number"),
    (b'{"fault": "delay", "path": "loket"}', "path is 'loket', it begins with \"/\""),
    (b'{"fault": "delay", "path": "/_practice/mail"}', "never broken"),
    (b'{"fault": "delay", "delay": 3}', "delay takes path, share, seconds and delay_ms"),
    (b'{"fault": "status-500", "status": 200}', "status is 200, it is a whole number from 400 to 599"),
    (b'{"fault": "bot-check", "path": "@reference"}', "goes with delay, hang"),
]


@pytest.mark.parametrize(("body", "reason"), BAD, ids=[reason for _, reason in BAD])
def test_a_bad_order_is_refused_with_the_reason_and_the_names_there_are(
    tmp_path: Path, body: bytes, reason: str
) -> None:
    async def scenario() -> tuple[int, dict[str, Any]]:
        async with practice_site(tmp_path) as site, visitor(site) as somebody:
            answer = await somebody.client.post("/_practice/faults", content=body)
            return answer.status_code, answer.json()

    status, answer = asyncio.run(scenario())
    assert status == 400
    assert reason in " ".join(answer["problems"])
    assert answer["available"] == NAMES


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    async def scenario() -> list[str]:
        async with practice_site(tmp_path) as site, visitor(site) as somebody:
            order = {"fault": "hang", "path": 3, "share": 0, "seconds": 0, "speed": 1}
            return list((await somebody.client.post("/_practice/faults", json=order)).json()["problems"])

    assert len(asyncio.run(scenario())) == 4
