"""What goes to the process of a browser run, and what comes back.

The job goes as it is (pickled: both sides are ours); the answer comes back as JSON that is checked, for the
process that wrote it has looked at strangers' pages.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import TypeAdapter

from probes.browser.definition import BrowserJourney
from probes.checks import Portal
from probes.sample import Evidence, Failure, StepResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One run. It holds secrets, so it goes through a pipe: never on a command line, never into an environment.

    Attributes:
        secrets: by name, all that are known: what a portal echoes of another journey is taken out too.
        contact: `Loketwacht/1.0 (+https://…)`, added to the browser's own User-Agent.
        start_us: how long the browser may take to start.
    """

    journey: BrowserJourney
    portal: Portal
    run_id: str
    run_time: str
    contact: str
    executable: str
    sandbox: bool
    start_us: int
    secrets: dict[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What a visitor would have seen, secrets masked. `png` is base64."""

    step: str
    png: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Visited:
    """What a run found out; texts are redacted.

    Attributes:
        duration_us: from the first step to the last; the browser's own start is none of the portal's time.
        pictures: of failing runs only.
    """

    steps: tuple[StepResult, ...]
    failure: Failure | None
    evidence: tuple[Evidence, ...]
    duration_us: int
    pictures: tuple[Picture, ...] = ()


VISITED: TypeAdapter[Visited] = TypeAdapter(Visited)
