"""Figures in a report: cut, never rounded, and always on their own side of the norm."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla.period import parse_instant
from sla.rendering.numbers import Numbers, cut

DUTCH = Numbers(language="nl", zone=ZoneInfo("Europe/Brussels"))
ENGLISH = Numbers(language="en", zone=ZoneInfo("Europe/Brussels"))
SECOND = 1_000_000

counts = st.integers(min_value=0, max_value=10**13)
norms = st.decimals(min_value=0, max_value=1, places=6).map(Fraction)


@st.composite
def ratios(draw: st.DrawFn) -> Fraction:
    whole = draw(st.integers(min_value=1, max_value=10**13))
    return Fraction(draw(st.integers(min_value=0, max_value=whole)), whole)


def read_percent(text: str) -> Fraction:
    """What a reader would key into a calculator."""
    plain = text.replace("\u00a0%", "").replace("%", "").replace(".", "").replace(",", ".")
    return Fraction(Decimal(plain)) / 100


def read_duration(text: str) -> Fraction:
    units = {"d": 86400, "dag": 86400, "dagen": 86400, "u": 3600, "min": 60, "s": 1}
    total = Fraction(0)
    for part in text.split(" "):
        number, unit = part.split("\u00a0")
        total += Fraction(Decimal(number.replace(".", "").replace(",", "."))) * units[unit]
    return total


@given(ratios(), norms)
def test_a_printed_percentage_is_never_on_the_other_side_of_the_norm(ratio: Fraction, norm: Fraction) -> None:
    shown = read_percent(DUTCH.percent(ratio, norm))
    assert (shown >= norm) == (ratio >= norm)


@given(ratios(), norms)
def test_a_printed_percentage_never_flatters(ratio: Fraction, norm: Fraction) -> None:
    shown = read_percent(DUTCH.percent(ratio, norm))
    assert ratio - Fraction(1, 10_000) < shown <= ratio


@given(norms)
def test_a_norm_is_printed_whole(norm: Fraction) -> None:
    assert read_percent(DUTCH.norm_percent(norm)) == norm


@given(counts)
def test_a_duration_read_back_is_the_same_to_the_microsecond(length_us: int) -> None:
    assert read_duration(DUTCH.duration(length_us)) * SECOND == length_us


@given(counts)
def test_seconds_read_back_are_the_same_to_the_microsecond(length_us: int) -> None:
    assert read_duration(DUTCH.seconds(length_us)) * SECOND == length_us


@given(ratios(), st.integers(min_value=0, max_value=9))
def test_cutting_only_ever_takes_away(ratio: Fraction, decimals: int) -> None:
    assert 0 <= ratio - Fraction(cut(ratio, decimals)) < Fraction(1, 10**decimals)


@pytest.mark.parametrize(
    ("ratio", "norm", "shown"),
    [
        ("0.99796", "0.998", "99,79 %"),
        ("0.997999", "0.998", "99,79 %"),
        ("0.99999", "0.993", "99,99 %"),
        ("0.9999499", "0.99995", "99,994 %"),
        ("1", "0.993", "100,00 %"),
        ("0.993", "0.993", "99,30 %"),
    ],
)
def test_percentages_near_their_norm(ratio: str, norm: str, shown: str) -> None:
    assert DUTCH.percent(Fraction(ratio), Fraction(norm)).replace("\u00a0", " ") == shown


def test_english_has_a_decimal_point() -> None:
    assert ENGLISH.percent(Fraction("0.99796"), Fraction("0.998")) == "99.79\u00a0%"


@pytest.mark.parametrize(
    ("length_us", "shown"),
    [
        (0, "0 s"),
        (9_660 * SECOND, "2 u 41 min"),
        (86_400 * SECOND, "24 u"),
        (2 * 86_400 * SECOND + 61 * SECOND + 500_000, "48 u 1 min 1,5 s"),
        (1, "0,000001 s"),
    ],
)
def test_durations_are_exact(length_us: int, shown: str) -> None:
    assert DUTCH.duration(length_us).replace("\u00a0", " ") == shown


def test_a_response_time_is_rounded_up_to_the_millisecond() -> None:
    assert DUTCH.response(9_999_001) == "10,000\u00a0s"


def test_euros_have_thousands_and_cents() -> None:
    assert DUTCH.euros(Decimal("1234.5")).replace("\u00a0", " ") == "EUR 1.234,50"


def test_a_negative_amount_has_a_minus_sign() -> None:
    assert DUTCH.euros(Decimal("-5.00")).replace("\u00a0", " ") == "EUR −5,00"


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        ("2026-10-25T02:30:00+02:00", "02:30:00 CEST"),
        ("2026-10-25T02:30:00+01:00", "02:30:00 CET"),
        ("2026-10-25T03:00:00+01:00", "03:00:00"),
        ("2026-03-29T03:00:00+02:00", "03:00:00"),
        ("2026-11-12T10:32:17.25+01:00", "10:32:17,25"),
    ],
)
def test_only_the_repeated_hour_names_its_zone(at: str, shown: str) -> None:
    assert DUTCH.clock(parse_instant(at)) == shown


def test_a_whole_month_is_called_by_its_name() -> None:
    span = (parse_instant("2026-10-01T00:00:00+02:00"), parse_instant("2026-11-01T00:00:00+01:00"))
    assert DUTCH.period(*span) == "oktober 2026"


def test_any_other_run_of_days_names_the_first_and_the_last() -> None:
    span = (parse_instant("2026-10-05T00:00:00+02:00"), parse_instant("2026-10-08T00:00:00+02:00"))
    assert ENGLISH.period(*span) == "Monday 5 October 2026 to Wednesday 7 October 2026"
