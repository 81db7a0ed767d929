"""Where the clauses that count outages stand, so that what a further outage does to them can be reckoned at once.

Taken from an assessment, in sets of instants: what counted so far, and the service time in which more may yet count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Literal

from sla.assess import Worked
from sla.budget import Outlook
from sla.contract import AvailabilityClause, Contract, OutageCountClause, OutageDurationClause
from sla.contract_text import Boundary
from sla.crossing import Frame, before
from sla.intervals import EMPTY, IntervalSet, Span
from sla.judged import piece_of
from sla.measurements import RawOutage, Rule, Track, union
from sla.period import DAY_S, civil_us, day_span, local_date
from sla.plan import Planned
from sla.sanctions import not_in_force
from sla.service_hours import version_span
from sla.time_classes import Piece, by_formula, rule_of

Unit = Literal["month", "quarter", "year", "rolling"]
Counting = AvailabilityClause | OutageDurationClause | OutageCountClause

#: How far a rolling period is looked ahead, and how long an outage may have lasted that is reckoned on from.
_DAYS_AHEAD, _DAYS_BACK = 31, 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Strand:
    """Journeys whose downtime is one figure.

    Attributes:
        weight: of that figure in the clause's; 1 where it is the only one.
        all_of: down only where all of its journeys are; else where any is.
        down: per journey, as far as it was assessed and counts.
        any_down: when any of them was.
        open: in which downtime counts: service time that is not excluded (nor in grace), the days to come included,
            less the gaps in what was measured.
        known: of what a ratio is a share.
        counts: a strand without any of this time in the period is left out of a mean.
    """

    weight: int
    all_of: bool
    down: Mapping[str, IntervalSet]
    any_down: IntervalSet
    open: IntervalSet
    known: IntervalSet
    counts: IntervalSet


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A clause by one choice of an outage's edges. Several strands are a weighted mean."""

    boundary: Boundary
    strands: tuple[Strand, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a clause that counts downtime or outages stood at `assessed_us`.

    Attributes:
        days: of a rolling period; 0 for others.
        frames: what is judged together: the part of the clause's own period that its version governs; of a rolling
            one, for each day the days that end with it.
        limit: a target ratio, the longest an outage may last in microseconds, or how many outages there may be.
        at_least_us: shorter outages are not counted, where their number is limited.
        enough_measured: whether the contract's minimum coverage is met so far.
        judged, sanctioned: by the edges that judging and sanctions use.
        outages: of each journey, as far as they were assessed.
        step: ratio below which the next sanction step after what was counted lies; None where there is none.
        sanctioned_at_all: whether a miss costs anything.
        in_force: when the sanction may be judged; None at any time.
    """

    contract: str
    clause: str
    kind: Literal["availability", "outage-duration", "outage-count"]
    unit: Unit
    days: int
    rule: Rule
    frames: tuple[Frame, ...]
    assessed_us: int
    best_efforts: bool
    enough_measured: bool
    judged: View
    sanctioned: View
    outages: Mapping[str, tuple[RawOutage, ...]]
    limit: Fraction | int
    at_least_us: int = 1
    step: Fraction | None = None
    sanctioned_at_all: bool = True
    in_force: Span | None = None

    @property
    def scope(self) -> Set[str]:
        return self.outages.keys()

    def frame_at(self, now_us: int) -> Frame | None:
        """The frame that holds an instant and is not over then."""
        if now_us >= self.frames[-1].window.end_us:
            return None
        return next((f for f in self.frames if f.instants.start_us <= now_us < f.instants.end_us), None)


def standings(
    worked: Worked, ahead: Iterable[Outlook], *, now_us: int, unit: Unit, coverage: Fraction | None
) -> tuple[Standing, ...]:
    """Where every clause stands whose own period is this calendar unit.

    Args:
        worked: of the whole period, the days to come included, with what was measured up to `now_us`.
        ahead: its outlooks at `now_us`.
        coverage: share of the service time so far that was measured; None where there was none.
    """
    steps = _steps(ahead)
    found = []
    for piece in worked.pieces:
        if piece.clause.period.unit != unit or not isinstance(piece.clause, Counting):
            continue
        rule = piece.clause.sanction
        instants = Span(start_us=piece.span.start_us, end_us=piece.span.end_us + 1)
        found.append(
            _standing(
                worked,
                piece,
                (Frame(window=piece.span, instants=instants),),
                now_us=now_us,
                coverage=coverage,
                step=steps.get((piece.clause.id, piece.version.number, piece.span)),
                sanctioned_at_all=rule is not None and not_in_force(rule, piece.span, piece.timezone) is None,
            )
        )
    return tuple(found)


def _steps(ahead: Iterable[Outlook]) -> dict[tuple[str, int, Span], Fraction]:
    return {
        (o.budget.result.clause.id, o.budget.result.version.number, o.budget.result.period): o.step.below
        for o in ahead
        if o.step is not None
    }


def _standing(
    worked: Worked,
    piece: Piece,
    frames: tuple[Frame, ...],
    *,
    now_us: int,
    coverage: Fraction | None,
    step: Fraction | None,
    sanctioned_at_all: bool,
    in_force: Span | None = None,
) -> Standing:
    clause, least, rule = piece.clause, piece.version.minimum_coverage, rule_of(piece.clause)
    assert isinstance(clause, Counting)
    return Standing(
        contract=worked.assessment.contract.contract,
        clause=clause.id,
        kind=clause.kind,
        unit=clause.period.unit,
        days=clause.period.days,
        rule=rule,
        frames=frames,
        assessed_us=now_us,
        best_efforts=clause.obligation == "best-efforts",
        enough_measured=least is None or coverage is None or coverage >= least,
        judged=_view(piece, clause.boundary, EMPTY, now_us),
        sanctioned=_view(piece, clause.sanction.boundary if clause.sanction else "certain", piece.grace, now_us),
        outages={name: tuple(o.raw for o in worked.outages.get((name, rule), ())) for name in clause.scope},
        limit=clause.target if isinstance(clause, AvailabilityClause) else clause.limit,
        at_least_us=clause.at_least if isinstance(clause, OutageCountClause) else 1,
        step=step if isinstance(clause, AvailabilityClause) else None,
        sanctioned_at_all=sanctioned_at_all,
        in_force=in_force,
    )


def _view(piece: Piece, boundary: Boundary, forgiven: IntervalSet, now_us: int) -> View:
    clause, scope = piece.clause, piece.clause.scope
    assert isinstance(clause, Counting)
    if isinstance(clause, AvailabilityClause) and piece.weights is not None:
        strands = [
            _strand(piece, (name,), weight, boundary, forgiven, now_us) for name, weight in piece.weights.items()
        ]
    else:
        strands = [_strand(piece, scope, 1, boundary, forgiven, now_us)]
    return View(boundary=boundary, strands=tuple(strands))


def _strand(
    piece: Piece, names: Sequence[str], weight: int, boundary: Boundary, forgiven: IntervalSet, now_us: int
) -> Strand:
    each = [piece.of_journey(name, boundary) for name in names]
    free = piece.service - union(c.excluded for c in each)
    # What was not measured by now stays so; of what is to come we take it that it will be.
    gaps = before(union(c.unmeasured for c in each), now_us)
    clause = piece.clause
    assert isinstance(clause, Counting)
    down = {name: piece.journeys[name].track.down(boundary) for name in names}
    return Strand(
        weight=weight,
        all_of=clause.combine == "all",
        down=down,
        any_down=union(down.values()),
        open=free - gaps - forgiven,
        known=piece.service if by_formula(clause) else free,
        counts=free,
    )


# --- rolling periods -----------------------------------------------------------------------------------------------


def rolling_days(contract: Contract) -> int:
    """Days of the longest rolling period in which the contract counts downtime or outages; 0 where there is none."""
    return max(
        (
            clause.period.days
            for version in contract.version
            for clause in version.clause
            if isinstance(clause, Counting) and clause.period.unit == "rolling"
        ),
        default=0,
    )


def rolling_reach(contract: Contract, now_us: int) -> Span:
    """What has to be assessed for `rolling_standings`."""
    today, timezone = local_date(now_us, contract.timezone), contract.timezone
    first = today - timedelta(days=rolling_days(contract) - 1 + _DAYS_BACK)
    return Span(start_us=_midnight(first, timezone), end_us=_midnight(today + timedelta(days=_DAYS_AHEAD), timezone))


def rolling_standings(worked: Worked, ahead: Iterable[Outlook], *, now_us: int) -> tuple[Standing, ...]:
    """Where every clause stands that is judged over a rolling period, in the version that is in force.

    Args:
        worked: over `rolling_reach`, with what was measured up to `now_us`.
        ahead: the outlooks at `now_us` of the rolling periods that end with this day.
    """
    contract, steps, timezone = worked.assessment.contract, _steps(ahead), worked.assessment.contract.timezone
    reach = worked.assessment.period
    found = []
    for version in contract.version:
        governs = version_span(version, timezone)
        if not governs.start_us <= now_us < governs.end_us:
            continue
        span = Span(start_us=max(reach.start_us, governs.start_us), end_us=min(reach.end_us, governs.end_us))
        pieces = [
            piece_of(
                Planned(clause=clause, version=version, span=span, whole=span, interim=False),
                timezone,
                track=lambda name, rule: worked.tracks.get((name, rule), Track()),
                decisions=worked.assessment.windows,
            )
            for clause in version.clause
            if isinstance(clause, Counting) and clause.period.unit == "rolling"
        ]
        for piece in pieces:
            frames = tuple(_rolling_frames(piece, local_date(now_us, timezone)))
            today = next(f.window for f in frames if f.instants.start_us <= now_us + 1 < f.instants.end_us)
            rule = piece.clause.sanction
            found.append(
                _standing(
                    worked,
                    piece,
                    frames,
                    now_us=now_us,
                    coverage=_coverage(pieces, piece, today, now_us),
                    step=steps.get((piece.clause.id, version.number, today)),
                    sanctioned_at_all=rule is not None,
                    in_force=_in_force(piece) if rule is not None else None,
                )
            )
    return tuple(found)


def _rolling_frames(piece: Piece, today: date) -> Iterator[Frame]:
    """For each day, from some days ago on, the days that end with it; an instant at midnight is the day's before it."""
    days, timezone = piece.clause.period.days, piece.timezone
    for offset in range(-_DAYS_BACK, _DAYS_AHEAD):
        here = day_span(today + timedelta(days=offset), timezone)
        first_us = _midnight(today + timedelta(days=offset - days + 1), timezone)
        start_us, end_us = max(first_us, piece.span.start_us), min(here.end_us, piece.span.end_us)
        if here.start_us < piece.span.start_us or here.start_us >= piece.span.end_us:
            continue
        yield Frame(
            window=Span(start_us=start_us, end_us=end_us),
            instants=Span(start_us=here.start_us + 1, end_us=here.end_us + 1),
        )


def _coverage(pieces: Sequence[Piece], about: Piece, window: Span, now_us: int) -> Fraction | None:
    """Of all clauses over the same days together, as far as those have gone."""
    due_us = known_us = 0
    so_far = IntervalSet.of((Span(start_us=window.start_us, end_us=max(window.start_us, now_us)),))
    for piece in pieces:
        if piece.clause.period.days != about.clause.period.days:
            continue
        assert isinstance(piece.clause, Counting)
        found = piece.classes(piece.clause.boundary)
        due = (found.service - found.excluded) & so_far
        due_us += due.length_us
        known_us += (due - found.unmeasured).length_us
    return Fraction(known_us, due_us) if due_us else None


def _in_force(piece: Piece) -> Span | None:
    """At which instants all days of the period lie within the dates of the sanction; None: at any."""
    rule, timezone = piece.clause.sanction, piece.timezone
    assert rule is not None
    if rule.valid_from is None and rule.valid_until is None:
        return None
    start_us, end_us = piece.span.start_us, piece.span.end_us + 1
    if rule.valid_from is not None and rule.valid_from > piece.version.valid_from:
        start_us = _midnight(rule.valid_from + timedelta(days=piece.clause.period.days - 1), timezone) + 1
    if rule.valid_until is not None:
        end_us = min(end_us, civil_us(rule.valid_until, DAY_S, timezone) + 1)
    return Span(start_us=start_us, end_us=max(start_us, end_us))


def _midnight(day: date, timezone: str) -> int:
    return civil_us(day, 0, timezone)
