"""Whatever a target does, the run ends in time, with the right kind, and never as up."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import Awaitable, Callable

import brotli
import pytest

from probes.run import run
from probes.sample import Failure, FailureKind, Outcome, Sample, StepOutcome
from tests.scripted_server import LATE_US, Received, ScriptedServer, answer, journey, pages, setup, step, walked

pytestmark = pytest.mark.usefixtures("each_engine")

MIB = 1024 * 1024
Writes = Callable[[asyncio.StreamWriter], Awaitable[None]]


async def drip(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


async def drip_head(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(10_000):
        writer.write(f"X-{number}: y\r\n".encode())
        await writer.drain()
        await asyncio.sleep(0.02)


async def silence(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def interim_for_ever(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"HTTP/1.1 102 Processing\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.01)


async def garbage(writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x00\x01\x02 this is no HTTP at all\r\n\r\n")


async def huge_head(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: %s\r\n" % (i, b"y" * 1000) for i in range(2000)) + b"\r\n")


async def early_close(writer: asyncio.StreamWriter) -> None:
    writer.close()


async def reset(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def too_short(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this")
    await writer.drain()
    writer.close()


async def broken_chunks(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n")


async def endless(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        await writer.drain()


async def announced_too_large(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")


BOMB = gzip.compress(bytes(64 * MIB))
BROTLI_BOMB = brotli.compress(bytes(64 * MIB), quality=1)


async def bomb(writer: asyncio.StreamWriter) -> None:
    writer.write(answer(BOMB, head="Content-Encoding: gzip\r\n"))


async def brotli_bomb(writer: asyncio.StreamWriter) -> None:
    writer.write(answer(BROTLI_BOMB, head="Content-Encoding: br\r\n"))


async def not_brotli(writer: asyncio.StreamWriter) -> None:
    writer.write(answer(b"\xff this is not brotli", head="Content-Encoding: br\r\n"))


async def half_brotli(writer: asyncio.StreamWriter) -> None:
    writer.write(answer(brotli.compress(b"hello " * 1000)[:10], head="Content-Encoding: br\r\n"))


async def huge_cookie(writer: asyncio.StreamWriter) -> None:
    writer.write(answer(b"goed", head=f"Set-Cookie: a={'x' * 300_000}\r\n"))


async def folded_and_doubled(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 4\r\nX-A: b\r\n c\r\n\r\ngoed")


async def lines_ended_by_lf(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\nContent-Length: 4\n\ngoed")


async def interim_first(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + answer("goed"))


async def until_closed(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.0 200 OK\r\n\r\ngoed")
    await writer.drain()
    writer.close()


async def chunked(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\ngo\r\n2 \r\ned\r\n0\r\nX-T: z\r\n\r\n")


async def more_after_the_end(writer: asyncio.StreamWriter) -> None:
    writer.write(answer("goed") + b"HTTP/1.1 500 Nobody asked\r\n\r\n")


async def not_gzip(writer: asyncio.StreamWriter) -> None:
    writer.write(answer(b"this is not gzip", head="Content-Encoding: gzip\r\n"))


async def half_gzip(writer: asyncio.StreamWriter) -> None:
    writer.write(answer(gzip.compress(b"hello " * 1000)[:30], head="Content-Encoding: gzip\r\n"))


async def unasked_coding(writer: asyncio.StreamWriter) -> None:
    writer.write(answer(b"whatever", head="Content-Encoding: zstd\r\n"))


def against(writes: Writes, *, deadline: str = "600ms", **more: object) -> Sample:
    async def script(received: Received, writer: asyncio.StreamWriter) -> None:
        await writes(writer)

    return walked(script, journey(step("/"), deadline=deadline), **more)[0]


@pytest.mark.parametrize("writes", [drip, drip_head, silence, interim_for_ever], ids=lambda w: w.__name__)
def test_a_total_deadline_ends_what_never_ends(writes: Writes) -> None:
    """T22: no timeout between two bytes helps against one byte at a time; these targets go on for a minute at least."""
    sample = against(writes)
    assert sample.outcome is Outcome.DOWN
    assert sample.failure is not None
    assert sample.failure.kind is FailureKind.TIMEOUT
    assert 600_000 <= sample.duration_us <= 600_000 + LATE_US


@pytest.mark.parametrize(
    ("writes", "kind"),
    [
        (garbage, FailureKind.PROTOCOL),
        (huge_head, FailureKind.PROTOCOL),
        (early_close, FailureKind.PROTOCOL),
        (reset, FailureKind.PROTOCOL),
        (too_short, FailureKind.PROTOCOL),
        (broken_chunks, FailureKind.PROTOCOL),
        (endless, FailureKind.TOO_LARGE),
        (announced_too_large, FailureKind.TOO_LARGE),
        (bomb, FailureKind.TOO_LARGE),
        (brotli_bomb, FailureKind.TOO_LARGE),
        (not_brotli, FailureKind.BODY),
        (half_brotli, FailureKind.BODY),
        (huge_cookie, FailureKind.PROTOCOL),
        (not_gzip, FailureKind.BODY),
        (half_gzip, FailureKind.BODY),
        (unasked_coding, FailureKind.BODY),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_each_way_of_failing_has_its_kind(writes: Writes, kind: FailureKind) -> None:
    sample = against(writes, deadline="5s")
    assert (sample.outcome, sample.failure and sample.failure.kind) == (Outcome.DOWN, kind)
    assert sample.steps[0].outcome is StepOutcome.FAILED


@pytest.mark.parametrize(
    "writes",
    [folded_and_doubled, lines_ended_by_lf, interim_first, until_closed, chunked, more_after_the_end],
    ids=lambda w: w.__name__,
)
def test_what_a_browser_would_show_is_up(writes: Writes) -> None:
    sample = against(writes, deadline="5s")
    assert (sample.outcome, sample.failure, sample.steps[0].body_bytes) == (Outcome.UP, None, 4)


@pytest.mark.parametrize("writes", [endless, bomb, brotli_bomb], ids=lambda w: w.__name__)
def test_memory_stays_flat_under_a_body_without_end(writes: Writes) -> None:
    """T23: 64 MiB behind gzip, or a body that never ends, costs no more than the cap and its copies."""
    against(writes, deadline="5s", max_body=MIB)
    tracemalloc.start()
    sample = against(writes, deadline="5s", max_body=MIB)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sample.failure is not None
    assert sample.failure.kind is FailureKind.TOO_LARGE
    assert peak < 8 * MIB


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("gzip", gzip.compress(b"<h1>Hallo</h1>")),
        ("gzip", gzip.compress(b"<h1>Ha") + gzip.compress(b"llo</h1>")),
        ("deflate", zlib.compress(b"<h1>Hallo</h1>")),
        ("deflate", zlib.compress(b"<h1>Hallo</h1>", wbits=-15)),
        ("br", brotli.compress(b"<h1>Hallo</h1>")),
        ("identity", b"<h1>Hallo</h1>"),
    ],
    ids=["gzip", "gzip in two members", "deflate", "raw deflate", "br", "identity"],
)
def test_content_codings_are_unpacked(coding: str, packed: bytes) -> None:
    script = pages({"/": answer(packed, head=f"Content-Encoding: {coding}\r\n")})
    sample, _ = walked(script, journey(step("/", expect={"css": {"select": "h1", "text": "Hallo"}})))
    assert sample.outcome is Outcome.UP
    assert sample.steps[0].body_bytes == 14


def test_a_deadline_counts_over_every_redirect() -> None:
    """T22: each hop is quick enough by itself; together they are not, and no third one is over in time."""

    async def script(received: Received, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.8)
        writer.write(answer(status=302, head=f"Location: {received.target}x\r\n"))

    sample, asked = walked(script, journey(step("/"), deadline="2s"))
    assert sample.failure is not None
    assert sample.failure.kind is FailureKind.TIMEOUT
    assert 1 <= len(asked) <= 3
    assert 2_000_000 <= sample.duration_us <= 2_000_000 + LATE_US


def test_a_journey_budget_ends_the_run_and_leaves_clean_up_its_own() -> None:
    """T24: step 2 hangs for a minute, beyond the journey's budget; the clean-up still runs to its end."""

    async def script(received: Received, writer: asyncio.StreamWriter) -> None:
        if received.target == "/hangs":
            await asyncio.sleep(60)
        if received.target == "/clean":
            await asyncio.sleep(0.3)
        writer.write(answer("goed"))

    steps = (step("/", name="een"), step("/hangs", name="twee"), step("/x", name="drie"))
    clean = step("/clean", name="opruimen", always=True, deadline="20s")
    sample, _ = walked(script, journey(*steps, clean, deadline="2s"))
    assert [s.outcome.value for s in sample.steps] == ["ok", "failed", "skipped", "ok"]
    assert sample.failure is not None
    assert sample.failure.step == "twee"
    assert sum(s.duration_us for s in sample.steps[:3]) <= 2_000_000 + LATE_US


def test_a_step_has_a_budget_of_its_own() -> None:
    sample, _ = walked(pages({"/": answer("goed")}), journey(step("/"), step("/", name="twee")))
    assert sample.outcome is Outcome.UP

    async def script(received: Received, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    sample, _ = walked(script, journey(step("/", deadline="2s")))
    assert sample.failure == Failure(
        kind=FailureKind.TIMEOUT,
        step="stap",
        subject="deadline of the step",
        expected="done within 2 s",
        found="still waiting for an answer",
    )


def test_a_port_nobody_listens_on_is_a_refused_connection() -> None:
    async def go() -> Sample:
        async with ScriptedServer(pages({})) as server:
            port = server.port
        return await run(journey(), slot_us=0, location="hier", setup=setup(f"http://127.0.0.1:{port}"))

    sample = asyncio.run(go())
    assert sample.failure is not None
    assert (sample.failure.kind, sample.failure.found) == (FailureKind.CONNECT, "connection refused")


def test_a_name_that_cannot_be_looked_up_is_told_as_such() -> None:
    """A label of 64 letters is refused before any name server is asked, so that the test needs none."""
    name = "x" * 64 + ".invalid"
    sample = asyncio.run(run(journey(), slot_us=0, location="hier", setup=setup(f"http://{name}/")))
    assert sample.failure is not None
    assert (sample.outcome, sample.failure.kind, sample.failure.subject) == (Outcome.DOWN, FailureKind.DNS, name)


def test_a_literal_address_costs_no_look_up() -> None:
    sample, _ = walked(pages({"/": answer("goed")}), journey())
    assert sample.steps[0].phases.resolve_us == 0
    assert sample.steps[0].phases.connect_us > 0
    assert sample.steps[0].address == "127.0.0.1"


def test_a_cancelled_run_is_cancelled() -> None:
    async def go() -> None:
        asked = asyncio.Event()

        async def script(received: Received, writer: asyncio.StreamWriter) -> None:
            asked.set()
            await asyncio.sleep(60)

        async with ScriptedServer(script) as server:
            way = setup(f"http://127.0.0.1:{server.port}")
            task = asyncio.create_task(run(journey(), slot_us=0, location="hier", setup=way))
            await asked.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(go())
