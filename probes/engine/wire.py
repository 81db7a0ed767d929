"""One TCP socket, read and written by ourselves on the event loop.

A transport of the event loop would say when the loop came to hand bytes over. The kernel says when they arrived, but
only to who reads the socket himself: with other runs starting on the same core that makes many milliseconds.
"""

from __future__ import annotations

import asyncio
import errno
import os
import select
import socket
import struct
import sys
import time
from collections.abc import Callable
from functools import cache
from typing import ClassVar, Protocol
from weakref import WeakKeyDictionary

#: At most so many bytes are read at a time.
_PIECE = 64 * 1024
#: Of an answer that is awaited as much at first as one packet carries: the stamp is that of the last packet read.
_FIRST = 1448
#: `SO_TIMESTAMPNS` of Linux, which Python does not name; its control message is a `struct timespec`.
_STAMPS = 35
_TIMESPEC = struct.Struct("@ll")
#: Each change is told once (`EPOLLET`): a wire is put on watch once and stays there as it is.
_EVENTS = select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP | select.EPOLLET
#: At most so many wires, and pieces of one wire, in a go.
_AT_ONCE = 64
_ROOM = socket.CMSG_SPACE(_TIMESPEC.size)


class Listener(Protocol):
    """Who is told what happens on a wire. None of it may raise."""

    def arrived(self, data: bytes, at_us: int) -> None:
        """Bytes came, on the monotonic clock at `at_us`: by the kernel's stamp where it gives one, otherwise now."""

    def ended(self, error: Exception | None) -> None:
        """The other side closed, or the connection broke by an error. Nothing follows."""

    def drained(self) -> None:
        """What was said has left; more may be said."""


class _Nobody:
    def arrived(self, data: bytes, at_us: int) -> None:
        pass

    def ended(self, error: Exception | None) -> None:
        pass

    def drained(self) -> None:
        pass


_NOBODY = _Nobody()


class _Watch:
    """Tells every wire of one event loop what happens on its socket.

    All of them stand behind one epoll of their own, each put there once: the loop's own watches cost several times that
    for each connection.
    """

    _ALL: ClassVar[WeakKeyDictionary[asyncio.AbstractEventLoop, _Watch]] = WeakKeyDictionary()

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop) -> _Watch:
        """The one of this loop; it stays as long as the loop does."""
        watch = cls._ALL.get(loop)
        if watch is None:
            watch = cls._ALL[loop] = cls()
            loop.add_reader(watch._poll.fileno(), watch._look)
        return watch

    def __init__(self) -> None:
        self._poll = select.epoll()
        self._wires: dict[int, Wire] = {}

    def add(self, number: int, wire: Wire) -> None:
        self._wires[number] = wire
        self._poll.register(number, _EVENTS)

    def remove(self, number: int) -> None:
        if self._wires.pop(number, None) is not None:
            self._poll.unregister(number)

    def _look(self) -> None:
        for number, events in self._poll.poll(0, _AT_ONCE):
            wire = self._wires.get(number)
            if wire is not None:
                wire.happened(events)


class Wire:
    """A socket that is connected by `connect` and closed by `close`, at once and without a goodbye.

    Attributes:
        made_us: when it was connected; 0 before.
        full: the other side does not keep up; wait for `drained` before more is said.
        closed: by us or by the other side.
        first: the next bytes begin an answer whose first byte is to be stamped for itself.
    """

    def __init__(self, listener: Listener, monotonic_us: Callable[[], int]) -> None:
        self.made_us = 0
        self.closed = self.full = self.first = False
        self._listener: Listener = listener
        self._monotonic_us = monotonic_us
        self._loop = asyncio.get_running_loop()
        self._watch = _Watch.of(self._loop)
        self._socket: socket.socket | None = None
        self._number = -1
        self._made: asyncio.Future[None] | None = None  # done when it is connected, or is not to be
        self._unsent = bytearray()
        self._held = False

    async def connect(self, address: str, port: int) -> None:
        """Connects to an address.

        Raises:
            OSError: where it does not come about; the wire is closed then.
        """
        try:
            target = _target(address, port)
            made = self._socket = _open(socket.AF_INET6 if ":" in address else socket.AF_INET)
            self._number = made.fileno()
            error = made.connect_ex(target)
            if error in (0, errno.EINPROGRESS):
                self._made = self._loop.create_future()
                self._watch.add(self._number, self)
                await self._made
                error = made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error:
                raise OSError(error, os.strerror(error))
        except BaseException:
            self.close()
            raise

    def happened(self, events: int) -> None:
        """What the watch saw; each change is told once."""
        if not self.made_us:
            self.made_us = self._monotonic_us()
            if self._made is not None and not self._made.done():
                self._made.set_result(None)
            if events & (select.EPOLLERR | select.EPOLLHUP):
                return  # refused; who awaits it asks why
        if self._unsent and events & select.EPOLLOUT:
            self._send_on()
        if events & ~select.EPOLLOUT and not self._held:
            # Where the other side closed, its end is read right behind what it said.
            self._read(to_the_end=bool(events & ~(select.EPOLLOUT | select.EPOLLIN)))

    def hold(self) -> None:
        """Reads no more for now: the other side has to wait."""
        self._held = True

    def read_on(self) -> None:
        """Reads again after `hold`."""
        self._held = False
        self._read(to_the_end=True)

    def _read(self, *, to_the_end: bool) -> None:
        size = _FIRST if self.first else _PIECE
        self.first = False
        for _ in range(_AT_ONCE):
            if self._socket is None or self._held:
                return
            try:
                data, told, _, _ = self._socket.recvmsg(size, _ROOM)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                self._end(error)
                return
            if not data:
                self._end(None)
                return
            self._listener.arrived(data, self._arrived_us(told))
            if len(data) < size and not to_the_end:
                return
            size = _PIECE
        # There is more, and others have their turn first.
        self._loop.call_soon(self._read_later)

    def _end(self, error: Exception | None) -> None:
        listener = self._listener
        self.close()
        listener.ended(error)

    def _read_later(self) -> None:
        self._read(to_the_end=True)

    def _arrived_us(self, told: list[tuple[int, int, bytes]]) -> int:
        now = self._monotonic_us()
        for level, kind, value in told:
            if level == socket.SOL_SOCKET and kind == _STAMPS and len(value) == _TIMESPEC.size:
                seconds, nanoseconds = map(int, _TIMESPEC.unpack(value))
                # The kernel stamps by its wall clock, so that is the one to ask how long ago it was.
                age_ns = time.clock_gettime_ns(time.CLOCK_REALTIME) - seconds * 1_000_000_000 - nanoseconds
                # A wall clock that was put right meanwhile moves nothing into the future, nor before the connection.
                return min(now, max(self.made_us, now - age_ns // 1000))
        return now

    def say(self, data: bytes) -> None:
        """Sends; what the socket does not take at once leaves as soon as it does.

        Where the other side listens no more, what it said last is still to be read: that tells how it ended.
        """
        if self._socket is None:
            return
        if not self._unsent:
            try:
                sent = self._socket.send(data)
            except (BlockingIOError, InterruptedError):
                sent = 0
            except OSError:
                return
            if sent == len(data):
                return
            data = data[sent:]
        self._unsent += data
        self.full = True

    def _send_on(self) -> None:
        assert self._socket is not None
        try:
            sent = self._socket.send(self._unsent)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            sent = len(self._unsent)
        del self._unsent[:sent]
        if not self._unsent:
            self.full = False
            self._listener.drained()

    def close(self) -> None:
        """Ends it at once."""
        if self.closed:
            return
        self.closed = True
        self._unsent.clear()
        if self._socket is not None:
            self._watch.remove(self._number)
            self._socket.close()
            self._socket = None
        # It knows us and we know it: each would keep the other until the garbage is collected, which costs a lot.
        self._listener = _NOBODY


def _target(address: str, port: int) -> tuple[object, ...]:
    if "%" not in address:
        return address, port
    # An address that only means something on one of our networks.
    return socket.getaddrinfo(address, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)[0][4]


def _open(family: socket.AddressFamily) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM | getattr(socket, "SOCK_NONBLOCK", 0))
    try:
        if made.gettimeout() != 0:
            made.settimeout(0)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if stamps():
            made.setsockopt(socket.SOL_SOCKET, _STAMPS, 1)
    except BaseException:
        made.close()
        raise
    return made


@cache
def stamps() -> bool:
    """Whether the kernel stamps what arrives.

    It does so only while a socket wants it, and begins a moment after the first one does: one socket that wants it
    stays as long as the process lives.
    """
    if sys.platform != "linux":
        return False
    keeper = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        keeper.setsockopt(socket.SOL_SOCKET, _STAMPS, 1)
    except OSError:
        keeper.close()
        return False
    keeper.detach()
    return True
