"""The figure of what was left of the allowed unavailability says what the tables say."""

from __future__ import annotations

from sla.budget import budgets
from sla.rendering.burn_down import burn_downs
from tests.report_story import report


def test_what_is_left_at_the_end_is_the_budget_of_the_clause() -> None:
    left = {budget.result.clause.id: budget.left_us for budget in budgets(report().assessment)}
    drawn = {one.result.clause.id: one.left_us for one in burn_downs(report())}
    assert drawn
    assert drawn == {name: left[name] for name in drawn}


def test_the_days_that_took_something_add_up_to_what_the_clause_counted() -> None:
    for one in burn_downs(report()):
        assert one.result.totals is not None
        assert sum(day.spent_us for day in one.spent) == one.result.totals.down_us
        assert one.spent[-1].left_us == one.left_us
