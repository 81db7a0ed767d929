"""Hours of the week by name: past midnight, on holidays, outside of others, when the clock changes."""

from __future__ import annotations

from datetime import date

import pytest
from pydantic import ValidationError

from monitor.hours import HoursSettings, named_hours, on_duty, quiet_until_us, quiet_us
from monitor.recipients import Recipient
from sla.period import parse_instant

SETTINGS = {
    "kantoor": HoursSettings.model_validate(
        {"weekly": ["mon-thu 08:00-18:00", "fri 08:00-16:00"], "holidays": [date(2026, 12, 25)]}
    ),
    "wacht": HoursSettings(outside="kantoor"),
    "nacht": HoursSettings.model_validate({"weekly": ["mon-sun 22:00-07:00"]}),
    "weekend": HoursSettings.model_validate({"weekly": ["fri 22:00-00:00", "sat-sun 00:00-24:00"]}),
    "nooit": HoursSettings.model_validate({"weekly": []}),
    "altijd": HoursSettings(outside="nooit"),
}
HOURS = named_hours(SETTINGS, "Europe/Brussels")


def instant(text: str) -> int:
    return parse_instant(text)


@pytest.mark.parametrize(
    ("name", "moment", "holds"),
    [
        ("kantoor", "2026-11-23T07:59:59+01:00", False),
        ("kantoor", "2026-11-23T08:00:00+01:00", True),
        ("kantoor", "2026-11-27T16:00:00+01:00", False),
        ("kantoor", "2026-12-25T10:00:00+01:00", False),
        ("wacht", "2026-12-25T10:00:00+01:00", True),
        ("wacht", "2026-11-23T10:00:00+01:00", False),
        ("nacht", "2026-11-23T23:30:00+01:00", True),
        ("nacht", "2026-11-24T06:59:59+01:00", True),
        ("nacht", "2026-11-24T07:00:00+01:00", False),
        ("weekend", "2026-11-27T23:00:00+01:00", True),
        ("weekend", "2026-11-30T00:00:00+01:00", False),
        ("nooit", "2026-11-23T10:00:00+01:00", False),
        ("altijd", "2026-11-23T10:00:00+01:00", True),
    ],
)
def test_when_hours_hold(name, moment, holds):
    assert HOURS[name].hold(instant(moment)) is holds


@pytest.mark.parametrize(
    ("name", "moment", "end"),
    [
        ("nacht", "2026-11-23T23:00:00+01:00", "2026-11-24T07:00:00+01:00"),
        ("nacht", "2026-10-24T23:00:00+02:00", "2026-10-25T07:00:00+01:00"),
        ("nacht", "2027-03-27T23:00:00+01:00", "2027-03-28T07:00:00+02:00"),
        ("wacht", "2026-11-27T17:00:00+01:00", "2026-11-30T08:00:00+01:00"),
        ("kantoor", "2026-11-23T03:00:00+01:00", "2026-11-23T03:00:00+01:00"),
    ],
    ids=["a night", "a night of ten hours", "a night of eight hours", "over a weekend", "they do not hold"],
)
def test_when_hours_end(name, moment, end):
    """T16: wall-clock exact over both changes of the clock."""
    assert HOURS[name].end_us(instant(moment)) == instant(end)


def test_hours_without_end_are_looked_into_for_two_weeks_only():
    began = instant("2026-11-23T10:00:00+01:00")
    assert HOURS["altijd"].end_us(began) == began + 15 * 86_400_000_000


def test_everybody_has_the_hours_of_their_own_clock():
    there = Recipient(address="a@example.be", duty="kantoor", quiet="nacht", timezone="America/New_York")
    assert on_duty(there, HOURS, instant("2026-11-23T20:00:00+01:00"))
    assert quiet_until_us(there, HOURS, instant("2026-11-23T22:30:00-05:00")) == instant("2026-11-24T07:00:00-05:00")
    assert quiet_until_us(there, HOURS, instant("2026-11-23T22:30:00+01:00")) is None


def test_how_long_somebody_was_left_in_peace_is_reckoned_by_their_own_clock():
    there = Recipient(address="a@example.be", quiet="nacht", timezone="America/New_York")
    noon = instant("2026-11-23T12:00:00-05:00")
    assert quiet_us(there, HOURS, noon, noon + 48 * 3_600_000_000) == 18 * 3_600_000_000
    assert quiet_us(there, HOURS, noon, noon) == quiet_us(there, HOURS, noon, noon - 1) == 0
    assert quiet_us(Recipient(address="a@example.be"), {}, noon, noon + 1) == 0


def test_without_named_hours_somebody_is_always_on_duty_and_never_quiet():
    plain = Recipient(address="a@example.be")
    assert on_duty(plain, {}, 0)
    assert quiet_until_us(plain, {}, 0) is None


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ({}, "needs weekly"),
        ({"weekly": ["mon 08:00-09:00"], "outside": "kantoor"}, "needs weekly"),
        ({"outside": "kantoor", "holidays": [date(2026, 1, 1)]}, "leave holidays to those"),
        ({"weekly": ["monday 8-9"]}, "is no weekly span"),
        ({"weekly": ["foo 22:00-07:00"]}, "is no weekly span"),
    ],
)
def test_nonsense_is_refused_with_its_reason(table, why):
    with pytest.raises(ValidationError, match=why):
        HoursSettings.model_validate(table)
