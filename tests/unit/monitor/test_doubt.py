"""A monitor that could not look properly has seen nothing: its sample is unknown, whatever it says."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.doubt import Processor, Waits, believed, resolved, resolver_answers
from monitor.recipients import Language
from probes.sample import Failure, FailureKind, Outcome, Sample
from probes.sentences import sentence
from tests.heart import SECOND, a_sample, at, run

NO_NAME = Failure(kind=FailureKind.DNS, step="verzenden", subject="loket.example", found="no answer")


def failed(kind: FailureKind) -> Sample:
    return replace(a_sample("x", at("10:00")), failure=replace(NO_NAME, kind=kind))


async def known(_: str) -> None: ...


async def unknown_name(_: str) -> None:
    raise socket.gaierror(socket.EAI_NONAME, "no such name")


async def no_resolver(_: str) -> None:
    raise socket.gaierror(socket.EAI_AGAIN, "try again")


async def silence(_: str) -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("mark", [".", "x"])
def test_a_late_event_loop_has_seen_nothing(mark: str) -> None:
    doubted = believed(a_sample(mark, at("10:00")), lag_us=2 * SECOND + 1, max_lag_us=2 * SECOND)
    assert (doubted.outcome, doubted.lag_us) == (Outcome.UNKNOWN, 2 * SECOND + 1)
    assert doubted.failure is not None
    assert doubted.failure.subject == "event loop"


def test_a_run_without_a_processor_has_seen_nothing() -> None:
    sample = replace(a_sample("x", at("10:00")), duration_us=5 * SECOND)
    doubted = believed(sample, lag_us=0, max_lag_us=2 * SECOND, waited_us=3 * SECOND)
    assert doubted.outcome is Outcome.UNKNOWN
    assert doubted.failure is not None
    assert (doubted.failure.subject, doubted.failure.found) == ("processor", "3000 ms waiting")


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("nl", "(de rekentijd van de monitor: 3000 ms wachttijd; verwacht: hoogstens 2000 ms wachttijd)"),
        ("en", "(the computing time of the monitor: 3000 ms waiting; expected: at most 2000 ms waiting)"),
    ],
)
def test_what_kept_us_from_looking_is_told_in_both_languages(language: Language, said: str) -> None:
    sample = replace(a_sample("x", at("10:00")), duration_us=5 * SECOND)
    doubted = believed(sample, lag_us=0, max_lag_us=2 * SECOND, waited_us=3 * SECOND)
    assert doubted.failure is not None
    assert said in sentence(doubted.failure, language)


def test_a_long_run_may_wait_a_little() -> None:
    sample = replace(a_sample("x", at("10:00")), duration_us=30 * SECOND)
    assert believed(sample, lag_us=0, max_lag_us=2 * SECOND, waited_us=3 * SECOND).outcome is Outcome.DOWN


def test_a_name_that_nobody_finds_is_ours_where_our_resolver_is_away() -> None:
    """T1, T30: no name server of ours answers, so nothing is known of the portal."""
    for resolve in (no_resolver, silence):
        found = run(resolved(failed(FailureKind.DNS), ("a.be", "b.be"), deadline_us=SECOND // 50, resolve=resolve))
        assert found.outcome is Outcome.UNKNOWN
        assert found.failure is not None
        assert found.failure.subject == "resolver"


@pytest.mark.parametrize("resolve", [known, unknown_name])
def test_a_name_that_nobody_finds_is_the_portal_s_where_our_resolver_answers(resolve: object) -> None:
    found = run(resolved(failed(FailureKind.DNS), ("a.be",), deadline_us=SECOND, resolve=resolve))  # type: ignore[arg-type]
    assert found == failed(FailureKind.DNS)


@pytest.mark.parametrize("kind", [FailureKind.HTTP_STATUS, FailureKind.CONNECT])
def test_what_did_not_fail_for_a_name_stays_what_it_is(kind: FailureKind) -> None:
    found = run(resolved(failed(kind), ("a.be",), deadline_us=SECOND, resolve=no_resolver))
    assert found.outcome is Outcome.DOWN


def test_the_system_s_own_resolver_is_asked() -> None:
    assert run(resolver_answers(("localhost",), deadline_us=60 * SECOND)) == (True,)


def test_what_linux_counts_is_read(tmp_path: Path) -> None:
    for name, text in {
        "thread-self/schedstat": "900 7000000 5\n",
        "stat": "cpu  1 2 3 4 5 6 7 0 0 0\ncpu0 1\n",
        "pressure/cpu": "some avg10=22.80 avg60=5.45 avg300=3.75 total=57\nfull avg10=0.00 avg60=0.00\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    processor = Processor(tmp_path)
    assert (processor.waited_us(), processor.pressure()) == (7000, 0.228)
    assert (Processor(tmp_path / "nowhere").waited_us(), Processor(tmp_path / "nowhere").pressure()) == (0, 0.0)


def test_the_counts_of_this_machine_only_grow() -> None:
    processor = Processor()
    first = processor.waited_us()
    assert processor.waited_us() >= first >= 0
    assert 0 <= processor.pressure() <= 1


class Counting(Processor):
    """Counts as it is told to, and how often it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.count_us = self.asked = 0

    def waited_us(self) -> int:
        self.asked += 1
        return self.count_us


def test_runs_that_begin_together_share_one_count_and_short_ones_need_no_second() -> None:
    processor, now_us = Counting(), 5 * SECOND
    waits = Waits(processor, lambda: now_us)
    first = waits.begin()
    now_us += 50_000
    second = waits.begin()
    now_us += SECOND // 2
    assert (waits.since(first, most_us=2 * SECOND), waits.since(second, most_us=2 * SECOND)) == (0, 0)
    assert processor.asked == 1


def test_a_run_that_may_have_waited_too_long_is_counted() -> None:
    processor, now_us = Counting(), 5 * SECOND
    waits = Waits(processor, lambda: now_us)
    processor.count_us = 7 * SECOND
    begun = waits.begin()
    now_us += SECOND
    processor.count_us += SECOND // 2
    assert waits.since(begun, most_us=2 * SECOND) == SECOND // 2
    # Half of a second in the queue and the other half stolen: more than what went by would allow with one of them.
    assert waits.since(begun, most_us=SECOND) == SECOND // 2


def test_what_is_not_looked_at_can_never_have_mattered() -> None:
    """Whoever waited all the time, and had all of it stolen as well, waited twice what went by."""
    processor, now_us = Counting(), 5 * SECOND
    waits = Waits(processor, lambda: now_us)
    for gone_us in range(0, 2 * SECOND, SECOND // 20):
        now_us += SECOND
        begun = waits.begin()
        now_us += gone_us
        processor.count_us = begun.waited_us + 2 * gone_us
        told = waits.since(begun, most_us=SECOND)
        assert (told > SECOND) == (2 * gone_us > SECOND)
