"""What of our own makes a measurement worth nothing: a late event loop, no processor, no resolver.

Each of them turns a sample `unknown`, whatever it says: a monitor that could not look properly has seen nothing.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from probes.engine.lookup import OURS
from probes.sample import Failure, FailureKind, Outcome, Sample

#: Waiting for a processor counts only where it was a good part of the run: one that lasts a minute waits a little.
_PART = 5
_TICKS = os.sysconf("SC_CLK_TCK")

#: Runs that begin so shortly after one another share a count of what was waited.
_SHARED_US = 50_000

#: Asks the system's resolver for a name; raises what `getaddrinfo` raises.
Resolve = Callable[[str], Awaitable[object]]


def believed(sample: Sample, *, lag_us: int, max_lag_us: int, waited_us: int = 0) -> Sample:
    """The sample with its lag; unknown where we were so late that its times and timeouts mean nothing.

    Args:
        lag_us: worst lateness of the event loop during the run.
        waited_us: how long the run stood waiting for a processor, all together.
    """
    sample = replace(sample, lag_us=lag_us)
    if lag_us > max_lag_us:
        return _unknown(sample, "event loop", f"at most {max_lag_us // 1000} ms late", f"{lag_us // 1000} ms late")
    if waited_us > max_lag_us and waited_us * _PART > sample.duration_us:
        return _unknown(
            sample, "processor", f"at most {max_lag_us // 1000} ms waiting", f"{waited_us // 1000} ms waiting"
        )
    return sample


async def resolved(sample: Sample, names: Sequence[str], *, deadline_us: int, resolve: Resolve | None = None) -> Sample:
    """The sample; unknown where it failed for a name and our own resolver answers for none of the watched ones either.

    Asked afresh, and only then: whatever failed otherwise did not fail for want of a resolver.
    """
    dns = sample.failure is not None and sample.failure.kind is FailureKind.DNS
    if sample.outcome is not Outcome.DOWN or not dns or not names:
        return sample
    if any(await resolver_answers(names, deadline_us=deadline_us, resolve=resolve)):
        return sample
    return _unknown(sample, "resolver", "an answer", "none for any watched name")


async def resolver_answers(
    names: Sequence[str], *, deadline_us: int, resolve: Resolve | None = None
) -> tuple[bool, ...]:
    """For which of the names our own resolver answers now, in their order; "no such name" is an answer too.

    Args:
        deadline_us: total for each of them, asked at the same moment.
    """
    return tuple(await asyncio.gather(*(_answers(name, deadline_us, resolve or _system) for name in names)))


async def _answers(name: str, deadline_us: int, resolve: Resolve) -> bool:
    try:
        async with asyncio.timeout(deadline_us / 1_000_000):
            await resolve(name)
    except socket.gaierror as error:
        return error.errno in (socket.EAI_NONAME, socket.EAI_NODATA)
    except (OSError, TimeoutError, UnicodeError):
        return False
    return True


async def _system(name: str) -> object:
    return await OURS.addresses(name, None)


def _unknown(sample: Sample, subject: str, expected: str, found: str) -> Sample:
    failure = Failure(kind=FailureKind.MONITOR, subject=subject, expected=expected, found=found)
    return replace(sample, outcome=Outcome.UNKNOWN, failure=failure, blip=None)


class Processor:
    """How long we stood waiting for a processor, by what Linux counts; where it counts nothing, nothing is waited.

    Args:
        proc: where Linux shows its counts.
    """

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._proc = proc

    def waited_us(self) -> int:
        """Of the thread that asks, since it began: runnable but not run, and what other machines took of ours."""
        return self._queued_us() + self._stolen_us()

    def pressure(self) -> float:
        """Share of the last ten seconds in which somebody on this machine waited for a processor; 0 if unknown."""
        try:
            words = (self._proc / "pressure" / "cpu").read_text(encoding="ascii").split()
            return float(words[1].partition("=")[2]) / 100
        except (OSError, ValueError, IndexError):
            return 0.0

    def _queued_us(self) -> int:
        try:
            return int((self._proc / "thread-self" / "schedstat").read_text(encoding="ascii").split()[1]) // 1000
        except (OSError, ValueError, IndexError):
            return 0

    def _stolen_us(self) -> int:
        """On average of one processor."""
        try:
            with (self._proc / "stat").open(encoding="ascii") as lines:
                words = next(lines).split()
            return int(words[8]) * 1_000_000 // _TICKS // (os.cpu_count() or 1)
        except (OSError, ValueError, IndexError, StopIteration):
            return 0


@dataclass(frozen=True, slots=True)
class Count:
    """What was waited until an instant of the monotonic clock."""

    at_us: int
    waited_us: int


class Waits:
    """How long runs waited for a processor, counted as seldom as will do: what Linux counts costs a part of a run.

    Runs that begin within 50 ms of each other share one count; what was waited in between counts for the later ones
    too.
    """

    def __init__(self, processor: Processor, monotonic_us: Callable[[], int]) -> None:
        self._processor = processor
        self._monotonic_us = monotonic_us
        self._last = Count(at_us=-_SHARED_US - 1, waited_us=0)

    def begin(self) -> Count:
        """Where a run begins."""
        now_us = self._monotonic_us()
        if now_us - self._last.at_us > _SHARED_US:
            self._last = Count(at_us=now_us, waited_us=self._processor.waited_us())
        return self._last

    def since(self, begun: Count, *, most_us: int) -> int:
        """How long was waited since then; 0, without looking, where it cannot be more than `most_us`.

        In any length of time we wait no longer than that in the queue, nor are more than that and a tick stolen.
        """
        if 2 * (self._monotonic_us() - begun.at_us) + 1_000_000 // _TICKS <= most_us:
            return 0
        return self._processor.waited_us() - begun.waited_us
