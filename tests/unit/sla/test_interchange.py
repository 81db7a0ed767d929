"""Measurements and ledgers read from text with every problem by its line, and assessments written as plain data."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import jsonschema
import pytest

import sla.interchange
from sla.interchange import assessment_json, ledger_json, ratio_text, read_ledger, read_measurements, seconds
from sla.ledger import seal
from tests.agreements import all_up_but, at, clause, contract, entry, judge, samples, span

SCHEMAS = Path(sla.interchange.__file__).parent / "schemas"
SPAN = '{"journey":"indienen","from":"2026-11-12T10:00:00+01:00","to":"2026-11-12T11:00:00+01:00","state":"down"}'
SAMPLE = (
    '{"journey":"indienen","due":"2026-11-12T10:00:00.5+01:00","interval_s":60,"outcome":"down","duration_ms":812.5,'
    '"location":"brussel","failure":"http-status","attempts":2,"steps_ms":{"submit":400}}'
)


def schema(name: str) -> dict:
    found: dict = json.loads((SCHEMAS / f"{name}.schema.json").read_text("utf-8"))
    return found


def test_spans_and_samples_are_read_to_the_microsecond():
    found = read_measurements([SPAN, "", SAMPLE.replace("indienen", "inzage")], "m.jsonl")
    assert found.problems == ()
    assert (found.spans[0].start_us, found.spans[0].state) == (at("2026-11-12 10:00"), "down")
    (sample,) = found.samples
    assert (sample.due_us, sample.duration_us) == (at("2026-11-12 10:00") + 500_000, 812_500)
    assert (sample.attempts, sample.location, sample.step_durations) == (2, "brussel", {"submit": 400_000})


def test_csv_with_the_same_column_names_is_read_too():
    lines = [
        "journey,due,interval_s,outcome,duration_ms,location,failure",
        'indienen,2026-11-12T10:00:00+01:00,60,up,812,brussel,""',
        "indienen,2026-11-12T10:01:00+01:00,60,down,,brussel,http-status",
    ]
    found = read_measurements(lines, "m.csv")
    assert found.problems == ()
    assert [(s.outcome, s.duration_us, s.failure) for s in found.samples] == [
        ("up", 812_000, ""),
        ("down", None, "http-status"),
    ]


def test_samples_out_of_order_are_put_in_order():
    lines = [SAMPLE, SAMPLE.replace("T10:00:00.5", "T09:00:00")]
    found = read_measurements(lines, "m.jsonl")
    assert [s.due_us for s in found.samples] == sorted(s.due_us for s in found.samples)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (SPAN.replace("+01:00", "", 1), 'm.jsonl:2: "from": "2026-11-12T10:00:00" has no offset'),
        (SPAN.replace("2026-11-12T11", "2026-11-12T09"), "ends before it begins"),
        (SPAN.replace('"down"', '"kaput"'), "write one of up, degraded, down, unmeasured"),
        (SPAN.replace("2026-11-12T10", "2026-02-30T10"), "is no instant"),
        (SAMPLE.replace("60", "0", 1), '"interval_s"'),
        (SAMPLE.replace('"attempts":2', '"attempts":0'), '"attempts"'),
        (SAMPLE.replace("812.5", "NaN"), "NaN is no number"),
        (SAMPLE.replace("812.5", '"snel"'), "is no number of 0 or more"),
        (SAMPLE.replace('"location"', '"place"'), 'unknown key "place"'),
        ('{"journey":"indienen"}', '"interval_s"'),
        ("[1]", "is no JSON object"),
        ("{", "is no JSON"),
    ],
)
def test_a_bad_line_is_refused_with_its_number(line: str, words: str):
    good = SPAN.replace("indienen", "inzage")
    (problem,) = read_measurements([good, line], "m.jsonl").problems
    assert problem.line == 2
    assert words in str(problem)


def test_overlapping_spans_are_refused():
    later = SPAN.replace("T10:00:00", "T10:59:59").replace("T11:00:00", "T12:00:00")
    (problem,) = read_measurements([SPAN, later], "m.jsonl").problems
    assert str(problem) == 'm.jsonl:2: overlaps line 1 for "indienen"; every instant has one state'


def test_one_slot_has_one_sample_per_location():
    (problem,) = read_measurements([SAMPLE, SAMPLE], "m.jsonl").problems
    assert "is the same slot as line 1" in str(problem)


def test_a_journey_with_both_samples_and_spans_is_refused():
    (problem,) = read_measurements([SAMPLE, SPAN], "m.jsonl").problems
    assert str(problem) == 'm.jsonl: "indienen" has both samples and spans; give one of the two'


def test_all_problems_are_told_at_once():
    assert [p.line for p in read_measurements(["{", SPAN, "[]"], "m.jsonl").problems] == [1, 3]


# --- ledgers -------------------------------------------------------------------------------------------------------

ANNOUNCED = (
    '{"kind":"maintenance","from":"2026-11-18T20:00:00+01:00","to":"2026-11-18T22:00:00+01:00",'
    '"recorded_at":"2026-11-02T09:00:00+01:00","scope":["indienen"],"by":"J. Peeters","reason":"upgrade",'
    '"ticket":"W-1"}'
)


def test_a_ledger_is_sealed_in_the_order_it_stands():
    found = read_ledger([ANNOUNCED], "l.jsonl")
    assert found.problems == ()
    assert (found.entries[0].seq, found.entries[0].entry.data) == (1, {"ticket": "W-1"})


def test_a_chain_that_was_written_out_can_be_read_back():
    chain = seal([entry("maintenance", "2026-11-18 20:00", "2026-11-18 22:00", recorded="2026-11-02 09:00")])
    found = read_ledger([json.dumps(ledger_json(s)) for s in chain], "l.jsonl")
    assert (found.problems, found.entries) == ((), chain)


def test_a_changed_entry_breaks_the_chain_and_is_named():
    days = ("11", "12", "13")
    chain = seal(entry("decision", f"2026-11-{d} 20:00", "2026-11-20 22:00", recorded="2026-11-21 09:00") for d in days)
    lines = [json.dumps(ledger_json(s)) for s in chain]
    (problem,) = read_ledger([lines[0], lines[1].replace("proef", "anders"), lines[2]], "l.jsonl").problems
    assert str(problem).startswith("l.jsonl:2: breaks the chain at entry 2")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"by":"J. Peeters"', '"by":" "', "names who recorded it"),
        ('"by":"J. Peeters",', "", 'needs "by"'),
        ('"from":"2026-11-18T20:00:00+01:00",', "", 'so it needs "from"'),
        ("2026-11-02T09:00:00+01:00", "2026-11-02T09:00:00", "has no offset"),
        ('"ticket":"W-1"', '"supersedes":4', "corrects an earlier one"),
        ('["indienen"]', "[1]", "is no list of journeys"),
    ],
)
def test_a_bad_entry_is_refused_with_its_number(old: str, new: str, words: str):
    (problem,) = read_ledger([ANNOUNCED.replace(old, new)], "l.jsonl").problems
    assert problem.line == 1
    assert words in str(problem)


# --- assessments ---------------------------------------------------------------------------------------------------

DAY = span("2026-11-12 00:00", "2026-11-13 00:00")
RULE = {"scale": "per-unit", "unit": "0.001", "amount": "1% of monthly-fee", "maximum": "10% of monthly-fee"}


def test_an_assessment_is_written_in_the_published_shape():
    agreed = contract(
        clause(sanction=RULE, window="dienst"),
        {"id": "P1", "kind": "response-time", "scope": ["indienen"], "percentile": "95", "limit": "10s"},
    )
    measured = samples("." * 30 + "x" * 61 + "." * 200, "2026-11-12 09:30")
    decided = entry("exclusion", "2026-11-12 10:00", "2026-11-12 10:10", recorded="2026-11-20 09:00")
    found = assessment_json(judge(agreed, DAY, measured, decided))
    jsonschema.validate(found, schema("assessment"))
    first = found["clauses"][0]
    assert first["seconds"] == {
        "service": 41400, "up": 13860, "degraded": 0, "down": 3060, "excluded": 600, "unmeasured": 23880,
    }  # fmt: skip
    assert found["outages"][0]["start"]["first_bad"] == "2026-11-12T10:00:00+01:00"
    assert found["outages"][0]["counted_seconds"] == 3060


def test_nothing_measured_is_null_not_zero():
    found = assessment_json(judge(contract(), DAY, []))
    jsonschema.validate(found, schema("assessment"))
    assert found["clauses"][0]["availability"] == {"lowest": None, "point": None, "highest": None}
    assert found["coverage"] == "0.000000000000"


def test_a_period_across_versions_has_one_entry_each():
    found = assessment_json(judge(contract(), span("2026-11-29 00:00", "2026-12-03 00:00"), []))
    assert [c["period"]["from"] for c in found["clauses"]] == ["2026-11-29T00:00:00+01:00", "2026-12-01T00:00:00+01:00"]


def test_reasons_can_be_had_in_english():
    found = assessment_json(judge(contract(), DAY, all_up_but(DAY)), "en")
    assert found["clauses"][0]["reasons"][-1] == "Met: even if all unmeasured time had been down."


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (Fraction(1, 3), "0.333333333333333333"),
        (Fraction(993, 1000), "0.993000000000"),
        (Fraction(2, 3), "0.666666666666666666"),
        (None, None),
    ],
)
def test_ratios_are_cut_never_rounded_up(ratio: Fraction | None, text: str | None):
    assert ratio_text(ratio) == text


@pytest.mark.parametrize(("us", "text"), [(1_500_000, "1.5"), (2_678_400_000_001, "2678400.000001"), (0, "0")])
def test_seconds_keep_their_microseconds(us: int, text: str):
    assert json.dumps(seconds(us)) == text
    assert Decimal(text) * 1_000_000 == us


@pytest.mark.parametrize(("line", "name"), [(SPAN, "measurement"), (SAMPLE, "measurement"), (ANNOUNCED, "ledger")])
def test_lines_that_are_read_fit_their_schema(line: str, name: str):
    jsonschema.validate(json.loads(line), schema(name))
