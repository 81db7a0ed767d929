"""What the store promises, on both engines."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from monitor.incidents import Opened
from monitor.store import events, evidence, incidents, ledger, reports, samples
from monitor.store.database import Database, SchemaUnknown, StoreRefused
from monitor.store.tables import metadata
from probes.sample import (
    Answered,
    CertificateFacts,
    Evidence,
    Failure,
    FailureKind,
    Outcome,
    Phases,
    Reached,
    Sample,
    StepOutcome,
    StepResult,
)
from sla.ledger import Entry, first_broken
from tests.heart import BROKEN, DAY, MINUTE, a_sample, at, samples_of

FULL = Sample(
    check_id="indienen",
    location="lokaal",
    slot_us=at("10:00"),
    started_us=at("10:00") + 17,
    duration_us=812_345,
    outcome=Outcome.DOWN,
    run_id="0123456789abcdef",
    failure=BROKEN,
    attempts=2,
    lag_us=3,
    steps=(
        StepResult(
            step="start",
            outcome=StepOutcome.OK,
            duration_us=500,
            phases=Phases(resolve_us=1, connect_us=2, tls_us=3, processing_us=4, transfer_us=5),
            status=200,
            body_bytes=1234,
            assertions=3,
        ),
        StepResult(
            step="verzenden",
            outcome=StepOutcome.FAILED,
            duration_us=700,
            status=500,
            urls=("http://127.0.0.1/a", "http://127.0.0.1/b"),
            failure=BROKEN,
        ),
        StepResult(step="uit", outcome=StepOutcome.SKIPPED),
    ),
    certificate=CertificateFacts(
        host="h",
        not_before_us=1,
        not_after_us=2,
        earliest_not_after_us=2,
        fingerprint_sha256="ab" * 32,
        subject="CN=h",
        issuer="CN=é",
        serial="0012",
        names=("h", "*.h"),
        tls_version="TLSv1.3",
        cipher="c",
    ),
    reached=Reached(
        kind="name",
        address="::1",
        phases=Phases(processing_us=4),
        answered=Answered(
            code="NOERROR",
            records=("192.0.2.1", "é \U0001f600"),
            ttl_us=60_000_000,
            serial=2**32 - 1,
            authenticated=True,
            answers=2,
        ),
    ),
)


def keep(database: Database, *found: Sample) -> list[bool]:
    with database.begin() as tx:
        return [samples.add(tx, sample) for sample in found]


def refused(database: Database, statement: str) -> str:
    with pytest.raises(StoreRefused) as caught, database.begin() as tx:
        tx.execute(sa.text(statement))
    return str(caught.value)


def test_a_sample_comes_back_as_it_was(database):
    keep(database, FULL)
    with database.read() as tx:
        assert samples.read(tx, "indienen", "lokaal", at("10:00")) == FULL


def test_a_blip_comes_back_with_the_good_sample(database):
    blip = replace(a_sample(".", at("10:00")), blip=BROKEN, attempts=2)
    keep(database, blip)
    with database.read() as tx:
        assert samples.read(tx, "indienen", "lokaal", at("10:00")) == blip


def test_a_slot_keeps_its_first_sample_and_says_so(database):
    first, second = a_sample(".", at("10:00")), a_sample("x", at("10:00"))
    assert keep(database, first, second) == [True, False]
    with database.read() as tx:
        assert samples.read(tx, "indienen", "lokaal", at("10:00")) == first


def test_evidence_with_any_character_can_be_kept(database):
    kept = Evidence(
        step="verzenden",
        request="GET /\x00",
        response_head="HTTP/1.1 500",
        body="half a pair \ud800, nul \x00, é",
        body_truncated=True,
        body_sha256="cd" * 32,
        addresses=("127.0.0.1", "::1"),
    )
    failure = Failure(kind=FailureKind.BODY, found="nul \x00 \U0001f600")
    keep(database, replace(a_sample("x", at("10:00")), evidence=(kept,), failure=failure))
    with database.read() as tx:
        [found] = evidence.read(tx, "indienen", "lokaal", at("10:00"))
        sample = samples.read(tx, "indienen", "lokaal", at("10:00"))
    assert found == replace(kept, request="GET /\ufffd", body="half a pair ?, nul \ufffd, é")
    assert sample is not None
    assert sample.failure == failure


@pytest.mark.parametrize("table", ["sample", "sample_detail", "evidence", "ledger"])
def test_what_was_recorded_cannot_be_changed_or_removed(database, table):
    shown = Evidence(step="s", request="", response_head="", body="", body_truncated=False, body_sha256=None)
    keep(database, replace(FULL, evidence=(shown,)))
    with database.begin() as tx:
        ledger.append(tx, Entry(kind="exclusion", recorded_us=1, by="a", reason="b"))
    column = "seq" if table == "ledger" else "slot_us"
    assert "append-only" in refused(database, f"UPDATE {table} SET {column} = {column} + 1")
    assert "append-only" in refused(database, f"DELETE FROM {table}")


def test_replacing_a_row_in_sqlite_does_not_slip_past_the_refusal(tmp_path):
    """INSERT OR REPLACE deletes without triggers, unless recursive_triggers is on."""
    database = Database.open(f"sqlite:///{tmp_path / 'x.db'}")
    keep(database, FULL)
    assert "append-only" in refused(database, "INSERT OR REPLACE INTO sample SELECT * FROM sample")
    database.close()


def test_the_latest_samples_are_found_for_a_restart(database):
    keep(database, *samples_of("..x"), a_sample(".", at("09:00"), "inzage"))
    with database.read() as tx:
        last = samples.last(tx, ["indienen", "inzage", "nooit"], "lokaal")
        newest = samples.latest(tx, "indienen", "lokaal", limit=2, before_us=at("10:02"))
    assert {name: sample.slot_us for name, sample in last.items()} == {"indienen": at("10:02"), "inzage": at("09:00")}
    assert [sample.slot_us for sample in newest] == [at("10:01"), at("10:00")]


def test_a_period_is_read_in_order_and_half_open(database):
    keep(database, *reversed(samples_of("..x?~")))
    with database.read() as tx:
        rows = list(samples.stream(tx, ["indienen", "nooit"], at("10:01"), at("10:04")))
    assert [(row.slot_us, row.outcome.value, row.failure_kind) for row in rows] == [
        (at("10:01"), "up", None),
        (at("10:02"), "down", FailureKind.HTTP_STATUS),
        (at("10:03"), "unknown", FailureKind.REFERENCE),
    ]


def test_durations_of_a_step_are_read_for_response_times(database):
    keep(database, FULL)
    with database.read() as tx:
        read = {s: list(samples.stream_step(tx, "indienen", s, 0, at("11:00"))) for s in ("start", "verzenden", "uit")}
    assert [(row.duration_us, row.outcome) for row in read["start"]] == [(500, StepOutcome.OK)]
    assert [row.outcome for row in read["verzenden"]] == [StepOutcome.FAILED]
    assert read["uit"] == []


def test_days_are_counted_between_the_midnights_the_caller_names(database):
    keep(database, *samples_of("..x", start="22:58"), *samples_of("?~", start="23:01"))
    edges = [at("00:00"), at("23:00"), at("23:00") + DAY, at("23:00") + 2 * DAY]
    with database.read() as tx:
        found = samples.counts(tx, ["indienen"], "lokaal", edges)
    assert [tuple(day)[1:] for day in found] == [(at("00:00"), 2, 0, 0, 0), (at("23:00"), 0, 1, 1, 1)]


def test_a_state_that_was_never_saved_is_healthy(database):
    with database.read() as tx:
        assert incidents.load(tx, "indienen").kind == "healthy"


def test_a_check_has_at_most_one_open_incident(database):
    """T48: whatever two processes believe."""
    first = Opened(incident_id="a", since_us=1, confirmed_us=2, failure=BROKEN)
    with database.begin() as tx:
        incidents.record(tx, "indienen", first)
        incidents.record(tx, "inzage", replace(first, incident_id="b"))
    with pytest.raises(StoreRefused), database.begin() as tx:
        incidents.record(tx, "indienen", replace(first, incident_id="c"))


def test_the_ledger_chains_what_is_appended(database):
    with database.begin() as tx:
        for number in range(3):
            ledger.append(tx, Entry(kind="exclusion", recorded_us=number, by="a", reason="b", data={"é": "ü"}))
    with database.read() as tx:
        entries = list(ledger.read(tx))
    assert [sealed.seq for sealed in entries] == [1, 2, 3]
    assert first_broken(entries) is None


def test_two_writers_never_fork_the_ledger(database):
    def write() -> None:
        for number in range(10):
            with database.begin() as tx:
                ledger.append(tx, Entry(kind="exclusion", recorded_us=number, by="a", reason="b"))

    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as tx:
        entries = list(ledger.read(tx))
    assert len(entries) == 30
    assert first_broken(entries) is None


def test_maintenance_in_force_is_found_by_instant(database):
    window = Entry(kind="maintenance", recorded_us=1, by="a", reason="b", from_us=at("10:00"), until_us=at("11:00"))
    with database.begin() as tx:
        ledger.append(tx, window)
        ledger.append(tx, replace(window, until_us=at("10:30"), supersedes=1))
    with database.read() as tx:
        at_each = [
            [sealed.seq for sealed in ledger.in_force(tx, "maintenance", at(when))]
            for when in ("09:59:59", "10:00", "10:29:59", "10:30")
        ]
    assert at_each == [[], [2], [2], []]


def test_events_are_read_back_in_order(database):
    happened = [
        events.Event(at_us=5, kind="start", data={"version": "0.1.0"}),
        events.Event(at_us=7, kind="missed-slots", check_id="indienen", data={"count": 3, "late": True}),
    ]
    with database.begin() as tx:
        for one in happened:
            events.add(tx, one)
    with database.read() as tx:
        assert list(events.read(tx, 0, 100)) == happened
        assert list(events.read(tx, 6, 100, kinds=("start",))) == []
        assert events.last(tx, "start") == happened[0]


def test_the_automatic_report_of_a_month_exists_once(database):
    """T18: whatever fires twice, one report leaves."""
    issued = reports.Issued(
        contract="C",
        period="2026-10",
        number=1,
        automatic=True,
        issued_us=1,
        ledger_head="",
        sha256="ab",
        files={"json": "r.json"},
    )
    with database.begin() as tx:
        added = [
            reports.add(tx, issued),
            reports.add(tx, replace(issued, number=2)),
            reports.add(tx, replace(issued, number=2, automatic=False)),
        ]
    assert added == [True, False, True]
    with database.read() as tx:
        assert reports.next_number(tx, "C", "2026-10") == 3
        assert reports.read(tx, contract="C")[0] == issued


def test_a_transaction_that_fails_leaves_nothing(database):
    with pytest.raises(KeyError), database.begin() as tx:
        samples.add(tx, FULL)
        raise KeyError
    with database.read() as tx:
        assert samples.read(tx, "indienen", "lokaal", at("10:00")) is None


def test_a_reader_sees_one_state_throughout(database):
    with database.read() as tx:
        before = samples.number_between(tx, "indienen", "lokaal", 0, at("12:00"))
        keep(database, FULL)
        after = samples.number_between(tx, "indienen", "lokaal", 0, at("12:00"))
    assert (before, after) == (0, 0)


def test_migrations_and_tables_say_the_same(database):
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_opening_again_changes_nothing(database, url):
    keep(database, FULL)
    again = Database.open(url)
    with again.read() as tx:
        assert samples.read(tx, "indienen", "lokaal", at("10:00")) == FULL
    again.close()


def test_a_store_of_a_newer_version_is_refused(database, url):
    with database.begin() as tx:
        tx.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaUnknown, match="9999"):
        Database.open(url)


def test_a_store_that_is_not_up_to_date_is_refused_where_nothing_may_change(bare_url):
    with pytest.raises(SchemaUnknown, match="none"):
        Database.open(bare_url, migrate=False)


def test_a_store_that_is_not_there_is_made(bare_url):
    database = Database.open(bare_url)
    keep(database, FULL)
    with database.read() as tx:
        assert samples.read(tx, "indienen", "lokaal", at("10:00")) == FULL
    database.close()


@pytest.mark.parametrize(("durable", "synchronous"), [(True, 2), (False, 0)])
def test_a_file_is_written_through_to_the_disk_unless_told_otherwise(tmp_path, durable, synchronous):
    database = Database.open(f"sqlite:///{tmp_path / 'x.db'}", durable=durable)
    with database.read() as tx:
        found = [tx.execute(sa.text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "synchronous")]
    assert found == ["wal", synchronous]
    database.close()


def test_a_month_of_samples_is_read_in_slot_order(database):
    found = samples_of("." * 500)
    keep(database, *found)
    with database.read() as tx:
        slots = [row.slot_us for row in samples.stream(tx, ["indienen"], 0, at("23:59"))]
    assert slots == [at("10:00") + number * MINUTE for number in range(500)]
