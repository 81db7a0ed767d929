"""Whether the outposts are there: one that falls silent has no vote, and takes the confirmation of outages with it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence

from monitor.check_run import Alerting, note_ourselves
from monitor.clock import Clock
from monitor.incidents import OUTPOST, Event
from monitor.store.database import Database
from monitor.store.outposts import Presence
from probes.checks import Title
from probes.sample import Failure, FailureKind

log = logging.getLogger(__name__)

#: An outpost says that it is there every so often, while its schedule moves and the store takes what it finds.
BEAT_US = 5_000_000
#: Of one that has not said so for so long people are told.
SILENT_US = 60_000_000


def name_of(location: str) -> str:
    """Under which an outpost stands in the monitor's own trouble; no id of a check holds a colon."""
    return f"outpost:{location}"


def titles_of(locations: Iterable[str]) -> dict[str, Title]:
    """What it is called there."""
    return {name_of(one): Title(nl=f"buitenpost {one}", en=f"outpost {one}") for one in locations}


class Presences:
    """Remembers when each outpost was last heard of; by our own monotonic clock, whatever theirs say."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heard: dict[str, tuple[int | None, int]] = {}
        self._told: frozenset[str] | None = None

    def silent(self, locations: Sequence[str], present: Mapping[str, Presence]) -> frozenset[str]:
        """Those of these outposts that are silent now. One that was never heard of counts from when it is first asked
        for; others are forgotten."""
        now_us = self._clock.monotonic_us()
        heard: dict[str, tuple[int | None, int]] = {}
        for one in locations:
            said_us = present[one].seen_us if one in present else None
            before = self._heard.get(one)
            heard[one] = before if before is not None and before[0] == said_us else (said_us, now_us)
        self._heard = heard
        return frozenset(one for one, (_, since_us) in heard.items() if now_us - since_us > SILENT_US)

    def tell(
        self, database: Database, silent: frozenset[str], locations: Sequence[str], alerting: Alerting, *, now_us: int
    ) -> tuple[Event, ...]:
        """That outposts are silent, and that they are there again: the monitor's own trouble, with one mail for all."""
        if not silent and self._told is not None and not self._told:
            return ()
        failure = Failure(
            kind=FailureKind.MONITOR, subject=OUTPOST, found=f"no sign of life for {SILENT_US // 1_000_000} s"
        )
        known = [(name_of(one), one, SILENT_US, failure if one in silent else None) for one in locations]
        happened = note_ourselves(database, known, alerting, now_us=now_us)
        if new := silent - (self._told or frozenset()):
            log.error("outposts are silent", extra={"locations": ", ".join(sorted(new))})
        self._told = silent
        return happened
