"""One TCP connection with or without TLS, stamping what happens: bytes when they arrived, the rest when it was done.

TLS runs in memory beside the socket: the handshake has a beginning and an end of its own that way, on any event loop.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable

from probes.engine.answer import Answer, broken
from probes.engine.settings import NEXT_ADDRESS_SECONDS, OUR_OWN_ERRORS
from probes.engine.wire import Wire
from probes.errors import refusal, words
from probes.fault import Fault
from probes.sample import FailureKind
from probes.tls import Handshake, bios, read_handshake
from probes.trail import Trail

#: Beyond this many bytes that nobody took, the other side has to wait.
_ENOUGH = 256 * 1024
#: TLS hands over one record at a time, and none is larger (RFC 8446, 5.1); room for more would cost as much each time.
_RECORD = 16 * 1024
#: How much of a request is handed over at once; after each piece the other side's pace counts.
_PIECE = 64 * 1024


class Connection:
    """Carries one request at a time. Whatever goes wrong is raised as a `Fault` where it is awaited."""

    def __init__(self, where: str, monotonic_us: Callable[[], int]) -> None:
        self.where = where
        self.address = ""
        self.tls: ssl.SSLObject | None = None
        self._monotonic_us = monotonic_us
        self._loop = asyncio.get_running_loop()
        self._wire = Wire(self, monotonic_us)
        self._waiter: asyncio.Future[None] | None = None
        self._answer: Answer | None = None
        self._trail = Trail()
        self._fault: Fault | None = None
        self._stray = False
        self._unasked = bytearray()
        self._paused = self._shaken = False
        self._shaken_us = 0
        self._handshake: Handshake | None = None

    async def open(self, address: str, port: int) -> None:
        """Connects to an address.

        Raises:
            OSError: where it does not come about.
        """
        await self._wire.connect(address, port)
        self.address = address

    @property
    def made_us(self) -> int:
        """When it was connected, on the monotonic clock; 0 before."""
        return self._wire.made_us

    # What the wire tells.

    def arrived(self, data: bytes, at_us: int) -> None:
        if self._fault is not None:
            return
        try:
            if self.tls is None:
                self._received(data, at_us)
            else:
                self._incoming.write(data)
                if self._shaken:
                    self._decrypt(at_us)
                    self._flush()
                elif self._shake(at_us):
                    self._decrypt(at_us)
        except Fault as fault:
            self._fail(fault)
        except Exception as error:
            # The edge of a callback: raised here, it would reach the event loop's log and nobody who waits.
            unforeseen = Fault(FailureKind.MONITOR, self.where, found=type(error).__name__)
            unforeseen.__cause__ = error
            self._fail(unforeseen)
        self._wake()

    def ended(self, error: Exception | None) -> None:
        if self._fault is None:
            self._fault = self._how_it_ended(error)
        self._wake()

    def drained(self) -> None:
        self._wake()

    # What happens to bytes.

    def _received(self, data: bytes, now: int) -> None:
        answer, trail = self._answer, self._trail
        if answer is None:
            self._stray = True  # bytes nobody asked for, unless `line` takes them
            if len(self._unasked) < _ENOUGH:
                self._unasked += data
            return
        if not trail.first_byte_us:
            trail.first_byte_us = now
        if not answer.complete:
            trail.last_byte_us = now
        answer.feed(data)
        if answer.waiting > _ENOUGH and not self._paused:
            self._paused = True
            self._wire.hold()

    def _shake(self, now: int) -> bool:
        """The next step of the handshake; true where it was the last."""
        assert self.tls is not None
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
            return False
        except ssl.SSLError as error:
            self._flush()  # the alert that tells the other side why
            raise _tls_fault(self.where, error) from error
        # Our last word of the handshake leaves with what is said next, in one packet.
        self._shaken, self._shaken_us = True, now
        return True

    def _decrypt(self, now: int) -> None:
        assert self.tls is not None
        try:
            while data := self.tls.read(_RECORD):
                self._received(data, now)
            self.ended(None)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.ended(None)
        except ssl.SSLError as error:
            raise _tls_fault(self.where, error) from error

    def _flush(self) -> None:
        if self.tls is not None and self._outgoing.pending:
            self._wire.say(self._outgoing.read())

    def _how_it_ended(self, error: Exception | None) -> Fault:
        if self.tls is not None and not self._shaken:
            found = words(error) if error is not None else "connection reset"
            return Fault(FailureKind.TLS, self.where, expected="a TLS connection", found=found)
        if error is not None:
            return self._located(broken("the connection broke"))
        try:
            if self._answer is not None:
                self._answer.end()
        except Fault as fault:
            return self._located(fault)
        return self._located(broken("the connection closed before an answer"))

    def _fail(self, fault: Fault) -> None:
        self._fault = self._located(fault)
        self._wire.close()

    def _located(self, fault: Fault) -> Fault:
        fault.subject = fault.subject or self.where
        return fault

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _wait(self) -> None:
        """Until something happened. What is still to be said leaves before."""
        self._flush()
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    # What a run calls.

    @property
    def heard(self) -> bool:
        """Whether any byte of an answer to the newest request came."""
        return self._answer is not None and self._answer.begun

    @property
    def usable(self) -> bool:
        """Whether another request may be sent."""
        return self._fault is None and not self._stray and self._answer is None and not self._wire.closed

    async def secure(self, context: ssl.SSLContext, host: str, trail: Trail) -> None:
        """Shakes hands over TLS; the time goes to the phase `tls`.

        Raises:
            Fault: of kind tls.
        """
        trail.waiting_for = "the TLS handshake"
        if self._stray:
            # In TLS the client speaks first.
            raise Fault(FailureKind.TLS, self.where, expected="a TLS connection", found="the other side spoke no TLS")
        started = self._monotonic_us()
        self._incoming, self._outgoing = bios(context)
        try:
            self.tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
            self._shake(started)
            while not self._shaken:
                if self._fault is not None:
                    raise self._fault
                await self._wait()
        finally:
            trail.add(tls_us=max(0, (self._shaken_us or self._monotonic_us()) - started))

    def shown(self) -> Handshake | None:
        """What the handshake showed; None without TLS."""
        if self._handshake is None and self.tls is not None and self._shaken:
            self._handshake = read_handshake(self.tls)
        return self._handshake

    def say(self, data: bytes) -> None:
        """Sends a few bytes of a protocol of lines."""
        self._send(data)

    async def line(self, limit: int) -> bytes:
        """The next line of a protocol in which the other side may speak first, without its end.

        Raises:
            Fault: of kind protocol, where it is longer than `limit` bytes or the connection ends before it does.
        """
        while (end := self._unasked.find(b"\n", 0, limit + 2)) < 0:
            if len(self._unasked) > limit:
                raise Fault(FailureKind.PROTOCOL, self.where, expected=f"at most {limit} bytes", found="a longer line")
            if self._fault is not None:
                raise self._fault
            await self._wait()
        line = bytes(self._unasked[:end]).removesuffix(b"\r")
        del self._unasked[: end + 1]
        # What came before TLS and was not read stays stray: nobody slips lines into what follows (RFC 3207, 6).
        self._stray = bool(self._unasked)
        return line

    async def said(self) -> bytes:
        """What the other side said by itself since the last time, as soon as it is anything.

        Raises:
            Fault: of kind protocol, where the connection ends before that.
        """
        while not self._unasked:
            if self._fault is not None:
                raise self._fault
            await self._wait()
        data = bytes(self._unasked)
        self._unasked.clear()
        self._stray = False
        return data

    async def ask(self, head: bytes, body: bytes, method: str, trail: Trail) -> Answer:
        """Sends a request; returns when the answer's head is complete.

        Raises:
            Fault: of kind protocol or tls.
        """
        answer = self._answer = Answer(method)
        self._trail = trail
        trail.sent_us = trail.first_byte_us = trail.last_byte_us = 0
        trail.waiting_for = "the request to be taken"
        self._wire.first = self.tls is None  # in TLS a whole record has to come before a byte can be read
        if len(body) <= _PIECE:
            self._send(head + body)
        else:
            self._send(head)
            pieces = memoryview(body)
            for at in range(0, len(pieces), _PIECE):
                while self._wire.full and self._fault is None and not answer.head_complete:
                    await self._wait()
                if self._fault is not None or answer.head_complete:
                    # The other side made up its mind without reading it all; the rest would be taken for a request.
                    self._stray = True
                    break
                self._send(bytes(pieces[at : at + _PIECE]))
        trail.sent_us = self._monotonic_us()
        trail.waiting_for = "an answer"
        while not answer.head_complete:
            if self._fault is not None:
                raise self._fault
            await self._wait()
        # A server nearby may answer before we are told that our own bytes left.
        trail.sent_us = min(trail.sent_us, trail.first_byte_us)
        return answer

    def _send(self, data: bytes) -> None:
        if self._wire.closed:
            return
        if self.tls is None:
            self._wire.say(data)
            return
        try:
            self.tls.write(data)
        except ssl.SSLError as error:
            self._fail(_tls_fault(self.where, error))
            return
        self._flush()

    async def body(self) -> AsyncIterator[bytes]:
        """The body as sent, in pieces as they come.

        Raises:
            Fault: of kind protocol or tls, where it breaks off.
        """
        answer = self._answer
        assert answer is not None
        while True:
            if answer.parts:
                piece = answer.take()
                if self._paused:
                    self._paused = False
                    self._wire.read_on()
                yield piece
            elif answer.complete:
                return
            elif self._fault is not None:
                raise self._fault
            else:
                await self._wait()

    def done(self) -> bool:
        """The answer is read, or given up. Returns whether the connection can carry another request."""
        answer, self._answer = self._answer, None
        if answer is not None:
            answer.over()
        if answer is None or not (answer.complete and answer.reusable and not answer.parts) or not self.usable:
            self._wire.close()
            return False
        return True

    async def aclose(self) -> None:
        """Ends the connection without waiting for the other side's goodbye; its socket is closed on return."""
        self._flush()
        self._wire.close()
        await asyncio.sleep(0)  # whoever is told of it on this event loop has a turn before the run goes on


def _tls_fault(where: str, error: ssl.SSLError) -> Fault:
    if isinstance(error, ssl.SSLCertVerificationError):
        return Fault(FailureKind.TLS, where, expected="a valid certificate", found=refusal(error))
    return Fault(FailureKind.TLS, where, expected="a TLS connection", found=words(error))


async def dial(
    host: str, port: int, addresses: tuple[str, ...], trail: Trail, monotonic_us: Callable[[], int]
) -> Connection:
    """A connection to the first address that takes one; the time goes to the phase `connect`.

    Raises:
        Fault: of kind connect, or monitor where this machine has run out of something.
    """
    where = f"{host}:{port}"
    trail.waiting_for = f"a connection to {where}"
    started = monotonic_us()
    made: Connection | None = None
    try:
        for number, address in enumerate(addresses, start=1):
            last = number == len(addresses)
            connection = Connection(where, monotonic_us)
            try:
                if last:
                    with trail.trying(address):
                        await connection.open(address, port)
                else:
                    async with asyncio.timeout(NEXT_ADDRESS_SECONDS):
                        with trail.trying(address):
                            await connection.open(address, port)
                made = connection
                return made
            except (OSError, TimeoutError) as error:
                if isinstance(error, OSError) and error.errno in OUR_OWN_ERRORS:
                    raise Fault(FailureKind.MONITOR, where, found=words(error)) from error
                if last:
                    raise Fault(FailureKind.CONNECT, where, expected="a connection", found=words(error)) from error
    finally:
        trail.add(connect_us=max(0, (made.made_us if made is not None else monotonic_us()) - started))
    raise AssertionError("a name always has an address here")  # pragma: no cover
