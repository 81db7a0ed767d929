"""What a report issued again tells of the one before it, figure by figure, and who brought it about."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import sla.published
from sla.assess import assess
from sla.differences import Changes, changes_json, lines, read_changes
from sla.history import history
from sla.ledger import Entry, seal
from sla.measurements import SampleIn
from sla.period import parse_instant, zone
from sla.recompute import Previous, changes_since, first_difference, redrawn
from sla.rendering.changed import told
from sla.rendering.html import render
from sla.rendering.json import document
from sla.rendering.numbers import Numbers
from sla.rendering.words import Words
from sla.report import Report
from tests.report_story import TITLES, ledger, report, samples_of

FIRST = report()
CONTRACT = FIRST.assessment.contract
SAMPLES = tuple(
    sorted((s for name in TITLES for s in samples_of(name, FIRST.period)), key=lambda sample: sample.due_us)
)
DECIDED = parse_instant("2026-11-09T10:00:00+01:00")
REFUSED = Entry(
    kind="exclusion-refused", recorded_us=DECIDED, by="Jan Janssens", reason="geen eigen meting", supersedes=3,
    from_us=parse_instant("2026-10-20T11:30:00+02:00"), until_us=parse_instant("2026-10-20T15:00:00+02:00"),
    scope=("indienen",),
)  # fmt: skip
DRAFTED = Entry(kind="findings-drafted", recorded_us=DECIDED, by="Els", reason="ontwerp", data={"period": "2026-10"})
ELSEWHERE = Entry(
    kind="maintenance", recorded_us=DECIDED, by="An", reason="december",
    from_us=parse_instant("2026-12-06T06:00:00+01:00"), until_us=parse_instant("2026-12-06T08:00:00+01:00"),
)  # fmt: skip


def restated(
    *entries: Entry, samples: Sequence[SampleIn] = SAMPLES, gone: bool = False, software: str = FIRST.software
) -> tuple[Report, Changes]:
    before = ledger()
    whole = (*before, *seal(entries, after=before[-1]))
    found = assess(CONTRACT, period=FIRST.period, samples=samples, ledger=whole)
    number = "R-2026-10-v2"
    again = replace(
        FIRST, assessment=found, number=number, replaces=FIRST.number, issued_us=DECIDED, software=software,
        data_until_us=DECIDED, history=history(found, whole, {}, number=number, is_provisional=False),
    )  # fmt: skip
    previous = Previous(
        number=FIRST.number, sha256="0" * 64, issued_us=FIRST.issued_us, ledger_head=before[-1].hash,
        stated=None if gone else document(FIRST),
    )  # fmt: skip
    changes = changes_since(previous, document(again), CONTRACT, lambda: samples, whole)
    return replace(again, changes=changes), changes


def values(changes: Changes) -> dict[tuple[str, str], tuple[Any, Any]]:
    return {(line.id, line.what): (line.before, line.after) for line in changes.lines}


def test_nothing_changed_is_said_plainly() -> None:
    again, changes = restated()
    assert changes.lines == changes.causes == ()
    assert "Er is niets veranderd" in render(again, "nl")
    assert "Nothing has changed" in render(again, "en")


def test_a_refused_exclusion_brings_its_seconds_back_and_is_named_with_who_and_why() -> None:
    _, changes = restated(REFUSED, DRAFTED, ELSEWHERE)
    assert values(changes)["B1", "seconds.down"] == (8700, 18900)
    assert values(changes)["B1", "sanction.amount_eur"] == ("2000.00", "5000.00")
    assert {line.causes for line in changes.lines} == {("entry-4",)}
    told_of = {cause.key: (cause.by, cause.reason, cause.changes) for cause in changes.causes}
    assert told_of == {"entry-4": ("Jan Janssens", "geen eigen meting", True), "entry-5": ("Els", "ontwerp", False)}


def test_measurements_that_came_late_are_named_and_no_entry_is_blamed() -> None:
    bad = parse_instant("2026-10-29T09:15:00+01:00")
    later = tuple(replace(s, attempts=2) if s.journey == "indienen" and s.due_us == bad else s for s in SAMPLES)
    _, changes = restated(DRAFTED, samples=later)
    assert values(changes)["B1", "seconds.down"] == (8700, 9000)
    assert {line.causes for line in changes.lines} == {("measurements",)}
    assert values(changes)["indienen-20261029T0815Z", "there"] == (False, True)


def test_another_version_of_the_program_is_named_even_where_it_changes_no_figure() -> None:
    _, changes = restated(software="Loketwacht 2")
    assert [(cause.key, cause.changes) for cause in changes.causes] == [("software", False)]


def test_where_the_file_before_is_gone_its_figures_are_computed_as_of_its_day_and_that_is_said() -> None:
    again, changes = restated(REFUSED, gone=True)
    assert changes.recomputed
    assert values(changes)["B1", "seconds.down"] == (8700, 18900)
    assert "is er niet meer" in render(again, "nl")


def test_the_changes_come_out_again_of_the_report_before_and_the_ledger() -> None:
    again, changes = restated(REFUSED)
    stated = json.loads(json.dumps(document(again)))
    entries = (*ledger(), *seal([REFUSED], after=ledger()[-1]))
    assert first_difference(stated, redrawn(stated, CONTRACT, SAMPLES, entries, before=document(FIRST))) is None
    forged = {**document(FIRST), "coverage": "0.999999999999"}
    assert first_difference(stated, redrawn(stated, CONTRACT, SAMPLES, entries, before=forged)) is not None
    assert read_changes(stated) == changes


def test_the_changes_fit_their_published_schema() -> None:
    _, changes = restated(REFUSED, DRAFTED, software="Loketwacht 2")
    schema = json.loads((Path(sla.published.__file__).parent / "schemas" / "changes.schema.json").read_text("utf-8"))
    jsonschema.validate(json.loads(json.dumps(changes_json(changes))), schema)


@pytest.mark.parametrize(("language", "point"), [("nl", "−1,11 procentpunt"), ("en", "−1.11 percentage points")])
def test_the_difference_stands_beside_both_values_in_either_language(language: Any, point: str) -> None:
    _, changes = restated(REFUSED)
    shown = told(changes, Words(language), Numbers(language=language, zone=zone("Europe/Brussels")), TITLES)
    row = next(row for row in shown.groups[0].rows if row.difference.replace("\u00a0", " ") == point)
    assert (row.before != row.after, row.why) == (True, Words(language)("changes.entry_short", number=4))


@pytest.mark.parametrize(
    ("kind", "unit"), [("reaction-time", "seconds"), ("restore-time", "seconds"), ("release", "number")]
)
def test_what_a_clause_measured_is_told_in_what_it_counts(kind: str, unit: str) -> None:
    before = document(FIRST)
    clause = {**before["clauses"][0], "kind": kind, "measured": "1200"}
    found = lines(before | {"clauses": [clause]}, before | {"clauses": [{**clause, "measured": "300"}]})
    assert [(line.what, line.unit, line.difference) for line in found] == [("measured", unit, -900)]
