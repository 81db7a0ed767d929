"""A run in a browser, from the monitor's side: what it needs, and what it leaves behind as files of the evidence."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from urllib.parse import urlsplit

from probes.browser.channel import Attendance
from probes.browser.definition import BrowserJourney
from probes.browser.exchange import LeftOut, Seen, Visited, Why
from probes.browser.pinning import pinned
from probes.fault import Fault
from probes.sample import Failure, FailureKind, ProofFile, StepOutcome, StepResult
from probes.setup import Setup


async def browse(
    journey: BrowserJourney, *, run_id: str, run_time: str, setup: Setup, given: tuple[tuple[str, str], ...] = ()
) -> Visited:
    """Walks a browser journey once. Without a network, in simulated time, there is no browser either.

    Args:
        given: values by name, as if earlier steps had captured them.
    """
    if setup.transport is not None:
        failure = Failure(kind=FailureKind.MONITOR, subject="run", found="no browser in this run")
        return Visited(steps=(), failure=failure, evidence=(), duration_us=0)
    try:
        addresses = await pinned(journey, setup.portal, setup.way())
    except Fault as fault:
        return _refused(journey, fault)
    return await setup.browsers.visit(
        journey,
        portal=setup.portal,
        secrets=setup.secrets,
        run_id=run_id,
        run_time=run_time,
        contact=setup.user_agent,
        given=given,
        addresses=addresses,
        attendance=Attendance(
            host=urlsplit(journey.base_url or setup.portal.base_url).hostname or "",
            check_id=journey.id,
            guest=setup.guest,
            keep=setup.created,
            now_us=setup.now_us,
            monotonic_us=setup.monotonic_us,
        ),
    )


def _refused(journey: BrowserJourney, fault: Fault) -> Visited:
    """The first page was never asked for: its name leads where it must not."""
    first, *others = journey.step
    failure = fault.failure(first.id)
    steps = (
        StepResult(step=first.id, outcome=StepOutcome.FAILED, failure=failure),
        *(StepResult(step=step.id, outcome=StepOutcome.SKIPPED) for step in others),
    )
    return Visited(steps=steps, failure=failure, evidence=(), duration_us=0)


def proof_files(seen: Seen, setup: Setup) -> tuple[Seen, tuple[ProofFile, ...]]:
    """The files of a failed run under their SHA-256, as far as the day's budget goes, and what was left out told."""
    files, left_out = [], []
    for shot in seen.shots:
        content = base64.b64decode(shot.content)
        if setup.browsers.budget.takes(len(content), setup.now_us()):
            sha256 = hashlib.sha256(content).hexdigest()
            files.append(ProofFile(kind=shot.kind, step=shot.step, sha256=sha256, content=content))
        else:
            left_out.append(LeftOut(kind=shot.kind, step=shot.step, why=Why.BUDGET))
    return replace(seen, left_out=(*seen.left_out, *left_out)), tuple(files)
