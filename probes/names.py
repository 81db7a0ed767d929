"""A question to a name server: asked over UDP, over TCP where the answer is too long for that, and judged.

Whose fault it is when nothing good comes back depends on whose server it is. The portal's own (`authoritative`) has to
answer. A resolver is ours: where it is silent or refuses us, we measured nothing. But it is silent, or says SERVFAIL,
also where the portal's servers are, so it is asked a second question then, about the root, which it can answer without
them: only a resolver that stands by itself leaves the name to blame.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype

from probes.assertions import seconds
from probes.engine.names import Family
from probes.engine.reach import shown_host
from probes.engine.settings import OUR_OWN_ERRORS
from probes.errors import printable, quoted, words
from probes.fault import Fault
from probes.reachability import NameCheck, name_server
from probes.reading import Reading
from probes.records import absolute, shown
from probes.sample import Answered, FailureKind

Server = tuple[str, int]

#: A datagram may be lost; the question is sent so many times while it is waited for.
_SENDS = 3
#: A resolver is waited for until all but this part of the deadline is over; the rest is for the second question.
_KEPT = 4
#: As the C library has it.
_SERVERS_LIMIT = 3


def of_this_machine(path: Path = Path("/etc/resolv.conf")) -> tuple[Server, ...]:
    """The name servers this machine asks, in their order; itself where none is written, as the C library has it."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    written = (line.split() for line in lines)
    found = []
    for parts in written:
        if len(parts) > 1 and parts[0] == "nameserver":
            try:
                found.append(name_server(f"[{parts[1]}]:53"))
            except ValueError:
                continue
    return tuple(found[:_SERVERS_LIMIT]) or (("127.0.0.1", 53),)


def _allowed(servers: tuple[Server, ...], family: Family) -> tuple[Server, ...]:
    if family == "any":
        return servers
    if family in ("4", "6"):
        return tuple(server for server in servers if (":" in server[0]) == (family == "6"))
    return tuple(sorted(servers, key=lambda server: (":" in server[0]) == (family == "4-then-6")))


def _told(server: Server) -> str:
    return f"{shown_host(server[0])}:{server[1]}"


def _ours(server: Server, found: str) -> Fault:
    return Fault(FailureKind.MONITOR, "name server", found=f"our name server {_told(server)}{found}")


async def look_up(
    check: NameCheck,
    *,
    servers: Callable[[], tuple[Server, ...]],
    family: Family,
    monotonic_us: Callable[[], int],
    reading: Reading,
) -> None:
    """Asks, and judges the answer.

    Args:
        servers: those of this machine, asked in turn where the check names none.
        family: which of them may be asked; a server that a check names is asked whatever its address is.

    Raises:
        Fault: what is wrong with the name, or (of kind monitor) with our own side.
    """
    asked = (name_server(check.server),) if check.server is not None else _allowed(servers(), family)
    if not asked:
        raise Fault(FailureKind.MONITOR, "name server", found="none of our name servers has an address that ip allows")
    asker = _Asker(monotonic_us, reading, check.deadline)
    question = dns.message.make_query(
        absolute(check.name),
        check.type,
        want_dnssec=check.dnssec,
        flags=(0 if check.authoritative else dns.flags.RD) | (dns.flags.AD if check.dnssec else 0),
    )
    if check.authoritative:
        answer, server = await asker.ask(question, asked[0], asker.left), asked[0]
    else:
        answer, server = await _resolved(check, question, asked, asker)
    reading.answered = read(answer, check)
    fault = verdict(check, reading.answered)
    if fault is not None and check.dnssec and not reading.answered.authenticated and reading.answered.records:
        root = await asker.root(server, dnssec=True)
        if root is None:
            raise _ours(server, ": no answer in time")
        if not root.flags & dns.flags.AD:
            raise _ours(server, " does not check DNSSEC signatures")
    if fault is not None:
        raise fault


async def _resolved(
    check: NameCheck, question: dns.message.Message, asked: tuple[Server, ...], asker: _Asker
) -> tuple[dns.message.Message, Server]:
    """What the first resolver says that has an answer.

    Raises:
        Fault: dns or timeout, where a resolver that stands by itself has none for this name; otherwise monitor.
    """
    failing: list[Server] = []
    silent: list[Server] = []
    ours: list[Fault] = []
    kept = asker.left / _KEPT
    for number, server in enumerate(asked):
        try:
            answer = await asker.ask(question, server, (asker.left - kept) / (len(asked) - number))
        except Fault as fault:
            late = fault.kind is FailureKind.TIMEOUT
            if late:
                silent.append(server)
            ours.append(_ours(server, f": {'no answer in time' if late else fault.found}"))
            continue
        match answer.rcode():
            case dns.rcode.NOERROR | dns.rcode.NXDOMAIN:
                return answer, server
            case dns.rcode.SERVFAIL:
                failing.append(server)
                ours.append(_ours(server, " answers SERVFAIL"))
            case code:
                ours.append(_ours(server, f" answers {dns.rcode.to_text(code)}"))
    asker.until_known(ours[0])
    standing = await asker.standing(*failing, *silent)
    for server in failing:
        if server in standing:
            failed = Fault(FailureKind.DNS, check.name, found="the name server answers SERVFAIL")
            asker.until_known(failed)
            if await _bogus(question, server, asker):
                raise failed.with_found("the DNSSEC signatures do not hold")
            raise failed
    if any(server in standing for server in silent):
        raise Fault(
            FailureKind.TIMEOUT,
            check.name,
            expected=f"done within {seconds(check.deadline)}",
            found=f"our name server answers, but not about {quoted(check.name)}",
        )
    raise ours[0]


async def _bogus(question: dns.message.Message, server: Server, asker: _Asker) -> bool:
    """Whether SERVFAIL means wrong signatures: then the answer is there for who does not check (RFC 4035, 5.5)."""
    asked = question.question[0]
    flags = dns.flags.RD | dns.flags.CD
    unchecked = await asker.quietly(dns.message.make_query(asked.name, asked.rdtype, flags=flags), server)
    return unchecked is not None and unchecked.rcode() == dns.rcode.NOERROR


def verdict(check: NameCheck, answered: Answered) -> Fault | None:
    """What is wrong with an answer; None where it is as it should be."""
    if answered.code not in ("NOERROR", "NXDOMAIN"):
        return Fault(FailureKind.DNS, check.name, found=f"the name server answers {answered.code}")
    if check.authoritative and not answered.authoritative:
        return Fault(FailureKind.DNS, check.name, found="the name server has no authority over it")
    if answered.code == "NXDOMAIN":
        return Fault(FailureKind.DNS, check.name, found="the name does not exist")
    if not answered.records:
        return Fault(FailureKind.DNS, check.name, found=f"no record of type {check.type}")
    subject = f"record {check.type} {check.name}"
    if check.dnssec and not answered.authenticated:
        return Fault(
            FailureKind.ASSERTION,
            subject,
            expected="an answer checked with DNSSEC",
            found="an answer that was not checked",
        )
    wanted, found = set(check.wanted), set(answered.records)
    as_wanted = {"exactly": wanted == found, "at-least": wanted <= found, "only": found <= wanted}
    if not wanted or as_wanted[check.match]:
        return None
    how = {"exactly": "", "at-least": "at least ", "only": "only "}[check.match]
    return Fault(FailureKind.ASSERTION, subject, expected=how + _listed(check.wanted), found=_listed(answered.records))


def _listed(values: tuple[str, ...]) -> str:
    return ", ".join(map(quoted, values))


def read(message: dns.message.Message, check: NameCheck) -> Answered:
    """What an answer says of the question.

    Raises:
        Fault: of kind dns, where its aliases lead nowhere.
    """
    assert isinstance(message, dns.message.QueryMessage)
    try:
        chain = message.resolve_chaining() if message.question else None
    except dns.exception.DNSException as error:
        raise Fault(FailureKind.DNS, check.name, found="an answer that cannot be read") from error
    records = tuple(chain.answer) if chain is not None and chain.answer is not None else ()
    return Answered(
        code=dns.rcode.to_text(message.rcode()),
        records=tuple(sorted(map(shown, records))),
        ttl_us=chain.minimum_ttl * 1_000_000 if chain is not None and records else None,
        serial=next((int(record.serial) for record in records if record.rdtype == dns.rdatatype.SOA), None),
        authenticated=bool(message.flags & dns.flags.AD),
        authoritative=bool(message.flags & dns.flags.AA),
        answers=sum(map(len, message.answer)),
        authorities=sum(map(len, message.authority)),
        additionals=sum(map(len, message.additional)),
    )


class _Asker:
    """Asks name servers for one run, within its deadline, and writes down how it went."""

    def __init__(self, monotonic_us: Callable[[], int], reading: Reading, deadline_us: int) -> None:
        self._monotonic_us = monotonic_us
        self._reading = reading
        self._end = asyncio.get_running_loop().time() + deadline_us / 1_000_000

    @property
    def left(self) -> float:
        """Seconds until the run's deadline."""
        return max(0.0, self._end - asyncio.get_running_loop().time())

    def until_known(self, fault: Fault) -> None:
        """What it comes to, should the deadline cut in now."""
        self._reading.so_far = fault

    async def standing(self, *servers: Server) -> frozenset[Server]:
        """Which resolvers stand by themselves: they have an answer about the root."""
        roots = await asyncio.gather(*(self.root(server) for server in servers))
        both = zip(servers, roots, strict=True)
        return frozenset(one for one, root in both if root is not None and root.rcode() != dns.rcode.SERVFAIL)

    async def root(self, server: Server, *, dnssec: bool = False) -> dns.message.Message | None:
        """What a resolver says about the root, which it knows without the portal's servers; None: nothing."""
        flags = dns.flags.RD | (dns.flags.AD if dnssec else 0)
        return await self.quietly(dns.message.make_query(dns.name.root, "SOA", want_dnssec=dnssec, flags=flags), server)

    async def quietly(self, question: dns.message.Message, server: Server) -> dns.message.Message | None:
        """An answer within what is left of the deadline, or None; neither the evidence nor the times show it."""
        try:
            async with asyncio.timeout(self.left):
                return await _over_udp(question, server, self.left) or await _over_tcp(question, server)
        except (OSError, TimeoutError, Fault):
            return None

    async def ask(self, question: dns.message.Message, server: Server, patience: float) -> dns.message.Message:
        """The answer of one server.

        Raises:
            Fault: timeout, connect or protocol; monitor where this machine has run out of something.
        """
        trail = self._reading.trail
        where = _told(server)
        trail.waiting_for = f"an answer of the name server {where}"
        trail.request, trail.body = f";; {where}\n{question.to_text()}", b""
        began = self._monotonic_us()
        unreadable: Fault | None = None
        answer: dns.message.Message | None = None
        too_long = False
        try:
            with trail.trying(server[0]):
                async with asyncio.timeout(patience):
                    try:
                        answer = await _over_udp(question, server, patience)
                        too_long = answer is None
                        answer = answer or await _over_tcp(question, server)
                    except Fault as fault:
                        unreadable = fault  # it did answer
        except TimeoutError as error:
            if too_long:
                # It has an answer; only the way over TCP is closed.
                raise Fault(FailureKind.CONNECT, where, expected="a connection", found="no answer in time") from error
            expected = f"done within {seconds(int(patience * 1_000_000))}"
            raise Fault(
                FailureKind.TIMEOUT, where, expected=expected, found=f"still waiting for {trail.waiting_for}"
            ) from error
        except OSError as error:
            kind = FailureKind.MONITOR if error.errno in OUR_OWN_ERRORS else FailureKind.CONNECT
            raise Fault(kind, where, expected="a connection", found=words(error)) from error
        finally:
            trail.add(processing_us=self._monotonic_us() - began)
        if unreadable is not None:
            raise Fault(unreadable.kind, where, expected=unreadable.expected, found=unreadable.found) from unreadable
        assert answer is not None
        trail.body = printable(answer.to_text()).encode()
        return answer


class _Ear(asyncio.DatagramProtocol):
    """Waits for the answer to one question; what answers another one is not heard."""

    def __init__(self, question: dns.message.Message) -> None:
        self._question = question
        #: None: there is more than a datagram can carry.
        self.heard: asyncio.Future[dns.message.Message | None] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        del addr  # the kernel hands over only what the server we are connected to sent
        if self.heard.done() or len(data) < 12 or int.from_bytes(data[:2], "big") != self._question.id:
            return
        if data[2] & dns.flags.TC >> 8:
            self.heard.set_result(None)
            return
        try:
            answer = understood(data)
        except Fault as fault:
            self.heard.set_exception(fault)
            return
        if self._question.is_response(answer):
            self.heard.set_result(answer)

    def error_received(self, exc: Exception) -> None:
        if not self.heard.done():
            self.heard.set_exception(exc)


def understood(data: bytes) -> dns.message.Message:
    """A message as it came.

    Raises:
        Fault: of kind protocol, where it is none.
    """
    try:
        return dns.message.from_wire(data)
    except (dns.exception.DNSException, ValueError) as error:
        raise Fault(
            FailureKind.PROTOCOL, "name server", expected="an answer", found="an answer that cannot be read"
        ) from error


async def _over_udp(question: dns.message.Message, server: Server, patience: float) -> dns.message.Message | None:
    """
    Returns:
        None where there is more than a datagram can carry.

    Raises:
        OSError, TimeoutError: where no answer comes.
        Fault: of kind protocol, where it cannot be read.
    """
    loop = asyncio.get_running_loop()
    wire = question.to_wire()
    transport, ear = await loop.create_datagram_endpoint(lambda: _Ear(question), remote_addr=server)
    try:
        for _ in range(_SENDS):
            transport.sendto(wire)
            done, _ = await asyncio.wait({ear.heard}, timeout=patience / _SENDS)
            if done:
                return ear.heard.result()
        raise TimeoutError
    finally:
        transport.abort()


async def _over_tcp(question: dns.message.Message, server: Server) -> dns.message.Message:
    """
    Raises:
        OSError: where the connection does not come about or ends.
        Fault: of kind protocol, where the answer cannot be read or is another one's.
    """
    wire = question.to_wire()
    reader, writer = await asyncio.open_connection(*server)
    try:
        writer.write(len(wire).to_bytes(2, "big") + wire)
        size = int.from_bytes(await reader.readexactly(2), "big")
        answer = understood(await reader.readexactly(size))
    except asyncio.IncompleteReadError as error:
        raise ConnectionResetError from error
    finally:
        writer.transport.abort()
    if not question.is_response(answer):
        raise Fault(FailureKind.PROTOCOL, "name server", expected="an answer", found="an answer to another question")
    return answer
