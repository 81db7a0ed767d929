"""What the heart of the monitor tells to whoever counts: `monitor.metrics` in the service, nobody in a command."""

from __future__ import annotations

from typing import Literal, Protocol

from probes.sample import Sample

#: What became of one recipient in one attempt.
Delivered = Literal["delivered", "retry", "refused", "given-up"]


class Observer(Protocol):
    """Told of what happened; never asked, never failing."""

    def sample(self, sample: Sample) -> None:
        """A run ended, also where the store cannot take its sample now."""

    def incident(self, check_id: str, since_us: int | None) -> None:
        """An incident is open since then; None: none is any more."""

    def references_asked(self, *, own_fault: bool) -> None:
        """After a failure the reference targets were asked whose fault it is."""

    def store_failed(self) -> None:
        """The store did not take what it was given."""

    def samples_waiting(self, waiting: int, waiting_bytes: int) -> None:
        """So many samples, and so many bytes of them, are held in memory until the store takes them."""

    def evidence_given_up(self, samples: int) -> None:
        """So many samples that wait had to give up what proves them, for want of room."""

    def samples_lost(self, lost: int) -> None:
        """So many samples could not be kept, in spite of everything."""

    def delivered(self, result: Delivered, *, now_us: int, channel: str = "mail") -> None:
        """One recipient of one mail, in one attempt."""

    def mail_server(self, server: str, code: int) -> None:
        """A mail server was asked to take a mail for one recipient, and said so; 0: nothing about the recipient."""

    def outbox(
        self, *, pending: int, oldest_us: int | None, now_us: int, held: int = 0, aside: int = 0, channel: str = "mail"
    ) -> None:
        """So many messages of this channel could leave and have not, the oldest since then; so many wait on purpose;
        so many cannot be read by this version of the program."""


class Unobserved:
    """An `Observer` that lets everything pass."""

    def sample(self, sample: Sample) -> None: ...
    def incident(self, check_id: str, since_us: int | None) -> None: ...
    def references_asked(self, *, own_fault: bool) -> None: ...
    def store_failed(self) -> None: ...
    def samples_waiting(self, waiting: int, waiting_bytes: int) -> None: ...
    def evidence_given_up(self, samples: int) -> None: ...
    def samples_lost(self, lost: int) -> None: ...
    def delivered(self, result: Delivered, *, now_us: int, channel: str = "mail") -> None: ...
    def mail_server(self, server: str, code: int) -> None: ...
    def outbox(
        self, *, pending: int, oldest_us: int | None, now_us: int, held: int = 0, aside: int = 0, channel: str = "mail"
    ) -> None: ...
