"""What rests now: by the stop file, or because somebody paused it (`monitor.pauses`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from monitor.clock import Clock
from monitor.missed import Cause
from monitor.pauses import Pause, in_force
from monitor.store.database import Database, InStore
from probes.checks import Check, Title
from sla.period import instant_text


class Rests:
    """What rests now, by the stop file and by the pauses in the store as they were last looked at."""

    def __init__(self, *, database: Database, in_store: InStore, clock: Clock) -> None:
        self._database = database
        self._in_store = in_store
        self._clock = clock
        self._stop_file: Path | None = None
        self._pauses: tuple[Pause, ...] = ()

    def configured(self, stop_file: Path | None) -> None:
        """Where the stop file would be; None: there is none."""
        self._stop_file = stop_file

    async def look(self) -> None:
        """Reads the pauses again. Where the store does not answer, those known stay in force until their end."""

        def read() -> tuple[Pause, ...]:
            with self._database.read() as tx:
                return in_force(tx, self._clock.now_us())

        self._pauses = await self._in_store(read)

    @property
    def stopped(self) -> bool:
        """Whether the stop file is there: nothing leaves."""
        return self._stop_file is not None and self._stop_file.exists()

    @property
    def pauses(self) -> tuple[Pause, ...]:
        """Those in force."""
        now_us = self._clock.now_us()
        return tuple(one for one in self._pauses if one.since_us <= now_us < one.until_us)

    def cause(self, check_id: str) -> Cause | None:
        """Why nothing is asked of the portal for this check now; None where it is measured."""
        if self.stopped:
            return Cause.STOP_FILE
        return Cause.PAUSED if any(one.check_id in (None, check_id) for one in self.pauses) else None

    def figures(self, checks: Iterable[Check]) -> Mapping[str, bool]:
        """Per check whether somebody paused it."""
        named = {one.check_id for one in self.pauses}
        return {check.id: None in named or check.id in named for check in checks}

    def notice(self, before: tuple[str, str], checks: Iterable[Check], zone: str) -> tuple[str, str]:
        """What every page says above everything, Dutch and English: the sentence before, and what rests.

        Who paused it is not shown: pages are read by people outside.
        """
        titles = {check.id: check.title for check in checks}
        dutch, english = [before[0]], [before[1]]
        if self.stopped:
            dutch.append("Alle metingen liggen stil op vraag van de beheerder (stopbestand).")
            english.append("All measuring is stopped at the operator's request (stop file).")
        for one in self.pauses:
            title = titles.get(one.check_id or "", Title(nl=one.check_id or "", en=one.check_id or ""))
            until = instant_text(one.until_us, zone)[:16].replace("T", " ")
            nl = (
                "Alle metingen zijn gepauzeerd" if one.check_id is None else f"De meting van “{title.nl}” is gepauzeerd"
            )
            en = "All measuring is paused" if one.check_id is None else f"Measuring of “{title.en}” is paused"
            why = one.why.rstrip(". ")
            dutch.append(f"{nl} tot {until}: {why}.")
            english.append(f"{en} until {until}: {why}.")
        return " ".join(filter(None, dutch)), " ".join(filter(None, english))
