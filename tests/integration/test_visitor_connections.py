"""Nobody keeps a connection to the pages for longer than it is used; who is slow is not cut off for that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from time import monotonic

import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from monitor.visitor_connection import Limits
from monitor.web import Server, listening

ASK = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
BIG = 32 * 1024 * 1024  # more than the sockets on both sides hold
Scene = Callable[[int], Awaitable[None]]


async def _front(request: Request) -> Response:
    return PlainTextResponse((await request.body()).decode() or "dag")


async def _big(_: Request) -> Response:
    return Response(bytes(BIG))


async def _worked_on(_: Request) -> Response:
    await asyncio.sleep(0.5)
    return PlainTextResponse("klaar")


@asynccontextmanager
async def _serving(limits: Limits) -> AsyncIterator[Server]:
    routes = [Route("/", _front, methods=["GET", "POST"]), Route("/big", _big), Route("/work", _worked_on)]
    with listening("127.0.0.1", 0) as listener:
        server = Server(Starlette(routes=routes), listener, limits)
        serving = asyncio.create_task(server.until_asked_to_exit())
        try:
            yield server
        finally:
            server.should_exit = True
            await serving


def _played(scene: Callable[[Server], Awaitable[None]], *, asking_s: float = 30.0, quiet_s: float = 30.0) -> None:
    limits = Limits(asking_us=int(asking_s * 1_000_000), quiet_us=int(quiet_s * 1_000_000))

    async def play() -> None:
        async with asyncio.timeout(10), _serving(limits) as server:
            await scene(server)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # as the service does
        runner.run(play())


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return await reader.readexactly(length)


async def _seconds_until_closed(reader: asyncio.StreamReader) -> float:
    began = monotonic()
    with suppress(ConnectionResetError):
        assert await reader.read() == b""
    return monotonic() - began


def test_a_connection_on_which_nothing_is_ever_asked_is_closed() -> None:
    async def scene(server: Server) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        assert await _seconds_until_closed(reader) < 5
        writer.close()

    _played(scene, asking_s=0.2)


def test_a_head_that_comes_a_byte_at_a_time_is_not_waited_for() -> None:
    """slowloris: each byte comes in time, the request never."""

    async def scene(server: Server) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        closed = asyncio.create_task(_seconds_until_closed(reader))
        for letter in ASK[:-4] + b"\r\nx-more: " + b"a" * 1_000:
            if closed.done():
                break
            writer.write(bytes([letter]))
            await asyncio.wait({closed}, timeout=0.02)
        assert await closed < 5
        writer.close()

    _played(scene, asking_s=0.3)


def test_a_second_head_may_not_take_longer_than_the_first() -> None:
    async def scene(server: Server) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(ASK)
        assert await _answer(reader) == b"dag"
        writer.write(ASK[:9])
        assert await _seconds_until_closed(reader) < 5
        writer.close()

    _played(scene, asking_s=0.3)


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    async def scene(server: Server) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nhal")
        assert await _seconds_until_closed(reader) < 5
        writer.close()

    _played(scene, asking_s=0.3)


def test_a_head_without_end_is_cut_off_by_its_size() -> None:
    async def scene(server: Server) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\nx-more: " + b"a" * 200_000)
        assert await _seconds_until_closed(reader) < 5
        writer.close()

    _played(scene)


def test_a_connection_that_is_quiet_after_its_answer_is_closed() -> None:
    async def scene(server: Server) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(ASK)
        assert await _answer(reader) == b"dag"
        assert await _seconds_until_closed(reader) < 5
        writer.close()

    _played(scene, quiet_s=0.3)


def test_a_reader_who_takes_nothing_of_an_answer_is_cut_off() -> None:
    async def scene(server: Server) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1_000)
        writer.write(b"GET /big HTTP/1.1\r\nhost: x\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        while server.server_state.connections:  # noqa: ASYNC110 - who does not read is not told that it was cut off
            await asyncio.sleep(0.02)
        writer.close()

    _played(scene, quiet_s=0.2)


def test_who_asks_again_in_time_keeps_the_connection_and_who_reads_slowly_gets_all_of_it() -> None:
    async def scene(server: Server) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1_000_000)
        for _ in range(5):
            writer.write(ASK)
            assert await _answer(reader) == b"dag"
            await asyncio.sleep(0.15)
        writer.write(b"GET /big HTTP/1.1\r\nhost: x\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        for _ in range(8):
            assert len(await reader.readexactly(BIG // 8)) == BIG // 8
            await asyncio.sleep(0.12)
        writer.close()

    _played(scene, asking_s=0.8, quiet_s=0.5)


def test_an_answer_that_is_worked_on_for_longer_is_waited_for() -> None:
    async def scene(server: Server) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET /work HTTP/1.1\r\nhost: x\r\n\r\n")
        assert await _answer(reader) == b"klaar"
        writer.close()

    _played(scene, asking_s=0.2, quiet_s=0.1)


def test_requests_that_come_at_once_are_all_answered() -> None:
    async def scene(server: Server) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(ASK * 3)
        assert [await _answer(reader) for _ in range(3)] == [b"dag"] * 3
        assert await _seconds_until_closed(reader) < 5
        writer.close()

    _played(scene, asking_s=0.3, quiet_s=0.3)
