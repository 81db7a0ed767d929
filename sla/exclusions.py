"""Claimed exclusions as decisions: force majeure, third parties, the authority's own doing.

A third party's failure takes only the seconds in which that dependency's own measurement was down too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from sla.assessment import Text, WindowDecision
from sla.intervals import EMPTY, IntervalSet, Span
from sla.ledger import Entry, Sealed, in_force
from sla.wording import length

_THIRD_PARTY = ("third-party", "third party", "derde", "derden")
#: Kinds that speak of an exclusion, and the status each stands for; `exclusion` says its own, accepted by default.
_STATUS = {
    "exclusion": "",
    "exclusion-claimed": "claimed",
    "exclusion-accepted": "accepted",
    "exclusion-refused": "refused",
}
_REFUSED = {"claimed": "gevraagd maar nog niet beslist", "refused": "geweigerd", "withdrawn": "ingetrokken"}


def third_party(entry: Entry) -> bool:
    return bool(entry.data.get("dependency")) or entry.data.get("ground", "").lower() in _THIRD_PARTY


def dependencies(ledger: Sequence[Sealed]) -> tuple[str, ...]:
    """Journeys whose own measurement limits an exclusion."""
    named = {s.entry.data.get("dependency", "") for s in ledger if s.entry.kind in _STATUS}
    return tuple(sorted(named - {""}))


def exclusion_decisions(
    ledger: Sequence[Sealed], period: Span, *, downtime: Callable[[str], IntervalSet]
) -> tuple[WindowDecision, ...]:
    """What becomes of every exclusion that touches the period.

    Args:
        ledger: the entries that are known.
        downtime: measured downtime of a dependency.
    """
    decisions = []
    for sealed in in_force(ledger):
        entry = sealed.entry
        if entry.kind not in _STATUS or entry.from_us is None or entry.until_us is None:
            continue
        claimed = Span(start_us=entry.from_us, end_us=entry.until_us)
        inside = IntervalSet.of((claimed,)) & IntervalSet.of((period,))
        if not inside:
            continue
        granted, reason = _granted(entry, inside, downtime)
        decisions.append(
            WindowDecision(
                entry=sealed.seq,
                kind="exclusion",
                claimed=claimed,
                granted=granted.spans,
                refused=(inside - granted).spans,
                scope=entry.scope,
                by=entry.by,
                reason=entry.reason,
                recorded_us=entry.recorded_us,
                reasons=(reason,),
                ground=entry.data.get("ground", ""),
                dependency=entry.data.get("dependency", ""),
            )
        )
    return tuple(decisions)


def _granted(entry: Entry, inside: IntervalSet, downtime: Callable[[str], IntervalSet]) -> tuple[IntervalSet, Text]:
    status = _STATUS[entry.kind] or entry.data.get("status", "accepted")
    if status != "accepted":
        return EMPTY, Text(
            nl=f"Niet uitgesloten: de uitsluiting is {_REFUSED.get(status, status)}.",
            en=f"Not excluded: the exclusion is {status}{', not decided yet' if status == 'claimed' else ''}.",
        )
    if not third_party(entry):
        ground = entry.data.get("ground", "")
        return inside, Text(
            nl=f"Uitgesloten bij beslissing van {entry.by}{f' ({ground})' if ground else ''}: {entry.reason}",
            en=f"Excluded by decision of {entry.by}{f' ({ground})' if ground else ''}: {entry.reason}",
        )
    dependency = entry.data.get("dependency", "")
    if not dependency:
        return EMPTY, Text(
            nl="Niet uitgesloten: de derde wordt niet zelf gemeten (geen dependency), dus staat zijn uitval niet vast.",
            en="Not excluded: the third party is not measured itself (no dependency), so its failure is not shown.",
        )
    granted = inside & downtime(dependency)
    taken, asked = length(granted.length_us), length(inside.length_us)
    return granted, Text(
        nl=f"Uitval van derden: van {asked.nl} is {taken.nl} uitgesloten, zolang ook {dependency} zelf uitviel.",
        en=f"Third party's failure: of {asked.en}, {taken.en} is excluded, as long as {dependency} itself was down.",
    )


def excluded(journey: str, decisions: Iterable[WindowDecision], *, third_parties: bool = True) -> IntervalSet:
    """The time that announcements and exclusions take out of a journey's service time."""
    return IntervalSet.of(
        span
        for d in decisions
        if (not d.scope or journey in d.scope) and (third_parties or not d.dependency)
        for span in d.granted
    )
