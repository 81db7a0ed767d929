"""What several locations say together about a check at one moment.

The same reckoning as that of agreements over time (`sla.measurements.merged`): each location has one vote, its newest
sample. One that is older than two intervals is no vote, nor is one that could not measure. With a quorum so many votes
make a check down; without one it is down where every location that measured says so, for one that still gets through
proves that it works. Too few votes of failure, and nobody who got through, decide nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from monitor.incidents import Healthy, IncidentRule, Ongoing, State
from monitor.store import incidents, samples
from monitor.store.database import Transaction
from probes.checks import Check
from probes.sample import Failure, FailureKind, Outcome, Sample

#: A vote counts for so many intervals.
INTERVALS = 2

#: Per check the locations that measure it.
Places = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the votes come to.

    Attributes:
        outcome: unknown where they decide nothing.
        failure: what was seen by the newest vote of this outcome, or by a lone one that decides nothing; None exactly
            when the outcome is up.
        failing, working: the locations whose votes say so, by name; slow counts as working.
    """

    outcome: Outcome
    failure: Failure | None
    failing: tuple[str, ...] = ()
    working: tuple[str, ...] = ()


_NO_VOTE = Failure(kind=FailureKind.MONITOR, subject="locations", expected="a sample of the last two intervals")


def verdict(newest: Iterable[Sample], *, quorum: int | None, as_of_us: int, interval_us: int) -> Verdict:
    """What the newest sample of each location comes to.

    Args:
        newest: one of each location at most.
        quorum: votes of failure that make a check down; None: all that measured.
        as_of_us: a vote is older than this by less than two of the check's intervals.
    """
    votes = sorted(
        (one for one in newest if one.slot_us > as_of_us - INTERVALS * interval_us),
        key=lambda one: (one.slot_us, one.location),
    )
    bad = [one for one in votes if one.outcome is Outcome.DOWN]
    good = [one for one in votes if one.outcome in (Outcome.UP, Outcome.DEGRADED)]
    seen = {"failing": _names(bad), "working": _names(good)}
    if bad and (len(bad) >= quorum if quorum is not None else not good):
        return Verdict(outcome=Outcome.DOWN, failure=bad[-1].failure, **seen)
    if any(one.outcome is Outcome.UP for one in good):
        return Verdict(outcome=Outcome.UP, failure=None, **seen)
    if good:
        return Verdict(outcome=Outcome.DEGRADED, failure=good[-1].failure, **seen)
    undecided = (bad or votes)[-1:]
    return Verdict(outcome=Outcome.UNKNOWN, failure=undecided[0].failure if undecided else _NO_VOTE, **seen)


def _names(votes: Iterable[Sample]) -> tuple[str, ...]:
    return tuple(sorted(one.location for one in votes))


def newest(tx: Transaction, check_id: str, locations: Sequence[str], *, until_us: int) -> tuple[Sample, ...]:
    """The newest sample of each of these locations that has one, due at `until_us` at the latest.

    After a clock was set back there are samples of a time that is still to come; nobody would be heard until then.
    """
    found = (samples.latest(tx, check_id, location, limit=1, before_us=until_us + 1) for location in locations)
    return tuple(sample for recent in found for sample in recent)


def heard(tx: Transaction, check: Check, sample: Sample, rule: IncidentRule, places: Places) -> Sample | None:
    """The sample that moves the check's incident after this one was stored: itself, or what all locations say with it.

    It is put beside the others as they were until this location spoke again, an interval later: what was handed in late
    is heard as if it had come in time. None where nothing is heard: its location is not one of the check's, or has
    spoken again already, or had been silent for longer than a vote counts.
    """
    locations = places.get(check.id, ())
    if len(locations) < 2:
        return sample if not locations or sample.location in locations else None
    votes = newest(tx, check.id, locations, until_us=sample.slot_us + check.interval - 1)
    as_of_us = max((one.slot_us for one in votes), default=sample.slot_us)
    current = any(one.location == sample.location and one.slot_us == sample.slot_us for one in votes)
    if not current or sample.slot_us <= as_of_us - INTERVALS * check.interval:
        return None
    found = verdict(votes, quorum=rule.quorum, as_of_us=as_of_us, interval_us=check.interval)
    attempts = sample.attempts if sample.outcome is Outcome.DOWN else 1
    if rule.quorum is not None:
        attempts = rule.open_after  # locations that agree confirm each other, as a re-run confirms a failure at one
    return replace(sample, slot_us=as_of_us, outcome=found.outcome, failure=found.failure, blip=None, attempts=attempts)


def is_overtaken(tx: Transaction, said: Sample, state: State, *, now_us: int) -> bool:
    """Whether later words than this one were heard already, so that it moves the check's incident no more.

    An outpost that was cut off hands in what is of the past; of an outage that was decided since, it says nothing. A
    word from beyond now is of a clock that was ahead, and overtakes nothing.

    Args:
        state: the check's, as it stands.
    """
    match state:
        case Healthy():
            if said.outcome is not Outcome.DOWN:
                return False  # it moves nothing anyway
            newest = incidents.read(tx, check_id=said.check_id, limit=1)
            known_us = newest[0].until_us if newest else None
        case Ongoing():
            known_us = state.last_bad_us
        case _:
            known_us = state.last_us
    return known_us is not None and said.slot_us < known_us <= now_us
