"""A month's report from a real store: what is written, numbered, recorded, and said about our own measuring."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from monitor.assessing import assess_stored, intervals, note_intervals
from monitor.drill import Held
from monitor.issuing import plain, record
from monitor.reporting import ReportRefusedError, Written, _gaps, draw, write
from monitor.store import events, ledger, reports
from monitor.store.database import Database
from sla.assessment import Span, Verdict
from sla.contract import Contract
from sla.ledger import Entry, first_broken
from sla.rendering import json as json_form
from tests.agreements import HOUR, MINUTE, at
from tests.heart import INDIENEN, INZAGE
from tests.new_store import new_store
from tests.stored_month import AGREED, HOURLY, IN_NOVEMBER, OCTOBER, fill, job, missed


@dataclass(frozen=True)
class Story:
    """October, reported twice: two hours down, one of our own fault, and an exclusion recorded after the reports."""

    database: Database
    folder: Path
    first: Written
    second: Written


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("story")
    database = new_store(folder / "loketwacht.db")
    fill(database, marks={"2026-10-05 10:00": "X", "2026-10-05 11:00": "X", "2026-10-06 10:00": "?"})
    late = Entry(
        kind="exclusion", recorded_us=IN_NOVEMBER + MINUTE, by="Jan", reason="storm", from_us=at("2026-10-05 00:00"),
        until_us=at("2026-10-06 00:00"), data={"ground": "force-majeure", "evidence": "KMI"},
    )  # fmt: skip
    with database.begin() as tx:
        ledger.append(tx, late)
    first = write(job(database, folder))
    issue(database, first)
    second = write(job(database, folder))
    issue(database, second)
    yield Story(database=database, folder=folder / "PROEF" / "2026-10", first=first, second=second)
    database.close()


def issue(database: Database, written: Written) -> bool:
    with database.begin() as tx:
        return record(tx, written.issued, by="test")


def document(written: Written) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(written.issued.files["json"]).read_bytes())
    return found


def gaps(database: Database, *, agreed: Contract = AGREED) -> list[tuple[str, int, int, tuple[str, ...]]]:
    with database.read() as tx:
        found = list(_gaps(tx, job(database, Path(), agreed=agreed), OCTOBER))
    return sorted((gap.cause, gap.start_us, gap.end_us, gap.journeys) for gap in found)


# -- files -------------------------------------------------------------------------------------------------------------


@pytest.mark.pango
def test_every_form_is_written_with_its_checksum(story: Story) -> None:
    names = {"json", "en.json", "nl.html", "en.html", "nl.pdf", "en.pdf", "nl.xlsx", "en.xlsx", "csv", "SHA256SUMS"}
    there = {path.name for path in story.folder.iterdir()}
    assert there == {f"R-2026-10-v{number}.{name}" for number in (1, 2) for name in names}
    for line in (story.folder / "R-2026-10-v1.SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((story.folder / name).read_bytes()).hexdigest() == digest
    machine = (story.folder / "R-2026-10-v1.json").read_bytes()
    assert story.first.issued.sha256 == hashlib.sha256(machine).hexdigest()
    assert story.first.without_pdf == ""


def test_the_seconds_of_every_class_add_up_to_the_month(story: Story) -> None:
    """October 2026 has 745 hours."""
    [found] = document(story.first)["clauses"]
    seconds = found["seconds"]
    assert (seconds["service"], seconds["down"]) == (745 * 3600, 2 * 3600)
    parts = [seconds[name] for name in ("up", "degraded", "down", "excluded", "unmeasured")]
    assert sum(parts) == seconds["service"]


def test_a_second_report_takes_the_place_of_the_first(story: Story) -> None:
    assert (story.first.issued.number, story.second.issued.number) == (1, 2)
    assert document(story.first)["report"]["replaces"] is None
    assert document(story.second)["report"]["replaces"] == "R-2026-10-v1"
    with story.database.read() as tx:
        assert [one.number for one in reports.read(tx, contract="PROEF", period="2026-10")] == [1, 2]


def test_a_report_is_recorded_in_the_ledger_with_its_hash(story: Story) -> None:
    with story.database.read() as tx:
        first, _ = ledger.read(tx, kinds=("report",))
        assert first_broken(ledger.read(tx)) is None
    assert first.entry.data["sha256"] == story.first.issued.sha256
    assert first.entry.data["number"] == "1"


def test_the_same_report_is_not_recorded_twice(story: Story) -> None:
    assert issue(story.database, story.first) is False
    with story.database.read() as tx:
        assert len(list(ledger.read(tx, kinds=("report",)))) == 2


def test_what_is_recorded_after_a_report_does_not_change_it(story: Story) -> None:
    [found] = document(story.first)["clauses"]
    assert found["seconds"]["excluded"] == 0


@pytest.mark.parametrize(
    ("period", "said"),
    [("2026-13", "2026-13"), ("oktober", "oktober"), ("2027-01", "has not begun"), ("2019-05", "PROEF|force|version")],
)
def test_a_period_that_cannot_be_reported_is_refused(
    database: Database, tmp_path: Path, period: str, said: str
) -> None:
    fill(database)
    with pytest.raises(ReportRefusedError, match=said):
        write(job(database, tmp_path / "reports", period=period))
    assert not (tmp_path / "reports").exists()


def test_a_running_month_is_provisional(database: Database, tmp_path: Path) -> None:
    fill(database)
    early = replace(job(database, tmp_path), now_us=at("2026-10-20 12:00"))
    with database.read() as tx:
        found = json.loads(json_form.render(draw(tx, early)[0]))["report"]
    assert found["provisional"] is True
    assert found["data_until"].startswith("2026-10-20T")


@pytest.mark.parametrize("name", ["../../elders", "/etc", "a/b", "..", ".", "", "a\\b", "OVK 2026/1"])
def test_the_name_of_a_contract_cannot_lead_out_of_the_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / plain(name)
    assert folder.parent == tmp_path
    assert folder.resolve() == tmp_path.resolve() / folder.name
    assert folder.name not in ("", ".", "..")


# -- gaps --------------------------------------------------------------------------------------------------------------


def test_hours_in_which_the_monitor_was_off_lower_the_coverage(database: Database) -> None:
    """T3: the last sample, of 21:00, speaks for two intervals at most; then nothing is known until 06:00."""
    fill(database, without=[("2026-10-07 22:00", "2026-10-08 06:00")])
    with database.read() as tx:
        found = assess_stored(tx, AGREED, OCTOBER)
    assert found.clauses[0].totals is not None
    assert found.clauses[0].totals.unmeasured_us == 7 * HOUR
    assert found.coverage == Fraction(738, 745)


def test_hours_in_which_the_monitor_was_off_are_named(database: Database) -> None:
    """T3: the report says from when to when nobody looked."""
    fill(database, without=[("2026-10-07 22:00", "2026-10-08 06:00")])
    missed(database, "2026-10-07 22:00", "2026-10-08 06:00")
    off = ("monitor-off", at("2026-10-07 22:00"), at("2026-10-08 06:00"), ("indienen",))
    assert gaps(database) == [off]


def test_the_drills_of_the_month_are_counted_and_told(database: Database, tmp_path: Path) -> None:
    fill(database)
    with database.begin() as tx:
        for day, problem in (("2026-09-30", ""), ("2026-10-05", ""), ("2026-10-06", "no mail"), ("2026-10-07", "")):
            events.add(tx, Held(at_us=at(f"{day} 05:30"), problem=problem).event)
    written = write(job(database, tmp_path))
    folder = tmp_path / "PROEF" / "2026-10"
    stated = json.loads((folder / "R-2026-10-v1.json").read_text(encoding="utf-8"))
    assert stated["report"]["drills"] == {"held": 3, "passed": 2}
    [page] = folder.glob("*.nl.html")
    assert "Oefeningen van ons eigen alarm (fout, mail, herstel) in deze periode: 2 van 3 geslaagd." in page.read_text()
    issue(database, written)
    with database.read() as tx:
        assert first_broken(tuple(ledger.read(tx))) is None


def test_gaps_of_one_cause_that_touch_or_overlap_are_one(database: Database) -> None:
    missed(database, "2026-10-07 22:00", "2026-10-07 23:00")
    missed(database, "2026-10-07 22:30", "2026-10-08 01:00", check_id="inzage")
    missed(database, "2026-10-08 01:00", "2026-10-08 02:00")
    missed(database, "2026-10-08 01:30", "2026-10-08 03:00", cause="late")
    missed(database, "2026-10-09 01:00", "2026-10-09 02:00")
    assert gaps(database) == [
        ("load", at("2026-10-08 01:30"), at("2026-10-08 03:00"), ("indienen",)),
        ("monitor-off", at("2026-10-07 22:00"), at("2026-10-08 02:00"), ("indienen", "inzage")),
        ("monitor-off", at("2026-10-09 01:00"), at("2026-10-09 02:00"), ("indienen",)),
    ]


def test_a_gap_over_the_edge_of_the_month_is_cut_there(database: Database) -> None:
    missed(database, "2026-09-30 20:00", "2026-10-01 02:00")
    assert gaps(database) == [("monitor-off", OCTOBER.start_us, at("2026-10-01 02:00"), ("indienen",))]


def test_samples_of_our_own_fault_are_gaps_by_their_cause(database: Database) -> None:
    fill(database, marks={"2026-10-06 10:00": "?", "2026-10-06 11:00": "?", "2026-10-08 10:00": "?"})
    assert gaps(database) == [
        ("own-network", at("2026-10-06 10:00"), at("2026-10-06 12:00"), ("indienen",)),
        ("own-network", at("2026-10-08 10:00"), at("2026-10-08 11:00"), ("indienen",)),
    ]


def test_what_another_location_measured_meanwhile_is_no_gap(database: Database) -> None:
    """Each location was away for some hours; only while both were is it said that nobody looked."""
    fill(database, without=[("2026-10-07 22:00", "2026-10-08 06:00")], marks={"2026-10-09 10:00": "?"})
    fill(
        database,
        without=[("2026-10-08 02:00", "2026-10-08 08:00")],
        marks={"2026-10-09 10:00": "?", "2026-10-09 12:00": "?"},
        location="gent",
    )
    missed(database, "2026-10-07 22:00", "2026-10-08 06:00")
    missed(database, "2026-10-08 02:00", "2026-10-08 08:00", location="gent")
    assert gaps(database) == [
        ("monitor-off", at("2026-10-08 02:00"), at("2026-10-08 06:00"), ("indienen",)),
        ("own-network", at("2026-10-09 10:00"), at("2026-10-09 11:00"), ("indienen",)),
    ]


# -- assessing what is stored ------------------------------------------------------------------------------------------


def test_a_changed_interval_counts_from_its_change(database: Database) -> None:
    with database.begin() as tx:
        note_intervals(tx, (HOURLY, INZAGE), at("2026-10-01 00:00"))
        note_intervals(tx, (HOURLY, INZAGE), at("2026-10-02 00:00"))
        note_intervals(tx, (INDIENEN,), at("2026-10-05 00:00"))
        known = intervals(tx, OCTOBER.end_us)
    assert known.changes["indienen"] == ((at("2026-10-01 00:00"), HOUR), (at("2026-10-05 00:00"), MINUTE))
    assert known.changes["inzage"] == ((at("2026-10-01 00:00"), MINUTE),)
    assert known.at("indienen", at("2026-09-01 00:00")) == HOUR
    assert known.at("indienen", at("2026-10-04 23:59")) == HOUR
    assert known.at("indienen", at("2026-10-05 00:00")) == MINUTE


def test_stored_samples_are_assessed_as_the_contract_says(database: Database) -> None:
    """Eight hours of 745 are down: more than one in a hundred."""
    fill(database, marks={f"2026-10-05 {hour:02}:00": "X" for hour in range(10, 18)})
    with database.read() as tx:
        found = assess_stored(tx, AGREED, OCTOBER)
    assert [clause.verdict for clause in found.clauses] == [Verdict.MISSED]
    assert [outage.journey for outage in found.outages] == ["indienen"]
    assert found.clauses[0].totals is not None
    assert found.clauses[0].totals.down_us == 8 * HOUR


def test_a_journey_that_was_never_measured_is_unmeasured(database: Database) -> None:
    with database.read() as tx:
        found = assess_stored(tx, AGREED, Span(start_us=OCTOBER.start_us, end_us=OCTOBER.end_us))
    assert found.coverage == 0
    assert [clause.verdict for clause in found.clauses] == [Verdict.UNDECIDED]
