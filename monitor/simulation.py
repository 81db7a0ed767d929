"""Simulated time: the real asyncio code of the service, on a loop whose clock jumps to whatever is due next.

Nothing here knows the service. It gives a loop, a `Clock` and a seed; the same seed gives the same run. The demo month
and the tests live in it. No real socket or thread takes part: both would answer by real time.
"""

from __future__ import annotations

import asyncio
import random
import selectors
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar, TypeVarTuple

from monitor.clock import Clock

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class StalledError(RuntimeError):
    """Nothing is due any more, so simulated time would stand still for ever."""


class _JumpingSelector(selectors.BaseSelector):
    """Never waits: where a real selector would sleep, the clock moves on."""

    def __init__(self) -> None:
        self.elapsed_us = 0
        self._real = selectors.DefaultSelector()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._real.select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise StalledError("nothing is due: a task waits for something outside of simulated time")
        # A timer less than half a microsecond away counts as due, see SimulatedLoop; so this never stands still.
        self.elapsed_us += max(1, round(timeout * 1_000_000))
        return ready

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()


class SimulatedLoop(asyncio.SelectorEventLoop):
    """An event loop on simulated time. What would run in a thread runs at once, in the loop, so that order is sure."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)
        self._clock_resolution = 1e-6

    @property
    def elapsed_us(self) -> int:
        return self._jumping.elapsed_us

    def time(self) -> float:
        return self._jumping.elapsed_us / 1_000_000

    def run_in_executor(self, executor: object, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        done: asyncio.Future[T] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:
            done.set_exception(error)
        return done


class Simulation:
    """One stretch of simulated time.

    Args:
        start_us: what the wall clock says at the beginning.
        seed: of `random` and of the ids; the same seed gives the same run.
    """

    def __init__(self, *, start_us: int, seed: int) -> None:
        self._wall_us = start_us
        self._loop = SimulatedLoop()
        self._ids = random.Random(seed)  # noqa: S311 - reproducible on purpose
        self.random = random.Random(seed + 1)  # noqa: S311 - reproducible on purpose
        self.clock = Clock(now_us=self._now_us, monotonic_us=self._monotonic_us, new_id=self._new_id)

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run `main` to its end in simulated time. Can be called once.

        Raises:
            StalledError: a task waits for something that no simulated clock will bring.
        """
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            return runner.run(main)

    def step(self, shift_us: int) -> None:
        """Set the wall clock by `shift_us` without any time going by. Forward is what sleep of a machine looks like."""
        self._wall_us += shift_us

    def _now_us(self) -> int:
        return self._wall_us + self._loop.elapsed_us

    def _monotonic_us(self) -> int:
        return self._loop.elapsed_us

    def _new_id(self) -> str:
        return f"{self._ids.getrandbits(64):016x}"
