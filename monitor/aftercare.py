"""What open incidents need beside new samples: the end of flapping is told, and metrics show who is on what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from monitor import acknowledging
from monitor.clock import Clock
from monitor.config import Loaded
from monitor.incidents import MONITOR
from monitor.metrics import Metrics
from monitor.severity import severity_of
from monitor.store import incidents
from monitor.store.database import Database, InStore
from monitor.telling import Alerting, follow_up, tell_steady

_SHOWN = ("journey_incident_acknowledged", "journey_incident_severity", "journey_flapping")


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftercare:
    """`look` and `follow_up` may be called as often as one likes.

    Attributes:
        loaded, alerting: of the configuration in force.
        wake: called when mail was queued.
    """

    loaded: Callable[[], Loaded]
    alerting: Callable[[], Alerting]
    database: Database
    in_store: InStore
    clock: Clock
    metrics: Metrics
    wake: Callable[[], None]

    async def follow_up(self) -> None:
        """What is due by the wall clock: reminders, somebody's hours of duty, an outage that nobody is on."""
        checks, alerting = self.loaded().config.checks, self.alerting()
        if await self.in_store(lambda: follow_up(self.database, checks, alerting, now_us=self.clock.now_us())):
            self.wake()

    async def look(self) -> None:
        checks, alerting = self.loaded().config.checks, self.alerting()
        flapping, queued = await self.in_store(
            lambda: tell_steady(self.database, checks, alerting, now_us=self.clock.now_us())
        )
        shown = await self.in_store(self._shown)
        self.metrics.drop(_SHOWN)
        for check in checks:
            self.metrics.set("journey_flapping", float(check.id in flapping), check.id)
        for check_id, severity, by in shown:
            if severity:
                self.metrics.set("journey_incident_severity", 1, check_id, severity)
            if by:
                self.metrics.set("journey_incident_acknowledged", 1, check_id, by)
        if queued:
            self.wake()

    def _shown(self) -> tuple[tuple[str, str, str], ...]:
        """Of each open incident its check, how bad it is, and who is on it (empty: nobody)."""
        rule, found = self.alerting().rule, []
        with self.database.read() as tx:
            for incident in incidents.read(tx, only_open=True):
                said = acknowledging.about(tx, incident).acknowledged
                bad = severity_of(incident.check_id, incident.failure, rule.severities, rule.severity)
                found.append(
                    (
                        incident.check_id,
                        "" if incident.check_id == MONITOR else bad.value,
                        said.by if said else "",
                    )
                )
        return tuple(found)
