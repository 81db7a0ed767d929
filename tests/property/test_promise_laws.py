"""What holds of every case, whatever the ledger says: the clock only ever stops for the supplier's benefit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sla.assess import assess
from sla.assessment import Case, Span
from sla.contract import Contract
from sla.ledger import Entry, seal
from tests.agreements import HOUR, MINUTE, at, contract
from tests.promises import MONTH, delivered, notified, restore, result

START = at("2027-03-26 09:00")  # a weekend and the night of the change to summer time lie ahead
AGREED = contract(restore(limit="30h", window="dienst"))

minutes = st.integers(min_value=0, max_value=4 * 24 * 60)
stretches = st.tuples(minutes, st.integers(min_value=1, max_value=2000)).map(
    lambda s: Span(start_us=START + s[0] * MINUTE, end_us=START + (s[0] + s[1]) * MINUTE)
)


def written(kind: str, start_us: int, end_us: int | None = None, **data: str) -> Entry:
    return Entry(kind=kind, recorded_us=start_us, by="b", reason="r", from_us=start_us, until_us=end_us, data=data)


def case(*entries: Entry, agreed: Contract = AGREED) -> Case:
    (found,) = assess(agreed, period=MONTH, ledger=seal([notified("2027-03-26 09:00"), *entries])).clauses[0].cases
    return found


def restored_after(length: int) -> Entry:
    return written("restored", START + length * MINUTE, notification="1")


def pause(span: Span) -> Entry:
    return written("pause", span.start_us, span.end_us, notification="1")


@given(minutes, st.lists(stretches, max_size=3), stretches)
def test_a_pause_never_lengthens(length: int, pauses: list[Span], one_more: Span):
    before = case(restored_after(length), *map(pause, pauses))
    after = case(restored_after(length), *map(pause, pauses), pause(one_more))
    assert (after.least_us or 0) <= (before.least_us or 0)


@given(minutes, minutes, st.lists(stretches, max_size=3))
def test_a_later_restoration_never_improves(one: int, other: int, pauses: list[Span]):
    early, late = (case(restored_after(m), *map(pause, pauses)) for m in sorted((one, other)))
    assert (early.least_us or 0) <= (late.least_us or 0)


@given(minutes, stretches)
def test_excluded_time_never_hurts(length: int, span: Span):
    bare = case(restored_after(length))
    granted = case(restored_after(length), written("exclusion", span.start_us, span.end_us, ground="force-majeure"))
    assert (granted.least_us or 0) <= (bare.least_us or 0)


@given(minutes, st.lists(stretches, max_size=3))
def test_the_clock_agrees_with_counting_minutes_one_by_one(length: int, pauses: list[Span]):
    found = case(restored_after(length), *map(pause, pauses))
    ran = sum(
        in_office(t) and not any(p.start_us <= t < p.end_us for p in pauses)
        for t in range(START, START + length * MINUTE, MINUTE)
    )
    assert found.least_us == ran * MINUTE


def in_office(at_us: int) -> bool:
    """Monday to Friday 07:30-19:00 in Brussels: summer time begins on Sunday 28 March at 02:00."""
    since = at_us - at("2027-03-26 00:00") + (HOUR if at_us >= at("2027-03-28 03:00") else 0)
    day, minute = divmod(since // MINUTE, 24 * 60)
    return day % 7 not in (1, 2) and 450 <= minute < 1140


@given(st.integers(min_value=0, max_value=20_000), st.integers(min_value=0, max_value=20_000))
def test_a_later_delivery_is_never_less_late(one: int, other: int):
    report = {"id": "U2", "kind": "delivery", "document": "maandrapport", "due": "monthly, 3rd working day"}
    late = []
    for length in sorted((one, other)):
        at_us = at("2027-03-01 00:00") + length * MINUTE
        entry = written("document-delivered", at_us, document="maandrapport", period="2027-02")
        late.append(result(report, entry, delivered("2027-03-02 09:00", "iets anders")).cases[0].late)
    assert late == sorted(late)
