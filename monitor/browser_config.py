"""What the types of a browser journey cannot tell: names that nothing gives, secrets that are not there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from monitor.toml_file import Loc, Origins, Problem
from probes.browser.definition import BrowserJourney, BrowserStep
from probes.checks import Portal
from probes.templates import key, names_used

_RUN = frozenset({"run.id", "run.time"})


def browser_problems(
    journeys: Iterable[BrowserJourney], *, portal: Portal, secrets: Iterable[str], origins: Origins
) -> Iterator[Problem]:
    """Every problem of the browser journeys, each with its place.

    Args:
        secrets: names of those that `[secrets]` has.
    """
    there = sorted(secrets)
    for index, journey in enumerate(journeys):
        loc: Loc = ("browser", index)
        if portal.client_certificate is not None:
            mend = "Measure this portal with plain journeys."
            yield origins.problem(loc, "cannot show the portal a client certificate", mend)
        for name in journey.secrets:
            if name not in there:
                mend = f"Add it to [secrets]. Known: {', '.join(there) or 'none'}."
                yield origins.problem((*loc, "secrets"), f'there is no secret "{name}"', mend)
        yield from _steps(journey, loc, origins)


def _steps(journey: BrowserJourney, loc: Loc, origins: Origins) -> Iterator[Problem]:
    captured: set[str] = set()
    files: set[str] = set()
    for number, step in enumerate(journey.step):
        place: Loc = (*loc, "step", number)
        if step.deadline is not None and step.deadline > journey.deadline and not step.always:
            mend = "Lower it, or raise the journey's deadline."
            yield origins.problem((*place, "deadline"), "is longer than the whole journey's deadline", mend)
        files |= {f"file.{key(one.name)}.{fact}" for group in step.upload.values() for one in group for fact in _FACTS}
        known = {f"secret.{key(name)}" for name in journey.secrets} | _RUN | files
        for where, text in _templates(step):
            try:
                names = names_used(text)
            except ValueError as error:
                mend = "Write {{ name }}, with a name captured before."
                yield origins.problem((*place, *where), f"is not a template: {error}", mend)
                continue
            # What a step makes is named by what it captures itself.
            own = {key(name) for name in step.capture} if where[0] == "creates" else set()
            for name in sorted(names - known):
                if name.partition(".")[0] not in captured | own:
                    mend = f"There are: {', '.join(sorted(known | captured))}."
                    yield origins.problem((*place, *where), f'uses "{name}", which nothing before it gives', mend)
        captured |= {key(name) for name in step.capture}


_FACTS = ("sha256", "size")


def _templates(step: BrowserStep) -> Iterator[tuple[Loc, str]]:
    written = step.model_dump(by_alias=True, exclude_defaults=True, exclude={"capture", "title"})
    yield from _texts(written, ())


def _texts(value: object, loc: Loc) -> Iterator[tuple[Loc, str]]:
    if isinstance(value, str):
        if "{{" in value or "{%" in value:
            yield loc, value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _texts(name, loc)  # selectors are templates too
            yield from _texts(item, (*loc, name))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _texts(item, (*loc, index))
