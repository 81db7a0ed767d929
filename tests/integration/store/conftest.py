"""The same tests on both engines. PostgreSQL is a private cluster, and visibly skipped where it is not installed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

from monitor.store.database import Database
from tests.heart import Office
from tests.new_store import new_store
from tests.postgres_server import binaries, cluster

_numbers = count()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    programs = binaries()
    if programs is None:
        pytest.skip("Debian's postgresql is not installed")
    with cluster(programs) as url:
        yield url


@pytest.fixture(scope="session")
def migrated(postgres: str) -> str:
    """The name of a database that all migrations made, for others to be copied from."""
    name = created(postgres, "migrated")
    Database.open(postgres.format(name=name)).close()
    return name


def created(postgres: str, name: str, template: str = "template1") -> str:
    with psycopg.connect(postgres.format(name="postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
    return name


@pytest.fixture
def postgres_url(postgres: str) -> str:
    """A database of its own in the private cluster, in which nothing was made yet."""
    return postgres.format(name=created(postgres, f"bare{next(_numbers)}"))


@pytest.fixture
def copied_url(postgres: str, migrated: str) -> str:
    """A database of its own in the private cluster, as the migrations make it."""
    return postgres.format(name=created(postgres, f"new{next(_numbers)}", migrated))


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def bare_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a store could be made."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'bare.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new store as the migrations make it; copied, because making it anew would take longer than most tests."""
    if request.param == "sqlite":
        new_store(tmp_path / "loketwacht.db").close()
        return f"sqlite:///{tmp_path / 'loketwacht.db'}"
    return str(request.getfixturevalue("copied_url"))


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = Database.open(url, durable=False)
    yield opened
    opened.close()


@pytest.fixture
def office(database: Database) -> Office:
    return Office(database=database)
