"""The procedure of art. 44 § 2 of the royal decree of 14 January 2013, step by step: findings, defence, decision."""

from __future__ import annotations

from datetime import date

import pytest

from sla.deadlines import Stage, defence_due
from tests.procedures import CALENDAR, decided, defence, drafted, procedure, procedures, sent


def test_no_term_runs_while_the_findings_are_a_draft():
    found = procedure(drafted(), today="2026-12-31")
    assert (found.stage, found.due, found.days_left) == (Stage.DRAFTED, None, None)


def test_the_supplier_has_fifteen_days_and_the_day_of_dispatch_does_not_count():
    assert defence_due(date(2026, 12, 1), CALENDAR).day == date(2026, 12, 16)


@pytest.mark.parametrize(
    ("dispatched", "fifteenth", "last_day"),
    [
        pytest.param(date(2026, 12, 4), date(2026, 12, 19), date(2026, 12, 21), id="a Saturday moves to Monday"),
        pytest.param(date(2026, 12, 5), date(2026, 12, 20), date(2026, 12, 21), id="a Sunday moves to Monday"),
        pytest.param(date(2026, 10, 27), date(2026, 11, 11), date(2026, 11, 12), id="a holiday moves to the next day"),
        pytest.param(date(2026, 12, 10), date(2026, 12, 25), date(2026, 12, 29), id="holidays around a weekend"),
    ],
)
def test_a_term_that_ends_on_no_working_day_runs_to_the_end_of_the_next_one(dispatched, fifteenth, last_day):
    due = defence_due(dispatched, CALENDAR)
    assert (due.fifteenth, due.day, due.was_moved) == (fifteenth, last_day, True)


def test_until_the_last_day_the_supplier_may_answer():
    found = procedure(drafted(), sent("2026-12-01"), today="2026-12-16")
    assert (found.stage, found.days_left, found.is_overdue) == (Stage.AWAITING, 0, False)


def test_silence_after_the_last_day_counts_as_acknowledgement_of_the_facts():
    found = procedure(drafted(), sent("2026-12-01"), today="2026-12-17")
    assert (found.stage, found.days_left, found.is_overdue) == (Stage.SILENT, -1, True)
    assert "stilzwijgen geldt als erkenning van de feiten" in found.told.nl


def test_a_defence_in_the_last_minute_of_the_last_day_is_in_time():
    found = procedure(drafted(), sent("2026-12-01"), defence("2026-12-16", time="23:59"), today="2026-12-17")
    assert (found.stage, found.position) == (Stage.ANSWERED, "contested")


def test_a_defence_on_the_day_after_is_late_and_a_person_judges_it():
    found = procedure(drafted(), sent("2026-12-01"), defence("2026-12-17", time="00:00"), today="2026-12-18")
    assert found.stage is Stage.ANSWERED_LATE
    assert "Een mens beoordeelt" in found.told.nl


def test_a_decision_ends_the_procedure_whatever_came_before():
    found = procedure(drafted(), sent("2026-12-01"), decided("2027-01-05"), today="2027-01-06")
    assert (found.stage, found.is_overdue) == (Stage.DECIDED, False)


def test_a_decision_on_the_defence_decides_on_its_findings():
    ruling = decided("2026-12-20", findings=3, on="defence")
    found = procedure(drafted(), sent("2026-12-01"), defence("2026-12-10"), ruling, today="2026-12-21")
    assert found.stage is Stage.DECIDED


def test_findings_sent_twice_may_be_answered_until_the_later_term_is_over():
    found = procedure(drafted(), sent("2026-12-01"), sent("2026-12-07"), today="2026-12-17")
    assert found.due is not None
    assert (found.due.dispatched, found.stage) == (date(2026, 12, 7), Stage.AWAITING)


def test_a_corrected_day_of_dispatch_counts_and_keeps_the_defence_it_was_answered_with():
    corrected = sent("2026-12-02", supersedes=2, recorded="2026-12-03")
    found = procedure(drafted(), sent("2026-12-01"), corrected, defence("2026-12-17"), today="2026-12-18")
    assert (found.due.day if found.due else None, found.stage) == (date(2026, 12, 17), Stage.ANSWERED)


def test_a_draft_that_another_replaced_before_it_was_sent_is_no_procedure():
    assert [p.number for p in procedures(drafted(), drafted("2026-12-02", supersedes=1), today="2026-12-03")] == [2]


def test_findings_that_were_sent_stay_a_procedure_although_a_new_draft_replaces_them():
    found = procedures(drafted(), sent("2026-12-01"), drafted("2026-12-02", supersedes=1), today="2026-12-03")
    assert [(p.number, p.stage) for p in found] == [(1, Stage.AWAITING), (3, Stage.DRAFTED)]


def test_what_was_recorded_later_is_not_known_yet():
    assert procedure(drafted(), sent("2026-12-02"), today="2026-12-01").stage is Stage.DRAFTED
