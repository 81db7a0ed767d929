"""Stores as earlier schemas left them, as SQL text: `python -m tests.old_schemas` writes those that are not there yet.

Every table of a schema holds one row, so that an upgrade that loses or changes one shows. What is written once stays.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, create_engine, types

from sla.ledger import Entry, seal
from tests.postgres_server import binaries, cluster

HERE = Path(__file__).parents[1]
FOLDER = HERE / "tests" / "data" / "schemas"
FILES = sorted(FOLDER.glob("*.sql"))


def alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE / "monitor/store/migrations"))
    return config


def make(url: str, revision: str) -> None:
    """An empty store of that schema, with one row in every table."""
    engine = create_engine(url)
    config = alembic()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    metadata = MetaData()
    metadata.reflect(engine)
    with engine.begin() as connection:
        for table in metadata.sorted_tables:
            if table.name not in ("alembic_version", "ledger"):
                connection.execute(table.insert(), {column.name: value(column.type) for column in table.columns})
        entry = Entry(kind="user-report", recorded_us=1, by="ops", reason="één melding", from_us=1)
        [sealed] = seal([entry])
        row: dict[str, Any] = {"seq": sealed.seq, "kind": entry.kind, "recorded_us": 1, "author": "ops"}
        row |= {"reason": entry.reason, "from_us": 1, "scope": "[]", "data": "{}"}
        connection.execute(metadata.tables["ledger"].insert(), row | {"previous": sealed.previous, "hash": sealed.hash})
    engine.dispose()


def value(kind: types.TypeEngine[Any]) -> object:
    if isinstance(kind, types.Boolean):
        return True
    if isinstance(kind, types.Integer):
        return 1
    return b"\x00\xff" if isinstance(kind, types.LargeBinary) else "é1"


def sqlite_text(revision: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        make(f"sqlite:///{folder}/old.db", revision)
        with closing(sqlite3.connect(f"{folder}/old.db")) as connection:
            return "\n".join(connection.iterdump()) + "\n"


def postgresql_text(revision: str, template: str) -> str:
    with psycopg.connect(template.format(name="postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE old{revision}".encode())
    url = template.format(name=f"old{revision}")
    make(url.replace("postgresql://", "postgresql+psycopg://"), revision)
    program = shutil.which("pg_dump") or "pg_dump"
    plain = ["--inserts", "--no-owner", "--no-privileges", "--no-comments"]
    said = subprocess.run([program, *plain, f"--dbname={url}"], check=True, capture_output=True, text=True).stdout
    return "\n".join(line for line in said.splitlines() if line and not line.startswith(("--", "\\"))) + "\n"


def main() -> None:
    script = ScriptDirectory.from_config(alembic())
    programs = binaries()
    assert programs is not None, "Debian's postgresql is not installed"
    FOLDER.mkdir(parents=True, exist_ok=True)
    with cluster(programs) as template:
        for revision in sorted(found.revision for found in script.walk_revisions()):
            if not (FOLDER / f"{revision}.sqlite.sql").exists():
                (FOLDER / f"{revision}.sqlite.sql").write_text(sqlite_text(revision), encoding="utf-8")
                (FOLDER / f"{revision}.postgresql.sql").write_text(
                    postgresql_text(revision, template), encoding="utf-8"
                )


if __name__ == "__main__":
    main()
