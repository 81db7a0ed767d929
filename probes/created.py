"""What a journey makes at the portal and must take away again: told while it happens, to whoever keeps the list.

Before a step that makes something is sent, it is announced; the answer tells what came of it. Whoever keeps the list
writes each note down before returning, so that a monitor that is killed at any moment forgets nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from pydantic import Field

from probes.notation import Definition, Id
from probes.sample import Failure, FailureKind, StepResult

#: How an entry is called: the run and the step that makes the object.
Key: TypeAlias = str


#: How a failure begins whose step could not even begin to send: on a page, the field or button was not there.
CANNOT_BE_USED = "an element that can be used"


class Creates(Definition):
    """An object that a step makes at the portal, and how it is taken away.

    Attributes:
        what: what it is, for people: `project`.
        id: template of its name at the portal, from captures of this step or of earlier ones.
        undo: ids of the journey's steps that take it away when walked on their own, in this order: logging in, opening
            it, withdrawing it. The last one proves by its `expect` that it is gone; it is an `always` step, so that
            every run takes away its own.
        gone: status of an answer to one of these steps that says that it is not there any more.
    """

    what: str = Field(min_length=1, max_length=100)
    id: str = Field(min_length=1)
    undo: tuple[Id, ...] = Field(min_length=1)
    gone: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """A step that makes an object is about to be sent.

    Attributes:
        patience_us: how long the run may take to take it away by itself.
    """

    key: Key
    check_id: str
    step: str
    what: str
    run_id: str
    run_time: str
    patience_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """It was made, and this is its name at the portal; `values` are what taking it away needs, by name."""

    key: Key
    name: str
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unclear:
    """The step failed after it was sent, and nothing tells whether something was made."""

    key: Key


@dataclass(frozen=True, slots=True, kw_only=True)
class NotMade:
    """The step failed in a way that leaves nothing behind: it was never sent, or was refused."""

    key: Key


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """The portal showed that it is gone."""

    key: Key


Note: TypeAlias = Announced | Made | Unclear | NotMade | Undone
#: Writes a note down for good before it returns. Raises `NotNoted` where an announcement could not be.
Keep: TypeAlias = Callable[[Note], Awaitable[None]]


class NotNoted(Exception):  # noqa: N818 - reads as what it is
    """What would be made cannot be put on the list, or too much was made already: so it must not be made."""


def key_of(run_id: str, step: str) -> Key:
    return f"{run_id}.{step}"


def leaves_nothing(result: StepResult) -> bool:
    """Whether a failed step surely made nothing: no connection, a refusal (4xx) of what was sent, or nothing sent."""
    if result.failure is None:
        return False
    if never_sent(result.failure):
        return True
    # In a browser a script may have sent it, and the status be that of an earlier page.
    if 400 <= result.status < 500 and result.urls:
        return True
    unsent = result.failure.kind in (FailureKind.DNS, FailureKind.CONNECT, FailureKind.TLS)
    # Beyond the first address the step itself was answered already, with a redirect.
    return unsent and len(result.urls) <= 1


def refused_login(result: StepResult) -> bool:
    """Whether a failed login step looks like a refusal: the portal answered, and not with an error of its own.

    A portal that is down does not count: it locks nobody out, and must go on being measured. Nor does a page without
    the form: nothing was sent.
    """
    refusals = (FailureKind.ASSERTION, FailureKind.CAPTURE, FailureKind.HTTP_STATUS, FailureKind.REDIRECT)
    if result.failure is None or never_sent(result.failure):
        return False
    return result.failure.kind in refusals and 0 < result.status < 500


def never_sent(failure: Failure) -> bool:
    """Whether the step ended before anything was sent, since a field or button of the page was not there."""
    return failure.kind is FailureKind.ASSERTION and (failure.expected or "").startswith(CANNOT_BE_USED)


def taken_away_wrongly(makes: Mapping[str, Creates], proving: Mapping[str, bool]) -> str | None:
    """What is wrong with how the steps of a journey take away what they make, in words; None where nothing is.

    Args:
        makes: what each step makes that makes something, by its id.
        proving: every step's id, and whether it runs always and looks at something.
    """
    for made_by, creates in makes.items():
        for name in creates.undo:
            if name not in proving:
                return f'takes away what "{made_by}" makes with a step "{name}", which there is not'
        if not proving[creates.undo[-1]]:
            return (
                f'takes away what "{made_by}" makes with "{creates.undo[-1]}" last; that step needs always = true, '
                "and an expect that shows that it is gone"
            )
    return None
