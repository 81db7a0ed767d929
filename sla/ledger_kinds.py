"""What each kind of ledger entry must say, so that nothing half-said ever enters a register that cannot be mended.

Entries answer each other in two ways. `supersedes` corrects: the earlier entry is no longer in force. A data key of
`Kind.refers` only points: the defence against findings leaves them standing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from sla.intervals import Span
from sla.ledger import Entry, Sealed

GROUNDS = ("force-majeure", "third-party", "authority")
PRIORITIES = ("P1", "P2", "P3", "P4")
PARTIES = ("supplier", "authority", "third-party", "force-majeure", "unknown")

#: Data keys that any kind may carry: what an import keeps of the file it came from, and where the paper lies.
EVERYWHERE = frozenset({"claimed_recorded_at", "imported_from", "reference", "note"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """The rules of one kind.

    Attributes:
        what: one line for people.
        needs: data keys that must be there; `one_of` is a set of which at least one must be.
        allows: further data keys.
        times: `span` needs from and until, `instant` needs from, `optional` needs neither.
        corrects: kinds an entry of this kind may supersede; its own kind always.
        must_correct: whether it is meaningless without `supersedes`.
        refers: data keys that hold the number of an earlier entry, and the kinds it may be of.
        choices: data keys with a closed list of values.
        by_hand: False where only the service itself writes it.
    """

    what: str
    needs: frozenset[str] = frozenset()
    one_of: frozenset[str] = frozenset()
    allows: frozenset[str] = frozenset()
    times: str = "optional"
    corrects: frozenset[str] = frozenset()
    must_correct: bool = False
    refers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    by_hand: bool = True

    @property
    def keys(self) -> frozenset[str]:
        return self.needs | self.one_of | self.allows | self.refers.keys() | EVERYWHERE


def _keys(text: str) -> frozenset[str]:
    return frozenset(text.split())


_GROUND = {"ground": GROUNDS}
_EXCLUSIONS = _keys("exclusion exclusion-claimed exclusion-accepted exclusion-refused")

KINDS: Mapping[str, Kind] = {
    "maintenance": Kind(
        what="announced work; the contract decides how much of it is excluded",
        times="span",
        allows=_keys("environment url"),
        corrects=_keys("maintenance-cancelled"),
    ),
    "maintenance-cancelled": Kind(
        what="an announcement that is taken back", corrects=_keys("maintenance"), must_correct=True
    ),
    "exclusion": Kind(
        what="a decision that a time does not count; also one of another status",
        times="span",
        needs=_keys("ground"),
        allows=_keys("evidence dependency status"),
        corrects=_EXCLUSIONS,
        choices={**_GROUND, "status": ("accepted", "claimed", "refused", "withdrawn")},
    ),
    "exclusion-claimed": Kind(
        what="somebody asks that a time does not count; nothing is excluded yet",
        times="span",
        needs=_keys("ground"),
        allows=_keys("evidence dependency claimant"),
        choices=_GROUND,
    ),
    "exclusion-accepted": Kind(
        what="the decision that a claimed time does not count, in whole or in the part named",
        times="span",
        needs=_keys("ground"),
        allows=_keys("evidence dependency claimant"),
        corrects=_EXCLUSIONS,
        must_correct=True,
        choices=_GROUND,
    ),
    "exclusion-refused": Kind(
        what="the decision that a claimed time does count",
        times="span",
        allows=_keys("ground evidence dependency claimant"),
        corrects=_EXCLUSIONS,
        must_correct=True,
        choices=_GROUND,
    ),
    "attribution": Kind(
        what="whose failure an outage was",
        needs=_keys("outage party"),
        allows=_keys("evidence"),
        choices={"party": PARTIES},
    ),
    "acknowledged": Kind(
        what="somebody took notice of an outage or incident", one_of=_keys("outage incident"), allows=_keys("role")
    ),
    "incident-note": Kind(what="a remark about an incident of the monitor", needs=_keys("incident")),
    "incident-cause": Kind(
        what="where an incident came from, as a person says; the last one counts. Of no effect on the contract",
        needs=_keys("incident cause"),
        choices={"cause": ("portal", "identity-provider", "network", "monitor", "bot-check")},
    ),
    "findings-drafted": Kind(
        what="a draft of findings (proces-verbaal van vaststelling)",
        needs=_keys("period"),
        allows=_keys("clause outage report document sha256 contract number"),
    ),
    "findings-sent": Kind(
        what="findings that a person sent; `from` is the day, the defence is due 15 days later",
        times="instant",
        allows=_keys("to_whom means document sha256"),
        needs=_keys("findings"),
        refers={"findings": ("findings-drafted",)},
    ),
    "defence": Kind(
        what="what the supplier brings in against findings; `from` is the day it came",
        times="instant",
        needs=_keys("findings position"),
        allows=_keys("document sha256"),
        refers={"findings": ("findings-sent",)},
        choices={"position": ("accepted", "contested")},
    ),
    "decision": Kind(
        what="what was decided, with the amount where there is one; from and until are the period it is for",
        allows=_keys("amount_eur points period clause outage outcome document sha256"),
        refers={"findings": ("findings-sent", "findings-drafted"), "defence": ("defence",)},
    ),
    "release": Kind(
        what="a new version of the portal, put in place or announced for `from`",
        times="instant",
        needs=_keys("version"),
        allows=_keys("environment url"),
    ),
    "notification": Kind(
        what="the supplier was told of a failure at `from`: the clocks of reaction and restoration may start",
        times="instant",
        needs=_keys("priority"),
        allows=_keys("outage incident channel url"),
        choices={"priority": PRIORITIES},
    ),
    "reaction": Kind(
        what="the supplier's first reaction to a notification or outage, at `from`",
        times="instant",
        one_of=_keys("notification outage"),
        allows=_keys("channel url"),
        refers={"notification": ("notification",)},
    ),
    "pause": Kind(
        what="the clock of a notification or outage stands still from `from`; without an end it still does",
        times="instant",
        one_of=_keys("notification outage"),
        refers={"notification": ("notification",)},
    ),
    "restored": Kind(
        what="the service was restored at `from`, be it by a workaround",
        times="instant",
        one_of=_keys("notification outage"),
        allows=_keys("cause url"),
        refers={"notification": ("notification",)},
    ),
    "withdrawn": Kind(
        what="an entry about a case, a release or a delivery that is taken back",
        corrects=_keys("notification reaction pause restored release document-delivered"),
        must_correct=True,
    ),
    "user-report": Kind(
        what="a user told that something did not work; no names of persons",
        times="instant",
        allows=_keys("channel count"),
    ),
    "document-delivered": Kind(
        what="a document the contract asks for, delivered at `from`",
        times="instant",
        needs=_keys("document"),
        allows=_keys("period due url sha256"),
    ),
    "report": Kind(
        what="a report that was issued",
        needs=_keys("contract period number sha256"),
        allows=_keys("ledger_head document"),
    ),
    "timestamp": Kind(
        what="what a timestamp authority says of the head of an earlier entry; the token is its whole answer, base64",
        needs=_keys("entry head time authority token"),
        by_hand=False,
    ),
    "samples-digest": Kind(
        what="the digest of a day's samples",
        needs=_keys("day count sha256 sets"),
        times="span",
        by_hand=False,
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """What an entry can point at.

    Attributes:
        kinds: of every entry, by number.
        corrected: numbers of the entries that are no longer in force, each with the entry that corrects it.
    """

    kinds: dict[int, str] = field(default_factory=dict)
    corrected: dict[int, int] = field(default_factory=dict)

    def add(self, seq: int, entry: Entry) -> None:
        self.kinds[seq] = entry.kind
        if entry.supersedes is not None:
            self.corrected[entry.supersedes] = seq


def problems(entry: Entry, earlier: Earlier) -> Iterator[str]:
    """What is wrong with an entry that a person wants to add; nothing where it may go in."""
    kind = KINDS.get(entry.kind)
    if kind is None:
        yield f'"{entry.kind}" is no kind of entry; known are {", ".join(k for k in KINDS if KINDS[k].by_hand)}'
        return
    if not kind.by_hand:
        yield f'"{entry.kind}" is written by the service itself; leave it out'
        return
    if kind.times != "optional" and entry.from_us is None:
        yield f"{entry.kind} needs its start (from)"
    if kind.times == "span" and entry.until_us is None:
        yield f"{entry.kind} needs its end (until)"
    yield from _data_problems(entry, kind)
    yield from _pointer_problems(entry, kind, earlier)


def _data_problems(entry: Entry, kind: Kind) -> Iterator[str]:
    given = {key for key, value in entry.data.items() if value.strip()}
    for key in sorted(kind.needs - given):
        yield f'{entry.kind} needs "{key}"'
    if kind.one_of and not kind.one_of & given:
        yield f"{entry.kind} needs one of {_listed(kind.one_of)}"
    for key in sorted(entry.data.keys() - kind.keys):
        yield f'{entry.kind} has no "{key}"; it knows {_listed(kind.keys)}'
    for key, values in kind.choices.items():
        if key in given and entry.data[key] not in values:
            yield f'"{key}" is "{entry.data[key]}"; write one of {", ".join(values)}'
    if (
        entry.kind.startswith("exclusion")
        and entry.kind != "exclusion-refused"
        and ((entry.data.get("ground") == "third-party") != ("dependency" in given))
    ):
        yield 'the ground third-party and "dependency" (the check that measured the third party) go together'
    if "amount_eur" in given:
        yield from _amount_problems(entry)
    if "points" in given:
        yield from _points_problems(entry)


def _amount_problems(entry: Entry) -> Iterator[str]:
    try:
        amount = Decimal(entry.data["amount_eur"])
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or not 0 <= amount < 10**12:
        yield f'"amount_eur" is "{entry.data["amount_eur"]}", which is no amount of 0 or more; write 1234.50'
    if entry.from_us is None or entry.until_us is None:
        yield 'a decision with "amount_eur" needs the period it is for (from and until): caps of the year look at it'


def _points_problems(entry: Entry) -> Iterator[str]:
    text = entry.data["points"]
    if not (text.isascii() and text.isdecimal() and len(text) < 7):
        yield f'"points" is "{text}", which is no number of service points; write 0 or more, such as 4'
    if "clause" not in entry.data or entry.from_us is None or entry.until_us is None:
        yield 'a decision with "points" needs the clause, and its whole period (from and until): repeats look at it'


def _pointer_problems(entry: Entry, kind: Kind, earlier: Earlier) -> Iterator[str]:
    fitting = kind.corrects | {entry.kind} if not kind.must_correct else kind.corrects
    if entry.supersedes is None:
        if kind.must_correct:
            yield f"{entry.kind} needs the number of the entry it answers (supersedes)"
    elif entry.supersedes not in earlier.kinds:
        yield f"supersedes entry {entry.supersedes}, which is not there"
    elif earlier.kinds[entry.supersedes] not in fitting:
        found = earlier.kinds[entry.supersedes]
        yield f"supersedes entry {entry.supersedes}, which is {found}; {entry.kind} corrects {_listed(fitting)}"
    elif by := earlier.corrected.get(entry.supersedes):
        # Two corrections of one entry would both be in force, and might say opposite things.
        yield f"supersedes entry {entry.supersedes}, which entry {by} corrected already; supersede that one"
    for key, kinds in kind.refers.items():
        text = entry.data.get(key)
        if text is None:
            continue
        number = int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0
        if number not in earlier.kinds:
            yield f'"{key}" is "{text}", which is no number of an entry'
        elif earlier.kinds[number] not in kinds:
            yield f'"{key}" points at entry {number}, which is {earlier.kinds[number]}; it should be {_listed(kinds)}'


def _listed(names: frozenset[str] | tuple[str, ...]) -> str:
    return ", ".join(sorted(names)) if isinstance(names, frozenset) else ", ".join(names)


def completed(entry: Entry, answered: Entry) -> Entry:
    """An answer to a claim or announcement, with the times, scope and data it leaves out taken from what it answers.

    An accepted exclusion so keeps the claim's ground and dependency: it must not grow by being accepted.
    """
    if entry.kind not in ("exclusion-accepted", "exclusion-refused", "maintenance-cancelled"):
        return entry
    kept = {key: value for key, value in answered.data.items() if key in KINDS[entry.kind].keys - EVERYWHERE}
    return dataclasses.replace(
        entry,
        from_us=answered.from_us if entry.from_us is None else entry.from_us,
        until_us=answered.until_us if entry.until_us is None else entry.until_us,
        scope=entry.scope or answered.scope,
        data=kept | dict(entry.data),
    )


def renumbered(entry: Entry, numbers: Mapping[int, int]) -> Entry:
    """The entry with everything it points at under new numbers; what `numbers` does not hold stays."""
    kind = KINDS.get(entry.kind)
    pointers = {
        key: str(numbers.get(int(entry.data[key]), int(entry.data[key])))
        for key in (kind.refers if kind else ())
        if entry.data.get(key, "").isascii() and entry.data.get(key, "").isdecimal()
    }
    supersedes = None if entry.supersedes is None else numbers.get(entry.supersedes, entry.supersedes)
    return dataclasses.replace(entry, supersedes=supersedes, data={**entry.data, **pointers})


def excerpt(ledger: Sequence[Sealed], period: Span) -> tuple[Sealed, ...]:
    """The entries about a period, by valid time or, without it, by when they were recorded, in their order.

    With them comes whatever they point at and whatever points at them: no claim stands there without its answer.
    """
    kept = {s.seq for s in ledger if _touches(s.entry, period)}
    while more := {
        seq
        for s in ledger
        for seq in (s.seq, *points_at(s.entry))
        if seq not in kept and (s.seq in kept or kept.intersection(points_at(s.entry)))
    }:
        kept |= more
    return tuple(s for s in ledger if s.seq in kept)


def _touches(entry: Entry, period: Span) -> bool:
    if entry.from_us is None:
        return period.start_us <= entry.recorded_us < period.end_us
    if entry.until_us is None:
        return period.start_us <= entry.from_us < period.end_us
    return entry.from_us < period.end_us and entry.until_us > period.start_us


def points_at(entry: Entry) -> tuple[int, ...]:
    """Numbers of the entries an entry corrects or refers to."""
    kind = KINDS.get(entry.kind)
    found = [int(text) for key in (kind.refers if kind else ()) if (text := entry.data.get(key, "")).isdecimal()]
    return (*(() if entry.supersedes is None else (entry.supersedes,)), *found)
