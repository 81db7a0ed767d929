"""Append-only entries about a contract, each hash covering the one before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One fact somebody recorded: who, what, for when (valid time), since when known (known time), why.

    Attributes:
        kind: `maintenance`, `exclusion`, `report`, ... ; see GLOSSARY.
        recorded_us: when it entered the ledger; the store's own clock sets it, never the author.
        from_us, until_us: half-open valid time; None where the kind has none.
        scope: journeys it speaks of; empty means all.
        data: further fields of the kind, as text.
        supersedes: sequence number of the entry this one corrects.
    """

    kind: str
    recorded_us: int
    by: str
    reason: str
    from_us: int | None = None
    until_us: int | None = None
    scope: tuple[str, ...] = ()
    data: Mapping[str, str] = field(default_factory=dict)
    supersedes: int | None = None

    def __post_init__(self) -> None:
        if not self.by.strip() or not self.reason.strip():
            raise ValueError("an entry names who recorded it (by) and why (reason)")
        if self.from_us is not None and self.until_us is not None and self.until_us <= self.from_us:
            raise ValueError("an entry's end must come after its start")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """An entry with its place in the ledger. `hash` covers the entry, its number and the hash before it."""

    seq: int
    entry: Entry
    previous: str
    hash: str


def digest(seq: int, entry: Entry, previous: str) -> str:
    """SHA-256 over the canonical JSON (sorted keys, no spaces, UTF-8) of the entry, its number and the hash before."""
    body = {
        "seq": seq,
        "previous": previous,
        "kind": entry.kind,
        "recorded_us": entry.recorded_us,
        "from_us": entry.from_us,
        "until_us": entry.until_us,
        "scope": list(entry.scope),
        "by": entry.by,
        "reason": entry.reason,
        "data": dict(sorted(entry.data.items())),
        "supersedes": entry.supersedes,
    }
    text = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def seal(entries: Iterable[Entry], *, after: Sealed | None = None) -> tuple[Sealed, ...]:
    """Chain entries in the order given, behind `after` (None begins a ledger at number 1)."""
    sealed: list[Sealed] = []
    seq, previous = (after.seq, after.hash) if after else (0, "")
    for entry in entries:
        seq += 1
        head = digest(seq, entry, previous)
        sealed.append(Sealed(seq=seq, entry=entry, previous=previous, hash=head))
        previous = head
    return tuple(sealed)


def first_broken(entries: Iterable[Sealed]) -> Sealed | None:
    """The first entry that was altered, dropped before, or moved; None where the chain holds."""
    previous = ""
    for seq, sealed in enumerate(entries, start=1):
        if sealed.seq != seq or sealed.previous != previous or sealed.hash != digest(seq, sealed.entry, previous):
            return sealed
        previous = sealed.hash
    return None


def known(ledger: Iterable[Sealed], as_of_us: int | None) -> tuple[Sealed, ...]:
    """The entries that were recorded by then; None takes all."""
    return tuple(s for s in ledger if as_of_us is None or s.entry.recorded_us <= as_of_us)


def in_force(ledger: Sequence[Sealed]) -> tuple[Sealed, ...]:
    """The entries that no other entry corrects."""
    corrected = {s.entry.supersedes for s in ledger}
    return tuple(s for s in ledger if s.seq not in corrected)
