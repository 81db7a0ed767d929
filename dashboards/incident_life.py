"""What people and rules say about an incident, and the page on which somebody says that they are on it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """What somebody said; `text` may be empty."""

    by: str
    at_us: int
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """Another incident that belongs to this one."""

    title: str
    href: str
    since_us: int
    until_us: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """All words are in the language of the page.

    Attributes:
        severity, cause: empty where not known.
        cause_why: the rule that proposes the cause, as a sentence; empty once a person confirmed one.
        confirmed: who confirmed the cause, and why; None while it is only proposed.
        acknowledged: who is on it; None: nobody said so.
        attached: incidents that this one explains; `explained_by` the other way round.
    """

    severity: str = ""
    cause: str = ""
    cause_why: str = ""
    confirmed: Remark | None = None
    acknowledged: Remark | None = None
    notes: tuple[Remark, ...] = ()
    attached: tuple[Related, ...] = ()
    explained_by: tuple[Related, ...] = ()


UNTOLD = Life()
