"""The course of a journey, whoever walks it: an end at the first failure, clean-up after it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from probes.assertions import seconds
from probes.fault import Fault
from probes.making import JourneyStep
from probes.sample import Failure, FailureKind, StepOutcome, StepResult
from probes.steps import CLEAN_UP_US

S = TypeVar("S", bound=JourneyStep)


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """How long a step may take: by its own deadline (`of_step`), or what its journey has left."""

    us: int
    of_step: bool

    def overrun(self, waiting_for: str) -> Fault:
        """Why a step failed that was not done by then; `waiting_for` is empty where it waited for nobody."""
        return Fault(
            FailureKind.TIMEOUT,
            f"deadline of the {'step' if self.of_step else 'journey'}",
            expected=f"done within {seconds(self.us)}",
            found=f"still waiting for {waiting_for}" if waiting_for else "not done",
        )


@dataclass(frozen=True, slots=True)
class Course:
    """All steps in the journey's order, by what it failed, and what was slow first; None where nothing was."""

    steps: tuple[StepResult, ...]
    failed: Failure | None
    slow: Failure | None


async def course(
    steps: Sequence[S],
    *,
    deadline_us: int,
    take: Callable[[S, TimeLimit], Awaitable[StepResult]],
    can_be_cleaned: Callable[[S], bool],
) -> Course:
    """Takes the steps one by one.

    Args:
        deadline_us: of them all, `always` steps excepted.
        can_be_cleaned: whether the values are there that an `always` step names. Where not, nothing was made that it
            could clean up.
    """
    results: list[StepResult] = []
    failed: Failure | None = None
    slow: Failure | None = None
    looked = 0
    left_us = deadline_us
    for step in steps:
        if not can_be_cleaned(step) if step.always else failed is not None:
            results.append(StepResult(step=step.id, outcome=StepOutcome.SKIPPED))
            continue
        if step.always:
            results.append(await take(step, TimeLimit(step.deadline or min(CLEAN_UP_US, deadline_us), of_step=True)))
            continue
        own_us = step.deadline
        limit = (
            TimeLimit(left_us, of_step=False)
            if own_us is None or own_us >= left_us
            else TimeLimit(own_us, of_step=True)
        )
        result = await take(step, limit)
        results.append(result)
        looked += result.assertions
        left_us = max(1, left_us - result.duration_us)
        if result.outcome is StepOutcome.FAILED:
            failed = result.failure
        elif result.outcome is StepOutcome.SLOW:
            slow = slow or result.failure
    if failed is None and looked == 0:
        # Nothing was looked at, so nothing was found to work.
        failed = Failure(kind=FailureKind.MONITOR, subject="assertions", expected="at least 1", found="0")
    return Course(steps=tuple(results), failed=failed, slow=slow)
