"""What others would have said of the same measurements, by hand: 100 minutes in which everything goes wrong once.

From 10:00, one check a minute: 20 up, 10 down in an announced maintenance, 20 up, 20 down, 10 without a verdict, 10
without a check, 10 degraded.
"""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import sla.interchange
from monitor.cli import main
from sla.compare import PeerFigure, compare
from sla.interchange import sample_json
from sla.ledger import Entry
from sla.measurements import SampleIn, SpanIn
from tests.agreements import all_up_but, contract, entry, judge, samples, span

PERIOD = span("2026-11-12 10:00", "2026-11-12 11:40")
PICTURE = "." * 20 + "x" * 10 + "." * 20 + "x" * 20 + "?" * 10 + " " * 10 + "~" * 10
MAINTENANCE = entry("maintenance", "2026-11-12 10:20", "2026-11-12 10:30", recorded="2026-11-02 09:00")
PEERS = ["Zabbix", "Icinga", "Nagios", "Uptime Kuma", "Upptime"]


def figures(measured: list[SampleIn | SpanIn], *entries: Entry) -> tuple[PeerFigure, ...]:
    found = judge(contract(maintenance={"notice": "2 working days"}), PERIOD, measured, *entries)
    return compare(
        found,
        samples=[m for m in measured if isinstance(m, SampleIn)],
        spans=[m for m in measured if isinstance(m, SpanIn)],
    )


def ratios(measured: list[SampleIn | SpanIn], *entries: Entry) -> dict[str, Fraction | None]:
    return {f.peer: f.ratio for f in figures(measured, *entries)}


def all_of_it() -> list[SampleIn | SpanIn]:
    return list(samples(PICTURE, "2026-11-12 10:00"))


def test_zabbix_takes_the_downtime_out_of_both_and_lets_a_problem_last_through_what_it_cannot_judge():
    """Of 90 minutes outside the downtime: 20 down, then 20 without a verdict or a check, in which the problem stays."""
    assert ratios(all_of_it(), MAINTENANCE)["Zabbix"] == Fraction(50, 90)


def test_icinga_keeps_the_downtime_as_good_and_takes_unknown_as_a_problem():
    """Of 100 minutes 20 down and 20 unknown, of which 10 by an unknown that simply lasted."""
    assert ratios(all_of_it(), MAINTENANCE)["Icinga"] == Fraction(60, 100)


def test_nagios_takes_only_ok_as_good_and_lets_a_downtime_change_nothing():
    """Of 100 minutes 40 OK: 30 critical, 20 unknown, 10 warning."""
    assert ratios(all_of_it(), MAINTENANCE)["Nagios"] == Fraction(40, 100)


def test_uptime_kuma_counts_the_checks_outside_maintenance():
    """Of 80 checks 40 up, 10 slow and so up, 20 down, 10 that could not say up."""
    assert ratios(all_of_it(), MAINTENANCE)["Uptime Kuma"] == Fraction(50, 80)


def test_upptime_forgives_ten_minutes_and_counts_the_rest_of_the_wall():
    """The 10 minutes down are under 15; the 40 from the second outage until the next good check are not."""
    assert ratios(all_of_it(), MAINTENANCE)["Upptime"] == Fraction(60, 100)


def test_our_own_figure_stands_beside_each_of_them():
    """Without the maintenance and the 20 minutes that were not measured: 40 up and 10 slow, 20 down."""
    assert {f.ours for f in figures(all_of_it(), MAINTENANCE)} == {Fraction(50, 70)}


def test_maintenance_that_the_contract_refuses_is_a_downtime_to_the_others_all_the_same():
    late = entry("maintenance", "2026-11-12 10:20", "2026-11-12 10:30", recorded="2026-11-12 10:19")
    strict = contract(maintenance={"notice": "5 working days"})
    measured = list(samples(PICTURE, "2026-11-12 10:00"))
    found = judge(strict, PERIOD, measured, late)
    assert all(not w.granted for w in found.windows)
    said = {f.peer: f.ratio for f in compare(found, samples=measured)}
    assert said["Icinga"] == Fraction(60, 100)


def test_a_retry_that_worked_is_a_failed_check_to_uptime_kuma_only():
    measured: list[SampleIn | SpanIn] = [
        SampleIn(journey="indienen", due_us=s.due_us, interval_us=s.interval_us, outcome="up", attempts=1 + (i == 5))
        for i, s in enumerate(samples("." * 100, "2026-11-12 10:00"))
    ]
    said = ratios(measured)
    assert said.pop("Uptime Kuma") == Fraction(100, 101)
    assert set(said.values()) == {Fraction(1)}


def test_without_any_measurement_two_say_100_percent_one_says_0_and_two_say_nothing():
    assert ratios([]) == {"Zabbix": 1, "Icinga": 1, "Nagios": None, "Uptime Kuma": 0, "Upptime": None}


def test_time_before_the_first_check_is_good_to_zabbix_and_left_out_by_the_others():
    """The first check falls half-way; it is down for 20 minutes, then up for 30."""
    said = ratios(list(samples("x" * 20 + "." * 30, "2026-11-12 10:50")))
    assert said == {
        "Zabbix": Fraction(80, 100),
        "Icinga": Fraction(30, 50),
        "Nagios": Fraction(30, 50),
        "Uptime Kuma": Fraction(30, 50),
        "Upptime": Fraction(30, 50),
    }


def test_settled_stretches_have_no_checks_to_count():
    said = ratios([*all_up_but(PERIOD, ("2026-11-12 10:00", "2026-11-12 10:20", "down"))])
    assert said.pop("Uptime Kuma") is None
    assert set(said.values()) == {Fraction(80, 100)}


def test_each_location_is_a_monitor_of_its_own():
    """Down for 20 minutes as one of two sees it: no outage to us, and 80 % on that one's dashboard."""
    measured: list[SampleIn | SpanIn] = [
        *samples("x" * 20 + "." * 80, "2026-11-12 10:00", location="gent"),
        *samples("." * 100, "2026-11-12 10:00", location="luik"),
    ]
    said = {(f.peer, f.location): f.ratio for f in figures(measured)}
    assert [said[peer, "gent"] for peer in PEERS] == [Fraction(80, 100)] * 5
    assert [said[peer, "luik"] for peer in PEERS] == [1] * 5
    assert {f.ours for f in figures(measured)} == {Fraction(1)}


def test_every_figure_says_why_in_one_sentence_in_both_languages():
    for found in figures(all_of_it(), MAINTENANCE):
        assert found.why.nl.count(".") == found.why.en.count(".") == 1
        assert found.why.nl != found.why.en
        assert found.peer in found.why.nl
        assert found.peer in found.why.en


# --- the command ---------------------------------------------------------------------------------------------------

CONTRACT = """
contract = "PROEF"
authority = "Voorbeeldbestuur"
supplier = "Voorbeeld NV"
[[version]]
number = 1
valid_from = 2026-01-01
valid_until = 2026-12-31
[[version.clause]]
id = "B1"
kind = "availability"
scope = ["indienen"]
target = "0.5"
"""


def asked(folder: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[str, str]:
    (folder / "c.toml").write_text(CONTRACT, "utf-8")
    lines = [json.dumps(sample_json(s)) for s in samples(PICTURE, "2026-11-12 10:00")]
    (folder / "m.jsonl").write_text("\n".join(lines), "utf-8")
    period = "2026-11-12T10:00:00+01:00/2026-11-12T11:40:00+01:00"
    files = ["--contract", str(folder / "c.toml"), "--measurements", str(folder / "m.jsonl"), "--period", period]
    main(["sla", "assess", *files, *more])
    said = capsys.readouterr()
    return said.out, said.err


def test_the_command_adds_the_comparison_in_the_published_shape(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    schema = json.loads((Path(sla.interchange.__file__).parent / "schemas" / "assessment.schema.json").read_text())
    found: dict[str, Any] = json.loads(asked(tmp_path, capsys, "--compare", "--json")[0])
    Draft202012Validator(schema).validate(found)
    assert [f["peer"] for f in found["compare"]] == PEERS
    assert found["compare"][2]["ratio"] == "0.400000000000"
    assert "compare" not in json.loads(asked(tmp_path, capsys, "--json")[0])


def test_the_command_shows_people_a_table_and_the_reasons(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out, err = asked(tmp_path, capsys, "--compare")
    assert out == ""
    assert "Nagios" in err
    assert "40.0000 %" in err
    assert "Upptime leaves out outages of less than 15 minutes" in err
