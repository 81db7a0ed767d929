"""What goes to the process of a browser run, and what comes back at its end.

The job goes as it is (pickled: both sides are ours); the answer comes back as JSON that is checked, for the
process that wrote it has looked at strangers' pages.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from probes.browser.definition import BrowserJourney
from probes.checks import Portal
from probes.sample import Evidence, Failure, FileKind, Phases, StepResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One run. It holds secrets, so it goes through a pipe: never on a command line, never into an environment.

    Attributes:
        secrets: by name, all that are known: what a portal echoes of another journey is taken out too.
        contact: `Loketwacht/1.0 (+https://…)`, added to the browser's own User-Agent.
        start_us: how long the browser may take to start.
        given: values by name, as if earlier steps had captured them.
        addresses: per name that the browser may reach the one address it has for it; other names do not exist.
        listing: whether somebody keeps the list of what is made at the portal.
        patience_us: when the run is over for certain.
        trace: as in `ChromiumSettings`.
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
    given: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    addresses: dict[str, str] = field(default_factory=dict)
    listing: bool = False
    patience_us: int = 0
    trace: Literal["actions", "pages", "none"] = "actions"

    @property
    def never_told(self) -> tuple[str, ...]:
        """Every secret. The browser is given a proxy's password by itself, so it is one by itself too."""
        credentials = self.secrets.get(self.portal.proxy_credentials or "", "")
        return tuple(filter(None, (*self.secrets.values(), credentials.partition(":")[2])))


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """One request of a page, and what became of it. Not redacted.

    Attributes:
        step: during which it was asked.
        at_us: from the first step of the run on.
        sort: what the browser wanted it for: `document`, `script`, `image`, `fetch` and so on.
        is_page: it was the document of a page that the visitor went to.
        version: as HAR writes it, such as `HTTP/1.1`; empty where it is not known.
        sent: what it carried; None where that was no text. `sent_size` is in bytes.
        status: 0 where no answer came.
        body: the beginning of it as text; only of what is text and worth reading. `size` is the whole in bytes, -1
            where it is not known.
        connected: a connection was made for it.
        failure: why it came to nothing, in the browser's words; None where it did not.
    """

    step: str
    at_us: int
    sort: str
    is_page: bool
    method: str
    url: str
    version: str = ""
    request_headers: tuple[tuple[str, str], ...] = ()
    sent: str | None = ""
    sent_size: int = 0
    status: int = 0
    status_text: str = ""
    response_headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    size: int = -1
    phases: Phases = field(default_factory=Phases)
    address: str = ""
    connected: bool = False
    failure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """What went wrong beside a step; redacted. Its own failure is told elsewhere."""

    step: str
    console: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A file of a failing run, nothing secret in it; `content` is base64."""

    kind: FileKind
    step: str
    content: str = field(repr=False)


class Why(StrEnum):
    """Why a file of a failing run was not kept."""

    UNAVAILABLE = "unavailable"  # the browser gave none in time, it was too large, or something secret stayed in it
    BUDGET = "budget"  # as much was kept that day as may be


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A file of a failing run that was not kept; `step` as of a shot."""

    kind: FileKind
    step: str
    why: Why


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a run that failed leaves beside its steps and their evidence.

    Attributes:
        loaded: the newest requests, at most as many as an archive may hold; `asked` is how many there were.
    """

    loaded: tuple[Loaded, ...] = field(default=(), repr=False)
    asked: int = 0
    asides: tuple[Aside, ...] = ()
    shots: tuple[Shot, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Visited:
    """What a run found out; texts are redacted, but for those of `seen.loaded`.

    Attributes:
        duration_us: from the first step to the last; the browser's own start is none of the portal's time, nor is
            what was waited for turns.
        seen: None where the run went well.
        hidden: values that came up in the run and grant access.
    """

    steps: tuple[StepResult, ...]
    failure: Failure | None
    evidence: tuple[Evidence, ...]
    duration_us: int
    seen: Seen | None = None
    hidden: tuple[str, ...] = field(default=(), repr=False)
