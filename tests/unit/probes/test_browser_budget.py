"""How much a day may keep of pictures and traces."""

from __future__ import annotations

from probes.browser.running import Budget
from tests.heart import DAY, HOUR, at


def test_a_day_takes_what_fits_whole_or_not_at_all_and_the_next_day_begins_anew() -> None:
    budget = Budget(100)
    assert [budget.takes(size, at("10:00")) for size in (60, 50, 40, 1)] == [True, False, True, False]
    assert not budget.takes(1, at("23:59"))
    assert budget.takes(100, at("00:00") + DAY)


def test_what_others_kept_of_this_day_counts_and_what_they_kept_yesterday_does_not() -> None:
    budget = Budget(100)
    budget.was_kept(90, at("10:00"))
    assert [budget.takes(size, at("10:00") + HOUR) for size in (20, 10)] == [False, True]
    assert budget.takes(100, at("10:00") + DAY)


def test_a_new_configuration_goes_on_with_the_day_that_is_spent() -> None:
    old, more, less = Budget(100), Budget(120), Budget(50)
    assert old.takes(90, at("10:00"))
    more.go_on_from(old)
    less.go_on_from(old)
    assert [more.takes(30, at("11:00")), less.takes(1, at("11:00")), less.takes(50, at("11:00") + DAY)] == [
        True,
        False,
        True,
    ]
