"""Where the bars of thirteen months lie, and what is printed of each; the table beside them prints the same texts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from sla.assessment import Verdict
from sla.history import ClauseHistory, HistoryMonth, State
from sla.period import zone
from sla.rendering.figures import ROOMS, WIDTH, tenths
from sla.rendering.numbers import Language, Numbers
from sla.rendering.words import Words
from sla.report import Report

TOP, HEIGHT = 24, 130
WIDEST = 44


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A month of the figure and of the table.

    Attributes:
        figure: the availability as printed, or the word for why there is none; that word stands in the empty frame.
        margin: `tussen … en …` where unmeasured time leaves room; empty elsewhere.
        y, height: of the bar, or of the frame where there is none.
        norm_y: None where there is no bar: the line would run through the word.
    """

    month: HistoryMonth
    name: str
    figure: str
    margin: str
    x: str
    middle: str
    end: str
    y: str
    width: str
    height: str
    norm_y: str | None

    @property
    def has_figure(self) -> bool:
        return self.month.state is State.REPORTED

    @property
    def is_missed(self) -> bool:
        return self.month.verdict is Verdict.MISSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A clause's thirteen months, on a scale from `floor` to 100 %. `inset`: from a frame's edge to its word."""

    history: ClauseHistory
    rows: tuple[Row, ...]
    floor: Fraction
    base: str
    inset: str

    @property
    def count(self) -> int:
        return sum(row.has_figure for row in self.rows)

    @property
    def missed(self) -> int:
        return sum(row.is_missed for row in self.rows)


def drawn(report: Report, language: Language) -> Iterator[Drawn]:
    """One for each clause of the report's history."""
    for history in report.history:
        yield _drawn(history, report.timezone, language)


def _drawn(history: ClauseHistory, timezone: str, language: Language) -> Drawn:
    words, numbers = Words(language), Numbers(language=language, zone=zone(timezone))
    months = history.months
    shown = [value for month in months for value in (month.target, month.point) if value is not None]
    gap = 1 - min(shown, default=history.clause.target)
    floor = next((1 - room for room in ROOMS if gap <= room * Fraction(9, 10)), Fraction(0))
    slot = WIDTH * 10 // len(months)
    width = min(slot * 8 // 10, WIDEST * 10)

    def y(ratio: Fraction) -> int:
        return TOP * 10 + int((1 - ratio) / (1 - floor) * HEIGHT * 10)

    def percent(ratio: Fraction, target: Fraction | None) -> str:
        return numbers.percent(ratio, target, least=history.clause.decimals)

    rows = []
    for index, month in enumerate(months):
        x = index * slot + (slot - width) // 2
        top = TOP * 10 if month.point is None else y(month.point)
        margin = ""
        if month.lowest is not None and month.highest is not None:
            lowest, highest = percent(month.lowest, month.target), percent(month.highest, month.target)
            margin = "" if lowest == highest else words("verdict.between", lowest=lowest, highest=highest)
        rows.append(
            Row(
                month=month,
                name=numbers.short_month(month.span.start_us),
                figure=words(f"history.{month.state}") if month.point is None else percent(month.point, month.target),
                margin=margin,
                x=tenths(x),
                middle=tenths(x + width // 2),
                end=tenths((index + 1) * slot),
                y=tenths(top),
                width=tenths(width),
                height=tenths((TOP + HEIGHT) * 10 - top),
                norm_y=None if month.target is None or month.point is None else tenths(y(month.target)),
            )
        )
    return Drawn(
        history=history, rows=tuple(rows), floor=floor, base=tenths((TOP + HEIGHT) * 10), inset=tenths(width // 2 - 80)
    )
