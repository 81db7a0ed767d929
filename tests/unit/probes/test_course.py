"""The course of a journey: an end at the first failure, clean-up after it, time that is shared."""

from __future__ import annotations

import asyncio

import pytest

from probes.course import Course, TimeLimit, course
from probes.sample import Failure, FailureKind, StepOutcome, StepResult
from probes.steps import CLEAN_UP_US, AnyStep, Step

SECOND = 1_000_000
BROKEN = Failure(kind=FailureKind.HTTP_STATUS, subject="status", expected="200", found="500")
LATE = Failure(kind=FailureKind.SLOW, subject="duration", expected="at most 1 s", found="2 s")


def a_step(name: str, *, always: bool = False, deadline: str | None = None) -> Step:
    written = {"id": name, "path": "/", "expect": {"status": 200}, "always": always}
    return Step.model_validate(written if deadline is None else {**written, "deadline": deadline})


def result(
    name: str, outcome: StepOutcome = StepOutcome.OK, failure: Failure | None = None, *, looked: int = 1, took: int = 0
) -> StepResult:
    return StepResult(step=name, outcome=outcome, failure=failure, assertions=looked, duration_us=took)


def walked(
    steps: list[Step], *results: StepResult, deadline_us: int = 60 * SECOND, cleanable: bool = True
) -> tuple[Course, dict[str, TimeLimit]]:
    """What comes of these steps where each gives its result, and what each was given."""
    by_name = {one.step: one for one in results}
    limits: dict[str, TimeLimit] = {}

    async def take(step: AnyStep, limit: TimeLimit) -> StepResult:
        limits[step.id] = limit
        return by_name[step.id]

    done = asyncio.run(course(steps, deadline_us=deadline_us, take=take, can_be_cleaned=lambda _: cleanable))
    return done, limits


def outcomes(done: Course) -> list[str]:
    return [one.outcome.value for one in done.steps]


def test_after_a_failure_only_the_clean_up_is_taken() -> None:
    steps = [a_step("in"), a_step("send"), a_step("out", always=True)]
    done, taken = walked(steps, result("in", StepOutcome.FAILED, BROKEN), result("out"))
    assert (outcomes(done), done.failed) == (["failed", "skipped", "ok"], BROKEN)
    assert list(taken) == ["in", "out"]


def test_a_clean_up_of_what_was_never_made_is_skipped() -> None:
    done, taken = walked([a_step("in"), a_step("out", always=True)], result("in"), cleanable=False)
    assert (outcomes(done), list(taken)) == (["ok", "skipped"], ["in"])


def test_a_clean_up_that_fails_changes_nothing() -> None:
    steps = [a_step("in"), a_step("out", always=True)]
    done, _ = walked(steps, result("in"), result("out", StepOutcome.FAILED, BROKEN))
    assert (done.failed, done.slow) == (None, None)


def test_the_first_slow_step_is_told_and_ends_nothing() -> None:
    later = Failure(kind=FailureKind.SLOW, subject="duration", expected="at most 1 s", found="3 s")
    slow = (result("in", StepOutcome.SLOW, LATE), result("send", StepOutcome.SLOW, later))
    done, _ = walked([a_step("in"), a_step("send")], *slow)
    assert (done.failed, done.slow) == (None, LATE)


def test_a_step_gets_what_is_left_of_the_journey_or_less_if_it_says_so() -> None:
    steps = [a_step("in"), a_step("send", deadline="5s"), a_step("look", deadline="59s")]
    took = (result("in", took=10 * SECOND), result("send", took=SECOND), result("look"))
    _, limits = walked(steps, *took)
    assert limits == {
        "in": TimeLimit(60 * SECOND, of_step=False),
        "send": TimeLimit(5 * SECOND, of_step=True),
        "look": TimeLimit(49 * SECOND, of_step=False),
    }


@pytest.mark.parametrize(
    ("deadline", "journey_us", "given_us"),
    [(None, 60 * SECOND, CLEAN_UP_US), (None, 4 * SECOND, 4 * SECOND), ("20s", 4 * SECOND, 20 * SECOND)],
    ids=["its own budget", "at most the journey's", "what it says"],
)
def test_a_clean_up_has_time_of_its_own(deadline: str | None, journey_us: int, given_us: int) -> None:
    steps = [a_step("in"), a_step("out", always=True, deadline=deadline)]
    _, limits = walked(steps, result("in", took=journey_us), result("out"), deadline_us=journey_us)
    assert limits["out"] == TimeLimit(given_us, of_step=True)


def test_a_journey_that_looked_at_nothing_but_its_clean_up_was_not_measured() -> None:
    done, _ = walked([a_step("in"), a_step("out", always=True)], result("in", looked=0), result("out"))
    assert done.failed is not None
    assert (done.failed.kind, done.failed.subject) == (FailureKind.MONITOR, "assertions")


@pytest.mark.parametrize(
    ("of_step", "waiting_for", "subject", "found"),
    [
        (True, "an answer", "deadline of the step", "still waiting for an answer"),
        (False, "", "deadline of the journey", "not done"),
    ],
)
def test_who_runs_out_of_time_is_told_whose_limit_it_was(
    of_step: bool, waiting_for: str, subject: str, found: str
) -> None:
    fault = TimeLimit(1_500_000, of_step).overrun(waiting_for)
    assert (fault.kind, fault.subject, fault.expected, fault.found) == (
        FailureKind.TIMEOUT,
        subject,
        "done within 1.5 s",
        found,
    )
