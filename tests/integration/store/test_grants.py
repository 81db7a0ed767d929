"""An outpost's role in PostgreSQL: it can do all of an outpost's work, speaks for no other location, alters nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import quote

import psycopg
import pytest
from sqlalchemy import text

from monitor.check_run import Finding, Recorder, note_stopped, take_in
from monitor.created import Stage, Thing
from monitor.incidents import MONITOR, IncidentRule
from monitor.store import created, days, events, handed_in, incidents, ledger, outposts
from monitor.store.database import Database, StoreUnavailable, directly
from monitor.store.events import Event
from monitor.store.grants import for_outpost
from monitor.store.outposts import Presence
from probes.sample import Sample
from sla.ledger import Entry
from tests.bundles import proven
from tests.heart import DAY, INDIENEN, MINUTE, Office, a_sample, at, run

pytestmark = pytest.mark.postgres

GENT = "gent"
ROLE = f'Buitenpost "gent" {os.getpid()}'


@pytest.fixture
def office(copied_url: str) -> Iterator[Office]:
    """The monitor, which owns the tables."""
    database = Database.open(copied_url)
    yield Office(database=database, rule=IncidentRule(open_after=1))
    database.close()


@pytest.fixture
def outpost(office: Office, copied_url: str) -> Iterator[Database]:
    """The store as an outpost of Gent reaches it, before anything was granted."""
    name = '"' + ROLE.replace('"', '""') + '"'
    with psycopg.connect(copied_url, autocommit=True) as owner:
        owner.execute(f"CREATE ROLE {name} LOGIN".encode())
    at_gent = copied_url.replace("//loketwacht@", f"//{quote(ROLE)}@")
    try:
        with psycopg.connect(copied_url, autocommit=True) as owner:
            owner.execute(f"GRANT SELECT ON alembic_version TO {name}".encode())
        database = Database.open(at_gent, migrate=False)
        yield database
        database.close()
    finally:
        with psycopg.connect(copied_url, autocommit=True) as owner:
            owner.execute(f"DROP OWNED BY {name}".encode())
            owner.execute(f"DROP ROLE {name}".encode())


def granted(office: Office) -> None:
    for _ in range(2):  # a second time changes nothing
        for statement in for_outpost(ROLE, GENT):
            with office.database.begin() as tx:
                tx.execute(text(statement.replace(":", r"\:")))


def recorder(office: Office, outpost: Database) -> Recorder:
    return Recorder(
        database=outpost, in_store=directly, clock=office.clock, observer=office.told, gather_us=0, hands_in=True
    )


def finding(office: Office, sample: Sample) -> Finding:
    return Finding(check=INDIENEN, sample=sample, alerting=office.alerting)


def test_it_does_all_that_an_outpost_does(office: Office, outpost: Database) -> None:
    granted(office)
    writes = recorder(office, outpost)
    run(writes.record(finding(office, a_sample(".", at("10:00") - DAY, location=GENT))))
    assert days.fold(office.database, until_us=at("00:00")) == 1
    run(writes.record(finding(office, a_sample(".", at("10:01") - DAY, location=GENT))))  # the day is folded anew
    run(writes.record(finding(office, proven(a_sample("x", at("10:00"), location=GENT)))))
    run(writes.record(Event(at_us=at("10:00"), kind="missed-slots", check_id=INDIENEN.id, data={"count": 1})))
    thing = Thing(
        id="run-1.maken", check_id=INDIENEN.id, step="maken", what="project", run_id="run-1",
        run_time="2026-11-24T12:00:00Z", created_us=5, due_us=10,
    )  # fmt: skip
    with outpost.begin() as tx:
        created.add(tx, thing)
        created.save(tx, replace(thing, stage=Stage.MADE))
        outposts.note(tx, Presence(location=GENT, seen_us=1, version="1", config_sha256="0" * 64))
        outposts.note(tx, Presence(location=GENT, seen_us=2, version="1", config_sha256="0" * 64))
    assert note_stopped(outpost, (INDIENEN,), office.alerting, location=GENT, now_us=at("10:01"))
    assert (office.told.lost, office.told.store_failures) == (0, 0)
    office.now_us = at("10:02")
    assert take_in(office.database, {INDIENEN.id: INDIENEN}, office.alerting, now_us=office.now_us)
    office.deliver()
    assert office.words() == ["MONITOR", "STORING", "MONITOR"]  # stands still, fails, is measured again
    with office.database.read() as tx:
        assert incidents.open_of(tx, INDIENEN.id) is not None
        assert len(list(events.read(tx, 0, 2**62, kinds=("missed-slots",)))) == 1


def another_location(tx: object) -> None:
    handed_in.add(tx, a_sample(".", at("10:05"), location="lokaal"))  # type: ignore[arg-type]


def an_entry(tx: object) -> None:
    ledger.append(tx, Entry(kind="maintenance", recorded_us=1, by="Gent", reason="zomaar"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    [
        another_location,
        an_entry,
        lambda tx: tx.execute(text("UPDATE sample SET outcome = 'up'")),
        lambda tx: tx.execute(text("DELETE FROM sample")),
        lambda tx: tx.execute(text("DELETE FROM handed_in")),
        lambda tx: tx.execute(text("DELETE FROM event")),
        lambda tx: tx.execute(text("UPDATE outpost SET location = 'lokaal'")),
        lambda tx: tx.execute(text("DELETE FROM report")),
        lambda tx: events.add(tx, Event(at_us=1, kind="pause", data={"by": "Gent"})),  # type: ignore[arg-type]
        lambda tx: tx.execute(text("DROP TABLE sample")),
    ],
    ids=["another location", "ledger", "change", "remove", "handed in", "event", "presence", "report", "pause", "drop"],
)
def test_it_alters_nothing_and_speaks_for_no_other_location(
    office: Office, outpost: Database, wrong: Callable[[object], object]
) -> None:
    granted(office)
    with outpost.begin() as tx:
        outposts.note(tx, Presence(location=GENT, seen_us=1, version="1", config_sha256="0" * 64))
    with pytest.raises(StoreUnavailable), outpost.begin() as tx:
        wrong(tx)


TO_SOMEBODY = "INSERT INTO message_recipient (message_id, address, name, state, answer) "


@pytest.mark.parametrize(
    "wrong",
    [
        "UPDATE message SET content = '{}'",
        "UPDATE message SET state = 'sent'",
        "UPDATE message_recipient SET state = 'sent'",
        "DELETE FROM message_recipient",
        "DELETE FROM message",
        "INSERT INTO message (id, thread, number, kind, language, created_us, content, state, attempts, due_us, "
        "lease_until_us, lease_owner) VALUES ('mine', 'mine', 0, 'opened', 'nl', 1, '{}', 'pending', 0, 1, 0, '')",
        TO_SOMEBODY + "SELECT id, 'elsewhere@example.be', '', 'pending', '' FROM message WHERE kind <> 'monitor'",
        TO_SOMEBODY + "SELECT id, 'elsewhere@example.be', '', 'sent', '' FROM message WHERE kind = 'monitor'",
        "UPDATE incident SET until_us = 1",
        "UPDATE incident SET failure = '{}', since_us = 1",
        "DELETE FROM incident",
        "INSERT INTO incident (id, check_id, since_us, confirmed_us, last_bad_us, failure, reminders) "
        "VALUES ('mine', 'inzage', 1, 1, 1, '{}', 0)",
        "INSERT INTO incident_state VALUES ('inzage', '{}')",
        "DELETE FROM incident_state",
    ],
)
def test_what_was_queued_and_what_is_an_incident_is_not_its_to_change(
    office: Office, outpost: Database, wrong: str
) -> None:
    granted(office)
    office.live("xx", mail=False)
    assert note_stopped(outpost, (INDIENEN,), office.alerting, location=GENT, now_us=at("10:05"))
    with pytest.raises(StoreUnavailable, match=r"permission denied|row-level security"), outpost.begin() as tx:
        tx.execute(text(wrong))


def test_what_it_says_of_the_incident_of_a_check_reaches_no_row(office: Office, outpost: Database) -> None:
    granted(office)
    office.live("xx", mail=False)
    with outpost.begin() as tx:
        assert tx.execute(text("UPDATE incident SET last_bad_us = 1")).rowcount == 0
        assert tx.execute(text("UPDATE incident_state SET state = '{}'")).rowcount == 0
    assert note_stopped(outpost, (INDIENEN,), office.alerting, location=GENT, now_us=at("10:05"))
    assert note_stopped(outpost, (INDIENEN,), office.alerting, location=GENT, now_us=at("10:06"))  # it goes on
    with office.database.read() as tx:
        assert {one.check_id: one.last_bad_us for one in incidents.read(tx)} == {
            INDIENEN.id: at("10:01"),
            MONITOR: at("10:06"),
        }


def test_what_it_may_not_store_yet_waits_and_is_not_lost(office: Office, outpost: Database) -> None:
    writes = recorder(office, outpost)
    run(writes.record(finding(office, a_sample(".", at("10:00"), location=GENT))))
    assert (writes.behind, office.told.lost) == (1, 0)
    granted(office)
    office.now_us += MINUTE
    run(writes.record(finding(office, a_sample(".", at("10:01"), location=GENT))))
    assert writes.behind == 0
    with office.database.read() as tx:
        assert tx.execute(text("SELECT count(*) FROM sample")).scalar_one() == 2
