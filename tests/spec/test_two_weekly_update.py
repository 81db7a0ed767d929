"""The two-weekly update warns of a service level that is lost but for exclusions, while its month still goes on."""

from __future__ import annotations

from sla.rendering.periodic import update_page
from tests.period_story import update


def test_only_a_clause_that_lost_more_than_its_whole_month_allows_is_called_overspent() -> None:
    overspent = [one.result.clause.id for one in update().standings if one.is_overspent]
    assert overspent == ["B1"]
    assert all(one.budget is None or one.budget.left_us >= 0 for one in update().standings if not one.is_overspent)


def test_the_page_says_so_beside_the_clause_in_both_languages() -> None:
    assert update_page(update(), "nl").count('i-undecided">Ruimte is op</span>') == 1
    assert update_page(update(), "en").count('i-undecided">Allowance spent</span>') == 1
