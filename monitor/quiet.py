"""What nothing follows from: good samples of checks that were well before. Nearly every sample is one.

They may wait a moment for company, and are stored many at once. What is stored is the same as one after the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Set
from typing import Protocol

from monitor.incidents import IncidentRule, OwnTrouble
from monitor.store import incidents, samples
from monitor.store.database import Transaction
from monitor.telling import Alerting
from probes.checks import BrowserJourney, CertificateCheck, Check, Journey
from probes.making import logs_in
from probes.sample import Outcome, Sample

_FOR_EVER_US = 2**62


class Found(Protocol):
    """A sample, the check it is of, and what decides about its consequences."""

    @property
    def check(self) -> Check: ...
    @property
    def sample(self) -> Sample: ...
    @property
    def alerting(self) -> Alerting: ...


def says_nothing_new(check: Check, sample: Sample) -> bool:
    """Whether nothing can follow from a sample but that it is stored, where its check was well before it.

    A certificate may be near its end though it holds, and a login that went well ends a row of refused ones.
    """
    return (
        sample.outcome is Outcome.UP
        and sample.blip is None
        and not sample.evidence
        and not sample.bundles
        and not isinstance(check, CertificateCheck)
        and not (isinstance(check, Journey | BrowserJourney) and logs_in(check))
    )


def _stays_until_us(own: OwnTrouble, rule: IncidentRule) -> int:
    """Until which slot a good sample of a check that does not suffer leaves the monitor's own trouble as it is.

    After that some check that is measured no more would be forgotten (`incidents.advance_own`).
    """
    if not own.streaks:
        return _FOR_EVER_US if own.incident_id is None else 0
    return min(streak.last_us + max(rule.forget_after, 3 * streak.interval_us) for streak in own.streaks)


def store(
    tx: Transaction, findings: Sequence[Found], own: OwnTrouble, *, undecided: Set[str] = frozenset()
) -> frozenset[int]:
    """Store the samples of those findings from which nothing follows.

    Args:
        own: what the monitor knows about its own measuring.
        undecided: checks of which it is not known yet how they are.

    Returns:
        Their places; the other findings are left to whoever draws the consequences.
    """
    rules = {id(finding.alerting.rule): finding.alerting.rule for finding in findings}  # nearly always one
    stays_us = {key: _stays_until_us(own, rule) for key, rule in rules.items()}
    number = Counter(finding.check.id for finding in findings)
    suffering = {streak.check_id for streak in own.streaks}
    places = [
        place
        for place, finding in enumerate(findings)
        # Of two samples of one check the first may have consequences for the second.
        if number[finding.check.id] == 1
        and finding.check.id not in undecided
        and finding.check.id not in suffering
        and says_nothing_new(finding.check, finding.sample)
        and finding.sample.slot_us <= stays_us[id(finding.alerting.rule)]
    ]
    if not places:
        return frozenset()
    unwell = incidents.unwell(tx, [findings[place].check.id for place in places])
    there = samples.present(tx, [findings[place].sample for place in places])
    stored = [
        place
        for place in places
        if findings[place].check.id not in unwell and samples.key(findings[place].sample) not in there
    ]
    samples.add_many(tx, [findings[place].sample for place in stored])
    return frozenset(stored)
