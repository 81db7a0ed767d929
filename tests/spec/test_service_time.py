"""Which time counts: service windows, holidays, and the two nights on which the clock changes."""

from __future__ import annotations

from datetime import date

import pytest

from sla.assess import assess
from sla.period import parse_period
from tests.agreements import BRUSSELS, HOUR, MINUTE, clause, contract, only

HOLIDAYS_2026 = [date(2026, 11, 2), date(2026, 11, 11)]


def service_us(period: str, window: str | None, **version: object) -> int:
    agreed = contract(clause(window=window) if window else clause(), **version)
    totals = only(assess(agreed, period=parse_period(period, BRUSSELS))).totals
    assert totals is not None
    return totals.service_us


def test_november_2026_has_13110_minutes_of_service_time_without_its_two_holidays():
    assert service_us("2026-11", "dienst", holidays=HOLIDAYS_2026) == 13_110 * MINUTE


def test_a_holiday_on_a_weekday_is_open_where_the_window_says_so():
    open_window = {"dienst": {"weekly": ["mon-fri 07:30-19:00"], "holidays": "open"}}
    assert service_us("2026-11", "dienst", holidays=HOLIDAYS_2026, windows=open_window) == 21 * 690 * MINUTE


def test_a_window_may_have_holidays_of_its_own():
    own = {"dienst": {"weekly": ["mon-fri 07:30-19:00"], "holidays": "closed", "holiday_dates": [date(2026, 11, 3)]}}
    assert service_us("2026-11", "dienst", holidays=HOLIDAYS_2026, windows=own) == 20 * 690 * MINUTE


def test_what_lies_outside_a_window_is_all_the_rest_holidays_included():
    windows = {
        "dienst": {"weekly": ["mon-fri 07:30-19:00"], "holidays": "closed"},
        "buiten": {"outside": "dienst"},
    }
    outside = service_us("2026-11", "buiten", holidays=HOLIDAYS_2026, windows=windows)
    assert outside == (30 * 24 * 60 - 13_110) * MINUTE


def test_a_window_without_hours_is_no_time_at_all():
    assert service_us("2026-11", "nooit") == 0


def test_a_clause_without_window_counts_all_time():
    assert service_us("2026-11", None) == 720 * HOUR


@pytest.mark.parametrize(
    ("month", "minutes"), [("2026-03", 44_580), ("2026-10", 44_700), ("2027-03", 44_580), ("2027-10", 44_700)]
)
def test_a_month_in_which_the_clock_changes_is_an_hour_shorter_or_longer(month: str, minutes: int):
    """T17"""
    assert service_us(month, "altijd") == minutes * MINUTE


@pytest.mark.parametrize(
    ("day", "next_day", "hours"),
    [
        ("2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00", 23),
        ("2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00", 25),
        ("2027-03-28T00:00:00+01:00", "2027-03-29T00:00:00+02:00", 23),
        ("2026-11-12T00:00:00+01:00", "2026-11-13T00:00:00+01:00", 24),
    ],
)
def test_a_whole_day_lasts_as_long_as_the_clock_on_the_wall_took(day: str, next_day: str, hours: int):
    """T16"""
    assert service_us(f"{day}/{next_day}", "altijd") == hours * HOUR


def test_the_hour_that_spring_skips_is_no_service_time():
    """T16: a window from 02:00 to 03:00 opens at the first instant after the skipped hour, and closes there."""
    assert service_us("2026-03-29T00:00:00+01:00/2026-03-30T00:00:00+02:00", "nacht") == 0


def test_the_hour_that_autumn_repeats_counts_twice():
    """T16: the earlier 02:00 opens, and 03:00 closes two hours later."""
    assert service_us("2026-10-25T00:00:00+02:00/2026-10-26T00:00:00+01:00", "nacht") == 2 * HOUR


def test_an_edge_inside_the_skipped_hour_moves_to_the_first_instant_after_it():
    windows = {"vroeg": {"weekly": ["sun 02:30-04:00"], "holidays": "open"}}
    period = "2026-03-29T00:00:00+01:00/2026-03-30T00:00:00+02:00"
    assert service_us(period, "vroeg", windows=windows) == HOUR


def test_an_edge_inside_the_repeated_hour_opens_early_and_closes_late():
    windows = {"vroeg": {"weekly": ["sun 02:15-02:45"], "holidays": "open"}}
    period = "2026-10-25T00:00:00+02:00/2026-10-26T00:00:00+01:00"
    assert service_us(period, "vroeg", windows=windows) == 90 * MINUTE


@pytest.mark.parametrize(
    ("text", "hours"),
    [("2026", 365 * 24), ("2028", 366 * 24), ("2026-Q1", 90 * 24 - 1), ("2026-Q4", 92 * 24 + 1), ("2026-Q2", 91 * 24)],
)
def test_years_and_quarters_are_as_long_as_they_really_are(text: str, hours: int):
    assert parse_period(text, BRUSSELS).length_us == hours * HOUR
