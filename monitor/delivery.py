"""Sends what lies in the outbox, oldest first, and marks it afterwards. Gives up late, and loudly.

At least once: a mail is marked as sent only after the server took it. A process that dies in between sends it again,
with the same Message-ID, when its lease has run out.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from monitor.clock import Clock
from monitor.courtesy import PLAIN, Courtesy
from monitor.mail_message import Answer, Receipt
from monitor.observer import Delivered, Observer
from monitor.recipients import Channel
from monitor.store import events, leaving, ledger, outbox
from monitor.store.database import Database, InStore, StoreError, StoreUnavailable, Transaction
from monitor.store.leaving import ToSend
from monitor.store.outbox import ReaderState, Settled
from sla.ledger import Sealed

log = logging.getLogger(__name__)

#: What a channel sends: a mail, or what a webhook is told.
Written = TypeVar("Written")

_SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to go on.

    Attributes:
        first_us: pause after the first failure; each further one doubles it.
        longest_us: up to this.
        give_up_us: after this since it was first tried for a reader, it is given up for that one.
        lease_us: how long one attempt may take before another process may try.
        hold_us: pause for a follow-up that waits for the opening before it.
        idle_us: how long to sleep at most when nothing is due.
        stop_us: how long the message in hand may still take once delivery is to end.
    """

    first_us: int = 10 * _SECOND_US
    longest_us: int = 600 * _SECOND_US
    give_up_us: int = 3 * 24 * 3600 * _SECOND_US
    lease_us: int = 120 * _SECOND_US
    hold_us: int = 10 * _SECOND_US
    idle_us: int = 15 * _SECOND_US
    stop_us: int = 5 * _SECOND_US

    def pause_us(self, attempts: int, chance: float) -> int:
        """The pause after so many failed attempts (from 1): doubled each time, and up to a fifth shorter or longer.

        Args:
            chance: in [0, 1); spreads the attempts of several processes.
        """
        plain = min(self.longest_us, self.first_us << min(attempts - 1, 30))
        return plain * (800 + int(chance * 400)) // 1000


class Bell:
    """Rings for everybody who waits; each has an event of its own, and clears it when it woke."""

    def __init__(self) -> None:
        self._events: list[asyncio.Event] = []

    def event(self) -> asyncio.Event:
        self._events.append(asyncio.Event())
        return self._events[-1]

    def set(self) -> None:
        for event in self._events:
            event.set()


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery(Generic[Written]):
    """The way out of the outbox by one channel; each has its own, so that none waits for another.

    Attributes:
        compose: writes what is sent for a message, given the instant and the last entry of the ledger.
        owner: names this process in leases.
        chance: a number in [0, 1), for the jitter.
        courtesy: of the configuration in force: what waits, and what goes in a digest.
        lost: told, in the transaction that says so, of each reader for whom a message was given up.
    """

    database: Database
    in_store: InStore
    send: Callable[[Written], Awaitable[Receipt]]
    compose: Callable[[ToSend, int, Sealed | None], Written]
    clock: Clock
    observer: Observer
    owner: str
    chance: Callable[[], float]
    patience: Patience = field(default_factory=Patience)
    channel: Channel = "mail"
    courtesy: Callable[[], Courtesy] = lambda: PLAIN
    lost: Callable[[Transaction, ToSend, ReaderState, int], None] = lambda *_: None

    async def deliver_due(self) -> int:
        """Try every message that is due, once. Returns how many were tried."""
        tried = 0
        while (claimed := await self.in_store(self._claim)) is not None:
            await self._to_its_end(self._deliver(*claimed))
            tried += 1
        pending = await self.in_store(self._waiting)
        self.observer.outbox(
            pending=pending.messages, oldest_us=pending.oldest_us, now_us=self.clock.now_us(), channel=self.channel
        )
        return tried

    async def run(self, wake: asyncio.Event) -> None:
        """Deliver until cancelled, and then the message in hand to its end.

        Args:
            wake: this channel's own, set by whoever queued something: it need not wait.
        """
        while True:
            pause_us = self.patience.idle_us
            try:
                await self.deliver_due()
                due_us = await self.in_store(self._next_due)
                if due_us is not None:
                    pause_us = min(pause_us, max(due_us - self.clock.now_us(), 0) + 1_000)
            except StoreError as error:
                self.observer.store_failed()
                log.warning("the outbox cannot be read", extra={"error": str(error)})
            except Exception:
                # The edge of the service: a defect must not silence every mail that comes after it.
                log.exception("delivery broke down")
            try:
                async with asyncio.timeout(pause_us / _SECOND_US):
                    await wake.wait()
            except TimeoutError:
                pass
            wake.clear()

    async def _to_its_end(self, delivering: Coroutine[Any, Any, None]) -> None:
        """A stop waits a while for it: the server may have taken what is not marked yet, and would get it twice."""
        work = asyncio.ensure_future(delivering)
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            await asyncio.wait({work}, timeout=self.patience.stop_us / _SECOND_US)
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            raise

    async def _deliver(self, message: ToSend, head: Sealed | None) -> None:
        now_us = self.clock.now_us()
        try:
            receipt = await self.send(self.compose(message, now_us, head))
            answers = {answer.address: answer for answer in receipt.answers}
            for answer in receipt.tried:
                self.observer.mail_server(answer.server, answer.code)
        except Exception as error:
            # Ours, not the server's: a template, a header. The mail stays, and is tried again after the next upgrade.
            log.exception("a mail could not be written", extra={"mail": message.id})
            answers = {a: Answer(address=a, code=0, text=f"not written: {type(error).__name__}") for a in message.ready}
        now_us = self.clock.now_us()
        states = [self._state(message, answers.get(address), address, now_us) for address in message.ready]
        due_us = now_us + self.patience.pause_us(message.attempts + 1, self.chance())
        await self._mark(message, states, due_us, now_us)
        for state in states:
            self._tell(message, state, now_us)

    async def _mark(self, message: ToSend, states: list[ReaderState], due_us: int, now_us: int) -> None:
        """Write down what became of it; as long as the lease lasts a locked store is waited for, not mailed past."""
        while True:
            try:
                return await self.in_store(lambda: self._settle(message, states, due_us, now_us))
            except StoreUnavailable:
                if self.clock.now_us() - now_us > self.patience.lease_us:
                    raise
                self.observer.store_failed()
                await asyncio.sleep(1)

    def _state(self, message: ToSend, answer: Answer | None, address: str, now_us: int) -> ReaderState:
        said = answer.said if answer else "0 the server did not mention this address"
        # Not since it was written: it may have waited for quiet hours, or we were away ourselves.
        tried_us = message.tried.get(address, now_us)
        if answer is not None and answer.accepted:
            return ReaderState(
                address=address,
                state=Settled.SENT,
                settled_us=now_us,
                answer=said,
                server=answer.server,
                tried_us=tried_us,
            )
        over = now_us - tried_us >= self.patience.give_up_us
        if over or (answer is not None and answer.refused):
            return ReaderState(address=address, state=Settled.FAILED, settled_us=now_us, answer=said, tried_us=tried_us)
        return ReaderState(address=address, state=Settled.PENDING, settled_us=None, answer=said, tried_us=tried_us)

    def _tell(self, message: ToSend, state: ReaderState, now_us: int) -> None:
        result = _result(state)
        self.observer.delivered(result, now_us=now_us, channel=self.channel)
        fields = {"mail": message.id, "kind": message.kind.value, "to": state.address, "answer": state.answer}
        match result:
            case "delivered":
                log.info("%s delivered", self.channel, extra=fields | {"server": state.server})
            case "retry":
                log.warning("%s not delivered yet", self.channel, extra=fields)
            case "refused" | "given-up":
                log.error("%s lost for this reader", self.channel, extra=fields)

    def _claim(self) -> tuple[ToSend, Sealed | None] | None:
        with self.database.begin() as tx:
            message = leaving.claim(
                tx,
                now_us=self.clock.now_us(),
                owner=self.owner,
                lease_us=self.patience.lease_us,
                hold_us=self.patience.hold_us,
                channel=self.channel,
                courtesy=self.courtesy(),
            )
            return (message, ledger.head(tx)) if message else None

    def _settle(self, message: ToSend, states: list[ReaderState], due_us: int, now_us: int) -> None:
        with self.database.begin() as tx:
            leaving.settle(tx, message.id, states, owner=self.owner, due_us=due_us)
            for state in states:
                if state.state is Settled.FAILED:
                    data = {"mail": message.id, "to": state.address, "answer": state.answer}
                    kind = f"{self.channel}-{_result(state)}"
                    events.add(tx, events.Event(at_us=now_us, kind=kind, data=data))
                    self.lost(tx, message, state, now_us)

    def _waiting(self) -> outbox.Waiting:
        with self.database.read() as tx:
            return outbox.waiting(tx, self.channel)

    def _next_due(self) -> int | None:
        with self.database.read() as tx:
            return leaving.next_due_us(tx, self.channel)


def _result(state: ReaderState) -> Delivered:
    match state.state:
        case Settled.SENT:
            return "delivered"
        case Settled.FAILED:
            return "given-up" if state.given_up else "refused"
        case _:
            return "retry"
