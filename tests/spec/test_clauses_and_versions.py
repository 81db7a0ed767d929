"""Clauses about outages, response times and coverage; their periods; and a contract that changes on the way."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from sla.assess import assess
from sla.assessment import Verdict
from sla.contract import parse_contract
from sla.measurements import SampleIn
from sla.period import parse_period
from sla.plan import PeriodRefusedError, data_span
from tests.agreements import (
    BRUSSELS,
    HOUR,
    MINUTE,
    NAMES,
    SECOND,
    all_up_but,
    at,
    clause,
    contract,
    judge,
    only,
    samples,
    span,
    spans,
)

DAY = span("2026-11-12 00:00", "2026-11-13 00:00")


def duration(limit: str, **more: Any) -> dict[str, Any]:
    return {"id": "S1", "kind": "outage-duration", "scope": ["indienen"], "limit": limit, **more}


def count(limit: int, **more: Any) -> dict[str, Any]:
    return {"id": "S2", "kind": "outage-count", "scope": ["indienen"], "limit": limit, **more}


TWO_OUTAGES = all_up_but(
    DAY, ("2026-11-12 08:00", "2026-11-12 08:20", "down"), ("2026-11-12 18:00", "2026-11-12 20:00", "down")
)


@pytest.mark.parametrize(("limit", "verdict"), [("2h", Verdict.MET), ("119m", Verdict.MISSED)])
def test_no_outage_may_last_longer_than_promised(limit: str, verdict: Verdict):
    found = only(judge(contract(duration(limit)), DAY, TWO_OUTAGES))
    assert (found.verdict, found.measured) == (verdict, 2 * HOUR)


def test_the_length_of_an_outage_runs_in_service_time_only():
    found = only(judge(contract(duration("1h", window="dienst")), DAY, TWO_OUTAGES))
    assert (found.verdict, found.measured) == (Verdict.MET, HOUR)


def test_unmeasured_time_beside_an_outage_may_have_made_it_too_long():
    measured = all_up_but(
        DAY, ("2026-11-12 08:00", "2026-11-12 09:00", "down"), ("2026-11-12 09:00", "2026-11-12 09:30", "unmeasured")
    )
    found = only(judge(contract(duration("1h")), DAY, measured))
    assert (found.verdict, found.undecided_us) == (Verdict.UNDECIDED, 30 * MINUTE)
    assert (
        found.reasons[-1].nl
        == "Niet te beoordelen: met niet-gemeten tijd erbij kan een storing 1 u 30 min geduurd hebben."
    )


@pytest.mark.parametrize(
    ("limit", "at_least", "verdict"),
    [(2, "1m", Verdict.MET), (1, "1m", Verdict.MISSED), (1, "30m", Verdict.MET), (0, "3h", Verdict.MET)],
)
def test_only_outages_of_the_agreed_length_are_counted(limit: int, at_least: str, verdict: Verdict):
    assert only(judge(contract(count(limit, at_least=at_least)), DAY, TWO_OUTAGES)).verdict is verdict


def timed(*milliseconds: int) -> list[SampleIn]:
    return [
        SampleIn(
            journey="indienen",
            due_us=at("2026-11-12 10:00") + i * MINUTE,
            interval_us=MINUTE,
            outcome="up",
            duration_us=ms * 1000,
            step_durations={"submit": ms * 500},
        )
        for i, ms in enumerate(milliseconds)
    ]


def response(percentile: str, limit: str, **more: Any) -> dict[str, Any]:
    scope = ["indienen"]
    return {"id": "P1", "kind": "response-time", "scope": scope, "percentile": percentile, "limit": limit, **more}


@pytest.mark.parametrize(("percentile", "rank_ms"), [("95", 5000), ("80", 400), ("50", 300), ("1", 100)])
def test_a_percentile_is_the_nearest_rank_never_an_interpolation(percentile: str, rank_ms: int):
    found = only(judge(contract(response(percentile, "1s")), DAY, timed(5000, 100, 200, 300, 400)))
    assert found.measured == rank_ms * 1000
    assert found.response is not None
    assert (found.response.count, found.response.within) == (5, Fraction(4, 5))


def test_a_step_has_response_times_of_its_own():
    assert only(judge(contract(response("100", "1s", step="submit")), DAY, timed(100, 400))).measured == 200_000


def test_failed_runs_have_no_response_time():
    measured = [*timed(100), *samples("XX", "2026-11-12 11:00")]
    found = only(judge(contract(response("95", "1s")), DAY, measured))
    assert found.response is not None
    assert found.response.count == 1


def test_coverage_is_a_promise_of_whoever_measures():
    agreed = contract({"id": "M1", "kind": "coverage", "scope": ["indienen"], "target": "0.99"})
    found = only(judge(agreed, DAY, all_up_but(DAY, ("2026-11-12 00:00", "2026-11-12 06:00", "unmeasured"))))
    assert (found.verdict, found.measured, found.sanctionable) == (Verdict.MISSED, Fraction(3, 4), False)


@pytest.mark.parametrize(
    ("measured_from", "verdict"),
    [("00:00", Verdict.UNDECIDED), ("00:14", Verdict.UNDECIDED), ("00:15", Verdict.MISSED), ("06:00", Verdict.MISSED)],
)
def test_coverage_of_a_day_that_goes_on_is_missed_only_once_the_rest_can_no_longer_reach_it(
    measured_from: str, verdict: Verdict
):
    agreed = contract({"id": "M1", "kind": "coverage", "scope": ["indienen"], "target": "0.99"})
    measured = spans((f"2026-11-12 {measured_from}", "2026-11-12 12:00", "up"))
    found = only(assess(agreed, period=DAY, spans=measured, as_of_us=at("2026-11-12 12:00")))
    assert found.verdict is verdict
    assert found.undecided_us == (12 * HOUR if verdict is Verdict.UNDECIDED else 0)


def test_coverage_is_met_as_soon_as_enough_was_measured_whatever_comes():
    agreed = contract({"id": "M1", "kind": "coverage", "scope": ["indienen"], "target": "0.5"})
    measured = spans(("2026-11-12 00:00", "2026-11-12 13:00", "up"))
    assert only(assess(agreed, period=DAY, spans=measured, as_of_us=at("2026-11-12 13:00"))).verdict is Verdict.MET


def test_coverage_of_a_day_that_is_over_waits_for_nothing():
    agreed = contract({"id": "M1", "kind": "coverage", "scope": ["indienen"], "target": "0.99"})
    measured = spans(("2026-11-12 00:00", "2026-11-12 12:00", "up"))
    found = only(assess(agreed, period=DAY, spans=measured, as_of_us=DAY.end_us))
    assert (found.verdict, found.undecided_us) == (Verdict.MISSED, 0)


# --- periods -------------------------------------------------------------------------------------------------------


def test_a_quarter_asked_of_a_monthly_clause_is_three_answers():
    quarter = parse_period("2026-Q4", BRUSSELS)
    found = judge(contract(), quarter, all_up_but(quarter))
    assert [c.period.length_us // HOUR for c in found.clauses] == [31 * 24 + 1, 30 * 24, 31 * 24]


def test_a_month_asked_of_a_quarterly_clause_is_told_so_far_and_not_judged():
    quarter, november = parse_period("2026-Q4", BRUSSELS), parse_period("2026-11", BRUSSELS)
    found = only(judge(contract(clause(period="quarter")), november, all_up_but(quarter)))
    assert found.verdict is Verdict.UNDECIDED
    assert found.period.start_us == quarter.start_us
    assert (
        found.reasons[-1].nl
        == "Tussenstand: de periode (kwartaal) loopt tot 01-01-2027 00:00:00 CET; dan valt het oordeel."
    )


def test_the_last_month_of_a_quarter_carries_its_verdict():
    quarter, december = parse_period("2026-Q4", BRUSSELS), parse_period("2026-12", BRUSSELS)
    assert only(judge(contract(clause(period="quarter")), december, all_up_but(quarter))).verdict is Verdict.MET


def test_rolling_days_are_the_last_so_many_before_the_end():
    november = parse_period("2026-11", BRUSSELS)
    agreed = contract(clause(period="rolling 60 days"))
    found = only(assess(agreed, period=november))
    assert found.period.start_us == at("2026-10-02 00:00")
    assert data_span(agreed, november).start_us == at("2026-10-01 00:00")


# --- versions ------------------------------------------------------------------------------------------------------


def amended() -> Any:
    first = {"number": 1, "valid_from": date(2026, 1, 1), "valid_until": date(2026, 11, 15), "clause": [clause()]}
    stricter = {"number": 2, "valid_from": date(2026, 11, 16), "valid_until": date(2026, 12, 31)}
    return parse_contract({**NAMES, "version": [first, {**stricter, "clause": [clause(target="0.999")]}]})


def test_every_second_belongs_to_one_version_and_a_month_of_two_is_judged_in_two_pieces():
    november = parse_period("2026-11", BRUSSELS)
    found = judge(amended(), november, all_up_but(november, ("2026-11-20 10:00", "2026-11-20 13:00", "down")))
    assert [(c.version.number, c.period.length_us // (24 * HOUR), c.verdict) for c in found.clauses] == [
        (1, 15, Verdict.MET),
        (2, 15, Verdict.MISSED),
    ]


def test_a_period_outside_every_version_is_refused():
    with pytest.raises(PeriodRefusedError, match="from 2026-01-01 up to and including 2026-12-31"):
        assess(amended(), period=parse_period("2027-02", BRUSSELS))


def test_a_period_partly_outside_every_version_is_assessed_as_far_as_it_goes():
    turn = span("2026-12-31 00:00", "2027-01-02 00:00")
    found = judge(amended(), turn, all_up_but(turn))
    assert only(found).period.length_us == 24 * HOUR
    assert found.notes[0].nl == "Een deel van de periode valt buiten elke contractversie en is niet beoordeeld."


def test_a_journey_has_samples_or_spans_never_both():
    with pytest.raises(ValueError, match="both samples and spans"):
        judge(contract(), DAY, [*all_up_but(DAY), *samples("..", "2026-11-12 10:00")])


def test_samples_that_do_not_ascend_are_refused():
    backwards = list(samples("..", "2026-11-12 10:00"))[::-1]
    with pytest.raises(ValueError, match="do not ascend"):
        judge(contract(), DAY, backwards)


def test_what_was_measured_after_the_date_asked_for_is_not_known():
    found = assess(contract(), period=DAY, spans=all_up_but(DAY), as_of_us=at("2026-11-12 06:00"))
    totals = only(found).totals
    assert totals is not None
    assert (totals.up_us, totals.unmeasured_us) == (6 * HOUR, 18 * HOUR)


def test_the_timeline_of_a_journey_covers_the_period_without_gap():
    (line,) = judge(contract(), DAY, TWO_OUTAGES).timelines
    assert [s for _, s in line.spans] == ["up", "down", "up", "down", "up"]
    assert sum(s.length_us for s, _ in line.spans) == 24 * HOUR
    assert line.spans[1][0].length_us == 20 * 60 * SECOND
