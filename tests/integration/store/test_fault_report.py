"""What `make faults` asks of the report: it tells of every instant that was not measured, and of no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.assessing import note_intervals
from monitor.config import read_contract
from monitor.reporting import ReportJob
from monitor.schedule import grid, next_slot
from monitor.store import events
from monitor.store.events import Event
from tests.faults.scene import contract_text
from tests.faults.unmeasured import Said, compared
from tests.heart import DAY, INDIENEN, MINUTE, Office, at
from tests.new_store import new_store

START_US = next_slot(grid("indienen", MINUTE), at("10:00"))


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """Seven slots: the second was told as missed, in the fifth the monitor could not judge."""
    (tmp_path / "contract.toml").write_text(contract_text(["indienen"]), encoding="utf-8")
    office = Office(database=new_store(tmp_path / "store.db"))
    office.now_us = START_US
    with office.database.begin() as tx:
        note_intervals(tx, [INDIENEN], START_US)
    missed(office, 1)
    office.live(". ..?..")
    return office


def missed(office: Office, number: int) -> None:
    data = {"from_us": START_US + number * MINUTE, "until_us": START_US + (number + 1) * MINUTE, "cause": "busy"}
    with office.database.begin() as tx:
        events.add(tx, Event(at_us=START_US, kind="missed-slots", check_id="indienen", data=data))


def report(office: Office, tmp_path: Path) -> Said:
    contract, _ = read_contract(tmp_path / "contract.toml")

    def job(period: str, now_us: int) -> ReportJob:
        return ReportJob(
            database_url=office.database.url,
            contract=contract,
            period=period,
            portal="Loket",
            titles={"indienen": ("Indienen", "Submit")},
            location="lokaal",
            software="Loketwacht",
            config_sha256="0" * 64,
            contact="",
            directory=tmp_path,
            now_us=now_us,
        )

    with office.database.read() as tx:
        return compared(tx, contract, "lokaal", job)


def test_a_report_that_tells_of_what_was_missed_and_of_what_could_not_be_judged_is_true(
    office: Office, tmp_path: Path
) -> None:
    assert report(office, tmp_path) == Said(instants=2)


def test_an_instant_that_no_report_tells_of_is_found(office: Office, tmp_path: Path) -> None:
    office.live(" .")
    [wrong] = report(office, tmp_path).wrong
    assert wrong == f"indienen at {START_US + 7 * MINUTE}: not measured, and no report says so"


def test_a_gap_in_which_all_was_measured_is_found(office: Office, tmp_path: Path) -> None:
    missed(office, 3)
    [wrong] = report(office, tmp_path).wrong
    assert wrong.endswith("told as not measured, and it was")


def test_what_lies_on_both_sides_of_a_month_s_end_is_told_by_two_reports(tmp_path: Path) -> None:
    """Midnight in Brussels lies between the second instant, which could not be judged, and the third."""
    (tmp_path / "contract.toml").write_text(contract_text(["indienen"]), encoding="utf-8")
    office = Office(database=new_store(tmp_path / "store.db"))
    office.now_us = next_slot(grid("indienen", MINUTE), at("23:00") + 7 * DAY - 2 * MINUTE)
    with office.database.begin() as tx:
        note_intervals(tx, [INDIENEN], office.now_us)
    office.live(".?..")
    assert report(office, tmp_path) == Said(instants=1)
