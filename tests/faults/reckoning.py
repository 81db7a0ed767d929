"""What a monitor made of a scene: every sample, slot and mail accounted for, or named."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from monitor.assessing import assess_stored, intervals
from monitor.config import read_contract
from monitor.incidents import MONITOR
from monitor.schedule import grid
from monitor.store import events, incidents, outbox, samples
from monitor.store.database import Database, Transaction
from monitor.store.outbox import Settled
from sla.assessment import Span
from tests.faults.scene import READERS, Life
from tests.faults.world import Arrived, Served

_FOR_EVER_US = 2**62
_DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What was seen from outside while the monitor lived.

    Attributes:
        location: of the monitor.
        seen: per (check, slot) the run that was in the store at some time.
        served: every visit the portal received.
        arrived: every mail the server took.
        outages: journeys that failed long enough for an incident.
        refused: recipients the server refuses for good; nobody can promise them mail.
        refuses: the server refused a mail itself for good. It is lost if nothing on record says so for each reader.
        lives: of the process, in order; at the end of one it may have had runs in its hands.
        allowed_us: how long before its end a visit may be without its sample: a run, and what waits for its commit.
        late_us: how late a journey that is served well may begin; None where the fault keeps it from being on time.
    """

    location: str
    seen: dict[tuple[str, int], str]
    served: list[Served]
    arrived: list[Arrived]
    outages: set[str]
    lives: list[Life]
    refused: set[str] = field(default_factory=set)
    refuses: bool = False
    allowed_us: int = 2_000_000
    late_us: int | None = None


@dataclass(frozen=True, slots=True)
class Reckoning:
    """What is wrong, in words; empty where nothing is.

    Attributes:
        lost: samples that were in the store and are not, or that a visit should have left and did not.
        mails_lost: news nobody got, though it was to be told.
        mails_doubled: the same mail twice for the same reader, with the same Message-ID.
        slots: instants at which a check was due that are neither measured nor told as missed, or are both.
        others: whatever else does not add up.
    """

    lost: list[str] = field(default_factory=list)
    mails_lost: list[str] = field(default_factory=list)
    mails_doubled: list[str] = field(default_factory=list)
    slots: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)


def reckon(database: Path, contract: Path, seen: Evidence) -> Reckoning:
    """Compare what the store says with what was seen from outside. The monitor has ended."""
    found = Reckoning()
    store = Database.open(f"sqlite:///{database}", migrate=False)
    try:
        with store.read() as tx:
            _samples(tx, seen, found)
            _slots(tx, seen, found)
            _punctuality(tx, seen, found)
            _mails(tx, seen, found)
            _month(tx, contract, seen, found)
    finally:
        store.close()
    return found


def _samples(tx: Transaction, seen: Evidence, found: Reckoning) -> None:
    location = seen.location
    checks = {check_id for check_id, _ in seen.seen} | {visit.journey for visit in seen.served}
    kept = {
        (s.check_id, s.slot_us): s.run_id for c in checks for s in samples.between(tx, c, location, 0, _FOR_EVER_US)
    }
    for (check_id, slot_us), run_id in seen.seen.items():
        if kept.get((check_id, slot_us)) != run_id:
            found.lost.append(f"{check_id} at {slot_us}: was in the store, and is {kept.get((check_id, slot_us))}")
    runs = set(kept.values())
    followers = _followers(seen.served)
    for life in seen.lives:
        # What was under way at its end is told as missed by the next start; what came before must be there.
        until_us = (life.ended_us if life.killed else life.asked_us) - seen.allowed_us
        if life.kept_until_us is not None:
            until_us = min(until_us, life.kept_until_us)
        for visit in seen.served:
            if not visit.run_id or not life.began_us <= visit.at_us < until_us or visit.run_id in runs:
                continue
            if visit.well:
                found.lost.append(f"{visit.journey}: visit {visit.run_id} was answered, and has no sample")
            # A run that failed is made again at once, and the sample is of the second.
            elif followers.get(visit.run_id) not in runs:
                found.lost.append(
                    f"{visit.journey}: visit {visit.run_id} failed, and neither it nor its re-run is there"
                )


def _followers(served: Iterable[Served]) -> dict[str, str]:
    """Per run the next one of the same journey that the portal saw; the last ones have none."""
    last: dict[str, str] = {}
    found: dict[str, str] = {}
    for visit in sorted(served, key=lambda one: one.at_us):
        before = last.get(visit.journey)
        if before is not None and before != visit.run_id:
            found.setdefault(before, visit.run_id)
        last[visit.journey] = visit.run_id
    return found


#: Of a hundred slots so many may be told as missed where everything is promised to be on time: one machine for all.
_MISSED_OF_HUNDRED = 2


def _punctuality(tx: Transaction, seen: Evidence, found: Reckoning) -> None:
    """Whatever else breaks, what is served well is measured at its slots, and soon after they are due (T21)."""
    if seen.late_us is None:
        return
    missed = [
        event
        for event in events.read(tx, 0, _FOR_EVER_US, kinds=("missed-slots",))
        if event.check_id not in seen.outages
    ]
    for check_id in sorted({check_id for check_id, _ in seen.seen} - seen.outages):
        own = tuple(samples.between(tx, check_id, seen.location, 0, _FOR_EVER_US))
        number = sum(int(event.data["count"] or 0) for event in missed if event.check_id == check_id)
        if number > max(1, (len(own) + number) * _MISSED_OF_HUNDRED // 100):
            found.others.append(f"{check_id}: {number} slots were missed beside {len(own)} measured, though it is well")
        # The first run of a life makes up for the slot that its start missed.
        firsts = {next((one.slot_us for one in own if one.started_us >= life.began_us), None) for life in seen.lives}
        later = (one for one in own if one.slot_us not in firsts)
        worst = max(later, key=lambda one: one.started_us - one.slot_us, default=None)
        if worst is not None and worst.started_us - worst.slot_us > seen.late_us:
            late_ms = (worst.started_us - worst.slot_us) // 1000
            found.others.append(f"{check_id} at {worst.slot_us}: began {late_ms} ms late, though it is well")


def _slots(tx: Transaction, seen: Evidence, found: Reckoning) -> None:
    """Each instant of a check's grid, from its first to its last, is measured or told as missed, and not both.

    Instants that were lived again after the clock went back lie a millisecond beside the grid. They were accounted for
    when they were lived first, so nothing is asked of them here.
    """
    missed: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for event in events.read(tx, 0, _FOR_EVER_US, kinds=("missed-slots",)):
        missed[str(event.check_id)].append((int(event.data["from_us"] or 0), int(event.data["until_us"] or 0)))
    known = intervals(tx, _FOR_EVER_US)
    for check_id in sorted({check_id for check_id, _ in seen.seen}):
        every_us = known.at(check_id, _FOR_EVER_US)
        phase_us = grid(check_id, every_us).phase_us
        told = Counter(slot for since, until in missed[check_id] for slot in range(since, until, every_us))
        lines: defaultdict[int, set[int]] = defaultdict(set)
        for sample in samples.between(tx, check_id, seen.location, 0, _FOR_EVER_US):
            beside_us = (sample.slot_us - phase_us) % every_us
            lines[beside_us].add(sample.slot_us - beside_us)
        measured = lines[0]
        if not measured:
            found.slots.append(f"{check_id}: nothing was measured in its own time")
            continue
        for slot in range(min(measured), max(measured) + 1, every_us):
            if slot not in measured and slot not in told:
                found.slots.append(f"{check_id} at {slot}: neither measured nor told as missed")
        for slot, times in told.items():
            if slot in measured:
                found.slots.append(f"{check_id} at {slot}: measured, and told as missed")
            if times > 1:
                found.slots.append(f"{check_id} at {slot}: told as missed {times} times")


def _mails(tx: Transaction, seen: Evidence, found: Reckoning) -> None:
    counted = Counter((mail.message_id.strip("<>").partition("@")[0], mail.recipient) for mail in seen.arrived)
    for (message, reader), times in counted.items():
        if times > 1:
            found.mails_doubled.append(f"{message} came {times} times to {reader}")
    subjects = Counter(
        (mail.subject, mail.recipient) for mail in {(m.message_id, m.recipient): m for m in seen.arrived}.values()
    )
    found.others.extend(f'"{subject}" was written {n} times to {to}' for (subject, to), n in subjects.items() if n > 1)
    recorded = {
        (str(event.data["mail"]), str(event.data["to"]))
        for event in events.read(tx, 0, _FOR_EVER_US, kinds=("mail-refused",))
        if seen.refuses
    }
    for mail in outbox.read(tx):
        for reader in mail.readers:
            if reader.address in seen.refused or reader.state is Settled.SKIPPED:
                continue
            if not counted[mail.id, reader.address] and (mail.id, reader.address) not in recorded:
                found.mails_lost.append(
                    f"{mail.id} ({mail.kind.value}, {reader.state.value}) never came to {reader.address}"
                )
    opened = defaultdict(list)
    for incident in incidents.read(tx):
        opened[incident.check_id].append(incident)
    for journey in sorted(seen.outages):
        if not opened[journey]:
            found.mails_lost.append(f"{journey} failed, and no incident was opened")
        for incident in opened[journey]:
            told = outbox.told(tx, incident.id).addresses
            found.mails_lost.extend(f"{incident.id} was told to nobody at {r}" for r in READERS if r not in told)
    found.others.extend(
        f"{journey} did not fail, and has an incident"
        for journey in opened
        if journey not in seen.outages and opened[journey] and journey != MONITOR
    )


def _month(tx: Transaction, contract: Path, seen: Evidence, found: Reckoning) -> None:
    """The accounting identity: the engine refuses totals that do not add up to the service time."""
    newest = max(
        (s.slot_us for c in intervals(tx, _FOR_EVER_US).changes for s in samples.latest(tx, c, seen.location, limit=1)),
        default=None,
    )
    if newest is None:
        found.others.append("nothing was measured at all")
        return
    agreed, _ = read_contract(contract)
    period = Span(start_us=newest - 3 * _DAY_US, end_us=newest + _DAY_US)
    try:
        assessment = assess_stored(tx, agreed, period)
    except ValueError as error:
        found.slots.append(f"the accounting identity does not hold: {error}")
        return
    served: Counter[str] = Counter()
    for result in assessment.clauses:
        # Around the turn of a month a clause is assessed for each of the two.
        if result.totals is not None:
            served[result.clause.id] += result.totals.service_us
    for clause, service_us in served.items():
        if service_us != period.end_us - period.start_us:
            found.slots.append(f"{clause}: {service_us} us of service in {period}")
