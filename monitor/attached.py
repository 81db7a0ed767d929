"""Which checks a failing one takes along: those that depend on it, straight or through others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from probes.checks import Check


class Dependants(Mapping[str, tuple[str, ...]]):
    """Per check the ids of all that depend on it, in the order of the configuration; only where there are any."""

    def __init__(self, checks: Sequence[Check] = ()) -> None:
        self._checks = {check.id: check for check in checks}
        self._behind = _behind(checks)

    def __getitem__(self, check_id: str) -> tuple[str, ...]:
        return self._behind[check_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._behind)

    def __len__(self) -> int:
        return len(self._behind)

    def causes(self, check_id: str) -> tuple[Check, ...]:
        """All that a check depends on, straight or through others: what may explain its failures.

        Checks that depend on each other explain nothing about each other, or nobody would ever hear of either.
        """
        mutual = self._behind.get(check_id, ())
        return tuple(
            self._checks[cause]
            for cause, behind in self._behind.items()
            if check_id in behind and cause not in mutual and cause in self._checks
        )

    def explained(self, check_id: str) -> tuple[str, ...]:
        """All whose failures this one may explain; none of those that depend on each other, or alarm nobody."""
        return tuple(
            name
            for name in self._behind.get(check_id, ())
            if check_id not in self._behind.get(name, ()) and not self._checks[name].shadow
        )


def dependants(checks: Sequence[Check]) -> Dependants:
    """Who depends on whom among these checks."""
    return Dependants(checks)


def _behind(checks: Sequence[Check]) -> dict[str, tuple[str, ...]]:
    needed_by: defaultdict[str, list[str]] = defaultdict(list)
    for check in checks:
        for cause in check.depends_on:
            needed_by[cause].append(check.id)
    place = {check.id: number for number, check in enumerate(checks)}
    found: dict[str, tuple[str, ...]] = {}
    for cause in place.keys() & needed_by.keys():
        taken, further = {cause}, [cause]
        while further:
            more = set(needed_by.get(further.pop(), ())) - taken
            taken |= more
            further += more
        found[cause] = tuple(sorted(taken - {cause}, key=place.__getitem__))
    return {cause: found[cause] for cause in place if found.get(cause)}
