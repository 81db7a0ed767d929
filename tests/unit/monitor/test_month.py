"""The running month: what was measured so far, against what the whole month allows."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path

from dashboards.status_page import Frame
from monitor.month import MonthToDate, month_to_date, sla_page
from monitor.store.database import Database
from monitor.store.reports import Issued
from tests.agreements import HOUR, at, contract
from tests.stored_month import AGREED, fill

MIDDLE = "2026-10-16 00:00"


def so_far(database: Database, moment: str = MIDDLE, agreed: object = AGREED) -> MonthToDate:
    found = month_to_date(str(database.engine.url), agreed, at(moment))  # type: ignore[arg-type]
    assert found is not None
    return found


def frame() -> Frame:
    return Frame(portal="Loket", generated_us=at(MIDDLE), version="1", timezone="Europe/Brussels")


def test_the_days_to_come_are_not_held_against_anybody(database: Database) -> None:
    fill(database)
    month = so_far(database)
    [found] = month.assessment.clauses
    assert found.totals is not None
    assert (found.totals.service_us, found.totals.unmeasured_us) == (15 * 24 * HOUR, 0)
    assert month.assessment.coverage == 1


def test_what_is_allowed_is_allowed_over_the_whole_month(database: Database) -> None:
    """One in a hundred of 745 hours is 7 h 27 m; two hours of it are spent."""
    fill(database, marks={"2026-10-05 10:00": "X", "2026-10-05 11:00": "X"})
    [budget] = so_far(database).budgets
    assert budget.allowed_us == 745 * HOUR // 100
    assert budget.spent_us == 2 * HOUR
    assert budget.left_us == 745 * HOUR // 100 - 2 * HOUR


def test_a_contract_that_is_not_in_force_has_no_running_month(database: Database) -> None:
    version = AGREED.version[0].model_copy(update={"valid_until": date(2026, 10, 15)})
    ended = AGREED.model_copy(update={"version": (version,)})
    assert month_to_date(str(database.engine.url), ended, at(MIDDLE)) is None


def test_the_first_second_of_a_month_has_nothing_yet(database: Database) -> None:
    found = month_to_date(str(database.engine.url), AGREED, at("2026-10-01 00:00") + 1)
    assert found is not None
    assert found.period.start_us == at("2026-10-01 00:00")


def test_the_page_tells_target_figure_and_budget(database: Database) -> None:
    fill(database, marks={"2026-10-05 10:00": "X", "2026-10-05 11:00": "X"})
    page = sla_page(so_far(database), (), frame=frame())
    [row] = page.clauses
    assert (row.id, row.target, row.point) == ("B1", Fraction(99, 100), Fraction(358, 360))
    assert (row.allowed_us, row.spent_us) == (745 * HOUR // 100, 2 * HOUR)
    assert page.month == "oktober 2026"


def test_clauses_of_other_kinds_say_their_figures_in_words(database: Database) -> None:
    fill(database, marks={"2026-10-05 10:00": "X", "2026-10-05 11:00": "X"})
    agreed = contract(
        {"id": "D", "kind": "outage-duration", "scope": ["indienen"], "window": "altijd", "limit": "4h"},
        {"id": "P", "kind": "response-time", "scope": ["indienen"], "percentile": "95", "limit": "1500ms"},
        {"id": "M", "kind": "coverage", "scope": ["indienen"], "window": "altijd", "target": "0.99"},
    )
    rows = {row.id: row for row in sla_page(so_far(database, agreed=agreed), (), frame=frame()).clauses}
    assert (rows["D"].target_text, rows["D"].measured_text) == ("≤ 4 uur", "2 uur")
    assert (rows["P"].target_text, rows["P"].measured_text) == ("≤ 1,5 s (95e percentiel)", "0,25 s")
    assert rows["M"].target_text.startswith("≥ 99")


def test_only_reports_whose_files_are_there_can_be_downloaded(database: Database, tmp_path: Path) -> None:
    fill(database)
    here = tmp_path / "R-1.json"
    here.write_text("{}")
    issued = Issued(
        contract="PROEF", period="2026-09", number=1, automatic=True, issued_us=at(MIDDLE), ledger_head="",
        sha256="ab" * 32, files={"json": str(here), "html-nl": str(tmp_path / "weg.html")},
    )  # fmt: skip
    page = sla_page(so_far(database), (issued, replace(issued, number=2)), frame=frame())
    assert [one.title for one in page.reports] == ["September 2026, versie 2", "September 2026, versie 1"]
    assert [file.label for file in page.reports[0].files] == ["JSON"]
    assert [file.href for file in page.reports[0].files] == ["/reports/PROEF/2026-09/R-1.json"]
    assert page.reports[0].files[0].sha256 == "ab" * 32
