"""Daily digests of the samples in the ledger: whoever alters a sample later has the whole chain against him.

A day is a day of UTC, and every day since the first sample has a digest, also one without samples: a sample that turns
up later on a sealed day shows. So a day waits for what is still on its way, and what comes after that joins it no more.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from monitor.store import days, ledger, outposts, seals
from monitor.store.database import Database, Transaction
from sla.ledger import Entry, Sealed
from sla.period import instant_text

KIND = "samples-digest"
#: Good samples of a day were removed after their term; the entry seals what stayed.
REMOVED = "samples-removed"
BY = "loketwacht"
DAY_US = 86_400 * 1_000_000
#: How long after its end a day is left alone: samples may still be on their way.
SETTLE_US = 3_600 * 1_000_000
#: How long after its end a day waits for an outpost that has measured in it and was not heard of since.
PATIENCE_US = 48 * SETTLE_US


@dataclass(frozen=True, slots=True, kw_only=True)
class DayDigest:
    """The digest of one day of UTC.

    Attributes:
        day: as 2026-11-03.
        sets: per check and location, written `check location`, the number of samples and the SHA-256 over their
            canonical rows, each with a line break; sets without samples are left out.
    """

    day: str
    start_us: int
    count: int
    sets: Mapping[str, str]

    @property
    def sets_text(self) -> str:
        return seals.canonical(dict(self.sets)).decode()

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.sets_text.encode()).hexdigest()

    def entry(self, now_us: int) -> Entry:
        return Entry(
            kind=KIND,
            recorded_us=now_us,
            by=BY,
            reason=f"metingen van {self.day} (UTC), verzegeld",
            from_us=self.start_us,
            until_us=self.start_us + DAY_US,
            data={"day": self.day, "count": str(self.count), "sha256": self.sha256, "sets": self.sets_text},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Where the samples are not what was sealed: a day, and the check and location (empty: the digest itself)."""

    seq: int
    day: str
    samples: str
    text: str

    def __str__(self) -> str:
        about = f" of {self.samples}" if self.samples else ""
        return f"The samples{about} on {self.day} (UTC) are not those of entry {self.seq}: {self.text}."


def digests_due(database_url: str, now_us: int, awaited: Collection[str] = ()) -> tuple[DayDigest, ...]:
    """The digests of every settled day that has none yet, oldest first; settled days are folded too (`store.days`).

    Opens the store by itself, so that it can run in a process of its own: months that were never sealed take a while.

    Args:
        awaited: as of `days_due`.
    """
    database = Database.open(database_url, migrate=False)
    try:
        days.fold(database, until_us=settled_until(now_us))
        with database.read() as tx:
            known = seals.sets(tx)
            return tuple(day_digest(tx, start_us, known) for start_us in days_due(tx, now_us, awaited))
    finally:
        database.close()


def settled_until(now_us: int) -> int:
    """The start of the first day that is not over, or not settled yet."""
    return day_of(now_us - SETTLE_US)


def days_due(tx: Transaction, now_us: int, awaited: Collection[str] = ()) -> tuple[int, ...]:
    """The starts of the days that have settled and are not sealed.

    Args:
        awaited: locations of outposts. One that was heard of in a day or shortly before, and not since the day has
            settled, may hold samples of it that the store could not take: the day waits for it, and all that follow,
            for `PATIENCE_US` at most.
    """
    reached = seals.reach(tx)
    if reached is None:
        return ()
    done = sealed_days(ledger.read(tx, kinds=(KIND,)))
    heard = outposts.read(tx)
    last_us = min((heard[one].seen_us for one in awaited if one in heard), default=now_us)
    until_us = max(min(settled_until(now_us), settled_until(last_us)), day_of(now_us - PATIENCE_US))
    return tuple(start for start in range(day_of(reached[0]), until_us, DAY_US) if start not in done)


def closed(tx: Transaction, days_us: Collection[int]) -> frozenset[int]:
    """Those of these days, by their start, that nothing joins any more because they are sealed."""
    return frozenset(sealed_days(ledger.read(tx, kinds=(KIND,))).keys() & set(days_us)) if days_us else frozenset()


def record(tx: Transaction, digests: Iterable[DayDigest], *, now_us: int) -> tuple[Sealed, ...]:
    """Put the digests into the ledger, but for days that somebody else sealed meanwhile."""
    done = sealed_days(ledger.read(tx, kinds=(KIND,)))
    return tuple(ledger.append(tx, one.entry(now_us)) for one in digests if one.start_us not in done)


def sealed_days(entries: Iterable[Sealed]) -> dict[int, Sealed]:
    """Each sealed day's start with the entry that seals it: the first one, or the one that tells what was removed."""
    found: dict[int, Sealed] = {}
    for sealed in entries:
        if sealed.entry.kind == KIND and sealed.entry.from_us is not None:
            found.setdefault(sealed.entry.from_us, sealed)
        elif sealed.entry.kind == REMOVED and sealed.entry.from_us is not None:
            found[sealed.entry.from_us] = sealed
    return found


def first_difference(tx: Transaction, entries: Sequence[Sealed]) -> Difference | None:
    """The first sealed day whose samples are no longer those that were sealed; None where all are."""
    known = seals.sets(tx)
    for start_us, sealed in sorted(sealed_days(entries).items()):
        if sealed.entry.kind == REMOVED and (wrong := _removed_wrongly(sealed, entries)) is not None:
            return wrong
        if (found := compared(sealed, day_digest(tx, start_us, known))) is not None:
            return found
    return None


def thinned(entries: Iterable[Sealed]) -> dict[int, int]:
    """The start of each day of which samples were removed after their term, and how many."""
    return {
        sealed.entry.from_us: int(sealed.entry.data["removed_count"])
        for sealed in entries
        if sealed.entry.kind == REMOVED and sealed.entry.from_us is not None
    }


def _removed_wrongly(sealed: Sealed, entries: Sequence[Sealed]) -> Difference | None:
    """Whether what was removed and what stayed are not together what was sealed before."""
    data = sealed.entry.data
    original = next(
        e
        for e in sealed_days(e for e in entries if e.entry.kind == KIND).values()
        if e.entry.from_us == sealed.entry.from_us
    )
    before, after = (json.loads(one.entry.data["sets"]) for one in (original, sealed))
    removed: dict[str, int] = json.loads(data["removed"])
    for name in sorted(before.keys() | after.keys() | removed.keys()):
        was, stayed = (int(sets.get(name, "0 -").split(" ")[0]) for sets in (before, after))
        if was != stayed + removed.get(name, 0):
            text = f"{was} were sealed, but the entry tells of {removed.get(name, 0)} removed and {stayed} kept"
            return Difference(seq=sealed.seq, day=data["day"], samples=name, text=text)
    return None


def compared(sealed: Sealed, now: DayDigest, *, checks: frozenset[str] | None = None) -> Difference | None:
    """What differs between a day's seal and its samples now.

    Args:
        checks: look at these alone, where no others are at hand; None looks at all.
    """
    text = sealed.entry.data.get("sets", "")
    if hashlib.sha256(text.encode()).hexdigest() != sealed.entry.data.get("sha256"):
        return Difference(seq=sealed.seq, day=now.day, samples="", text="its own digests do not add up")
    then: dict[str, str] = json.loads(text)
    for name in sorted(then.keys() | now.sets.keys()):
        if checks is not None and name.partition(" ")[0] not in checks:
            continue
        before, after = then.get(name, "0 -").split(" "), now.sets.get(name, "0 -").split(" ")
        if before != after:
            what = f"{before[0]} were sealed, {after[0]} are there"
            if before[0] == after[0]:
                what = f"one or more of the {after[0]} samples or their evidence were altered"
            return Difference(seq=sealed.seq, day=now.day, samples=name, text=what)
    return None


def digest_of(start_us: int, rows: Mapping[str, Iterable[bytes]]) -> DayDigest:
    """The digest of a day from its rows, by `check location`."""
    sets: dict[str, str] = {}
    total = 0
    for name, lines in sorted(rows.items()):
        digest, count = hashlib.sha256(), 0
        for line in lines:
            digest.update(line + b"\n")
            count += 1
        if count:
            sets[name] = f"{count} {digest.hexdigest()}"
            total += count
    return DayDigest(day=instant_text(start_us)[:10], start_us=start_us, count=total, sets=sets)


def day_digest(tx: Transaction, start_us: int, known: Sequence[tuple[str, str]]) -> DayDigest:
    """The digest of a day as it is now; `known` are the sets there are."""
    rows = {f"{check} {where}": seals.rows(tx, check, where, start_us, start_us + DAY_US) for check, where in known}
    return digest_of(start_us, rows)


def day_of(at_us: int) -> int:
    """The start of an instant's day of UTC."""
    return at_us - at_us % DAY_US
