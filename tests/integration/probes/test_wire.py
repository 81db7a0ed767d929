"""The engine's own sockets: what the kernel stamps, which addresses were tried, what happens without stamps."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator

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


@pytest.fixture
def port() -> Iterator[int]:
    """A server in a thread of its own, which answers two requests on one connection at once."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        # A test may be done with the connection before it is taken, or reset it: neither is a fault of the server's.
        with contextlib.suppress(OSError), listening.accept()[0] as peer:
            for _ in range(2):
                if not peer.recv(4096):
                    return
                peer.sendall(ANSWER)

    serving = threading.Thread(target=serve)
    serving.start()
    yield listening.getsockname()[1]
    with contextlib.suppress(OSError):
        listening.shutdown(socket.SHUT_RDWR)
    serving.join(5)
    listening.close()


async def asked(connection: Connection, *, busy_us: int) -> Trail:
    """One request; the event loop is kept from its work while the answer arrives."""
    trail = Trail()
    asking = asyncio.ensure_future(connection.ask(ASKED, b"", "GET", trail))
    await asyncio.sleep(0)
    until = now_us() + busy_us
    while now_us() < until:
        pass
    await asking
    assert [piece async for piece in connection.body()] == [b"goed"]
    connection.done()
    return trail


async def twice(port: int, *, busy_us: int) -> Trail:
    connection = await dial("127.0.0.1", port, ("127.0.0.1",), Trail(), now_us)
    try:
        # The kernel begins to stamp a moment after it is first asked to.
        await asked(connection, busy_us=1_000)
        await asyncio.sleep(0.05)
        return await asked(connection, busy_us=busy_us)
    finally:
        await connection.aclose()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux stamps what arrives")
@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_a_busy_event_loop_makes_no_answer_late(run: Callable[..., Trail], port: int) -> None:
    trail = run(twice(port, busy_us=200_000))
    assert trail.first_byte_us - trail.sent_us < 100_000


def test_without_stamps_bytes_count_from_when_they_are_read(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "stamps", lambda: False)
    trail = asyncio.run(twice(port, busy_us=200_000))
    assert trail.first_byte_us - trail.sent_us >= 190_000


def test_an_address_that_refuses_is_told_beside_the_one_that_answers(port: int) -> None:
    async def go() -> Trail:
        trail = Trail()
        connection = await dial("loket", port, ("127.0.0.2", "127.0.0.1"), trail, now_us)
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
