"""Laws of sanctions, whatever the scale: bounds, monotony, sums, and one failure once."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sla.assess import assess
from sla.assessment import Assessment, Span
from sla.contract import Contract, parse_contract
from sla.measurements import SpanIn, State
from tests.agreements import HOUR, NAMES, clause, contract, span

FAST = settings(max_examples=60, deadline=None)
NOVEMBER = span("2026-11-01 00:00", "2026-12-01 00:00")
BEFORE = span("2026-10-01 00:00", "2026-12-01 00:00")
EUROS = st.integers(1, 500_000).map(lambda cents: f"EUR {Decimal(cents) / 100}")
HOURS = BEFORE.length_us // HOUR

SCALES: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "per-unit": st.fixed_dictionaries(
        {"scale": st.just("per-unit"), "unit": st.sampled_from(["0.001", "0.01", "0.003"]), "amount": EUROS}
    ),
    "bands": st.tuples(st.integers(1, 10**5), st.integers(10**5, 10**6)).map(
        lambda cents: {
            "scale": "bands",
            "bands": [
                {"below": "0.99", "amount": f"EUR {Decimal(cents[0]) / 100}"},
                {"below": "0.9", "amount": f"EUR {Decimal(cents[1]) / 100}"},
            ],
        }
    ),
    "fixed": st.fixed_dictionaries({"scale": st.just("fixed"), "amount": EUROS}),
    "daily": st.fixed_dictionaries(
        {
            "scale": st.just("daily"),
            "amount": EUROS,
            "days": st.sampled_from(["calendar", "working"]),
            "free_days": st.integers(0, 3),
        }
    ),
    "points": st.fixed_dictionaries(
        {
            "scale": st.just("points"),
            "bands": st.just([{"below": "0.99", "points": 1}, {"below": "0.9", "points": 4}]),
            "repeat_factor": st.integers(1, 3),
            "first": st.sampled_from(["counts", "warning"]),
        }
    ),
}
RULES = st.one_of(*SCALES.values())
POINTS = st.one_of(
    st.fixed_dictionaries({"each": EUROS, "free": st.integers(0, 3), "over": st.integers(1, 3)}),
    st.tuples(EUROS, EUROS, st.integers(1, 3)).map(
        lambda t: {
            "thresholds": [{"from_points": 2, "amount": t[0]}, {"from_points": 6, "amount": t[1]}],
            "over": t[2],
        }
    ),
)
CAPS = st.fixed_dictionaries({}, optional=dict.fromkeys(("clause", "per_period", "per_year", "contract"), EUROS))
DOWN = st.frozensets(st.integers(0, HOURS - 1), max_size=80)


def measured(down: frozenset[int], journey: str = "indienen") -> list[SpanIn]:
    """October and November hour by hour; stretches of one state are one span, so an outage is one."""
    found: list[SpanIn] = []
    for hour in range(HOURS):
        state: State = "down" if hour in down else "up"
        start = BEFORE.start_us + hour * HOUR
        if found and found[-1].state == state:
            start = found.pop().start_us
        end = BEFORE.end_us if hour == HOURS - 1 else BEFORE.start_us + (hour + 1) * HOUR
        found.append(SpanIn(journey=journey, start_us=start, end_us=end, state=state))
    return found


def asked(agreed: Contract, down: frozenset[int], *other: SpanIn, period: Span = NOVEMBER) -> Assessment:
    return assess(agreed, period=period, spans=[*measured(down), *other])


def holds(found: Assessment) -> None:
    """Lines add up; nothing is negative; every line is whole cents."""
    for sanction in (found.total, *(c.sanction for c in found.clauses)):
        assert sanction.amount_eur >= 0
        assert sum((line.amount_eur for line in sanction.lines), Decimal(0)) == sanction.amount_eur
        assert all(line.amount_eur == line.amount_eur.quantize(Decimal("0.01")) for line in sanction.lines)
    assert all(outage.amount_eur >= 0 for outage in found.outages)


def worth(amount: str) -> Decimal:
    return Decimal(amount.removeprefix("EUR "))


@FAST
@given(RULES, RULES, POINTS, CAPS, DOWN, st.sampled_from(["sum", "highest"]), st.booleans())
def test_lines_add_up_to_whole_cents_and_no_cap_is_passed(
    first: dict[str, Any],
    second: dict[str, Any],
    points: dict[str, Any],
    cap: dict[str, str],
    down: frozenset[int],
    cumulation: str,
    twice: bool,
):
    clauses = clause(id="B1", sanction=first), clause(id="B2", sanction=second, window="altijd")
    version = {"points": points, "cap": cap, "cumulation": cumulation, "punish_twice": twice}
    found = asked(contract(*clauses, **version), down)
    holds(found)
    for name in ("per_period", "per_year", "contract"):
        assert name not in cap or found.total.amount_eur <= worth(cap[name])
    assert all("clause" not in cap or c.sanction.amount_eur <= worth(cap["clause"]) for c in found.clauses)


@FAST
@given(RULES, POINTS, DOWN, EUROS, EUROS)
def test_a_maximum_is_never_passed_and_a_minimum_never_undercut(
    rule: dict[str, Any], points: dict[str, Any], down: frozenset[int], one: str, other: str
):
    least, most = sorted((one, other), key=worth)
    found = asked(contract(clause(sanction={**rule, "minimum": least, "maximum": most}), points=points), down)
    holds(found)
    amount = found.clauses[0].sanction.amount_eur
    assert amount == 0 or worth(least) <= amount <= worth(most)


@FAST
@given(RULES, POINTS.filter(lambda table: table["over"] == 1), DOWN, DOWN)
def test_more_downtime_never_costs_less(
    rule: dict[str, Any], points: dict[str, Any], down: frozenset[int], more: frozenset[int]
):
    agreed = contract(clause(sanction=rule), points=points)
    # Over several periods earlier points may have brought about already what would be asked now, so `over` is 1 here.
    before, after = asked(agreed, down), asked(agreed, down | more)
    assert before.total.amount_eur <= after.total.amount_eur


@FAST
@given(RULES, RULES, POINTS, DOWN)
def test_one_failure_under_two_clauses_costs_no_more_than_the_dearer_of_them(
    first: dict[str, Any], second: dict[str, Any], points: dict[str, Any], down: frozenset[int]
):
    """Of months with one failure only: several failures may each cost something."""
    hours = frozenset(range(min(down, default=0), max(down, default=0)))
    clauses = clause(id="B1", sanction=first), clause(id="B2", sanction=second)
    both = asked(contract(*clauses, points=points), hours).total.amount_eur
    alone = [asked(contract(c, points=points), hours).total.amount_eur for c in clauses]
    assert both <= max(alone)


@FAST
@given(RULES, POINTS, CAPS, DOWN, st.integers(2, 29), EUROS)
def test_caps_and_maximum_hold_across_a_change_of_version(
    rule: dict[str, Any], points: dict[str, Any], cap: dict[str, str], down: frozenset[int], day: int, most: str
):
    def version(number: int, first: date, last: date) -> dict[str, Any]:
        rules = clause(sanction={**rule, "maximum": most})
        dates = {"number": number, "valid_from": first, "valid_until": last}
        return {**dates, "monthly_fee": "1000", "points": points, "cap": cap, "clause": [rules]}

    versions = [
        version(1, date(2026, 1, 1), date(2026, 11, day - 1)),
        version(2, date(2026, 11, day), date(2026, 12, 31)),
    ]
    found = asked(parse_contract({**NAMES, "version": versions}), down)
    holds(found)
    assert found.total.amount_eur <= min(worth(amount) for amount in (most, *cap.values()))


@FAST
@given(RULES, POINTS, DOWN, st.integers(1, 30))
def test_grace_never_costs_more_and_a_whole_month_of_it_costs_nothing(
    rule: dict[str, Any], points: dict[str, Any], down: frozenset[int], day: int
):
    spared = asked(contract(clause(sanction=rule), points=points, grace_until=date(2026, 11, day)), down)
    holds(spared)
    if day == 30:
        assert spared.total.amount_eur == 0
    if rule["scale"] != "points" or points["over"] == 1:
        assert spared.total.amount_eur <= asked(contract(clause(sanction=rule), points=points), down).total.amount_eur
