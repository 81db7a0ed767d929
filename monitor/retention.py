"""Good samples whose term is over are taken away, day by day, and the ledger says so.

A day is only touched when its samples are those that were sealed. Its folded figures are made anew first and stay; what
remains of its samples is sealed again in the entry that tells what went, so that `verify` still proves it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date

from pydantic import TypeAdapter

from monitor import sealing
from monitor.retention_settings import RetentionSettings
from monitor.sealing import DAY_US
from monitor.store import days, events, ledger, seals, thinning
from monitor.store.database import Transaction
from monitor.store.events import Event
from sla.contract import Contract
from sla.ledger import Entry, Sealed

#: The kind of event that notes a promise.
TERM = "contract-term"
_EPOCH = date(1970, 1, 1)
_FOR_EVER_US = 2**62


class RetentionRefusedError(Exception):
    """The samples of a day are not those that were sealed: nothing of it is removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A day whose term is over, and how many good samples it holds."""

    seal: Sealed
    day: str
    start_us: int
    samples: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """Until when a contract has us keep the samples of its time.

    Attributes:
        from_us, until_us: its first and its last day, widened by a day on either side, whatever its time zone.
        keep_until_us: its end, and what the configuration added to it when it was known.
    """

    contract: str
    from_us: int
    until_us: int
    keep_until_us: int


_PROMISE = TypeAdapter(Promise)


def promises(settings: RetentionSettings, contracts: Iterable[Contract]) -> tuple[Promise, ...]:
    """What the configuration in force promises."""
    found = []
    for contract in contracts:
        until_us = _day_us(contract.version[-1].valid_until) + 2 * DAY_US
        found.append(
            Promise(
                contract=contract.contract,
                from_us=_day_us(contract.version[0].valid_from) - DAY_US,
                until_us=until_us,
                keep_until_us=until_us + settings.after_contract,
            )
        )
    return tuple(found)


def remember(
    tx: Transaction, settings: RetentionSettings, contracts: Iterable[Contract], *, now_us: int
) -> tuple[Promise, ...]:
    """Note the promises that were not noted yet: they hold also where the contract leaves the configuration.

    Returns:
        All that was ever promised.
    """
    known = list(remembered(tx))
    for promise in promises(settings, contracts):
        if promise not in known:
            data: dict[str, str | int | bool | None] = {**asdict(promise)}
            events.add(tx, Event(at_us=now_us, kind=TERM, data=data))
            known.append(promise)
    return tuple(known)


def remembered(tx: Transaction) -> tuple[Promise, ...]:
    """Every promise that was noted, oldest first."""
    noted = events.read(tx, 0, _FOR_EVER_US, kinds=(TERM,))
    return tuple(_PROMISE.validate_python(dict(one.data)) for one in noted)


def keep_until_us(start_us: int, settings: RetentionSettings, promised: Iterable[Promise]) -> int:
    """Until when the samples of the UTC day that begins at `start_us` are kept: by the longest promise of its time."""
    ends = [one.keep_until_us for one in promised if start_us < one.until_us and start_us + DAY_US > one.from_us]
    return max(ends, default=start_us + DAY_US + settings.without_contract)


def due(
    tx: Transaction,
    settings: RetentionSettings,
    contracts: tuple[Contract, ...],
    *,
    now_us: int,
    most: int | None = None,
) -> tuple[Due, ...]:
    """The sealed days whose term is over and of which nothing was removed yet, oldest first.

    A contract that is no longer configured keeps its samples as long as it ever promised.

    Args:
        contracts: those of the configuration in force.
        most: at most so many of them; None tells all.
    """
    found: list[Due] = []
    known = seals.sets(tx)
    promised = (*remembered(tx), *promises(settings, contracts))
    entries = ledger.read(tx, kinds=(sealing.KIND, sealing.REMOVED))
    for start_us, seal in sorted(sealing.sealed_days(entries).items()):
        if most is not None and len(found) >= most:
            break
        if seal.entry.kind == sealing.KIND and keep_until_us(start_us, settings, promised) <= now_us:
            count = sum(thinning.good(tx, check, where, start_us, start_us + DAY_US) for check, where in known)
            if count:
                found.append(Due(seal=seal, day=seal.entry.data["day"], start_us=start_us, samples=count))
    return tuple(found)


def remove(tx: Transaction, one: Due, *, now_us: int) -> Sealed:
    """Take the good samples of a day away and record it; in one transaction, or not at all.

    Raises:
        RetentionRefusedError: its samples are not those that were sealed.
    """
    known = seals.sets(tx)
    before = sealing.day_digest(tx, one.start_us, known)
    if (differs := sealing.compared(one.seal, before)) is not None:
        raise RetentionRefusedError(str(differs))
    there = tuple((check, where) for check, where in known if f"{check} {where}" in before.sets)
    for check, where in there:
        days.store_anew(tx, check, where, one.start_us)
    gone = thinning.take_away(tx, there, one.start_us, one.start_us + DAY_US)
    after = sealing.day_digest(tx, one.start_us, known)
    removed = {f"{check} {where}": number for (check, where), number in gone.items()}
    plain = after.entry(now_us)
    return ledger.append(
        tx,
        Entry(
            kind=sealing.REMOVED,
            recorded_us=now_us,
            by=sealing.BY,
            reason=f"geslaagde metingen van {one.day} (UTC) verwijderd na hun bewaartermijn",
            from_us=plain.from_us,
            until_us=plain.until_us,
            data={
                **plain.data,
                "sealed": str(one.seal.seq),
                "removed": seals.canonical(removed).decode(),
                "removed_count": str(sum(removed.values())),
            },
        ),
    )


def _day_us(day: date) -> int:
    return (day - _EPOCH).days * DAY_US
