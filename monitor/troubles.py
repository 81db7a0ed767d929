"""The monitor's own troubles beside measuring, on their way to people; what the store cannot take yet waits here."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from monitor import own_telling
from monitor.clock import Clock
from monitor.config import Loaded
from monitor.mail_signing import Signatures
from monitor.store.database import Database, InStore, StoreError, Transaction
from monitor.store.leaving import SetAside, ToSend
from monitor.store.outbox import ReaderState
from monitor.toml_file import ConfigError
from monitor.unsigned import signature_news

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reload:
    """What became of reading the configuration; `error` None: it was taken over."""

    at_us: int
    error: ConfigError | None = None
    fingerprint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Troubles:
    """`look` may be called as often as one likes.

    Attributes:
        loaded: the configuration in force.
        signs: what signs mails now.
        wake: called when mail was queued.
    """

    loaded: Callable[[], Loaded]
    signs: Callable[[], Signatures]
    database: Database
    in_store: InStore
    clock: Clock
    wake: Callable[[], None]
    _waiting: deque[_Reload] = field(default_factory=deque, init=False)
    _told: set[str] = field(default_factory=set, init=False)

    def refused(self, error: ConfigError, path: Path) -> None:
        """A configuration was refused. Reads its files once more, to know them again."""
        mark = own_telling.fingerprint(error, path)
        self._waiting.append(_Reload(at_us=self.clock.now_us(), error=error, fingerprint=mark))

    def taken(self) -> None:
        """A configuration is in force: at the start, and after each reload."""
        self._waiting.append(_Reload(at_us=self.clock.now_us()))

    async def look(self) -> None:
        """Queue what waits, oldest first; what the store does not take stays."""
        while self._waiting:
            if await self.in_store(lambda: self._tell(self._waiting[0])):
                self.wake()
            self._waiting.popleft()
        news = {thread for thread, _ in signature_news(self.signs(), self.clock.now_us())}
        if news - self._told:
            # The store knows what was told; asking it once for each is enough.
            if await self.in_store(self._tell_unsigned):
                self.wake()
            self._told.update(news)

    def lost(self, tx: Transaction, message: ToSend, state: ReaderState, now_us: int) -> None:
        """A message was given up for a reader; told to the others in the transaction that says so."""
        try:
            own_telling.tell_undelivered(tx, message, state, self.loaded().config.addressees, now_us=now_us)
        except StoreError:
            raise
        except Exception:
            # What was sent must be marked as sent, whatever is wrong with telling of the rest.
            log.exception("it could not be told that a message was given up", extra={"mail": message.id})

    def unreadable(self, tx: Transaction, aside: SetAside, now_us: int) -> None:
        """A message cannot be read by this version of the program; told in the transaction that sets it aside."""
        try:
            own_telling.tell_set_aside(tx, aside, self.loaded().config.addressees, now_us=now_us)
        except StoreError:
            raise
        except Exception:
            # What stands behind it must leave, whatever is wrong with telling of it.
            log.exception("it could not be told that a message was set aside", extra={"mail": aside.id})

    def _tell_unsigned(self) -> bool:
        recipients = self.loaded().config.addressees
        with self.database.begin() as tx:
            return bool(own_telling.tell_unsigned(tx, self.signs(), recipients, now_us=self.clock.now_us()))

    def _tell(self, reload: _Reload) -> bool:
        loaded = self.loaded()
        with self.database.begin() as tx:
            if reload.error is None:
                return bool(own_telling.tell_taken(tx, now_us=reload.at_us))
            queued = own_telling.tell_refused(
                tx,
                reload.error,
                reload.fingerprint,
                loaded.config.addressees,
                loaded.secrets.values(),
                now_us=reload.at_us,
            )
            return bool(queued)
