"""Reading a store's file through while it is in use: in a thread that others hardly notice, and that ends when told."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

from monitor.store.files import connected

#: The least that a thread may claim of a processor.
_MODEST = 19


async def read_through(file: Path) -> str | None:
    """What is wrong with the file of an SQLite store, in SQLite's own words; "ok" where nothing is.

    On a connection that only reads, in a thread of the lowest priority, however large the file is. Writers do not wait;
    the journal beside the file (`-wal`) is not taken into it meanwhile. Cancelled, it ends at the next page.

    Returns:
        None where it could not be read through: it is out of reach.
    """
    reading = _Reading(file)
    # A thread of its own, for one that has become modest stays so.
    thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="read-through")
    try:
        return await asyncio.get_running_loop().run_in_executor(thread, reading.go)
    except asyncio.CancelledError:
        reading.stop()
        raise
    finally:
        thread.shutdown(wait=False)


class _Reading:
    def __init__(self, file: Path) -> None:
        self._file = file
        self._stopped = threading.Event()
        self._connection: sqlite3.Connection | None = None

    def go(self) -> str | None:
        with suppress(OSError):  # where that is forbidden it reads all the same
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _MODEST)
        try:
            with closing(connected(self._file, "ro")) as connection:
                self._connection = connection
                if self._stopped.is_set():
                    return None
                (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        except sqlite3.OperationalError:
            return None  # stopped, locked or out of reach, and no finding
        except sqlite3.DatabaseError as error:
            return str(error)
        finally:
            self._connection = None
        return str(said).splitlines()[-1]

    def stop(self) -> None:
        self._stopped.set()
        connection = self._connection
        if connection is not None:
            with suppress(sqlite3.ProgrammingError):  # closed in this very moment
                connection.interrupt()
