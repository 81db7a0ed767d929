"""Sets of instants as sorted, disjoint, half-open spans; every operation is one merge over its arguments."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Half-open: `start_us <= t < end_us`, instants in microseconds since the epoch, UTC."""

    start_us: int
    end_us: int

    @property
    def length_us(self) -> int:
        return self.end_us - self.start_us


@dataclass(frozen=True, slots=True)
class IntervalSet:
    """Sorted, disjoint, non-empty spans that do not touch; build with `IntervalSet.of`."""

    spans: tuple[Span, ...] = ()

    @classmethod
    def of(cls, spans: Iterable[Span]) -> IntervalSet:
        """The union of spans in any order, overlapping or not; empty ones vanish."""
        kept: list[Span] = []
        for span in sorted((s for s in spans if s.end_us > s.start_us), key=lambda s: s.start_us):
            if kept and span.start_us <= kept[-1].end_us:
                if span.end_us > kept[-1].end_us:
                    kept[-1] = Span(start_us=kept[-1].start_us, end_us=span.end_us)
            else:
                kept.append(span)
        return cls(tuple(kept))

    @property
    def length_us(self) -> int:
        return sum(s.length_us for s in self.spans)

    def meeting(self, start_us: int, end_us: int) -> tuple[Span, ...]:
        """Those of the spans, whole, that have an instant of `start_us <= t < end_us`."""
        first = bisect_right(self.spans, start_us, key=lambda s: s.end_us)
        return self.spans[first : bisect_left(self.spans, end_us, lo=first, key=lambda s: s.start_us)]

    def __bool__(self) -> bool:
        return bool(self.spans)

    def __or__(self, other: IntervalSet) -> IntervalSet:
        if not self.spans or not other.spans:
            return self if self.spans else other
        return IntervalSet.of((*self.spans, *other.spans))

    def __and__(self, other: IntervalSet) -> IntervalSet:
        found: list[Span] = []
        i = j = 0
        while i < len(self.spans) and j < len(other.spans):
            a, b = self.spans[i], other.spans[j]
            start, end = max(a.start_us, b.start_us), min(a.end_us, b.end_us)
            if start < end:
                found.append(Span(start_us=start, end_us=end))
            if a.end_us <= b.end_us:
                i += 1
            else:
                j += 1
        return IntervalSet(tuple(found))

    def __sub__(self, other: IntervalSet) -> IntervalSet:
        found: list[Span] = []
        j = 0
        for span in self.spans:
            start = span.start_us
            while j < len(other.spans) and other.spans[j].end_us <= start:
                j += 1
            k = j
            while k < len(other.spans) and other.spans[k].start_us < span.end_us:
                cut = other.spans[k]
                if cut.start_us > start:
                    found.append(Span(start_us=start, end_us=cut.start_us))
                start = max(start, cut.end_us)
                k += 1
            if start < span.end_us:
                found.append(Span(start_us=start, end_us=span.end_us))
            j = max(j, k - 1)
        return IntervalSet(tuple(found))


EMPTY = IntervalSet()
