"""The practice name server: one small zone, by its own authority, over UDP and TCP on this machine."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.zone

#: Names of the practice world, all of them on this machine.
ZONE = """
$ORIGIN oefenloket.example.
$TTL 300
@      IN SOA ns1 beheer 2026010101 3600 600 86400 300
@      IN NS ns1
@      IN A 127.0.0.1
@      IN MX 10 mail
@      IN TXT "v=spf1 -all"
ns1    IN A 127.0.0.1
mail   IN A 127.0.0.1
inzage IN CNAME oefenloket.example.
"""
#: A name server hangs up on who says nothing for so long.
_PATIENCE_SECONDS = 5.0


class NameServer:
    """Answers questions about its zone, and refuses those about anything else: it looks nothing up for anybody."""

    def __init__(self) -> None:
        self._zone = dns.zone.from_text(ZONE, relativize=False)

    def answer(self, wire: bytes) -> bytes | None:
        """The answer to one question; None where there is none to give, because it is no question."""
        try:
            question = dns.message.from_wire(wire)
        except (dns.exception.DNSException, ValueError):
            return None
        if question.flags & dns.flags.QR or not isinstance(question, dns.message.QueryMessage):
            return None
        reply = dns.message.make_response(question)
        if len(question.question) != 1:
            reply.set_rcode(dns.rcode.FORMERR)
            return reply.to_wire()
        asked = question.question[0]
        if asked.rdclass != dns.rdataclass.IN or not asked.name.is_subdomain(self._origin):
            reply.set_rcode(dns.rcode.REFUSED)
            return reply.to_wire()
        reply.flags |= dns.flags.AA
        self._fill(reply, asked.name, asked.rdtype)
        return reply.to_wire()

    @property
    def _origin(self) -> dns.name.Name:
        assert self._zone.origin is not None
        return self._zone.origin

    def _fill(self, reply: dns.message.Message, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> None:
        if self._zone.get_node(name) is None:
            reply.set_rcode(dns.rcode.NXDOMAIN)
        alias = self._zone.get_rrset(name, dns.rdatatype.CNAME)
        if alias is not None and kind != dns.rdatatype.CNAME:
            reply.answer.append(alias)
            name = alias[0].target
        records = self._zone.get_rrset(name, kind)
        if records is not None:
            reply.answer.append(records)
        else:
            soa = self._zone.get_rrset(self._origin, dns.rdatatype.SOA)
            assert soa is not None
            reply.authority.append(soa)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: NameServer) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # In Python 3.11 the class of the transport does not say so.
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self._server.answer(data)
        if answer is not None:
            self._transport.sendto(answer, addr)


class Listening:
    """A name server that listens; `port` is the real one, also where 0 was asked for."""

    def __init__(
        self, tcp: asyncio.Server, udp: asyncio.DatagramTransport, open_lines: set[asyncio.WriteTransport]
    ) -> None:
        self._tcp = tcp
        self._udp = udp
        self._open_lines = open_lines
        self.port = int(tcp.sockets[0].getsockname()[1])

    async def close(self) -> None:
        self._tcp.close()
        self._udp.abort()
        for line in tuple(self._open_lines):
            line.abort()
        await asyncio.sleep(0)


async def listen(host: str, port: int) -> Listening:
    """A practice name server on UDP and TCP of one port.

    Raises:
        OSError: the port is taken for one of them; nothing stays open then.
    """
    server = NameServer()
    open_lines: set[asyncio.WriteTransport] = set()

    async def over_tcp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_lines.add(writer.transport)
        try:
            with suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    size = int.from_bytes(await reader.readexactly(2), "big")
                    answer = server.answer(await reader.readexactly(size))
                    if answer is not None:
                        writer.write(len(answer).to_bytes(2, "big") + answer)
                        await writer.drain()
        finally:
            writer.close()
            open_lines.discard(writer.transport)

    while True:
        tcp = await asyncio.start_server(over_tcp, host, port)
        try:
            real = tcp.sockets[0].getsockname()[1]
            loop = asyncio.get_running_loop()
            udp, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(server), local_addr=(host, real))
        except OSError:
            tcp.close()
            if port:
                raise
            continue  # a port that is free for one of them may be taken for the other
        return Listening(tcp, udp, open_lines)
