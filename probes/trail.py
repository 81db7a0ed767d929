"""What happened so far while a step is asked: kept up to date while it happens, for a deadline may cut in anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from probes.errors import words
from probes.sample import Attempt, Hop, Phases

_NO_TIME = Phases()


class Exchange(NamedTuple):
    """One request and its answer, as far as it came. Not redacted.

    Attributes:
        request: request line and headers; `sent` is what followed them.
        response_head: status line and headers; empty where no answer came.
        body: decoded, as far as it was read.
    """

    url: str
    request: str
    sent: bytes
    response_head: str
    body: bytes
    hop: Hop


@dataclass(slots=True, kw_only=True)
class Trail:
    """One step's way through all its redirects. Not redacted.

    Attributes:
        urls: every one asked, in order.
        addresses: every one tried, and the one that answered on a connection of an earlier step.
        attempts: what became of each connection that was tried.
        phases: summed over redirects; `hops` has them for each.
        sent: what the newest request carried behind its headers.
        chain: certificates of the newest connection, DER, the leaf first; empty without TLS.
        waiting_for: what a deadline that cuts in now would have waited for.
        sent_us, first_byte_us, last_byte_us: of the newest request, on the monotonic clock: when it was handed to the
            kernel, and when the kernel took the answer in; where the kernel does not say, when it was read. 0 where it
            did not come so far, or where the engine does not stamp.
    """

    urls: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    phases: Phases = _NO_TIME
    request: str = ""
    sent: bytes = b""
    response_head: str = ""
    status: int = 0
    body: bytes = b""
    chain: tuple[bytes, ...] = ()
    waiting_for: str = ""
    http_version: str = ""
    content_length: int = -1
    last_modified: str = ""
    tls_version: str = ""
    tls_cipher: str = ""
    certificate_not_after_us: int | None = None
    sent_us: int = 0
    first_byte_us: int = 0
    last_byte_us: int = 0
    _done: list[Hop] = field(default_factory=list)
    _told: tuple[tuple[str, bytes, str, bytes], ...] = ()
    _before: Phases = _NO_TIME
    _attempts_before: int = 0

    @property
    def hops(self) -> tuple[Hop, ...]:
        """Each request by itself, one for each of `urls`."""
        return (*self._done, self._newest()) if self.urls else ()

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """Each request with its answer, in order."""
        told = (*self._told, self._text()) if self.urls else ()
        return tuple(Exchange(url, *texts, hop) for url, texts, hop in zip(self.urls, told, self.hops, strict=True))

    def _newest(self) -> Hop:
        return Hop(
            status=self.status,
            phases=self.phases - self._before,
            attempts=tuple(self.attempts[self._attempts_before :]),
        )

    def _text(self) -> tuple[str, bytes, str, bytes]:
        return self.request, self.sent, self.response_head, self.body

    @contextmanager
    def trying(self, address: str) -> Iterator[None]:
        """Around one attempt at a connection: notes what becomes of it, a deadline that cuts in included."""
        self.addresses.append(address)
        refusal = "no answer in time"
        try:
            yield
            refusal = ""
        except Exception as error:
            # The stock engine wraps what the operating system said, more than once.
            said: BaseException = error
            while isinstance(said.__cause__, OSError):
                said = said.__cause__
            refusal = words(said)
            raise
        finally:
            self.attempts.append(Attempt(address=address, refusal=refusal or None))

    def add(
        self,
        *,
        resolve_us: int = 0,
        connect_us: int = 0,
        tls_us: int = 0,
        processing_us: int = 0,
        transfer_us: int = 0,
    ) -> None:
        so_far = self.phases
        self.phases = Phases(
            resolve_us=so_far.resolve_us + resolve_us,
            connect_us=so_far.connect_us + connect_us,
            tls_us=so_far.tls_us + tls_us,
            processing_us=so_far.processing_us + processing_us,
            transfer_us=so_far.transfer_us + transfer_us,
        )

    def begin(self, url: str, request: str, sent: bytes = b"") -> None:
        """The next request is under way; nothing of the answer before it is left."""
        if self.urls:
            self._done.append(self._newest())
            self._told += (self._text(),)
            self._before, self._attempts_before = self.phases, len(self.attempts)
        self.urls.append(url)
        self.request, self.sent = request, sent
        self.response_head, self.status, self.body = "", 0, b""
        self.sent_us = self.first_byte_us = self.last_byte_us = 0
        self.waiting_for = "an answer"
