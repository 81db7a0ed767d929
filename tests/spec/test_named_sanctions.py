"""Sanctions of the law as contract data: a name, a source, the dates it was in force, and what may stand beside it.

The rates are those of art. 45 of the royal decree of 14 January 2013; art. 154 is to be confirmed before use.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from sla.assessment import Assessment, Verdict
from sla.contract import Contract
from tests.agreements import all_up_but, clause, contract, judge, only, span

NOVEMBER = span("2026-11-01 00:00", "2026-12-01 00:00")
BAD = all_up_but(NOVEMBER, ("2026-11-12 22:00", "2026-11-16 01:00", "down"))
GENERAL = {
    "scale": "fixed",
    "amount": "0.07% of contract-value",
    "minimum": "EUR 40",
    "maximum": "EUR 400",
    "source": "KB 14-1-2013 art. 45, algemene straf, eenmalig",
    "valid_from": date(2013, 7, 1),
}
DAILY = {
    "scale": "daily",
    "amount": "0.02% of contract-value",
    "minimum_per_day": "EUR 20",
    "maximum_per_day": "EUR 200",
    "source": "KB 14-1-2013 art. 45, algemene straf, dagelijks",
    "valid_from": date(2013, 7, 1),
}
LATE = {
    "scale": "daily",
    "amount": "0.1% of contract-value",
    "maximum": "7.5% of contract-value",
    "source": "KB 14-1-2013 art. 46 en 154",
    "to_confirm": True,
    "cumulates": True,
}
NAMED = {"algemene-straf": GENERAL, "dagelijkse-straf": DAILY, "vertraging": LATE}


def too_long(sanction: str | dict[str, Any], name: str) -> dict[str, Any]:
    return {"id": name, "kind": "outage-duration", "scope": ["indienen"], "limit": "4h", "sanction": sanction}


def agreed(*sanctions: str | dict[str, Any], value: str = "100000", **version: Any) -> Contract:
    clauses = [too_long(sanction, f"S{i}") for i, sanction in enumerate(sanctions, start=1)]
    return contract(*clauses, **{"sanctions": NAMED, "contract_value": value, **version})


def found(*sanctions: str | dict[str, Any], value: str = "100000", **version: Any) -> Assessment:
    return judge(agreed(*sanctions, value=value, **version), NOVEMBER, BAD)


@pytest.mark.parametrize(
    ("value", "single", "daily"),
    [
        ("10000", "40.00", "80.00"),
        ("100000", "70.00", "80.00"),
        ("400000", "280.00", "320.00"),
        ("5000000", "400.00", "800.00"),
    ],
)
def test_the_general_penalty_lies_between_its_bounds_once_or_for_each_day(value: str, single: str, daily: str):
    """0.07 %, EUR 40 to 400 once; 0.02 %, EUR 20 to 200 for each of four days."""
    assert found("algemene-straf", value=value).total.amount_eur == Decimal(single)
    assert found("dagelijkse-straf", value=value).total.amount_eur == Decimal(daily)


def test_its_source_stands_with_the_result_and_what_is_to_confirm_says_so():
    assert only(found("algemene-straf")).reasons[-1].nl == (
        "Grond van de sanctie: KB 14-1-2013 art. 45, algemene straf, eenmalig."
    )
    assert only(found("vertraging")).reasons[-1].nl == (
        "Grond van de sanctie: KB 14-1-2013 art. 46 en 154 (te bevestigen)."
    )


@pytest.mark.parametrize("dates", [{"valid_from": date(2026, 11, 2)}, {"valid_until": date(2026, 11, 29)}])
def test_outside_the_dates_of_its_source_it_is_not_applied_and_says_why(dates: dict[str, date]):
    result = only(found({**GENERAL, "name": "algemene straf", **dates}))
    assert (result.verdict, result.sanctionable, result.sanction.amount_eur) == (
        Verdict.MISSED,
        False,
        Decimal("0.00"),
    )
    assert result.reasons[-1].nl.startswith("De sanctie algemene straf geldt maar ")
    assert result.reasons[-1].nl.endswith("niet voor de hele beoordeelde periode: niet toegepast.")


def test_in_force_on_the_first_and_the_last_day_it_is_applied():
    dates = {"valid_from": date(2026, 11, 1), "valid_until": date(2026, 11, 30)}
    assert only(found({**GENERAL, **dates})).sanctionable


def test_a_penalty_and_a_delay_fine_for_one_failure_stand_together_where_the_contract_says_so():
    """EUR 70 once, and 0.1 % for each of four days."""
    assert found("algemene-straf", "vertraging").total.amount_eur == Decimal("470.00")
    apart = {**LATE, "cumulates": False}
    assert found("algemene-straf", apart).total.amount_eur == Decimal("400.00")
    assert found("algemene-straf", apart, punish_twice=True).total.amount_eur == Decimal("470.00")


def test_a_third_sanction_that_does_not_cumulate_still_gives_way():
    """The delay fine may stand beside either penalty; the two penalties may not stand beside each other."""
    assert found("algemene-straf", "dagelijkse-straf", "vertraging").total.amount_eur == Decimal("480.00")


def test_where_only_the_highest_is_due_nothing_cumulates():
    assert found("algemene-straf", "vertraging", cumulation="highest").total.amount_eur == Decimal("400.00")


def problems(**version: Any) -> list[tuple[tuple[int | str, ...], str]]:
    with pytest.raises(ValidationError) as raised:
        agreed(version.pop("sanction", "algemene-straf"), **version)
    return [(e["loc"], e["msg"]) for e in raised.value.errors()]


def test_an_unknown_name_is_told_where_it_stands_with_the_names_that_are_known():
    ((where, what),) = problems(sanction="boete")
    assert where == ("version", 0, "clause", 0, "sanction")
    assert what.endswith(
        'clause S1 names the sanction "boete"; known: algemene-straf, dagelijkse-straf, vertraging. '
        "Add [version.sanctions.boete], or write the sanction itself here"
    )


def test_a_mistake_in_a_named_sanction_is_told_once_where_it_stands():
    ((where, what),) = problems(sanctions={"algemene-straf": {**GENERAL, "amount": "veel"}})
    assert where == ("version", 0, "sanctions", "algemene-straf", "amount")
    assert "is no amount" in what


def test_a_key_nobody_knows_in_a_sanction_is_told_at_its_own_place():
    ((where, _),) = problems(sanction={"scale": "points", "points": 1, "herhaling": 2}, points={"each": "EUR 1"})
    assert where == ("version", 0, "clause", 0, "sanction", "herhaling")


@pytest.mark.parametrize(
    ("changed", "because"),
    [
        ({"valid_until": date(2019, 12, 31)}, "on no day of this version"),
        ({"valid_from": date(2041, 1, 1)}, "on no day of this version"),
        ({"valid_from": date(2026, 2, 1), "valid_until": date(2026, 1, 1)}, "turn them round"),
    ],
)
def test_a_sanction_that_is_never_in_force_is_refused(changed: dict[str, Any], because: str):
    ((_, what),) = problems(sanction={**GENERAL, **changed})
    assert because in what


def test_an_amount_without_its_basis_is_refused_in_a_named_sanction_too():
    with pytest.raises(ValidationError, match='the sanction "algemene-straf" needs contract_value'):
        contract(clause(), sanctions={"algemene-straf": GENERAL})
