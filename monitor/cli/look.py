"""`loketwacht status`, `incidents`, `db`, `dashboards`: looking, and the store."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from rich.table import Table

import dashboards.build
from dashboards.status_page import Frame
from monitor import composition, config, pages
from monitor.cli.output import DEFAULT_CONFIG, CommandError, ConfigPath, Exit, Json, answer, people, say
from monitor.cli.running import outpost_at
from monitor.clock import LIVE
from monitor.pages import Days
from monitor.sealing import REMOVED, settled_until, thinned
from monitor.store import backup as copies
from monitor.store import days, ledger
from monitor.store import incidents as stored
from monitor.store.database import Database
from monitor.store.grants import for_outpost
from probes.sentences import sentence
from probes.setup import installed_version
from sla.period import instant_text

db = App(name="db", help="The store.")
dashboards_app = App(name="dashboards", help="Grafana dashboards.")


def status(*, config_path: ConfigPath = DEFAULT_CONFIG, json_: Json = False) -> int:
    """How every check does now, by what is stored. Exit code 1 where something is down or not measured."""
    loaded = config.load(config_path)
    watched = composition.watched(loaded)
    now_us = LIVE.now_us()
    frame = Frame(portal=watched.portal, generated_us=now_us, version=installed_version(), timezone=watched.timezone)
    database = Database.open(loaded.database_url)
    try:
        page = pages.status(database, watched, Days(), frame=frame, now_us=now_us)
    finally:
        database.close()
    if json_:
        answer(
            [
                {
                    "id": j.id,
                    "title": j.title,
                    "state": j.now.value,
                    "sentence": j.sentence,
                    "last_run_us": j.last_run_us,
                }
                for j in page.journeys
            ]
        )
    else:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for name in ("check", "state", "last run", "what"):
            table.add_column(name)
        for j in page.journeys:
            last = instant_text(j.last_run_us, watched.timezone) if j.last_run_us is not None else "never"
            table.add_row(j.id, j.now.value, last, j.sentence)
        people().print(table)
    return Exit.BAD_NEWS if any(j.now.value in ("down", "unknown") for j in page.journeys) else Exit.FINE


def incidents_(*, config_path: ConfigPath = DEFAULT_CONFIG, limit: int = 50, json_: Json = False) -> int:
    """Incidents, newest first. Exit code 1 where one is open.

    Parameters
    ----------
    limit
        At most so many.
    """
    loaded = config.load(config_path)
    database = Database.open(loaded.database_url)
    try:
        with database.read() as tx:
            found = stored.read(tx, limit=limit)
    finally:
        database.close()
    zone = loaded.config.monitor.timezone
    if json_:
        answer(
            [
                {
                    "id": i.id,
                    "check": i.check_id,
                    "since": instant_text(i.since_us),
                    "until": instant_text(i.until_us) if i.until_us is not None else None,
                    "failure": i.failure.kind.value,
                    "step": i.failure.step,
                    "sentence": {"nl": sentence(i.failure, "nl"), "en": sentence(i.failure, "en")},
                }
                for i in found
            ]
        )
    else:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for name in ("incident", "since", "until", "what"):
            table.add_column(name)
        for i in found:
            until = instant_text(i.until_us, zone) if i.until_us is not None else "open"
            table.add_row(i.id, instant_text(i.since_us, zone), until, sentence(i.failure, "nl"))
        people().print(table)
    return Exit.BAD_NEWS if any(i.until_us is None for i in found) else Exit.FINE


@db.command
def upgrade(*, config_path: ConfigPath = DEFAULT_CONFIG) -> int:
    """Bring the store's schema up to date; `run` does so too."""
    loaded = config.load(config_path)
    database = Database.open(loaded.database_url)
    say(f"{database.url} is up to date.")
    database.close()
    return Exit.FINE


@db.command
def backup(file: Path, *, config_path: ConfigPath = DEFAULT_CONFIG) -> int:
    """Copy the store as of one moment, while the monitor runs; the copy is read through before it gets its name.

    Parameters
    ----------
    file
        A new file. PostgreSQL is copied by pg_dump, in its custom format.
    """
    loaded = config.load(config_path)
    copies.backup(loaded.database_url, file)
    say(f"{file}: {file.stat().st_size} bytes. `loketwacht db restore {file}` takes it back.")
    return Exit.FINE


@db.command
def restore(
    file: Path,
    *,
    over_newer: Annotated[bool, Parameter(name="--over-newer", negative="")] = False,
    config_path: ConfigPath = DEFAULT_CONFIG,
) -> int:
    """Put a backup in the place of the store; what was there is set aside beside it, never removed.

    Stop the monitor first. The backup is read through and its ledger walked before anything is moved.

    Parameters
    ----------
    file
        What `db backup` wrote.
    over_newer
        Also where the store's ledger knows more than the backup's.
    """
    loaded = config.load(config_path)
    aside = copies.restore(
        loaded.database_url,
        file,
        stamp=f"{datetime.fromtimestamp(LIVE.now_us() // 1_000_000, UTC):%Y%m%dT%H%M%SZ}",
        over_newer=over_newer,
    )
    if aside is not None:
        say(f"What was there is now {aside}.")
    say(f"{file} is restored. Check it with `loketwacht verify`, then start the monitor.")
    return Exit.FINE


@db.command
def grants(location: str, *, role: str, config_path: ConfigPath = DEFAULT_CONFIG) -> int:
    """SQL that lets an outpost's role do its work in a PostgreSQL store, and speak for no other location.

    For whoever owns the tables, after each upgrade again: `loketwacht db grants gent --role outpost_gent | psql ...`.

    Parameters
    ----------
    location
        Of an outpost in the configuration.
    role
        As whom it connects; it has to be there already.
    """
    loaded = config.load(config_path)
    outpost_at(location, loaded, config_path)
    if not loaded.database_url.startswith("postgresql"):
        raise CommandError("The store is a file of SQLite: who may write to it is for its file system to say.")
    for statement in for_outpost(role, location):
        print(statement)
    return Exit.FINE


@db.command
def rebuild_days(*, config_path: ConfigPath = DEFAULT_CONFIG) -> int:
    """Fold every past day of samples anew: what makes a month quick to assess. `verify` tells when that is needed."""
    loaded = config.load(config_path)
    database = Database.open(loaded.database_url)
    try:
        with database.begin() as tx:
            days.forget(tx, but=thinned(ledger.read(tx, kinds=(REMOVED,))))
        number = days.fold(database, until_us=settled_until(LIVE.now_us()))
    finally:
        database.close()
    say(f"{number} days of samples were folded in {database.url}.")
    return Exit.FINE


@dashboards_app.command
def build(directory: Path | None = None) -> int:
    """Write the Grafana dashboards as JSON.

    Parameters
    ----------
    directory
        Where; by default the package's own folder.
    """
    try:
        dashboards.build.write(directory or dashboards.build.FOLDER)
    except OSError as error:
        raise CommandError(f"The dashboards could not be written: {error}") from error
    say(f"Written into {directory or dashboards.build.FOLDER}.")
    return Exit.FINE
