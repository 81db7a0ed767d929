"""A report drawn up once more from what it rests on, what changed since the one before, and where two differ. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sla.assess import assess
from sla.assessment import Span
from sla.contract import Contract, ResponseTimeClause
from sla.differences import (
    MEASUREMENTS,
    NEVER_DECIDES,
    Changes,
    Step,
    about_entry,
    attributed,
    besides_the_ledger,
    entry_key,
    lines,
    measurements,
)
from sla.history import history
from sla.interchange import assessment_json
from sla.ledger import Sealed
from sla.ledger_kinds import points_at
from sla.measurements import SampleIn
from sla.period import instant_text, parse_instant
from sla.rendering.json import document
from sla.report import Drills, Gap, Report, ResponseSeries, draw_up, response_series


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureDiffers:
    """One place of a report's JSON, such as `clauses[B1].seconds.down`, with what it states and what comes out."""

    path: str
    stated: object
    found: object

    def __str__(self) -> str:
        return f"{self.path}: the report states {self.stated!r}, computing it again gives {self.found!r}"


#: Gives the samples of a period and around it, in order, each time from the beginning.
Read = Callable[[], Iterable[SampleIn]]


def redrawn(
    stated: Mapping[str, Any],
    contract: Contract,
    samples: Sequence[SampleIn],
    ledger: Sequence[Sealed],
    *,
    before: Mapping[str, Any] | None = None,
    earlier: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """The JSON of a report, computed again.

    What no measurement can give is taken over from the report: its number, who is named in it, and why the monitor
    itself did not measure. Every figure is computed.

    Args:
        stated: the report's JSON.
        samples: as far as the report could know them.
        ledger: up to the head the report names, and no further.
        before: the JSON of the report that this one restates, where it has it; else it is computed as of its day.
        earlier: the JSON of the reports that its history names, by SHA-256.

    Raises:
        KeyError, TypeError, ValueError: `stated` is no report of ours, or no version of the contract governs it.
    """
    report = _redrawn(stated, contract, samples, ledger)
    told = history(report.assessment, ledger, earlier or {}, number=report.number, is_provisional=report.is_provisional)
    found = document(
        replace(report, history=told, changes=_rechanged(stated, report, contract, samples, ledger, before))
    )
    if "history" not in stated["report"]:  # it was issued before reports had one
        del found["report"]["history"]
    return found


def _rechanged(
    stated: Mapping[str, Any],
    report: Report,
    contract: Contract,
    samples: Sequence[SampleIn],
    ledger: Sequence[Sealed],
    before: Mapping[str, Any] | None,
) -> Changes | None:
    record = stated["report"]["changes"]
    if record is None:
        return None
    previous = record["previous"]
    return changes_since(
        Previous(
            number=previous["number"],
            sha256=previous["sha256"],
            issued_us=parse_instant(previous["issued_at"]),
            ledger_head=previous["ledger_head"] or "",
            stated=None if previous["recomputed"] else before,
        ),
        document(report),
        contract,
        lambda: samples,
        ledger,
    )


def _redrawn(
    stated: Mapping[str, Any], contract: Contract, samples: Iterable[SampleIn], ledger: Sequence[Sealed]
) -> Report:
    about = stated["report"]
    period = Span(start_us=parse_instant(stated["period"]["from"]), end_us=parse_instant(stated["period"]["to"]))
    until_us = parse_instant(about["data_until"])
    as_of_us = None if stated["as_of"] is None else parse_instant(stated["as_of"])
    # Among the samples are the ones around the period and those of third parties, as the engine asks for them.
    known = [sample for sample in samples if sample.due_us < until_us]
    found = assess(contract, period=period, samples=known, ledger=ledger, as_of_us=as_of_us)
    return draw_up(
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
        drills=Drills(held=about["drills"]["held"], passed=about["drills"]["passed"]) if "drills" in about else None,
        software=about["software"],
        config_sha256=about["config_sha256"],
        legal_basis=tuple(about["legal_basis"]),
        contact=about["contact"],
        replaces=about["replaces"],
    )


# --- since the report before ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Previous:
    """The report that another one restates.

    Attributes:
        sha256: of its JSON, as recorded when it was issued.
        ledger_head: hash of the last entry it took into account; empty for none.
        stated: its JSON as issued; None where its file is gone, and its figures are computed as of its day.
    """

    number: str
    sha256: str
    issued_us: int
    ledger_head: str
    stated: Mapping[str, Any] | None


def changes_since(
    previous: Previous, after: Mapping[str, Any], contract: Contract, read: Read, ledger: Sequence[Sealed]
) -> Changes:
    """What a report says otherwise than the one before it, and why.

    Each cause is found by computing the period again with one cause more at a time: first what is not the ledger
    (measurements, contract, software), then one by one the entries recorded between the two heads.

    Args:
        after: the new report's JSON, still without its changes.
        read: samples as far as the new report knows them.
        ledger: up to the head the new report names.
    """
    head = next((i + 1 for i, one in enumerate(ledger) if one.hash == previous.ledger_head), 0)
    before = previous.stated
    if before is None:
        before = _as_it_was(previous, after, contract, read, ledger[:head])
    timezone = contract.timezone
    between = [one for one in ledger[head:] if _concerns(one, ledger, after)]
    besides = besides_the_ledger(before, after)
    base = _with_ledger(after, contract, read, ledger[:head]) if between else after
    if not besides and lines(before, base):
        besides = (measurements(before, after),)
    steps = [Step(causes=tuple(cause.key for cause in besides), stated=base)]
    if between and lines(base, after):
        for one in between[:-1]:
            known = [*ledger[:head], *(e for e in ledger[head:] if e.seq <= one.seq)]
            stated = _with_ledger(after, contract, read, known)
            steps.append(Step(causes=(entry_key(one.seq),), stated=stated))
        steps.append(Step(causes=(entry_key(between[-1].seq),), stated=after))
    found = attributed(before, steps, after)
    at_work = {key for line in found for key in line.causes}
    return Changes(
        previous=previous.number,
        previous_sha256=previous.sha256,
        previous_issued_at=instant_text(previous.issued_us, timezone),
        previous_head=previous.ledger_head,
        recomputed=previous.stated is None,
        lines=found,
        causes=(
            *(
                replace(cause, changes=cause.key in at_work)
                for cause in besides
                if cause.key != MEASUREMENTS or cause.key in at_work
            ),
            *(about_entry(one, timezone, changes=entry_key(one.seq) in at_work) for one in between),
        ),
    )


def _with_ledger(
    after: Mapping[str, Any], contract: Contract, read: Read, ledger: Sequence[Sealed]
) -> Mapping[str, Any]:
    """The new report's figures as they would be with another ledger."""
    period = Span(start_us=parse_instant(after["period"]["from"]), end_us=parse_instant(after["period"]["to"]))
    until_us = parse_instant(after["report"]["data_until"])
    as_of_us = None if after["as_of"] is None else parse_instant(after["as_of"])
    known = (sample for sample in read() if sample.due_us < until_us)
    found = assess(contract, period=period, samples=known, ledger=ledger, as_of_us=as_of_us)
    return {**assessment_json(found), "report": after["report"]}


def _as_it_was(
    previous: Previous, after: Mapping[str, Any], contract: Contract, read: Read, ledger: Sequence[Sealed]
) -> Mapping[str, Any]:
    issued_at = instant_text(previous.issued_us, contract.timezone)
    about = {"number": previous.number, "issued_at": issued_at, "data_until": issued_at, "gaps": []}
    stated = {**after, "as_of": issued_at, "report": {**after["report"], **about}}
    return document(_redrawn(stated, contract, list(read()), ledger))


def _concerns(sealed: Sealed, ledger: Sequence[Sealed], stated: Mapping[str, Any]) -> bool:
    """Whether an entry, or one that it answers, is about the time that the report's clauses look at.

    What names neither time, period nor outage may be about any, and so may a decided amount: caps look at a whole year.
    """
    entry = sealed.entry
    if entry.kind in NEVER_DECIDES:
        return False
    answered = points_at(entry)
    if any(_concerns(one, ledger, stated) for one in ledger if one.seq in answered):
        return True
    if (period := entry.data.get("period")) is not None:
        return f"-{period}-v" in stated["report"]["number"]
    if (outage := entry.data.get("outage")) is not None:
        return any(one["id"] == outage for one in stated["outages"])
    if entry.from_us is None or (entry.kind == "decision" and "amount_eur" in entry.data):
        return True
    periods = [stated["period"], *(clause["period"] for clause in stated["clauses"])]
    start_us = min(parse_instant(one["from"]) for one in periods)
    end_us = max(parse_instant(one["to"]) for one in periods)
    return entry.from_us < end_us and (entry.until_us is None or entry.until_us > start_us)


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
