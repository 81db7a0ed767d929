"""What an outage does to a contract if it goes on: when it becomes sanctionable, and what is left then. By hand.

November 2026 has 43 200 minutes, of which 99.9 % leaves 43.2 and 99 % leaves 432. The window `dienst` is open from 7:30
to 19:00 on 21 working days: 14 490 minutes, of which 99.9 % leaves 14.49, or 14 min 29.4 s.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from sla.assess import worked_out
from sla.budget import outlooks
from sla.effect import Effect, Streak, effects
from sla.ledger import Entry, seal
from sla.measurements import SpanIn
from sla.period import day_span, local_date
from sla.standing import Standing, rolling_reach, rolling_standings, standings
from tests.agreements import BRUSSELS, HOUR, MINUTE, SECOND, all_up_but, at, clause, contract, entry, span

NOVEMBER = span("2026-11-01 00:00", "2026-12-01 00:00")
PER_TENTH = {"scale": "per-unit", "unit": "0.001", "amount": "EUR 100", "maximum": "EUR 300"}
PER_HOUR = {"scale": "per-unit", "unit": "1h", "amount": "EUR 100"}


def known(
    now: str,
    *down: tuple[str, str],
    agreed: Any = None,
    ledger: tuple[Entry, ...] = (),
    month: Any = NOVEMBER,
    coverage: Fraction = Fraction(1),
    unit: Any = "month",
    measured: list[SpanIn] | None = None,
    **more: Any,
) -> tuple[Standing, ...]:
    """Where clauses stand when everything was measured up to `now`, down in these spans."""
    if measured is None:
        measured = all_up_but(span("2026-11-01 00:00", now), *((a, b, "down") for a, b in down))
    rules = agreed or contract(clause(**{"sanction": PER_TENTH, "target": "0.999"} | more))
    worked = worked_out(rules, period=month, spans=measured, ledger=seal(ledger))
    return standings(worked, outlooks(worked, now_us=at(now)), now_us=at(now), unit=unit, coverage=coverage)


def effect(standing: tuple[Standing, ...], since: str, now: str, *, journey: str = "indienen", fold: int = 0) -> Effect:
    failing = {journey: Streak(first_bad_us=at(since))}
    [found] = effects(standing, journey, failing, now_us=at(now, fold=fold), stale_us=HOUR)
    return found


def test_it_becomes_sanctionable_when_all_that_is_allowed_is_spent() -> None:
    """43.2 minutes, nothing of them spent: from ten o'clock until 10:43:12, and not before."""
    found = effect(known("2026-11-10 10:00"), "2026-11-10 10:00", "2026-11-10 10:02")
    assert found.sanctionable_us == at("2026-11-10 10:43:12") + 1
    assert found.left_us == 41 * MINUTE + 12 * SECOND


def test_what_was_spent_before_brings_it_nearer() -> None:
    """30 minutes on the third leave 13.2: until 10:13:12."""
    standing = known("2026-11-10 10:00", ("2026-11-03 12:00", "2026-11-03 12:30"))
    found = effect(standing, "2026-11-10 10:00", "2026-11-10 10:02")
    assert found.sanctionable_us == at("2026-11-10 10:13:12") + 1
    assert found.left_us == 11 * MINUTE + 12 * SECOND


def test_an_outage_that_the_assessment_has_seen_a_part_of_counts_once() -> None:
    """Assessed at 10:05, five minutes into it; told at 10:06."""
    measured = [
        *all_up_but(span("2026-11-01 00:00", "2026-11-10 10:00")),
        SpanIn(journey="indienen", start_us=at("2026-11-10 10:00"), end_us=at("2026-11-10 10:05"), state="down"),
    ]
    found = effect(known("2026-11-10 10:05", measured=measured), "2026-11-10 10:00", "2026-11-10 10:06")
    assert found.sanctionable_us == at("2026-11-10 10:43:12") + 1
    assert found.left_us == 37 * MINUTE + 12 * SECOND


def test_an_outage_outside_the_window_costs_nothing_until_it_opens() -> None:
    """Broken at two in the night: the 14 min 29.4 s begin at 7:30."""
    found = effect(known("2026-11-10 02:00", window="dienst"), "2026-11-10 02:00", "2026-11-10 02:01")
    assert found.sanctionable_us == at("2026-11-10 07:44:29") + 400_000 + 1
    assert found.left_us == 14 * MINUTE + 29 * SECOND + 400_000


def test_the_night_between_two_windows_is_leapt_over() -> None:
    """Ten minutes are left on Tuesday until 19:00; the other 4 min 29.4 s come on Wednesday from 7:30 on."""
    found = effect(known("2026-11-10 18:50", window="dienst"), "2026-11-10 18:50", "2026-11-10 18:51")
    assert found.sanctionable_us == at("2026-11-11 07:34:29") + 400_000 + 1


def test_so_is_the_weekend() -> None:
    """Friday the 13th, ten minutes to seven; on with it on Monday."""
    found = effect(known("2026-11-13 18:50", window="dienst"), "2026-11-13 18:50", "2026-11-13 18:51")
    assert found.sanctionable_us == at("2026-11-16 07:34:29") + 400_000 + 1


@pytest.mark.parametrize(
    ("month", "start", "since", "until", "fold"),
    [
        (("2026-10-01 00:00", "2026-11-01 00:00"), "2026-10-01 00:00", "2026-10-25 01:50", "2026-10-25 02:34:42", 0),
        (("2027-03-01 00:00", "2027-04-01 00:00"), "2027-03-01 00:00", "2027-03-28 01:50", "2027-03-28 03:34:34.8", 0),
    ],
    ids=["autumn, in the first of the two hours", "spring, over the hour that is not there"],
)
def test_in_the_night_of_the_change_real_minutes_count(
    month: tuple[str, str], start: str, since: str, until: str, fold: int
) -> None:
    """Of 745 hours 0.1 % is 44.7 minutes, of 743 hours 44.58."""
    standing = known(
        since, month=span(*month), measured=all_up_but(span(start, since)), agreed=contract(always("0.999"))
    )
    found = effect(standing, since, since)
    assert found.sanctionable_us == at(until, fold=fold) + 1


def always(target: str, **more: Any) -> dict[str, Any]:
    return clause(**{"window": "altijd", "target": target, "sanction": PER_TENTH} | more)


def test_the_hour_that_autumn_repeats_counts_twice() -> None:
    """99.7 % of 745 hours leaves 134.1 minutes, from 1:50 summer time on: ten, sixty, sixty, and 4.1 after three."""
    month = span("2026-10-01 00:00", "2026-11-01 00:00")
    since = "2026-10-25 01:50"
    measured = all_up_but(span("2026-10-01 00:00", since))
    standing = known(since, month=month, measured=measured, agreed=contract(always("0.997")))
    assert effect(standing, since, since).sanctionable_us == at("2026-10-25 03:04:06") + 1


def test_maintenance_that_is_announced_stops_the_clock() -> None:
    """Excluded from 10:20 to 11:20, announced in time: of the 43.14 minutes 23.14 are left after it."""
    agreed = contract(clause(sanction=PER_TENTH, target="0.999"), maintenance={"notice": "2 days"})
    work = entry("maintenance", "2026-11-10 10:20", "2026-11-10 11:20", recorded="2026-11-01 09:00")
    found = effect(known("2026-11-10 10:00", agreed=agreed, ledger=(work,)), "2026-11-10 10:00", "2026-11-10 10:01")
    # 43 140 of the month's minutes are not excluded: 43 min 8.4 s may be lost.
    assert found.sanctionable_us == at("2026-11-10 11:43:08") + 400_000 + 1


def test_a_clause_that_was_missed_before_says_so_and_names_the_next_step() -> None:
    """60 minutes are spent: 99.8611 %. The second tenth begins below 99.8 %, which is 86.4 minutes: 26.4 more."""
    standing = known("2026-11-10 10:00", ("2026-11-03 12:00", "2026-11-03 13:00"))
    found = effect(standing, "2026-11-10 10:00", "2026-11-10 10:02")
    assert found.sanctionable_us == 0
    assert found.step_us == at("2026-11-10 10:26:24") + 1
    assert found.left_us == 43 * MINUTE + 12 * SECOND - 62 * MINUTE


def test_at_the_maximum_there_is_no_further_step() -> None:
    standing = known("2026-11-10 10:00", ("2026-11-03 12:00", "2026-11-03 16:00"))
    found = effect(standing, "2026-11-10 10:00", "2026-11-10 10:02")
    assert (found.sanctionable_us, found.step_us) == (0, None)


def test_what_this_outage_made_sanctionable_is_told_with_the_instant_and_the_next_step() -> None:
    """A reminder after an hour: it has been so since 10:43:12, and 86.4 minutes are reached at 11:26:24."""
    measured = [
        *all_up_but(span("2026-11-01 00:00", "2026-11-10 10:00")),
        SpanIn(journey="indienen", start_us=at("2026-11-10 10:00"), end_us=at("2026-11-10 11:00"), state="down"),
    ]
    found = effect(known("2026-11-10 11:00", measured=measured), "2026-11-10 10:00", "2026-11-10 11:01")
    assert found.sanctionable_us == at("2026-11-10 10:43:12") + 1
    assert found.step_us == at("2026-11-10 11:26:24") + 1


def test_what_the_month_cannot_hold_any_more_is_not_foretold() -> None:
    """At half past eleven on the last evening there are 30 minutes to come, and 43.2 are left."""
    found = effect(known("2026-11-30 23:30"), "2026-11-30 23:30", "2026-11-30 23:31")
    assert found.sanctionable_us is None
    assert found.left_us == 42 * MINUTE + 12 * SECOND


def test_best_efforts_are_never_called_sanctionable() -> None:
    found = effect(known("2026-11-10 10:00", obligation="best-efforts"), "2026-11-10 10:00", "2026-11-10 10:02")
    assert found.best_efforts
    assert (found.sanctionable_us, found.step_us, found.left_us) == (None, None, 41 * MINUTE + 12 * SECOND)


def test_a_clause_without_sanction_tells_only_what_is_left() -> None:
    found = effect(known("2026-11-10 10:00", sanction=None), "2026-11-10 10:00", "2026-11-10 10:02")
    assert (found.sanctionable_us, found.left_us) == (None, 41 * MINUTE + 12 * SECOND)


def test_in_grace_nothing_becomes_sanctionable() -> None:
    agreed = contract(clause(sanction=PER_TENTH, target="0.999"), grace_until="2026-11-30")
    found = effect(known("2026-11-10 10:00", agreed=agreed), "2026-11-10 10:00", "2026-11-10 10:02")
    assert found.sanctionable_us is None


def test_downtime_in_grace_counts_for_the_verdict_and_not_for_the_sanction() -> None:
    """Grace ends with the tenth: of an outage from 23:50 on, the 43.2 minutes that are sanctioned begin at midnight."""
    agreed = contract(clause(sanction=PER_TENTH, target="0.999"), grace_until="2026-11-10")
    found = effect(known("2026-11-10 23:50", agreed=agreed), "2026-11-10 23:50", "2026-11-10 23:51")
    assert found.sanctionable_us == at("2026-11-11 00:43:12") + 1


def test_too_little_measured_is_said() -> None:
    agreed = contract(clause(sanction=PER_TENTH, target="0.999"), minimum_coverage="0.95")
    standing = known("2026-11-10 10:00", agreed=agreed, coverage=Fraction(90, 100))
    assert not effect(standing, "2026-11-10 10:00", "2026-11-10 10:02").enough_measured


def test_no_outage_longer_than_so_much_inside_the_window() -> None:
    """Four hours from 17:00 on: two until 19:00, and two from 7:30 on the next day."""
    agreed = contract(
        {"id": "D", "kind": "outage-duration", "scope": ["indienen"], "window": "dienst", "limit": "4h"}
        | {"sanction": PER_HOUR}
    )
    found = effect(known("2026-11-10 17:00", agreed=agreed), "2026-11-10 17:00", "2026-11-10 17:01")
    assert found.sanctionable_us == at("2026-11-11 09:30") + 1
    assert found.left_us is None


def test_what_is_pressing_comes_first() -> None:
    agreed = contract(
        clause(id="B", sanction=PER_TENTH, target="0.99"),
        clause(id="A", sanction=None, target="0.99"),
        clause(id="M", obligation="best-efforts", target="0.999"),
        {"id": "D", "kind": "outage-duration", "scope": ["indienen"], "limit": "1h", "sanction": PER_HOUR},
    )
    found = effects(
        known("2026-11-10 10:00", agreed=agreed),
        "indienen",
        {"indienen": Streak(first_bad_us=at("2026-11-10 10:00"))},
        now_us=at("2026-11-10 10:01"),
        stale_us=HOUR,
    )
    assert [one.clause for one in found] == ["D", "B", "A", "M"]


BOTH = {"scope": ["indienen", "inzage"], "sanction": PER_TENTH, "target": "0.999"}


def two_journeys(**more: Any) -> tuple[Standing, ...]:
    until = span("2026-11-01 00:00", "2026-11-10 10:00")
    measured = [*all_up_but(until), *all_up_but(until, journey="inzage")]
    return known("2026-11-10 10:00", agreed=contract(clause(**BOTH | more)), measured=measured)


def together(standing: tuple[Standing, ...], now: str, **since: str) -> tuple[Effect, ...]:
    """What is told of `indienen` when these journeys fail."""
    failing = {name: Streak(first_bad_us=at(f"2026-11-10 {when}")) for name, when in since.items()}
    return effects(standing, "indienen", failing, now_us=at(f"2026-11-10 {now}"), stale_us=HOUR)


def test_of_several_journeys_of_which_any_counts_the_first_that_failed_spends_what_is_allowed() -> None:
    [found] = together(two_journeys(), "10:06", inzage="10:00", indienen="10:05")
    assert found.sanctionable_us == at("2026-11-10 10:43:12") + 1
    assert found.left_us == 37 * MINUTE + 12 * SECOND


def test_where_all_have_to_fail_time_counts_from_when_the_last_of_them_did() -> None:
    [found] = together(two_journeys(combine="all"), "10:06", inzage="10:00", indienen="10:05")
    assert found.sanctionable_us == at("2026-11-10 10:48:12") + 1
    assert found.left_us == 42 * MINUTE + 12 * SECOND


def test_as_long_as_one_of_all_works_nothing_is_said() -> None:
    assert together(two_journeys(combine="all"), "10:06", indienen="10:00") == ()


def test_of_a_weighted_mean_a_journey_spends_its_own_weight() -> None:
    """Three quarters of its downtime count, so 57.6 minutes of it are as bad as 43.2 of everything."""
    weights = {"weighted": {"indienen": "3", "inzage": "1"}}
    [found] = together(two_journeys(combine=weights), "10:02", indienen="10:00")
    assert found.sanctionable_us == at("2026-11-10 10:57:36") + 1
    assert (found.left_us, found.weighted) == (55 * MINUTE + 36 * SECOND, True)


def test_two_that_fail_together_spend_a_weighted_mean_faster_from_when_the_second_did() -> None:
    """Of 43.2 minutes the first spends 3/4 a minute for twenty minutes; the 28.2 that are left go as real minutes."""
    weights = {"weighted": {"indienen": "3", "inzage": "1"}}
    [found] = together(two_journeys(combine=weights), "10:20", indienen="10:00", inzage="10:20")
    assert found.sanctionable_us == at("2026-11-10 10:48:12") + 1
    assert found.left_us == 28 * MINUTE + 12 * SECOND


def test_the_next_step_of_a_weighted_mean_is_foretold_too() -> None:
    """Missed at 57.6 minutes of this journey; a second tenth is below 99.8 %, which is 115.2."""
    weights = {"weighted": {"indienen": "3", "inzage": "1"}}
    until = span("2026-11-01 00:00", "2026-11-10 10:00")
    measured = [
        *all_up_but(until, ("2026-11-03 12:00", "2026-11-03 13:00", "down")),
        *all_up_but(until, journey="inzage"),
    ]
    standing = known("2026-11-10 10:00", agreed=contract(clause(**BOTH | {"combine": weights})), measured=measured)
    [found] = together(standing, "10:02", indienen="10:00")
    assert (found.sanctionable_us, found.step_us) == (0, at("2026-11-10 10:55:12") + 1)
    assert found.left_us == -4 * MINUTE - 24 * SECOND


def rolling(now: str, *down: tuple[str, str], **more: Any) -> tuple[Standing, ...]:
    """Where a clause over the last thirty days stands; measured since the first of October."""
    agreed = contract(clause(**{"sanction": PER_TENTH, "target": "0.999", "period": "rolling 30 days"} | more))
    measured = all_up_but(span("2026-10-01 00:00", now), *((a, b, "down") for a, b in down))
    today = worked_out(agreed, period=day_span(local_date(at(now), BRUSSELS), BRUSSELS), spans=measured)
    further = worked_out(agreed, period=rolling_reach(agreed, at(now)), spans=measured)
    return rolling_standings(further, outlooks(today, now_us=at(now)), now_us=at(now))


def test_of_a_rolling_period_the_days_that_end_with_this_one_are_allowed() -> None:
    """From 12 October on they have 721 hours, of which 0.1 % is 43 min 15.6 s; ten minutes of them are spent."""
    standing = rolling("2026-11-10 10:00", ("2026-10-20 12:00", "2026-10-20 12:10"))
    found = effect(standing, "2026-11-10 10:00", "2026-11-10 10:02")
    assert (found.unit, found.days) == ("rolling", 30)
    assert found.sanctionable_us == at("2026-11-10 10:33:15.6") + 1
    assert found.left_us == 31 * MINUTE + 15 * SECOND + 600_000


def test_at_midnight_the_downtime_of_the_oldest_day_is_given_back() -> None:
    """Half an hour of 12 October is in the days that end on 10 November, and not in those that end a day later."""
    standing = rolling("2026-11-10 23:50", ("2026-10-12 12:00", "2026-10-12 12:30"))
    found = effect(standing, "2026-11-10 23:50", "2026-11-10 23:51")
    assert found.left_us == 12 * MINUTE + 15 * SECOND + 600_000
    assert found.sanctionable_us == at("2026-11-11 00:33:15.6") + 1


def test_an_outage_of_more_than_a_week_is_not_reckoned_on_from_in_a_rolling_period() -> None:
    standing = rolling("2026-11-10 10:00")
    failing = {"indienen": Streak(first_bad_us=at("2026-11-02 10:00"))}
    assert effects(standing, "indienen", failing, now_us=at("2026-11-10 10:01"), stale_us=HOUR) == ()


def test_a_rolling_sanction_waits_until_all_its_days_lie_within_its_dates() -> None:
    """In force from 1 November: the first thirty days that lie wholly in it end on the thirtieth."""
    sanction = PER_TENTH | {"valid_from": date(2026, 11, 1)}
    found = effect(rolling("2026-11-10 10:00", sanction=sanction), "2026-11-10 10:00", "2026-11-10 10:02")
    assert found.sanctionable_us == at("2026-11-30 00:00") + 1


AT_MOST = {"id": "N", "kind": "outage-count", "scope": ["indienen"], "limit": 3, "at_least": "5m"}
PER_OUTAGE = {"scale": "per-unit", "unit": "1", "amount": "EUR 100"}


def counting(*down: tuple[str, str], **more: Any) -> Effect:
    agreed = contract(AT_MOST | {"sanction": PER_OUTAGE} | more)
    return effect(known("2026-11-10 10:00", *down, agreed=agreed), "2026-11-10 10:00", "2026-11-10 10:02")


ONE, TWO, THREE, SHORT = (
    ("2026-11-03 12:00", "2026-11-03 12:10"),
    ("2026-11-04 12:00", "2026-11-04 12:10"),
    ("2026-11-05 12:00", "2026-11-05 12:10"),
    ("2026-11-06 12:00", "2026-11-06 12:04"),
)


def test_of_outages_that_are_counted_it_is_told_which_one_this_will_be_and_from_when_on() -> None:
    """The one of four minutes is none."""
    found = counting(ONE, TWO, SHORT)
    assert (found.number, found.allowed, found.counts_us) == (3, 3, at("2026-11-10 10:05"))
    assert (found.sanctionable_us, found.left_us) == (None, None)


def test_the_first_outage_too_many_is_sanctionable_as_soon_as_it_counts() -> None:
    found = counting(ONE, TWO, THREE)
    assert (found.number, found.sanctionable_us) == (4, at("2026-11-10 10:05"))


def test_after_too_many_the_clause_had_been_missed_before() -> None:
    found = counting(ONE, TWO, THREE, limit=2)
    assert (found.number, found.sanctionable_us) == (4, 0)


def test_best_efforts_tell_the_number_and_no_sanction() -> None:
    found = counting(ONE, TWO, THREE, obligation="best-efforts")
    assert (found.number, found.sanctionable_us, found.best_efforts) == (4, None, True)


def test_the_longest_outage_allowed_is_told_with_when_it_is_reached_also_for_best_efforts() -> None:
    longest = {"id": "D", "kind": "outage-duration", "scope": ["indienen"], "limit": "2h", "sanction": PER_HOUR}
    for obligation, sanctionable in (("result", at("2026-11-10 12:00") + 1), ("best-efforts", None)):
        agreed = contract(longest | {"obligation": obligation})
        found = effect(known("2026-11-10 10:00", agreed=agreed), "2026-11-10 10:00", "2026-11-10 10:02")
        assert (found.longest_us, found.reached_us) == (2 * HOUR, at("2026-11-10 12:00") + 1)
        assert found.sanctionable_us == sanctionable


def test_the_widest_edges_begin_with_the_last_good_measurement() -> None:
    standing = known("2026-11-10 10:00", boundary="widest", sanction=PER_TENTH | {"boundary": "widest"})
    streak = Streak(first_bad_us=at("2026-11-10 10:00"), last_good_us=at("2026-11-10 09:59"))
    [found] = effects(standing, "indienen", {"indienen": streak}, now_us=at("2026-11-10 10:02"), stale_us=HOUR)
    assert found.sanctionable_us == at("2026-11-10 10:42:12") + 1


def test_of_a_quarter_the_whole_quarter_is_allowed() -> None:
    """Ninety-two days have 132 480 minutes (and one hour more in October): 132.54 minutes may be lost."""
    agreed = contract(clause(sanction=PER_TENTH, target="0.999", period="quarter"))
    quarter, since = span("2026-10-01 00:00", "2027-01-01 00:00"), "2026-11-10 10:00"
    standing = known(
        since,
        agreed=agreed,
        month=quarter,
        unit="quarter",
        measured=all_up_but(span("2026-10-01 00:00", since)),
    )
    assert effect(standing, since, since).sanctionable_us == at("2026-11-10 12:12:32") + 400_000 + 1


@pytest.mark.parametrize(
    ("journey", "now"),
    [("inzage", "2026-11-10 10:01"), ("indienen", "2026-11-10 11:01"), ("indienen", "2026-12-01 00:00")],
    ids=["a journey the clause does not speak of", "figures of more than an hour ago", "another month"],
)
def test_what_is_not_known_is_not_told(journey: str, now: str) -> None:
    standing = known("2026-11-10 10:00")
    failing = {journey: Streak(first_bad_us=at("2026-11-10 10:00"))}
    assert effects(standing, journey, failing, now_us=at(now), stale_us=HOUR) == ()
