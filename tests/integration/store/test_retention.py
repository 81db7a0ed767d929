"""Good samples go after their term, failures stay for ever, and everything that is left can still be proved."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from monitor import retention, sealing
from monitor.cli import main
from monitor.incidents import Failed, Opened, Resolved, incident_id
from monitor.retention_settings import YEAR_US, RetentionSettings
from monitor.store import days, incidents, ledger, samples
from monitor.store.database import Database, StoreRefused
from sla.ledger import first_broken
from tests.agreements import at, clause, contract
from tests.heart import BROKEN, HOUR, a_sample
from tests.stored_month import IN_NOVEMBER, fill

AGREED = contract(clause(window="altijd", target="0.99"))
FIVE_YEARS = RetentionSettings.model_validate({"after_contract": "1825d"})
LATER = IN_NOVEMBER + 20 * YEAR_US


@pytest.fixture
def sealed(database: Database) -> Database:
    fill(database, marks={"2026-10-05 10:00": "X"})
    url = database.engine.url.render_as_string(hide_password=False)
    digests = sealing.digests_due(url.replace("+psycopg", ""), IN_NOVEMBER)
    with database.begin() as tx:
        sealing.record(tx, digests, now_us=IN_NOVEMBER)
    return database


def thin(database: Database) -> int:
    with database.begin() as tx:
        found = retention.due(tx, RetentionSettings(), (AGREED,), now_us=LATER)
        for one in found:
            retention.remove(tx, one, now_us=LATER)
    return sum(one.samples for one in found)


def figures(database: Database) -> list[object]:
    with database.read() as tx:
        return [
            tuple(run)
            for run in days.read(tx, "indienen", "lokaal", at("2026-10-01"), at("2026-11-01"), durations=True)
        ]


def test_the_good_ones_go_and_the_figures_the_failure_and_the_proof_stay(sealed: Database) -> None:
    before = figures(sealed)
    assert thin(sealed) == 744
    assert thin(sealed) == 0
    assert figures(sealed) == before
    with sealed.read() as tx:
        left = list(samples.stream(tx, ("indienen",), 0, LATER))
        entries = tuple(ledger.read(tx))
        assert sealing.first_difference(tx, entries) is None
        assert days.first_difference(tx, but=sealing.thinned(entries)) is None
    assert len(left) == 1
    assert first_broken(entries) is None
    assert sum(sealing.thinned(entries).values()) == 744


def test_what_frames_an_incident_stays_with_it(sealed: Database) -> None:
    """From the last good sample before it to those that confirmed its end, also where they lie on other days."""
    first, last = at("2026-10-05 00:00"), at("2026-10-05 10:00")
    name = incident_id("indienen", first)
    with sealed.begin() as tx:
        for event in (
            Opened(incident_id=name, since_us=first, confirmed_us=last, failure=BROKEN),
            Failed(incident_id=name, last_bad_us=last),
            Resolved(incident_id=name, since_us=first, until_us=at("2026-10-05 11:00"), last_bad_us=last),
        ):
            incidents.record(tx, "indienen", event)
    thin(sealed)
    with sealed.read() as tx:
        left = [sample.slot_us for sample in samples.stream(tx, ("indienen",), 0, LATER)]
        assert sealing.first_difference(tx, tuple(ledger.read(tx))) is None
    # Midnight and all before it is another day in UTC.
    assert (left[0], left[11]) == (at("2026-10-04 23:00"), last)
    assert len([slot for slot in left if slot > last]) == 100
    assert left == list(range(left[0], left[-1] + 1, HOUR))


def test_what_is_left_can_still_not_be_removed_by_anybody_else(sealed: Database) -> None:
    thin(sealed)
    for table in ("sample", "sample_detail"):
        with pytest.raises(StoreRefused, match="append-only"), sealed.begin() as tx:
            tx.exec_driver_sql(f"DELETE FROM {table}")


def test_a_day_that_was_altered_is_not_touched(sealed: Database) -> None:
    with sealed.begin() as tx:
        [first, *_] = retention.due(tx, RetentionSettings(), (AGREED,), now_us=LATER)
        samples.add(tx, a_sample(".", first.start_us + 82_000_000_001))
        with pytest.raises(retention.RetentionRefusedError, match="are not those"):
            retention.remove(tx, first, now_us=LATER)


def test_samples_are_kept_a_year_after_the_end_of_their_contract() -> None:
    end = retention._day_us(AGREED.version[-1].valid_until)
    promised = retention.promises(RetentionSettings(), (AGREED,))
    kept = retention.keep_until_us(at("2026-10-05"), RetentionSettings(), promised)
    assert kept == end + 2 * sealing.DAY_US + YEAR_US
    assert retention._day_us(date(1970, 1, 2)) == sealing.DAY_US


def known(database: Database, settings: RetentionSettings, *, now_us: int = IN_NOVEMBER) -> int:
    """The contract stood in the configuration once; how many promises are noted."""
    with database.begin() as tx:
        return len(retention.remember(tx, settings, (AGREED,), now_us=now_us))


def due_without_contract(database: Database, now_us: int) -> int:
    with database.read() as tx:
        return sum(one.samples for one in retention.due(tx, RetentionSettings(), (), now_us=now_us))


def test_a_contract_that_left_the_configuration_keeps_its_samples_as_long_as_it_promised(sealed: Database) -> None:
    """A contract of five years, taken out when it had ended: its first samples are older than three years by then."""
    long_after = FIVE_YEARS
    end_us = retention.promises(long_after, (AGREED,))[0].keep_until_us
    assert due_without_contract(sealed, end_us - 1) == 744  # nobody ever told this store of the contract
    known(sealed, long_after)
    assert due_without_contract(sealed, end_us - 1) == 0
    assert due_without_contract(sealed, end_us) == 744


def test_the_longest_of_what_was_ever_promised_holds_and_is_noted_once(sealed: Database) -> None:
    assert known(sealed, FIVE_YEARS) == 1
    assert known(sealed, FIVE_YEARS, now_us=IN_NOVEMBER + 1) == 1
    assert known(sealed, RetentionSettings()) == 2
    with sealed.read() as tx:
        ends = [one.keep_until_us for one in retention.remembered(tx)]
        assert retention.keep_until_us(at("2026-10-05"), RetentionSettings(), retention.remembered(tx)) == max(ends)


def test_less_than_a_year_is_refused() -> None:
    with pytest.raises(ValueError, match="less than a year"):
        RetentionSettings.model_validate({"after_contract": "364d"})


def test_verify_proves_what_is_left_and_tells_what_went(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"sqlite:///{tmp_path / 'one.db'}"
    with closing(Database.open(url, durable=False)) as database:
        fill(database)
        digests = sealing.digests_due(url, IN_NOVEMBER)
        with database.begin() as tx:
            sealing.record(tx, digests, now_us=IN_NOVEMBER)
        thin(database)
        with database.read() as tx:
            free = tx.exec_driver_sql("PRAGMA freelist_count").scalar_one()
        database.vacuum()
        with database.read() as tx:
            assert tx.exec_driver_sql("PRAGMA freelist_count").scalar_one() == 0 < free
    assert main(["verify", "--database", url]) == 0
    assert "745 good samples were removed after their term" in capsys.readouterr().err


def test_a_lie_about_what_went_shows(sealed: Database) -> None:
    thin(sealed)
    with sealed.read() as tx:
        entries = list(ledger.read(tx))
    told = entries[-1]
    data = {**told.entry.data, "removed": '{"indienen lokaal":1}'}
    entries[-1] = replace(told, entry=replace(told.entry, data=data))
    with sealed.read() as tx:
        found = sealing.first_difference(tx, entries)
    assert found is not None
    assert "the entry tells of 1 removed" in found.text
