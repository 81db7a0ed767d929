"""A PostgreSQL that works on a statement for too long counts as a store that is away: what waits is tried again."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic

import psycopg
import pytest
from sqlalchemy import text

from monitor.check_run import Finding
from monitor.store import samples
from monitor.store.database import Database, StoreUnavailable
from tests.heart import INDIENEN, Office, a_sample, at, run

pytestmark = pytest.mark.postgres

#: A disk that hardly answers any more: whoever stores a sample waits for ten seconds.
_SLOW = """
CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(10); RETURN NEW; END $$;
CREATE TRIGGER slowly BEFORE INSERT ON sample FOR EACH ROW EXECUTE FUNCTION slowly();
"""


@pytest.fixture
def office(copied_url: str) -> Iterator[Office]:
    database = Database.open(copied_url, statement_timeout_us=500_000)
    yield Office(database=database)
    database.close()


def test_what_takes_too_long_is_ended_by_the_server_and_the_store_goes_on(office: Office) -> None:
    began = monotonic()
    for opened in (office.database.read, office.database.begin):
        with pytest.raises(StoreUnavailable, match="statement timeout"), opened() as tx:
            tx.execute(text("SELECT pg_sleep(10)"))
    assert monotonic() - began < 8
    assert office.database.writable()


def test_a_sample_that_the_store_takes_too_slowly_waits_and_is_stored_once_it_takes_it(
    office: Office, copied_url: str
) -> None:
    recorder = office.recorder()
    with psycopg.connect(copied_url, autocommit=True) as owner:
        owner.execute(_SLOW)
        run(recorder.record(Finding(check=INDIENEN, sample=a_sample("x", at("10:00")), alerting=office.alerting)))
        assert (recorder.behind, office.told.lost, office.told.store_failures) == (1, 0, 1)
        owner.execute("DROP TRIGGER slowly ON sample")
    assert run(recorder.drain())
    with office.database.read() as tx:
        assert samples.number_between(tx, "indienen", "lokaal", 0, at("23:00")) == 1
    assert (recorder.waiting, office.told.lost) == (0, 0)


def test_migrating_takes_the_time_it_takes(postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as owner:
        owner.execute(
            "CREATE FUNCTION slowly() RETURNS event_trigger LANGUAGE plpgsql AS "
            "$$ BEGIN IF to_regclass('alembic_version') IS NULL THEN PERFORM pg_sleep(1.5); END IF; END $$;"
        )
        owner.execute("CREATE EVENT TRIGGER slowly ON ddl_command_start EXECUTE FUNCTION slowly()")
    database = Database.open(postgres_url, statement_timeout_us=1_000_000)
    assert database.writable()
    with database.read() as tx:
        assert tx.execute(text("SELECT current_setting('statement_timeout')")).scalar() == "1s"
    database.vacuum()
    with database.read() as tx:
        assert tx.execute(text("SELECT current_setting('statement_timeout')")).scalar() == "1s"
    database.close()
