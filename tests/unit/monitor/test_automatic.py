"""The report of the past month: due once per contract and month, whatever clocks and restarts do (T18)."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from monitor import sealing
from monitor.alerts import report_messages
from monitor.assessing import assess_stored
from monitor.automatic import due_reports, report_news
from monitor.config import LoadedContract
from monitor.issuing import record
from monitor.recipients import Recipient
from monitor.reporting import Written, write
from monitor.store import ledger, outbox, reports
from monitor.store.database import Database
from monitor.store.reports import Issued
from tests.agreements import at
from tests.stored_month import AGREED, IN_NOVEMBER, OCTOBER, fill, job, loaded_contract

CONTRACT_MANAGER = Recipient(address="contract@example.be", receives=("reports",))


def due(database: Database, moment: str, contract: LoadedContract | None = None) -> tuple[str, ...]:
    """As the service does: first the days that have settled are sealed."""
    digests = sealing.digests_due(str(database.engine.url), at(moment))
    with database.begin() as tx:
        sealing.record(tx, digests, now_us=at(moment))
    with database.read() as tx:
        return due_reports(tx, contract or loaded_contract(), at(moment))[0]


def issue(database: Database, *, automatic: bool) -> bool:
    """As the service does: recorded and queued in one transaction."""
    issued = Issued(
        contract="PROEF", period="2026-10", number=1, automatic=automatic, issued_us=IN_NOVEMBER, ledger_head="",
        sha256="ab" * 32,
    )  # fmt: skip
    with database.begin() as tx:
        written = Written(issued=issued, assessment=assess_stored(tx, AGREED, OCTOBER))
        if not record(tx, written.issued, by="loketwacht"):
            return False
        news = report_news(written, "https://monitor.example/")
        outbox.add(tx, report_messages(news, (CONTRACT_MANAGER,)), now_us=IN_NOVEMBER)
        return True


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-10-31 23:59", ()),
        ("2026-11-01 01:59", ()),
        ("2026-11-01 02:00", ("2026-10",)),
        ("2026-11-30 23:59", ("2026-10",)),
        ("2026-12-01 00:10", ("2026-10",)),
        ("2027-11-01 00:10", ()),
    ],
    ids=["still running", "its last day is not sealed yet", "due", "late but due", "made up for", "too long ago"],
)
def test_the_month_that_is_over_is_due(database: Database, moment: str, expected: tuple[str, ...]) -> None:
    fill(database)
    assert due(database, moment) == expected


def test_a_month_without_a_single_sample_has_no_report(database: Database) -> None:
    assert due(database, "2026-11-02 06:00") == ()


def test_whoever_asked_for_no_automatic_reports_gets_none(database: Database) -> None:
    fill(database)
    assert due(database, "2026-11-02 06:00", loaded_contract(automatic=False)) == ()


def test_a_contract_that_was_not_in_force_has_no_report(database: Database) -> None:
    fill(database)
    later = AGREED.version[0].model_copy(update={"valid_from": date(2026, 11, 1)})
    ended = AGREED.version[0].model_copy(update={"valid_until": date(2026, 9, 30)})
    for version in (later, ended):
        agreed = AGREED.model_copy(update={"version": (version,)})
        assert due(database, "2026-11-02 06:00", loaded_contract(agreed)) == ()


@pytest.mark.parametrize("again", ["2026-11-02 06:00", "2026-11-01 02:00", "2026-11-15 12:00"])
def test_an_issued_report_is_not_due_again_also_where_the_clock_went_back(database: Database, again: str) -> None:
    """T18."""
    fill(database)
    assert issue(database, automatic=True)
    assert due(database, again) == ()


def test_two_processes_that_draw_up_the_same_report_send_one_mail(database: Database) -> None:
    """T18."""
    fill(database)
    assert (issue(database, automatic=True), issue(database, automatic=True)) == (True, False)
    with database.read() as tx:
        assert len(outbox.read(tx)) == 1
        assert len(reports.read(tx)) == 1
        assert len(list(ledger.read(tx, kinds=("report",)))) == 1


def test_a_report_drawn_up_by_hand_does_not_stand_for_the_automatic_one(database: Database) -> None:
    fill(database)
    issue(database, automatic=False)
    assert due(database, "2026-11-02 06:00") == ("2026-10",)


def test_when_the_last_report_was_issued_is_known(database: Database) -> None:
    fill(database)
    with database.read() as tx:
        assert due_reports(tx, loaded_contract(), IN_NOVEMBER)[1] == 0
    issue(database, automatic=True)
    with database.read() as tx:
        assert due_reports(tx, loaded_contract(), IN_NOVEMBER)[1] == IN_NOVEMBER


@pytest.mark.pango
def test_the_mail_about_a_report_tells_the_verdicts_and_carries_it(database: Database, tmp_path: Path) -> None:
    fill(database)
    news = report_news(write(job(database, tmp_path)), "https://monitor.example/")
    assert [line.nl for line in news.lines] == ["B1: norm gehaald"]
    assert [line.en for line in news.lines] == ["B1: target met"]
    assert news.link == "https://monitor.example/sla/PROEF"
    assert {attachment.file_name for attachment in news.attachments} == {
        "R-2026-10-v1.nl.pdf",
        "R-2026-10-v1.en.pdf",
        "R-2026-10-v1.json",
    }
