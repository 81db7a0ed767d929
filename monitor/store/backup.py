"""A copy of the store taken while it is in use, and the way back from one. SQLite here, PostgreSQL by its own tools."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.engine import URL

from monitor.store import ledger
from monitor.store.database import (
    Database,
    SchemaUnknown,
    StoreDamaged,
    StoreError,
    StoreRefused,
    StoreUnavailable,
    damaged,
)
from monitor.store.files import alone, connected, file_of, url_of
from sla.ledger import Sealed, first_broken

_PAGES_AT_ONCE = 1_000  # so that Ctrl-C is heard between the steps of a copy
_TOOL_TIMEOUT_S = 6 * 3600


def backup(url: str, target: Path) -> None:
    """Copy the store at `url` to `target`, whole as of one moment, while others write to it.

    The copy is read through before it gets its name; a copy that fails leaves nothing behind. Writers never wait for
    it; the journal beside the store (`-wal`) keeps what they write meanwhile, and grows by that much.

    Raises:
        StoreRefused: `target` exists, or the copy turns out damaged.
        StoreUnavailable: the store or the target cannot be reached, or PostgreSQL's `pg_dump` is not installed.
    """
    if target.exists():
        raise StoreRefused(f"{target} exists already; a backup never takes the place of another. Name a new file.")
    parsed = make_url(url)
    beside = target.with_name(f".{target.name}.part")
    try:
        beside.parent.mkdir(parents=True, exist_ok=True)
        beside.unlink(missing_ok=True)
        if parsed.get_backend_name() == "sqlite":
            _copy_sqlite(_file_of(parsed), beside)
        else:
            _tool(parsed, "pg_dump", "--format=custom", f"--file={beside}")
        _flush(beside)
        beside.rename(target)
    except OSError as error:
        raise StoreUnavailable(f"{target} cannot be written: {error.strerror}") from error
    finally:
        beside.unlink(missing_ok=True)


def restore(url: str, source: Path, *, stamp: str, over_newer: bool = False) -> Path | None:
    """Put the backup `source` in the place of the store at `url`.

    The backup is copied beside the store, read through, brought up to date and its ledger walked, before anything is
    moved: a restore that is refused leaves the store as it was.

    Args:
        stamp: names what is set aside, e.g. `20261112T103217Z`.
        over_newer: also where the store knows more than the backup; without it such a store keeps its place.

    Returns:
        Where the store that was there has been set aside; None where there was none. It is never removed.

    Raises:
        SchemaUnknown: the backup was written by a newer version.
        StoreRefused: the backup is damaged or its ledger does not hold; or the store is newer than the backup; or a
            PostgreSQL database is not empty.
        StoreUnavailable: a file cannot be read or written, or a process still uses the store.
    """
    parsed = make_url(url)
    if not source.is_file():
        raise StoreUnavailable(f"{source} is not there; name the file that `db backup` wrote.")
    if parsed.get_backend_name() != "sqlite":
        _tool(parsed, "pg_restore", "--single-transaction", "--exit-on-error", "--no-owner", str(source))
        return None
    place = _file_of(parsed)
    with alone(place):
        return _put_in_place(place, source, stamp=stamp, over_newer=over_newer)


def _put_in_place(place: Path, source: Path, *, stamp: str, over_newer: bool) -> Path | None:
    beside = place.with_name(f".{place.name}.restored")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, beside)
        sound(beside)
        # Opened as the service would: a schema of a newer version is refused before anything is moved.
        head = _head(beside)
        if not over_newer:
            _refuse_newer(place, head)
        aside = _set_aside(place, stamp)
        _flush(beside)
        beside.rename(place)
    except OSError as error:
        raise StoreUnavailable(f"{place} cannot be written: {error.strerror}") from error
    finally:
        for left in (beside, *(beside.with_name(beside.name + end) for end in ("-wal", "-shm"))):
            left.unlink(missing_ok=True)
    return aside


def _head(file: Path) -> Sealed | None:
    """The last entry of a backup's ledger, which is walked from its first."""
    database = Database.open(url_of(file))
    try:
        with database.read() as tx:
            entries = tuple(ledger.read(tx))
    finally:
        database.close()
    if (broken := first_broken(entries)) is not None:
        raise StoreRefused(
            f"The ledger in this backup does not hold from entry {broken.seq}: it was altered, or one before it was "
            "dropped. Take an older backup, and keep this one for whoever finds out why."
        )
    return entries[-1] if entries else None


def _refuse_newer(place: Path, head: Sealed | None) -> None:
    """Raise where the store in place can be read and its ledger has what the backup's has not."""
    if not place.exists():
        return
    try:
        present = Database.open(url_of(place), migrate=False, busy_timeout_us=1_000_000)
        try:
            with present.read() as tx:
                newest = ledger.head(tx)
        finally:
            present.close()
    except StoreDamaged:
        return  # that is why somebody restores
    except SchemaUnknown as error:
        if "does not know" in str(error):
            raise StoreRefused(f"{place} was written by a newer version. {_OVER_NEWER}") from error
        return
    if newest is not None and newest != head and newest.seq >= (head.seq if head else 0):
        raise StoreRefused(
            f"The ledger of {place} reaches entry {newest.seq}, that of the backup entry {head.seq if head else 0}. "
            + _OVER_NEWER
        )


_OVER_NEWER = "Nothing was changed. With --over-newer the backup takes its place all the same; the store is set aside."


def sound(file: Path) -> None:
    """Read an SQLite file through, page by page.

    Raises:
        StoreRefused: it is damaged, or no SQLite database at all; the message names the first thing that is wrong.
    """
    try:
        with closing(connected(file, "rw")) as connection:
            (said,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        raise StoreRefused(f"{file} is no sound SQLite database: {error}") from error
    if said != "ok":
        raise StoreRefused(f"{file} is damaged: {said}")


def examine(url: str) -> None:
    """Read a store through before it is used, where it is a file of at most `EXAMINED_BYTES`; others are not read.

    Raises:
        StoreDamaged: something in it is broken; the message says what to do.
    """
    file = file_of(url)
    if file is None:
        return
    try:
        if not file.is_file() or file.stat().st_size > EXAMINED_BYTES:
            return
        with closing(connected(file, "rw")) as connection:
            (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except (OSError, sqlite3.OperationalError):
        return  # busy or out of reach, and no finding: opening it will say so
    except sqlite3.DatabaseError as error:
        said = str(error)
    if said != "ok":
        raise damaged(str(said).splitlines()[-1])


#: Half a gigabyte is read in about a second; a larger store is found out where it is used, by its backup, by `verify`.
EXAMINED_BYTES = 512 * 1024 * 1024


def _copy_sqlite(source: Path, target: Path) -> None:
    if not source.is_file():
        raise StoreUnavailable(f"{source} is not there; there is nothing to copy")
    try:
        with (
            closing(connected(source, "ro")) as original,
            closing(sqlite3.connect(target)) as copy,
        ):
            # What is read stands still while the copy lasts. Without that, a copy begins anew whenever somebody else
            # commits between two of its steps: on a large store that is measured into all the time it never ends.
            original.isolation_level = None
            original.execute("BEGIN")
            original.execute("SELECT count(*) FROM sqlite_master").fetchone()
            original.backup(copy, pages=_PAGES_AT_ONCE)
            # One file without its journal beside it: a backup is carried about.
            copy.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise StoreUnavailable(f"the copy of {source} failed: {error}") from error
    sound(target)


def _set_aside(place: Path, stamp: str) -> Path | None:
    if not place.exists():
        return None
    try:
        with closing(sqlite3.connect(place, timeout=1)) as connection:
            # Leaving WAL needs the file to itself, and takes the journal into it: it fails while a monitor runs.
            connection.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError as error:
        raise StoreUnavailable(f"{place} is in use ({error}); stop the monitor first, then restore.") from error
    except sqlite3.DatabaseError:
        pass  # damaged: that is why somebody restores; it is kept as it is
    aside = place.with_name(f"{place.name}.before-{stamp}")
    if aside.exists():
        raise StoreRefused(f"{aside} exists already; move it away first, nothing is ever overwritten.")
    for end in ("-wal", "-shm"):
        journal = place.with_name(place.name + end)
        if journal.exists():
            journal.rename(aside.with_name(aside.name + end))
    place.rename(aside)
    return aside


def _file_of(url: URL) -> Path:
    if not url.database or url.database == ":memory:":
        raise StoreRefused("a store in memory has no file; there is nothing to copy or restore")
    return Path(url.database)


def _flush(file: Path) -> None:
    handle = os.open(file, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _tool(url: URL, program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's own tools on the database; the password travels in the environment only."""
    found = shutil.which(program)
    if found is None:
        raise StoreUnavailable(f"{program} is not installed; install it with: apt-get install postgresql-client")
    plain = url.set(drivername="postgresql", password=None)
    environment = dict(os.environ)
    if isinstance(url.password, str):
        environment["PGPASSWORD"] = url.password
    try:
        subprocess.run(  # noqa: S603 - a fixed program with the operator's own database as its argument
            [found, f"--dbname={plain.render_as_string(hide_password=False)}", *arguments],
            env=environment,
            check=True,
            capture_output=True,
            text=True,
            timeout=_TOOL_TIMEOUT_S,
        )
    except subprocess.CalledProcessError as error:
        raise StoreRefused(f"{program}: {(error.stderr or 'it gave no reason').strip().splitlines()[0]}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StoreError(f"{program} did not end: {error}") from error
