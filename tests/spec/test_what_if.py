"""What a claim would change: percentage, verdict and amount before and after, and nothing stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from sla.assess import assess
from sla.contract import Contract
from sla.corrections import Correction
from sla.ledger import Entry, Sealed, seal
from sla.what_if import (
    AcceptedClaim,
    Change,
    Claim,
    ClaimRefusedError,
    Comparison,
    CorrectedOutage,
    ExtraExclusion,
    Measured,
    OtherContract,
    amount,
    comparison_json,
    figure,
    verdict,
    what_if,
)
from tests.agreements import all_up_but, at, clause, contract, entry, span

NOVEMBER = span("2026-11-01 00:00", "2026-12-01 00:00")
# 440 of 43 200 minutes: 98.98 %, one started tenth of a point below 99 %.
OUTAGE = ("2026-11-10 10:00", "2026-11-10 17:20")
NAME = "indienen-20261110T0900Z"
PER_TENTH = {"scale": "per-unit", "unit": "0.001", "amount": "1% of monthly-fee"}
AGREED = contract(clause(sanction=PER_TENTH))


def suppose(*claims: Claim, ledger: Sequence[Entry] = (), fas: Sequence[tuple[str, str, Any]] = ()) -> Comparison:
    measured = [*all_up_but(NOVEMBER, (*OUTAGE, "down")), *(all_up_but(NOVEMBER, *fas, journey="fas") if fas else ())]

    def read(_contract: Contract, _ledger: Sequence[Sealed]) -> Measured:
        return Measured(spans=measured)

    return what_if(AGREED, period=NOVEMBER, claims=claims, read=read, ledger=seal(ledger))


def sides(found: Comparison) -> tuple[tuple[str, str, str], tuple[str, str, str]]:
    [change] = found.changes

    def told(result: Any) -> tuple[str, str, str]:
        return figure(result).nl, verdict(result).nl, amount(result).nl

    return told(change.before), told(change.after)


BEFORE = ("98,98 %", "niet gehaald", "EUR 1.000,00")


def test_an_exclusion_of_the_whole_outage_makes_the_target_met():
    found = suppose(ExtraExclusion(span=span(*OUTAGE), scope=("indienen",), ground="force-majeure"))
    assert sides(found) == (BEFORE, ("100,00 %", "gehaald", "EUR 0,00"))


def test_an_exclusion_of_a_part_takes_only_that_part():
    found = suppose(ExtraExclusion(span=span("2026-11-10 10:00", "2026-11-10 10:04")))
    # 436 of 43 196 minutes are left: still below, by less.
    assert sides(found) == (BEFORE, ("98,99 %", "niet gehaald", "EUR 1.000,00"))


def test_an_exclusion_of_another_journey_changes_nothing():
    found = suppose(ExtraExclusion(span=span(*OUTAGE), scope=("inzage",)))
    assert [change.differs for change in found.changes] == [False]


def test_a_third_party_excludes_only_what_it_was_down_for_itself():
    claim = ExtraExclusion(span=span(*OUTAGE), ground="third-party", dependency="fas")
    found = suppose(claim, fas=[("2026-11-10 10:00", "2026-11-10 11:00", "down")])
    assert found.changes[0].after is not None
    assert found.changes[0].after.totals is not None
    assert found.changes[0].after.totals.excluded_us == 3_600_000_000
    assert [remark.nl for remark in found.remarks] == [
        "Uitval van derden: van 7 u 20 min is 1 u uitgesloten, zolang ook fas zelf uitviel."
    ]


def test_a_third_party_that_nobody_measures_excludes_nothing_and_that_is_said():
    found = suppose(ExtraExclusion(span=span(*OUTAGE), ground="third-party"))
    assert not found.differs
    assert "de derde wordt niet zelf gemeten" in found.remarks[0].nl


@pytest.mark.parametrize(
    ("kind", "status"), [("exclusion", {"status": "claimed"}), ("exclusion-claimed", {}), ("exclusion-refused", {})]
)
def test_a_claim_that_is_pending_or_refused_can_be_taken_as_accepted(kind: str, status: dict[str, str]):
    pending = entry(kind, *OUTAGE, recorded="2026-11-12 09:00", ground="force-majeure", **status)
    found = suppose(AcceptedClaim(entry=1), ledger=[pending])
    assert sides(found) == (BEFORE, ("100,00 %", "gehaald", "EUR 0,00"))


def test_a_refusal_that_names_no_time_is_about_the_time_of_its_claim():
    claimed = entry("exclusion-claimed", *OUTAGE, recorded="2026-11-12 09:00", ground="force-majeure")
    refused = Entry(
        kind="exclusion-refused", recorded_us=at("2026-11-13 09:00"), by="An", reason="geen bewijs", supersedes=1
    )
    found = suppose(AcceptedClaim(entry=2), ledger=[claimed, refused])
    assert sides(found) == (BEFORE, ("100,00 %", "gehaald", "EUR 0,00"))


def test_an_outage_that_lasted_less_long_costs_less():
    found = suppose(CorrectedOutage(outage=NAME, span=span("2026-11-10 10:00", "2026-11-10 12:00")))
    assert sides(found) == (BEFORE, ("99,72 %", "gehaald", "EUR 0,00"))


def test_an_outage_that_lasted_longer_costs_more():
    found = suppose(CorrectedOutage(outage=NAME, span=span("2026-11-10 10:00", "2026-11-10 18:00")))
    assert sides(found) == (BEFORE, ("98,88 %", "niet gehaald", "EUR 2.000,00"))


def test_an_outage_can_be_taken_as_no_outage():
    found = suppose(CorrectedOutage(outage=NAME))
    assert sides(found) == (BEFORE, ("100,00 %", "gehaald", "EUR 0,00"))
    assert found.after.outages == ()


def test_an_outage_taken_as_unmeasured_leaves_the_target_undecided():
    found = suppose(CorrectedOutage(outage=NAME, state="unmeasured"))
    assert sides(found)[1][1:] == ("niet te beoordelen", "EUR 0,00")


def test_any_stretch_of_a_journey_can_be_taken_as_otherwise():
    claim = Correction(journey="indienen", span=span("2026-11-20 10:00", "2026-11-20 11:00"), state="down")
    assert sides(suppose(claim)) == (BEFORE, ("98,84 %", "niet gehaald", "EUR 2.000,00"))


def test_another_contract_judges_the_same_measurements():
    other = contract(clause(target="0.95", sanction=PER_TENTH))
    assert sides(suppose(OtherContract(contract=other))) == (BEFORE, ("98,98 %", "gehaald", "EUR 0,00"))


def test_a_clause_that_only_one_contract_has_stands_alone():
    other = contract(clause(id="C2"))
    found = suppose(OtherContract(contract=other))
    assert [(c.clause, c.before is None, c.after is None) for c in found.changes] == [
        ("B1", False, True),
        ("C2", True, False),
    ]
    assert all(isinstance(c, Change) and c.differs for c in found.changes)


def test_claims_are_taken_together():
    found = suppose(
        CorrectedOutage(outage=NAME, span=span("2026-11-10 10:00", "2026-11-10 18:00")),
        ExtraExclusion(span=span("2026-11-10 10:00", "2026-11-10 18:00")),
    )
    assert sides(found)[1] == ("100,00 %", "gehaald", "EUR 0,00")
    assert [claim.nl for claim in found.claims] == [
        f"Storing {NAME} duurde van 10-11-2026 10:00:00 CET tot 10-11-2026 18:00:00 CET.",
        "Uitgesloten voor alle reizen: 10-11-2026 10:00:00 CET tot 10-11-2026 18:00:00 CET.",
    ]


def test_before_is_exactly_what_an_assessment_says():
    measured = all_up_but(NOVEMBER, (*OUTAGE, "down"))
    assert suppose(CorrectedOutage(outage=NAME)).before == assess(AGREED, period=NOVEMBER, spans=measured)


def test_programs_get_both_sides_and_the_difference():
    answer = comparison_json(suppose(CorrectedOutage(outage=NAME)))
    assert answer["amount_eur"] == {"before": "1000.00", "after": "0.00", "difference": "-1000.00"}
    assert answer["stored"] is False
    [one] = answer["clauses"]
    assert (one["before"]["verdict"], one["after"]["verdict"]) == ("missed", "met")


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        (CorrectedOutage(outage="storing-9"), f'there is no outage "storing-9" in this period; outages: {NAME}'),
        (AcceptedClaim(entry=3), "entry 3 is no exclusion in force; exclusions in the ledger: none"),
        (
            Correction(journey="inzage", span=span(*OUTAGE), state="up"),
            'the contract speaks of no journey "inzage"; known: indienen',
        ),
    ],
    ids=["no such outage", "no such entry", "no such journey"],
)
def test_a_claim_about_what_is_not_there_is_refused(claim: Claim, message: str):
    with pytest.raises(ClaimRefusedError, match=message):
        suppose(claim)
