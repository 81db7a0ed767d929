"""What is left of the downtime a clause allows, until the next sanction step, and when it is gone.

November 2026 has 43 200 minutes; with a target of 99 % 432 of them may be lost.
"""

from __future__ import annotations

from typing import Any

import pytest

from sla.assess import worked_out
from sla.budget import Outlook, outlook_json, outlooks, told
from sla.ledger import Entry, seal
from tests.agreements import BRUSSELS, MINUTE, all_up_but, at, clause, contract, entry, euros, span

NOVEMBER = span("2026-11-01 00:00", "2026-12-01 00:00")
HALFWAY = span("2026-11-01 00:00", "2026-11-16 00:00")
BEGIN = "2026-11-10 10:00"
PER_TENTH = {"scale": "per-unit", "unit": "0.001", "amount": "1% of monthly-fee", "maximum": "2% of monthly-fee"}
BANDS = {"scale": "bands", "bands": [{"below": "0.98", "amount": "EUR 2000"}, {"below": "0.99", "amount": "EUR 500"}]}


def halfway(until: str, *entries: Entry, agreed: Any = None, **more: Any) -> Outlook:
    """Measured up to 16 November, down on the tenth from ten o'clock on."""
    measured = all_up_but(HALFWAY, (BEGIN, until, "down")) if until else all_up_but(HALFWAY)
    rules = contract(clause(**{"sanction": PER_TENTH, **more})) if agreed is None else agreed
    [found] = outlooks(worked_out(rules, period=NOVEMBER, spans=measured, ledger=seal(entries)))
    return found


def test_the_whole_month_gives_the_allowance_and_the_downtime_spends_it():
    found = halfway("2026-11-10 15:00")
    assert (found.budget.allowed_us, found.budget.spent_us) == (432 * MINUTE, 300 * MINUTE)
    assert found.budget.left_us == 132 * MINUTE


def test_only_minutes_of_the_service_window_are_allowed_and_spent():
    found = halfway("2026-11-10 20:00", window="dienst")
    # 21 working days of 11.5 hours; the outage counts from 10:00 to 19:00.
    assert found.budget.allowed_us == 21 * 690 * MINUTE // 100
    assert found.budget.spent_us == 540 * MINUTE


def test_excluded_time_allows_no_downtime():
    work = entry("exclusion", "2026-11-20 00:00", "2026-11-21 00:00", recorded="2026-11-10 09:00")
    assert halfway("2026-11-10 15:00", work).budget.allowed_us == (43_200 - 1_440) * MINUTE // 100


def test_the_pace_so_far_tells_when_it_is_gone():
    # 300 minutes in 15 days; the 132 that are left take 132 / 300 of 21 600 minutes: 6 days, 14 hours and 24 minutes.
    found = halfway("2026-11-10 15:00")
    assert found.gone_us == at("2026-11-22 14:24")
    assert not found.is_gone


def test_at_a_slow_pace_it_is_never_gone():
    assert halfway("2026-11-10 11:40").gone_us is None


def test_without_downtime_it_is_never_gone():
    assert halfway("").gone_us is None


def test_a_spent_budget_was_gone_when_its_last_minute_was_lost():
    found = halfway("2026-11-10 17:20")
    assert found.budget.left_us == -8 * MINUTE
    assert found.gone_us == at("2026-11-10 17:12")
    assert found.is_gone


def test_time_that_only_counts_inside_the_window_is_counted_on_there():
    found = halfway("2026-11-10 11:00", window="dienst", target="0.985")
    # 217.35 allowed, 60 spent in 10 days of 690 minutes: at that pace 157.35 / 60 × 6 900 = 18 095 minutes to go, and
    # only 11 days of 690 minutes are to come.
    assert found.to_come_us == 11 * 690 * MINUTE
    assert found.gone_us is None


@pytest.mark.parametrize(
    ("until", "now", "after_us", "next_amount"),
    [
        ("2026-11-10 15:00", "0.00", 132 * MINUTE + 1, "1000.00"),
        ("2026-11-10 17:20", "1000.00", 35 * MINUTE + 12_000_000 + 1, "2000.00"),
    ],
    ids=["target still reached", "first step taken"],
)
def test_the_next_started_unit_is_the_next_step(until: str, now: str, after_us: int, next_amount: str):
    found = halfway(until)
    assert found.amount_eur == euros(now)
    assert found.step is not None
    assert (found.step.after_us, found.step.amount_eur) == (after_us, euros(next_amount))


def test_at_the_maximum_no_step_is_left():
    assert halfway("2026-11-10 18:20").step is None


def test_the_next_band_is_the_next_step():
    found = halfway("2026-11-10 17:20", sanction=BANDS)
    assert found.amount_eur == euros("500.00")
    assert found.step is not None
    assert (found.step.after_us, found.step.amount_eur) == ((864 - 440) * MINUTE + 1, euros("2000.00"))


def test_a_best_efforts_clause_has_no_step():
    assert halfway("2026-11-10 15:00", obligation="best-efforts").step is None


def test_a_step_further_away_than_the_period_lasts_is_said_to_be_out_of_reach():
    measured = all_up_but(span("2026-11-01 00:00", "2026-11-30 23:00"))
    agreed = contract(clause(sanction=PER_TENTH))
    [found] = outlooks(worked_out(agreed, period=NOVEMBER, spans=measured))
    assert found.step is not None
    assert not found.step.possible


def test_a_weighted_mean_falls_with_all_its_journeys_down_at_once():
    agreed = contract(
        clause(scope=["indienen", "inzage"], combine={"weighted": {"indienen": 3, "inzage": 1}}, sanction=PER_TENTH)
    )
    measured = [
        *all_up_but(HALFWAY, (BEGIN, "2026-11-10 15:00", "down")),
        *all_up_but(HALFWAY, journey="inzage"),
    ]
    [found] = outlooks(worked_out(agreed, period=NOVEMBER, spans=measured))
    assert found.step is not None
    assert found.step.after_us == (432 - 225) * MINUTE + 1  # 300 minutes weigh three quarters


def test_it_is_told_in_dutch_and_in_english():
    found = told(halfway("2026-11-10 15:00"), BRUSSELS)
    assert found.nl == (
        "B1: 7 u 12 min uitval toegelaten, 5 u gebruikt, nog 2 u 12 min over. Bij meer dan nog 2 u 12 min uitval "
        "wordt het berekende voorstel EUR 1.000,00. Aan het huidige tempo is het budget op 22-11-2026 14:24:00 CET op. "
        "Tempo tot nu: 1,38 keer wat de norm toelaat."
    )
    assert found.en.startswith("B1: 7 h 12 min of downtime allowed, 5 h spent, 2 h 12 min left.")


def test_programs_get_minutes_of_the_service_window():
    answer = outlook_json(halfway("2026-11-10 15:00"), BRUSSELS)
    assert (answer["allowed_minutes"], answer["spent_minutes"], answer["left_minutes"]) == (
        "432.00",
        "300.00",
        "132.00",
    )
    assert answer["burn_rate"].startswith("1.388888")  # 5 h in 360 h, of which 1 % is allowed
    assert answer["next_step"]["amount_eur"] == "1000.00"
    assert answer["gone"] == "2026-11-22T14:24:00+01:00"
