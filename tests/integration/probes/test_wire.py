"""The engine's own sockets: what the kernel stamps, which addresses were tried, what happens without stamps."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
import uvloop

from probes.engine import wire
from probes.engine.connection import Connection, dial
from probes.evidence import evidence
from probes.redaction import Redactor
from probes.sample import Attempt
from probes.trail import Trail

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngoed"
ASKED = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def now_us() -> int:
    return time.monotonic_ns() // 1000


@dataclass
class Server:
    """Answers two requests on one connection, in a thread of its own, and says when an answer is on its way."""

    port: int
    answered: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))


@pytest.fixture
def server() -> Iterator[Server]:
    listening = socket.create_server(("127.0.0.1", 0))
    server = Server(listening.getsockname()[1])

    def serve() -> None:
        # A test may be done with the connection before it is taken, or reset it: neither is a fault of the server's.
        with contextlib.suppress(OSError), listening.accept()[0] as peer:
            for _ in range(2):
                if not peer.recv(4096):
                    return
                peer.sendall(ANSWER)
                server.answered.release()

    serving = threading.Thread(target=serve)
    serving.start()
    yield server
    with contextlib.suppress(OSError):
        listening.shutdown(socket.SHUT_RDWR)
    serving.join(5)
    listening.close()


async def asked(connection: Connection, server: Server, *, busy_s: float) -> tuple[Trail, int]:
    """One request, and when the event loop was free again: it is kept from its work until after the answer came."""
    trail = Trail()
    asking = asyncio.ensure_future(connection.ask(ASKED, b"", "GET", trail))
    await asyncio.sleep(0)
    assert server.answered.acquire(timeout=20)
    time.sleep(busy_s)  # noqa: ASYNC251 - that the loop is kept from its work is what this is about
    free_us = now_us()
    await asking
    assert [piece async for piece in connection.body()] == [b"goed"]
    connection.done()
    return trail, free_us


async def twice(server: Server) -> tuple[Trail, int]:
    connection = await dial("127.0.0.1", server.port, ("127.0.0.1",), Trail(), now_us)
    try:
        # The kernel begins to stamp a moment after it is first asked to.
        await asked(connection, server, busy_s=0)
        await asyncio.sleep(0.05)
        return await asked(connection, server, busy_s=0.2)
    finally:
        await connection.aclose()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux stamps what arrives")
@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_a_busy_event_loop_makes_no_answer_late(run: Callable[..., tuple[Trail, int]], server: Server) -> None:
    trail, free_us = run(twice(server))
    assert trail.sent_us <= trail.first_byte_us < free_us


def test_without_stamps_bytes_count_from_when_they_are_read(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "stamps", lambda: False)
    trail, free_us = asyncio.run(twice(server))
    assert trail.first_byte_us >= free_us


def test_an_address_that_refuses_is_told_beside_the_one_that_answers(server: Server) -> None:
    async def go() -> Trail:
        trail = Trail()
        connection = await dial("loket", server.port, ("127.0.0.2", "127.0.0.1"), trail, now_us)
        await connection.aclose()
        return trail

    trail = asyncio.run(go())
    assert trail.attempts == [
        Attempt(address="127.0.0.2", refusal="connection refused"),
        Attempt(address="127.0.0.1", refusal=None),
    ]
    assert evidence("s", trail, Redactor()).addresses == ("127.0.0.2 (connection refused)", "127.0.0.1")


def test_what_does_not_fit_leaves_as_the_other_side_reads_on() -> None:
    sent = bytes(8 * 1024 * 1024)
    listening = socket.create_server(("127.0.0.1", 0))
    received = 0

    def serve() -> None:
        nonlocal received
        with listening.accept()[0] as peer:
            while received < len(ASKED) + len(sent):
                received += len(peer.recv(65536))
            peer.sendall(ANSWER)

    async def go() -> int:
        connection = await dial("127.0.0.1", listening.getsockname()[1], ("127.0.0.1",), Trail(), now_us)
        answer = await connection.ask(ASKED, sent, "PUT", Trail())
        await connection.aclose()
        return answer.status

    serving = threading.Thread(target=serve)
    serving.start()
    with listening:
        assert asyncio.run(asyncio.wait_for(go(), 20)) == 200
    serving.join(5)
    assert received == len(ASKED) + len(sent)
