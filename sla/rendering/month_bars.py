"""Where the bars of availability lie: one per period a clause was judged in, against the norm of that period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from sla.assessment import ClauseResult
from sla.rendering.figures import ROOMS, WIDTH, tenths

HEIGHT = 130
TOP = 24
WIDEST = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One period. `ratio` is None where nothing was measured; then there is no bar, only the word for it."""

    result: ClauseResult
    x: str
    middle: str
    y: str
    width: str
    height: str
    norm_y: str
    norm_x2: str
    ratio: Fraction | None
    target: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """The bars of one clause, on a scale from `floor` to 100 %."""

    bars: tuple[Bar, ...]
    floor: Fraction
    base: str


def bars(results: Sequence[ClauseResult]) -> Bars | None:
    """None where the clause is not about availability, or was judged only once."""
    targets = [result.target for result in results if isinstance(result.target, Fraction)]
    if len(targets) != len(results) or len(results) < 2 or any(result.availability is None for result in results):
        return None
    points = [None if r.availability is None else r.availability.point for r in results]
    gap = 1 - min([*targets, *(point for point in points if point is not None)])
    floor = next((1 - room for room in ROOMS if gap <= room * Fraction(9, 10)), Fraction(0))
    slot = WIDTH * 10 // len(results)
    width = min(slot * 7 // 10, WIDEST * 10)

    def y(ratio: Fraction) -> int:
        return TOP * 10 + int((1 - ratio) / (1 - floor) * HEIGHT * 10)

    drawn = []
    for index, (result, point, target) in enumerate(zip(results, points, targets, strict=True)):
        x = index * slot + (slot - width) // 2
        top = y(floor if point is None else point)
        drawn.append(
            Bar(
                result=result,
                x=tenths(x),
                middle=tenths(x + width // 2),
                y=tenths(top),
                width=tenths(width),
                height=tenths((TOP + HEIGHT) * 10 - top),
                norm_y=tenths(y(target)),
                norm_x2=tenths((index + 1) * slot),
                ratio=point,
                target=target,
            )
        )
    return Bars(bars=tuple(drawn), floor=floor, base=tenths((TOP + HEIGHT) * 10))
