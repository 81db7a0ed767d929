"""Periods and instants as people write them."""

from __future__ import annotations

from datetime import date

import pytest

from sla.period import calendar_spans, civil_us, days_span, instant_text, parse_instant, parse_period, zone
from tests.agreements import BRUSSELS, HOUR, at, span


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026-11", "2026-11-01 00:00", "2026-12-01 00:00"),
        ("2026-Q4", "2026-10-01 00:00", "2027-01-01 00:00"),
        ("2026-q1", "2026-01-01 00:00", "2026-04-01 00:00"),
        ("2026", "2026-01-01 00:00", "2027-01-01 00:00"),
        ("2026-11-12T10:00:00+01:00/2026-11-12T10:00:00Z", "2026-11-12 10:00", "2026-11-12 11:00"),
    ],
)
def test_a_period_is_civil_time_of_the_contract_s_zone(text: str, start: str, end: str):
    assert parse_period(text, BRUSSELS) == span(start, end)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("november", "write 2026-11, 2026-Q4, 2026, or FROM/TO"),
        ("2026-13", "is no period"),
        ("2026-11-12T10:00:00/2026-11-13T10:00:00", "has no offset"),
        ("2026-11-13T10:00:00Z/2026-11-12T10:00:00Z", "ends before it begins"),
    ],
)
def test_any_other_period_is_refused_with_a_way_to_write_it(text: str, words: str):
    with pytest.raises(ValueError, match=words):
        parse_period(text, BRUSSELS)


@pytest.mark.parametrize("text", ["2026-11-12", "2026-11-12T10:00", "2026-11-12T10:00:00.1234567Z", "gisteren"])
def test_an_instant_has_seconds_and_an_offset_and_nothing_below_the_microsecond(text: str):
    with pytest.raises(ValueError, match=r"has no offset|is no instant"):
        parse_instant(text)


def test_an_instant_is_written_with_the_offset_of_its_zone_then():
    assert instant_text(at("2026-10-25 02:30"), BRUSSELS) == "2026-10-25T02:30:00+02:00"
    assert instant_text(at("2026-10-25 02:30", fold=1), BRUSSELS) == "2026-10-25T02:30:00+01:00"
    assert instant_text(at("2026-07-01 02:00")) == "2026-07-01T00:00:00Z"


def test_the_repeated_hour_opens_early_and_closes_late():
    day = date(2026, 10, 25)
    early, late = civil_us(day, 9000, BRUSSELS), civil_us(day, 9000, BRUSSELS, closes=True)
    assert late - early == HOUR
    assert days_span(day, day, BRUSSELS).length_us == 25 * HOUR


def test_months_that_touch_a_period_are_whole():
    found = calendar_spans("month", span("2026-11-15 00:00", "2026-12-01 00:00"), BRUSSELS)
    assert found == (span("2026-11-01 00:00", "2026-12-01 00:00"),)


def test_an_unknown_zone_is_refused():
    with pytest.raises(ValueError, match="IANA name"):
        zone("Brussel")


def test_midnight_that_ends_a_day_begins_the_next():
    assert civil_us(date(2026, 12, 31), 86_400, BRUSSELS) == at("2027-01-01 00:00")
