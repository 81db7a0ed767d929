"""A file of our own for what the store cannot take yet, so that a process that ends then loses nothing.

It is a small SQLite file on this machine, wherever the store is. Nothing is ever decided by it: what stands in it is
given to the store, where a slot that has its sample already keeps that.
"""

from __future__ import annotations

import base64
import json
import logging
import sqlite3
import zlib
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from monitor.store.database import StoreUnavailable
from monitor.store.events import Event
from monitor.store.files import connected
from probes.sample import Bundle, FileKind, ProofFile, Sample

log = logging.getLogger(__name__)

_SAMPLE = TypeAdapter(Sample)
_EVENT = TypeAdapter(Event)
_TABLE = "CREATE TABLE IF NOT EXISTS waiting (number INTEGER PRIMARY KEY, what BLOB NOT NULL)"


class Spool:
    """The file is made when something is put into it for the first time, and grows no larger than what waits.

    One process has it; a second one that would use the same file is refused.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._connection: sqlite3.Connection | None = None

    def read(self) -> tuple[tuple[Sample | Event, ...], int]:
        """What a process before this one left, oldest first, and how many more cannot be read any more.

        A damaged file is set aside beside this one, and counts as one of those.

        Raises:
            StoreUnavailable: another process has it, or it is out of reach.
        """
        if self._connection is None and not self._file.exists():
            return (), 0
        try:
            rows = self._opened().execute("SELECT what FROM waiting ORDER BY number").fetchall()
        except (sqlite3.OperationalError, OSError) as error:
            raise self._unavailable(error) from error
        except sqlite3.DatabaseError as error:
            self.close()
            aside = self._file.with_name(f"{self._file.name}.damaged")
            self._file.replace(aside)
            log.error("what waited for the store is damaged", extra={"file": str(aside), "error": str(error)})
            return (), 1
        found: list[Sample | Event] = []
        for (packed,) in rows:
            try:
                found.append(_unpacked(packed))
            except (ValidationError, ValueError, LookupError, TypeError, zlib.error) as error:
                log.error("what waited for the store cannot be read", extra={"error": type(error).__name__})
        return tuple(found), len(rows) - len(found)

    def change(self, put: Mapping[int, Sample | Event], gone: Collection[int]) -> None:
        """Keep these, under numbers that tell their order, and let go of others; all or nothing, and on the disk.

        Raises:
            StoreUnavailable: it cannot be written; what stood in it stands.
        """
        try:
            connection = self._opened()
            with connection:
                connection.executemany("DELETE FROM waiting WHERE number = ?", [(number,) for number in gone])
                rows = [(number, _packed(what)) for number, what in put.items()]
                connection.executemany("INSERT OR REPLACE INTO waiting VALUES (?, ?)", rows)
        except (sqlite3.Error, OSError) as error:
            raise self._unavailable(error) from error

    def clear(self) -> None:
        """The store has all of it."""
        if self._connection is None:
            return
        try:
            with self._connection as connection:
                connection.execute("DELETE FROM waiting")
        except sqlite3.Error as error:
            raise self._unavailable(error) from error

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.touch(mode=0o600)
            connection = connected(self._file, "rw", in_threads=True)
            try:
                for pragma in (
                    "locking_mode = EXCLUSIVE",
                    "synchronous = FULL",
                    "auto_vacuum = FULL",  # what went gives its room back
                ):
                    connection.execute(f"PRAGMA {pragma}")
                connection.execute(_TABLE)
                connection.commit()
            except sqlite3.Error:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _unavailable(self, error: Exception) -> StoreUnavailable:
        return StoreUnavailable(f"what waits for the store cannot be kept in {self._file}: {error}")


def _packed(what: Sample | Event) -> bytes:
    if isinstance(what, Event):
        told: dict[str, Any] = {"event": _EVENT.dump_python(what)}
    else:
        told = {
            "sample": _SAMPLE.dump_python(replace(what, bundles=()), exclude_defaults=True),
            "bundles": [_bundle_told(bundle) for bundle in what.bundles],
        }
    # What is no text at all (a lone surrogate) the store could not hold either.
    return zlib.compress(json.dumps(told, ensure_ascii=False).encode("utf-8", "replace"), 1)


def _unpacked(packed: bytes) -> Sample | Event:
    told = json.loads(zlib.decompress(packed))
    if "event" in told:
        return _EVENT.validate_python(told["event"])
    bundles = tuple(_bundle(one) for one in told["bundles"])
    return replace(_SAMPLE.validate_python(told["sample"]), bundles=bundles)


def _bundle_told(bundle: Bundle) -> dict[str, Any]:
    files = [
        {"kind": file.kind.value, "step": file.step, "sha256": file.sha256, "content": _text(file.content)}
        for file in bundle.files
    ]
    return {"sha256": bundle.sha256, "size": bundle.size, "packed": _text(bundle.packed), "files": files}


def _bundle(told: Mapping[str, Any]) -> Bundle:
    files = tuple(
        ProofFile(
            kind=FileKind(file["kind"]), step=file["step"], sha256=file["sha256"], content=_bytes(file["content"])
        )
        for file in told["files"]
    )
    return Bundle(sha256=told["sha256"], size=told["size"], packed=_bytes(told["packed"]), files=files)


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
