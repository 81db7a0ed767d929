"""How bad an outage is, by journey and by what failed, as the configuration says."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

from probes.sample import Failure
from sla.assessment import Text


class Severity(StrEnum):
    CRITICAL = "critical"
    MAJOR = "major"
    MINOR = "minor"


NAMES: dict[Severity, Text] = {
    Severity.CRITICAL: Text(nl="kritiek", en="critical"),
    Severity.MAJOR: Text(nl="ernstig", en="major"),
    Severity.MINOR: Text(nl="beperkt", en="minor"),
}


#: As the label `severity` of alerts, of which there are two by custom: one that wakes somebody, and one that can wait.
LABELS: dict[Severity, Literal["critical", "warning"]] = {
    Severity.CRITICAL: "critical",
    Severity.MAJOR: "critical",
    Severity.MINOR: "warning",
}

#: From bad to worse.
_ORDER = (Severity.MINOR, Severity.MAJOR, Severity.CRITICAL)


def is_worse(one: Severity, other: Severity) -> bool:
    """Whether one is worse than the other."""
    return _ORDER.index(one) > _ORDER.index(other)


def severity_of(
    check_id: str, failure: Failure, severities: Mapping[str, Severity], otherwise: Severity = Severity.MAJOR
) -> Severity:
    """The most precise word wins: of the step (`check/step`), of the kind of failure in this check (`check/kind`), of
    the check, of the kind of failure anywhere (`*/kind`); else `otherwise`."""
    places = [f"{check_id}/{failure.step}"] if failure.step is not None else []
    places += [f"{check_id}/{failure.kind.value}", check_id, f"*/{failure.kind.value}"]
    return next((severities[place] for place in places if place in severities), otherwise)
