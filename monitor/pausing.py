"""Pauses: a person says that checks rest until then, and why. Kept as events; the running service looks at them.

A check that rests is not measured: its slots are told as missed, so that coverage falls and reports show it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from monitor.clock import Clock
from monitor.missed import Cause
from monitor.store import events
from monitor.store.database import Database, InStore, Transaction
from monitor.store.events import Event
from probes.checks import Check, Title
from sla.period import instant_text

#: A pause may last so long; who needs more says so again.
MOST_US = 31 * 24 * 3_600_000_000
_KINDS = ("pause", "resume")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """One check, or with None all of them, resting in [since_us, until_us)."""

    check_id: str | None
    since_us: int
    until_us: int
    by: str
    why: str


def pause(tx: Transaction, checks: Iterable[str | None], *, until_us: int, by: str, why: str, now_us: int) -> None:
    """Checks rest from now on; None stands for all. An earlier pause of the same gives way to this one.

    Raises:
        ValueError: where nobody, no reason, or no end within 31 days from now is given.
    """
    if not by.strip() or not why.strip():
        raise ValueError("a pause names who wants it, and why")
    if not now_us < until_us <= now_us + MOST_US:
        raise ValueError("a pause ends after now, and within 31 days; it can be given again")
    for check_id in checks:
        data: dict[str, str | int | bool | None] = {"by": by, "why": why, "until_us": until_us}
        events.add(tx, Event(at_us=now_us, kind="pause", check_id=check_id, data=data))


def resume(tx: Transaction, checks: Iterable[str], *, by: str, why: str, now_us: int) -> tuple[Pause, ...]:
    """Ends pauses that are in force, and says which they were. No checks: all pauses end, that of everything too.

    Raises:
        ValueError: where nobody or no reason is given.
    """
    if not by.strip() or not why.strip():
        raise ValueError("whoever ends a pause says who they are, and why")
    chosen = set(checks)
    ended = tuple(one for one in in_force(tx, now_us) if not chosen or one.check_id in chosen)
    for one in ended:
        events.add(tx, Event(at_us=now_us, kind="resume", check_id=one.check_id, data={"by": by, "why": why}))
    return ended


def in_force(tx: Transaction, now_us: int) -> tuple[Pause, ...]:
    """The pauses of this moment: of everything first, then by check."""
    known: dict[str | None, Pause] = {}
    for event in events.read(tx, now_us - MOST_US, now_us + 1, kinds=_KINDS):
        known.pop(event.check_id, None)
        if event.kind == "pause":
            known[event.check_id] = Pause(
                check_id=event.check_id,
                since_us=event.at_us,
                until_us=int(event.data["until_us"] or 0),
                by=str(event.data["by"]),
                why=str(event.data["why"]),
            )
    valid = (one for one in known.values() if one.until_us > now_us)
    return tuple(sorted(valid, key=lambda one: (one.check_id is not None, one.check_id or "")))


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
