"""Taking away, on its own, what a run made and could not take away itself."""

from __future__ import annotations

from dataclasses import replace

from probes.checks import Journey
from probes.making import undoing
from probes.sample import Failure, FailureKind, StepOutcome, StepResult
from probes.setup import Setup
from probes.steps import Step
from probes.walk import walk


async def undo(
    journey: Journey, made_by: str, *, run_id: str, run_time: str, values: tuple[tuple[str, str], ...], setup: Setup
) -> tuple[Failure | None, tuple[StepResult, ...]]:
    """Walks the steps that take away what a step made, on fresh connections, as the run that made it.

    Args:
        made_by: id of the step that made it.
        values: captures of that run which these steps need, by name.

    Returns:
        Why it is not gone, None where the portal showed that it is; and how each step went.
    """
    step = next((one for one in journey.step if isinstance(one, Step) and one.id == made_by), None)
    if step is None or step.creates is None:
        missing = f"a step {made_by} that creates something"
        return Failure(kind=FailureKind.MONITOR, subject="clean-up", expected=missing, found="nothing"), ()
    steps = tuple(one.model_copy(update={"always": False, "creates": None}) for one in undoing(journey, step))
    alone = journey.model_copy(update={"step": steps})
    # Nothing that these steps do is put on the list of what was made.
    walked = await walk(alone, run_id=run_id, run_time=run_time, setup=replace(setup, created=None), given=values)
    failed = next((result for result in walked.steps if result.outcome is StepOutcome.FAILED), None)
    if failed is not None and failed.status in step.creates.gone:
        return None, walked.steps
    if failed is None and (walked.failure is None or walked.failure.kind is FailureKind.SLOW):
        return None, walked.steps
    return walked.failure, walked.steps
