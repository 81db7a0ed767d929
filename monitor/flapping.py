"""A check that breaks and recovers again and again: one state with one mail, instead of two mails for each time.

Pure, and moved only by openings and ends with the instants they carry, so that a replay from samples gives the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import TypeAdapter

from monitor.incidents import Event, Failed, IncidentRule, Opened, Resolved


@dataclass(frozen=True, slots=True, kw_only=True)
class Flapping:
    """What is remembered of one check.

    Attributes:
        openings: instants at which incidents were confirmed, within `flapping_within` of the last one.
        since_us: it flaps since this opening; None: it does not.
        changed_us: last opening or end.
    """

    openings: tuple[int, ...] = ()
    since_us: int | None = None
    changed_us: int = 0

    def holds(self, now_us: int, rule: IncidentRule) -> bool:
        """Whether it flaps now: it did, and has not been the same, good or bad, for `steady_after` since."""
        return self.since_us is not None and now_us - self.changed_us < rule.steady_after


CALM = Flapping()
FLAPPING: TypeAdapter[Flapping] = TypeAdapter(Flapping)


def instant_of(event: Opened | Resolved) -> int:
    """When it happened: an opening when it was confirmed."""
    return event.confirmed_us if isinstance(event, Opened) else event.until_us


def advance(state: Flapping, event: Event, rule: IncidentRule) -> Flapping:
    """What one more happening of a check's incident makes of it. More than `flapping_after` openings make it flap."""
    if isinstance(event, Failed):
        return state
    at_us = instant_of(event)
    if state.since_us is not None and not state.holds(at_us, rule):
        state = CALM
    openings = tuple(one for one in state.openings if one > at_us - rule.flapping_within)
    if isinstance(event, Opened):
        openings = (*openings, at_us)
    since_us = state.since_us
    if since_us is None and isinstance(event, Opened) and rule.flapping_after and len(openings) > rule.flapping_after:
        since_us = at_us
    # A clock that was set back never makes a change older than it was.
    return Flapping(openings=openings, since_us=since_us, changed_us=max(state.changed_us, at_us))
