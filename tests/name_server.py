"""A name server on loopback, over UDP and TCP on one port, that answers as a test tells it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import cast

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

#: What is answered to a question, over TCP or not: a message, bytes as they are, or nothing at all.
Answer = Callable[[dns.message.Message, bool], dns.message.Message | bytes | None]


@dataclass(slots=True)
class NameServer:
    """Keeps what it was asked, as `name type` with the flags it came with."""

    answer: Answer
    asked: list[str] = field(default_factory=list)
    port: int = 0
    _udp: asyncio.DatagramTransport | None = None
    _tcp: asyncio.Server | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def __aenter__(self) -> NameServer:
        while self._tcp is None:
            taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            taken.bind(("127.0.0.1", 0))
            self.port = taken.getsockname()[1]
            try:
                self._tcp = await asyncio.start_server(self._over_tcp, "127.0.0.1", self.port)
            except OSError:
                taken.close()
                continue
            loop = asyncio.get_running_loop()
            self._udp, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), sock=taken)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._udp is not None
        assert self._tcp is not None
        self._udp.abort()
        self._tcp.close()
        await asyncio.sleep(0)

    def reply(self, wire: bytes, *, tcp: bool) -> bytes | None:
        question = dns.message.from_wire(wire)
        asked = question.question[0]
        flags = dns.flags.to_text(question.flags)
        self.asked.append(f"{asked.name} {dns.rdatatype.to_text(asked.rdtype)} {flags}{' over TCP' if tcp else ''}")
        said = self.answer(question, tcp)
        return said.to_wire() if isinstance(said, dns.message.Message) else said

    async def _over_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            size = int.from_bytes(await reader.readexactly(2), "big")
            said = self.reply(await reader.readexactly(size), tcp=True)
            if said is not None:
                writer.write(len(said).to_bytes(2, "big") + said)
                await writer.drain()
                await reader.read()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.transport.abort()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: NameServer) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # In Python 3.11 its class does not say so.
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        said = self._server.reply(data, tcp=False)
        if said is not None:
            self._transport.sendto(said, addr)


def says(question: dns.message.Message, *records: str, code: str = "NOERROR", flags: str = "") -> dns.message.Message:
    """An answer with these records (`name ttl IN type value`), this code, and these flags besides QR and RA."""
    answer = dns.message.make_response(question, recursion_available=True)
    answer.set_rcode(dns.rcode.from_text(code))
    answer.flags |= dns.flags.from_text(flags)
    for record in records:
        answer.answer.append(dns.rrset.from_text(*record.split(maxsplit=4)[:4], record.split(maxsplit=4)[4]))
    return answer


def by_name(zone: Mapping[str, Answer]) -> Answer:
    """An answer by the name that is asked (`loket.example`, `.` for the root); NXDOMAIN for the others."""

    def answer(question: dns.message.Message, tcp: bool) -> dns.message.Message | bytes | None:
        name = question.question[0].name.to_text(omit_final_dot=True)
        name = name or "."
        if name not in zone:
            return says(question, code="NXDOMAIN")
        return zone[name](question, tcp)

    return answer


def root(flags: str = "") -> Answer:
    """What a resolver that stands by itself says of the root."""
    return lambda question, _: says(question, ". 86400 IN SOA a.root. nic.root. 7 1 1 1 1", flags=flags)


def silence(_question: dns.message.Message, _tcp: bool) -> None:
    """A server that never answers."""
    return
