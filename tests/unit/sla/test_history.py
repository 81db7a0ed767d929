"""Thirteen months beside each other: as they were reported, and nothing made up where they were not."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from sla.assessment import Verdict
from sla.history import ClauseHistory, State, history, sources
from sla.ledger import Sealed, seal
from sla.period import parse_period
from sla.rendering import html
from sla.rendering.history_bars import drawn
from sla.rendering.json import document
from tests.report_story import earlier_ledger, earlier_reports, report, report_with_history

MARCH, AUGUST = (parse_period(month, "Europe/Brussels") for month in ("2026-03", "2026-08"))


def told(ledger: tuple[Sealed, ...]) -> ClauseHistory:
    found = history(report().assessment, ledger, earlier_reports(), number="R-2026-10-v1", is_provisional=False)
    return found[0]


def test_each_month_is_what_its_report_said_or_the_reason_why_there_is_none() -> None:
    assert [month.state for month in told(earlier_ledger()).months] == [
        *(State.OUTSIDE,) * 3, State.NOT_REPORTED, State.REPORTED, State.REPORTED, State.NOT_MEASURED,
        *(State.REPORTED,) * 4, State.UNAVAILABLE, State.REPORTED,
    ]  # fmt: skip


def test_a_month_without_figure_is_neither_0_nor_100() -> None:
    for month in told(earlier_ledger()).months:
        assert (month.point is None) == (month.state is not State.REPORTED)


def test_of_a_month_reported_twice_the_last_report_counts() -> None:
    assert sources(report().assessment.contract, report().period, earlier_ledger())[MARCH].number == "R-2026-03-v2"


def test_a_report_whose_entry_was_corrected_no_longer_counts() -> None:
    found = earlier_ledger()
    august = next(one for one in found if one.entry.data["period"] == "2026-08")
    correction = replace(august.entry, supersedes=august.seq, data={**august.entry.data, "contract": "ANDER"})
    ledger = (*found, *seal([correction], after=found[-1]))
    assert AUGUST not in sources(report().assessment.contract, report().period, ledger)


def test_documents_of_another_kind_are_no_source() -> None:
    entries = (one.entry for one in earlier_ledger())
    others = seal(replace(entry, data={**entry.data, "document": "quarter"}) for entry in entries)
    assert sources(report().assessment.contract, report().period, others) == {}


def test_the_month_itself_is_the_verdict_table_s_own_figure() -> None:
    for one in report_with_history().history:
        result = next(r for r in report().assessment.clauses if r.clause.id == one.clause.id)
        own = one.months[-1]
        assert (own.point, own.verdict, own.number) == (result.measured, result.verdict, "R-2026-10-v1")


def test_figure_table_and_json_say_the_same() -> None:
    page = html.render(report_with_history(), "nl")
    stated = {one["id"]: one["months"] for one in document(report_with_history())["report"]["history"]}
    for one in drawn(report_with_history(), "nl"):
        for row, month in zip(one.rows, stated[one.history.clause.id], strict=True):
            assert month["state"] == row.month.state
            assert f">{row.figure}</text>" in page
            if row.has_figure:
                assert f"<strong>{row.figure}</strong>" in page
                whole = Fraction(row.figure.removesuffix("\u00a0%").replace(",", ".")) / 100
                assert whole <= Fraction(month["point"]) < whole + Fraction(1, 10_000)


def test_a_figure_just_below_the_norm_is_not_printed_as_the_norm() -> None:
    july = next(drawn(report_with_history(), "nl")).rows[9]
    assert (july.figure, july.month.verdict) == ("99,29\u00a0%", Verdict.MISSED)
