"""When announced work and other exclusions leave the account, and when they count as if nothing had been said."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from sla.assess import assess, journeys_needed
from sla.ledger import seal
from tests.agreements import HOUR, MINUTE, SECOND, all_up_but, at, clause, contract, entry, judge, only, span

NOVEMBER = span("2026-11-01 00:00", "2026-12-01 00:00")
RULES = {
    "notice": "5 working days",
    "allowed": ["wed 20:00-24:00", "sun 06:00-12:00"],
    "budget": "8h per month",
    "blackout": ["month-end 2 days", "12-20..12-31"],
}


def granted_us(*announced: tuple[str, str, str], rules: dict | None = None, period=NOVEMBER, **version) -> int:
    """Each announcement as (from, to, recorded)."""
    agreed = contract(clause(), maintenance=RULES if rules is None else rules, **version)
    entries = [entry("maintenance", a, b, recorded=c) for a, b, c in announced]
    found = judge(agreed, period, all_up_but(period), *entries)
    totals = only(found).totals
    assert totals is not None
    return totals.excluded_us


WEDNESDAY = ("2026-11-18 20:00", "2026-11-18 22:00")


def test_work_announced_in_time_and_within_all_limits_is_excluded():
    assert granted_us((*WEDNESDAY, "2026-11-10 09:00")) == 2 * HOUR


def test_five_working_days_ahead_of_a_wednesday_is_the_wednesday_before():
    assert granted_us((*WEDNESDAY, "2026-11-11 23:59")) == 2 * HOUR
    assert granted_us((*WEDNESDAY, "2026-11-12 00:01")) == 0


def test_a_holiday_is_no_working_day():
    holidays = [date(2026, 11, 11)]
    assert granted_us((*WEDNESDAY, "2026-11-10 23:59"), holidays=holidays) == 2 * HOUR
    assert granted_us((*WEDNESDAY, "2026-11-11 09:00"), holidays=holidays) == 0


@pytest.mark.parametrize(
    ("notice", "recorded", "hours"),
    [
        ("48h", "2026-11-16 20:00", 2),
        ("48h", "2026-11-16 20:01", 0),
        ("7 days", "2026-11-11 20:00", 2),
        ("7 days", "2026-11-11 20:01", 0),
    ],
)
def test_notice_may_be_in_hours_or_days(notice: str, recorded: str, hours: int):
    assert granted_us((*WEDNESDAY, recorded), rules={"notice": notice}) == hours * HOUR


def test_what_counts_is_when_the_ledger_recorded_it_and_the_report_says_so():
    agreed = contract(clause(), maintenance=RULES)
    late = entry("maintenance", *WEDNESDAY, recorded="2026-11-17 09:00")
    (decision,) = judge(agreed, NOVEMBER, all_up_but(NOVEMBER), late).windows
    assert decision.granted == ()
    assert decision.reasons[0].nl == (
        "Geweigerd: aangekondigd op 17-11-2026 09:00:00 CET; met een termijn van 5 werkdagen moest dat uiterlijk op "
        "12-11-2026 00:00:00 CET."
    )


def test_only_the_part_inside_the_allowed_hours_is_excluded():
    assert granted_us(("2026-11-18 19:00", "2026-11-18 21:00", "2026-11-02 09:00")) == HOUR


def test_no_work_is_excluded_on_the_last_two_days_of_a_month():
    assert granted_us(("2026-11-29 06:00", "2026-11-29 12:00", "2026-11-02 09:00")) == 0


def test_no_work_is_excluded_in_the_last_days_of_the_year():
    december = span("2026-12-01 00:00", "2027-01-01 00:00")
    announced = ("2026-12-23 20:00", "2026-12-23 22:00", "2026-12-01 09:00")
    assert granted_us(announced, period=december) == 0


def test_the_earliest_work_spends_the_budget_first():
    first = ("2026-11-15 06:00", "2026-11-15 11:00", "2026-11-02 09:00")
    second = ("2026-11-22 06:00", "2026-11-22 11:00", "2026-11-01 09:00")
    assert granted_us(second, first) == 8 * HOUR
    agreed = contract(clause(), maintenance=RULES)
    entries = [entry("maintenance", a, b, recorded=c) for a, b, c in (second, first)]
    windows = judge(agreed, NOVEMBER, all_up_but(NOVEMBER), *entries).windows
    assert [sum(s.length_us for s in w.granted) for w in windows] == [5 * HOUR, 3 * HOUR]


def test_a_new_month_has_a_new_budget():
    quarter = span("2026-10-01 00:00", "2027-01-01 00:00")
    october = ("2026-10-11 06:00", "2026-10-11 12:00", "2026-09-01 09:00")
    november = ("2026-11-15 06:00", "2026-11-15 12:00", "2026-09-01 09:00")
    agreed = contract(clause(period="quarter"), maintenance=RULES)
    entries = [entry("maintenance", a, b, recorded=c) for a, b, c in (october, november)]
    totals = only(judge(agreed, quarter, all_up_but(quarter), *entries)).totals
    assert totals is not None
    assert totals.excluded_us == 12 * HOUR


def test_overlapping_announcements_count_once():
    assert granted_us(
        (*WEDNESDAY, "2026-11-02 09:00"), ("2026-11-18 21:00", "2026-11-18 23:00", "2026-11-03 09:00")
    ) == (3 * HOUR)


def test_nothing_is_excluded_where_the_contract_has_no_maintenance():
    found = judge(contract(clause()), NOVEMBER, [], entry("maintenance", *WEDNESDAY, recorded="2026-01-01 00:00"))
    assert found.windows[0].granted == ()
    assert found.windows[0].reasons[0].nl == "Versie 1 van het contract sluit geen onderhoud uit."


@pytest.mark.parametrize(
    ("day", "work", "hours"),
    [
        ("2026-10-25", "sun 06:00-12:00", 6),
        ("2027-03-28", "sun 06:00-12:00", 6),
        ("2026-10-25", "sun 00:00-06:00", 7),
        ("2027-03-28", "sun 00:00-06:00", 5),
    ],
)
def test_work_keeps_the_wall_s_clock_over_the_change_of_summer_time(day: str, work: str, hours: int):
    """T16: Sunday 06:00 is 06:00 on the wall, on the day the clock changed too; that night is as long as it was."""
    start, end = work.removeprefix("sun ").split("-")
    announced = (f"{day} {start}", f"{day} {end}", f"{day[:8]}01 09:00")
    month = span(f"{day[:8]}01 00:00", f"{day[:8]}31 00:00")
    assert granted_us(announced, period=month, rules={"allowed": [work]}) == hours * HOUR


def test_a_correction_keeps_the_date_of_what_it_does_not_change():
    agreed = contract(clause(), maintenance={"notice": "48h"})
    first = entry("maintenance", "2026-11-18 20:00", "2026-11-18 22:00", recorded="2026-11-10 09:00")
    longer = entry("maintenance", "2026-11-18 20:00", "2026-11-18 23:00", recorded="2026-11-18 09:00")
    corrected = type(longer)(**{f: getattr(longer, f) for f in longer.__slots__} | {"supersedes": 1})
    totals = only(judge(agreed, NOVEMBER, all_up_but(NOVEMBER), first, corrected)).totals
    assert totals is not None
    assert totals.excluded_us == 2 * HOUR


# --- exclusions ----------------------------------------------------------------------------------------------------

DAY = span("2026-11-12 00:00", "2026-11-13 00:00")
OUT = all_up_but(DAY, ("2026-11-12 10:00", "2026-11-12 12:00", "down"))


def test_force_majeure_takes_what_was_decided_and_only_in_its_scope():
    decided = entry(
        "exclusion", "2026-11-12 10:00", "2026-11-12 11:00", recorded="2026-11-20 09:00", scope=["indienen"],
        ground="force-majeure",
    )  # fmt: skip
    elsewhere = entry(
        "exclusion", "2026-11-12 11:00", "2026-11-12 12:00", recorded="2026-11-20 09:00", scope=["inzage"]
    )
    totals = only(judge(contract(), DAY, OUT, decided, elsewhere)).totals
    assert totals is not None
    assert (totals.excluded_us, totals.down_us) == (HOUR, HOUR)


def test_a_third_party_s_failure_takes_only_the_time_it_was_itself_down():
    identity = all_up_but(DAY, ("2026-11-12 10:30", "2026-11-12 13:00", "down"), journey="aanmelden")
    claimed = entry(
        "exclusion", "2026-11-12 10:00", "2026-11-12 14:00", recorded="2026-11-20 09:00", scope=["indienen"],
        ground="third-party", dependency="aanmelden",
    )  # fmt: skip
    found = judge(contract(), DAY, [*OUT, *identity], claimed)
    totals = only(found).totals
    assert totals is not None
    assert (totals.excluded_us, totals.down_us) == (150 * MINUTE, 30 * MINUTE)
    assert only(found).reasons[1].nl == "Met de uitsluiting van derden 97,67 %, zonder 91,66 %."


def test_a_third_party_s_own_measurements_are_needed_too():
    claimed = entry(
        "exclusion", "2026-11-12 10:00", "2026-11-12 14:00", recorded="2026-11-20 09:00", dependency="aanmelden"
    )
    assert journeys_needed(contract(), seal([claimed])) == ("aanmelden", "indienen")


def test_a_third_party_that_nobody_measured_excludes_nothing():
    claimed = entry(
        "exclusion", "2026-11-12 10:00", "2026-11-12 14:00", recorded="2026-11-20 09:00", ground="third-party"
    )
    totals = only(judge(contract(), DAY, OUT, claimed)).totals
    assert totals is not None
    assert totals.excluded_us == 0


@pytest.mark.parametrize("status", ["claimed", "refused", "withdrawn"])
def test_a_claim_that_is_not_accepted_excludes_nothing(status: str):
    claimed = entry("exclusion", "2026-11-12 10:00", "2026-11-12 14:00", recorded="2026-11-20 09:00", status=status)
    totals = only(judge(contract(), DAY, OUT, claimed)).totals
    assert totals is not None
    assert totals.excluded_us == 0


def test_excluded_comes_before_unmeasured_and_unmeasured_before_down():
    measured = all_up_but(
        DAY, ("2026-11-12 10:00", "2026-11-12 11:00", "down"), ("2026-11-12 11:00", "2026-11-12 12:00", "unmeasured")
    )
    decided = entry("exclusion", "2026-11-12 10:30", "2026-11-12 11:30", recorded="2026-11-20 09:00")
    totals = only(judge(contract(), DAY, measured, decided)).totals
    assert totals is not None
    assert (totals.down_us, totals.excluded_us, totals.unmeasured_us) == (30 * MINUTE, HOUR, 30 * MINUTE)


def test_what_was_recorded_after_the_date_asked_for_is_not_known():
    late = entry("exclusion", "2026-11-12 10:00", "2026-11-12 11:00", recorded="2026-11-20 09:00")
    found = assess(contract(), period=DAY, spans=OUT, ledger=seal([late]), as_of_us=at("2026-11-20 09:00") - SECOND)
    totals = only(found).totals
    assert totals is not None
    assert (totals.excluded_us, found.ledger_head) == (0, "")


# --- claims and the decisions about them ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kinds", "hours"),
    [
        (("exclusion-claimed",), 0),
        (("exclusion-claimed", "exclusion-accepted"), 1),
        (("exclusion-claimed", "exclusion-refused"), 0),
        (("exclusion-claimed", "exclusion-accepted", "exclusion-refused"), 0),
        (("exclusion-claimed", "exclusion-refused", "exclusion-accepted"), 1),
        (("exclusion",), 1),
    ],
    ids=lambda value: " then ".join(value) if isinstance(value, tuple) else None,
)
def test_only_an_accepted_claim_excludes_time(kinds: tuple[str, ...], hours: int):
    when = ("2026-11-10 10:00", "2026-11-10 11:00")
    chain = [
        replace(entry(kind, *when, recorded="2026-11-20 09:00", ground="authority"), supersedes=place or None)
        for place, kind in enumerate(kinds)
    ]
    totals = only(judge(contract(clause()), NOVEMBER, all_up_but(NOVEMBER), *chain)).totals
    assert totals is not None
    assert totals.excluded_us == hours * HOUR
