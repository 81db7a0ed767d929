"""The daily drill: a fault made on purpose, its mail, its end and the mail about that, through the real parts.

Nothing else shows that an alarm would arrive: a monitor that never mails looks the same whether all is well or its mail
is broken. A small server on this machine answers well, then fails, then answers well again; it is probed, judged,
stored and mailed like any journey, but only to the drill's own recipient, and it stands on no page and in no contract.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from monitor.check_run import Alerting, Recorder, run_check
from monitor.clock import Clock
from monitor.incidents import DRILL, IncidentRule
from monitor.news import Kind
from monitor.observer import Unobserved
from monitor.outward_settings import DrillSettings
from monitor.store import events, incidents, outbox
from monitor.store.database import Database, InStore, Transaction
from monitor.store.outbox import Settled
from probes.checks import Check, Journey, Title
from probes.run import run
from probes.sample import Outcome, Sample
from probes.setup import Setup

log = logging.getLogger(__name__)

_SECOND_US = 1_000_000
_AGAIN_US = 3_600 * _SECOND_US
_LOOK_S = 0.25
_PLACE_US = 25_000
KIND = "drill"


class DrillFailed(Exception):  # noqa: N818 - reads as what happened
    """The drill did not come to its end; the message says where it stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A drill that was held.

    Attributes:
        problem: empty where it passed.
        mailed_us: from the fault to its mail in the server's hands; recovered_us: from the mend to the mail about it.
    """

    at_us: int
    problem: str = ""
    mailed_us: int = 0
    recovered_us: int = 0

    @property
    def event(self) -> events.Event:
        data: dict[str, str | int | bool | None] = {
            "problem": self.problem,
            "mailed_us": self.mailed_us,
            "recovered_us": self.recovered_us,
        }
        return events.Event(at_us=self.at_us, kind=KIND, data=data)


def last_passed_us(tx: Transaction) -> int | None:
    """When a drill last passed; None where none did in the last month."""
    last = events.last(tx, KIND)
    if last is None:
        return None
    month_us = 32 * 24 * _AGAIN_US
    passed = [
        one.at_us for one in events.read(tx, last.at_us - month_us, last.at_us + 1, kinds=(KIND,)) if _passed(one)
    ]
    return passed[-1] if passed else None


def is_due(settings: DrillSettings, timezone: str, *, now_us: int, last_us: int | None, tried_us: int | None) -> bool:
    """Once a civil day, from the hour that was chosen; after a failure again in an hour.

    Args:
        last_us: when one last passed; tried_us: when one was last tried.
    """
    zone = ZoneInfo(timezone)
    now = datetime.fromtimestamp(now_us // _SECOND_US, UTC).astimezone(zone)
    if now.strftime("%H:%M") < settings.at or (last_us is not None and _day(last_us, zone) >= now.date()):
        return False
    return tried_us is None or now_us < tried_us or now_us - tried_us >= _AGAIN_US


def _day(at_us: int, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(at_us // _SECOND_US, UTC).astimezone(zone).date()


def _passed(event: events.Event) -> bool:
    return event.data.get("problem") == ""


@dataclass(slots=True, kw_only=True)
class Drill:
    """Holds drills with the parts of the service.

    Attributes:
        wake: rings for the delivery, as for any other mail.
    """

    database: Database
    in_store: InStore
    clock: Clock
    wake: Callable[[], None]

    async def hold(self, settings: DrillSettings, *, setup: Setup, rule: IncidentRule, location: str) -> Held:
        """One drill, recorded whether it passed or not. Raises only what the store raises."""
        began_us = self.clock.now_us()
        try:
            held = await self._hold(settings, setup, rule, location, began_us)
            log.info("the drill passed", extra={"mailed_us": held.mailed_us, "recovered_us": held.recovered_us})
        except (DrillFailed, OSError) as error:
            held = Held(at_us=began_us, problem=str(error) or type(error).__name__)
            log.error("the drill failed", extra={"problem": held.problem})
        await self.in_store(lambda: self._record(held))
        return held

    async def _hold(
        self, settings: DrillSettings, setup: Setup, rule: IncidentRule, location: str, began_us: int
    ) -> Held:
        recorder = Recorder(database=self.database, in_store=self.in_store, clock=self.clock, observer=Unobserved())
        async with _target() as target:
            check = _journey(target.port)
            portal = setup.portal.model_copy(
                update={"base_url": check.base_url, "proxy": None, "addresses": {}, "client_certificate": None}
            )
            walk = replace(setup, portal=portal, created=None)
            alerting = Alerting(rule=rule, recipients=(settings.recipient,), titles={check.id: check.title})

            async def measure(one: Check, slot_us: int) -> Sample:
                return await run(one, slot_us=slot_us, location=location, setup=walk)

            async def probe() -> Sample:
                slot_us = -(-self.clock.now_us() // _PLACE_US) * _PLACE_US
                sample = await run_check(
                    check,
                    slot_us,
                    measure=measure,
                    references=None,
                    alerting=alerting,
                    recorder=recorder,
                    clock=self.clock,
                    observer=Unobserved(),
                )
                await asyncio.sleep(2 * _PLACE_US / _SECOND_US)  # the next one is another slot
                return sample

            await self._close(probe, rule)
            if (await probe()).outcome is not Outcome.UP:
                raise DrillFailed("the drill's own server did not answer well before the fault")
            failed_us = self.clock.monotonic_us()
            target.well = False
            incident: str | None = None
            for _ in range(rule.open_after):
                await probe()
                incident = incident or await self.in_store(self._open)
            if incident is None:
                raise DrillFailed("the fault opened no incident")
            await self._mailed(incident, Kind.OPENED, settings.within, "the mail about the fault")
            mended_us = self.clock.monotonic_us()
            target.well = True
            for _ in range(rule.close_after):
                await probe()
            if await self.in_store(self._open) is not None:
                raise DrillFailed("the incident did not close after the fault was mended")
            await self._mailed(incident, Kind.RECOVERED, settings.within, "the mail about the recovery")
        return Held(
            at_us=began_us,
            mailed_us=mended_us - failed_us,
            recovered_us=self.clock.monotonic_us() - mended_us,
        )

    async def _close(self, probe: Callable[[], Awaitable[Sample]], rule: IncidentRule) -> None:
        """An incident that an earlier drill left open ends before this one begins."""
        for _ in range(rule.close_after):
            if await self.in_store(self._open) is None:
                return
            await probe()

    async def _mailed(self, incident: str, kind: Kind, within_us: int, what: str) -> None:
        """Wait until the server has the mail."""
        self.wake()
        end_us = self.clock.monotonic_us() + within_us
        while True:
            states = await self.in_store(lambda: self._states(incident, kind))
            if states == {Settled.SENT}:
                return
            if Settled.FAILED in states:
                raise DrillFailed(f"{what} was refused")
            if self.clock.monotonic_us() > end_us:
                raise DrillFailed(f"{what} was not taken within {within_us // _SECOND_US} s")
            await asyncio.sleep(_LOOK_S)

    def _states(self, incident: str, kind: Kind) -> set[Settled]:
        with self.database.read() as tx:
            messages = outbox.read(tx, incident_id=incident)
        return {reader.state for message in messages if message.kind is kind for reader in message.readers}

    def _open(self) -> str | None:
        with self.database.read() as tx:
            found = incidents.open_of(tx, DRILL)
        return found.id if found else None

    def _record(self, held: Held) -> None:
        with self.database.begin() as tx:
            events.add(tx, held.event)


def _journey(port: int) -> Journey:
    return Journey.model_validate(
        {
            "id": DRILL,
            "title": Title(
                nl="Oefening van Loketwacht (geen echte storing)", en="Drill of Loketwacht (no real outage)"
            ),
            "interval": "1m",
            "deadline": "10s",
            "base_url": f"http://127.0.0.1:{port}",
            "step": [{"id": "oefening", "path": "/", "expect": {"status": 200}}],
        }
    )


@dataclass(slots=True)
class _Target:
    port: int = 0
    well: bool = True


@asynccontextmanager
async def _target() -> AsyncIterator[_Target]:
    """A server on this machine that is well or ill, as it is told."""
    found = _Target()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(5):
                await reader.readuntil(b"\r\n\r\n")
            status = b"200 OK" if found.well else b"500 Drill"
            writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError, TimeoutError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        found.port = server.sockets[0].getsockname()[1]
        yield found
    finally:
        server.close()
        await server.wait_closed()
