"""What several locations say together at one moment. T39, T40."""

from __future__ import annotations

import pytest

from monitor.votes import Verdict, verdict
from probes.sample import Outcome
from tests.heart import BROKEN, MINUTE, SLOW, a_sample, at

TEN = at("10:00")


def votes(picture: str, *, quorum: int | None = None, ages_us: tuple[int, ...] = ()) -> Verdict:
    """One vote a mark, of locations a, b, c, ...; `ages_us` in the same order, none is fresh."""
    given = [
        a_sample(mark, TEN - (ages_us[number] if ages_us else 0), location=chr(ord("a") + number))
        for number, mark in enumerate(picture)
    ]
    return verdict(given, quorum=quorum, as_of_us=TEN, interval_us=MINUTE)


@pytest.mark.parametrize(
    ("picture", "quorum", "expected"),
    [
        ("x", None, Outcome.DOWN),
        (".", None, Outcome.UP),
        # Without a quorum one that gets through proves that it works.
        ("xx", None, Outcome.DOWN),
        ("x.", None, Outcome.UP),
        ("x~", None, Outcome.DEGRADED),
        ("xx?", None, Outcome.DOWN),
        # With one, so many votes make it down, whoever else gets through.
        ("xx.", 2, Outcome.DOWN),
        ("xxx", 2, Outcome.DOWN),
        ("x..", 2, Outcome.UP),
        ("x.", 2, Outcome.UP),
        # Fewer, and nobody who got through, decide nothing.
        ("x", 2, Outcome.UNKNOWN),
        ("x??", 2, Outcome.UNKNOWN),
        # One that is as fast as it should be is enough to be up.
        ("~~.", 2, Outcome.UP),
        ("~~?", 2, Outcome.DEGRADED),
        ("~", 2, Outcome.DEGRADED),
        # No vote at all is never agreement (T40).
        ("", None, Outcome.UNKNOWN),
        ("", 1, Outcome.UNKNOWN),
        ("??", None, Outcome.UNKNOWN),
    ],
)
def test_what_the_votes_come_to(picture: str, quorum: int | None, expected: Outcome) -> None:
    assert votes(picture, quorum=quorum).outcome is expected


def test_a_vote_of_two_intervals_is_none_any_more() -> None:
    """T39."""
    assert votes("x.", ages_us=(0, 2 * MINUTE)).outcome is Outcome.DOWN
    assert votes("x.", ages_us=(0, 2 * MINUTE - 1)).outcome is Outcome.UP
    assert votes("xx", quorum=2, ages_us=(0, 2 * MINUTE)).outcome is Outcome.UNKNOWN


def test_it_says_who_sees_what() -> None:
    assert votes("x.x~?", quorum=3) == Verdict(outcome=Outcome.UP, failure=None, failing=("a", "c"), working=("b", "d"))


def test_the_failure_is_that_of_the_newest_vote_that_says_so() -> None:
    assert votes("xx", quorum=2).failure == BROKEN
    assert votes("~~").failure == SLOW
    assert votes("x", quorum=2).failure == BROKEN
    assert votes("").failure is not None
