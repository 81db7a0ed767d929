"""What happened so far while a step is asked: kept up to date while it happens, for a deadline may cut in anywhere."""

from __future__ import annotations

from dataclasses import dataclass, field

from probes.sample import Phases


@dataclass(slots=True, kw_only=True)
class Trail:
    """One step's way through all its redirects. Not redacted.

    Attributes:
        urls: every one asked, in order.
        addresses: every one tried, and the one that answered on a connection of an earlier step.
        waiting_for: what a deadline that cuts in now would have waited for.
        sent_us, first_byte_us, last_byte_us: of the newest request, on the monotonic clock, stamped when the event
            loop handed the bytes over and not when the run came to read them; 0 where it did not come so far, or
            where the engine does not stamp.
    """

    urls: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    phases: Phases = field(default_factory=Phases)
    request: str = ""
    response_head: str = ""
    status: int = 0
    body: bytes = b""
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

    def add(self, **phases: int) -> None:
        self.phases += Phases(**phases)

    def begin(self, url: str, request: str) -> None:
        """The next request is under way; nothing of the answer before it is left."""
        self.urls.append(url)
        self.request = request
        self.response_head, self.status, self.body = "", 0, b""
        self.sent_us = self.first_byte_us = self.last_byte_us = 0
        self.waiting_for = "an answer"
