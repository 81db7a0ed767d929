"""What the ledger tells of cases: who was told what, when it was reacted to, paused and restored. Corrections apply."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sla.intervals import IntervalSet, Span
from sla.ledger import Sealed, in_force

_EVER_US = 2**62  # a pause without an end


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    """The entries in force about one notification or outage.

    Attributes:
        notified: what the case began with; None for an outage that nobody notified.
        reactions, restorations, pauses: ascending by when they were.
    """

    notified: Sealed | None
    reactions: tuple[Sealed, ...] = ()
    restorations: tuple[Sealed, ...] = ()
    pauses: tuple[Sealed, ...] = ()

    @property
    def outage(self) -> str:
        return self.notified.entry.data.get("outage", "") if self.notified is not None else ""

    @property
    def entries(self) -> tuple[int, ...]:
        notified = () if self.notified is None else (self.notified,)
        return tuple(sorted(s.seq for s in (*notified, *self.reactions, *self.restorations, *self.pauses)))

    def reacted_us(self) -> int | None:
        return began_us(self.reactions[0]) if self.reactions else None

    def restored_us(self) -> int | None:
        return began_us(self.restorations[0]) if self.restorations else None

    def paused(self) -> IntervalSet:
        return IntervalSet.of(
            Span(start_us=began_us(s), end_us=_EVER_US if s.entry.until_us is None else s.entry.until_us)
            for s in self.pauses
        )


def began_us(sealed: Sealed) -> int:
    """The start of an entry whose kind must have one; one without, from a foreign file, is dated by its recording."""
    return sealed.entry.recorded_us if sealed.entry.from_us is None else sealed.entry.from_us


def root(seq: int, ledger: Sequence[Sealed]) -> int:
    """The first entry of the chain of corrections that `seq` belongs to."""
    corrects = {s.seq: s.entry.supersedes for s in ledger if s.entry.supersedes is not None}
    while (earlier := corrects.get(seq)) is not None and earlier < seq:
        seq = earlier
    return seq


def notifications(ledger: Sequence[Sealed], as_of_us: int | None) -> tuple[CaseFile, ...]:
    """One file for each notification in force, by when it was."""
    found = _of_kind(ledger, "notification", as_of_us)
    return tuple(_file(ledger, as_of_us, notified=s, outage=s.entry.data.get("outage", "")) for s in found)


def about_outage(outage: str, ledger: Sequence[Sealed], as_of_us: int | None) -> CaseFile:
    """The file of a measured outage: what speaks of it by its id, or of a notification about it."""
    told = [s for s in _of_kind(ledger, "notification", as_of_us) if s.entry.data.get("outage") == outage]
    return _file(ledger, as_of_us, notified=told[0] if told else None, outage=outage)


def _file(ledger: Sequence[Sealed], as_of_us: int | None, *, notified: Sealed | None, outage: str) -> CaseFile:
    about = {
        root(s.seq, ledger)
        for s in ledger
        if s.entry.kind == "notification" and outage and s.entry.data.get("outage") == outage
    }
    if notified is not None:
        about.add(root(notified.seq, ledger))

    def ours(kind: str) -> tuple[Sealed, ...]:
        return tuple(
            s
            for s in _of_kind(ledger, kind, as_of_us)
            if (outage and s.entry.data.get("outage") == outage)
            or ((text := s.entry.data.get("notification", "")).isdecimal() and root(int(text), ledger) in about)
        )

    return CaseFile(notified=notified, reactions=ours("reaction"), restorations=ours("restored"), pauses=ours("pause"))


def _of_kind(ledger: Sequence[Sealed], kind: str, as_of_us: int | None) -> list[Sealed]:
    """Entries in force that had happened by then: one may be recorded before its time comes."""
    found = [s for s in in_force(ledger) if s.entry.kind == kind and (as_of_us is None or began_us(s) <= as_of_us)]
    return sorted(found, key=lambda s: (began_us(s), s.seq))
