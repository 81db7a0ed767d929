"""Where things lie in the figure of one outage: its samples, and how each clause counts the time around it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sla.dossier import Dossier, Run
from sla.intervals import Span
from sla.rendering.figures import WIDTH, Bar, Label, tenths
from sla.rendering.numbers import Numbers
from sla.rendering.words import Words

MINUTE_US = 60_000_000
ROW_HEIGHT = 40
TOP = 26
#: Ticks stand on whole steps of the wall clock; the first of these that gives few enough is taken.
_STEPS_US = tuple(minutes * MINUTE_US for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080))
MOST_TICKS = 9
_MARK_WIDTH = 130  # tenths of a unit: closer marks share a place


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """One row: its words above, its bars below. `y` of the words, `bar_y` of the bars."""

    title: str
    y: int
    bar_y: int
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """An edge of the outage as a line through all rows; `text` is empty where its number stands with another's."""

    x: str
    text_x: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """The whole figure; heights in its own units, `WIDTH` wide."""

    strips: tuple[Strip, ...]
    marks: tuple[Mark, ...]
    ticks: tuple[Label, ...]
    bottom: int

    @property
    def height(self) -> int:
        return self.bottom + 20


def drawn(dossier: Dossier, words: Words, numbers: Numbers) -> Drawn:
    """The figure: a strip for each location's samples, then one for each clause, edges and time running through."""
    rows: list[tuple[str, tuple[tuple[Span, str], ...]]] = []
    for location in dossier.locations:
        title = words("dossier.figure_samples_at", location=location) if location else words("dossier.figure_samples")
        rows.append((title, tuple(_runs(dossier, location))))
    rows += [
        (words("dossier.figure_clause", id=share.result.clause.id), tuple((s.span, s.counted) for s in share.drawn))
        for share in dossier.shares
    ]
    strips = tuple(
        Strip(
            title=title,
            y=TOP + index * ROW_HEIGHT + 12,
            bar_y=TOP + index * ROW_HEIGHT + 17,
            bars=tuple(_bars(parts, dossier.around)),
        )
        for index, (title, parts) in enumerate(rows)
    )
    return Drawn(
        strips=strips,
        marks=tuple(_marks(dossier)),
        ticks=tuple(_ticks(dossier.around, numbers)),
        bottom=TOP + len(rows) * ROW_HEIGHT,
    )


def _x(around: Span, at_us: int) -> int:
    """Tenths of a unit from the left."""
    inside = min(max(at_us, around.start_us), around.end_us) - around.start_us
    return inside * WIDTH * 10 // around.length_us


def _bars(parts: Iterable[tuple[Span, str]], around: Span) -> Iterator[Bar]:
    # Small things are drawn last, or a long neighbour would hide what had to be widened to be seen.
    for span, state in sorted(parts, key=lambda part: -part[0].length_us):
        x = _x(around, span.start_us)
        width = max(_x(around, span.end_us) - x, 15)
        yield Bar(x=tenths(min(x, WIDTH * 10 - width)), width=tenths(width), state=state)


def _runs(dossier: Dossier, location: str) -> Iterator[tuple[Span, str]]:
    """What each sample says, to the next one or for an interval; neighbours that say the same are one bar."""
    runs = [run for run in dossier.runs if run.location == location]
    pending: tuple[Span, str] | None = None
    for index, run in enumerate(runs):
        after = runs[index + 1] if index + 1 < len(runs) else None
        span, state = _spoken(run, after, dossier.around.end_us), _state(run)
        if pending is not None and pending[1] == state and pending[0].end_us == span.start_us:
            pending = (Span(start_us=pending[0].start_us, end_us=span.end_us), state)
            continue
        if pending is not None:
            yield pending
        pending = (span, state)
    if pending is not None:
        yield pending


def _spoken(run: Run, after: Run | None, end_us: int) -> Span:
    until = run.due_us + run.interval_us
    if after is not None:
        until = min(until, after.due_us)
    return Span(start_us=run.due_us, end_us=max(min(until, end_us), run.due_us + 1))


def _state(run: Run) -> str:
    return "unmeasured" if run.outcome == "unknown" else run.outcome


def edges(dossier: Dossier) -> tuple[tuple[int, int], ...]:
    """The known edges of the outage: number in the legend, instant."""
    outage = dossier.outage
    known = (outage.last_good_us, outage.first_bad_us, outage.last_bad_us, outage.first_good_us)
    return tuple((number, at_us) for number, at_us in enumerate(known, start=1) if at_us is not None)


def _marks(dossier: Dossier) -> Iterator[Mark]:
    placed: list[tuple[int, list[str]]] = []
    lines: list[tuple[int, int]] = []  # (x, index of the label it belongs to)
    for number, at_us in edges(dossier):
        x = _x(dossier.around, at_us)
        if placed and x - placed[-1][0] < _MARK_WIDTH:
            placed[-1][1].append(str(number))
        else:
            placed.append((x, [str(number)]))
        lines.append((x, len(placed) - 1))
    seen: set[int] = set()
    for x, index in lines:
        text = "" if index in seen else ", ".join(placed[index][1])
        seen.add(index)
        yield Mark(x=tenths(x), text_x=tenths(min(max(x, 40), WIDTH * 10 - 200)), text=text)


def _ticks(around: Span, numbers: Numbers) -> Iterator[Label]:
    step_us = next((s for s in _STEPS_US if around.length_us // s < MOST_TICKS), _STEPS_US[-1])
    offset = numbers.local(around.start_us).utcoffset()
    shift_us = 0 if offset is None else int(offset.total_seconds()) * 1_000_000
    first = -(-(around.start_us + shift_us) // step_us) * step_us - shift_us
    found = list(range(first, around.end_us, step_us))
    for at_us, text in zip(found, _times(found, numbers, by_day=step_us >= 1440 * MINUTE_US), strict=True):
        x = _x(around, at_us)
        if x < WIDTH * 10 - 300:
            yield Label(x=tenths(x), text=text)


def _times(found: Sequence[int], numbers: Numbers, *, by_day: bool) -> Iterator[str]:
    before = ""
    for at_us in found:
        local = numbers.local(at_us)
        day = f"{local.day}/{local.month}"
        if by_day:
            yield day
        else:
            yield f"{local:%H:%M}" if day == before else f"{day} {local:%H:%M}"
        before = day
