"""Other locations that measure into the same store, and whether a quorum of them can ever come about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pydantic import Field

from monitor.toml_file import Origins, Problem
from monitor.votes import Places
from probes.checks import Check, Definition, Id


class OutpostMetrics(Definition):
    """Where an outpost tells its own metrics and health. Port 0 takes a free one."""

    host: str = "127.0.0.1"
    port: int = Field(default=8790, ge=0, le=65535)


class OutpostSettings(Definition):
    """A process elsewhere that measures for this monitor: `loketwacht outpost LOCATION`.

    Attributes:
        location: the vantage point's name; part of every sample's key.
        checks: ids of those that it measures; empty: all.
        database: how it reaches the store, where that is not how the monitor does.
        metrics: where it can be asked for its own.
    """

    location: Id
    checks: tuple[Id, ...] = ()
    database: str | None = None
    metrics: OutpostMetrics = OutpostMetrics()

    def measures(self, check_id: str) -> bool:
        return not self.checks or check_id in self.checks


def places(checks: Sequence[Check], here: str, outposts: Sequence[OutpostSettings]) -> Places:
    """Per check the locations that measure it, this one first."""
    return {
        check.id: (here, *(outpost.location for outpost in outposts if outpost.measures(check.id))) for check in checks
    }


def outpost_problems(
    checks: Sequence[Check],
    here: str,
    outposts: Sequence[OutpostSettings],
    *,
    quorum: int | None,
    database: str | None,
    origins: Origins,
) -> Iterator[Problem]:
    """What a single table cannot know: names that are there twice, checks that are not, votes that never suffice."""
    known, seen = {check.id for check in checks}, {here}
    for index, outpost in enumerate(outposts):
        if outpost.location in seen:
            yield origins.problem(
                ("outpost", index, "location"),
                f'"{outpost.location}" is the name of another location too',
                "Each location has a name of its own; [monitor] location is one of them.",
            )
        seen.add(outpost.location)
        for place, name in enumerate(outpost.checks):
            if name not in known:
                yield origins.problem(
                    ("outpost", index, "checks", place),
                    f'there is no check "{name}"',
                    f"Known: {', '.join(sorted(known))}.",
                )
        if database is None and outpost.database is not None:
            yield origins.problem(
                ("outpost", index, "database"),
                "is another store than the monitor's, which is a file beside this configuration",
                "Give both the same PostgreSQL database, the monitor's in [monitor] database.",
            )
    if quorum is None:
        return
    for check_id, locations in places(checks, here, outposts).items():
        if len(locations) < quorum:
            yield origins.problem(
                ("incidents", "quorum"),
                f'is {quorum}, but "{check_id}" is measured at {len(locations)}: no incident of it could ever open',
                "Lower it, add an [[outpost]], or let the outposts measure this check too.",
            )
            return
