"""Names are looked up on threads of our own: one whose name servers are silent keeps nobody else waiting."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any

import pytest

from probes.engine.lookup import Lookups


def test_twenty_lookups_that_hang_keep_no_other_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """T1, T30: else a silent name server of the portal would look like our own."""
    over = threading.Event()
    real = socket.getaddrinfo

    def resolver(name: str, *rest: Any, **more: Any) -> Any:
        if name == "zwijgt.example":
            over.wait(30)
            raise socket.gaierror(socket.EAI_AGAIN, "no answer")
        return real(name, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolver)

    async def scene() -> list[BaseException | list[tuple[Any, ...]]]:
        lookups = Lookups(64)
        hang = [asyncio.create_task(lookups.addresses("zwijgt.example", 80)) for _ in range(20)]
        await asyncio.sleep(0)
        async with asyncio.timeout(20):
            found = await lookups.addresses("127.0.0.1", 80)
        assert not any(one.done() for one in hang)
        over.set()
        return [found, *await asyncio.gather(*hang, return_exceptions=True)]

    found, *failed = asyncio.run(scene())
    assert isinstance(found, list)
    assert {one[4] for one in found} == {("127.0.0.1", 80)}
    assert {type(one) for one in failed} == {socket.gaierror}


def test_beyond_its_threads_a_lookup_waits_for_its_turn() -> None:
    async def scene() -> list[list[tuple[Any, ...]]]:
        lookups = Lookups(1)
        return await asyncio.gather(*(lookups.addresses("127.0.0.1", port) for port in range(1, 6)))

    assert [found[0][4][1] for found in asyncio.run(scene())] == [1, 2, 3, 4, 5]


def test_a_lookup_that_is_given_up_harms_no_later_one() -> None:
    async def scene() -> list[tuple[Any, ...]]:
        lookups = Lookups(1)
        first = asyncio.create_task(lookups.addresses("127.0.0.1", 1))
        await asyncio.sleep(0)
        first.cancel()
        return await lookups.addresses("127.0.0.1", 2)

    assert asyncio.run(scene())[0][4][1] == 2
