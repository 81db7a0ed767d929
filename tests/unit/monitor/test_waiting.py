"""What waits for the store has bounded room: evidence goes first, then the oldest samples, and all of it is counted."""

from __future__ import annotations

import hashlib
import os
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count

import pytest

from monitor.incidents import IncidentRule
from monitor.store.events import Event
from monitor.telling import Alerting
from monitor.waiting import GIVEN_UP, Finding, GivenUp, Waiting, weight, without_evidence
from probes.sample import (
    Attempt,
    Bundle,
    Evidence,
    FileKind,
    Hop,
    Outcome,
    Phases,
    ProofFile,
    Sample,
    StepOutcome,
    StepResult,
)
from tests.heart import INDIENEN, a_sample, at

ALERTING = Alerting(rule=IncidentRule(), recipients=(), titles={})
_slots = count(at("10:00"), 60_000_000)
_lengths = count()


def finding(sample: Sample) -> Finding:
    return Finding(check=INDIENEN, sample=sample, alerting=ALERTING)


def good() -> Finding:
    return finding(a_sample(".", next(_slots)))


def failing(body: str = "x" * 60_000) -> Finding:
    piece = Evidence(
        step="start",
        request="GET https://loket.example/ HTTP/1.1\r\nhost: loket.example",
        response_head="HTTP/1.1 503 Service Unavailable\r\nretry-after: 9",
        body=body,
        body_truncated=False,
        body_sha256=hashlib.sha256(body.encode()).hexdigest(),
    )
    return finding(replace(a_sample("x", next(_slots)), evidence=(piece,)))


def drained(waiting: Waiting) -> Iterator[Finding | Event]:
    while waiting:
        yield from waiting.take()
        waiting.saved()


def proven(what: Finding | Event) -> bool:
    return isinstance(what, Finding) and any(piece.body != GIVEN_UP for piece in what.sample.evidence)


def test_evidence_goes_before_any_sample_and_that_of_the_first_failures_stays_longest():
    waiting = Waiting(most=1_000, most_bytes=200_000)
    gone = [waiting.add(failing()) for _ in range(20)]
    assert waiting.bytes <= 200_000
    assert (sum(one.evidence for one in gone), sum(one.samples for one in gone)) == (18, 0)
    assert [proven(what) for what in drained(waiting)] == [True] * 2 + [False] * 18


def test_where_no_evidence_is_left_to_give_up_the_oldest_samples_go():
    room = 10 * weight(good())
    waiting = Waiting(most=1_000, most_bytes=room)
    added = [good() for _ in range(14)]
    assert [waiting.add(one).samples for one in added] == [0] * 10 + [1] * 4
    assert waiting.bytes <= room
    assert list(drained(waiting)) == added[4:]


def test_a_sample_for_which_there_is_no_room_at_all_waits_alone_and_is_not_lost():
    waiting = Waiting(most=1_000, most_bytes=10)
    waiting.add(good())
    last = good()
    assert waiting.add(last) == GivenUp(samples=1)
    assert list(drained(waiting)) == [last]


def test_their_number_is_bounded_as_well_and_events_that_go_are_no_samples():
    waiting = Waiting(most=2, most_bytes=10**9)
    waiting.add(Event(at_us=0, kind="missed-slots"))
    waiting.add(good())
    assert [waiting.add(good()) for _ in range(2)] == [GivenUp(events=1), GivenUp(samples=1)]


def test_what_is_in_hand_is_neither_stripped_nor_dropped_for_the_store_may_have_it_already():
    waiting = Waiting(most=2, most_bytes=10**9)
    first, second = failing(), failing()
    waiting.add(first)
    waiting.add(second)
    assert waiting.take() == (first, second)
    newest = failing()
    assert waiting.add(newest) == GivenUp()
    waiting.saved()
    assert list(drained(waiting)) == [newest]


def test_what_the_store_did_not_take_is_given_again_first_and_may_then_lose_its_evidence():
    waiting = Waiting(most=100, most_bytes=200_000)
    kept = failing()
    waiting.add(kept)
    waiting.take()
    waiting.put_back()
    assert waiting.take() == (kept,)
    waiting.put_back()
    assert waiting.add(failing("y" * 160_000)) == GivenUp(evidence=1)
    assert waiting.add(failing("z" * 190_000)) == GivenUp(evidence=1)
    assert waiting.take()[0] == kept


def test_a_batch_ends_where_it_grows_heavy():
    waiting = Waiting(most=1_000, most_bytes=10**9)
    for _ in range(6):
        waiting.add(failing("x" * 6_000_000))
    assert len(waiting.take()) == 2


def test_memory_stays_flat_through_a_long_mass_outage_and_every_run_is_accounted_for():
    """T32: ten thousand failing runs of 60 KB, 600 MB, into room for four."""
    room = 4_000_000
    waiting = Waiting(most=50_000, most_bytes=room)
    evidence = lost = 0
    tracemalloc.start()
    try:
        for number in range(10_000):
            gone = waiting.add(failing(chr(ord("a") + number % 26) * 60_000))
            evidence, lost = evidence + gone.evidence, lost + gone.samples
            assert waiting.bytes <= room
        assert tracemalloc.get_traced_memory()[1] < room + 500_000
    finally:
        tracemalloc.stop()
    whole, stripped = 0, 0
    for what in drained(waiting):
        whole, stripped = whole + proven(what), stripped + (not proven(what))
    assert len(waiting) == waiting.bytes == 0
    assert whole + stripped + lost == 10_000
    assert whole + evidence == 10_000
    assert lost > 0


def test_a_sample_without_its_evidence_keeps_all_that_counts_and_says_what_became_of_the_rest():
    before = failing().sample
    after = without_evidence(before)
    assert replace(after, evidence=before.evidence) == before
    [piece], [was] = after.evidence, before.evidence
    assert piece.body == GIVEN_UP
    assert piece.body_truncated
    assert (piece.step, piece.body_sha256) == ("start", was.body_sha256)
    assert piece.request == "GET https://loket.example/ HTTP/1.1"
    assert piece.response_head == "HTTP/1.1 503 Service Unavailable"


def test_a_bundle_goes_with_its_files_and_a_sample_of_nothing_else_says_so_too():
    picture = ProofFile(kind=FileKind.PICTURE, step="", sha256="0" * 64, content=bytes(500_000))
    bundle = Bundle(sha256="1" * 64, size=9, packed=b"packed", files=(picture,))
    before = replace(a_sample("x", next(_slots)), bundles=(bundle,))
    assert weight(finding(before)) > 500_000
    after = without_evidence(before)
    assert after.bundles == ()
    assert [(piece.step, piece.body) for piece in after.evidence] == [("verzenden", GIVEN_UP)]


def a_walk() -> Sample:
    """Five steps of two requests each, nothing in them shared with another sample."""

    def number() -> int:
        return int.from_bytes(os.urandom(4), "big")

    def phases() -> Phases:
        return Phases(resolve_us=number(), connect_us=number(), tls_us=number(), processing_us=number())

    steps = tuple(
        StepResult(
            step="s",
            outcome=StepOutcome.OK,
            duration_us=number(),
            phases=phases(),
            status=number(),
            body_bytes=number(),
            urls=tuple(f"https://loket.example/{number()}" for _ in range(2)),
            hops=tuple(
                Hop(status=number(), phases=phases(), attempts=(Attempt(address=f"{number()}"),)) for _ in range(2)
            ),
            content_length=number(),
            last_modified_us=number(),
            address=f"{number()}",
        )
        for _ in range(5)
    )
    return replace(a_sample(".", next(_slots)), steps=steps, outcome=Outcome.UP)


MADE: dict[str, Callable[[], Finding | Sample]] = {
    "a good run": good,
    "a failing one": lambda: failing("x" * (3_000 + next(_lengths))),
    "a failing one that speaks no English": lambda: failing("é€" * (3_000 + next(_lengths))),
    "a long walk": a_walk,
}


@pytest.mark.parametrize("made", MADE.values(), ids=MADE)
def test_what_is_reckoned_is_no_less_than_what_memory_really_takes(made: Callable[[], Finding | Sample]):
    tracemalloc.start()
    try:
        waiting = Waiting(most=1_000, most_bytes=10**9)
        for _ in range(500):
            one = made()
            waiting.add(one if isinstance(one, Finding) else finding(one))
        real = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert real <= waiting.bytes <= 3 * real
