"""What carries the requests: proxies, pinned addresses, client certificates, connections used again."""

from __future__ import annotations

import asyncio
import gc
import gzip
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvloop

from probes.run import run
from probes.sample import FailureKind, Outcome, Sample
from tests.certificates import Authority, authority
from tests.scripted_server import Received, ScriptedServer, answer, journey, pages, setup, step, walked

pytestmark = pytest.mark.usefixtures("each_engine")
GOOD = pages({"/": answer("goed"), "/twee": answer("goed")})
TWO = journey(step("/", name="een"), step("/twee", name="twee"))


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("ca"))


async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.transport.abort()


class ProxyServer:
    """A proxy that tunnels to this machine, or refuses with a status; keeps the heads it received."""

    def __init__(self, status: int = 200) -> None:
        self.heads: list[str] = []
        self.port = 0
        self._status = status

    async def __aenter__(self) -> ProxyServer:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.heads.append(head)
            if not head.startswith("CONNECT") or self._status != 200:
                writer.write(answer("goed", status=self._status))
                await writer.drain()
                return
            port = int(head.split(" ")[1].rpartition(":")[2])
            there, out = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await asyncio.gather(relay(reader, out), relay(there, writer))
        finally:
            writer.transport.abort()


def test_http_goes_through_a_proxy_by_its_absolute_address() -> None:
    async def go() -> tuple[Sample, str]:
        async with ProxyServer() as proxy:
            way = setup(
                "http://loket.example/",
                proxy=f"http://127.0.0.1:{proxy.port}",
                proxy_credentials="proxy",
                secrets={"proxy": "me:s3cret"},
            )
            return await run(journey(), slot_us=0, location="hier", setup=way), proxy.heads[0]

    sample, head = asyncio.run(go())
    assert sample.outcome is Outcome.UP
    assert head.startswith("GET http://loket.example/ HTTP/1.1\r\n")
    assert "Proxy-Authorization: Basic bWU6czNjcmV0\r\n" in head


def test_https_goes_through_a_tunnel(ours: Authority) -> None:
    async def go() -> tuple[Sample, list[str], int]:
        async with ProxyServer() as proxy, ScriptedServer(GOOD, ours.server("loket.example")) as server:
            base = f"https://loket.example:{server.port}"
            way = setup(base, ca_file=ours.file, proxy=f"http://127.0.0.1:{proxy.port}")
            sample = await run(TWO, slot_us=0, location="hier", setup=way)
            return sample, proxy.heads, server.port

    sample, heads, port = asyncio.run(go())
    assert (sample.outcome, sample.failure) == (Outcome.UP, None)
    assert [head.split("\r\n")[0] for head in heads] == [f"CONNECT loket.example:{port} HTTP/1.1"]


@pytest.mark.parametrize(
    ("status", "outcome", "kind"),
    [(407, Outcome.UNKNOWN, FailureKind.MONITOR), (503, Outcome.DOWN, FailureKind.CONNECT)],
)
def test_a_refusing_proxy_is_our_own_fault_unless_it_could_not_reach_the_portal(
    status: int, outcome: Outcome, kind: FailureKind
) -> None:
    async def go() -> Sample:
        async with ProxyServer(status) as proxy:
            way = setup("https://loket.example", proxy=f"http://127.0.0.1:{proxy.port}")
            return await run(journey(), slot_us=0, location="hier", setup=way)

    sample = asyncio.run(go())
    assert (sample.outcome, sample.failure and sample.failure.kind) == (outcome, kind)


def test_a_proxy_that_is_not_there_is_our_own_fault_and_a_bypassed_host_needs_none() -> None:
    async def go(**more: Any) -> Sample:
        async with ProxyServer() as proxy, ScriptedServer(GOOD) as server:
            gone = f"http://127.0.0.1:{proxy.port}"
            await proxy.__aexit__()
            way = setup(f"http://127.0.0.1:{server.port}", proxy=gone, **more)
            return await run(journey(), slot_us=0, location="hier", setup=way)

    sample = asyncio.run(go())
    assert (sample.outcome, sample.failure and sample.failure.kind) == (Outcome.UNKNOWN, FailureKind.MONITOR)
    assert asyncio.run(go(no_proxy=("127.0.0.1",))).outcome is Outcome.UP


def test_a_pinned_address_keeps_the_name_in_host_sni_and_certificate(ours: Authority) -> None:
    async def go() -> tuple[Sample, Received]:
        async with ScriptedServer(GOOD, ours.server("loket.example")) as server:
            base = f"https://loket.example:{server.port}"
            way = setup(base, ca_file=ours.file, addresses={"loket.example": "127.0.0.1"})
            return await run(journey(), slot_us=0, location="hier", setup=way), server.requests[0]

    sample, received = asyncio.run(go())
    assert (sample.outcome, sample.steps[0].address) == (Outcome.UP, "127.0.0.1")
    assert received.headers["host"].startswith("loket.example:")


@pytest.mark.parametrize(("offered", "outcome"), [(True, Outcome.UP), (False, Outcome.DOWN)])
def test_a_portal_that_asks_for_a_client_certificate(
    ours: Authority, tmp_path: Path, offered: bool, outcome: Outcome
) -> None:
    mine = tmp_path / "mine.pem"
    ours.ca.issue_cert("loketwacht").private_key_and_cert_chain_pem.write_to_path(str(mine))
    context = ours.server("localhost")
    context.verify_mode = ssl.CERT_REQUIRED
    ours.ca.configure_trust(context)

    async def go() -> Sample:
        async with ScriptedServer(GOOD, context) as server:
            more: dict[str, Any] = {"client_certificate": str(mine)} if offered else {}
            way = setup(f"https://localhost:{server.port}", ca_file=ours.file, **more)
            return await run(journey(), slot_us=0, location="hier", setup=way)

    assert asyncio.run(go()).outcome is outcome


def test_every_address_that_was_tried_is_kept() -> None:
    """T43: an address family that leads nowhere is shown, not guessed at."""

    async def go(family: str) -> Sample:
        async with ScriptedServer(pages({}), host="127.0.0.1") as server:
            way = setup(f"http://localhost:{server.port}", ip=family)
            return await run(journey(), slot_us=0, location="hier", setup=way)

    only = asyncio.run(go("4"))
    assert only.evidence[0].addresses == ("127.0.0.1",)
    both = asyncio.run(go("6-then-4"))
    assert both.evidence[0].addresses[-1] == "127.0.0.1"


def test_ipv6_is_spoken() -> None:
    async def go() -> tuple[Sample, str]:
        async with ScriptedServer(GOOD, host="::1") as server:
            way = setup(f"http://[::1]:{server.port}")
            return await run(journey(), slot_us=0, location="hier", setup=way), server.requests[0].headers["host"]

    sample, host = asyncio.run(go())
    assert (sample.outcome, sample.steps[0].address) == (Outcome.UP, "::1")
    assert host.startswith("[::1]:")


def test_an_answer_to_head_has_no_body_whatever_it_announces() -> None:
    head_only = answer(b"", head="").replace(b"Content-Length: 0", b"Content-Length: 5")
    sample, requests = walked(
        pages({"/": head_only, "/twee": answer("goed")}),
        journey(step("/", name="een", method="HEAD"), step("/twee", name="twee")),
    )
    assert (sample.outcome, sample.failure) == (Outcome.UP, None)
    assert len({r.connection for r in requests}) == 1


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_ends_with_its_head(status: int) -> None:
    bare = f"HTTP/1.1 {status} X\r\n\r\n".encode()
    first = step("/", name="een", expect={"status": status})
    sample, requests = walked(pages({"/": bare, "/twee": answer("goed")}), journey(first, step("/twee", name="twee")))
    assert (sample.outcome, sample.failure) == (Outcome.UP, None)
    assert len({r.connection for r in requests}) == 1


def test_a_server_that_closes_after_each_answer_is_asked_anew() -> None:
    async def script(received: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(answer("goed", head="Connection: close\r\n"))
        await writer.drain()
        writer.close()

    sample, requests = walked(script, TWO)
    assert (sample.outcome, [r.connection for r in requests]) == (Outcome.UP, [1, 2])


def test_an_early_no_to_a_large_upload_is_heard() -> None:
    async def script(received: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(answer("te groot", status=413))

    upload = step("/", method="POST", multipart=[{"name": "f", "file_name": "f.pdf", "size": 3_000_000}])
    sample, _ = walked(script, journey(upload))
    assert (sample.failure and sample.failure.kind) is FailureKind.HTTP_STATUS


def test_a_value_with_a_line_end_writes_no_header() -> None:
    first = step("/", name="een", capture={"x": {"json": "x"}})
    second = step("/twee", name="twee", headers={"X-A": "{{ x }}"})
    pages_ = pages({"/": answer('{"x": "a\\r\\nX-B: c"}', kind="application/json"), "/twee": answer("goed")})
    sample, requests = walked(pages_, journey(first, second))
    assert (sample.outcome, len(requests)) == (Outcome.UNKNOWN, 1)


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_no_socket_outlives_its_run_on_any_event_loop(
    ours: Authority, loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    """Up, refused, cut off by a deadline and cancelled: the same number of open files afterwards."""

    async def script(received: Received, writer: asyncio.StreamWriter) -> None:
        if received.target == "/hangt":
            await asyncio.sleep(60)
        writer.write(answer("goed"))

    async def go() -> tuple[list[Outcome], int]:
        async with ScriptedServer(script, ours.server("localhost")) as server:
            way = setup(f"https://localhost:{server.port}", ca_file=ours.file, ip="4")
            strangers = setup(f"https://localhost:{server.port}", ip="4")
            steps = (step("/"), step("/hangt", name="hangt"))
            await run(journey(), slot_us=0, location="hier", setup=way)
            before = open_files()
            outcomes = [
                (await run(what, slot_us=0, location="hier", setup=by)).outcome
                for what, by in ((journey(), way), (journey(), strangers), (journey(*steps, deadline="200ms"), way))
            ]
            task = asyncio.create_task(run(journey(*steps), slot_us=0, location="hier", setup=way))
            await asyncio.sleep(0.1)
            task.cancel()
            await asyncio.wait([task])
            await asyncio.sleep(0.1)  # the server's own ends
            return outcomes, open_files() - before

    with asyncio.Runner(loop_factory=loop) as runner:
        outcomes, more = runner.run(go())
    assert outcomes == [Outcome.UP, Outcome.DOWN, Outcome.DOWN]
    # A server's side of a connection may still be on its way out; ours would be four.
    assert more <= 1


def test_a_client_of_httpx_may_use_the_own_engine() -> None:
    async def go() -> tuple[httpx.Response, list[Received]]:
        async with ScriptedServer(pages({"/een": answer("goed", status=201, head="X-Wie: portaal\r\n")})) as server:
            base_url = f"http://127.0.0.1:{server.port}"
            transport = setup(base_url, engine="own").way_out()
            async with httpx.AsyncClient(transport=transport, base_url=base_url) as client:
                return await client.post("/een?x=1", content=b"vraag"), server.requests

    response, requests = asyncio.run(go())
    assert (response.status_code, response.text, response.headers["x-wie"]) == (201, "goed", "portaal")
    assert (requests[0].method, requests[0].target, requests[0].body) == ("POST", "/een?x=1", b"vraag")


BOMB = answer(gzip.compress(bytes(16 * 1024 * 1024)), head="Content-Encoding: gzip\r\n")
LEAVES = {
    "it goes well": (GOOD, Outcome.UP),
    "a text is missing": (pages({"/": answer("fout"), "/twee": answer("goed")}), Outcome.DOWN),
    "a zip bomb": (pages({"/": BOMB, "/twee": BOMB}), Outcome.DOWN),
    "a circle": (pages({"/": answer("", status=302, head="Location: /\r\n")}), Outcome.DOWN),
}


@pytest.mark.parametrize(("script", "outcome"), LEAVES.values(), ids=LEAVES)
def test_a_run_leaves_nothing_behind_for_the_garbage_collector(script: Any, outcome: Outcome, ours: Authority) -> None:
    """T23: what was read would stay in memory until garbage is collected, which may be many runs later."""
    looks = journey(step("/", name="een", expect={"status": [200], "text": ["goed"]}), step("/twee", name="twee"))

    async def go() -> list[str]:
        async with ScriptedServer(script, ours.server("localhost")) as server:
            way = setup(f"https://localhost:{server.port}", ca_file=ours.file, engine="own")
            await run(looks, slot_us=0, location="hier", setup=way)  # whatever is made once
            gc.collect()
            gc.disable()
            try:
                assert (await run(looks, slot_us=0, location="hier", setup=way)).outcome is outcome
                gc.set_debug(gc.DEBUG_SAVEALL)
                gc.collect()
                return [type(one).__qualname__ for one in gc.garbage if type(one).__module__.startswith("probes")]
            finally:
                gc.set_debug(0)
                gc.garbage.clear()
                gc.enable()

    assert asyncio.run(go()) == []
