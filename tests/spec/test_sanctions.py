"""What a missed clause costs: a computed proposal, line by line, and which outage can carry it and why."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from sla.assessment import Verdict
from tests.agreements import MINUTE, all_up_but, clause, contract, entry, judge, only, samples, span

DAY = span("2026-11-12 00:00", "2026-11-13 00:00")
NOVEMBER = span("2026-11-01 00:00", "2026-12-01 00:00")
PER_POINT = {"scale": "per-unit", "unit": "0.01", "amount": "1% of monthly-fee"}


def proposal(rule: dict, *bad: tuple[str, str], target: str = "0.99", **version: object) -> Decimal:
    agreed = contract(clause(target=target, sanction=rule), **version)
    measured = all_up_but(DAY, *((a, b, "down") for a, b in bad))
    return only(judge(agreed, DAY, measured)).sanction.amount_eur


SIX_HOURS = ("2026-11-12 06:00", "2026-11-12 12:00")  # 75 %


def test_every_started_unit_below_the_target_costs_its_amount():
    assert proposal(PER_POINT, SIX_HOURS) == Decimal("24000.00")


def test_a_started_unit_is_a_whole_unit():
    assert proposal(PER_POINT, ("2026-11-12 06:00", "2026-11-12 06:30")) == Decimal("2000.00")


def test_a_met_clause_costs_nothing():
    assert proposal(PER_POINT, ("2026-11-12 06:00", "2026-11-12 06:10")) == Decimal("0.00")


@pytest.mark.parametrize(
    ("limits", "amount"), [({"maximum": "10% of monthly-fee"}, "10000.00"), ({"minimum": "EUR 30000"}, "30000.00")]
)
def test_a_minimum_and_a_maximum_bound_it(limits: dict, amount: str):
    assert proposal({**PER_POINT, **limits}, SIX_HOURS) == Decimal(amount)


def test_of_several_bands_only_the_worst_one_reached_is_due():
    bands = [{"below": "0.99", "amount": "EUR 500"}, {"below": "0.9", "amount": "EUR 2000"}]
    rule = {"scale": "bands", "bands": bands}
    assert proposal(rule, SIX_HOURS) == Decimal("2000.00")
    assert proposal(rule, ("2026-11-12 06:00", "2026-11-12 07:00")) == Decimal("500.00")


def test_a_fixed_amount_does_not_grow():
    assert proposal({"scale": "fixed", "amount": "0.07% of contract-value"}, SIX_HOURS, contract_value="100000") == (
        Decimal("70.00")
    )


def test_half_a_cent_is_rounded_up_once_per_line():
    assert proposal({"scale": "fixed", "amount": "EUR 0.125"}, SIX_HOURS) == Decimal("0.13")


def test_each_hour_begun_beyond_the_longest_outage_allowed_costs_its_amount():
    agreed = contract(
        {
            "id": "S1",
            "kind": "outage-duration",
            "scope": ["indienen"],
            "limit": "4h",
            "sanction": {"scale": "per-unit", "unit": "hour", "amount": "EUR 250"},
        }
    )
    found = only(judge(agreed, DAY, all_up_but(DAY, ("2026-11-12 06:00", "2026-11-12 11:30", "down"))))
    assert found.verdict is Verdict.MISSED
    assert found.sanction.amount_eur == Decimal("500.00")


def test_sanctions_use_the_certain_length_unless_the_contract_says_otherwise():
    """From the first to the last failed sample: nobody can prove more."""
    measured = list(samples("." * 100 + "x" * 15 + "." * 1325, "2026-11-12 00:00"))
    assert only(judge(contract(clause(sanction=PER_POINT)), DAY, measured)).sanctionable is False
    observed = {**PER_POINT, "boundary": "observed"}
    assert only(judge(contract(clause(sanction=observed)), DAY, measured)).sanctionable is True


def test_unmeasured_time_is_taken_as_up_for_a_sanction():
    measured = all_up_but(
        DAY, ("2026-11-12 06:00", "2026-11-12 12:00", "down"), ("2026-11-12 12:00", "2026-11-12 18:00", "unmeasured")
    )
    found = only(judge(contract(clause(sanction=PER_POINT)), DAY, measured))
    assert found.sanction.amount_eur == Decimal("24000.00")


# --- together ------------------------------------------------------------------------------------------------------


def two(first: dict, second: dict, **version: object) -> Decimal:
    agreed = contract(clause(id="B1", sanction=first), clause(id="B2", scope=["inzage"], sanction=second), **version)
    bad = (SIX_HOURS[0], SIX_HOURS[1], "down")
    measured = [*all_up_but(DAY, bad), *all_up_but(DAY, bad, journey="inzage")]  # type: ignore[arg-type]
    return judge(agreed, DAY, measured).total.amount_eur


THOUSAND, HUNDRED = {"scale": "fixed", "amount": "EUR 1000"}, {"scale": "fixed", "amount": "EUR 100"}


def test_sanctions_of_several_clauses_add_up():
    assert two(THOUSAND, HUNDRED) == Decimal("1100.00")


def test_or_only_the_highest_is_due():
    assert two(THOUSAND, HUNDRED, cumulation="highest") == Decimal("1000.00")


@pytest.mark.parametrize(
    ("cap", "amount"),
    [
        ({"clause": "EUR 600"}, "700.00"),
        ({"per_period": "1% of monthly-fee"}, "1000.00"),
        ({"per_year": "0.05% of yearly-fee"}, "600.00"),
        ({"contract": "EUR 50"}, "50.00"),
    ],
    ids=["clause", "period", "year", "contract"],
)
def test_caps_hold(cap: dict, amount: str):
    assert two(THOUSAND, HUNDRED, cap=cap) == Decimal(amount)


def test_what_was_decided_earlier_this_year_counts_towards_its_cap():
    agreed = contract(clause(sanction=THOUSAND), cap={"per_year": "EUR 1500"})
    earlier = entry(
        "decision", "2026-03-01 00:00", "2026-04-01 00:00", recorded="2026-04-10 09:00", amount_eur="900.00"
    )
    found = judge(agreed, NOVEMBER, all_up_but(NOVEMBER, ("2026-11-12 06:00", "2026-11-12 18:00", "down")), earlier)
    assert found.total.amount_eur == Decimal("600.00")


def test_one_failure_is_not_punished_twice_unless_the_contract_says_so():
    clauses = clause(id="B1", sanction=THOUSAND), clause(id="B2", window="altijd", sanction=HUNDRED)
    measured = all_up_but(DAY, (*SIX_HOURS, "down"))
    assert judge(contract(*clauses), DAY, measured).total.amount_eur == Decimal("1000.00")
    assert judge(contract(*clauses, punish_twice=True), DAY, measured).total.amount_eur == Decimal("1100.00")
    assert judge(contract(*clauses), DAY, measured).outages[0].amount_eur == Decimal("1000.00")


# --- who can be sanctioned -----------------------------------------------------------------------------------------


def answer(agreed, measured, *entries):
    (outage,) = judge(agreed, DAY, measured, *entries).outages
    return outage.sanctionable, [r.nl for r in outage.reasons]


BAD_DAY = all_up_but(DAY, (*SIX_HOURS, "down"))


def test_an_outage_that_makes_a_result_clause_miss_its_target_is_sanctionable():
    yes, reasons = answer(contract(clause(sanction=PER_POINT)), BAD_DAY)
    assert yes
    assert reasons == [
        "Sanctioneerbaar: B1 is een resultaatsverbintenis en is niet gehaald; 6 u van deze storing telt mee, "
        "6 u voor de sanctie."
    ]


def test_a_best_efforts_obligation_is_never_sanctioned_automatically():
    agreed = contract(clause(obligation="best-efforts", sanction=PER_POINT))
    found = only(judge(agreed, DAY, BAD_DAY))
    assert (found.verdict, found.sanctionable, found.sanction.amount_eur) == (Verdict.MISSED, False, Decimal("0.00"))
    assert answer(agreed, BAD_DAY) == (False, ["Niet sanctioneerbaar onder B1: B1 is een middelenverbintenis."])


def test_an_outage_outside_service_time_is_not_sanctionable():
    night = all_up_but(DAY, ("2026-11-12 01:00", "2026-11-12 05:00", "down"))
    yes, reasons = answer(contract(clause(window="dienst")), night)
    assert (yes, reasons) == (False, ["Niet sanctioneerbaar: valt volledig buiten de diensttijd."])


def test_an_excluded_outage_is_not_sanctionable():
    decided = entry("exclusion", *SIX_HOURS, recorded="2026-11-20 09:00", ground="force-majeure")
    yes, reasons = answer(contract(), BAD_DAY, decided)
    assert (yes, reasons) == (False, ["Niet sanctioneerbaar: is volledig uitgesloten.", "6 u ervan is uitgesloten."])


def test_an_outage_in_a_month_that_was_good_enough_is_not_sanctionable():
    yes, reasons = answer(contract(clause(target="0.7")), BAD_DAY)
    assert (yes, reasons) == (
        False,
        ["Niet sanctioneerbaar onder B1: de norm is gehaald, ook met deze 6 u erbij."],
    )


def test_an_outage_the_ledger_attributes_to_another_is_not_sanctionable():
    attributed = entry(
        "attribution", *SIX_HOURS, recorded="2026-11-20 09:00", outage="indienen-20261112T0500Z", to="authority"
    )
    yes, reasons = answer(contract(), BAD_DAY, attributed)
    assert not yes
    assert reasons[0].startswith("Niet sanctioneerbaar: het grootboek")


def test_the_stabilisation_period_reports_and_never_sanctions():
    agreed = contract(clause(sanction=PER_POINT), grace_until=date(2026, 11, 12))
    found = only(judge(agreed, DAY, BAD_DAY))
    assert (found.verdict, found.sanctionable) == (Verdict.MISSED, False)
    assert found.reasons[-1].nl == "Stabilisatieperiode: alleen gerapporteerd."


def test_the_day_after_the_stabilisation_period_counts_again():
    agreed = contract(clause(sanction=PER_POINT), grace_until=date(2026, 11, 11))
    assert only(judge(agreed, DAY, BAD_DAY)).sanctionable is True


def test_undecided_is_never_sanctioned():
    measured = all_up_but(
        DAY, ("2026-11-12 06:00", "2026-11-12 06:10", "down"), ("2026-11-12 12:00", "2026-11-12 18:00", "unmeasured")
    )
    found = only(judge(contract(clause(sanction=PER_POINT)), DAY, measured))
    assert (found.verdict, found.sanction.amount_eur, found.undecided_us) == (
        Verdict.UNDECIDED,
        Decimal("0.00"),
        360 * MINUTE,
    )


def test_what_an_outage_costs_is_its_share_of_the_clause_s_amount():
    agreed = contract(clause(sanction=THOUSAND))
    measured = all_up_but(
        DAY, ("2026-11-12 06:00", "2026-11-12 08:00", "down"), ("2026-11-12 10:00", "2026-11-12 11:00", "down")
    )
    outages = judge(agreed, DAY, measured).outages
    assert [o.amount_eur for o in outages] == [Decimal("666.67"), Decimal("333.33")]


def test_a_line_of_a_proposal_can_be_redone_by_hand():
    (line,) = only(judge(contract(clause(sanction=PER_POINT)), DAY, BAD_DAY)).sanction.lines
    assert line.text.nl == (
        "B1: 75,00 % is 24 begonnen schijven van 1 procentpunt onder 99 % × 1 % van de maandprijs (EUR 1.000,00)"
    )


def test_a_short_outage_is_not_sanctionable_beside_one_that_was_too_long():
    rule = {"id": "S1", "kind": "outage-duration", "scope": ["indienen"], "limit": "4h", "sanction": THOUSAND}
    measured = all_up_but(DAY, ("2026-11-12 01:00", "2026-11-12 02:00", "down"), (*SIX_HOURS, "down"))
    short, long = judge(contract(rule), DAY, measured).outages
    assert (short.sanctionable, long.sanctionable) == (False, True)
    assert short.reasons[0].nl == "Niet sanctioneerbaar onder S1: duurde er 1 u, de norm is 4 u."


def beyond(kind: str, rule: dict, **more: object) -> Decimal:
    agreed = contract({"id": "S1", "kind": kind, "scope": ["indienen"], "sanction": rule, **more})
    measured = all_up_but(DAY, ("2026-11-12 01:00", "2026-11-12 02:30", "down"), (*SIX_HOURS, "down"))
    return only(judge(agreed, DAY, measured)).sanction.amount_eur


@pytest.mark.parametrize(("edge", "amount"), [("8h", "100.00"), ("5h", "900.00")])
def test_bands_of_a_duration_begin_above_their_edge(edge: str, amount: str):
    bands = [{"above": "4h", "amount": "EUR 100"}, {"above": edge, "amount": "EUR 900"}]
    assert beyond("outage-duration", {"scale": "bands", "bands": bands}, limit="4h") == Decimal(amount)


def test_every_outage_beyond_the_number_allowed_costs_its_amount():
    rule = {"scale": "per-unit", "unit": 1, "amount": "EUR 400"}
    assert beyond("outage-count", rule, limit=0, at_least="1h") == Decimal("800.00")


def test_bands_of_a_number_begin_above_their_edge():
    bands = [{"above": 0, "amount": "EUR 100"}, {"above": 1, "amount": "EUR 300"}, {"above": 2, "amount": "EUR 700"}]
    assert beyond("outage-count", {"scale": "bands", "bands": bands}, limit=0) == Decimal("300.00")
