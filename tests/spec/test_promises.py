"""What people promised: to react, to restore, to announce, to deliver; judged case by case from the ledger."""

from __future__ import annotations

from datetime import date

import pytest
from pydantic import ValidationError

from sla.assess import assess
from sla.assessment import Verdict
from sla.contract import parse_contract
from sla.explain import explain
from sla.ledger import seal
from tests.agreements import (
    HOUR,
    MINUTE,
    NAMES,
    all_up_but,
    at,
    clause,
    contract,
    entry,
    euros,
    judge,
    only,
    samples,
    span,
)
from tests.promises import (
    MONTH,
    NOTHING,
    delivered,
    notified,
    paused,
    reacted,
    reaction,
    release,
    restore,
    restored,
    result,
    told,
)

# --- reacting and restoring ----------------------------------------------------------------------------------------


def test_a_case_restored_within_the_limit_is_met():
    found = result(restore(), notified("2027-03-02 09:00"), restored("2027-03-02 12:30"))
    assert (found.verdict, found.measured) == (Verdict.MET, 3 * HOUR + 30 * MINUTE)


def test_exactly_the_limit_is_still_within_it():
    assert result(restore(), notified("2027-03-02 09:00"), restored("2027-03-02 13:00")).verdict is Verdict.MET


def test_a_case_restored_too_late_is_missed_and_says_by_how_much():
    found = result(restore(), notified("2027-03-02 09:00"), restored("2027-03-02 14:00"))
    assert found.verdict is Verdict.MISSED
    assert found.cases[0].reasons[-1].nl == "De klok liep zeker 5 u, 1 u boven de norm van 4 u."


def test_one_late_case_misses_the_promise_however_many_were_in_time():
    found = result(
        restore(),
        notified("2027-03-02 09:00"),
        restored("2027-03-02 10:00"),
        notified("2027-03-03 09:00"),
        restored("2027-03-03 18:00", about=3),
    )
    assert [c.verdict for c in found.cases] == [Verdict.MET, Verdict.MISSED]
    assert found.verdict is Verdict.MISSED


def test_a_month_without_a_case_is_met():
    assert result(restore()).verdict is Verdict.MET


def test_a_case_of_another_priority_is_another_promise():
    assert result(restore(), notified("2027-03-02 09:00", "P2"), restored("2027-03-04 09:00")).cases == ()


def test_a_case_about_another_journey_is_another_promise():
    assert result(restore(), notified("2027-03-02 09:00", scope=("inzage",))).cases == ()


def test_the_clock_runs_only_inside_the_window():
    # Friday 5 March 18:00 to Monday 8 March 08:30: one hour on Friday, one on Monday.
    found = result(restore(window="dienst"), notified("2027-03-05 18:00"), restored("2027-03-08 08:30"))
    assert found.measured == 2 * HOUR


def test_a_pause_stops_the_clock_and_its_reason_is_told():
    found = result(
        restore(),
        notified("2027-03-02 09:00"),
        paused("2027-03-02 10:00", "2027-03-02 12:00", reason="wacht op logbestanden van het bestuur"),
        restored("2027-03-02 14:00"),
    )
    assert (found.verdict, found.measured) == (Verdict.MET, 3 * HOUR)
    assert any("wacht op logbestanden" in r.nl for r in found.cases[0].reasons)


def test_two_pauses_at_once_count_once():
    found = result(
        restore(),
        notified("2027-03-02 09:00"),
        paused("2027-03-02 10:00", "2027-03-02 12:00"),
        paused("2027-03-02 11:00", "2027-03-02 13:00"),
        restored("2027-03-02 15:00"),
    )
    assert found.measured == 3 * HOUR


def test_excluded_time_stops_the_clock():
    found = result(
        restore(),
        notified("2027-03-02 09:00"),
        entry("exclusion", "2027-03-02 10:00", "2027-03-02 13:00", recorded="2027-03-03 09:00", ground="force-majeure"),
        restored("2027-03-02 15:00"),
    )
    assert found.measured == 3 * HOUR


def test_a_correction_takes_the_place_of_what_it_corrects():
    found = result(
        restore(),
        notified("2027-03-02 09:00"),
        restored("2027-03-02 16:00"),
        restored("2027-03-02 12:00", supersedes=2),
    )
    assert (found.verdict, found.measured) == (Verdict.MET, 3 * HOUR)


def test_answers_to_a_notification_stand_when_it_is_corrected():
    found = result(
        restore(),
        notified("2027-03-02 09:00"),
        restored("2027-03-02 12:00"),
        notified("2027-03-02 10:00", supersedes=1),
    )
    assert found.measured == 2 * HOUR


def test_a_withdrawn_notification_is_no_case():
    taken_back = told("2027-03-03 09:00", kind="withdrawn", supersedes=1)
    assert result(restore(), notified("2027-03-02 09:00"), taken_back).cases == ()


def test_an_open_case_is_undecided_while_the_limit_may_still_be_kept():
    found = result(restore(), notified("2027-03-31 22:00"))
    assert (found.verdict, found.measured) == (Verdict.UNDECIDED, 2 * HOUR)


def test_an_open_case_beyond_its_limit_is_missed_already():
    assert result(restore(), notified("2027-03-31 12:00")).verdict is Verdict.MISSED


def test_a_case_belongs_to_the_month_it_began_in_also_where_it_ended_later():
    entries = (notified("2027-03-31 22:00"), restored("2027-04-01 03:00"))
    assert result(restore(), *entries).measured == 5 * HOUR
    assert result(restore(), *entries, period=span("2027-04-01 00:00", "2027-05-01 00:00")).cases == ()


def test_only_what_was_known_counts():
    ledger = seal([notified("2027-03-02 09:00"), restored("2027-03-02 10:00", recorded="2027-03-05 09:00")])
    agreed = contract(restore())
    known = only(assess(agreed, period=MONTH, ledger=ledger, as_of_us=at("2027-03-02 12:00")))
    assert (known.verdict, known.measured) == (Verdict.UNDECIDED, 3 * HOUR)


def test_while_the_month_runs_a_kept_promise_is_not_met_yet():
    known = only(assess(contract(restore()), period=MONTH, as_of_us=at("2027-03-20 00:00")))
    assert known.verdict is Verdict.UNDECIDED


def test_a_reaction_in_time_is_met_however_long_restoring_takes():
    found = result(
        reaction(limit="15m"), notified("2027-03-02 09:00"), reacted("2027-03-02 09:10"), restored("2027-03-04 09:00")
    )
    assert (found.verdict, found.measured) == (Verdict.MET, 10 * MINUTE)


def test_what_was_restored_needs_no_reaction_any_more():
    found = result(reaction(limit="15m"), notified("2027-03-02 09:00"), restored("2027-03-02 09:10"))
    assert found.verdict is Verdict.MET


def test_a_clock_from_confirmation_starts_with_the_sample_that_confirmed_the_outage():
    # Down at 10:02 and 10:03, which confirms it; the last failure is at 10:06, the first good sample at 10:07.
    found = only(
        judge(contract(restore(**{"from": "confirmation"})), MONTH, list(samples("..xxxxx..", "2027-03-02 10:00")))
    )
    assert found.cases[0].from_us == at("2027-03-02 10:03")
    assert (found.cases[0].least_us, found.cases[0].most_us) == (3 * MINUTE, 4 * MINUTE)


@pytest.mark.parametrize(
    ("limit", "verdict"), [("2m", Verdict.MISSED), ("200s", Verdict.UNDECIDED), ("4m", Verdict.MET)]
)
def test_only_a_sure_overrun_is_missed(limit: str, verdict: Verdict):
    agreed = contract(restore(limit=limit, **{"from": "confirmation"}))
    assert only(judge(agreed, MONTH, list(samples("..xxxxx..", "2027-03-02 10:00")))).verdict is verdict


def test_unmeasured_time_is_never_held_against_the_supplier():
    agreed = contract(restore(limit="4m", **{"from": "confirmation"}))
    found = only(judge(agreed, MONTH, list(samples("..xxx?????xx..", "2027-03-02 10:00"))))
    assert (found.cases[0].least_us, found.verdict) == (3 * MINUTE, Verdict.UNDECIDED)


def test_a_late_restoration_costs_so_much_for_every_started_hour_of_each_case():
    costs = {"scale": "per-unit", "unit": "1h", "amount": "EUR 250"}
    found = result(
        restore(sanction=costs),
        notified("2027-03-02 09:00"),
        restored("2027-03-02 14:30"),
        notified("2027-03-03 09:00"),
        restored("2027-03-03 13:10", about=3),
    )
    assert found.sanction.amount_eur == euros("750.00")


def test_an_outage_punished_as_downtime_is_not_punished_again_for_its_length():
    costs = {"scale": "fixed", "amount": "EUR 100"}
    more = {"scale": "fixed", "amount": "EUR 900"}
    agreed = contract(restore(limit="1h", sanction=costs, **{"from": "confirmation"}), clause(sanction=more))
    found = judge(agreed, MONTH, all_up_but(MONTH, ("2027-03-02 09:00", "2027-03-02 19:00", "down")))
    assert [c.sanction.amount_eur for c in found.clauses] == [euros("100.00"), euros("900.00")]
    assert found.total.amount_eur == euros("900.00")


def test_a_case_that_began_in_the_stabilisation_period_is_reported_and_not_sanctioned():
    found = result(
        restore(sanction={"scale": "fixed", "amount": "EUR 100"}),
        notified("2027-03-02 09:00"),
        restored("2027-03-02 19:00"),
        grace_until=date(2027, 3, 10),
    )
    assert (found.verdict, found.sanctionable) == (Verdict.MISSED, False)


# --- maintenance ---------------------------------------------------------------------------------------------------

TERMS = {"notice": "5 working days", "allowed": ["wed 20:00-24:00"], "budget": "8h per month", "blackout": ["03-31"]}
UPKEEP = {"id": "O1", "kind": "maintenance"}


@pytest.mark.parametrize(
    ("start", "end", "recorded", "verdict"),
    [
        ("2027-03-10 20:00", "2027-03-10 23:00", "2027-03-03 23:00", Verdict.MET),
        ("2027-03-10 20:00", "2027-03-10 23:00", "2027-03-04 00:30", Verdict.MISSED),
        ("2027-03-11 20:00", "2027-03-11 23:00", "2027-03-01 09:00", Verdict.MISSED),
        ("2027-03-31 20:00", "2027-03-31 23:00", "2027-03-01 09:00", Verdict.MISSED),
    ],
    ids=["in time", "too late", "outside the hours", "on a blackout date"],
)
def test_an_announcement_keeps_every_term(start: str, end: str, recorded: str, verdict: Verdict):
    found = result(UPKEEP, entry("maintenance", start, end, recorded=recorded), maintenance=TERMS)
    assert found.verdict is verdict


def test_what_lies_beyond_the_budget_is_a_breach_of_the_announcement_that_goes_beyond():
    nights = [("2027-03-10 20:00", "2027-03-11 00:00"), ("2027-03-17 20:00", "2027-03-18 00:00")]
    more = ("2027-03-24 20:00", "2027-03-24 21:00")
    entries = [entry("maintenance", a, b, recorded="2027-02-01 09:00") for a, b in (*nights, more)]
    found = result(UPKEEP, *entries, maintenance=TERMS)
    assert [c.verdict for c in found.cases] == [Verdict.MET, Verdict.MET, Verdict.MISSED]
    assert found.measured == 1


def test_downtime_that_nobody_announced_is_no_concern_of_the_maintenance_clause():
    down = all_up_but(MONTH, ("2027-03-02 09:00", "2027-03-02 19:00", "down"))
    agreed = contract({**UPKEEP, "scope": ["indienen"]}, maintenance=TERMS)
    assert only(judge(agreed, MONTH, down)).verdict is Verdict.MET


def test_a_maintenance_clause_needs_terms():
    with pytest.raises(ValidationError, match=r"write what was agreed in"):
        contract(UPKEEP)


# --- releases ------------------------------------------------------------------------------------------------------

RELEASES = {"id": "R1", "kind": "release", "notice": "5 working days", "window": "dienst"}


@pytest.mark.parametrize(
    ("when", "recorded", "verdict"),
    [
        ("2027-03-10 20:00", "2027-03-03 23:00", Verdict.MET),
        ("2027-03-10 20:00", "2027-03-04 00:30", Verdict.MISSED),
        ("2027-03-10 10:00", "2027-03-01 09:00", Verdict.MISSED),
        ("2027-03-10 20:00", "2027-03-11 09:00", Verdict.MISSED),
    ],
    ids=["as agreed", "too late", "inside the window", "told afterwards"],
)
def test_a_release_is_announced_ahead_and_stays_out_of_the_window(when: str, recorded: str, verdict: Verdict):
    assert result(RELEASES, release(when, recorded=recorded)).verdict is verdict


def test_a_release_that_moves_is_announced_anew():
    first = release("2027-03-10 20:00", recorded="2027-03-01 09:00")
    moved = release("2027-03-11 20:00", recorded="2027-03-09 09:00", supersedes=1)
    assert result(RELEASES, first, moved).verdict is Verdict.MISSED


def test_a_correction_that_leaves_the_moment_keeps_the_announcement():
    first = release("2027-03-10 20:00", recorded="2027-03-01 09:00")
    mended = release("2027-03-10 20:00", recorded="2027-03-09 09:00", supersedes=1, url="https://voorbeeld.invalid/2.4")
    assert result(RELEASES, first, mended).verdict is Verdict.MET


# --- deliveries ----------------------------------------------------------------------------------------------------

UPDATES = {
    "id": "U1",
    "kind": "delivery",
    "document": "stand van zaken",
    "due": "two-weekly",
    "first": date(2027, 3, 5),
    "by": "17:00",
}


def test_every_due_date_is_listed_with_what_became_of_it():
    found = result(UPDATES, delivered("2027-03-05 16:59"), delivered("2027-03-23 10:00", due="2027-03-19"))
    assert [(c.id, c.verdict, c.late) for c in found.cases] == [
        ("2027-03-05", Verdict.MET, 0),
        ("2027-03-19", Verdict.MISSED, 2),
    ]


def test_what_the_ledger_does_not_know_was_not_delivered():
    # Due on Friday 5 and 19 March; 18 and 8 working days until the end of the month.
    assert [c.late for c in result(UPDATES).cases] == [18, 8]


def test_a_due_date_that_is_still_to_come_is_no_miss():
    ledger = seal([delivered("2027-03-05 12:00")])
    found = only(assess(contract(UPDATES), period=MONTH, ledger=ledger, as_of_us=at("2027-03-10 00:00")))
    assert [c.verdict for c in found.cases] == [Verdict.MET, Verdict.UNDECIDED]
    assert found.verdict is Verdict.UNDECIDED


def test_the_fifth_working_day_follows_the_contract_s_calendar():
    report = {**UPDATES, "document": "maandrapport", "due": "monthly, 5th working day"}
    del report["first"], report["by"]
    found = result(report, delivered("2027-03-08 23:00", "maandrapport", period="2027-02"), holidays=[date(2027, 3, 1)])
    # 2, 3, 4, 5 and 8 March: the day may be used to its end.
    assert [(c.id, c.verdict) for c in found.cases] == [("2027-03-08", Verdict.MET)]


def test_a_due_date_on_a_holiday_moves_to_the_next_working_day():
    found = result(UPDATES, delivered("2027-03-08 12:00"), holidays=[date(2027, 3, 5)])
    assert found.cases[0].id == "2027-03-08"
    assert found.cases[0].verdict is Verdict.MET


def test_a_late_document_costs_so_much_for_every_day_late():
    costs = {"scale": "per-unit", "unit": 1, "amount": "EUR 100"}
    late = delivered("2027-03-23 10:00", due="2027-03-19")
    found = result({**UPDATES, "sanction": costs}, delivered("2027-03-05 12:00"), late)
    assert found.sanction.amount_eur == euros("200.00")
    [line] = found.sanction.lines
    assert line.text.nl == "U1, vervaldag 19-03-2027: 2 werkdagen te laat × EUR 100 (EUR 100,00)"
    assert "werkdagen te laat × EUR" in found.sanction.lines[0].text.nl


def test_another_document_answers_nothing():
    assert result(UPDATES, delivered("2027-03-05 12:00", "maandrapport")).measured == 2


# --- over time -----------------------------------------------------------------------------------------------------


def test_a_month_asked_of_a_quarterly_promise_is_a_figure_so_far():
    late = (notified("2027-02-02 09:00"), restored("2027-02-02 19:00"))
    found = result(restore(period="quarter"), *late, period=span("2027-02-01 00:00", "2027-03-01 00:00"))
    assert (found.verdict, found.measured) == (Verdict.UNDECIDED, 10 * HOUR)


def test_without_measurements_these_promises_are_judged_all_the_same():
    found = judge(contract(restore(), UPDATES, minimum_coverage="0.99"), MONTH, NOTHING, delivered("2027-03-05 12:00"))
    assert [c.verdict for c in found.clauses] == [Verdict.MET, Verdict.MISSED]
    assert found.coverage is None


# --- why -----------------------------------------------------------------------------------------------------------


def test_an_instant_is_explained_by_the_cases_that_ran_then():
    ledger = seal([notified("2027-03-02 09:00"), restored("2027-03-02 14:00")])
    agreed = contract(restore())
    during = explain(agreed, clause="I1", at_us=at("2027-03-02 10:00"), ledger=ledger)
    after = explain(agreed, clause="I1", at_us=at("2027-03-02 15:00"), ledger=ledger)
    assert (during.counted, after.counted) == ("running", "idle")
    assert during.reasons[-1].nl.endswith("liep voor bepaling I1: Melding nr. 1.")


def test_an_outage_says_under_which_restore_time_it_counts():
    agreed = contract(restore(**{"from": "confirmation"}))
    found = judge(agreed, MONTH, all_up_but(MONTH, ("2027-03-02 09:00", "2027-03-02 19:00", "down")))
    assert (found.outages[0].counted, found.outages[0].sanctionable) == ({"I1": 10 * HOUR}, True)


def test_a_case_is_judged_by_the_version_it_began_under():
    first = {"number": 1, "valid_from": date(2027, 1, 1), "valid_until": date(2027, 3, 15), "clause": [restore()]}
    second = {
        "number": 2, "valid_from": date(2027, 3, 16), "valid_until": date(2027, 12, 31), "clause": [restore(limit="8h")]
    }  # fmt: skip
    found = judge(
        parse_contract({**NAMES, "version": [first, second]}),
        MONTH,
        NOTHING,
        notified("2027-03-15 22:00"),
        restored("2027-03-16 04:00"),
        notified("2027-03-16 01:00"),
        restored("2027-03-16 07:00", about=3),
    )
    assert [(r.version.number, r.verdict) for r in found.clauses] == [(1, Verdict.MISSED), (2, Verdict.MET)]
