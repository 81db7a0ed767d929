"""The documents over a period, drawn up from a store: what stands in them, and that they are recorded as their kind."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from parsel import Selector

from monitor.issuing import record
from monitor.periodic import Written, write_overview, write_update
from monitor.reporting import ReportRefusedError
from monitor.store import ledger, reports
from monitor.store.database import Database
from sla.ledger import Entry
from tests.agreements import at, clause, contract
from tests.stored_month import IN_NOVEMBER, fill, job

DOWN = {f"2026-10-20 {hour}:00": "X" for hour in range(10, 20)}


def text_of(written: Written, form: str) -> str:
    page = Path(written.files.files[form]).read_text()
    return " ".join(" ".join(Selector(page).css("body *::text").getall()).replace("\u00a0", " ").split())


@pytest.fixture
def store(database: Database) -> Database:
    fill(database, marks=DOWN)
    with database.begin() as tx:
        ledger.append(
            tx,
            Entry(
                kind="maintenance",
                recorded_us=at("2026-10-22 09:00"),
                by="An",
                reason="nieuwe databank",
                from_us=at("2026-11-05 20:00"),
                until_us=at("2026-11-05 22:00"),
            ),
        )
    return database


def test_a_quarter_has_every_month_of_a_clause(store: Database, tmp_path: Path) -> None:
    written = write_overview(replace(job(store, tmp_path), period="2026-Q4"))
    said = json.loads(Path(written.files.files["json"]).read_text())
    assert written.report.number == "K-2026-Q4-v1"
    assert [clause["verdict"] for clause in said["clauses"]] == ["missed", "undecided", "undecided"]
    assert said["overview"]["clauses"][0]["missed"] == 1
    assert "Kwartaaloverzicht dienstverlening 4e kwartaal 2026" in text_of(written, "html-nl")
    assert "quarter 4 of 2026" in text_of(written, "html-en")


def test_a_year_of_measurements_of_one_month_says_what_was_not_measured(store: Database, tmp_path: Path) -> None:
    written = write_overview(replace(job(store, tmp_path), period="2026"))
    assert written.report.number == "J-2026-v1"
    assert "niet gemeten" in text_of(written, "html-nl")


@pytest.mark.parametrize("period", ["2026-10", "2027-Q1", "Q4", "2026-Q5"])
def test_what_is_no_begun_quarter_or_year_is_refused(store: Database, tmp_path: Path, period: str) -> None:
    with pytest.raises(ReportRefusedError):
        write_overview(replace(job(store, tmp_path), period=period))


def test_an_update_tells_the_fortnight_and_what_is_announced(store: Database, tmp_path: Path) -> None:
    written = write_update(job(store, tmp_path), date(2026, 10, 25))
    text = text_of(written, "html-nl")
    assert written.report.number == "T-2026-W43-v1"
    assert "Storingen in deze veertien dagen: 1." in text
    assert "nieuwe databank" in text
    assert "onderhoud aangekondigd" in text
    said = json.loads(Path(written.files.files["json"]).read_text())["update"]
    assert len(said["outages"]) == 1
    assert said["standings"][0]["budget_left_us"] < said["standings"][0]["budget_allowed_us"]


def test_our_own_coverage_of_a_month_that_goes_on_is_not_called_missed(store: Database, tmp_path: Path) -> None:
    measuring = clause(kind="coverage", id="M1", window="altijd", target="0.99")
    agreed = contract(clause(window="altijd", target="0.99"), measuring)
    written = write_update(job(store, tmp_path, agreed=agreed), date(2026, 10, 25))
    standings = json.loads(Path(written.files.files["json"]).read_text())["update"]["standings"]
    assert {one["clause"]: one["verdict"] for one in standings}["M1"] == "running"


def test_an_outage_before_the_fortnight_is_not_told_again(store: Database, tmp_path: Path) -> None:
    written = write_update(job(store, tmp_path), date(2026, 11, 8))
    assert json.loads(Path(written.files.files["json"]).read_text())["update"]["outages"] == []


def test_a_document_is_numbered_by_its_kind_and_drawn_up_again_the_same(store: Database, tmp_path: Path) -> None:
    first = write_update(job(store, tmp_path / "a"), date(2026, 10, 25))
    again = write_update(job(store, tmp_path / "b"), date(2026, 10, 25))
    for form, path in first.files.files.items():
        assert Path(path).read_bytes() == Path(again.files.files[form]).read_bytes(), form
    with store.begin() as tx:
        assert record(tx, first.issued, by="An")
        assert not record(tx, again.issued, by="An")
    with store.read() as tx:
        assert reports.read(tx) == ()
        assert [one.kind for one in reports.read(tx, kind=None)] == ["two-weekly"]
        (entry,) = ledger.read(tx, kinds=("report",))
        assert entry.entry.data["document"] == "two-weekly"
        assert reports.next_number(tx, "PROEF", "2026-W43", kind="two-weekly") == 2
    assert write_update(job(store, tmp_path), date(2026, 10, 25)).report.replaces == "T-2026-W43-v1"
    assert first.issued.issued_us == IN_NOVEMBER
