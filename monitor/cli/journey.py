"""`loketwacht journey`: a journey while it is being written."""

from __future__ import annotations

import asyncio
import tomllib
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Annotated

from cyclopts import App, Parameter
from pydantic import ValidationError
from rich.table import Table

from monitor import config
from monitor.cli.asked_references import tell_silent_references
from monitor.cli.output import DEFAULT_CONFIG, CommandError, ConfigPath, Exit, people, say
from monitor.clock import LIVE
from monitor.composition import probe_setup
from probes.checks import BrowserJourney, Journey, duration_us
from probes.recorded import NotAnArchiveError, recording
from probes.run import run
from probes.sample import Outcome, Sample, StepOutcome, StepResult
from probes.sentences import sentence
from probes.writing import Written, written

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

    tell_silent_references(loaded)
    samples = asyncio.run(walked(once, times=wanted, until_failure=until_failure, pause_us=_pause(pause), told=_tell))
    _show(samples)
    return Exit.BAD_NEWS if any(sample.outcome in _BAD for sample in samples) else Exit.FINE


@app.command(name="record")
def record_journey(
    archive: Path,
    *,
    id_: Annotated[str, Parameter(name="--id")] = "opgenomen",
    title: Annotated[str | None, Parameter(name="--title")] = None,
    base_url: Annotated[str | None, Parameter(name="--base-url")] = None,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
) -> int:
    """Turn a visit that a browser recorded (HAR) into a journey to begin from. Secrets become names; nothing is asked.

    Parameters
    ----------
    archive
        What the browser's network tab exported ("Save all as HAR with content"). It holds passwords: delete it.
    id_
        Id of the journey.
    title
        For people; the id, if it is not given.
    base_url
        Where the portal is; the host of the first page, if it is not given.
    output
        A new file to write; standard output, if it is not given.
    """
    try:
        recorded = recording(archive.read_text(encoding="utf-8-sig"), base_url=base_url)
    except OSError as error:
        raise CommandError(f"{archive} cannot be read: {error.strerror}. Check the path.", Exit.CONFIG) from None
    except UnicodeDecodeError:
        raise CommandError(f"{archive} is not UTF-8 text, so it is no HAR; export it once more.", Exit.CONFIG) from None
    except NotAnArchiveError as error:
        raise CommandError(f"{archive} {error}.", Exit.CONFIG) from None
    made = written(recorded, journey=id_, title=title or id_)
    try:
        Journey.model_validate(tomllib.loads(made.text)["journey"][0])
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise CommandError(f"No journey can be made of it: {where}: {first['msg']}.", Exit.USAGE) from None
    if output is None:
        print(made.text, end="")
    else:
        try:
            with output.open("x", encoding="utf-8") as file:
                file.write(made.text)
        except OSError as error:
            raise CommandError(f"{output} cannot be written: {error.strerror}. Name a new file.", Exit.USAGE) from None
    _tell_made(made, base_url=recorded.base_url)
    return Exit.FINE


def _tell_made(made: Written, *, base_url: str) -> None:
    say(f"Steps begin at {base_url}; that is base_url in [portal], or in the journey.")
    for name in made.secrets:
        say(f"Add {name} to [secrets]; its value stood in the recording and is not in the journey.")
    if made.hosts:
        say(f"Add to allow_hosts in [portal]: {', '.join(made.hosts)}.")
    for note in made.notes:
        say(f"Look at this: {note}")


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
