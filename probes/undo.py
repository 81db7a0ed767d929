"""Taking away, on its own, what a run made and could not take away itself."""

from __future__ import annotations

from dataclasses import replace

from probes.browser.browsed import browse
from probes.browser.definition import BrowserJourney
from probes.browser.exchange import Visited
from probes.making import AnyJourney, maker, undoing
from probes.sample import Failure, FailureKind, StepOutcome, StepResult
from probes.setup import Setup
from probes.walk import Walked, walk


async def undo(
    journey: AnyJourney, made_by: str, *, run_id: str, run_time: str, values: tuple[tuple[str, str], ...], setup: Setup
) -> tuple[Failure | None, tuple[StepResult, ...]]:
    """Walks the steps that take away what a step made, as the run that made it, on fresh connections or in a fresh
    browser.

    Args:
        made_by: id of the step that made it.
        values: captures of that run which these steps need, by name.

    Returns:
        Why it is not gone, None where the portal showed that it is; and how each step went.
    """
    step = maker(journey, made_by)
    if step is None or step.creates is None:
        missing = f"a step {made_by} that creates something"
        return Failure(kind=FailureKind.MONITOR, subject="clean-up", expected=missing, found="nothing"), ()
    steps = tuple(one.model_copy(update={"always": False, "creates": None}) for one in undoing(journey, step))
    alone = journey.model_copy(update={"step": steps})
    # Nothing that these steps do is put on the list of what was made.
    unlisted = replace(setup, created=None)
    walked: Walked | Visited
    if isinstance(alone, BrowserJourney):
        async with setup.browsers.turn():
            walked = await browse(alone, run_id=run_id, run_time=run_time, setup=unlisted, given=values)
    else:
        walked = await walk(alone, run_id=run_id, run_time=run_time, setup=unlisted, given=values)
    failed = next((result for result in walked.steps if result.outcome is StepOutcome.FAILED), None)
    if failed is not None and failed.status in step.creates.gone:
        return None, walked.steps
    if failed is None and (walked.failure is None or walked.failure.kind is FailureKind.SLOW):
        return None, walked.steps
    return walked.failure, walked.steps
