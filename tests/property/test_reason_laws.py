"""What is explained instant by instant is what the assessment counts."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sla.assess import assess, worked_out
from sla.assessment import Span
from sla.corrections import Correction
from sla.exclusions import dependencies
from sla.explain import explained
from sla.ledger import Entry, seal
from sla.measurements import SampleIn, SpanIn, State
from sla.witnesses import Kept
from tests.agreements import BRUSSELS, SECOND, clause, contract

STEP = 10 * SECOND  # every edge that is drawn lies on this grid
START = int(datetime(2026, 11, 12, 9, 55, tzinfo=ZoneInfo(BRUSSELS)).timestamp()) * SECOND
PERIOD = Span(start_us=START, end_us=START + 20 * 60 * SECOND)
OPEN_FROM_TEN = {"w": {"weekly": ["thu 10:00-10:12"]}}
RULES = st.fixed_dictionaries(
    {
        "combine": st.sampled_from(["any", "all", {"weighted": {"indienen": 2, "inzage": 1}}]),
        "quorum": st.sampled_from([None, 2]),
        "confirm_after": st.integers(1, 3),
        "hold_intervals": st.integers(1, 3),
        "degraded": st.sampled_from(["up", "down"]),
        "boundary": st.sampled_from(["observed", "certain", "widest"]),
        "window": st.sampled_from([None, "w"]),
    }
)


@st.composite
def measured(draw: st.DrawFn) -> list[SampleIn]:
    """Two journeys and a third party, from one or two locations that do not tick together."""
    found = []
    for journey in ("indienen", "inzage", "fas"):
        for i in range(draw(st.integers(1, 2))):
            due = START - 2 * 60 * SECOND + i * 2 * STEP
            for _ in range(draw(st.integers(0, 22))):
                found.append(
                    SampleIn(
                        journey=journey,
                        due_us=due,
                        interval_us=60 * SECOND,
                        outcome=draw(st.sampled_from(["up", "up", "degraded", "down", "down", "unknown"])),
                        location=f"plaats{i}",
                        attempts=draw(st.integers(1, 2)),
                    )
                )
                due += draw(st.sampled_from([60, 60, 60, 40, 200])) * SECOND
    return sorted(found, key=lambda s: s.due_us)


@st.composite
def entries(draw: st.DrawFn) -> list[Entry]:
    found = []
    for _ in range(draw(st.integers(0, 3))):
        first = START + draw(st.integers(-5, 100)) * STEP
        last = first + draw(st.integers(1, 40)) * STEP
        kind = draw(st.sampled_from(["maintenance", "exclusion", "third"]))
        found.append(
            Entry(
                kind="exclusion" if kind == "third" else kind,
                recorded_us=first - draw(st.sampled_from([0, 7200])) * SECOND,
                by="J. P.",
                reason="proef",
                from_us=first,
                until_us=last,
                scope=draw(st.sampled_from([(), ("indienen",)])),
                data={"dependency": "fas", "ground": "third-party"} if kind == "third" else {},
            )
        )
    return found


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(measured(), entries(), RULES)
def test_the_class_of_every_instant_adds_up_to_the_totals(
    samples: list[SampleIn], claims: list[Entry], rules: dict[str, object]
) -> None:
    agreed = contract(
        clause(scope=["indienen", "inzage"], **rules), windows=OPEN_FROM_TEN, maintenance={"notice": "1h"}
    )
    ledger = seal(claims)
    kept = Kept((*agreed.journeys(), *dependencies(ledger)), until_us=None)
    worked = worked_out(agreed, period=PERIOD, samples=kept.samples(samples), ledger=ledger)
    told = [explained(worked, kept, clause="B1", at_us=at_us) for at_us in range(PERIOD.start_us, PERIOD.end_us, STEP)]
    found = Counter(one.counted for one in told)
    [result] = worked.assessment.clauses
    totals = result.totals
    assert totals is not None
    assert {name: found[name] * STEP for name in ("up", "degraded", "down", "excluded", "unmeasured")} == {
        "up": totals.up_us,
        "degraded": totals.degraded_us,
        "down": totals.down_us,
        "excluded": totals.excluded_us,
        "unmeasured": totals.unmeasured_us,
    }
    assert found["outside"] * STEP == 20 * 60 * SECOND - totals.service_us
    # One location's sample speaks exactly where that journey was measured.
    assert all(
        (j.counted != "unmeasured") == (t.witness is not None and t.witness.speaks)
        for one in told
        for j in one.journeys
        if rules["quorum"] is None and len(j.testimonies) == 1 and j.counted not in ("outside", "excluded")
        for t in j.testimonies
    )


STATES: st.SearchStrategy[State] = st.sampled_from(["up", "degraded", "down", "unmeasured"])


def drawn_on(found: list[tuple[int, int, State]], start: int, end: int, state: State) -> list[tuple[int, int, State]]:
    """The slow twin: the same stretches with one of them painted over."""
    kept = [(a, b, s) for x, y, s in found for a, b in ((x, min(y, start)), (max(x, end), y)) if a < b]
    return sorted([*kept, (start, end, state)])


@settings(max_examples=60, deadline=None)
@given(
    st.sets(st.integers(1, 119), max_size=8),
    st.lists(STATES, min_size=9, max_size=9),
    st.lists(st.tuples(st.integers(0, 119), st.integers(1, 30), STATES), min_size=1, max_size=3),
    st.sampled_from(["up", "down"]),
)
def test_a_correction_counts_as_if_it_had_been_measured_so(
    cuts: set[int], states: list[State], claims: list[tuple[int, int, State]], degraded: str
) -> None:
    edges = [0, *sorted(cuts), 120]
    measured = [(a, b, s) for (a, b), s in zip(pairwise(edges), states, strict=False)]
    agreed = contract(clause(degraded=degraded))

    def spans(found: list[tuple[int, int, State]]) -> list[SpanIn]:
        return [
            SpanIn(journey="indienen", start_us=START + a * STEP, end_us=START + b * STEP, state=s) for a, b, s in found
        ]

    corrections, painted = [], measured
    for start, length, state in claims:
        end = min(120, start + length)
        span = Span(start_us=START + start * STEP, end_us=START + end * STEP)
        corrections.append(Correction(journey="indienen", span=span, state=state))
        painted = drawn_on(painted, start, end, state)
    worked = worked_out(agreed, period=PERIOD, spans=spans(measured), corrections=corrections)
    twin = assess(agreed, period=PERIOD, spans=spans(painted))
    assert worked.assessment.clauses[0].totals == twin.clauses[0].totals
