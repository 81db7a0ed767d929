"""The heart: run, re-run, ask the references, decide, save, tell; also while the store is away."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from monitor.check_run import Finding, run_check, save
from monitor.store import evidence, incidents, samples
from monitor.store.database import Database, StoreThread
from probes.checks import Check
from probes.sample import Evidence, FailureKind, Outcome, Sample
from tests.bundles import proven
from tests.heart import BROKEN, INDIENEN, INZAGE, MINUTE, SECOND, Office, a_sample, at, run

SHOWN = Evidence(step="verzenden", request="GET /", response_head="", body="", body_truncated=False, body_sha256=None)


def script(office: Office, marks: str, *, takes_us: int = SECOND) -> Callable[[Check, int], Awaitable[Sample]]:
    """Runs that end as the marks say, one after the other, and take that long."""
    left = list(marks)

    async def measure(check: Check, slot_us: int) -> Sample:
        office.now_us += takes_us
        sample = a_sample(left.pop(0), slot_us, check.id)
        return replace(sample, evidence=(SHOWN,)) if sample.outcome is Outcome.DOWN else sample

    measure.left = left  # type: ignore[attr-defined]
    return measure


async def answering() -> bool:
    return True


async def silent() -> bool:
    return False


def checked(office: Office, marks: str, *, references=answering, check: Check = INDIENEN, takes_us: int = SECOND):
    measure = script(office, marks, takes_us=takes_us)
    sample = run(
        run_check(
            check,
            office.now_us,
            measure=measure,
            references=references,
            alerting=office.alerting,
            recorder=office.recorder(),
            clock=office.clock,
            observer=office.told,
        )
    )
    assert measure.left == []
    return sample


def test_a_good_run_is_one_run(office):
    sample = checked(office, ".", references=None)
    with office.database.read() as tx:
        assert samples.read(tx, "indienen", "lokaal", sample.slot_us) == sample
    assert office.told.samples == [sample]


def test_a_failure_that_the_rerun_does_not_confirm_is_a_blip(office):
    """T35: kept and counted as up, with what proves the first failure."""
    sample = checked(office, "x.")
    assert (sample.outcome, sample.blip, sample.attempts) == (Outcome.UP, BROKEN, 2)
    with office.database.read() as tx:
        assert evidence.read(tx, "indienen", "lokaal", sample.slot_us) == (SHOWN,)
        assert incidents.read(tx) == ()


def test_a_portal_that_asks_to_come_back_later_is_spared_the_rerun_and_stays_down(office):
    measure = script(office, "x.")
    sample = run(
        run_check(
            INDIENEN, office.now_us, measure=measure, references=answering, alerting=office.alerting,
            recorder=office.recorder(), clock=office.clock, observer=office.told, spares=lambda: True,
        )
    )  # fmt: skip
    assert (sample.outcome, sample.attempts, measure.left) == (Outcome.DOWN, 1, ["."])


def test_a_blip_keeps_the_bundle_of_the_run_that_failed(office):
    runs = [proven(a_sample("x", office.now_us)), a_sample(".", office.now_us)]
    failed = runs[0]

    async def measure(check: Check, slot_us: int) -> Sample:
        return runs.pop(0)

    sample = run(
        run_check(
            INDIENEN, office.now_us, measure=measure, references=None, alerting=office.alerting,
            recorder=office.recorder(), clock=office.clock, observer=office.told,
        )
    )  # fmt: skip
    assert sample.bundles == failed.bundles
    with office.database.read() as tx:
        assert evidence.read(tx, "indienen", "lokaal", sample.slot_us) == failed.evidence


def test_a_confirmed_failure_opens_an_incident_in_its_own_slot(office):
    sample = checked(office, "xx")
    assert (sample.outcome, sample.attempts) == (Outcome.DOWN, 2)
    assert office.told.incidents == [("indienen", sample.slot_us)]
    assert len(office.queue()) == 1


def test_where_the_references_fail_too_the_fault_is_ours(office):
    """T1, T2: asked afresh after the failure, never before."""
    sample = checked(office, "xx", references=silent)
    assert (sample.outcome, sample.failure and sample.failure.kind) == (Outcome.UNKNOWN, FailureKind.REFERENCE)
    assert office.told.own_fault == [True]
    assert office.queue() == ()


def test_references_that_break_down_are_our_fault_too(office):
    """T30: a defect of ours is never the portal's outage."""

    async def broken() -> bool:
        raise RuntimeError("bug")

    sample = checked(office, "xx", references=broken)
    assert (sample.outcome, sample.failure and sample.failure.kind) == (Outcome.UNKNOWN, FailureKind.MONITOR)


def test_references_are_not_asked_about_a_good_run(office):
    async def asked() -> bool:
        raise AssertionError("nobody needs to know")

    assert checked(office, ".", references=asked).outcome is Outcome.UP


def test_a_rerun_that_would_overlap_the_next_slot_is_not_made(office):
    sample = checked(office, "x", takes_us=41 * SECOND)
    assert (sample.outcome, sample.attempts) == (Outcome.DOWN, 1)


def test_the_rerun_can_be_switched_off(office):
    office.rule = office.rule.model_copy(update={"rerun": False})
    assert checked(office, "x").attempts == 1


def test_a_slot_that_was_measured_already_changes_nothing(office):
    first = Finding(check=INDIENEN, sample=a_sample("X", at("10:00")), alerting=office.alerting)
    assert save(office.database, first, now_us=office.now_us) == (("indienen", at("10:00")),)
    assert save(office.database, first, now_us=office.now_us) == ()
    assert len(office.queue()) == 1


def test_a_finding_the_store_refuses_still_leaves_its_measurement(office):
    """T48: another process opened an incident of this check meanwhile."""
    office.live("X")
    with office.database.begin() as tx:
        incidents.save(tx, "indienen", incidents.load(tx, "nooit"))
    recorder = office.recorder()
    sample = a_sample("X", office.now_us)
    run(recorder.record(Finding(check=INDIENEN, sample=sample, alerting=office.alerting)))
    with office.database.read() as tx:
        assert samples.read(tx, "indienen", "lokaal", sample.slot_us) == sample
    assert (recorder.waiting, office.told.lost, office.told.store_failures) == (0, 0, 1)


UNREADABLE = '{"kind":"suspect","since_us":1,"last_us":1,"failures":1,"failure":{"kind":"of-a-newer-version"}}'


def unreadable(office: Office, check_id: str) -> None:
    """What a newer version left, before the program was put back to this one."""
    with office.database.begin() as tx:
        incidents.save(tx, check_id, incidents.load(tx, check_id))
        tx.execute(incidents.incident_state.update().values(state=UNREADABLE))


def test_what_this_version_cannot_read_holds_nothing_up_and_costs_no_measurement(office, caplog):
    unreadable(office, "indienen")
    recorder = office.recorder()
    for number, check in enumerate((INDIENEN, INZAGE, INDIENEN)):
        sample = a_sample("X", at("10:00") + number * MINUTE, check.id)
        run(recorder.record(Finding(check=check, sample=sample, alerting=office.alerting)))
    assert (recorder.waiting, recorder.behind, office.told.lost, office.told.store_failures) == (0, 0, 0, 2)
    with office.database.read() as tx:
        assert len(samples.latest(tx, "indienen", "lokaal", limit=9)) == 2
        assert [incident.check_id for incident in incidents.read(tx)] == ["inzage"]
    refused = [one for one in caplog.records if one.message == "the store refused a finding"]
    assert [(one.levelname, one.check) for one in refused] == [("ERROR", "indienen")] * 2
    assert all(one.exc_info for one in refused)


def test_among_many_that_wait_only_what_cannot_be_read_is_left_without_consequences(office):
    unreadable(office, "indienen")
    recorder = office.recorder()

    async def at_once() -> None:
        found = [
            Finding(check=check, sample=a_sample("X", at("10:00"), check.id), alerting=office.alerting)
            for check in (INZAGE, INDIENEN, INZAGE.model_copy(update={"id": "derde"}))
        ]
        await asyncio.gather(*(recorder.record(one) for one in found))

    run(at_once())
    with office.database.read() as tx:
        assert {incident.check_id for incident in incidents.read(tx)} == {"inzage", "derde"}
        assert len(samples.latest(tx, "indienen", "lokaal", limit=9)) == 1
    assert recorder.waiting == 0


def test_an_incident_that_cannot_be_read_keeps_no_other_from_being_followed_up(office):
    office.live("xx", INDIENEN)
    office.live("xx", INZAGE, start="10:00")
    with office.database.begin() as tx:
        poisoned = incidents.incident_state.update().where(incidents.incident_state.c.check_id == "indienen")
        tx.execute(poisoned.values(state=UNREADABLE))
    office.wait(62, INDIENEN, INZAGE)
    assert [subject.partition(": ")[2].partition(" -")[0] for subject in office.subjects[2:]] == ["Dossier inzien"]


@pytest.fixture
def locked(tmp_path):
    """A store whose write lock another process holds, and that process."""
    path = tmp_path / "locked.db"
    database = Database.open(f"sqlite:///{path}", busy_timeout_us=20_000)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    yield Office(database=database), holder
    holder.close()
    database.close()


def test_while_the_store_is_locked_measuring_goes_on_and_nothing_is_lost(locked):
    """T32: thirty seconds of somebody else's backup."""
    office, holder = locked
    recorder = office.recorder()
    slots = [at("10:00") + number * SECOND for number in range(30)]
    for office.now_us in slots:
        finding = Finding(check=INDIENEN, sample=a_sample("x", office.now_us), alerting=office.alerting)
        run(recorder.record(finding))
    assert (recorder.waiting, office.told.waiting) == (30, 30)
    holder.execute("ROLLBACK")
    assert run(recorder.drain())
    with office.database.read() as tx:
        assert [row.slot_us for row in samples.stream(tx, ["indienen"], 0, at("23:00"))] == slots
        assert [incident.since_us for incident in incidents.read(tx)] == [slots[0]]
    assert (recorder.waiting, office.told.lost) == (0, 0)
    assert len(office.queue()) == 1


def test_a_store_that_failed_is_left_alone_for_two_seconds(locked):
    office, _ = locked
    recorder = office.recorder()
    for number in range(40):
        office.now_us = at("10:00") + number * SECOND // 10
        run(recorder.record(Finding(check=INZAGE, sample=a_sample(".", office.now_us), alerting=office.alerting)))
    assert office.told.store_failures == 2


def test_memory_is_bounded_and_a_loss_is_counted(locked):
    office, _ = locked
    recorder = office.recorder(capacity=10)
    for number in range(15):
        finding = Finding(check=INZAGE, sample=a_sample(".", at("10:00") + number), alerting=office.alerting)
        run(recorder.record(finding))
    assert (recorder.waiting, office.told.lost) == (10, 5)


def test_a_mass_outage_under_a_store_that_is_away_costs_evidence_and_no_sample(locked):
    """A hundred failing runs of 64 KB each into room for ten of them: every one is stored, with its verdict and
    failure, and those beyond say that what proved them was given up."""
    office, holder = locked
    recorder = office.recorder(capacity_bytes=800_000)
    most = 0
    for number in range(100):
        sample = replace(a_sample("x", at("10:00") + number), evidence=(replace(SHOWN, body="b" * 64_000),))
        run(recorder.record(Finding(check=INDIENEN, sample=sample, alerting=office.alerting)))
        most = max(most, office.told.waiting_bytes)
    assert most <= 800_000
    holder.execute("ROLLBACK")
    assert run(recorder.drain())
    with office.database.read() as tx:
        bodies = [
            evidence.read(tx, "indienen", "lokaal", at("10:00") + number)[0].body == "b" * 64_000
            for number in range(100)
        ]
        assert samples.number_between(tx, "indienen", "lokaal", 0, at("23:00")) == 100
    assert bodies[0]
    assert (bodies.count(False), office.told.lost) == (office.told.given_up, 0)
    assert office.told.given_up > 85


def test_the_writer_thread_saves_what_many_runs_find_at_once(tmp_path):
    database = Database.open(f"sqlite:///{tmp_path / 'x.db'}")
    office = Office(database=database)
    thread = StoreThread()

    async def scene() -> None:
        recorder = type(office.recorder())(database=database, in_store=thread, clock=office.clock, observer=office.told)
        findings = [
            Finding(check=INDIENEN, sample=a_sample(".", at("10:00") + n * MINUTE), alerting=office.alerting)
            for n in range(50)
        ]
        await asyncio.gather(*(recorder.record(finding) for finding in findings))
        assert recorder.waiting == 0

    run(scene())
    thread.close()
    with database.read() as tx:
        assert samples.number_between(tx, "indienen", "lokaal", 0, at("23:00")) == 50
    database.close()


def test_a_store_on_a_full_disk_keeps_what_was_found_in_memory(tmp_path):
    """The file may not grow beyond its pages: what SQLite says then is the same as on a full disk."""
    database = Database.open(f"sqlite:///{tmp_path / 'x.db'}")
    office = Office(database=database)
    recorder = office.recorder()
    with database.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    big = replace(SHOWN, body="x" * 1_000_000)
    sample = replace(a_sample("x", at("10:00")), evidence=(big,))
    run(recorder.record(Finding(check=INDIENEN, sample=sample, alerting=office.alerting)))
    assert recorder.waiting == 1
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    assert run(recorder.drain())
    with database.read() as tx:
        assert evidence.read(tx, "indienen", "lokaal", at("10:00")) == (big,)
    database.close()
