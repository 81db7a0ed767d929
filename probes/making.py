"""A run's part in the list of what is made: announced before, told after, and told again when it is gone."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from probes.assertions import seconds
from probes.browser.definition import BrowserJourney, BrowserStep
from probes.checks import Journey
from probes.created import Announced, Keep, Made, Note, NotMade, NotNoted, Unclear, Undone, key_of, leaves_nothing
from probes.fault import Fault
from probes.redaction import Redactor
from probes.sample import Failure, FailureKind, StepOutcome, StepResult
from probes.steps import RESERVED, AnyStep, Step
from probes.templates import key, names_used
from probes.values import Values

log = logging.getLogger(__name__)

AnyJourney: TypeAlias = Journey | BrowserJourney
#: A step of either kind of journey, and one that can make something or log in.
JourneyStep: TypeAlias = AnyStep | BrowserStep
Maker: TypeAlias = Step | BrowserStep

#: Common web servers close a connection that stood still for longer; what they answer then is not theirs alone.
HELD_UP_US = 5_000_000
_WELL = (StepOutcome.OK, StepOutcome.SLOW)
_SECRET = re.compile(r"\bsecret\.([\w-]+)")


class Making:
    """What one run makes and takes away again. Without anybody who keeps a list, nothing is told.

    Attributes:
        waited_us: how long the run stood still so far because the list was being written: none of the portal's time.
    """

    def __init__(
        self,
        journey: AnyJourney,
        *,
        keep: Keep | None,
        values: Values,
        redact: Callable[[], Redactor],
        patience_us: int,
        monotonic_us: Callable[[], int],
    ) -> None:
        self._journey = journey
        self._keep = keep
        self._values = values
        self._redact = redact
        self._patience_us = patience_us
        self._monotonic_us = monotonic_us
        self.waited_us = 0
        self._open: dict[str, Maker] = {}

    async def before(self, step: JourneyStep) -> Failure | None:
        """Announces what a step makes; the failure says why it must not make it now."""
        if self._keep is None or not isinstance(step, Step | BrowserStep) or step.creates is None:
            return None
        note = Announced(
            key=key_of(self._values.run_id, step.id),
            check_id=self._journey.id,
            step=step.id,
            what=step.creates.what,
            run_id=self._values.run_id,
            run_time=self._values.run_time,
            patience_us=self._patience_us,
        )
        try:
            await self._kept(note)
        except NotNoted as error:
            return Failure(kind=FailureKind.MONITOR, step=step.id, subject="clean-up", found=str(error))
        self._open[step.id] = step
        return None

    async def after(self, step: JourneyStep, result: StepResult) -> None:
        """Tells what came of a step: something was made, perhaps, or not; or it was taken away."""
        if self._keep is None:
            return
        if step.id in self._open:
            await self._tell(self._came(self._open[step.id], result))
        if result.outcome in _WELL:
            for made in [one for one in self._open.values() if one.creates and one.creates.undo[-1] == step.id]:
                del self._open[made.id]
                await self._tell(Undone(key=key_of(self._values.run_id, made.id)))

    def _came(self, step: Maker, result: StepResult) -> Made | Unclear | NotMade:
        assert step.creates is not None
        name = key_of(self._values.run_id, step.id)
        needed = {value: f"{{{{ {value} }}}}" for value in needs(self._journey, step)}
        try:
            filled = tuple((value, self._values.fill(template)) for value, template in sorted(needed.items()))
            return Made(key=name, name=self._clean(self._values.fill(step.creates.id)), values=self._safe(filled))
        except Fault:
            pass
        if result.outcome is StepOutcome.SKIPPED or leaves_nothing(result):
            del self._open[step.id]
            return NotMade(key=name)
        return Unclear(key=name)

    def _clean(self, text: str) -> str:
        return self._redact().short(text) or ""

    def _safe(self, values: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        """A value that holds a secret is not kept: what needs it must be settled by a person."""
        return tuple((name, value) for name, value in values if self._redact()(value) == value)

    def held_up(self, result: StepResult) -> StepResult:
        """A step's result; our own fault where it failed after the list had kept the run waiting too long.

        A visitor does not stand still between two pages for as long as a locked store lasts: what the portal makes of
        one who does proves nothing against it. What went well all the same went well.
        """
        if result.outcome is not StepOutcome.FAILED or self.waited_us <= HELD_UP_US:
            return result
        failure = Failure(
            kind=FailureKind.MONITOR,
            step=result.step,
            subject="store",
            expected=f"at most {seconds(HELD_UP_US)}",
            found=seconds(self.waited_us),
        )
        return replace(result, failure=failure)

    async def _kept(self, note: Note) -> None:
        assert self._keep is not None
        since_us = self._monotonic_us()
        try:
            await self._keep(note)
        finally:
            self.waited_us += self._monotonic_us() - since_us

    async def _tell(self, note: Made | Unclear | NotMade | Undone) -> None:
        try:
            await self._kept(note)
        except NotNoted as error:
            # The announcement stands: what is forgotten now is found by it.
            log.error("a note about a created object was not kept", extra={"key": note.key, "error": str(error)})


def needs(journey: AnyJourney, step: Maker) -> frozenset[str]:
    """The captured values that taking away needs and does not find by itself; hyphens are underscores."""
    if step.creates is None:
        return frozenset()
    needed: set[str] = set()
    found: set[str] = set()
    for one in undoing(journey, step):
        dumped = one.model_dump(by_alias=True, exclude_defaults=True, exclude={"creates", "capture", "when", "given"})
        used = {name.partition(".")[0] for text in _texts(dumped) for name in names_used(text)}
        used |= {key(one.form_from)} if isinstance(one, Step) and one.form_from is not None else set()
        given = () if isinstance(one, BrowserStep) else one.given
        needed |= used - found - RESERVED - set(map(key, given))
        found |= {key(name) for name in one.capture}
    return frozenset(needed)


def maker(journey: AnyJourney, step: str) -> Maker | None:
    """The step of that id, where it makes something; None where it does not, or is none."""
    found = next((one for one in journey.step if one.id == step), None)
    return found if isinstance(found, Step | BrowserStep) and found.creates is not None else None


def makers(journey: AnyJourney) -> tuple[Maker, ...]:
    """The steps that make something."""
    return tuple(one for one in journey.step if isinstance(one, Step | BrowserStep) and one.creates is not None)


def undoing(journey: AnyJourney, step: Maker) -> tuple[JourneyStep, ...]:
    """The steps that take away what a step makes, in the order in which they are walked on their own."""
    by_id: dict[str, JourneyStep] = {one.id: one for one in journey.step}
    return tuple(by_id[name] for name in step.creates.undo) if step.creates is not None else ()


def logs_in(journey: AnyJourney) -> bool:
    """Whether any of its steps logs in."""
    return any(isinstance(step, Step | BrowserStep) and step.login for step in journey.step)


def accounts(journey: AnyJourney) -> Mapping[str, str]:
    """Per login step the account it uses: the names of its secrets; the journey's id where it has none."""
    result = {}
    for step in journey.step:
        if isinstance(step, Step | BrowserStep) and step.login:
            names = sorted(set(_SECRET.findall(" ".join(_texts(step.model_dump(by_alias=True))))))
            result[step.id] = "+".join(names) or journey.id
    return result


def _texts(value: Any) -> Iterator[str]:
    """Every text of a step; the names of members too, for a browser's selectors stand there."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from (name for name in value if isinstance(name, str))
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, Iterable):
        for inner in value:
            yield from _texts(inner)
