"""`loketwacht db retention`: what may go after its term, and taking it away."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from monitor import config, retention
from monitor.cli.look import db
from monitor.cli.output import DEFAULT_CONFIG, CommandError, ConfigPath, Exit, Json, answer, say
from monitor.clock import LIVE
from monitor.store.database import Database

__all__ = ["db", "retain"]


@db.command(name="retention")
def retain(
    *,
    dry_run: Annotated[bool, Parameter(name="--dry-run", negative="")] = False,
    config_path: ConfigPath = DEFAULT_CONFIG,
    json_: Json = False,
) -> int:
    """Take away the samples of good runs whose term is over, record it in the ledger, and give the room back.

    Failures and what proves them stay for ever, and so do the figures of each day. The monitor does this every day by
    itself; giving the room back to the disk is done here alone, for it keeps other writers waiting.

    Parameters
    ----------
    dry_run
        Only tell what would go.
    """
    loaded = config.load(config_path)
    contracts = tuple(one.contract for one in loaded.contracts)
    database = Database.open(loaded.database_url, migrate=False)
    try:
        with database.begin() as tx:
            retention.remember(tx, loaded.config.retention, contracts, now_us=LIVE.now_us())
        with database.read() as tx:
            found = retention.due(tx, loaded.config.retention, contracts, now_us=LIVE.now_us())
        if not dry_run:
            for one in found:
                with database.begin() as tx:
                    retention.remove(tx, one, now_us=LIVE.now_us())
            if found:
                database.vacuum()
    except retention.RetentionRefusedError as error:
        raise CommandError(f"{error} That day and those after it were left alone.", Exit.BAD_NEWS) from error
    finally:
        database.close()
    number = sum(one.samples for one in found)
    if json_:
        answer(
            {"dry_run": dry_run, "samples": number, "days": [{"day": one.day, "samples": one.samples} for one in found]}
        )
    elif not found:
        say("No sample is beyond its term.")
    else:
        which = f"{number} good samples of {len(found)} days, {found[0].day} to {found[-1].day} (UTC)"
        say(f"Would go: {which}." if dry_run else f"Gone, as the ledger tells: {which}.")
    return Exit.FINE
