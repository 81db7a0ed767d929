"""`loketwacht verify`: proof that nobody altered what was recorded and measured."""

from __future__ import annotations

from monitor import config
from monitor.cli.output import DEFAULT_CONFIG, ConfigPath, Exit, Json, answer, say
from monitor.sealing import first_difference, sealed_days
from monitor.store import ledger
from monitor.store.database import Database
from sla.ledger import first_broken


def verify(*, config_path: ConfigPath = DEFAULT_CONFIG, database: str | None = None, json_: Json = False) -> int:
    """Walk the ledger and the samples it seals, and name the first that was altered, dropped or moved.

    Parameters
    ----------
    database
        Check this copy (an SQLAlchemy URL) in place of the configured one.
    """
    url = database or config.load(config_path).database_url
    store = Database.open(url, migrate=False)
    try:
        with store.read() as tx:
            entries = tuple(ledger.read(tx))
            broken = first_broken(entries)
            # Beyond a broken entry the seals prove nothing.
            differs = first_difference(tx, entries) if broken is None else None
    finally:
        store.close()
    head = entries[-1].hash if entries else ""
    days = len(sealed_days(entries))
    if json_:
        first = None if differs is None else {"entry": differs.seq, "day": differs.day, "samples": differs.samples}
        answer(
            {
                "entries": len(entries),
                "head": head,
                "first_broken": broken.seq if broken else None,
                "sealed_days": days,
                "first_difference": first,
            }
        )
    if broken is not None:
        say(
            f"The ledger does not hold from entry {broken.seq} ({broken.entry.kind}): "
            "it was altered or moved, or one before it was dropped."
        )
        return Exit.BAD_NEWS
    if differs is not None:
        say(str(differs))
        return Exit.BAD_NEWS
    say(f"The ledger holds: {len(entries)} entries, head {head or 'none yet'}; the samples of {days} sealed days too.")
    return Exit.FINE
