"""What an outage does to a contract if it goes on: when it becomes sanctionable, and how much downtime is left then.

A forecast, in two parts so that it costs nothing at the moment it is needed: `standings` takes from an assessment where
each clause stands, and `effects` reckons on from there for one outage, along the service time that is still to come.
Left out, rather than guessed at: clauses of which one journey alone is not the whole (weighted means, `all` of
several), rolling periods, and what cannot be sanctioned or counts no downtime.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import Literal

from sla.assess import Worked
from sla.budget import Outlook
from sla.clauses.availability import allowed_us
from sla.contract import AvailabilityClause, OutageDurationClause
from sla.contract_text import Boundary
from sla.intervals import EMPTY, IntervalSet, Span
from sla.sanctions import not_in_force
from sla.time_classes import Piece, by_formula

_FOR_EVER_US = 2**62

Unit = Literal["month", "quarter", "year"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Time of a clause's period as one boundary sees it.

    Attributes:
        open: in which downtime counts: service time that is not excluded (nor in grace), the days to come included.
        down: what counted so far, together `down_us`.
        known_us: of what a ratio is a share.
    """

    open: IntervalSet
    down: IntervalSet
    down_us: int
    known_us: int

    def spent_before(self, at_us: int) -> int:
        return self.down_us - _within(self.down, at_us, _FOR_EVER_US)

    def lost_between(self, start_us: int, end_us: int) -> int:
        """Downtime from one instant to another, were all of it down."""
        return _within(self.open, start_us, end_us)

    def reached(self, needed_us: int, since_us: int) -> int | None:
        """The instant at which an outage that goes on since `since_us` brings downtime to so much; None: never."""
        left_us = needed_us - self.spent_before(since_us)
        if left_us <= 0:
            return 0
        return _after(self.open, since_us, left_us)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a clause that counts downtime stood at `assessed_us`.

    Attributes:
        scope: journeys of which each one alone makes the clause's time count as down.
        period: the part of the clause's own period that is judged.
        enough_measured: whether the contract's minimum coverage is met so far.
        judged, sanctioned: by the edges that judging and sanctions use.
        limit: a target ratio, or the longest an outage may last in microseconds.
        step: ratio below which the next sanction step after what was counted lies; None where there is none.
        allowed_us: downtime allowed over the period; None where the clause allows none by the period.
        sanctioned_at_all: whether a miss costs anything, for what is still to come.
    """

    contract: str
    clause: str
    unit: Unit
    scope: tuple[str, ...]
    period: Span
    assessed_us: int
    best_efforts: bool
    enough_measured: bool
    judged: Ground
    sanctioned: Ground
    limit: Fraction | int
    step: Fraction | None = None
    allowed_us: int | None = None
    sanctioned_at_all: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What an outage does to one clause if it goes on.

    Attributes:
        best_efforts: then nothing here is ever sanctioned by itself.
        enough_measured: False: too little was measured so far for a verdict, and so for a sanction.
        sanctionable_us: when the clause is missed by it, so that it can carry a sanction; in the past where it is
            already; 0 where it was before this outage; None: not in this period, or never.
        step_us: when the next sanction step after that is reached, in this period; None: none, or not known.
        left_us: downtime left in the period when it was reckoned, negative where more was spent than allowed; None for
            clauses that allow none by the period.
    """

    contract: str
    clause: str
    unit: Unit
    best_efforts: bool
    enough_measured: bool
    sanctionable_us: int | None
    step_us: int | None
    left_us: int | None


# --- where the clauses stand ---------------------------------------------------------------------------------------


def standings(
    worked: Worked, ahead: Iterable[Outlook], *, now_us: int, unit: Unit, coverage: Fraction | None
) -> tuple[Standing, ...]:
    """Where every clause stands whose own period is this unit.

    Args:
        worked: of the whole period, the days to come included, with what was measured up to `now_us`.
        ahead: its outlooks at `now_us`.
        coverage: share of the service time so far that was measured; None where there was none.
    """
    steps = {(o.budget.result.clause.id, o.budget.result.version.number, o.budget.result.period): o.step for o in ahead}
    found = []
    for piece in worked.pieces:
        clause, least = piece.clause, piece.version.minimum_coverage
        if clause.period.unit != unit or not _one_is_enough(piece):
            continue
        assert isinstance(clause, AvailabilityClause | OutageDurationClause)
        ratio = isinstance(clause, AvailabilityClause)
        step = steps.get((clause.id, piece.version.number, piece.span)) if ratio else None
        rule = clause.sanction
        found.append(
            Standing(
                contract=worked.assessment.contract.contract,
                clause=clause.id,
                unit=unit,
                scope=clause.scope,
                period=piece.span,
                assessed_us=now_us,
                best_efforts=clause.obligation == "best-efforts",
                enough_measured=least is None or coverage is None or coverage >= least,
                judged=_ground(piece, clause.boundary, EMPTY),
                sanctioned=_ground(piece, rule.boundary if rule else "certain", piece.grace),
                limit=clause.target if isinstance(clause, AvailabilityClause) else clause.limit,
                step=step.below if step else None,
                allowed_us=allowed_us(piece.classes(clause.boundary).totals(), clause)
                if isinstance(clause, AvailabilityClause)
                else None,
                sanctioned_at_all=rule is not None and not_in_force(rule, piece.span, piece.timezone) is None,
            )
        )
    return tuple(found)


def _one_is_enough(piece: Piece) -> bool:
    """Whether the downtime of one journey alone is the clause's downtime."""
    clause = piece.clause
    if not isinstance(clause, AvailabilityClause | OutageDurationClause):
        return False
    return len(clause.scope) == 1 or clause.combine == "any"


def _ground(piece: Piece, boundary: Boundary, forgiven: IntervalSet) -> Ground:
    found = piece.classes(boundary, forgiven=forgiven)
    excluded_us = 0 if by_formula(piece.clause) else found.excluded.length_us
    return Ground(
        open=found.service - found.excluded - forgiven,
        down=found.down,
        down_us=found.down.length_us,
        known_us=found.service.length_us - excluded_us,
    )


# --- reckoning on from there ---------------------------------------------------------------------------------------


def effects(
    known: Iterable[Standing], journey: str, *, since_us: int, now_us: int, stale_us: int
) -> tuple[Effect, ...]:
    """What an outage of a journey does to the clauses that speak of it, the most pressing first.

    Args:
        since_us: when it began.
        stale_us: a standing older than this is not reckoned on from: other outages may have come since.
    """
    found = [
        _effect(one, since_us, now_us)
        for one in known
        if journey in one.scope
        and one.period.start_us <= now_us < one.period.end_us
        and abs(now_us - one.assessed_us) <= stale_us
    ]
    return tuple(sorted((e for e in found if _says_something(e)), key=_pressing))


def _effect(one: Standing, since_us: int, now_us: int) -> Effect:
    sanctionable_us = step_us = None
    if one.sanctioned_at_all and not one.best_efforts:
        if isinstance(one.limit, Fraction):
            sanctionable_us = _below(one, one.limit, since_us)
            if one.step is not None and (one.step < one.limit or sanctionable_us == 0):
                step_us = _below(one, one.step, since_us)
        else:
            sanctionable_us = _later(_after(ground.open, since_us, one.limit + 1) for ground in _grounds(one))
    left_us = None
    if one.allowed_us is not None:
        spent_us = one.judged.spent_before(since_us) + one.judged.lost_between(since_us, now_us)
        left_us = one.allowed_us - spent_us
    return Effect(
        contract=one.contract,
        clause=one.clause,
        unit=one.unit,
        best_efforts=one.best_efforts,
        enough_measured=one.enough_measured,
        sanctionable_us=sanctionable_us,
        step_us=step_us or None,
        left_us=left_us,
    )


def _below(one: Standing, ratio: Fraction, since_us: int) -> int | None:
    """When the figure falls below a ratio, both for judging and for sanctions; 0: it had before this outage."""
    return _later(
        ground.reached(floor((1 - ratio) * ground.known_us) + 1, since_us) if ground.known_us else None
        for ground in _grounds(one)
    )


def _grounds(one: Standing) -> tuple[Ground, Ground]:
    return one.judged, one.sanctioned


def _later(instants: Iterable[int | None]) -> int | None:
    found = list(instants)
    return None if None in found else max(at for at in found if at is not None)


def _says_something(effect: Effect) -> bool:
    return effect.sanctionable_us is not None or effect.left_us is not None


def _pressing(effect: Effect) -> tuple[int, bool, int, str]:
    at_us = _FOR_EVER_US if effect.sanctionable_us is None else effect.sanctionable_us
    return at_us, effect.best_efforts, _FOR_EVER_US if effect.left_us is None else effect.left_us, effect.clause


def _after(spans: IntervalSet, since_us: int, length_us: int) -> int | None:
    """The instant, from `since_us` on, at which so much of a set has passed; None where it is not that long."""
    for span in spans.meeting(since_us, _FOR_EVER_US):
        start_us = max(span.start_us, since_us)
        if length_us <= span.end_us - start_us:
            return start_us + length_us
        length_us -= span.end_us - start_us
    return None


def _within(spans: IntervalSet, start_us: int, end_us: int) -> int:
    """How much of a set lies between two instants."""
    return sum(min(s.end_us, end_us) - max(s.start_us, start_us) for s in spans.meeting(start_us, end_us))
