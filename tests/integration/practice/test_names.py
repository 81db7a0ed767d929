"""The practice name server, asked by our own name checks and byte by byte."""

from __future__ import annotations

import asyncio
from typing import Any

import dns.message
import dns.rcode
import pytest

from probes.checks import NameCheck
from probes.practice.name_server import NameServer, listen
from probes.run import run
from probes.sample import Outcome, Sample
from tests.scripted_server import setup


def asked(**more: Any) -> Sample:
    table = {"id": "naam", "title": {"nl": "N", "en": "N"}, "interval": "60s", "deadline": "20s"}

    async def go() -> Sample:
        server = await listen("127.0.0.1", 0)
        try:
            address = f"127.0.0.1:{server.port}"
            check = NameCheck.model_validate({**table, "server": address, "authoritative": True, **more})
            return await run(check, slot_us=0, location="hier", setup=setup("http://127.0.0.1"))
        finally:
            await server.close()

    return asyncio.run(go())


@pytest.mark.parametrize(
    ("name", "kind", "value"),
    [
        ("oefenloket.example", "A", "127.0.0.1"),
        ("inzage.oefenloket.example", "A", "127.0.0.1"),
        ("inzage.oefenloket.example", "CNAME", "oefenloket.example"),
        ("Oefenloket.Example", "SOA", "ns1.oefenloket.example"),
        ("oefenloket.example", "MX", "10 mail.oefenloket.example"),
    ],
)
def test_the_practice_zone_answers_by_its_own_authority(name: str, kind: str, value: str) -> None:
    assert asked(name=name, type=kind, values=value).outcome is Outcome.UP


@pytest.mark.parametrize(
    ("name", "kind", "found"),
    [
        ("weg.oefenloket.example", "A", "the name does not exist"),
        ("oefenloket.example", "AAAA", "no record of type AAAA"),
        ("elders.example", "A", "the name server answers REFUSED"),
    ],
)
def test_what_is_not_in_the_zone_is_told(name: str, kind: str, found: str) -> None:
    failure = asked(name=name, type=kind).failure
    assert failure is not None
    assert failure.found == found


def test_it_listens_over_tcp_on_the_same_port() -> None:
    async def go() -> dns.message.Message:
        server = await listen("127.0.0.1", 0)
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            question = dns.message.make_query("oefenloket.example", "A").to_wire()
            writer.write(len(question).to_bytes(2, "big") + question)
            answer = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
            writer.close()
            return dns.message.from_wire(answer)
        finally:
            await server.close()

    assert asyncio.run(go()).rcode() == dns.rcode.NOERROR


AN_ANSWER = dns.message.make_response(dns.message.make_query("oefenloket.example", "A")).to_wire()


@pytest.mark.parametrize(
    "wire", [b"", b"\x00" * 11, b"\xff" * 40, AN_ANSWER], ids=["empty", "short", "garbage", "answer"]
)
def test_what_is_no_question_is_not_answered(wire: bytes) -> None:
    assert NameServer().answer(wire) is None
