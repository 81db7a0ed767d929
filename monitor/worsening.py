"""To whom it is news that an outage is worse than they were told: asked of what was written to each of them."""

from __future__ import annotations

from monitor.incidents import Incident
from monitor.news import IncidentNews
from monitor.severity import Severity, is_worse
from monitor.store import outbox
from monitor.store.database import Transaction


def milder(tx: Transaction, incident: Incident) -> dict[Severity, frozenset[str]]:
    """Whom it was told as milder than it is by now, by the worst that each of them was told, the mildest first.

    Whoever was off duty when it got worse stays among them until they are told. Messages of before there was a
    severity say nothing; whoever had only such ones hears of none.
    """
    if incident.worse_us is None or incident.severity is None:
        return {}
    heard: dict[str, Severity] = {}
    for news, address in outbox.said(tx, incident.id):
        if isinstance(news, IncidentNews) and news.severity is not None:
            known = heard.get(address)
            heard[address] = news.severity if known is None or is_worse(news.severity, known) else known
    by_severity = {
        told: frozenset(address for address, worst in heard.items() if worst is told)
        for told in (Severity.MINOR, Severity.MAJOR)
        if is_worse(incident.severity, told)
    }
    return {told: addresses for told, addresses in by_severity.items() if addresses}
