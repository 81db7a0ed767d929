"""What is wrong with the severities of `[incidents]`, told at their places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from monitor.incidents import IncidentRule
from monitor.toml_file import Origins, Problem
from probes.checks import BrowserJourney, Check, Journey
from probes.sample import FailureKind


def severity_problems(rule: IncidentRule, checks: Sequence[Check], origins: Origins) -> Iterator[Problem]:
    """Each key must name a check, a step of it, or a kind of failure."""
    steps = {
        check.id: {step.id for step in check.step} if isinstance(check, Journey | BrowserJourney) else set()
        for check in checks
    }
    kinds = {kind.value for kind in FailureKind}
    for place in rule.severities:
        check_id, slash, what = place.partition("/")
        right = check_id == "*" and what in kinds
        right = right or (check_id in steps and (not slash or what in kinds or what in steps[check_id]))
        if not right:
            mend = 'Write "check", "check/step", "check/kind" or "*/kind", such as "*/timeout".'
            yield origins.problem(("incidents", "severities", place), "names no check, step or kind of failure", mend)
