"""What fails at this moment, so that a mail can say what all of it together does to a contract."""

from __future__ import annotations

from collections.abc import Collection

from monitor.incidents import Ongoing, Recovering
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
        self._known: dict[str, tuple[Ongoing | Recovering, Streak | None]] = {}

    def among(self, tx: Transaction, names: Collection[str], places: Places, *, now_us: int) -> dict[str, Streak]:
        """Which of these checks fail now, since the last good sample: an incident outlasts that, an outage does not.

        Args:
            places: per check the locations that measure it.
        """
        still = incidents.open_states(tx, names)
        for name in self._known.keys() - still.keys():
            del self._known[name]
        found = {}
        for name, state in still.items():
            if len(places.get(name, ())) > 1:
                # A good sample of one location ends no outage of which a quorum decides.
                found[name] = Streak(first_bad_us=state.since_us)
                continue
            known = self._known.get(name)
            if known is None or known[0] != state:
                known = self._known[name] = state, _streak(tx, name, state.since_us - _BEFORE_US, now_us + 1)
            if known[1] is not None:
                found[name] = known[1]
        return found


def _streak(tx: Transaction, name: str, start_us: int, end_us: int) -> Streak | None:
    streak = samples.failing_since(tx, name, start_us, end_us)
    or_slow = samples.failing_since(tx, name, start_us, end_us, slow_is_failing=True)
    if streak is None or or_slow is None:
        return None
    return Streak(
        first_bad_us=streak[0],
        last_good_us=streak[1],
        or_slow=Streak(first_bad_us=or_slow[0], last_good_us=or_slow[1]),
    )
