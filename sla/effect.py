"""What an outage does to a contract if it goes on: when it becomes sanctionable, and how much downtime is left then.

A forecast, in two parts so that it costs nothing at the moment it is needed: `sla.standing` takes from an assessment
where each clause stands, and `effects` reckons on from there for one outage, along the service time that is still to
come. It says what `assess` would say if all that fails now went on failing until the instant it names, and nothing else
did. Clauses that count no outages are left out, and so is what a further outage does not touch: of several journeys of
which `all` have to be down, as long as one works.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Protocol

from sla.contract_text import Boundary
from sla.crossing import FOR_EVER_US, Frame, Term, before, first_beyond, onwards, weighed
from sla.intervals import EMPTY, IntervalSet, Span
from sla.measurements import at_least
from sla.standing import Standing, Strand, Unit, View


@dataclass(frozen=True, slots=True, kw_only=True)
class Streak:
    """The failures of a journey that are under way.

    Attributes:
        first_bad_us: when the first of them was due; nothing good was measured since.
        last_good_us: when the last good sample before them was due; None where none is known.
        or_slow: the same for clauses that count slow runs as failures; None: no different.
    """

    first_bad_us: int
    last_good_us: int | None = None
    or_slow: Streak | None = None

    def begin(self, boundary: Boundary) -> int:
        if boundary == "widest" and self.last_good_us is not None:
            return self.last_good_us
        return self.first_bad_us


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What an outage does to one clause if it goes on.

    Attributes:
        days: of a rolling period; 0 for others.
        best_efforts: then nothing here is ever sanctioned by itself.
        enough_measured: False: too little was measured so far for a verdict, and so for a sanction.
        sanctionable_us: when the clause is missed by it, so that it can carry a sanction; in the past where it is
            already; 0 where it was before this outage; None: not in this period (of a rolling one: not within a month),
            or never.
        step_us: when the next sanction step after that is reached, in this period; None: none, or not known.
        left_us: downtime left in the period when it was reckoned, negative where more was spent than allowed; None for
            clauses that allow none by the period.
        weighted: then `left_us` is of downtime like this one, of the same journeys together.
        longest_us: how long an outage may last; None for other clauses.
        reached_us: when this one has lasted longer; None: not in this period.
        allowed: how many outages there may be; None for other clauses.
        number: which of them this one is, or will be once it counts.
        counts_us: from when on it counts; None: not in this period.
    """

    contract: str
    clause: str
    unit: Unit
    best_efforts: bool
    enough_measured: bool
    sanctionable_us: int | None
    step_us: int | None
    left_us: int | None
    days: int = 0
    weighted: bool = False
    longest_us: int | None = None
    reached_us: int | None = None
    allowed: int | None = None
    number: int | None = None
    counts_us: int | None = None


def effects(
    known: Iterable[Standing], journey: str, failing: Mapping[str, Streak], *, now_us: int, stale_us: int
) -> tuple[Effect, ...]:
    """What an outage of a journey does to the clauses that speak of it, the most pressing first.

    Args:
        failing: all that fails now, this journey among them.
        stale_us: a standing older than this is not reckoned on from: other outages may have come since.
    """
    found = [
        _Outlook(one, journey, failing, now_us).effect()
        for one in known
        if journey in one.scope and journey in failing and abs(now_us - one.assessed_us) <= stale_us
    ]
    return tuple(sorted((e for e in found if e is not None and _says_something(e)), key=_pressing))


class _Outlook:
    """One clause with an outage that goes on."""

    def __init__(self, standing: Standing, journey: str, failing: Mapping[str, Streak], now_us: int) -> None:
        self.standing, self.journey, self.now_us = standing, journey, now_us
        self.frame = standing.frame_at(now_us)
        here = {name: streak for name, streak in failing.items() if name in standing.scope}
        self.judged = _Going.of(standing, standing.judged, here)
        self.sanctioned = _Going.of(standing, standing.sanctioned, here)
        own = min(self.judged.begins[journey], self.sanctioned.begins[journey])
        self.since_us = max(own, standing.frames[0].instants.start_us)
        # Of a rolling period nothing is known of the days before the first frame.
        self.is_too_old = standing.unit == "rolling" and own < self.since_us

    def effect(self) -> Effect | None:
        one, frame = self.standing, self.frame
        if frame is None or self.is_too_old or not self.judged.is_touched_by(self.journey):
            return None
        sanctionable_us = step_us = None
        in_force = onwards(self.since_us) if one.in_force is None else IntervalSet.of((one.in_force,))
        if one.sanctioned_at_all and not one.best_efforts:
            sanctionable_us = self._when(self._missed() & in_force)
            if one.step is not None and (one.step < one.limit or sanctionable_us == 0):
                step_us = self._when(self._below(one.limit, one.step) & in_force)
        left_us = self._left(frame) if one.kind == "availability" else None
        if one.kind == "availability" and left_us is None:
            return None
        counts_us = self._first(self.judged, self.journey) if one.kind != "availability" else None
        is_count = one.kind == "outage-count"
        return Effect(
            contract=one.contract,
            clause=one.clause,
            unit=one.unit,
            days=one.days,
            best_efforts=one.best_efforts,
            enough_measured=one.enough_measured,
            sanctionable_us=sanctionable_us,
            step_us=step_us or None,
            left_us=left_us,
            weighted=len(one.judged.strands) > 1,
            longest_us=int(one.limit) if one.kind == "outage-duration" else None,
            reached_us=None if is_count else counts_us,
            allowed=int(one.limit) if is_count else None,
            number=self._number(counts_us) if is_count else None,
            counts_us=counts_us if is_count else None,
        )

    def _missed(self) -> IntervalSet:
        """Until which instants the outage may last for the clause to be missed, and to be sanctioned for it."""
        one = self.standing
        match one.kind:
            case "availability":
                return self._below(one.limit, one.limit)
            case "outage-duration":
                judged = at_least(self._each(self.judged, int(one.limit)), 1)
                return judged & self._beyond(self.sanctioned, self.journey, int(one.limit))
            case "outage-count":
                most, shortest = int(one.limit), one.at_least_us - 1
                judged = at_least(self._each(self.judged, shortest), most + 1)
                return judged & at_least(self._each(self.sanctioned, shortest), most + 1)

    def _below(self, target: Fraction | int, step: Fraction | int) -> IntervalSet:
        """When the figure is below the target as it is judged, and below a step as it is sanctioned."""
        return self._instants(self.judged.lost(target)) & self._instants(self.sanctioned.lost(step))

    def _instants(self, asked: _Asked) -> IntervalSet:
        found = []
        for frame in self.standing.frames:
            terms, limit = asked.of(frame)
            if terms:
                at_us = first_beyond(terms, limit, frame, self.since_us)
                found += [] if at_us is None else [Span(start_us=at_us, end_us=frame.instants.end_us)]
        return IntervalSet.of(found)

    def _beyond(self, going: _Going, name: str, limit: int) -> IntervalSet:
        """When more than so much of the outage of a journey that is under way counts."""
        return self._instants(_Outage(going.running(name), limit))

    def _each(self, going: _Going, limit: int) -> list[IntervalSet]:
        """The same of every outage, those that are over included."""
        return [self._instants(_Outage(time, limit)) for time in going.each() if time]

    def _first(self, going: _Going, name: str) -> int | None:
        limit = self.standing.at_least_us - 1 if self.standing.kind == "outage-count" else int(self.standing.limit)
        found = self._beyond(going, name, limit)
        return found.spans[0].start_us if found else None

    def _number(self, counts_us: int | None) -> int | None:
        if counts_us is None:
            return None
        at_us = max(self.now_us, counts_us)
        return sum(
            bool(one.meeting(at_us, at_us + 1)) for one in self._each(self.judged, self.standing.at_least_us - 1)
        )

    def _left(self, frame: Frame) -> int | None:
        """Downtime at the present pace until the target is passed; None where none of it is of the clause's time."""
        terms, limit = self.judged.lost(self.standing.limit).of(frame)
        going = self.judged.under_way
        pace = sum(term.weight for term, is_going in zip(terms, going, strict=True) if is_going) if terms else 0
        if not pace:
            return None
        return (limit - weighed(terms, frame.window.start_us, self.now_us)) // pace

    def _when(self, missed: IntervalSet) -> int | None:
        """Since when it is so now, else from when on it will be; 0: it was before this outage."""
        now = missed.meeting(self.now_us, self.now_us + 1)
        if now:
            return 0 if now[0].start_us <= self.since_us else now[0].start_us
        later = missed.meeting(self.now_us + 1, FOR_EVER_US)
        return later[0].start_us if later else None


# --- downtime that goes on -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Going:
    """A clause's downtime by one choice of edges, if all that fails goes on failing.

    Attributes:
        begins: of the outages that are under way.
        over: the outages that are not.
        strands: each with its downtime.
        under_way: of each strand whether it is down.
    """

    begins: Mapping[str, int]
    over: tuple[Span, ...]
    strands: tuple[tuple[Strand, IntervalSet], ...]
    under_way: tuple[bool, ...]

    @classmethod
    def of(cls, standing: Standing, view: View, failing: Mapping[str, Streak]) -> _Going:
        begins, over = {}, []
        for name, outages in standing.outages.items():
            streak = failing.get(name)
            if streak is not None and standing.rule.degraded_is_down:
                streak = streak.or_slow or streak
            begin_us = FOR_EVER_US if streak is None else streak.begin(view.boundary)
            for raw in outages:
                if streak is not None and raw.last_bad_us >= streak.first_bad_us:
                    begin_us = min(begin_us, raw.span(view.boundary).start_us)
                else:
                    over.append(raw.span(view.boundary))
            if streak is not None:
                begins[name] = begin_us
        strands = tuple((strand, _lost(strand, begins)) for strand in view.strands)
        return cls(
            begins=begins,
            over=tuple(over),
            strands=strands,
            under_way=tuple(_is_down(strand, begins) for strand, _ in strands),
        )

    def running(self, name: str) -> IntervalSet:
        """What counts of the outage of a journey that is under way."""
        return self.strands[0][1] & onwards(self.begins[name])

    def each(self) -> Iterator[IntervalSet]:
        """What counts of every outage."""
        yield from (self.running(name) for name in self.begins)
        yield from (IntervalSet.of((span,)) & self.strands[0][1] for span in self.over)

    def is_touched_by(self, name: str) -> bool:
        return any(
            going and name in strand.down for (strand, _), going in zip(self.strands, self.under_way, strict=True)
        )

    def lost(self, ratio: Fraction | int) -> _Lost:
        return _Lost(self.strands, Fraction(ratio))


def _lost(strand: Strand, begins: Mapping[str, int]) -> IntervalSet:
    if not strand.all_of:
        # Whatever else was down after the first of them began falls within what it goes on to lose.
        first_us = min((begins[name] for name in strand.down if name in begins), default=FOR_EVER_US)
        return strand.open & (before(strand.any_down, first_us) | onwards(first_us))
    found = strand.open
    for name, down in strand.down.items():
        found &= before(down, begins[name]) | onwards(begins[name]) if name in begins else down
    return found


def _is_down(strand: Strand, begins: Mapping[str, int]) -> bool:
    failing = [name in begins for name in strand.down]
    return all(failing) if strand.all_of else any(failing)


class _Asked(Protocol):
    """What is added up in a frame, and what it must not pass."""

    def of(self, frame: Frame) -> tuple[tuple[Term, ...], int]: ...


@dataclass(frozen=True, slots=True)
class _Lost:
    """Downtime as a share: one less the ratio is passed by the weighted mean of what each strand lost of its time.

    Everything is multiplied by what makes it whole: where a mean of fractions is below a ratio, this sum is above a
    limit.
    """

    strands: tuple[tuple[Strand, IntervalSet], ...]
    ratio: Fraction

    def of(self, frame: Frame) -> tuple[tuple[Term, ...], int]:
        window = IntervalSet.of((frame.window,))
        known = [
            (strand.known & window).length_us
            if strand.counts.meeting(frame.window.start_us, frame.window.end_us)
            else 0
            for strand, _ in self.strands
        ]
        if not any(known):
            return (), 0
        whole, weights = lcm(*(us for us in known if us)), 0
        terms = []
        for (strand, lost), us in zip(self.strands, known, strict=True):
            weight = strand.weight * (whole // us) * self.ratio.denominator if us else 0
            weights += strand.weight if us else 0
            terms.append(Term(weight=weight, time=lost if us else EMPTY))
        return tuple(terms), (self.ratio.denominator - self.ratio.numerator) * weights * whole


@dataclass(frozen=True, slots=True)
class _Outage:
    """How much of one outage counts."""

    time: IntervalSet
    limit: int

    def of(self, frame: Frame) -> tuple[tuple[Term, ...], int]:
        return (Term(weight=1, time=self.time),), self.limit


# --- in what order it is told --------------------------------------------------------------------------------------


def _says_something(effect: Effect) -> bool:
    told = (effect.sanctionable_us, effect.left_us, effect.reached_us, effect.number)
    return any(one is not None for one in told)


def _pressing(effect: Effect) -> tuple[int, bool, int, str]:
    at_us = FOR_EVER_US if effect.sanctionable_us is None else effect.sanctionable_us
    return at_us, effect.best_efforts, FOR_EVER_US if effect.left_us is None else effect.left_us, effect.clause
