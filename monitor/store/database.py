"""Opening the store, its transactions, and its version. One code for SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol, TypeVar

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import (
    DBAPIError,
    DisconnectionError,
    InterfaceError,
    InternalError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.exc import (
    TimeoutError as PoolTimeout,
)
from sqlalchemy.pool import StaticPool

#: An open transaction. The functions of this room take it as their first argument.
Transaction = Connection

T = TypeVar("T")

#: Numbers of our own, so that they meet no other program's: the lock of migrations, and that of writing.
_MIGRATING = text("SELECT pg_advisory_xact_lock(5465737)")
_MIGRATES_LONG = text("SET LOCAL statement_timeout = '6h'")  # a table of years is rewritten in one statement
_ONE_WRITER = text("SELECT pg_advisory_xact_lock(5465738)")
#: For how long a server may work on one statement: of a process that measures and shows pages, where somebody waits and
#: all of them are small; and of commands, reports and digests, which read years.
LIVE_STATEMENT_US = 60_000_000
_LONG_STATEMENT_US = 30 * 60_000_000
_MIGRATIONS = Path(__file__).parent / "migrations"
_READ = "loketwacht_read"


class StoreError(Exception):
    """The store did not do what was asked."""


class StoreUnavailable(StoreError):  # noqa: N818 - reads as what it is
    """Locked, full, gone or not to be reached: the same work may succeed later."""


class StoreRefused(StoreError):  # noqa: N818
    """The store understood and refused: a constraint, a trigger, a value it cannot hold. Trying again is useless."""


class StoreDamaged(StoreError):  # noqa: N818
    """The file of the store is broken: nothing is read from it or written to it, so that nothing more is lost."""


class SchemaUnknown(StoreError):  # noqa: N818
    """The store was written by another (newer) version of the program, or was never made."""


class InStore(Protocol):
    """Runs work on the store away from the event loop, and gives its answer."""

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]: ...


async def directly(work: Callable[[], T], /) -> T:
    """`InStore` that works where it stands: for simulated time and for commands, where nobody else waits."""
    return work()


class StoreThread:
    """`InStore` on one thread of its own, so that writers never meet each other and the event loop never waits."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")

    async def __call__(self, work: Callable[[], T], /) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    def close(self) -> None:
        """Wait for what was begun, then end the thread."""
        self._executor.shutdown(wait=True)


@dataclass(frozen=True, slots=True)
class Database:
    """An opened store.

    `begin()` gives a transaction that writes: it holds the one write lock of the store from its first statement, so it
    cannot fail half-way because somebody else wrote, and what it reads stays true until it ends. `read()` gives one
    that only reads and never waits for a writer.
    """

    engine: Engine
    url: str

    @classmethod
    def open(
        cls,
        url: str,
        *,
        migrate: bool = True,
        busy_timeout_us: int = 5_000_000,
        statement_timeout_us: int = _LONG_STATEMENT_US,
        durable: bool = True,
    ) -> Database:
        """Open the store at `url` (`sqlite:///path`, `postgresql://…`).

        Args:
            migrate: bring an older schema up to date; False refuses one that is not.
            durable: False lets SQLite leave the writing to the operating system: much faster, and the newest samples
                may be gone after a loss of power. For simulated months and tests, never for what was really measured.
            busy_timeout_us: how long a writer waits for another process's lock before it is `StoreUnavailable`.
            statement_timeout_us: how long PostgreSQL works on one statement before that is `StoreUnavailable`; nothing
                of its transaction is kept then. Migrating takes the time it takes, up to six hours a statement.

        Raises:
            StoreUnavailable: the file or server cannot be reached.
            SchemaUnknown: it was written by a newer version, or `migrate` is False and it is older.
        """
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            in_memory = parsed.database in (None, "", ":memory:")
            if not in_memory:
                Path(str(parsed.database)).parent.mkdir(parents=True, exist_ok=True)
            engine = create_engine(
                parsed,
                connect_args={"timeout": busy_timeout_us / 1_000_000, "check_same_thread": False},
                **({"poolclass": StaticPool} if in_memory else {}),
            )
            event.listen(engine, "connect", _prepare_sqlite)
            if not durable:
                event.listen(engine, "connect", _hasten_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
        elif parsed.get_backend_name() == "postgresql":
            engine = create_engine(
                parsed.set(drivername="postgresql+psycopg"),
                pool_pre_ping=True,
                pool_size=4,
                connect_args={
                    "connect_timeout": 5,
                    # A connection that nobody answers any more is given up soon, not after the kernel's many minutes.
                    "tcp_user_timeout": 10_000,
                    "keepalives_idle": 10,
                    "keepalives_interval": 5,
                    "keepalives_count": 3,
                    "application_name": "loketwacht",
                    "options": (
                        f"-c lock_timeout={busy_timeout_us // 1000} -c timezone=UTC "
                        f"-c statement_timeout={statement_timeout_us // 1000}"
                    ),
                },
            )
        else:
            raise StoreRefused(f"{parsed.get_backend_name()} is not a store we know; use sqlite:/// or postgresql://")
        database = cls(engine=engine, url=parsed.render_as_string(hide_password=True))
        try:
            with _our_errors(engine):
                _check_version(engine, migrate=migrate)
        except BaseException:
            engine.dispose()
            raise
        return database

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        """A transaction that writes: committed at the end of the block, undone by any exception."""
        with _our_errors(self.engine), self.engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                # As SQLite has it. Several processes move one incident, each by what it read; none may read in between.
                connection.execute(_ONE_WRITER)
            yield connection

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """A transaction that only reads, and sees one state of the store throughout."""
        with _our_errors(self.engine), self.engine.connect() as connection:
            connection = connection.execution_options(**{_READ: True})
            if connection.dialect.name == "postgresql":
                connection = connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True, stream_results=True
                )
            with connection.begin():
                yield connection

    def writable(self) -> bool:
        """Whether something can be written now; the truth behind `/healthz`."""
        try:
            with self.begin() as tx:
                # A row that always exists, as it is: a statement that finds none writes nothing, and a full disk
                # takes that too.
                tx.execute(text("UPDATE alembic_version SET version_num = version_num"))
        except StoreError:
            return False
        return True

    def size_bytes(self) -> int | None:
        """Size of the database file; None for a server or one in memory."""
        name = self.engine.url.database
        if self.engine.dialect.name != "sqlite" or not name or not Path(name).is_file():
            return None
        return Path(name).stat().st_size

    def vacuum(self) -> None:
        """Give the room of what was removed back to the disk; other writers wait meanwhile."""
        with _our_errors(self.engine):
            if self.engine.dialect.name == "sqlite":
                connection = self.engine.raw_connection()
                try:
                    connection.cursor().execute("VACUUM")
                    # The file itself shrinks only when the journal is taken into it.
                    connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
                finally:
                    connection.close()
            else:
                with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as plain:
                    plain.execute(text("SET statement_timeout = 0"))  # it keeps nobody waiting
                    try:
                        plain.execute(text("VACUUM (ANALYZE) sample, sample_detail"))
                    finally:
                        plain.execute(text("RESET statement_timeout"))

    def close(self) -> None:
        self.engine.dispose()


@contextmanager
def _our_errors(engine: Engine) -> Iterator[None]:
    """SQLAlchemy's exceptions as ours, so that nobody outside this room needs to know it."""
    try:
        yield
    except (OperationalError, InterfaceError, InternalError, DisconnectionError, PoolTimeout) as error:
        raise StoreUnavailable(_out_of_reach(error, engine) or _said(error)) from error
    except DBAPIError as error:
        if _is_damage(error.orig):
            raise damaged(_said(error)) from error
        # What our role may not write today it may write once that is mended: it waits, and is told, and is not lost.
        later = error.connection_invalidated or getattr(error.orig, "sqlstate", None) == _NOT_ALLOWED
        raise (StoreUnavailable if later else StoreRefused)(_said(error)) from error
    except SQLAlchemyError as error:
        raise StoreRefused(_said(error)) from error
    except sqlite3.Error as error:  # a connection that could not be prepared: SQLAlchemy lets this one through
        if _is_damage(error):
            raise damaged(str(error)) from error
        raise StoreUnavailable(_out_of_reach(error, engine) or str(error)) from error


#: PostgreSQL's insufficient_privilege (appendix A of its manual).
_NOT_ALLOWED = "42501"
#: Result codes of SQLite that mean the file itself is broken.
_BROKEN = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_DAMAGED = (
    "The store's file is damaged ({said}). Nothing was written to it. Keep the file, put the last backup in its place "
    "with `loketwacht db restore FILE`, and check it with `loketwacht verify`; docs/runbooks.md says what to save."
)


def damaged(said: str) -> StoreDamaged:
    """What is told of a broken file, with the way back."""
    return StoreDamaged(_DAMAGED.format(said=said))


#: Per result code of SQLite what stands in the way of a file, and what to look at.
_IN_THE_WAY = {
    sqlite3.SQLITE_READONLY: "cannot be written",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened",
}


def _out_of_reach(error: Exception, engine: Engine) -> str | None:
    """Which file may not be opened or written, and how to mend it; None where that is not what SQLite says."""
    cause = getattr(error, "orig", None) or error
    what = _IN_THE_WAY.get(getattr(cause, "sqlite_errorcode", 0) & 0xFF)
    if what is None:
        return None
    file = Path(str(engine.url.database)).absolute()
    return (
        f"The store {file} {what} ({cause}). Its file system may be read-only (`findmnt -T {file.parent}`), or the "
        f"file or its folder may be another user's (`ls -ld {file.parent} {file}`). Mend that, and start again."
    )


def _is_damage(error: object) -> bool:
    return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF in _BROKEN


def _said(error: SQLAlchemyError) -> str:
    # Only the engine's own sentence: SQLAlchemy's text would carry the values, and those may be somebody's data.
    origin = getattr(error, "orig", None)
    return str(origin if origin is not None else type(error).__name__).strip().splitlines()[0]


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by _begin_sqlite, not guessed by the driver
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "recursive_triggers = ON",  # without it INSERT OR REPLACE slips past the triggers that refuse deletion
    ):
        connection.execute(f"PRAGMA {pragma}")


def _hasten_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.execute("PRAGMA synchronous = OFF")


def _begin_sqlite(connection: Connection) -> None:
    reads = connection.get_execution_options().get(_READ, False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config


@cache
def _revisions() -> tuple[str | None, frozenset[str]]:
    """The newest schema this version knows, and all of them; they change with the program only."""
    script = ScriptDirectory.from_config(_config())
    return script.get_current_head(), frozenset(revision.revision for revision in script.walk_revisions())


def _check_version(engine: Engine, *, migrate: bool) -> None:
    head, known = _revisions()
    with engine.begin() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
        if found == head:
            return
        if found is not None and found not in known:
            raise SchemaUnknown(
                f"The store has schema {found}, which this version does not know (it knows up to "
                f"{head}). Start the version that wrote it, or restore a backup made before."
            )
        if not migrate:
            raise SchemaUnknown(
                f"The store has schema {found or 'none'}, this version needs {head}. "
                "Run `loketwacht db upgrade` after a backup."
            )
        if connection.dialect.name == "postgresql":
            connection.execute(_MIGRATES_LONG)
            # Two processes that start at once: the second waits, and then finds the work done.
            connection.execute(_MIGRATING)
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
