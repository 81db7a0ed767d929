"""Which checks a failing one takes along: those that depend on it, straight or through others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from probes.checks import Check


def dependants(checks: Sequence[Check]) -> Mapping[str, tuple[str, ...]]:
    """Per check the ids of all that depend on it, in the order of the configuration; only where there are any."""
    above = {check.id: set(check.depends_on) for check in checks}
    found: dict[str, tuple[str, ...]] = {}
    for cause in above:
        taken = {cause}
        while more := {name for name, needs in above.items() if name not in taken and needs & taken}:
            taken |= more
        if behind := tuple(name for name in above if name in taken and name != cause):
            found[cause] = behind
    return found
