"""When people are told that something is wrong: the life of an incident, as one pure function.

An incident is operational; what a contract makes of the same samples is decided in `sla/`, and never here.

How samples move it:
- `down` is a failure. A slot in which the run and its immediate re-run both failed counts as two.
- `up` and `degraded` are good: the visitor was served.
- So many failures among so many of the last runs open an incident; where both numbers are the same, they are failures
  in a row. Good samples in a row end it.
- `unknown` says nothing about the portal. It neither opens nor closes an incident, and it does not wipe out what was
  known: a failure, five unmeasured minutes and another failure are two failures in a row, for nothing good was seen in
  between. Only when such a silence lasts beyond `IncidentRule.forget_after` does a streak that led to nothing yet begin
  anew, because an incident dated before the silence would claim an hour that nobody looked at. An open incident stays
  open through any silence.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal, Self, assert_never

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from monitor.attribution import Cause
from monitor.severity import Severity
from probes.checks import Duration
from probes.sample import Failure, FailureKind, Outcome, Sample

_HOUR_US = 3_600_000_000
#: Slots of a schedule lie on multiples of this (`monitor.schedule.WHEEL_US`).
_PLACE_US = 25_000

#: The check id under which the monitor's own trouble is kept. No check of the configuration may be called so.
MONITOR = "monitor"
#: What an outpost that is silent is called in the monitor's own trouble: subject of its `Failure`.
OUTPOST = "outpost"
#: The check id of the daily drill; no check of the configuration may be called so either.
DRILL = "loketwacht-oefening"


class IncidentRule(BaseModel):
    """When an incident opens, closes, and is brought up again.

    Attributes:
        open_after: failures among the last `open_among` runs that open one; it is dated at the first of them.
        open_among: 0 takes `open_after`: in a row. Only a re-run that failed too is a run of its own.
        close_after: good samples in a row that close one; it ends at the first of them.
        quorum: locations that must fail at once, which confirms an incident by itself; None: all that measured must.
        rerun: whether a first failure is run again at once.
        forget_after: silence after which a streak that led to nothing yet begins anew.
        reminders: how long after the opening each reminder is sent, by the wall clock.
        remind_every: after the last of `reminders`, one more at every such length of time.
        unknown_after: runs in a row that could not be measured, after which the monitor reports itself.
        flapping_after: more openings than this within `flapping_within` are flapping, told once; 0: never.
        steady_after: flapping ends when nothing opened or ended for so long.
        degraded_after: so many degraded samples among the last `degraded_among` are told as slowness, and so many that
            are up among as many as its end; 0: never.
        degraded_among: 0 takes `degraded_after`: in a row.
        severity: of an incident where `severities` has nothing more precise.
        severities: by `check`, `check/step`, `check/kind of failure` or `*/kind of failure`.
        identity_providers: names of hosts; where a step asks one of them, the proposed cause is the identity provider.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    open_after: int = Field(default=2, ge=1, le=100)
    open_among: int = Field(default=0, ge=0, le=100)
    close_after: int = Field(default=2, ge=1, le=100)
    quorum: int | None = Field(default=None, ge=1, le=100)
    rerun: bool = True
    forget_after: Duration = _HOUR_US
    reminders: tuple[Duration, ...] = (_HOUR_US, 4 * _HOUR_US)
    remind_every: Duration = 24 * _HOUR_US
    unknown_after: int = Field(default=5, ge=1, le=1000)
    flapping_after: int = Field(default=3, ge=0, le=100)
    flapping_within: Duration = _HOUR_US
    steady_after: Duration = _HOUR_US // 2
    degraded_after: int = Field(default=5, ge=0, le=1000)
    degraded_among: int = Field(default=0, ge=0, le=1000)
    severity: Severity = Severity.MAJOR
    severities: dict[str, Severity] = Field(default_factory=dict)
    identity_providers: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _not_more_than_looked_at(self) -> Self:
        """Three failures among two runs would never be seen."""
        if self.open_among and self.open_among < self.open_after:
            raise ValueError(
                f"open_among is {self.open_among}; with open_after = {self.open_after} it must lie between that and "
                "100, or be 0 for failures in a row"
            )
        return self

    @model_validator(mode="after")
    def _most_of_them(self) -> Self:
        """Fewer than half would be slow and fast at the same time, and told in turns."""
        if self.degraded_among and not self.degraded_after <= self.degraded_among < 2 * max(self.degraded_after, 1):
            raise ValueError(
                f"degraded_among is {self.degraded_among}; with degraded_after = {self.degraded_after} it must lie "
                f"between that and {max(2 * self.degraded_after - 1, 0)}, or be 0 for samples in a row"
            )
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Healthy:
    """Nothing is wrong as far as we know; also the state of a check that was never measured."""

    kind: Literal["healthy"] = "healthy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One run that is remembered; no failure: it was good."""

    slot_us: int
    failure: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """It failed, but not often enough yet.

    Attributes:
        since_us: slot of the first failure that still counts.
        last_us: slot of the latest run that counts, good or not.
        failures: how many count so far; a re-run that failed too is one of them.
        failure: the first one.
        marks: the latest runs from that failure on. Empty in what an earlier version stored of failures in a row: then
            all of them failed.
    """

    since_us: int
    last_us: int
    failures: int
    failure: Failure
    marks: tuple[Mark, ...] = ()
    kind: Literal["suspect"] = "suspect"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ongoing:
    """An open incident, last seen failing at `last_bad_us`."""

    incident_id: str
    since_us: int
    last_bad_us: int
    failure: Failure
    kind: Literal["ongoing"] = "ongoing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovering:
    """An open incident that was seen good since `good_since_us`, but not often enough yet."""

    incident_id: str
    since_us: int
    last_bad_us: int
    failure: Failure
    good_since_us: int
    last_us: int
    good: int
    kind: Literal["recovering"] = "recovering"


State = Annotated[Healthy | Suspect | Ongoing | Recovering, Field(discriminator="kind")]
STATE: TypeAdapter[State] = TypeAdapter(State)
HEALTHY = Healthy()


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An incident opened: dated `since_us`, known since the slot `confirmed_us`.

    Attributes:
        failure: the first one.
        further: those that confirmed it with the first one, oldest first; empty where that one was enough.
    """

    incident_id: str
    since_us: int
    confirmed_us: int
    failure: Failure
    further: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """An open incident was seen failing once more."""

    incident_id: str
    last_bad_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """An incident ended at `until_us`, the slot of the first good sample that stayed good."""

    incident_id: str
    since_us: int
    until_us: int
    last_bad_us: int


Event = Opened | Failed | Resolved


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """An incident as it is stored and shown.

    Attributes:
        until_us: None while it is open.
        failure: the first one of its streak.
        reminders: how many reminder instants have passed and been dealt with.
        severity: as the configuration had it when it opened, or when something worse failed since; None where it was
            not kept yet (before schema 0011), and for the monitor's own.
        worse_us: slot since which it is as bad as that; None: from the beginning.
        worse_failure: what failed then.
        cause: what the monitor proposed when it opened; None as for `severity`.
    """

    id: str
    check_id: str
    since_us: int
    confirmed_us: int
    last_bad_us: int
    failure: Failure
    until_us: int | None = None
    reminders: int = 0
    severity: Severity | None = None
    worse_us: int | None = None
    worse_failure: Failure | None = None
    cause: Cause | None = None


def last_failed_us(state: State) -> int | None:
    """Slot of the latest failure that a state remembers; None where nothing is wrong."""
    match state:
        case Healthy():
            return None
        case Suspect():
            return max((mark.slot_us for mark in state.marks if mark.failure is not None), default=state.last_us)
        case Ongoing() | Recovering():
            return state.last_bad_us
        case _:
            assert_never(state)


def incident_id(check_id: str, since_us: int) -> str:
    """Readable, unique, and the same on every replay: the check and the instant (UTC) of its first failure.

    A slot that is run again after the clock was set back lies a millisecond beside its place; its incident, which would
    have the same second, says so at the end of its name.
    """
    since = datetime.fromtimestamp(since_us // 1_000_000, UTC)
    beside_us = since_us % _PLACE_US
    return f"{check_id}-{since:%Y%m%dT%H%M%SZ}" + (f"-{beside_us}" if beside_us else "")


def advance(state: State, sample: Sample, rule: IncidentRule, *, interval_us: int) -> tuple[State, tuple[Event, ...]]:
    """What one more sample makes of a check's state.

    Args:
        sample: later than every sample that went before, unless the clock was set back. Then an incident ends when it
            was last seen failing at the earliest: it never lasts less than no time.
        interval_us: of the check; a silence shorter than three intervals never makes it forget.

    Returns:
        The new state, and what happened.
    """
    if sample.outcome is Outcome.UNKNOWN:
        return state, ()
    forget_us = max(rule.forget_after, 3 * interval_us)
    if sample.outcome is Outcome.DOWN:
        return _failing(state, sample, rule, forget_us)
    return _good(state, sample, rule, forget_us)


def _failing(state: State, sample: Sample, rule: IncidentRule, forget_us: int) -> tuple[State, tuple[Event, ...]]:
    assert sample.failure is not None
    match state:
        case Healthy() | Suspect():
            return _suspected(_remembered(state, sample.slot_us, forget_us), sample, sample.failure, rule)
        case Ongoing() | Recovering():
            bad_us = max(state.last_bad_us, sample.slot_us)
            again = Ongoing(
                incident_id=state.incident_id, since_us=state.since_us, last_bad_us=bad_us, failure=state.failure
            )
            return again, (Failed(incident_id=state.incident_id, last_bad_us=bad_us),)
        case _:
            assert_never(state)


def _suspected(
    marks: tuple[Mark, ...], sample: Sample, failure: Failure, rule: IncidentRule
) -> tuple[State, tuple[Event, ...]]:
    for _ in range(sample.attempts):
        # One run after the other: whichever confirms, those that it confirms are still among the last ones then.
        marks = _that_count((*marks, Mark(slot_us=sample.slot_us, failure=failure)), rule)
        if sum(mark.failure is not None for mark in marks) >= rule.open_after:
            break
    else:
        return _suspect(marks), ()
    # Dated at the first failure, not at its confirmation: the visitor was already turned away then.
    first, since_us = _first(marks)
    name = incident_id(sample.check_id, since_us)
    further = tuple(mark.failure for mark in marks if mark.failure is not None)[1:]
    return (
        Ongoing(incident_id=name, since_us=since_us, last_bad_us=sample.slot_us, failure=first),
        (Opened(incident_id=name, since_us=since_us, confirmed_us=sample.slot_us, failure=first, further=further),),
    )


def _remembered(state: Healthy | Suspect, slot_us: int, forget_us: int) -> tuple[Mark, ...]:
    """The runs before this slot that count with it: none, where nobody looked for too long in between."""
    if isinstance(state, Healthy) or slot_us - state.last_us > forget_us:
        return ()
    if state.marks:
        return state.marks
    first = (Mark(slot_us=state.since_us, failure=state.failure),) * (state.failures - 1)
    return (*first, Mark(slot_us=max(state.since_us, state.last_us), failure=state.failure))


def _that_count(marks: tuple[Mark, ...], rule: IncidentRule) -> tuple[Mark, ...]:
    """The latest runs, from the first failure on with which enough of them can still come together."""
    among = rule.open_among or rule.open_after
    marks = marks[-among:]
    good = sum(mark.failure is None for mark in marks)
    for place, mark in enumerate(marks):
        if mark.failure is None:
            good -= 1
        elif good <= among - rule.open_after:
            return marks[place:]
    return ()


def _suspect(marks: tuple[Mark, ...]) -> State:
    if not marks:
        return HEALTHY
    failure, since_us = _first(marks)
    return Suspect(
        since_us=since_us,
        last_us=marks[-1].slot_us,
        failures=sum(mark.failure is not None for mark in marks),
        failure=failure,
        marks=marks,
    )


def _first(marks: tuple[Mark, ...]) -> tuple[Failure, int]:
    """The first failure, and the earliest slot of one: the clock may have been set back."""
    failed = [(mark.failure, mark.slot_us) for mark in marks if mark.failure is not None]
    return failed[0][0], min(slot_us for _, slot_us in failed)


def _good(state: State, sample: Sample, rule: IncidentRule, forget_us: int) -> tuple[State, tuple[Event, ...]]:
    slot_us = sample.slot_us
    match state:
        case Healthy():
            return HEALTHY, ()
        case Suspect():
            marks = (*_remembered(state, slot_us, forget_us), Mark(slot_us=slot_us))
            return _suspect(_that_count(marks, rule)), ()
        case Ongoing():
            return _recovered(state, slot_us, slot_us, 1, rule)
        case Recovering() if slot_us - state.last_us > forget_us:
            return _recovered(state, slot_us, slot_us, 1, rule)
        case Recovering():
            return _recovered(state, state.good_since_us, slot_us, state.good + 1, rule)
        case _:
            assert_never(state)


def _recovered(
    state: Ongoing | Recovering, good_since_us: int, slot_us: int, good: int, rule: IncidentRule
) -> tuple[State, tuple[Event, ...]]:
    if good < rule.close_after:
        recovering = Recovering(
            incident_id=state.incident_id,
            since_us=state.since_us,
            last_bad_us=state.last_bad_us,
            failure=state.failure,
            good_since_us=good_since_us,
            last_us=slot_us,
            good=good,
        )
        return recovering, ()
    return HEALTHY, (
        Resolved(
            incident_id=state.incident_id,
            since_us=state.since_us,
            until_us=max(good_since_us, state.last_bad_us),
            last_bad_us=state.last_bad_us,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Streak:
    """Runs of one check at one location in a row that could not be measured, and why the first one could not.

    Attributes:
        location: empty in what was stored before there were several; then any location ends it.
    """

    check_id: str
    location: str = ""
    since_us: int
    last_us: int
    interval_us: int
    length: int
    failure: Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTrouble:
    """What the monitor knows about its own measuring.

    Attributes:
        streaks: one for each check and location whose latest run could not be measured, by check.
        incident_id: of its own open incident; None where there is none. However many checks suffer, there is one.
    """

    streaks: tuple[Streak, ...] = ()
    incident_id: str | None = None
    since_us: int = 0


OWN: TypeAdapter[OwnTrouble] = TypeAdapter(OwnTrouble)


def advance_own(
    own: OwnTrouble, sample: Sample, rule: IncidentRule, *, interval_us: int
) -> tuple[OwnTrouble, tuple[Event, ...]]:
    """What one more sample, of any check, says about the monitor itself.

    Its own incident opens when some check could not be measured `unknown_after` times in a row, and ends when no check
    is left whose latest run could not be measured. A check that is measured no more is forgotten after a while.
    """
    slot_us = sample.slot_us
    before = next((one for one in own.streaks if _is_of(one, sample)), None)
    others = tuple(
        streak
        for streak in own.streaks
        if streak is not before and slot_us - streak.last_us <= max(rule.forget_after, 3 * streak.interval_us)
    )
    if sample.outcome is not Outcome.UNKNOWN:
        if own.incident_id is None or others:
            return OwnTrouble(streaks=others, incident_id=own.incident_id, since_us=own.since_us), ()
        until_us = max(own.since_us, slot_us)  # the clock may have been set back
        ended = Resolved(incident_id=own.incident_id, since_us=own.since_us, until_us=until_us, last_bad_us=until_us)
        return OwnTrouble(), (ended,)
    failure = sample.failure or Failure(kind=FailureKind.MONITOR)
    streak = Streak(
        check_id=sample.check_id,
        location=sample.location,
        since_us=min(before.since_us, slot_us) if before else slot_us,
        last_us=slot_us,
        interval_us=interval_us,
        length=before.length + 1 if before else 1,
        failure=before.failure if before else failure,
    )
    streaks = tuple(sorted((*others, streak), key=lambda one: (one.check_id, one.location)))
    if own.incident_id is not None:
        failed = Failed(incident_id=own.incident_id, last_bad_us=slot_us)
        return OwnTrouble(streaks=streaks, incident_id=own.incident_id, since_us=own.since_us), (failed,)
    if streak.length < rule.unknown_after:
        return OwnTrouble(streaks=streaks), ()
    since_us = min(one.since_us for one in streaks)
    name = incident_id(MONITOR, since_us)
    opened = Opened(incident_id=name, since_us=since_us, confirmed_us=slot_us, failure=streak.failure)
    return OwnTrouble(streaks=streaks, incident_id=name, since_us=since_us), (opened,)


def _is_of(streak: Streak, sample: Sample) -> bool:
    return streak.check_id == sample.check_id and streak.location in ("", sample.location)
