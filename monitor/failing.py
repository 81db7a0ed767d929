"""What fails at this moment, so that a mail can say what all of it together does to a contract."""

from __future__ import annotations

from collections.abc import Set

from monitor.incidents import STATE, Ongoing, Recovering
from monitor.store import incidents, samples
from monitor.store.database import Transaction
from monitor.votes import Places
from sla.effect import Streak

#: How long before an incident its last good sample is looked for.
_BEFORE_US = 86_400_000_000


class Failing:
    """The failures under way, per check. What was read of one is kept until its state changes: many may fail at once,
    and each of them is told with all the others.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, Streak | None]] = {}

    def among(self, tx: Transaction, names: Set[str], places: Places, *, now_us: int) -> dict[str, Streak]:
        """Which of these checks fail now, since the last good sample: an incident outlasts that, an outage does not.

        Args:
            places: per check the locations that measure it.
        """
        states = incidents.open_states(tx)
        for name in self._known.keys() - states.keys():
            del self._known[name]
        found = {}
        for name in states.keys() & names:
            if name not in self._known or self._known[name][0] != states[name]:
                several = len(places.get(name, ())) > 1
                self._known[name] = states[name], _streak(tx, name, states[name], several=several, now_us=now_us)
            if (streak := self._known[name][1]) is not None:
                found[name] = streak
        return found


def _streak(tx: Transaction, name: str, text: str, *, several: bool, now_us: int) -> Streak | None:
    state = STATE.validate_json(text)
    if not isinstance(state, Ongoing | Recovering):
        return None
    if several:
        # A good sample of one location ends no outage of which a quorum decides.
        return Streak(first_bad_us=state.since_us)
    span = state.since_us - _BEFORE_US, now_us + 1
    streak, or_slow = (samples.failing_since(tx, name, *span, slow_is_failing=slow) for slow in (False, True))
    if streak is None or or_slow is None:
        return None
    return Streak(
        first_bad_us=streak[0],
        last_good_us=streak[1],
        or_slow=Streak(first_bad_us=or_slow[0], last_good_us=or_slow[1]),
    )
