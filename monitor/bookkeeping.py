"""What the service computes and writes down beside measuring: months to date, seals, timestamps, reports."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from monitor import composition, retention, sealing, timestamping
from monitor.alerts import report_messages
from monitor.automatic import due_reports, report_news
from monitor.budget_telling import tell_budgets
from monitor.clock import Clock
from monitor.config import Loaded, LoadedContract
from monitor.inspection import Inspection
from monitor.issuing import record
from monitor.metrics import Metrics
from monitor.month import MonthToDate, month_to_date
from monitor.news import ReportNews
from monitor.reporting import write
from monitor.store import outbox
from monitor.store.database import Database, InStore
from monitor.store.reports import Issued
from monitor.worker import Worker
from sla.ledger import Sealed

log = logging.getLogger(__name__)

_SECOND_US = 1_000_000
_DAYS_AT_ONCE = 31


@dataclass(slots=True, kw_only=True)
class Bookkeeping:
    """Each of its methods may be called as often as one likes: what is done already is not done again.

    Attributes:
        loaded: the configuration in force.
        months: filled here, by contract.
        settled: whether the store has every sample, and the clock has not jumped lately; no day is sealed before that,
            for none can be sealed again.
        wake: called when mail was queued.
    """

    loaded: Callable[[], Loaded]
    database: Database
    in_store: InStore
    worker: Worker
    clock: Clock
    metrics: Metrics
    months: dict[str, MonthToDate]
    settled: Callable[[], bool]
    wake: Callable[[], None]
    _inspection: Inspection = field(init=False)
    _sealed_until_us: int | None = field(default=None, init=False)
    _stamp_after_us: int | None = field(default=None, init=False)  # monotonic; set after a failure

    def __post_init__(self) -> None:
        self._inspection = Inspection(
            loaded=self.loaded,
            database=self.database,
            in_store=self.in_store,
            clock=self.clock,
            metrics=self.metrics,
            wake=self.wake,
        )

    async def assess_months(self) -> None:
        began_us = self.clock.monotonic_us()
        for loaded in self.loaded().contracts:
            month = await self.worker(month_to_date, self.loaded().database_url, loaded.contract, self.clock.now_us())
            if month is None:
                self.months.pop(loaded.contract.contract, None)
                continue
            self.months[loaded.contract.contract] = month
            self.metrics.sla(month.assessment, month.budgets, now_us=month.assessed_us)
            if await self.in_store(lambda c=loaded, m=month: self._tell_budgets(c, m)):  # type: ignore[misc]
                self.wake()
        # Leave the second core to others: however long it takes, no more than a tenth of the time.
        await asyncio.sleep(9 * (self.clock.monotonic_us() - began_us) / _SECOND_US)

    def _tell_budgets(self, loaded: LoadedContract, month: MonthToDate) -> tuple[str, ...]:
        with self.database.begin() as tx:
            return tell_budgets(
                tx,
                loaded.contract.contract,
                loaded.contract.timezone,
                month.forecasts,
                loaded.source.budget_warnings,
                self.loaded().config.addressees,
                now_us=self.clock.now_us(),
            )

    async def seal_days(self) -> None:
        """Once a day, and at the first start after days that nobody sealed."""
        now_us = self.clock.now_us()
        if self._sealed_until_us == sealing.settled_until(now_us) or not self.settled():
            return
        awaited = tuple(one.location for one in self.loaded().config.outpost)
        due = await self.in_store(lambda: self._days_due(now_us, awaited))
        if due:
            digests = await self.worker(sealing.digests_due, self.loaded().database_url, now_us, awaited)
            for one in digests:
                await self.in_store(lambda d=one: self._seal(d))  # type: ignore[misc]
        done = not await self.in_store(lambda: self._days_due(now_us))
        if due or done:
            await self._retain(now_us)
        if done:
            self._sealed_until_us = sealing.settled_until(now_us)

    def _days_due(self, now_us: int, awaited: tuple[str, ...] = ()) -> tuple[int, ...]:
        with self.database.read() as tx:
            return sealing.days_due(tx, now_us, awaited)

    async def inspect(self) -> None:
        """Read the store's file through, once a day. Not after sealing: damage that stops that is what it looks for."""
        await self._inspection.look()

    async def _retain(self, now_us: int) -> None:
        """After the daily seal: what is beyond its term goes, each day in a transaction of its own."""
        for one in await self.in_store(lambda: self._beyond_term(now_us)):
            try:
                await self.in_store(lambda o=one: self._take_away(o))  # type: ignore[misc]
            except retention.RetentionRefusedError as error:
                log.error("samples beyond their term stay: they are not those that were sealed", extra={"why": error})

    def _beyond_term(self, now_us: int) -> tuple[retention.Due, ...]:
        loaded = self.loaded()
        contracts = tuple(one.contract for one in loaded.contracts)
        with self.database.begin() as tx:
            retention.remember(tx, loaded.config.retention, contracts, now_us=now_us)
        with self.database.read() as tx:
            return retention.due(tx, loaded.config.retention, contracts, now_us=now_us, most=_DAYS_AT_ONCE)

    def _take_away(self, one: retention.Due) -> None:
        with self.database.begin() as tx:
            retention.remove(tx, one, now_us=self.clock.now_us())
        log.info("samples removed after their term", extra={"day": one.day, "count": one.samples})

    def _seal(self, digest: sealing.DayDigest) -> None:
        with self.database.begin() as tx:
            for sealed in sealing.record(tx, (digest,), now_us=self.clock.now_us()):
                log.info("samples sealed", extra={"day": digest.day, "count": digest.count, "hash": sealed.hash})

    async def stamp_head(self) -> None:
        """After each daily seal, where an authority is configured. One that is down delays this and nothing else."""
        settings = self.loaded().config.timestamp
        if settings is None or (self._stamp_after_us or 0) > self.clock.monotonic_us():
            return
        head = await self.in_store(self._head_due)
        if head is None:
            return
        try:
            roots = await asyncio.to_thread(timestamping.read_roots, self.loaded().path(settings.ca))
            stamp = await timestamping.ask(head, url=settings.url, roots=roots, timeout_us=settings.timeout)
        except timestamping.TimestampError as error:
            self._stamp_after_us = self.clock.monotonic_us() + timestamping.RETRY_US
            self.metrics.add("monitor_ledger_timestamps_total", 1, "failed")
            log.warning("no timestamp of the ledger; asked again in an hour", extra={"error": str(error)})
            return
        await self.in_store(lambda: self._record_stamp(stamp))
        self.metrics.add("monitor_ledger_timestamps_total", 1, "ok")
        log.info("ledger stamped", extra={"entry": stamp.entry, "head": stamp.head})

    def _head_due(self) -> Sealed | None:
        with self.database.read() as tx:
            return timestamping.head_due(tx)

    def _record_stamp(self, stamp: timestamping.Stamp) -> None:
        with self.database.begin() as tx:
            timestamping.record(tx, stamp, now_us=self.clock.now_us())

    async def issue_reports(self) -> None:
        for loaded in self.loaded().contracts:
            name = loaded.contract.contract
            for period in await self.in_store(lambda c=loaded: self._due(c)):  # type: ignore[misc]
                job = composition.report_job(self.loaded(), loaded, period, now_us=self.clock.now_us(), automatic=True)
                written = await self.worker(write, job)
                news = report_news(written, self.loaded().config.pages.public_url)
                if await self.in_store(lambda w=written, n=news: self._issue(w.issued, n)):  # type: ignore[misc]
                    log.info("report issued", extra={"contract": name, "period": period})
                    self.metrics.set("sla_last_report_timestamp_seconds", job.now_us / _SECOND_US, name)
                    self.wake()

    def _due(self, contract: LoadedContract) -> tuple[str, ...]:
        with self.database.read() as tx:
            due, last_us = due_reports(tx, contract, self.clock.now_us())
        self.metrics.set("sla_last_report_timestamp_seconds", last_us / _SECOND_US, contract.contract.contract)
        return due

    def _issue(self, issued: Issued, news: ReportNews) -> bool:
        """Recorded and queued together, so that it is mailed exactly once."""
        with self.database.begin() as tx:
            if not record(tx, issued, by="loketwacht"):
                return False
            outbox.add(tx, report_messages(news, self.loaded().config.addressees), now_us=self.clock.now_us())
            return True
