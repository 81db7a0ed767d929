"""Good samples whose term is over are taken away, day by day, and the ledger says so.

A day is only touched when its samples are those that were sealed. Its folded figures are made anew first and stay; what
remains of its samples is sealed again in the entry that tells what went, so that `verify` still proves it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from monitor import sealing
from monitor.retention_settings import RetentionSettings
from monitor.sealing import DAY_US
from monitor.store import days, ledger, seals, thinning
from monitor.store.database import Transaction
from sla.contract import Contract
from sla.ledger import Entry, Sealed

_EPOCH = date(1970, 1, 1)


class RetentionRefusedError(Exception):
    """The samples of a day are not those that were sealed: nothing of it is removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A day whose term is over, and how many good samples it holds."""

    seal: Sealed
    day: str
    start_us: int
    samples: int


def keep_until_us(start_us: int, settings: RetentionSettings, contracts: Iterable[Contract]) -> int:
    """Until when the samples of the UTC day that begins at `start_us` are kept.

    A contract's first and last day are widened by a day on either side, whatever its time zone.
    """
    ends = [
        last_us + settings.after_contract
        for contract in contracts
        if start_us < (last_us := _day_us(contract.version[-1].valid_until) + 2 * DAY_US)
        and start_us + DAY_US > _day_us(contract.version[0].valid_from) - DAY_US
    ]
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

    Args:
        most: at most so many of them; None tells all.
    """
    found: list[Due] = []
    known = seals.sets(tx)
    entries = ledger.read(tx, kinds=(sealing.KIND, sealing.REMOVED))
    for start_us, seal in sorted(sealing.sealed_days(entries).items()):
        if most is not None and len(found) >= most:
            break
        if seal.entry.kind == sealing.KIND and keep_until_us(start_us, settings, contracts) <= now_us:
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
