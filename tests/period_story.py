"""Documents over a period on the months of `tests.report_story`: overviews, an update, and a restated report."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache

from sla import update as updating
from sla.assess import assess
from sla.contract import parse_contract
from sla.differences import Cause, Changes, lines
from sla.ledger import Entry, Sealed, seal
from sla.overview import Overview, OverviewKind, draw_up
from sla.period import parse_instant, parse_period
from sla.rendering.json import document
from sla.report import Report
from sla.update import Update, fortnight
from tests import report_story as story

AGREEMENT = parse_contract(tomllib.loads(story.CONTRACT, parse_float=Decimal))
ISSUED, IN_NOVEMBER = "2026-11-02T06:00:00+01:00", "2026-11-20T06:00:00+01:00"
SUPPLIER, OFFICIAL = "An Peeters (Voorbeeld NV)", "Jan Janssens (Voorbeeldbestuur)"
_EXTRA = (
    Entry(
        kind="exclusion-claimed", recorded_us=parse_instant("2026-10-19T10:00:00+02:00"), by=SUPPLIER,
        reason="brand in het datacenter", from_us=parse_instant("2026-10-17T22:00:00+02:00"),
        until_us=parse_instant("2026-10-17T23:30:00+02:00"), scope=("indienen",), data={"ground": "force-majeure"},
    ),
    Entry(
        kind="release", recorded_us=parse_instant("2026-10-20T09:00:00+02:00"), by=SUPPLIER, reason="versie 4.2",
        from_us=parse_instant("2026-10-27T20:00:00+01:00"),
    ),
    Entry(
        kind="findings-drafted", recorded_us=parse_instant("2026-10-23T09:00:00+02:00"), by=OFFICIAL,
        reason="B1 in september", data={"period": "2026-09", "clauses": "B1", "contract": "VOORBEELD-2026-01"},
    ),
    Entry(
        kind="findings-drafted", recorded_us=parse_instant("2026-11-03T09:00:00+01:00"), by=OFFICIAL,
        reason="B1 en B4 in oktober", data={"period": "2026-10", "clauses": "B1 B4", "contract": "VOORBEELD-2026-01"},
    ),
)  # fmt: skip


def _ledger(until: str) -> tuple[Sealed, ...]:
    entries = (*(sealed.entry for sealed in story.ledger()), *_EXTRA)
    known = (entry for entry in entries if entry.recorded_us < parse_instant(until))
    return seal(tuple(sorted(known, key=lambda entry: entry.recorded_us)))


def _report(period: str, number: str, until: str) -> Report:
    """Measured in October alone."""
    october = story.report()
    samples = (s for journey in story.TITLES for s in story.samples_of(journey, october.period))
    until_us = parse_instant(until)
    span = parse_period(period, AGREEMENT.timezone)
    found = assess(AGREEMENT, period=span, samples=samples, ledger=_ledger(until), as_of_us=until_us)
    return replace(october, assessment=found, number=number, issued_us=until_us, data_until_us=until_us, history=())


@cache
def overview(kind: OverviewKind) -> Overview:
    """Of the year 2026, or its last quarter while it goes on."""
    period, number = ("2026", "J-2026-v1") if kind == "year" else ("2026-Q4", "K-2026-Q4-v1")
    return draw_up(kind, _report(period, number, IN_NOVEMBER), _ledger(IN_NOVEMBER))


@cache
def update() -> Update:
    """Of the fourteen days until 25 October."""
    span = fortnight(date(2026, 10, 25), AGREEMENT.timezone)
    until = "2026-10-26T00:00:00+01:00"
    return updating.draw_up(_report("2026-10", "T-2026-W43-v1", until), span, _ledger(until))


@cache
def restated() -> Report:
    """October once more, with what was recorded since and all that changed."""
    first = story.report()
    later = _report("2026-10", "R-2026-10-v2", IN_NOVEMBER)
    cause = Cause(key="measurements", before=ISSUED, after=IN_NOVEMBER)
    changes = Changes(
        previous=first.number,
        previous_sha256="ab" * 32,
        previous_issued_at=ISSUED,
        previous_head=first.assessment.ledger_head,
        recomputed=True,
        lines=tuple(replace(line, causes=("measurements",)) for line in lines(document(first), document(later))),
        causes=(cause,),
    )
    return replace(later, replaces=first.number, changes=changes)
