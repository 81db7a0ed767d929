"""A store of every earlier schema comes up to date with all it held, on both engines."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, MetaData, create_engine, select, text

from monitor.incidents import Incident
from monitor.store import incidents, ledger, outbox, samples
from monitor.store.database import Database
from monitor.store.tables import metadata
from probes.sample import Sample
from sla.ledger import Entry, Sealed, first_broken
from tests.heart import Office, at
from tests.old_schemas import FILES, alembic

SQLITE = [path for path in FILES if ".sqlite." in path.name]
POSTGRESQL = [path for path in FILES if ".postgresql." in path.name]


def held(connection: Any, tables: list[str]) -> dict[str, dict[str, object]]:
    """The one row of each table, by column."""
    found = {}
    for table in tables:
        cursor = connection.execute(f"SELECT * FROM {table}")
        rows = cursor.fetchall()
        assert len(rows) == 1, table
        found[table] = dict(zip((column[0] for column in cursor.description), rows[0], strict=True))
    return found


def comes_up_to_date(url: str, before: dict[str, dict[str, object]], after: dict[str, dict[str, object]]) -> None:
    for table, row in before.items():
        assert {name: after[table][name] for name in row} == row, table
    with closing(Database.open(url, migrate=False)) as database, database.read() as tx:
        assert first_broken(ledger.read(tx)) is None


def test_no_earlier_schema_is_forgotten_on_either_engine() -> None:
    """Whoever adds a migration finds here that `python -m tests.old_schemas` was not run before."""
    script = ScriptDirectory.from_config(alembic())
    earlier = {one.revision for one in script.walk_revisions()} - {script.get_current_head()}
    for files in (SQLITE, POSTGRESQL):
        assert earlier - {path.name[:4] for path in files} == set()


@pytest.mark.parametrize("schema", SQLITE, ids=lambda path: path.name[:4])
def test_a_file_of_an_earlier_schema_keeps_all_it_held(tmp_path: Path, schema: Path) -> None:
    file = tmp_path / "old.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(schema.read_text(encoding="utf-8"))
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        tables = [name for (name,) in names if name != "alembic_version" and not name.startswith("sqlite_")]
        before = held(connection, tables)
    Database.open(f"sqlite:///{file}").close()
    with closing(sqlite3.connect(file)) as connection:
        after = held(connection, tables)
    comes_up_to_date(f"sqlite:///{file}", before, after)


@pytest.mark.postgres
@pytest.mark.parametrize("schema", POSTGRESQL, ids=lambda path: path.name[:4])
def test_a_server_of_an_earlier_schema_keeps_all_it_held(postgres_url: str, schema: Path) -> None:
    with psycopg.connect(postgres_url) as connection:
        connection.execute(schema.read_text(encoding="utf-8").encode())
    with psycopg.connect(postgres_url) as connection:
        names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        tables = [name for (name,) in names if name != "alembic_version"]
        before = held(connection, tables)
    Database.open(postgres_url).close()
    with psycopg.connect(postgres_url) as connection:
        after = held(connection, tables)
    comes_up_to_date(postgres_url, before, after)


# -- what was really measured and told, read by our own readers -------------------------------------------------------


@dataclass(frozen=True)
class Read:
    """What the readers make of a store's content: that of the journey, its incident and its mails, and the ledger."""

    samples: tuple[Sample, ...]
    incidents: tuple[Incident, ...]
    messages: tuple[outbox.Queued, ...]
    ledger: tuple[Sealed, ...]


def _as_before(queued: outbox.Queued) -> outbox.Queued:
    """Without what only newer schemas keep of a reader: which server took it, and when it was first tried."""
    return replace(queued, readers=tuple(replace(one, server="", tried_us=None) for one in queued.readers))


def _judged_before(incident: Incident) -> Incident:
    """Without what only newer schemas keep of an incident: how bad it was, and where it came from."""
    return replace(incident, severity=None, cause=None)


def read(database: Database) -> Read:
    with database.read() as tx:
        found = tuple(samples.between(tx, "indienen", "lokaal", 0, 2**62))
        ids = dict.fromkeys(row.id for row in tx.execute(text("SELECT id FROM incident WHERE id LIKE 'indienen-%'")))
        known = tuple(_judged_before(one) for one in (incidents.get(tx, name) for name in ids) if one is not None)
        messages = tuple(_as_before(queued) for name in ids for queued in outbox.read(tx, incident_id=name))
        return Read(found, known, messages, tuple(ledger.read(tx)))


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Database:
    """A store as today's monitor leaves it: an outage from its first failure to the mail about its end, a decision."""
    folder = tmp_path_factory.mktemp("lived")
    database = Database.open(f"sqlite:///{folder / 'now.db'}", durable=False)
    with database.begin() as tx:
        # The same entry as every earlier schema holds, so that what follows has its place in their chain too.
        ledger.append(tx, Entry(kind="user-report", recorded_us=1, by="ops", reason="één melding", from_us=1))
        decided = Entry(
            kind="exclusion", recorded_us=at("09:00"), by="An Maes", reason="Storm: stroom weg in heel Gent",
            from_us=at("10:02"), until_us=at("10:05"), scope=("indienen",),
            data={"ground": "force-majeure", "evidence": "KMI"},
        )  # fmt: skip
        ledger.append(tx, decided)
    Office(database=database).live("..XXX..~?.")
    return database


def carried_over(lived: Database, engine: Engine) -> None:
    """The rows of today's store put into an earlier one, each with the columns that there were."""
    then = MetaData()
    then.reflect(engine)
    with lived.read() as now, engine.begin() as old:
        for table in then.sorted_tables:
            if table.name == "alembic_version" or table.name not in metadata.tables:
                continue
            today = metadata.tables[table.name]
            both = [column.name for column in table.columns if column.name in today.columns]
            rows = now.execute(select(*(today.c[name] for name in both))).mappings().all()
            kept = [dict(row) for row in rows if table.name != "ledger" or row["seq"] > 1]
            for number, row in enumerate(kept):
                if table.name == "event":
                    row["id"] = 1_000 + number  # the earlier store has events of its own
            if kept:
                old.execute(table.insert(), kept)


def opened_and_read(url: str) -> Read:
    with closing(Database.open(url)) as database:
        return read(database)


def test_there_is_something_to_carry_over(lived: Database) -> None:
    found = read(lived)
    assert (len(found.samples), len(found.incidents), len(found.ledger)) == (10, 1, 2)
    assert [message.kind.value for message in found.messages] == ["recovered", "opened"]


@pytest.mark.parametrize("schema", SQLITE, ids=lambda path: path.name[:4])
def test_our_own_readers_find_what_was_measured_and_told_in_an_upgraded_file(
    tmp_path: Path, schema: Path, lived: Database
) -> None:
    file = tmp_path / "old.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(schema.read_text(encoding="utf-8"))
    engine = create_engine(f"sqlite:///{file}")
    carried_over(lived, engine)
    engine.dispose()
    assert opened_and_read(f"sqlite:///{file}") == read(lived)


@pytest.mark.postgres
@pytest.mark.parametrize("schema", POSTGRESQL, ids=lambda path: path.name[:4])
def test_our_own_readers_find_what_was_measured_and_told_on_an_upgraded_server(
    postgres_url: str, schema: Path, lived: Database
) -> None:
    with psycopg.connect(postgres_url) as connection:
        connection.execute(schema.read_text(encoding="utf-8").encode())
    engine = create_engine(postgres_url.replace("postgresql://", "postgresql+psycopg://"))
    carried_over(lived, engine)
    engine.dispose()
    assert opened_and_read(postgres_url) == read(lived)
