"""Clauses about what people do: react, restore, announce, deliver. They rest on the ledger, not on samples alone."""

from __future__ import annotations

from datetime import date
from typing import Literal, Self

from pydantic import Field, model_validator

from sla.commitment import Commitment, Confirms
from sla.contract_text import Ahead, ClockTime, Due, Length, Name

Priority = Literal["P1", "P2", "P3", "P4"]


class CaseClause(Confirms):
    """At most `limit` on the clause's clock for every case of one priority. The window and excluded time stop it.

    Attributes:
        priority: of the cases it speaks of.
        limit: on the clock of the window.
        start: key `from`. A case begins with its `notification` in the ledger, or with the `confirmation` of an outage
            by our own measurement; an outage is of this priority unless a notification about it names another.
    """

    priority: Priority
    limit: Length
    start: Literal["notification", "confirmation"] = Field(default="notification", alias="from")


class ReactionTimeClause(CaseClause):
    """The supplier reacts to every case within `limit`."""

    kind: Literal["reaction-time"]


class RestoreTimeClause(CaseClause):
    """The service is restored within `limit` in every case."""

    kind: Literal["restore-time"]


class MaintenanceClause(Commitment):
    """Every announcement keeps the terms of `[version.maintenance]`: notice, hours, blackout dates, budget.

    Attributes:
        scope: journeys; none: every announcement.
    """

    kind: Literal["maintenance"]
    scope: tuple[Name, ...] = ()

    @model_validator(mode="after")
    def _no_window(self) -> Self:
        if self.window is not None:
            raise ValueError("has a window, but [version.maintenance] says in which hours work is allowed; take it out")
        return self


class ReleaseClause(Commitment):
    """Every release is announced in time, and none lies inside the window. At least one of `notice` and `window`.

    Attributes:
        scope: journeys; none: every release.
        environment: only releases in this environment, and those that name none; None is any.
    """

    kind: Literal["release"]
    scope: tuple[Name, ...] = ()
    notice: Ahead | None = None
    environment: str | None = None

    @model_validator(mode="after")
    def _some_rule(self) -> Self:
        if self.notice is None and self.window is None:
            raise ValueError('promises nothing; add notice = "5 working days", a window to stay out of, or both')
        return self


class DeliveryClause(Commitment):
    """A document is delivered by every due time.

    Attributes:
        scope: for reference only.
        document: as the ledger's entries of deliveries name it.
        due: how the due dates come back; one that is no working day moves to the next working day.
        first: the first due date of `weekly`, `two-weekly` and `every N weeks`; the others count from their unit.
        by: clock time on the due date.
        late: in what a delay is counted, started ones in full.
    """

    kind: Literal["delivery"]
    scope: tuple[Name, ...] = ()
    document: Name
    due: Due
    first: date | None = None
    by: ClockTime = 86_400
    late: Literal["working days", "days"] = "working days"

    @model_validator(mode="after")
    def _anchored(self) -> Self:
        if (self.due.unit == "week") != (self.first is not None):
            if self.first is None:
                raise ValueError(f'is due "{self.due}", so it needs its first due date: first = 2027-01-15')
            raise ValueError(f'has first, but "{self.due}" says the day itself; take it out')
        if self.window is not None:
            raise ValueError("has a window, but a due date has none; take it out")
        return self


PromiseClause = ReactionTimeClause | RestoreTimeClause | MaintenanceClause | ReleaseClause | DeliveryClause
