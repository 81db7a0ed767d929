"""What an incident's page says beside its measurements, read from the store."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dashboards.formatting import Language
from dashboards.incident_life import Life, Related, Remark
from monitor import acknowledging, attribution, severity
from monitor.acknowledging import Said
from monitor.attached import dependants
from monitor.incidents import MONITOR, Incident, IncidentRule
from monitor.judging import proposal_kept, severity_kept
from monitor.store.database import Transaction
from monitor.telling import attached_to
from probes.checks import Check


def life_of(
    tx: Transaction,
    incident: Incident,
    checks: Sequence[Check],
    rule: IncidentRule,
    title: Callable[[str], str],
    language: Language,
) -> Life:
    """The life of an incident, in the language of the page."""
    said = acknowledging.about(tx, incident)
    check = next((one for one in checks if one.id == incident.check_id), None)
    proposal = proposal_kept(incident, check, rule)
    confirmed = said.cause if said.cause is not None and said.cause.cause is not None else None
    cause = confirmed.cause if confirmed is not None and confirmed.cause is not None else proposal.cause
    bad = severity_kept(incident, rule)
    behind = dependants(checks)
    causes = tuple(name for name, taken in behind.items() if incident.check_id in taken)

    def related(names: Sequence[str]) -> tuple[Related, ...]:
        suffix = "?lang=en" if language == "en" else ""
        return tuple(
            Related(
                title=title(one.check_id),
                href=f"/incident/{one.id}{suffix}",
                since_us=one.since_us,
                until_us=one.until_us,
            )
            for one in attached_to(tx, incident, names)
        )

    return Life(
        severity="" if incident.check_id == MONITOR else severity.NAMES[bad].in_(language),
        cause=attribution.NAMES[cause].in_(language),
        cause_why="" if confirmed else proposal.why.in_(language),
        confirmed=remark(confirmed) if confirmed else None,
        acknowledged=remark(said.acknowledged) if said.acknowledged else None,
        notes=tuple(remark(one) for one in said.notes),
        attached=related(behind.get(incident.check_id, ())),
        explained_by=related(causes),
    )


def remark(said: Said) -> Remark:
    return Remark(by=said.by, at_us=said.at_us, text=said.text)
