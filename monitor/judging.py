"""How bad an incident is, and what cause is proposed: judged once, by the configuration of its day, and kept.

A page of last year says what was said last year. What fails worse in the same incident makes it worse, never better.
"""

from __future__ import annotations

from collections.abc import Sequence

from monitor.attribution import Proposal, propose, proposed
from monitor.incidents import Event, Failed, Incident, IncidentRule, Opened
from monitor.severity import Severity, is_worse, severity_of
from monitor.store import incidents
from monitor.store.database import Transaction
from probes.checks import Check
from probes.sample import Failure, Sample


def judge(tx: Transaction, check: Check, said: Sample, happened: Sequence[Event], rule: IncidentRule) -> None:
    """Keep what this sample says of the check's incident, after what happened to it was recorded."""
    for event in happened:
        if isinstance(event, Opened):
            # What confirmed it may be worse than what came first.
            bad = max((_severity(check.id, one, rule) for one in (event.failure, *event.further)), key=_rank)
            incidents.judge(tx, event.incident_id, bad, propose(event.failure, check, rule.identity_providers).cause)
        elif isinstance(event, Failed) and said.failure is not None:
            incident = incidents.get(tx, event.incident_id)
            if incident is not None:
                _worsen(tx, incident, check, said.slot_us, said.failure, rule)


def _worsen(
    tx: Transaction, incident: Incident, check: Check, slot_us: int, failure: Failure, rule: IncidentRule
) -> None:
    known = severity_kept(incident, rule)
    if incident.severity is None:  # it opened under an earlier version, which kept none
        incidents.judge(tx, incident.id, known, proposal_kept(incident, check, rule).cause)
    found = _severity(check.id, failure, rule)
    if is_worse(found, known):
        incidents.worsen(tx, incident.id, found, failure, since_us=slot_us)


def severity_kept(incident: Incident, rule: IncidentRule) -> Severity:
    """How bad it is; of one that opened before that was kept, what the rule of today says of its first failure."""
    return incident.severity or _severity(incident.check_id, incident.failure, rule)


def proposal_kept(incident: Incident, check: Check | None, rule: IncidentRule) -> Proposal:
    """What was proposed as its cause, and why; of one that opened before that was kept, what is proposed today.

    Args:
        check: None where it is no longer configured.
    """
    if incident.cause is not None:
        return proposed(incident.cause, incident.failure)
    return propose(incident.failure, check, rule.identity_providers)


def _severity(check_id: str, failure: Failure, rule: IncidentRule) -> Severity:
    return severity_of(check_id, failure, rule.severities, rule.severity)


def _rank(one: Severity) -> int:
    return sum(is_worse(one, other) for other in Severity)
