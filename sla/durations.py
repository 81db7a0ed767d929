"""How long samples took, kept compactly until a clause asks which of them count."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence

from sla.intervals import IntervalSet


class Durations:
    """Durations of successful samples with their due instants, compactly."""

    __slots__ = ("_due_us", "_runs", "_taken_us")

    def __init__(self) -> None:
        self._runs: list[tuple[Sequence[int], Sequence[int]]] = []  # each ascending by due instant
        self._due_us = self._taken_us = array("q")  # the last run, while it comes sample by sample

    def add(self, due_us: int, taken_us: int) -> None:
        if not self._due_us or due_us <= self._due_us[-1]:  # another location begins
            self._due_us, self._taken_us = array("q"), array("q")
            self._runs.append((self._due_us, self._taken_us))
        self._due_us.append(due_us)
        self._taken_us.append(taken_us)

    def add_run(self, dues_us: range, taken_us: Sequence[int]) -> None:
        self._runs.append((dues_us, taken_us))

    def within(self, spans: IntervalSet) -> list[int]:
        """Durations of the samples that were due inside the spans, in no particular order."""
        found: list[int] = []
        for dues_us, taken_us in self._runs:
            for span in spans.meeting(dues_us[0], dues_us[-1] + 1):
                found += taken_us[bisect_left(dues_us, span.start_us) : bisect_left(dues_us, span.end_us)]
        return found
