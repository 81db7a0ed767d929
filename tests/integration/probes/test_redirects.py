"""Redirects are followed hop by hop, each recorded, and never to where nobody allowed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from probes.run import run
from probes.sample import FailureKind, Outcome, Phases, Sample
from tests.scripted_server import Received, ScriptedServer, answer, journey, pages, setup, step, walked

pytestmark = pytest.mark.usefixtures("each_engine")


def to(target: str, status: int = 302, head: str = "") -> bytes:
    return answer(status=status, head=f"Location: {target}\r\n{head}")


def kind_of(sample: Sample) -> FailureKind | None:
    return sample.failure.kind if sample.failure is not None else None


@pytest.mark.parametrize(
    ("status", "method", "expected"),
    [
        (301, "POST", ("GET", b"")),
        (302, "POST", ("GET", b"")),
        (303, "POST", ("GET", b"")),
        (303, "PUT", ("GET", b"")),
        (302, "PUT", ("PUT", b"a=1")),
        (307, "POST", ("POST", b"a=1")),
        (308, "POST", ("POST", b"a=1")),
    ],
)
def test_the_method_follows_rfc_9110(status: int, method: str, expected: tuple[str, bytes]) -> None:
    script = pages({"/": to("/einde", status), "/einde": answer("goed")})
    _, requests = walked(script, journey(step("/", method=method, form={"a": "1"})))
    assert (requests[1].method, requests[1].body) == expected
    assert ("content-type" in requests[1].headers) == (requests[1].body != b"")


def test_every_hop_is_recorded() -> None:
    script = pages({"/": to("a?x=1"), "/a": to("/b#deel"), "/b": answer("goed")})
    sample, requests = walked(script, journey())
    assert [r.target for r in requests] == ["/", "/a?x=1", "/b"]
    assert [url.rpartition(":")[2].partition("/")[2] for url in sample.steps[0].urls] == ["", "a?x=1", "b"]


def test_a_redirect_may_be_looked_at_instead_of_followed() -> None:
    wanted = step("/", follow_redirects=False, expect={"status": 302, "header": {"name": "Location", "equals": "/a"}})
    sample, requests = walked(pages({"/": to("/a")}), journey(wanted))
    assert (sample.outcome, len(requests)) == (Outcome.UP, 1)


def test_a_loop_is_a_redirect_failure() -> None:
    sample, requests = walked(pages({"/": to("/a"), "/a": to("/")}), journey())
    assert (kind_of(sample), len(requests)) == (FailureKind.REDIRECT, 2)


def test_coming_back_with_a_new_cookie_is_no_loop() -> None:
    async def script(received: Received, writer: asyncio.StreamWriter) -> None:
        known = "sessie=1" in received.headers.get("cookie", "")
        writer.write(answer("goed") if known else to("/", head="Set-Cookie: sessie=1; Path=/\r\n"))

    sample, requests = walked(script, journey())
    assert (sample.outcome, len(requests)) == (Outcome.UP, 2)


def test_too_many_redirects_end_the_step() -> None:
    async def script(received: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(to(received.target + "x"))

    sample, requests = walked(script, journey(), max_redirects=3)
    assert (kind_of(sample), len(requests)) == (FailureKind.REDIRECT, 4)


@pytest.mark.parametrize(
    "target", ["ftp://127.0.0.1/", "file:///etc/passwd", "javascript:alert(1)", "http://", "//[::1"]
)
def test_only_http_addresses_are_followed(target: str) -> None:
    sample, requests = walked(pages({"/": to(target)}), journey())
    assert (kind_of(sample), len(requests)) == (FailureKind.REDIRECT, 1)


def test_a_strange_host_is_refused_unless_allowed() -> None:
    async def go(**more: object) -> tuple[Sample, ScriptedServer]:
        async with ScriptedServer(pages({"/": answer("elders")})) as other:
            script = pages({"/": to(f"http://127.0.0.1:{other.port}/")})
            async with ScriptedServer(script) as server:
                allowed: dict[str, Any] = {"allow_hosts": (f"127.0.0.1:{other.port}",)} if more.get("allow") else {}
                way = setup(f"http://127.0.0.1:{server.port}")
                return await run(journey(step("/", **allowed)), slot_us=0, location="hier", setup=way), other

    sample, other = asyncio.run(go())
    assert (kind_of(sample), other.requests) == (FailureKind.REDIRECT, [])
    sample, other = asyncio.run(go(allow=True))
    assert (sample.outcome, len(other.requests)) == (Outcome.UP, 1)


def test_credentials_stay_with_their_origin() -> None:
    """Neither Authorization nor any header that holds a secret travels to another host."""

    async def go() -> Received:
        async with ScriptedServer(pages({"/": answer("elders")})) as other:
            script = pages({"/": to(f"http://x:y@127.0.0.1:{other.port}/")})
            async with ScriptedServer(script) as server:
                headers = {"Authorization": "Bearer abc", "X-Sleutel": "k-{{ secret.sleutel }}", "X-Gewoon": "ja"}
                way = setup(
                    f"http://127.0.0.1:{server.port}", secrets={"sleutel": "s3cret"}, allow_hosts=("127.0.0.1",)
                )
                await run(journey(step("/", headers=headers), secrets=["sleutel"]), slot_us=0, location="x", setup=way)
                assert server.requests[0].headers["x-sleutel"] == "k-s3cret"
                return other.requests[0]

    received = asyncio.run(go())
    assert received.headers["x-gewoon"] == "ja"
    assert "authorization" not in received.headers
    assert "x-sleutel" not in received.headers


def test_every_hop_has_its_own_status_phases_and_attempts() -> None:
    script = pages({"/": to("/b"), "/b": answer("goed")})
    sample, _ = walked(script, journey())
    done = sample.steps[0]
    assert [hop.status for hop in done.hops] == [302, 200]
    assert sum((hop.phases for hop in done.hops), Phases()) == done.phases
    assert [[(one.address, one.refusal) for one in hop.attempts] for hop in done.hops] == [[("127.0.0.1", None)], []]
