"""The verdict of one moment, and what agreements make of the same samples over time, are one reckoning."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.votes import verdict
from probes.sample import Outcome
from sla.intervals import IntervalSet, Span
from sla.measurements import RawOutage, Track, merged
from tests.heart import MINUTE, a_sample

AS_OF = 1_000 * MINUTE
_MOMENT = IntervalSet.of((Span(start_us=AS_OF, end_us=AS_OF + MINUTE),))
_NEVER = IntervalSet.of(())


def track(mark: str) -> Track:
    """What one location knows of the minute in which its vote is this mark."""
    outage = RawOutage(
        last_good_us=AS_OF, first_bad_us=AS_OF, last_bad_us=AS_OF + MINUTE, first_good_us=None, ends_us=AS_OF + MINUTE
    )
    return Track(
        measured=_NEVER if mark == "?" else _MOMENT,
        degraded=_MOMENT if mark == "~" else _NEVER,
        outages=(outage,) if mark == "x" else (),
    )


@given(marks=st.text(alphabet=".~x?", min_size=1, max_size=6), quorum=st.none() | st.integers(1, 6))
def test_a_moment_and_a_span_agree(marks: str, quorum: int | None) -> None:
    votes = [a_sample(mark, AS_OF, location=f"at-{number}") for number, mark in enumerate(marks)]
    now = verdict(votes, quorum=quorum, as_of_us=AS_OF, interval_us=MINUTE).outcome
    whole = merged([track(mark) for mark in marks], quorum=quorum)
    if not whole.measured:
        assert now is Outcome.UNKNOWN
    elif whole.outages:
        assert now is Outcome.DOWN
    else:
        assert now is (Outcome.DEGRADED if whole.degraded else Outcome.UP)


@given(marks=st.text(alphabet=".~x?", min_size=1, max_size=6), quorum=st.integers(1, 6), more=st.sampled_from("x?"))
def test_one_more_vote_of_failure_never_makes_it_better(marks: str, quorum: int, more: str) -> None:
    def outcome(picture: str) -> Outcome:
        votes = [a_sample(mark, AS_OF, location=f"at-{number}") for number, mark in enumerate(picture)]
        return verdict(votes, quorum=quorum, as_of_us=AS_OF, interval_us=MINUTE).outcome

    if outcome(marks) is Outcome.DOWN:
        assert outcome(marks + more) is Outcome.DOWN
