"""A store of every earlier schema comes up to date with all it held, on both engines."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from monitor.store import ledger
from monitor.store.database import Database
from sla.ledger import first_broken
from tests.old_schemas import FILES

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


def test_there_are_earlier_schemas_for_both_engines() -> None:
    assert len(SQLITE) == len(POSTGRESQL) >= 6


@pytest.mark.parametrize("text", SQLITE, ids=lambda path: path.name[:4])
def test_a_file_of_an_earlier_schema_keeps_all_it_held(tmp_path: Path, text: Path) -> None:
    file = tmp_path / "old.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(text.read_text(encoding="utf-8"))
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        tables = [name for (name,) in names if name != "alembic_version" and not name.startswith("sqlite_")]
        before = held(connection, tables)
    Database.open(f"sqlite:///{file}").close()
    with closing(sqlite3.connect(file)) as connection:
        after = held(connection, tables)
    comes_up_to_date(f"sqlite:///{file}", before, after)


@pytest.mark.postgres
@pytest.mark.parametrize("text", POSTGRESQL, ids=lambda path: path.name[:4])
def test_a_server_of_an_earlier_schema_keeps_all_it_held(postgres_url: str, text: Path) -> None:
    with psycopg.connect(postgres_url) as connection:
        connection.execute(text.read_text(encoding="utf-8").encode())
    with psycopg.connect(postgres_url) as connection:
        names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        tables = [name for (name,) in names if name != "alembic_version"]
        before = held(connection, tables)
    Database.open(postgres_url).close()
    with psycopg.connect(postgres_url) as connection:
        after = held(connection, tables)
    comes_up_to_date(postgres_url, before, after)
