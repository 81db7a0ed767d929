"""How little of a core we get, so that a machine others work on makes us wait longer and turns nothing red."""

from __future__ import annotations

from time import monotonic, sleep, thread_time

#: A moment of work, and how often it is done anew; it costs a hundredth of a core.
_WORK_S = 0.01
_EVERY_S = 1.0
#: However starved, a wait is never stretched by more than this: what hangs is found all the same.
MOST = 5.0


class Starvation:
    """Wall-clock time over processor time of a little work, smoothed: 1 on an idle machine, 3 where we get a third."""

    def __init__(self) -> None:
        self._factor = 1.0
        self._looked_at = 0.0

    @property
    def factor(self) -> float:
        return min(MOST, max(1.0, self._factor))

    def calibrate(self) -> float:
        """The factor over the next half second; call it before anything is started."""
        found = []
        for _ in range(10):
            found.append(_share())
            sleep(0.04)
        self._factor = sum(found) / len(found)
        self._looked_at = monotonic()
        return self.factor

    def look(self) -> None:
        """Bring the factor up to date, once a second at most."""
        if monotonic() - self._looked_at >= _EVERY_S:
            self._factor = 0.7 * self._factor + 0.3 * _share()
            self._looked_at = monotonic()


def _share() -> float:
    wall, processor = monotonic(), thread_time()
    while thread_time() - processor < _WORK_S:
        pass
    return (monotonic() - wall) / (thread_time() - processor)


class Allowance:
    """So many seconds of a machine of our own: on a starved one they last longer."""

    def __init__(self, seconds: float, starvation: Starvation) -> None:
        self._seconds = seconds
        self._starvation = starvation
        self._began = self._last = monotonic()
        self._used = 0.0

    def is_over(self) -> bool:
        self._starvation.look()
        now = monotonic()
        self._used += (now - self._last) / self._starvation.factor
        self._last = now
        return self._used > self._seconds

    def __str__(self) -> str:
        return f"{self._last - self._began:.0f} s, as much as {self._used:.0f} s of a machine of our own"
