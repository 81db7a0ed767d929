"""What a journey refers to must be there: secrets, hosts, names in templates; each mistake with its place."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from monitor.toml_file import Loc, Origins, Problem
from probes.checks import Journey, Step
from probes.http import host_of
from probes.making import needs
from probes.steps import RESERVED, AnyStep
from probes.templates import key as key_in_template
from probes.templates import names_used
from probes.totp import shared_key

#: Values that every run has, by what they are members of.
_MEMBERS = {"run": ("id", "time", "base_url"), "oidc": ("state", "nonce"), "pkce": ("verifier", "challenge")}


def journey_problems(
    journey: Journey,
    loc: Loc,
    *,
    secrets: Mapping[str, str | None],
    hosts: tuple[str, ...],
    mailboxes: Collection[str],
    origins: Origins,
) -> Iterator[Problem]:
    """Whatever a journey speaks of that there is not.

    Args:
        loc: the journey's place in the tree.
        secrets: the configured ones by name; None where the value could not be read.
        mailboxes: names of those that are configured.
        hosts: those the journey may reach, as `name` or `name:port`.
    """
    yield from _secret_problems(journey, loc, secrets, origins)
    allowed = set(map(str.lower, hosts))
    known_names = set(RESERVED)
    for number, step in enumerate(journey.step):
        place: Loc = (*loc, "step", number)
        if step.deadline is not None and step.deadline > journey.deadline and not step.always:
            mend = "Lower it, or raise the journey's deadline."
            yield origins.problem((*place, "deadline"), "is longer than the whole journey's deadline", mend)
        if step.until is not None and step.until.within > (step.deadline or journey.deadline):
            mend = "Lower it, or raise the deadline of the step and of the journey."
            yield origins.problem((*place, "until"), "waits longer than the deadline allows", mend)
        known_names_here = known_names | set(step.given)
        if isinstance(step, Step):
            yield from _step_problems(step, place, allowed, known_names_here, origins, first=number == 0)
            yield from _creation_problems(journey, step, place, origins)
        elif step.mailbox not in mailboxes:
            mend = f"Add [mailbox.{step.mailbox}]. Known: {', '.join(sorted(mailboxes)) or 'none'}."
            yield origins.problem((*place, "mailbox"), f'there is no mailbox "{step.mailbox}"', mend)
        yield from _template_problems(journey, step, place, known_names_here, origins)
        known_names |= set(step.capture)


def _secret_problems(
    journey: Journey, loc: Loc, secrets: Mapping[str, str | None], origins: Origins
) -> Iterator[Problem]:
    known = ", ".join(sorted(secrets)) or "none"
    for name in journey.secrets:
        if name not in secrets:
            yield origins.problem(
                (*loc, "secrets"), f'there is no secret "{name}"', f"Add it to [secrets]. Known: {known}."
            )
    for name, totp in journey.totp.items():
        place: Loc = (*loc, "totp", name)
        if totp.secret not in secrets:
            yield origins.problem(
                (*place, "secret"), f'there is no secret "{totp.secret}"', f"Add it to [secrets]. Known: {known}."
            )
            continue
        value = secrets[totp.secret]
        try:
            shared_key(value) if value is not None else None
        except ValueError as error:
            mend = "It is the key the site shows when an app is added, such as JBSW Y3DP EHPK 3PXP."
            yield origins.problem((*place, "secret"), f'the secret "{totp.secret}" {error}', mend)


def _step_problems(
    step: Step, place: Loc, allowed: set[str], known_names: set[str], origins: Origins, *, first: bool
) -> Iterator[Problem]:
    path = step.path or ""
    if path.startswith(("http://", "https://")) and "{{" not in path.partition("//")[2].partition("/")[0]:
        host = host_of(path)
        name = host.rpartition(":")[0]
        if not {host, name} & (allowed | {h.lower() for h in step.allow_hosts}):
            mend = "Add it to the step's or the portal's allow_hosts."
            yield origins.problem((*place, "path"), f'the host "{host}" is not one this journey may reach', mend)
    if step.submit is not None and first:
        mend = "Ask for the page with the form in a step before this one."
        yield origins.problem((*place, "submit"), "there is no page before the first step", mend)
    if step.form_from is not None and step.form_from not in known_names:
        yield origins.problem((*place, "form_from"), f'nothing captured "{step.form_from}" in an earlier step')


def _creation_problems(journey: Journey, step: Step, place: Loc, origins: Origins) -> Iterator[Problem]:
    """What a step makes must be taken away by steps that can be walked on their own, in a session of their own."""
    forms = {key_in_template(name) for one in journey.step for name, capture in one.capture.items() if capture.hidden}
    for name in sorted(needs(journey, step) & forms):
        mend = "Name the step that captures it in undo as well, before the one that sends it."
        yield origins.problem((*place, "creates", "undo"), f'needs the form "{name}" of another session', mend)


def _template_problems(
    journey: Journey, step: AnyStep, place: Loc, known_names: set[str], origins: Origins
) -> Iterator[Problem]:
    files = {
        f"{key_in_template(part.name)}.{fact}"
        for s in journey.step
        if isinstance(s, Step)
        for part in s.multipart or ()
        for fact in ("sha256", "size")
    }
    passwords = {key_in_template(name) for name in journey.totp}
    for key, text in _templates(step.model_dump(by_alias=True, exclude_defaults=True)):
        where = (*place, *key)
        try:
            names = names_used(text)
        except ValueError as error:
            yield origins.problem(
                where, f"is not a template: {error}", "Write {{ name }}, with a name captured before."
            )
            continue
        for name in sorted(names):
            root, _, member = name.partition(".")
            if root == "secret" and member not in journey.secrets:
                yield origins.problem(
                    where, f'uses the secret "{member}"', f'Add "{member}" to this journey\'s secrets.'
                )
            elif root in _MEMBERS and member not in _MEMBERS[root]:
                mend = f"There are: {', '.join(f'{root}.{name}' for name in _MEMBERS[root])}."
                yield origins.problem(where, f'uses "{name}", which there is not', mend)
            elif root == "file" and member not in files:
                mend = "A file is named by its part: {{ file.<part>.sha256 }}."
                yield origins.problem(where, f'uses "{name}", which there is not', mend)
            elif root == "totp" and member not in passwords:
                mend = f"Add [journey.totp.{member or 'name'}] with its secret to this journey."
                yield origins.problem(where, f'uses "{name}", which there is not', mend)
            elif key[0] == "creates" and root in map(key_in_template, step.capture):
                continue  # what a step makes is named by what it captures itself
            elif root.replace("_", "-") not in {n.replace("_", "-") for n in known_names}:
                captured = ", ".join(sorted(known_names - RESERVED)) or "nothing"
                mend = f"Captured before this step: {captured}."
                yield origins.problem(where, f'uses "{root}", which no earlier step captures', mend)


def _templates(value: object, loc: Loc = ()) -> Iterator[tuple[Loc, str]]:
    """All texts of a step that hold a template, with their places."""
    if isinstance(value, str):
        if "{{" in value or "{%" in value:
            yield loc, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if key != "capture":
                yield from _templates(item, (*loc, key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _templates(item, (*loc, index))
