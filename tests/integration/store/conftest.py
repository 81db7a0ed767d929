"""The same tests on both engines. PostgreSQL is a private cluster, and visibly skipped where it is not installed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import psycopg
import pytest

from monitor.store.database import Database
from tests.heart import Office
from tests.postgres_server import binaries, cluster

_numbers = count()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    programs = binaries()
    if programs is None:
        pytest.skip("Debian's postgresql is not installed")
    with cluster(programs) as url:
        yield url


@pytest.fixture
def postgres_url(postgres: str) -> str:
    """A database of its own in the private cluster."""
    name = f"test{next(_numbers)}"
    with psycopg.connect(postgres.format(name="postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return postgres.format(name=name)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{request.getfixturevalue('tmp_path') / 'loketwacht.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = Database.open(url, durable=False)
    yield opened
    opened.close()


@pytest.fixture
def office(database: Database) -> Office:
    return Office(database=database)
