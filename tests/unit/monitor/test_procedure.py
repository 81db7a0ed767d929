"""From a stored month to the dossier on an outage and a draft of findings: the files, and what the ledger says."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from monitor import dossier, procedure
from monitor.assessing import note_intervals
from monitor.issuing import record
from monitor.reporting import ReportRefusedError
from monitor.store import ledger, samples
from monitor.store.database import Database
from probes.sample import Evidence
from sla.deadlines import Stage, calendar_of, deadlines
from sla.interchange import read_measurements
from sla.ledger import Entry, first_broken
from tests.agreements import at, clause, contract
from tests.heart import a_sample
from tests.new_store import new_store
from tests.stored_month import HOURLY, IN_NOVEMBER, OCTOBER, fill, job

AGREED = contract(
    clause(window="altijd", target="0.99", article="art. 4.2", text="Altijd minstens 99 % beschikbaar."),
    clause(id="B2", window="altijd", target="0.99", obligation="best-efforts"),
    clause(id="B3", window="nacht", target="0.99"),
)
OUTAGE = "indienen-20261005T0800Z"
SHOUT = "=CMD|'/c calc'!A1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Nine hours of outage on the fifth of October, acknowledged and attributed, with its dossier and a draft."""

    database: Database
    dossier: dossier.Written
    drafted: procedure.Drafted


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("procedure")
    database = new_store(folder / "loketwacht.db")
    seen = Evidence(
        step="verzenden", request="POST /indienen", response_head="HTTP/1.1 503", body="<b>onderhoud</b>",
        body_truncated=False, body_sha256="ab" * 32, addresses=("127.0.0.1",),
    )  # fmt: skip
    with database.begin() as tx:
        note_intervals(tx, (HOURLY,), OCTOBER.start_us)
        samples.add(tx, replace(a_sample("X", at("2026-10-05 10:00")), evidence=(seen,)))
        for kind, data in (("acknowledged", {}), ("attribution", {"party": "supplier"})):
            ledger.append(tx, Entry(kind=kind, recorded_us=at("2026-10-06 09:00"), by="An", reason=SHOUT,
                                    data={"outage": OUTAGE, **data}))  # fmt: skip
    fill(database, marks={f"2026-10-05 {hour}:00": "X" for hour in range(10, 19)})
    work = job(database, folder, agreed=AGREED)
    written = dossier.write(work, OUTAGE)
    with database.begin() as tx:
        assert record(tx, written.issued, by="proef")
    drafted = procedure.draft(work)
    with database.begin() as tx:
        assert procedure.put_on_record(tx, drafted, by="proef") is not None
    yield Story(database=database, dossier=written, drafted=drafted)
    database.close()


def body(files: dict[str, str] | Any, form: str) -> bytes:
    return Path(files[form]).read_bytes()


def machine(files: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(body(files, "json"))
    return found


# -- dossier -----------------------------------------------------------------------------------------------------------


def test_the_dossier_counts_every_second_of_the_outage_in_every_clause(story: Story) -> None:
    found = machine(story.dossier.files.files)
    seconds = {c["result"]["id"]: [(s["counted"], s["seconds"]) for s in c["stretches"]] for c in found["clauses"]}
    both = [("up", 3600), ("down", 9 * 3600)]
    assert seconds == {"B1": both, "B2": both, "B3": [("outside", 36000)]}
    assert [c["counted_seconds"] for c in found["clauses"]] == [9 * 3600, 9 * 3600, 0]


def test_the_dossier_holds_what_the_ledger_says_of_the_outage(story: Story) -> None:
    found = machine(story.dossier.files.files)
    assert [one["kind"] for one in found["ledger"]] == ["acknowledged", "attribution"]
    assert (found["ledger_entries"], found["number"]) == (2, f"D-{OUTAGE}-v1")


def test_the_samples_of_a_dossier_can_be_read_back(story: Story) -> None:
    text = body(story.dossier.files.files, "samples-csv").decode()
    read = read_measurements(text.splitlines(), "metingen.csv")
    assert not read.problems
    assert [s.outcome for s in read.samples].count("down") == 9
    assert read.samples[0].due_us == at("2026-10-05 04:00")


def test_the_evidence_lies_beside_the_dossier_as_plain_text_with_its_checksum(story: Story) -> None:
    [proof] = machine(story.dossier.files.files)["evidence"]
    with zipfile.ZipFile(io.BytesIO(body(story.dossier.files.files, "evidence"))) as archive:
        kept = archive.read(proof["file"])
    assert hashlib.sha256(kept).hexdigest() == proof["sha256"]
    assert b"<b>onderhoud</b>" in kept


def test_what_people_wrote_is_text_on_the_page_and_never_markup(story: Story) -> None:
    page = body(story.dossier.files.files, "html-nl").decode()
    assert "=CMD|&#39;/c calc&#39;!A1" in page
    assert "Toeschrijving" in page


def test_a_cell_that_a_spreadsheet_would_calculate_is_text(story: Story) -> None:
    for form in ("counting-csv", "samples-csv"):
        for row in csv.reader(io.StringIO(body(story.dossier.files.files, form).decode())):
            assert not [cell for cell in row if cell.startswith(("=", "+", "-", "@"))]


def test_the_same_store_and_hour_give_the_same_bytes(story: Story, tmp_path: Path) -> None:
    """The ledger grew meanwhile, but by entries of later: at the hour of the first they were not known."""
    work = job(story.database, tmp_path, agreed=AGREED)
    first, second = (dossier.write(replace(work, directory=tmp_path / name), OUTAGE).files for name in ("a", "b"))
    names = {form: Path(path).name for form, path in first.files.items()}
    assert {n: body(first.files, n) for n in names} == {n: body(second.files, n) for n in names}


def test_an_outage_that_is_not_there_is_refused(story: Story, tmp_path: Path) -> None:
    with pytest.raises(ReportRefusedError, match=f"there are: {OUTAGE}"):
        dossier.write(job(story.database, tmp_path, agreed=AGREED), "indienen-20261007T0800Z")


def test_the_id_of_an_outage_tells_its_month() -> None:
    assert dossier.month_of("indienen-20261031T2330Z", "Europe/Brussels") == "2026-11"
    with pytest.raises(ReportRefusedError, match="no id of an outage"):
        dossier.month_of("indienen", "Europe/Brussels")


# -- findings ----------------------------------------------------------------------------------------------------------


def test_only_missed_clauses_of_result_are_found_by_themselves(story: Story) -> None:
    assert [c["id"] for c in machine(story.drafted.files.files)["clauses"]] == ["B1"]


def test_findings_hold_facts_and_no_amounts(story: Story) -> None:
    text = body(story.drafted.files.files, "json").decode()
    assert "amount" not in text
    assert "EUR" not in body(story.drafted.files.files, "html-nl").decode().split("</style>")[1]


def test_the_draft_says_that_it_is_one_and_what_the_supplier_may_do(story: Story) -> None:
    page = body(story.drafted.files.files, "html-nl").decode()
    assert "ONTWERP – niet ondertekend, niet verzonden" in page
    assert "binnen vijftien dagen te rekenen vanaf de verzending" in page
    assert "Altijd minstens 99 % beschikbaar." in page


def test_the_english_page_says_that_only_the_dutch_one_counts(story: Story) -> None:
    assert "only the Dutch text is meant to be signed" in body(story.drafted.files.files, "html-en").decode()


def test_the_draft_leans_on_the_dossier_that_was_issued(story: Story) -> None:
    [one] = machine(story.drafted.files.files)["documents"]
    assert one == {"number": f"D-{OUTAGE}-v1", "sha256": story.dossier.files.sha256, "outage": OUTAGE}


def test_a_draft_begins_a_procedure_in_the_ledger(story: Story) -> None:
    with story.database.read() as tx:
        entries = tuple(ledger.read(tx))
    [found] = deadlines(entries, IN_NOVEMBER, calendar_of(AGREED))
    assert first_broken(entries) is None
    assert (found.stage, found.document, found.clauses, found.outages) == (
        Stage.DRAFTED, "PV-2026-10-v1", ("B1",), (OUTAGE,),
    )  # fmt: skip
    assert found.drafted.entry.data["sha256"] == story.drafted.files.sha256


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"clauses": ["B9"]}, "no clause"),
        ({"clauses": ["B3"]}, "it was met"),
        ({"clauses": ["B2"]}, "--best-efforts-too"),
        ({"outages": ["indienen-20261007T0800Z"]}, "no outage"),
        ({"outages": [OUTAGE], "clauses": ["B3"]}, "it was met"),
    ],
)
def test_what_cannot_be_found_against_the_supplier_is_refused(
    story: Story, tmp_path: Path, asked: dict[str, Any], said: str
) -> None:
    with pytest.raises(ReportRefusedError, match=said):
        procedure.draft(job(story.database, tmp_path, agreed=AGREED), **asked)


def test_a_period_that_is_not_over_has_no_findings(story: Story, tmp_path: Path) -> None:
    with pytest.raises(ReportRefusedError, match="not over yet"):
        procedure.draft(replace(job(story.database, tmp_path, agreed=AGREED), now_us=at("2026-10-20 09:00")))


def test_best_efforts_come_in_only_with_the_words_that_fault_must_be_proven(story: Story, tmp_path: Path) -> None:
    work = job(story.database, tmp_path, agreed=AGREED)
    found = procedure.draft(work, clauses=["B2"], best_efforts_too=True)
    assert "Middelenverbintenis: de fout moet nog worden bewezen" in body(found.files.files, "html-nl").decode()
    assert [c["fault_to_be_proven"] for c in machine(found.files.files)["clauses"]] == [True]
