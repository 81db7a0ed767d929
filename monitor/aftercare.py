"""What is told beside new samples: the end of flapping, maintenance as it comes and goes; and who is on what."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from monitor import acknowledging
from monitor.abandoning import abandon
from monitor.clock import Clock
from monitor.config import Loaded
from monitor.incidents import MONITOR, Incident, IncidentRule
from monitor.judging import severity_kept
from monitor.maintenance_telling import tell_maintenance
from monitor.metrics import Metrics
from monitor.month import MonthToDate
from monitor.store import incidents
from monitor.store.database import Database, InStore
from monitor.telling import Alerting, follow_up, tell_steady
from probes.checks import Check

_SHOWN = ("journey_incident_acknowledged", "journey_incident_severity", "journey_flapping", "journey_slow")


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftercare:
    """Each of its methods may be called as often as one likes.

    Attributes:
        loaded, alerting: of the configuration in force.
        months: what contracts made of this month so far, by contract.
        wake: called when mail was queued.
    """

    loaded: Callable[[], Loaded]
    alerting: Callable[[], Alerting]
    months: Mapping[str, MonthToDate]
    database: Database
    in_store: InStore
    clock: Clock
    metrics: Metrics
    wake: Callable[[], None]

    async def follow_up(self) -> None:
        """What is due by the wall clock: reminders, somebody's hours of duty, an outage that nobody is on."""
        checks, alerting = self.loaded().config.checks, self.alerting()
        queued = await self.in_store(lambda: follow_up(self.database, checks, alerting, now_us=self.clock.now_us()))
        if queued:
            self.wake()
        # A run that was under way when its check was taken out may have told an outage since.
        await self.abandon()

    async def begin(self) -> None:
        """At a start: what is followed no longer ends, and the metrics learn what is open."""
        await self.abandon()
        for one in await self.in_store(self._open):
            self.metrics.incident(one.check_id, one.since_us)

    async def abandon(self) -> None:
        """What the configuration in force follows no longer ends: see `monitor.abandoning`."""
        settings = self.loaded().config
        closed = await self.in_store(
            lambda: _abandon(self.database, settings.checks, settings.incidents, now_us=self.clock.now_us())
        )
        for one in closed:
            if any(check.id == one.check_id for check in settings.checks):  # in shadow now
                self.metrics.incident(one.check_id, None)
        if closed:
            self.wake()

    def _open(self) -> tuple[Incident, ...]:
        with self.database.read() as tx:
            return incidents.read(tx, only_open=True)

    async def look(self) -> None:
        checks, alerting = self.loaded().config.checks, self.alerting()
        flapping, queued = await self.in_store(
            lambda: tell_steady(self.database, checks, alerting, now_us=self.clock.now_us())
        )
        shown, slow = await self.in_store(self._shown)
        self.metrics.drop(_SHOWN)
        for check in checks:
            self.metrics.set("journey_flapping", float(check.id in flapping), check.id)
            self.metrics.set("journey_slow", float(check.id in slow), check.id)
        for check_id, severity, by in shown:
            if severity:
                self.metrics.set("journey_incident_severity", 1, check_id, severity)
            if by:
                self.metrics.set("journey_incident_acknowledged", 1, check_id, by)
        if queued:
            self.wake()

    async def tell_maintenance(self) -> None:
        """That announced maintenance begins, changes or ends."""
        if await self.in_store(self._maintenance):
            self.wake()

    def _maintenance(self) -> tuple[str, ...]:
        alerting = self.alerting()
        decisions = {name: month.decisions for name, month in dict(self.months).items()}
        with self.database.begin() as tx:
            return tell_maintenance(tx, alerting.titles, decisions, alerting.recipients, now_us=self.clock.now_us())

    def _shown(self) -> tuple[tuple[tuple[str, str, str], ...], frozenset[str]]:
        """Of each open incident its check, how bad it is, and who is on it (empty: nobody); and the checks that are
        slow."""
        rule, found = self.alerting().rule, []
        with self.database.read() as tx:
            open_now = incidents.read(tx, only_open=True)
            about = acknowledging.about_each(tx, open_now)
            for incident in open_now:
                said = about[incident.id].acknowledged
                bad = severity_kept(incident, rule)
                found.append(
                    (
                        incident.check_id,
                        "" if incident.check_id == MONITOR else bad.value,
                        said.by if said else "",
                    )
                )
            return tuple(found), frozenset(incidents.slow(tx))


def _abandon(database: Database, checks: Sequence[Check], rule: IncidentRule, *, now_us: int) -> tuple[Incident, ...]:
    with database.begin() as tx:
        return abandon(tx, checks, rule, now_us=now_us)
