"""Sends what lies in the outbox, oldest first, and marks it afterwards. Gives up late, and loudly.

At least once: a mail is marked as sent only after the server took it. A process that dies in between sends it again,
with the same Message-ID, when its lease has run out. A few mails are under way at once, so that one that hangs holds no
other; webhooks go side by side, each in a lane of its own.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from monitor.clock import Clock
from monitor.courtesy import PLAIN, Courtesy
from monitor.in_hand import InHand
from monitor.mail_message import Answer, Receipt
from monitor.observer import Delivered, Observer
from monitor.recipients import Channel
from monitor.store import due, events, leaving, ledger, outbox
from monitor.store.database import Database, InStore, StoreError, StoreUnavailable, Transaction
from monitor.store.leaving import SetAside, ToSend
from monitor.store.outbox import ReaderState, Settled
from sla.ledger import Sealed

log = logging.getLogger(__name__)

#: What a channel sends: a mail, or what a webhook is told.
Written = TypeVar("Written")
T = TypeVar("T")

_SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to go on.

    Attributes:
        first_us: pause after the first failure; each further one doubles it.
        longest_us: up to this.
        give_up_us: after this since it was first tried for a reader, the mail is given up for him; what it waited for
            on purpose before that, and his quiet hours since, do not count.
        least_tries: and not before it was tried so often: a monitor that was off for days has not tried.
        lease_us: how long one attempt may take before another process may try.
        hold_us: pause for a follow-up that waits for the opening before it.
        idle_us: how long to sleep at most when nothing is due.
        stop_us: how long the message in hand may still take once delivery is to end.
    """

    first_us: int = 10 * _SECOND_US
    longest_us: int = 600 * _SECOND_US
    give_up_us: int = 3 * 24 * 3600 * _SECOND_US
    least_tries: int = 20
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
        unreadable: told likewise of each message that this version of the program cannot read.
        apart: every reader has a lane of its own, so that none waits for another; only where a message has one reader.
        at_once: without `apart`, so many may be under way at the same time.
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
    unreadable: Callable[[Transaction, SetAside, int], None] = lambda *_: None
    apart: bool = False
    at_once: int = 1

    async def deliver_due(self) -> int:
        """Try every message that is due, once. Returns how many were tried."""
        tried = 0
        hand = InHand()
        try:
            while True:
                tried += await self._take_up(hand)
                if not hand.lanes:
                    return tried
                await hand.change()
                for error in hand.ended():
                    raise error
        finally:
            await hand.to_their_end(self.patience.stop_us)
            await self._report()

    async def run(self, wake: asyncio.Event) -> None:
        """Deliver until cancelled, and then what is in hand to its end.

        Args:
            wake: this channel's own, set by whoever queued something: it need not wait.
        """
        hand = InHand()
        await self._guarded(self._take_up_again())
        try:
            while True:
                await self._guarded(self._take_up(hand))
                await self._guarded(self._report())
                pause_us = await self._guarded(self._pause_us(hand))
                await hand.change(wake, within_us=self.patience.idle_us if pause_us is None else pause_us)
                wake.clear()
                for error in hand.ended():
                    self._broke(error)
        finally:
            await hand.to_their_end(self.patience.stop_us)

    async def _take_up(self, hand: InHand) -> int:
        """Begin with what is due, in every lane that is free; how many messages that is."""
        begun = 0
        while self._has_room(hand):
            claimed = await self.in_store(lambda: self._claim(hand.lanes))
            if claimed is None:
                break
            message, head = claimed
            hand.begin(message.ready[0] if self.apart else message.id, self._deliver(message, head))
            begun += 1
        return begun

    def _has_room(self, hand: InHand) -> bool:
        return self.apart or len(hand.lanes) < self.at_once

    async def _pause_us(self, hand: InHand) -> int:
        """How long nothing becomes due at the most, as far as that is known; what is in hand aside."""
        if not self._has_room(hand):
            return self.patience.idle_us
        due_us = await self.in_store(lambda: self._next_due(hand.lanes))
        if due_us is None:
            return self.patience.idle_us
        return min(self.patience.idle_us, max(due_us - self.clock.now_us(), 0) + 1_000)

    async def _guarded(self, work: Coroutine[Any, Any, T]) -> T | None:
        """The edge of the service: a defect must not silence every mail that comes after it."""
        try:
            return await work
        except Exception as error:
            self._broke(error)
            return None

    def _broke(self, error: BaseException) -> None:
        if isinstance(error, StoreError):
            self.observer.store_failed()
            log.warning("the outbox cannot be read", extra={"error": str(error)})
        else:
            log.error("delivery broke down", exc_info=error)

    async def _take_up_again(self) -> None:
        again = await self.in_store(self._again)
        if again:
            log.warning("%s set aside before is tried again", self.channel, extra={"messages": again})

    async def _report(self) -> None:
        waiting = await self.in_store(self._waiting)
        self.observer.outbox(
            pending=waiting.messages,
            oldest_us=waiting.oldest_us,
            held=waiting.held,
            aside=waiting.aside,
            now_us=self.clock.now_us(),
            channel=self.channel,
        )

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
        begun_us = self.clock.monotonic_us()
        while True:
            try:
                return await self.in_store(lambda: self._settle(message, states, due_us, now_us))
            except StoreUnavailable:
                if self.clock.monotonic_us() - begun_us > self.patience.lease_us:
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
        tried_for_us = now_us - tried_us - self.courtesy().kept_us(message.kind, address, tried_us, now_us)
        over = tried_for_us >= self.patience.give_up_us and message.attempts + 1 >= self.patience.least_tries
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

    def _claim(self, lanes: frozenset[str]) -> tuple[ToSend, Sealed | None] | None:
        now_us = self.clock.now_us()
        with self.database.begin() as tx:
            message = leaving.claim(
                tx,
                now_us=now_us,
                owner=self.owner,
                lease_us=self.patience.lease_us,
                hold_us=self.patience.hold_us,
                channel=self.channel,
                courtesy=self.courtesy(),
                busy=lanes if self.apart else (),
                in_hand=() if self.apart else lanes,
                aside=lambda tx, aside: self._set_aside(tx, aside, now_us),
            )
            return (message, ledger.head(tx)) if message else None

    def _set_aside(self, tx: Transaction, aside: SetAside, now_us: int) -> None:
        fields = {"mail": aside.id, "kind": aside.kind, "why": aside.why}
        log.error("%s cannot be read by this version and was set aside", self.channel, extra=fields)
        events.add(tx, events.Event(at_us=now_us, kind=f"{self.channel}-set-aside", data=fields))
        self.unreadable(tx, aside, now_us)

    def _again(self) -> int:
        with self.database.begin() as tx:
            return leaving.take_up_again(tx, self.channel)

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
            return outbox.waiting(tx, self.channel, now_us=self.clock.now_us())

    def _next_due(self, lanes: frozenset[str]) -> int | None:
        with self.database.read() as tx:
            return due.next_due_us(
                tx,
                self.channel,
                now_us=self.clock.now_us(),
                lease_us=self.patience.lease_us,
                busy=lanes if self.apart else (),
                in_hand=() if self.apart else lanes,
            )


def _result(state: ReaderState) -> Delivered:
    match state.state:
        case Settled.SENT:
            return "delivered"
        case Settled.FAILED:
            return "given-up" if state.given_up else "refused"
        case _:
            return "retry"
