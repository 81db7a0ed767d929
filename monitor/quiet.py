"""What nothing follows from: good samples of checks that were well before. Nearly every sample is one.

They may wait a moment for company, and are stored many at once. What is stored is the same as one after the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from monitor.incidents import advance_own
from monitor.store import incidents, samples
from monitor.store.database import Transaction
from monitor.telling import Alerting
from probes.checks import CertificateCheck, Check, Journey
from probes.making import logs_in
from probes.sample import Outcome, Sample


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
        and not (isinstance(check, Journey) and logs_in(check))
    )


def store(tx: Transaction, findings: Sequence[Found]) -> frozenset[int]:
    """Store the samples of those findings from which nothing follows.

    Returns:
        Their places; the other findings are left to whoever draws the consequences.
    """
    number = Counter(finding.check.id for finding in findings)
    places = [
        place
        for place, finding in enumerate(findings)
        # Of two samples of one check the first may have consequences for the second.
        if number[finding.check.id] == 1 and says_nothing_new(finding.check, finding.sample)
    ]
    if not places:
        return frozenset()
    own = incidents.load_own(tx)
    unwell = incidents.unwell(tx, [findings[place].check.id for place in places])
    there = samples.present(tx, [findings[place].sample for place in places])

    def quiet(finding: Found) -> bool:
        check, sample = finding.check, finding.sample
        if check.id in unwell or samples.key(sample) in there:
            return False
        return advance_own(own, sample, finding.alerting.rule, interval_us=check.interval) == (own, ())

    stored = [place for place in places if quiet(findings[place])]
    samples.add_many(tx, [findings[place].sample for place in stored])
    return frozenset(stored)
