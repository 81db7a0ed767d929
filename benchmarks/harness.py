"""Figures, and work measured in a process of its own, so that one piece's memory and caches are not another's."""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Literal, ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")

LATEST = Path(__file__).with_name("latest.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One result.

    Attributes:
        figure: what was measured, with its unit.
        peer: the same of somebody else, in the same run; None where there is nobody.
        limit: what `ours`, or `ours / peer`, is to stay at or below; None where it is only told.
    """

    figure: str
    ours: float
    peer: float | None = None
    limit: float | None = None
    limits: Literal["ours", "ratio"] = "ours"

    @property
    def ratio(self) -> float | None:
        return self.ours / self.peer if self.peer else None

    @property
    def met(self) -> bool | None:
        judged = self.ours if self.limits == "ours" else self.ratio
        return None if self.limit is None or judged is None else judged <= self.limit

    @property
    def target(self) -> str | None:
        return None if self.limit is None else f"{self.limits} <= {self.limit:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured(Generic[T]):
    answer: T
    seconds: float
    peak_mb: float


def measured(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Measured[T]:
    """Do the work in a fresh process; its start is not counted, its whole memory is."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        answer, seconds, peak_mb = pool.submit(_timed, work, args, kwargs).result()
    return Measured(answer=answer, seconds=seconds, peak_mb=peak_mb)


def _timed(work: Callable[..., T], args: tuple[object, ...], kwargs: dict[str, object]) -> tuple[T, float, float]:
    began = time.perf_counter()
    answer = work(*args, **kwargs)
    seconds = time.perf_counter() - began
    return answer, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Process:
    """A process on one core that does one piece of work after the other."""

    def __init__(self, core: int) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(1, mp_context=spawn, initializer=_alone, initargs=(core,))

    def __call__(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return self._pool.submit(work, *args, **kwargs).result(timeout=300)

    def end(self) -> None:
        self._pool.shutdown()


def _alone(core: int) -> None:
    """At the start of a process: one core of its own, and as many connections as may be."""
    os.sched_setaffinity(0, {core})
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def rank(values: list[float], part: float) -> float:
    """The value below which that part of them lies."""
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def tell(figure: Figure) -> None:
    """One line: name, ratio (or the figure itself), target, met or missed."""
    shown = f"{figure.ours:.3g}" if figure.ratio is None else f"{figure.ratio:.3f}x ({figure.ours:.3g})"
    said = {True: "met", False: "missed", None: "-"}[figure.met]
    print(f"{figure.figure:74} {shown:>18} {figure.target or '-':>14} {said}", flush=True)


def keep(figures: Iterable[Figure]) -> None:
    rows = [
        {"figure": f.figure, "ours": f.ours, "peer": f.peer, "ratio": f.ratio, "target": f.target, "met": f.met}
        for f in figures
    ]
    LATEST.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    print(f"{len(rows)} figures written to {LATEST.name}", file=sys.stderr)
