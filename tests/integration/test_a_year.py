"""A year from measurements to reports: each month issued, one restated, each figure traced back, every byte held."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import random
import sqlite3
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from monitor import archive, exchange, issuing, reporting, sealing
from monitor.assessing import stored_samples
from monitor.config import LoadedContract, read_contract
from monitor.reporting import ReportJob
from monitor.store import ledger
from monitor.store.database import Database
from monitor.store.reports import Issued
from sla.assess import journeys_needed, worked_out
from sla.differences import read_changes
from sla.explain import explained
from sla.interchange import read_ledger, read_measurements
from sla.ledger import first_broken
from sla.period import instant_text, parse_instant, parse_period
from sla.rendering import json as json_form
from sla.witnesses import Kept
from tests import year_story
from tests.agreements import BRUSSELS, HOUR
from tests.new_store import new_store
from tests.stored_month import loaded_contract
from tests.year_story import DISPUTED, MONTHS, RESTATED_US

JOURNEYS = {"indienen", "aanmelden"}


@dataclass(frozen=True, kw_only=True)
class Year:
    database: Database
    path: Path
    agreed: LoadedContract
    issued: dict[tuple[str, int], Issued]
    numbers: dict[str, int]

    def stated(self, month: str, version: int = 1) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(Path(self.issued[month, version].files["json"]).read_bytes())
        return found

    def last(self, month: str) -> dict[str, Any]:
        return self.stated(month, 2 if month == DISPUTED else 1)


def draw_up(year: Year, month: str, version: int, now_us: int) -> None:
    """A month's report as it is issued, in JSON alone: twelve times two PDFs would show nothing more."""
    job = ReportJob(
        database_url=str(year.database.engine.url), contract=year.agreed.contract, period=month,
        portal="Voorbeeldloket", titles={"indienen": ("Aanvraag indienen", "Submit an application")}, location="lokaal",
        software="Loketwacht 1.2.3", config_sha256="c0ffee" + "0" * 58, contact="sla@example.be",
        directory=year.path / "reports", now_us=now_us,
    )  # fmt: skip
    with year.database.read() as tx:
        report, number = reporting.draw(tx, job)
    assert number == version
    document = issuing.Document(
        kind="monthly", number=report.number, subject=month, issued_us=now_us,
        ledger_head=report.assessment.ledger_head, machine=json_form.render(report).encode(), pages={},
    )  # fmt: skip
    written = issuing.write_files(document, year.path / "reports" / month)
    issued = issuing.issued_as(document, written, contract="JAAR-2027", version=version)
    with year.database.begin() as tx:
        assert issuing.record(tx, issued, by="loketwacht")
    year.issued[month, version] = issued


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Year]:
    """Lived through in its own order: what was recorded when, each month sealed and reported, May restated in June."""
    path = tmp_path_factory.mktemp("year")
    (path / "contract.toml").write_text(year_story.CONTRACT)
    contract, _ = read_contract(path / "contract.toml")
    agreed = dataclasses.replace(loaded_contract(contract), path=path / "contract.toml")
    found = Year(database=new_store(path / "year.db"), path=path, agreed=agreed, issued={}, numbers={})
    moments: list[tuple[int, Any]] = [(told.recorded_us, told) for told in year_story.LEDGER]
    moments += [(year_story.issued_us(month), month) for month in MONTHS]
    moments.append((RESTATED_US, None))
    for now_us, what in sorted(moments, key=lambda moment: moment[0]):
        if what is None:
            draw_up(found, DISPUTED, 2, now_us)
        elif isinstance(what, str):
            lines = [json.dumps(line) for line in year_story.measurements(what)]
            read = read_measurements(lines, "m.jsonl")
            with found.database.begin() as tx:
                exchange.import_samples(tx, read, "m.jsonl", location="lokaal", journeys=JOURNEYS, now_us=now_us)
            settled_us = year_story.measured(what).end_us + HOUR
            digests = sealing.digests_due(str(found.database.engine.url), settled_us)
            with found.database.begin() as tx:
                sealing.record(tx, digests, now_us=now_us)
            draw_up(found, what, 1, now_us + 1)
        else:
            entries = read_ledger([json.dumps(line) for line in what.lines(found.numbers)], "l.jsonl")
            with found.database.begin() as tx:
                taken = exchange.import_ledger(tx, entries, "l.jsonl", now_us=now_us, journeys=JOURNEYS)
            found.numbers[what.name] = taken[-1].seq
    yield found
    found.database.close()


def test_the_restated_month_names_the_lines_that_changed_and_who_decided_it(year: Year) -> None:
    changes = read_changes(year.stated(DISPUTED, 2))
    accepted = f"entry-{year.numbers['accepted']}"
    outage = "indienen-20270512T0800Z"
    assert {(line.about, line.id) for line in changes.lines} == {
        ("clause", "B1"), ("clause", "B2"), ("clause", "D1"), ("outage", outage), ("total", ""),
        ("decision", str(year.numbers["third party"])), ("decision", str(year.numbers["accepted"])),
    }  # fmt: skip
    assert {line.causes for line in changes.lines} == {(accepted,)}
    found = {(line.id, line.what): line for line in changes.lines}
    assert found["B1", "seconds.down"].difference == -3 * 3600
    assert found["B1", "seconds.excluded"].difference == 3 * 3600
    assert found[outage, "excluded_seconds"].after == 3 * 3600
    assert (found["D1", "verdict"].before, found["D1", "verdict"].after) == ("missed", "met")
    by = {cause.key: (cause.by, cause.changes) for cause in changes.causes}
    assert by[accepted] == (year_story.OFFICIAL, True)
    assert by[f"entry-{year.numbers['defence']}"] == (year_story.SUPPLIER, False)
    assert by[f"entry-{year.numbers['decision']}"] == (year_story.OFFICIAL, False)


@pytest.mark.parametrize("month", MONTHS)
def test_each_class_second_of_each_month_is_explained(year: Year, month: str) -> None:
    """Each edge of an outage, window, exclusion or gap begins a stretch of one class; together they are the totals."""
    contract, stated = year.agreed.contract, year.last(month)
    period = parse_period(month, BRUSSELS)
    with year.database.read() as tx:
        head = next(i for i, one in enumerate(ledger.read(tx), start=1) if one.hash == stated["ledger_head"])
        entries = tuple(ledger.read(tx))[:head]
        kept = Kept(journeys_needed(contract, entries), until_us=parse_instant(stated["as_of"]))
        until_us = parse_instant(stated["report"]["data_until"])
        samples = stored_samples(tx, contract, period, entries, until_us=until_us)
        worked = worked_out(
            contract,
            period=period,
            samples=kept.samples(samples),
            ledger=entries,
            as_of_us=parse_instant(stated["as_of"]),
        )
    for piece, result in zip(worked.pieces, stated["clauses"], strict=True):
        edges = {piece.span.start_us, piece.span.end_us}
        edges |= {edge for span in piece.service.spans for edge in (span.start_us, span.end_us)}
        for timeline in worked.assessment.timelines:
            edges |= {edge for span, _ in timeline.spans for edge in (span.start_us, span.end_us)}
        for one in worked.assessment.outages:
            edges |= {e for e in (one.last_good_us, one.first_bad_us, one.last_bad_us, one.first_good_us) if e}
        for decision in worked.assessment.windows:
            edges |= {edge for s in (*decision.granted, *decision.refused) for edge in (s.start_us, s.end_us)}
        inside = sorted(edge for edge in edges if piece.span.start_us <= edge <= piece.span.end_us)
        counted: Counter[str] = Counter()
        for start_us, end_us in pairwise(inside):
            counted[explained(worked, kept, clause=piece.clause.id, at_us=start_us).counted] += end_us - start_us
        seconds = result["seconds"]
        classes = ("up", "degraded", "down", "excluded", "unmeasured")
        assert {name: counted[name] for name in classes} == {name: seconds[name] * 1_000_000 for name in classes}
        assert sum(seconds[name] for name in classes) == seconds["service"]


def test_the_months_add_up_to_the_year(year: Year) -> None:
    """B2 counts all time: its service seconds are the year's own, changes of the clock included."""
    stated = [year.last(month) for month in MONTHS]
    always = [c["seconds"]["service"] for one in stated for c in one["clauses"] if c["id"] == "B2"]
    assert sum(always) == 365 * 86_400
    assert len(always) == 13  # June has two: the amendment
    with year.database.read() as tx:
        whole = parse_period("2027", BRUSSELS)
        entries = tuple(ledger.read(tx))
        samples = stored_samples(tx, year.agreed.contract, whole, entries)
        found = worked_out(year.agreed.contract, period=whole, samples=samples, ledger=entries).assessment
    by_month = {(c["id"], c["version"], c["period"]["from"]): c["seconds"] for one in stated for c in one["clauses"]}
    assert len(found.clauses) == len(by_month)
    for result in found.clauses:
        start = next(k for k in by_month if k[:2] == (result.clause.id, result.version.number)
                     and parse_instant(k[2]) == result.period.start_us)  # fmt: skip
        assert result.totals is not None
        assert result.totals.down_us == by_month[start]["down"] * 1_000_000
        assert result.totals.excluded_us == by_month[start]["excluded"] * 1_000_000


def test_what_the_year_is_about_is_in_its_reports(year: Year) -> None:
    def seconds(month: str, clause: str, name: str) -> list[int]:
        return [c["seconds"][name] for c in year.last(month)["clauses"] if c["id"] == clause]

    assert seconds("2027-02", "B2", "excluded") == [3600 * 5]  # announced in time, excluded whole
    assert seconds("2027-04", "B2", "down") == [3600 * 3]  # announced too late, counted
    assert seconds("2027-03", "B2", "down") == [3600 * 4]  # five hours on the wall, four that existed
    assert seconds("2027-10", "B2", "down") == [3600 * 5]  # four hours on the wall, five that existed
    assert seconds("2027-08", "B1", "unmeasured") > [0]
    assert seconds("2027-06", "B1", "down") == [3600 * 2, 3600 * 2]  # the outage runs on into the amendment
    assert seconds("2027-09", "B1", "down") == [3600 * 4]  # refused


@pytest.mark.parametrize("month", [*MONTHS, f"{DISPUTED}-v2"])
def test_each_report_is_computed_again_from_its_archive_alone(year: Year, month: str, tmp_path: Path) -> None:
    issued = year.issued[month[:7], 2 if month.endswith("v2") else 1]
    with year.database.read() as tx:
        archive.write(tx, issued, year.agreed, tmp_path / "month.zip")
    assert archive.examine(tmp_path / "month.zip")[1] is None


@pytest.mark.parametrize("seed", range(6))
def test_a_byte_changed_anywhere_in_an_archive_is_found(year: Year, seed: int, tmp_path: Path) -> None:
    """Also by a forger who renews the checksums."""
    chance = random.Random(seed)
    path = tmp_path / "month.zip"
    with year.database.read() as tx:
        archive.write(tx, year.issued[DISPUTED, 2], year.agreed, path)
    with zipfile.ZipFile(path) as opened:
        content = {name: opened.read(name) for name in opened.namelist()}
    name = chance.choice(["rows.jsonl", "ledger.jsonl", "report.json", "previous.json"])
    body = bytearray(content[name])
    digits = [place for place, byte in enumerate(body) if chr(byte).isdigit()]
    place = chance.choice(digits)
    body[place] = ord("1") if body[place] != ord("1") else ord("2")
    content[name] = bytes(body)
    sums = [f"{hashlib.sha256(b).hexdigest()}  {n}\n" for n, b in sorted(content.items()) if n != "SHA256SUMS"]
    content["SHA256SUMS"] = "".join(sums).encode()
    with zipfile.ZipFile(path, "w") as into:
        for member, bytes_ in content.items():
            into.writestr(member, bytes_)
    wrong = archive.examine(path)[1]
    assert wrong is not None
    assert name in wrong


@pytest.mark.parametrize("seed", range(4))
def test_an_altered_row_of_the_store_is_named(year: Year, seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    copy = tmp_path / "copy.db"
    with sqlite3.connect(year.path / "year.db") as source, sqlite3.connect(copy) as target:
        source.backup(target)
    source.close()
    with target:
        for (trigger,) in target.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            target.execute(f"drop trigger {trigger}")
        (entry,) = chance.choice(target.execute("select seq from ledger").fetchall())
        before_us = year_story.measured("2027-12").start_us
        slots = target.execute("select slot_us from sample where slot_us < ?", (before_us,)).fetchall()
        (slot_us,) = chance.choice(slots)
        target.execute("update sample set duration_us = duration_us + 1 where slot_us = ?", (slot_us,))
    store = Database.open(f"sqlite:///{copy}", migrate=False)
    with store.read() as tx:
        differs = sealing.first_difference(tx, tuple(ledger.read(tx)))
    assert differs is not None
    assert differs.day == instant_text(slot_us)[:10]
    with target:
        target.execute("update ledger set reason = reason || '.' where seq = ?", (entry,))
    target.close()
    with store.read() as tx:
        broken = first_broken(ledger.read(tx))
    store.close()
    assert broken is not None
    assert broken.seq == entry
