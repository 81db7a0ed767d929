"""Mails about allowed downtime that is spent: which threshold, once, and what they say of it.

October 2026 has 745 hours; with a target of 99 % 7 h 27 min of them may be lost. One sample an hour.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from monitor.budget_telling import tell_budgets
from monitor.month import month_to_date
from monitor.news import BudgetNews, Kind
from monitor.recipients import Recipient
from monitor.store import ledger, outbox, samples
from monitor.store.database import Database
from sla.contract import Contract
from tests.agreements import HOUR, MINUTE, at, clause, contract, entry
from tests.heart import a_sample
from tests.stored_month import fill

MANAGER = Recipient(address="contract@example.be", receives=("agreements",))
OTHER = Recipient(address="wacht@example.be")
PER_TENTH = {"scale": "per-unit", "unit": "0.001", "amount": "EUR 100"}
DAY = "2026-10-05"
ALL = (50, 75, 100)


def agreed(**more: Any) -> Contract:
    return contract(clause(**{"window": "altijd", "target": "0.99", "sanction": PER_TENTH} | more))


def down(*hours: int) -> dict[str, str]:
    return {f"{DAY} {hour:02}:00": "X" for hour in hours}


def told(
    database: Database,
    moment: str = "2026-10-16 00:00",
    rules: Contract | None = None,
    thresholds: tuple[int, ...] = ALL,
    recipients: tuple[Recipient, ...] = (MANAGER, OTHER),
) -> tuple[str, ...]:
    """As the service does after each assessment."""
    rules = rules or agreed()
    month = month_to_date(str(database.engine.url), rules, at(moment))
    assert month is not None
    with database.begin() as tx:
        return tell_budgets(
            tx, rules.contract, rules.timezone, month.forecasts, thresholds, recipients, now_us=at(moment)
        )


def said(database: Database) -> BudgetNews:
    with database.read() as tx:
        [queued] = outbox.read(tx, limit=1)
        assert queued.incident_id is not None
        found = outbox.last_said(tx, queued.incident_id)
    assert found is not None
    assert isinstance(found[1], BudgetNews)
    return found[1]


@pytest.mark.parametrize(
    ("hours", "threshold"),
    [(3, None), (4, 50), (5, 50), (6, 75), (7, 75), (8, 100)],
    ids=["40 %", "54 %", "67 %: still the same", "81 %", "94 %", "107 %"],
)
def test_the_tightest_threshold_that_is_spent_is_told(database: Database, hours: int, threshold: int | None) -> None:
    fill(database, marks=down(*range(8, 8 + hours)))
    queued = told(database)
    assert queued == ((f"budget.PROEF.B1.1.2026-10-01.{threshold}",) if threshold else ())
    if threshold:
        assert (said(database).threshold, said(database).spent_us) == (threshold, hours * HOUR)


def test_each_threshold_is_told_once_however_often_it_is_assessed(database: Database) -> None:
    """T10: what was told stands in the store, so that a restart tells nothing again."""
    fill(database, marks=down(8, 9, 10, 11, 14, 15))
    assert told(database, f"{DAY} 13:00") == ("budget.PROEF.B1.1.2026-10-01.50",)
    assert told(database, f"{DAY} 13:01") == ()
    assert told(database, f"{DAY} 17:00") == ("budget.PROEF.B1.1.2026-10-01.75",)
    assert told(database, "2026-10-31 23:00") == ()


def test_where_time_was_given_back_a_wider_threshold_is_not_told_after_a_tighter_one(database: Database) -> None:
    fill(database, marks=down(8, 9, 10, 11, 12, 13))
    assert told(database) == ("budget.PROEF.B1.1.2026-10-01.75",)
    given_back = entry("exclusion-accepted", f"{DAY} 08:00", f"{DAY} 10:00", recorded="2026-10-12 09:00", ground="x")
    with database.begin() as tx:
        ledger.append(tx, given_back)
    assert told(database, "2026-10-17 00:00") == ()


def test_only_those_who_receive_agreements_hear_of_it(database: Database) -> None:
    fill(database, marks=down(8, 9, 10, 11))
    told(database, recipients=(OTHER, MANAGER, Recipient(address="x@example.be", receives=("reports",))))
    with database.read() as tx:
        [queued] = outbox.read(tx)
    assert (queued.kind, [reader.address for reader in queued.readers]) == (Kind.BUDGET, ["contract@example.be"])


def test_whoever_begins_to_receive_agreements_later_hears_where_it_stands(database: Database) -> None:
    fill(database, marks=down(8, 9, 10, 11))
    assert told(database, recipients=(OTHER,)) == ()
    assert told(database) == ("budget.PROEF.B1.1.2026-10-01.50",)


def test_so_does_who_is_added_to_those_who_know(database: Database) -> None:
    fill(database, marks=down(8, 9, 10, 11))
    told(database)
    both = (MANAGER, MANAGER.model_copy(update={"address": "later@example.be"}))
    assert len(told(database, recipients=both)) == 1
    assert told(database, recipients=both) == ()
    with database.read() as tx:
        readers = [who.address for queued in outbox.read(tx) for who in queued.readers]
    assert sorted(readers) == ["contract@example.be", "later@example.be"]


def test_thresholds_are_the_configuration_s(database: Database) -> None:
    fill(database, marks=down(8, 9, 10))
    assert told(database, thresholds=()) == ()
    assert told(database, thresholds=(40, 90)) == ("budget.PROEF.B1.1.2026-10-01.40",)


def test_it_says_what_is_left_and_what_the_next_step_costs(database: Database) -> None:
    """447 of 44 700 minutes are allowed, 360 are spent."""
    fill(database, marks=down(8, 9, 10, 11, 12, 13))
    told(database)
    news = said(database)
    assert (news.allowed_us - news.spent_us, news.best_efforts) == (87 * MINUTE, False)
    # By the certain edges that sanctions use, first to last failed sample, it was five hours.
    assert news.step.en == "With more than another 2 h 27 min of downtime the computed proposal becomes EUR 100.00."
    assert (news.measured, news.enough_measured) == ("100.00", True)


def test_best_efforts_are_never_told_with_a_sanction(database: Database) -> None:
    fill(database, marks=down(8, 9, 10, 11))
    told(database, rules=agreed(obligation="best-efforts"))
    assert said(database).best_efforts
    assert said(database).step.en == "This is a best-efforts obligation: never sanctioned automatically."


def test_too_little_measured_is_said(database: Database) -> None:
    fill(database, marks=down(8, 9, 10, 11), without=[("2026-10-08 00:00", "2026-10-11 00:00")])
    rules = contract(clause(window="altijd", target="0.99", sanction=PER_TENTH), minimum_coverage="0.95")
    told(database, rules=rules)
    news = said(database)
    # Three of fifteen days are missing, but for the hour for which the sample before them still speaks.
    assert (news.measured, news.enough_measured) == ("80.27", False)


def test_a_period_in_which_nothing_was_measured_is_not_spoken_of(database: Database) -> None:
    fill(database, without=[("2026-10-01 00:00", "2026-11-01 00:00")])
    assert told(database) == ()


def test_of_a_quarter_the_whole_quarter_is_allowed(database: Database) -> None:
    """Of 2 209 hours 22 h 5 min: eight hours are no half of them, twelve are."""
    rules = agreed(period="quarter")
    fill(database, marks=down(*range(8, 16)))
    assert told(database, rules=rules) == ()
    fill_more = {f"2026-11-05 {hour:02}:00": "X" for hour in range(8, 12)}
    november(database, fill_more)
    assert told(database, "2026-11-06 00:00", rules=rules) == ("budget.PROEF.B1.1.2026-10-01.50",)
    assert said(database).until_us == at("2027-01-01 00:00")


def november(database: Database, marks: dict[str, str]) -> None:
    marked = {at(time): mark for time, mark in marks.items()}
    with database.begin() as tx:
        for slot_us in range(at("2026-11-01 00:00"), at("2026-11-06 00:00"), HOUR):
            samples.add(tx, replace(a_sample(marked.get(slot_us, "."), slot_us), run_id=str(slot_us)))


# --- rolling periods -------------------------------------------------------------------------------------------------


ROLLING = {"period": "rolling 7 days"}  # 168 hours, of which 99 % leaves 1 h 40 min 48 s
OF_SEVEN_DAYS = "budget.PROEF.B1.1.rolling-7"


def thresholds_told(queued: tuple[str, ...]) -> list[int]:
    assert all(name.startswith(OF_SEVEN_DAYS) for name in queued)
    return [int(name.removeprefix(f"{OF_SEVEN_DAYS}.").split(".")[0]) for name in queued]


def test_of_a_rolling_period_the_days_that_end_with_today_are_looked_at(database: Database) -> None:
    """An hour on the fifth is 59 % of 100.8 minutes; it counts up to and including the eleventh."""
    fill(database, marks=down(8))
    assert thresholds_told(told(database, f"{DAY} 10:00", rules=agreed(**ROLLING))) == [50]
    news = said(database)
    assert (news.from_us, news.until_us) == (at("2026-09-29 00:00"), at("2026-10-06 00:00"))
    assert (news.allowed_us, news.spent_us) == (168 * HOUR // 100, HOUR)
    assert (news.rolling_days, news.eases_us, news.gone_us) == (7, at("2026-10-12 00:00"), None)


def test_of_a_rolling_period_too_each_threshold_is_told_once(database: Database) -> None:
    fill(database, marks=down(8, 14))
    rules = agreed(**ROLLING)
    assert thresholds_told(told(database, f"{DAY} 10:00", rules=rules)) == [50]
    assert told(database, f"{DAY} 10:01", rules=rules) == ()
    assert thresholds_told(told(database, f"{DAY} 16:00", rules=rules)) == [100]
    assert told(database, "2026-10-11 23:59", rules=rules) == ()


def test_what_was_given_back_and_is_crossed_anew_is_told_again(database: Database) -> None:
    """The hour of the fifth is gone on the twelfth; another one on the thirteenth crosses 50 % a second time."""
    fill(database, marks=down(8) | {"2026-10-13 08:00": "X"})
    rules = agreed(**ROLLING)
    assert thresholds_told(told(database, f"{DAY} 10:00", rules=rules)) == [50]
    assert told(database, "2026-10-12 00:00", rules=rules) == ()
    assert thresholds_told(told(database, "2026-10-13 10:00", rules=rules)) == [50]
    assert told(database, "2026-10-13 10:01", rules=rules) == ()


def test_from_one_threshold_down_to_another_and_up_again_only_the_upper_one_is_told(database: Database) -> None:
    """Two hours are 119 %; when the first is given back 59 % are left, and that was known; then again 119 %."""
    fill(database, marks=down(8) | {"2026-10-06 08:00": "X", "2026-10-12 08:00": "X"})
    rules = agreed(**ROLLING)
    assert thresholds_told(told(database, "2026-10-06 10:00", rules=rules)) == [100]
    assert told(database, "2026-10-12 00:00", rules=rules) == ()
    assert thresholds_told(told(database, "2026-10-12 10:00", rules=rules)) == [100]


def test_while_it_stays_crossed_midnight_tells_nothing_anew(database: Database) -> None:
    """Downtime on each of ten days: at every midnight an hour leaves, and one came before it."""
    fill(database, marks={f"2026-10-{day:02} 08:00": "X" for day in range(5, 15)})
    rules = agreed(**ROLLING)
    days = [(f"2026-10-{day:02} {hour}") for day in range(5, 15) for hour in ("00:00", "10:00")]
    heard = [one for moment in days for one in thresholds_told(told(database, moment, rules=rules))]
    assert heard == [50, 100]


def test_who_wants_to_hear_of_a_rolling_budget_later_hears_where_it_stands_then(database: Database) -> None:
    fill(database, marks=down(8))
    rules = agreed(**ROLLING)
    assert told(database, f"{DAY} 10:00", rules=rules, recipients=(OTHER,)) == ()
    assert thresholds_told(told(database, f"{DAY} 11:00", rules=rules)) == [50]


def test_a_rolling_budget_that_is_gone_says_since_when(database: Database) -> None:
    fill(database, marks=down(8, 9))
    told(database, f"{DAY} 11:00", rules=agreed(**ROLLING))
    assert said(database).gone_us == at(f"{DAY} 09:40:48")
