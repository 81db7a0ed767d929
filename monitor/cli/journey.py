"""`loketwacht journey`: a journey while it is being written."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from statistics import median
from typing import Annotated

from cyclopts import App, Parameter
from rich.table import Table

from monitor import config
from monitor.cli.output import DEFAULT_CONFIG, CommandError, ConfigPath, Exit, people
from monitor.clock import LIVE
from monitor.composition import probe_setup
from probes.checks import BrowserJourney, Journey, duration_us
from probes.run import run
from probes.sample import Outcome, Sample, StepOutcome, StepResult
from probes.sentences import sentence

app = App(name="journey", help="A journey while it is being written.")

_SHORTEST_PAUSE_US = 1_000_000
_MOST = 200
_BAD = (Outcome.DOWN, Outcome.UNKNOWN)
_PHASES: tuple[tuple[str, Callable[[StepResult], int]], ...] = (
    ("all of it", lambda step: step.duration_us),
    ("resolve", lambda step: step.phases.resolve_us),
    ("connect", lambda step: step.phases.connect_us),
    ("tls", lambda step: step.phases.tls_us),
    ("wait", lambda step: step.phases.processing_us),
    ("read", lambda step: step.phases.transfer_us),
)


@app.command(name="test")
def test_journey(
    journey: str,
    *,
    config_path: ConfigPath = DEFAULT_CONFIG,
    times: Annotated[int | None, Parameter(name="--times")] = None,
    until_failure: Annotated[bool, Parameter(name="--until-failure", negative="")] = False,
    pause: Annotated[str, Parameter(name="--pause")] = "1s",
) -> int:
    """Walk one journey several times and show where the time goes. Nothing is stored, nobody is mailed.

    Parameters
    ----------
    journey
        Id of the journey.
    times
        How often; 5, or with --until-failure 200, which is also the most.
    until_failure
        Stop at the first run that is not up.
    pause
        From the end of one run to the beginning of the next; at least 1s, for we are guests.
    """
    loaded = config.load(config_path)
    config.require_files(loaded, config_path)
    known = {one.id: one for one in loaded.config.checks if isinstance(one, Journey | BrowserJourney)}
    if journey not in known:
        raise CommandError(f"There is no journey {journey}. Known: {', '.join(known)}.", Exit.USAGE)
    wanted = times if times is not None else (_MOST if until_failure else 5)
    if not 1 <= wanted <= _MOST:
        raise CommandError(f"--times is a number from 1 to {_MOST}.", Exit.USAGE)
    check, setup = known[journey], probe_setup(loaded, LIVE)

    async def once() -> Sample:
        return await run(check, slot_us=LIVE.now_us(), location=loaded.config.monitor.location, setup=setup)

    samples = asyncio.run(walked(once, times=wanted, until_failure=until_failure, pause_us=_pause(pause), told=_tell))
    _show(samples)
    return Exit.BAD_NEWS if any(sample.outcome in _BAD for sample in samples) else Exit.FINE


def _pause(text: str) -> int:
    try:
        pause_us = int(str(duration_us(text)))
    except ValueError as error:
        raise CommandError(f"--pause {error}.", Exit.USAGE) from None
    if pause_us < _SHORTEST_PAUSE_US:
        raise CommandError("--pause is at least 1s: we are guests at the portal.", Exit.USAGE)
    return pause_us


async def walked(
    once: Callable[[], Awaitable[Sample]],
    *,
    times: int,
    until_failure: bool,
    pause_us: int,
    told: Callable[[int, Sample], None],
) -> tuple[Sample, ...]:
    """Runs one after the other, each with its number told when it ended; a pause lies between two."""
    samples: list[Sample] = []
    while len(samples) < times:
        if samples:
            await asyncio.sleep(pause_us / 1_000_000)
        samples.append(await once())
        told(len(samples), samples[-1])
        if until_failure and samples[-1].outcome in _BAD:
            break
    return tuple(samples)


def _tell(number: int, sample: Sample) -> None:
    why = f": {sentence(sample.failure, 'nl')}" if sample.failure is not None else ""
    line = f"{number:>3}  {sample.outcome.value:<8} {sample.duration_us / 1000:8.1f} ms{why}"
    people().print(line, markup=False)


def _show(samples: Sequence[Sample]) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("step", "where", "runs"):
        table.add_column(name, no_wrap=True, overflow="ignore", justify="right" if name == "runs" else "left")
    for name in ("min ms", "median ms", "max ms"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows(samples):
        table.add_row(*row)
    console = people()
    console.print(table)
    counted = Counter(sample.outcome.value for sample in samples)
    console.print(", ".join(f"{number} {outcome}" for outcome, number in counted.items()), markup=False)


def rows(samples: Sequence[Sample]) -> tuple[tuple[str, ...], ...]:
    """Per step and phase: in how many runs it was taken, and its least, median and greatest time in milliseconds.

    A phase that took no time in any run is left out: a connection that was kept is not opened again.
    """
    found = [("journey", "all of it", *_figures([sample.duration_us for sample in samples]))]
    names = dict.fromkeys(step.step for sample in samples for step in sample.steps)
    for name in names:
        taken = [
            step
            for sample in samples
            for step in sample.steps
            if step.step == name and step.outcome is not StepOutcome.SKIPPED
        ]
        for phase, length_of in _PHASES:
            lengths = [length_of(step) for step in taken]
            if any(lengths):
                found.append((name if length_of is _PHASES[0][1] else "", phase, *_figures(lengths)))
    return tuple(found)


def _figures(lengths_us: Sequence[int]) -> tuple[str, ...]:
    if not lengths_us:
        return ("0", "-", "-", "-")
    least, middle, most = min(lengths_us), median(lengths_us), max(lengths_us)
    return (str(len(lengths_us)), *(f"{us / 1000:.1f}" for us in (least, middle, most)))
