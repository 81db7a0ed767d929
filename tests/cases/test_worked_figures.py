"""Worked figures of others: nights on which the clock changes, tables of nines, reporting periods, and counting."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sla.assess import assess
from sla.assessment import Span
from sla.budget import budgets
from sla.measurements import SampleIn
from sla.period import civil_us, days_span, instant_text, local_date, parse_instant
from tests.agreements import HOUR, SECOND, clause, contract, judge, only, span
from tests.peers import assessed, case_file, rfc3339, seconds

DST = case_file("dst")


# --- the clock changes (zendesk/biz, thruk) ------------------------------------------------------------------------


@pytest.mark.parametrize("case", DST["day_length"], ids=lambda c: c["day"])
def test_a_day_is_as_long_as_the_clock_took(case: dict[str, Any]):
    zone = ZoneInfo(case["zone"])
    day = date.fromisoformat(case["day"])
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=zone).timestamp()
    found = assessed([], start=noon - 86_400, end=noon + 86_400, timezone=case["zone"], weekly=["mon-sun 00:00-24:00"])
    assert seconds(found)["service"] == 172_800
    whole = days_span(day, day, case["zone"])
    found = assessed([], start=whole.start_us / SECOND, end=whole.end_us / SECOND, timezone=case["zone"])
    assert seconds(found)["service"] == case["expected_seconds"]


def test_a_week_of_office_hours_is_39_and_a_half():
    case = DST["duration_within"][0]
    weekly = [f"{day} {a}-{b}" for day, spans in case["hours"].items() for a, b in spans]
    start, end = (parse_instant(case[key]) / SECOND for key in ("start", "end"))
    found = assessed([], start=start, end=end, weekly=weekly)
    assert seconds(found)["service"] == case["expected_hours"] * 3600


def test_a_time_that_occurs_twice_is_the_first_of_the_two():
    case = DST["local_to_utc"][2]
    assert instant_text(civil_us(date(2014, 11, 2), 90 * 60, case["zone"])) == case["expected_utc"]


def test_a_midnight_that_does_not_exist_is_the_first_instant_after_it():
    case = DST["local_to_utc"][1]
    assert instant_text(civil_us(date(2015, 10, 17), 86_400, case["zone"])) == case["expected_utc"]


def test_a_time_that_does_not_exist_is_the_first_instant_after_the_gap_where_they_add_an_hour():
    """They take 02:30 as 03:30; our contracts say the first instant after the skipped hour, which is 03:00."""
    case = DST["local_to_utc"][0]
    assert case["expected_utc"] == "2014-03-09T10:30:00Z"
    assert instant_text(civil_us(date(2014, 3, 9), 150 * 60, case["zone"])) == "2014-03-09T10:00:00Z"


def test_a_window_that_spring_cuts_short_keeps_its_last_quarter_where_they_drop_it():
    """Sunday 02:30-03:15 on the night the clock goes forward; the same difference of rule."""
    case = DST["periods"][0]
    night = days_span(date(2006, 4, 2), date(2006, 4, 2), case["zone"])
    found = assessed(
        [], start=night.start_us / SECOND, end=night.end_us / SECOND, timezone=case["zone"], weekly=["sun 02:30-03:15"]
    )
    assert seconds(found)["service"] == 900


# --- nines ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("percent", "window_s", "exact_s"), case_file("nines")["rows"])
def test_the_downtime_a_target_allows_is_exact(percent: str, window_s: int, exact_s: float):
    start = 1_767_225_600  # New Year of 2026: every window fits in that year
    agreed = contract(clause(target=str(Decimal(percent) / 100), period="year"), timezone="UTC")
    (found,) = budgets(assess(agreed, period=Span(start_us=start * SECOND, end_us=(start + window_s) * SECOND)))
    assert found.allowed_us == round(exact_s * SECOND)


# --- reporting periods (Zabbix) ------------------------------------------------------------------------------------

UNITS = {"monthly": "month", "quarterly": "quarter", "annual": "year"}


def label(unit: str, day: date) -> str:
    return {"month": f"{day:%Y-%m}", "quarter": f"{day.year}-Q{(day.month + 2) // 3}", "year": f"{day.year}"}[unit]


@pytest.mark.parametrize("case", case_file("zabbix_periods")["cases"], ids=lambda c: f"{c['period']} {c['from']}")
def test_a_long_period_falls_apart_into_the_same_reporting_periods(case: dict[str, Any]):
    unit = UNITS[case["period"]]
    whole = days_span(date.fromisoformat(case["from"]), date.fromisoformat(case["to"]), "UTC")
    first = {"valid_from": date(2000, 1, 1), "valid_until": date(2040, 12, 31)}
    found = assess(contract(clause(period=unit), timezone="UTC", **first), period=whole)
    assert [label(unit, local_date(c.period.start_us, "UTC")) for c in found.clauses] == case["peer_expected"]


# --- counting checks (Uptime Kuma), as a contrast ------------------------------------------------------------------


def test_counting_checks_gives_80_percent_where_one_unconfirmed_failure_is_a_blip():
    """Uptime Kuma: up / (up + down) over checks, so 4 up and 1 down is 0.8. To us it is time, and not confirmed."""
    day = span("2026-11-12 10:00", "2026-11-12 10:05")
    measured = [
        SampleIn(
            journey="indienen",
            due_us=day.start_us + i * 60 * SECOND,
            interval_us=60 * SECOND,
            outcome="down" if i == 4 else "up",
        )
        for i in range(5)
    ]
    found = judge(contract(), day, measured)
    assert only(found).measured == 1
    assert len(found.blips) == 1


def test_silence_is_unmeasured_where_a_stale_bucket_still_says_80_percent():
    """T34: 48 hours after the last check Uptime Kuma still says 80 %."""
    start = 1_794_500_000
    lines = [
        f'{{"journey":"peer","due":"{rfc3339(start + i * 60)}","interval_s":60,"outcome":"{o}"}}'
        for i, o in enumerate(("up", "up", "up", "up", "down"))
    ]
    later = start + timedelta(hours=48).total_seconds()
    found = assessed(lines, start=later, end=later + 86_400)
    assert found["clauses"][0]["availability"] == {"lowest": None, "point": None, "highest": None}
    assert seconds(found)["unmeasured"] * SECOND == 24 * HOUR
