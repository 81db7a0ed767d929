"""The file of an SQLite store: how it is named, whatever letters its path has, and who works on it."""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from sqlalchemy import URL, make_url

from monitor.store.database import StoreUnavailable

log = logging.getLogger(__name__)


def file_of(url: str) -> Path | None:
    """The file of an SQLite store; None for another engine, and for one in memory."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        return None
    return Path(str(parsed.database))


def url_of(file: Path) -> str:
    """The URL of a store in this file; its path may hold `?`, `#` and `%`, which mean something in a URL."""
    return URL.create("sqlite", database=str(file)).render_as_string()


def connected(file: Path, mode: Literal["ro", "rw"], *, in_threads: bool = False) -> sqlite3.Connection:
    """A plain connection to a file that is there; SQLite makes no new one in its place.

    Args:
        in_threads: it may be used by one thread after the other.
    """
    return sqlite3.connect(f"file:{quote(str(file))}?mode={mode}", uri=True, check_same_thread=not in_threads)


@contextmanager
def held(url: str) -> Iterator[None]:
    """Say that this process works on the store, until the block is left or the process ends, however it ends.

    It is said by a lock on an empty file beside the store (`NAME.held`), so that it can be known of a store whose own
    file can no longer be read. Many may hold it at once. A store that is no file is held by nobody.

    Raises:
        StoreUnavailable: `alone` has it now.
    """
    file = file_of(url)
    handle = None if file is None else _beside(file)
    try:
        if file is not None and handle is not None and not _locked(handle, fcntl.LOCK_SH):
            raise StoreUnavailable(f"{file} is being restored; start again when `loketwacht db restore` has ended.")
        yield
    finally:
        if handle is not None:
            os.close(handle)


@contextmanager
def alone(file: Path) -> Iterator[None]:
    """Nobody holds the store in this file, nor begins to, while the block lasts.

    Raises:
        StoreUnavailable: a process holds it.
    """
    handle = _beside(file)
    try:
        if handle is not None and not _locked(handle, fcntl.LOCK_EX):
            raise StoreUnavailable(
                f"{file} is in use: a monitor or an outpost runs with it. Stop the monitor first, and its outposts, "
                "then restore. Nothing was changed."
            )
        yield
    finally:
        if handle is not None:
            os.close(handle)


def _beside(file: Path) -> int | None:
    # Not a lock on the store's own file: closing that would take away the locks that SQLite has on it.
    real = file.resolve()
    place = real.with_name(f"{real.name}.held")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            return os.open(place, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            handle = os.open(place, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
            # Whoever restores is often root, and the service is not: reading is enough to lock, so all may read.
            os.fchmod(handle, 0o644)
            return handle
    except OSError as error:
        log.warning("nobody can be told that the store is in use", extra={"file": str(place), "error": str(error)})
        return None


def _locked(handle: int, how: int) -> bool:
    try:
        fcntl.flock(handle, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:  # a file system that knows no locks
        log.warning("nobody can be told that the store is in use", extra={"error": str(error)})
    return True
