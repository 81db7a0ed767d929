"""A report drawn up once more from what it rests on, and the first figure in which the two differ. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sla.assess import assess
from sla.assessment import Span
from sla.contract import Contract, ResponseTimeClause
from sla.ledger import Sealed
from sla.measurements import SampleIn
from sla.period import parse_instant
from sla.rendering.json import document
from sla.report import Gap, Report, ResponseSeries, draw_up, response_series


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureDiffers:
    """One place of a report's JSON, such as `clauses[B1].seconds.down`, with what it states and what comes out."""

    path: str
    stated: object
    found: object

    def __str__(self) -> str:
        return f"{self.path}: the report states {self.stated!r}, computing it again gives {self.found!r}"


def redrawn(
    stated: Mapping[str, Any], contract: Contract, samples: Sequence[SampleIn], ledger: Sequence[Sealed]
) -> dict[str, Any]:
    """The JSON of a report, computed again.

    What no measurement can give is taken over from the report: its number, who is named in it, and why the monitor
    itself did not measure. Every figure is computed.

    Args:
        stated: the report's JSON.
        samples: as far as the report could know them.
        ledger: up to the head the report names, and no further.

    Raises:
        KeyError, TypeError, ValueError: `stated` is no report of ours, or no version of the contract governs it.
    """
    about = stated["report"]
    period = Span(start_us=parse_instant(stated["period"]["from"]), end_us=parse_instant(stated["period"]["to"]))
    until_us = parse_instant(about["data_until"])
    as_of_us = None if stated["as_of"] is None else parse_instant(stated["as_of"])
    # Among the samples are the ones around the period and those of third parties, as the engine asks for them.
    known = [sample for sample in samples if sample.due_us < until_us]
    found = assess(contract, period=period, samples=known, ledger=ledger, as_of_us=as_of_us)
    report: Report = draw_up(
        found,
        number=about["number"],
        issued_us=parse_instant(about["issued_at"]),
        data_until_us=until_us,
        portal_name=about["portal"],
        titles={journey: (both["nl"], both["en"]) for journey, both in about["titles"].items()},
        gaps=[
            Gap(
                start_us=parse_instant(gap["from"]),
                end_us=parse_instant(gap["to"]),
                cause=gap["cause"],
                journeys=tuple(gap["journeys"]),
            )
            for gap in about["gaps"]
        ],
        responses=_responses(contract, known, period),
        software=about["software"],
        config_sha256=about["config_sha256"],
        legal_basis=tuple(about["legal_basis"]),
        contact=about["contact"],
        replaces=about["replaces"],
    )
    return document(report)


def _responses(contract: Contract, samples: Iterable[SampleIn], period: Span) -> Iterator[ResponseSeries]:
    """Of every journey the contract speaks of, and of every step a clause asks about."""
    limits: dict[tuple[str, str | None], int | None] = {(name, None): None for name in contract.journeys()}
    for version in contract.version:
        for clause in version.clause:
            if isinstance(clause, ResponseTimeClause):
                limits |= {(name, clause.step): clause.limit for name in clause.scope}
    measured: dict[tuple[str, str | None], list[tuple[int, int]]] = {key: [] for key in limits}
    for sample in samples:
        if sample.outcome in ("up", "degraded") and period.start_us <= sample.due_us < period.end_us:
            whole = () if sample.duration_us is None else ((None, sample.duration_us),)
            for step, length_us in (*whole, *sample.step_durations.items()):
                if (sample.journey, step) in measured:
                    measured[sample.journey, step].append((sample.due_us, length_us))
    for (name, step), limit_us in limits.items():
        durations = measured[name, step]
        series = response_series(name, durations, timezone=contract.timezone, step=step, limit_us=limit_us)
        if series is not None:
            yield series


def first_difference(stated: object, found: object, path: str = "") -> FigureDiffers | None:
    """The first place in which two documents differ, in the order of the stated one; None where they are the same."""
    if isinstance(stated, Mapping) and isinstance(found, Mapping):
        for key in (*stated, *(key for key in found if key not in stated)):
            below = f"{path}.{key}" if path else str(key)
            if key not in stated or key not in found:
                return FigureDiffers(path=below, stated=stated.get(key), found=found.get(key))
            if (inside := first_difference(stated[key], found[key], below)) is not None:
                return inside
        return None
    if isinstance(stated, list) and isinstance(found, list):
        for index, (one, other) in enumerate(zip(stated, found, strict=False)):
            name = one.get("id", index) if isinstance(one, Mapping) else index
            if (inside := first_difference(one, other, f"{path}[{name}]")) is not None:
                return inside
        if len(stated) != len(found):
            return FigureDiffers(path=f"{path} (how many)", stated=len(stated), found=len(found))
        return None
    same = type(stated) is type(found) and stated == found
    return None if same else FigureDiffers(path=path, stated=stated, found=found)
